//! Changing files: one change is one transaction, and is made once however often it is asked for.
//!
//! The key of a call, what was asked under it and what came of it are committed together with the change itself. After a
//! crash either none of it is there, and the change is made, or all of it is, and the answer is read.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::edit::replace;
use super::error::{QuotaError, WorkspaceError};
use super::patch::{FilePatch, parse_patch};
use super::paths::WorkspacePath;
use super::place::{Files, counted, find, find_file, text};
use super::{Workspace, place};

/// How many keys are known: far more than calls that can be without a result at one time.
const KEYS_KEPT: i64 = 2048;

/// How many files an answer names.
const FILES_NAMED: usize = 20;

/// A change of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The file has these bytes, and whatever it had before is gone.
    Write {
        /// The file.
        path: WorkspacePath,
        /// All it holds.
        bytes: Vec<u8>,
    },
    /// These bytes come at the end of the file, which is made where it is not there.
    Append {
        /// The file.
        path: WorkspacePath,
        /// What comes.
        bytes: Vec<u8>,
    },
    /// An exact text is replaced by another.
    Edit {
        /// The file.
        path: WorkspacePath,
        /// What stands there.
        old: String,
        /// What is to stand there.
        new: String,
        /// All places; otherwise it must be one.
        all: bool,
    },
    /// A unified patch, all of it or nothing.
    Patch {
        /// Its text.
        patch: String,
    },
    /// A file or a folder gets another path.
    Move {
        /// Where it is.
        from: WorkspacePath,
        /// Where it comes to be.
        to: WorkspacePath,
        /// Whether a file there may go.
        overwrite: bool,
    },
    /// A file or a folder is there once more.
    Copy {
        /// Where it is.
        from: WorkspacePath,
        /// Where it comes to be as well.
        to: WorkspacePath,
        /// Whether a file there may go.
        overwrite: bool,
    },
    /// A file goes, or a folder with all that is in it.
    Delete {
        /// Which.
        path: WorkspacePath,
        /// Whether it may be a folder.
        recursive: bool,
    },
    /// All files as they are now are kept under a name.
    Snapshot {
        /// The name.
        name: String,
    },
    /// A snapshot goes.
    DeleteSnapshot {
        /// Its name.
        name: String,
    },
    /// All files are as they were then.
    Rollback {
        /// The snapshot's name.
        name: String,
    },
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// Its content is another.
    Changed,
    /// It is no longer there.
    Deleted,
    /// It has the content that it had.
    Same,
}

/// A file that was touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Touched {
    /// Its path.
    pub path: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// How many bytes it has now.
    pub bytes: u64,
}

/// What came of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Done {
    /// How many files were touched.
    pub count: u64,
    /// The first of them.
    pub files: Vec<Touched>,
    /// How many places of a text were replaced.
    pub replaced: u64,
}

impl Done {
    fn touched(&mut self, path: &str, change: ChangeKind, bytes: u64) {
        self.count += 1;
        if self.files.len() < FILES_NAMED {
            self.files.push(Touched { path: path.to_owned(), change, bytes });
        }
    }
}

impl Change {
    /// What tells it from every other change.
    fn request(&self) -> [u8; 32] {
        let flag = |flag: bool| if flag { &b"1"[..] } else { &b"0"[..] };
        let parts: [&[u8]; 5] = match self {
            Self::Write { path, bytes } => [b"write", path.as_str().as_bytes(), bytes, b"", b""],
            Self::Append { path, bytes } => [b"append", path.as_str().as_bytes(), bytes, b"", b""],
            Self::Edit { path, old, new, all } => {
                [b"edit", path.as_str().as_bytes(), old.as_bytes(), new.as_bytes(), flag(*all)]
            }
            Self::Patch { patch } => [b"patch", patch.as_bytes(), b"", b"", b""],
            Self::Move { from, to, overwrite } => {
                [b"move", from.as_str().as_bytes(), to.as_str().as_bytes(), flag(*overwrite), b""]
            }
            Self::Copy { from, to, overwrite } => {
                [b"copy", from.as_str().as_bytes(), to.as_str().as_bytes(), flag(*overwrite), b""]
            }
            Self::Delete { path, recursive } => [b"delete", path.as_str().as_bytes(), flag(*recursive), b"", b""],
            Self::Snapshot { name } => [b"snapshot", name.as_bytes(), b"", b"", b""],
            Self::DeleteSnapshot { name } => [b"delete snapshot", name.as_bytes(), b"", b"", b""],
            Self::Rollback { name } => [b"rollback", name.as_bytes(), b"", b"", b""],
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// What is wrong with it where there never was a file.
    fn without_files(&self) -> Option<WorkspaceError> {
        match self {
            Self::Write { .. } | Self::Append { .. } | Self::Patch { .. } | Self::Snapshot { .. } => None,
            Self::Edit { path, .. } | Self::Delete { path, .. } => Some(WorkspaceError::Missing(path.to_string())),
            Self::Move { from, .. } | Self::Copy { from, .. } => Some(WorkspaceError::Missing(from.to_string())),
            Self::DeleteSnapshot { name } | Self::Rollback { name } => {
                Some(WorkspaceError::NoSnapshot { name: name.clone(), known: String::new() })
            }
        }
    }
}

impl Workspace {
    /// Makes a change, durably. With a key that was used for the same change before, it says what came of that.
    ///
    /// # Errors
    /// [`WorkspaceError`]; nothing was changed, unless [`WorkspaceError::is_unclear`].
    ///
    /// # Cancel safety
    /// Dropped, the change is made whole or not at all; asking again with the same key finds out.
    pub async fn apply(&self, key: Option<&str>, now_ms: i64, change: &Change) -> Result<Done, WorkspaceError> {
        if let Some(error) = change.without_files()
            && self.reader().await?.is_none()
        {
            return Err(error);
        }
        let closed = |_| WorkspaceError::Storage("the workspace is closed".to_owned());
        let _turn = self.turn.acquire().await.map_err(closed)?;
        let mut transaction = self.writer().await?.begin_with("BEGIN IMMEDIATE").await?;
        let request = change.request();
        if let Some(key) = key
            && let Some(done) = known(&mut transaction, key, &request).await?
        {
            return Ok(done);
        }
        let before = counted(&mut transaction).await?;
        let mut files = Files { connection: &mut transaction, quotas: self.quotas, now_ms };
        let done = files.perform(change).await?;
        let after = counted(&mut transaction).await?;
        // Whoever is above a limit, because it was lowered, may still go down.
        if after.bytes > self.quotas.bytes && after.bytes > before.bytes {
            return Err(QuotaError::Bytes { bytes: after.bytes, most: self.quotas.bytes }.into());
        }
        if after.files > self.quotas.files && after.files > before.files {
            return Err(QuotaError::Files { files: after.files, most: self.quotas.files }.into());
        }
        if let Some(key) = key {
            remember(&mut transaction, key, &request, &done, now_ms).await?;
        }
        fail::fail_point!("workspace::before_commit", |_| std::process::abort());
        transaction.commit().await?;
        fail::fail_point!("workspace::after_commit", |_| std::process::abort());
        Ok(done)
    }

    /// What came of the change that was made under the key; `None`: none was.
    ///
    /// # Errors
    /// [`WorkspaceError::Storage`].
    pub async fn done(&self, key: &str) -> Result<Option<Done>, WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Ok(None);
        };
        let found: Option<String> =
            sqlx::query_scalar("SELECT result FROM done WHERE key = ?1").bind(key).fetch_optional(pool).await?;
        found.map(|result| read_result(&result)).transpose()
    }
}

fn read_result(result: &str) -> Result<Done, WorkspaceError> {
    serde_json::from_str(result).map_err(|error| WorkspaceError::Storage(format!("a result cannot be read: {error}")))
}

async fn known(
    connection: &mut SqliteConnection,
    key: &str,
    request: &[u8; 32],
) -> Result<Option<Done>, WorkspaceError> {
    let found =
        sqlx::query("SELECT request, result FROM done WHERE key = ?1").bind(key).fetch_optional(connection).await?;
    let Some(row) = found else {
        return Ok(None);
    };
    if row.try_get::<&[u8], _>("request")? != request.as_slice() {
        return Err(WorkspaceError::KeyReused);
    }
    read_result(row.try_get("result")?).map(Some)
}

async fn remember(
    connection: &mut SqliteConnection,
    key: &str,
    request: &[u8; 32],
    done: &Done,
    now_ms: i64,
) -> Result<(), WorkspaceError> {
    let result = serde_json::to_string(done)
        .map_err(|error| WorkspaceError::Storage(format!("a result cannot be written: {error}")))?;
    let number: i64 =
        sqlx::query_scalar("INSERT INTO done (key, request, result, at_ms) VALUES (?1, ?2, ?3, ?4) RETURNING number")
            .bind(key)
            .bind(request.as_slice())
            .bind(result)
            .bind(now_ms)
            .fetch_one(&mut *connection)
            .await?;
    sqlx::query("DELETE FROM done WHERE number <= ?1").bind(number - KEYS_KEPT).execute(connection).await?;
    Ok(())
}

impl Files<'_> {
    async fn perform(&mut self, change: &Change) -> Result<Done, WorkspaceError> {
        let mut done = Done::default();
        match change {
            Change::Write { path, bytes } => {
                let kind = self.write(path, bytes).await?;
                done.touched(path.as_str(), kind, length(bytes));
            }
            Change::Append { path, bytes } => {
                let mut all = match find(self.connection, path.as_str()).await? {
                    Some(held) => place::bytes(self.connection, held.content).await?,
                    None => Vec::new(),
                };
                all.extend_from_slice(bytes);
                let kind = self.write(path, &all).await?;
                done.touched(path.as_str(), kind, length(&all));
            }
            Change::Edit { path, old, new, all } => {
                let held = find_file(self.connection, path).await?;
                let text = text(self.connection, path, held).await?;
                let (text, replaced) = replace(path.as_str(), &text, old, new, *all)?;
                let kind = self.write(path, text.as_bytes()).await?;
                done.replaced = replaced;
                done.touched(path.as_str(), kind, length(text.as_bytes()));
            }
            Change::Patch { patch } => {
                for patch in parse_patch(patch)? {
                    self.patch(&patch, &mut done).await?;
                }
            }
            Change::Move { from, to, overwrite } => self.relocate(from, to, *overwrite, true, &mut done).await?,
            Change::Copy { from, to, overwrite } => self.relocate(from, to, *overwrite, false, &mut done).await?,
            Change::Delete { path, recursive } => {
                let files = self.under(path).await?;
                if !recursive && files.iter().any(|(file, _)| file != path.as_str()) {
                    return Err(WorkspaceError::IsFolder(path.to_string()));
                }
                for (file, _) in files {
                    self.remove(&file).await?;
                    done.touched(&file, ChangeKind::Deleted, 0);
                }
            }
            Change::Snapshot { name } => self.snapshot(name, &mut done).await?,
            Change::DeleteSnapshot { name } => self.delete_snapshot(name).await?,
            Change::Rollback { name } => self.roll_back(name, &mut done).await?,
        }
        Ok(done)
    }

    async fn patch(&mut self, patch: &FilePatch, done: &mut Done) -> Result<(), WorkspaceError> {
        let path = &patch.path;
        if patch.creates {
            if find(self.connection, path.as_str()).await?.is_some() {
                return Err(WorkspaceError::Exists(path.to_string()));
            }
            let text = patch.apply("")?;
            let kind = self.write(path, text.as_bytes()).await?;
            done.touched(path.as_str(), kind, length(text.as_bytes()));
            return Ok(());
        }
        let held = find_file(self.connection, path).await?;
        let text = patch.apply(&text(self.connection, path, held).await?)?;
        if patch.deletes {
            self.remove(path.as_str()).await?;
            done.touched(path.as_str(), ChangeKind::Deleted, 0);
        } else {
            let kind = self.write(path, text.as_bytes()).await?;
            done.touched(path.as_str(), kind, length(text.as_bytes()));
        }
        Ok(())
    }

    async fn relocate(
        &mut self,
        from: &WorkspacePath,
        to: &WorkspacePath,
        overwrite: bool,
        is_move: bool,
        done: &mut Done,
    ) -> Result<(), WorkspaceError> {
        let files = self.under(from).await?;
        let is_file = files.iter().any(|(file, _)| file == from.as_str());
        if to == from || to.folders().any(|folder| folder == from.as_str()) {
            return Err(WorkspaceError::IntoItself(from.to_string()));
        }
        let is_taken = find(self.connection, to.as_str()).await?.is_some();
        if is_taken && !(overwrite && is_file) || place::is_folder(self.connection, to.as_str()).await? {
            return Err(WorkspaceError::Exists(to.to_string()));
        }
        for (file, content) in &files {
            self.hold(*content, true).await?;
            if is_move {
                // Before the new name comes: it may differ in case alone.
                self.remove(file).await?;
                done.touched(file, ChangeKind::Deleted, 0);
            }
        }
        for (file, content) in &files {
            let target = match file.strip_prefix(from.as_str()).and_then(|rest| rest.strip_prefix('/')) {
                Some(rest) => to.join(rest)?,
                None => to.clone(),
            };
            let kind = self.put(&target, *content).await?;
            self.hold(*content, false).await?;
            let size = find(self.connection, target.as_str()).await?.map_or(0, |held| held.size);
            done.touched(target.as_str(), kind, size);
        }
        Ok(())
    }

    async fn snapshot(&mut self, name: &str, done: &mut Done) -> Result<(), WorkspaceError> {
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_name {
            return Err(WorkspaceError::SnapshotName);
        }
        let names = self.snapshots().await?;
        if names.iter().any(|known| known == name) {
            return Err(WorkspaceError::Exists(name.to_owned()));
        }
        if u64::try_from(names.len()).unwrap_or(u64::MAX) >= self.quotas.snapshots {
            return Err(QuotaError::Snapshots { most: self.quotas.snapshots }.into());
        }
        let id: i64 = sqlx::query_scalar("INSERT INTO snapshot (name, made_ms) VALUES (?1, ?2) RETURNING id")
            .bind(name)
            .bind(self.now_ms)
            .fetch_one(&mut *self.connection)
            .await?;
        let kept = sqlx::query(
            "INSERT INTO snapshot_file (snapshot, path, folded, content, modified_ms)
             SELECT ?1, path, folded, content, modified_ms FROM file",
        )
        .bind(id)
        .execute(&mut *self.connection)
        .await?;
        done.count = kept.rows_affected();
        Ok(())
    }

    async fn delete_snapshot(&mut self, name: &str) -> Result<(), WorkspaceError> {
        let id = self.find_snapshot(name).await?;
        sqlx::query("DELETE FROM snapshot_file WHERE snapshot = ?1").bind(id).execute(&mut *self.connection).await?;
        sqlx::query("DELETE FROM snapshot WHERE id = ?1").bind(id).execute(&mut *self.connection).await?;
        Ok(())
    }

    async fn roll_back(&mut self, name: &str, done: &mut Done) -> Result<(), WorkspaceError> {
        let id = self.find_snapshot(name).await?;
        let differing = sqlx::query(
            "SELECT path, 'deleted' AS kind, 0 AS size FROM file
               WHERE path NOT IN (SELECT path FROM snapshot_file WHERE snapshot = ?1)
             UNION ALL
             SELECT kept.path, CASE WHEN file.path IS NULL THEN 'created' ELSE 'changed' END, size FROM snapshot_file AS kept
               JOIN content ON content.id = kept.content LEFT JOIN file ON file.path = kept.path
               WHERE kept.snapshot = ?1 AND file.content IS NOT kept.content
             ORDER BY 1",
        )
        .bind(id)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &differing {
            let kind = match row.try_get("kind")? {
                "deleted" => ChangeKind::Deleted,
                "created" => ChangeKind::Created,
                _ => ChangeKind::Changed,
            };
            done.touched(row.try_get("path")?, kind, place::unsigned(row, "size")?);
        }
        // Names first, contents after: what comes cannot meet what goes. The snapshot keeps the contents meanwhile.
        sqlx::query(
            "DELETE FROM file WHERE NOT EXISTS (SELECT 1 FROM snapshot_file AS kept
             WHERE kept.snapshot = ?1 AND kept.path = file.path AND kept.content = file.content)",
        )
        .bind(id)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query(
            "INSERT INTO file (path, folded, content, modified_ms)
             SELECT path, folded, content, modified_ms FROM snapshot_file AS kept
             WHERE snapshot = ?1 AND NOT EXISTS (SELECT 1 FROM file WHERE file.path = kept.path)",
        )
        .bind(id)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn snapshots(&mut self) -> Result<Vec<String>, WorkspaceError> {
        Ok(sqlx::query_scalar("SELECT name FROM snapshot ORDER BY id").fetch_all(&mut *self.connection).await?)
    }

    async fn find_snapshot(&mut self, name: &str) -> Result<i64, WorkspaceError> {
        place::snapshot(self.connection, name).await
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
