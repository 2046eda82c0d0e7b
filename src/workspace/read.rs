//! Looking at files. Each look sees the files as they were at one instant.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::diff::{FileChange, unified};
use super::error::WorkspaceError;
use super::paths::WorkspacePath;
use super::place::{self, below, counted, find_file, is_folder, unsigned};
use super::{Quotas, Workspace};

/// The text, where the bytes are one: UTF-8 without a NUL.
pub(super) fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// A file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether that is text.
    pub is_text: bool,
    /// When it was last changed, milliseconds since the Unix epoch.
    pub modified_ms: i64,
}

/// A file or a folder in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Bytes of the file, or of all files in the folder.
    pub bytes: u64,
    /// 1, or how many files are in the folder.
    pub files: u64,
    /// When it, or the latest of them, was changed, milliseconds since the Unix epoch.
    pub modified_ms: i64,
}

/// A list that may be shorter than what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The first of them, by path.
    pub entries: Vec<Entry>,
    /// How many there are.
    pub count: usize,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotEntry {
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub made_ms: i64,
    /// How many files are in it.
    pub files: u64,
}

/// What a workspace holds, and what it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Files.
    pub files: u64,
    /// Bytes, as they count against the quota.
    pub bytes: u64,
    /// Snapshots, oldest first.
    pub snapshots: Vec<SnapshotEntry>,
    /// What it may hold.
    pub quotas: Quotas,
}

fn entry(row: &SqliteRow) -> Result<Entry, WorkspaceError> {
    Ok(Entry {
        path: row.try_get("path")?,
        is_folder: false,
        bytes: unsigned(row, "size")?,
        files: 1,
        modified_ms: row.try_get("modified_ms")?,
    })
}

/// A pattern of paths, such as `src/**/*.rs`: `*` stays inside a folder.
pub(super) fn glob(pattern: &str) -> Result<globset::GlobMatcher, WorkspaceError> {
    if pattern.len() > super::PATH_BYTES {
        return Err(WorkspaceError::Pattern("it is too long".to_owned()));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Ok(glob.map_err(|error| WorkspaceError::Pattern(error.kind().to_string()))?.compile_matcher())
}

impl Workspace {
    /// A file.
    ///
    /// # Errors
    /// [`WorkspaceError::Missing`], [`WorkspaceError::IsFolder`], and those of the database.
    pub async fn read(&self, path: &WorkspacePath) -> Result<Content, WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Err(WorkspaceError::Missing(path.to_string()));
        };
        let mut transaction = pool.begin().await?;
        let held = find_file(&mut transaction, path).await?;
        let bytes = place::bytes(&mut transaction, held.content).await?;
        Ok(Content { bytes, is_text: held.is_text, modified_ms: held.modified_ms })
    }

    /// What is at a path.
    ///
    /// # Errors
    /// [`WorkspaceError::Missing`], and those of the database.
    pub async fn stat(&self, path: &WorkspacePath) -> Result<Entry, WorkspaceError> {
        let files = self.entries(Some(path)).await?;
        match files.iter().find(|file| file.path == path.as_str()) {
            Some(file) => Ok(file.clone()),
            None => gathered(path.as_str(), &files).ok_or_else(|| WorkspaceError::Missing(path.to_string())),
        }
    }

    /// What is in a folder, or at the top: with `recursive` all files below it, else its files and folders. At most `most`.
    ///
    /// # Errors
    /// [`WorkspaceError::Missing`], [`WorkspaceError::IsFile`], and those of the database.
    pub async fn list(
        &self,
        folder: Option<&WorkspacePath>,
        recursive: bool,
        most: usize,
    ) -> Result<Listed, WorkspaceError> {
        let files = self.entries(folder).await?;
        if let Some(folder) = folder {
            if files.is_empty() {
                return Err(WorkspaceError::Missing(folder.to_string()));
            }
            if files.iter().any(|file| file.path == folder.as_str()) {
                return Err(WorkspaceError::IsFile(folder.to_string()));
            }
        }
        let mut entries = files;
        if !recursive {
            let depth = folder.map_or(0, |folder| folder.as_str().split('/').count());
            let mut gathering: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
            for file in entries {
                let name = file.path.split('/').take(depth + 1).collect::<Vec<_>>().join("/");
                gathering.entry(name).or_default().push(file);
            }
            let one = |(name, files): (String, Vec<Entry>)| match files.as_slice() {
                [file] if file.path == name => Some(file.clone()),
                files => gathered(&name, files),
            };
            entries = gathering.into_iter().filter_map(one).collect();
        }
        let count = entries.len();
        entries.truncate(most);
        Ok(Listed { entries, count })
    }

    /// The files whose paths fit the pattern, such as `src/**/*.rs`. At most `most`.
    ///
    /// # Errors
    /// [`WorkspaceError::Pattern`], and those of the database.
    pub async fn glob(&self, pattern: &str, most: usize) -> Result<Listed, WorkspaceError> {
        let matcher = glob(pattern)?;
        let mut entries = self.entries(None).await?;
        entries.retain(|file| matcher.is_match(&file.path));
        let count = entries.len();
        entries.truncate(most);
        Ok(Listed { entries, count })
    }

    /// What it holds, and what it may.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn usage(&self) -> Result<Usage, WorkspaceError> {
        let mut usage = Usage { files: 0, bytes: 0, snapshots: Vec::new(), quotas: self.quotas };
        let Some(pool) = self.reader().await? else {
            return Ok(usage);
        };
        let mut transaction = pool.begin().await?;
        let counted = counted(&mut transaction).await?;
        (usage.files, usage.bytes) = (counted.files, counted.bytes);
        let rows = sqlx::query(
            "SELECT name, made_ms, (SELECT count(*) FROM snapshot_file WHERE snapshot = snapshot.id) AS files
             FROM snapshot ORDER BY id",
        )
        .fetch_all(&mut *transaction)
        .await?;
        for row in &rows {
            let (name, made_ms) = (row.try_get("name")?, row.try_get("made_ms")?);
            usage.snapshots.push(SnapshotEntry { name, made_ms, files: unsigned(row, "files")? });
        }
        Ok(usage)
    }

    /// How one file differs from another, as a unified diff.
    ///
    /// # Errors
    /// As [`Workspace::read`].
    pub async fn diff(&self, old: &WorkspacePath, new: &WorkspacePath) -> Result<String, WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Err(WorkspaceError::Missing(old.to_string()));
        };
        let mut transaction = pool.begin().await?;
        let held = find_file(&mut transaction, old).await?;
        let old_bytes = place::bytes(&mut transaction, held.content).await?;
        let held = find_file(&mut transaction, new).await?;
        let new_bytes = place::bytes(&mut transaction, held.content).await?;
        let (old, new) = (old.clone(), new.clone());
        off_thread(move || unified(&FileChange { old: Some((&old, &old_bytes)), new: Some((&new, &new_bytes)) })).await
    }

    /// What changed since a snapshot, in all files or at one path, as a unified diff of about `most` bytes; also how many files
    /// have no room in it.
    ///
    /// # Errors
    /// [`WorkspaceError::NoSnapshot`], [`WorkspaceError::Missing`], and those of the database.
    pub async fn diff_since(
        &self,
        snapshot: &str,
        path: Option<&WorkspacePath>,
        most: usize,
    ) -> Result<(String, usize), WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Err(WorkspaceError::NoSnapshot { name: snapshot.to_owned(), known: String::new() });
        };
        let mut transaction = pool.begin().await?;
        let id = place::snapshot(&mut transaction, snapshot).await?;
        let differing = sqlx::query(
            "SELECT coalesce(kept.path, file.path) AS path, kept.content AS old, file.content AS new
             FROM (SELECT * FROM snapshot_file WHERE snapshot = ?1) AS kept FULL JOIN file ON file.path = kept.path
             WHERE kept.content IS NOT file.content ORDER BY 1",
        )
        .bind(id)
        .fetch_all(&mut *transaction)
        .await?;
        if let Some(path) = path
            && place::find(&mut transaction, path.as_str()).await?.is_none()
            && !is_folder(&mut transaction, path.as_str()).await?
            && !differing.iter().any(|row| row.try_get::<&str, _>("path").is_ok_and(|found| is_in(found, path)))
        {
            return Err(WorkspaceError::Missing(path.to_string()));
        }
        let mut text = String::new();
        let mut left_out = 0;
        for row in &differing {
            let name: String = row.try_get("path")?;
            if path.is_some_and(|path| !is_in(&name, path)) {
                continue;
            }
            if text.len() >= most {
                left_out += 1;
                continue;
            }
            let name = WorkspacePath::parse(&name)?;
            let mut sides = [None, None];
            for (side, column) in sides.iter_mut().zip(["old", "new"]) {
                if let Some(content) = row.try_get::<Option<i64>, _>(column)? {
                    *side = Some(place::bytes(&mut transaction, content).await?);
                }
            }
            let one = off_thread(move || {
                let [old, new] = sides.each_ref().map(|side| side.as_deref().map(|bytes| (&name, bytes)));
                unified(&FileChange { old, new })
            })
            .await?;
            text.push_str(&one);
        }
        Ok((text, left_out))
    }

    /// The file at a path, or all files below it, or all there are, by path.
    async fn entries(&self, folder: Option<&WorkspacePath>) -> Result<Vec<Entry>, WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Ok(Vec::new());
        };
        let query = match folder {
            None => sqlx::query(
                "SELECT path, size, modified_ms FROM file JOIN content ON content.id = file.content ORDER BY path",
            ),
            Some(folder) => {
                let (from, to) = below(folder.as_str());
                sqlx::query(
                    "SELECT path, size, modified_ms FROM file JOIN content ON content.id = file.content
                     WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path",
                )
                .bind(folder.as_str())
                .bind(from)
                .bind(to)
            }
        };
        query.fetch_all(pool).await?.iter().map(entry).collect()
    }
}

/// Whether a file is the one at the path, or below it.
fn is_in(file: &str, path: &WorkspacePath) -> bool {
    file.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder of these files.
fn gathered(path: &str, files: &[Entry]) -> Option<Entry> {
    Some(Entry {
        path: path.to_owned(),
        is_folder: true,
        bytes: files.iter().map(|file| file.bytes).sum(),
        files: files.iter().map(|file| file.files).sum(),
        modified_ms: files.iter().map(|file| file.modified_ms).max()?,
    })
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkspaceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| WorkspaceError::Storage(format!("the comparison broke down: {error}")))
}
