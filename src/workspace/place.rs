//! Files as rows, inside one transaction: where a file may stand, and what its content is.

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Quotas;
use super::change::ChangeKind;
use super::error::{QuotaError, WorkspaceError};
use super::paths::{WorkspacePath, folded};
use super::read::as_text;

/// A file, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) content: i64,
    pub(super) size: u64,
    pub(super) is_text: bool,
    pub(super) modified_ms: i64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

pub(super) fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, WorkspaceError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| WorkspaceError::Storage(format!("{column} is {value}")))
}

/// What is below the folder, as a range of paths: `0` comes after `/`.
pub(super) fn below(folder: &str) -> (String, String) {
    (format!("{folder}/"), format!("{folder}0"))
}

pub(super) async fn counted(connection: &mut SqliteConnection) -> Result<Counted, WorkspaceError> {
    let row = sqlx::query("SELECT files, bytes FROM usage WHERE one = 1").fetch_one(connection).await?;
    Ok(Counted { files: unsigned(&row, "files")?, bytes: unsigned(&row, "bytes")? })
}

pub(super) async fn find(connection: &mut SqliteConnection, path: &str) -> Result<Option<Held>, WorkspaceError> {
    let row = sqlx::query(
        "SELECT content, size, is_text, modified_ms FROM file JOIN content ON content.id = file.content WHERE path = ?1",
    )
    .bind(path)
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Held {
            content: row.try_get("content")?,
            size: unsigned(&row, "size")?,
            is_text: row.try_get("is_text")?,
            modified_ms: row.try_get("modified_ms")?,
        })
    })
    .transpose()
}

/// The file, or what is there instead of it.
pub(super) async fn find_file(connection: &mut SqliteConnection, path: &WorkspacePath) -> Result<Held, WorkspaceError> {
    match find(connection, path.as_str()).await? {
        Some(held) => Ok(held),
        None if is_folder(connection, path.as_str()).await? => Err(WorkspaceError::IsFolder(path.to_string())),
        None => Err(WorkspaceError::Missing(path.to_string())),
    }
}

pub(super) async fn is_folder(connection: &mut SqliteConnection, path: &str) -> Result<bool, WorkspaceError> {
    let (from, to) = below(path);
    let found = sqlx::query("SELECT 1 FROM file WHERE path >= ?1 AND path < ?2 LIMIT 1").bind(from).bind(to);
    Ok(found.fetch_optional(connection).await?.is_some())
}

pub(super) async fn bytes(connection: &mut SqliteConnection, content: i64) -> Result<Vec<u8>, WorkspaceError> {
    Ok(sqlx::query_scalar("SELECT bytes FROM content WHERE id = ?1").bind(content).fetch_one(connection).await?)
}

/// The text of a file that is one.
pub(super) async fn text(
    connection: &mut SqliteConnection,
    path: &WorkspacePath,
    held: Held,
) -> Result<String, WorkspaceError> {
    let no_text = || WorkspaceError::NotText(path.to_string());
    if !held.is_text {
        return Err(no_text());
    }
    String::from_utf8(bytes(connection, held.content).await?).map_err(|_| no_text())
}

/// The snapshot's own number.
pub(super) async fn snapshot(connection: &mut SqliteConnection, name: &str) -> Result<i64, WorkspaceError> {
    let found = sqlx::query_scalar("SELECT id FROM snapshot WHERE name = ?1").bind(name);
    if let Some(id) = found.fetch_optional(&mut *connection).await? {
        return Ok(id);
    }
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM snapshot ORDER BY id").fetch_all(connection).await?;
    let known = if names.is_empty() { String::new() } else { format!("; there are: {}", names.join(", ")) };
    Err(WorkspaceError::NoSnapshot { name: name.chars().take(64).collect(), known })
}

/// Where changes of one transaction are made.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) quotas: Quotas,
    pub(super) now_ms: i64,
}

impl Files<'_> {
    /// Writes the bytes as the content of a file.
    pub(super) async fn write(&mut self, path: &WorkspacePath, bytes: &[u8]) -> Result<ChangeKind, WorkspaceError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let most = self.quotas.file_bytes;
        if size > most {
            return Err(QuotaError::FileBytes { path: path.to_string(), bytes: size, most }.into());
        }
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        let known = sqlx::query_scalar("SELECT id FROM content WHERE hash = ?1")
            .bind(hash.as_slice())
            .fetch_optional(&mut *self.connection)
            .await?;
        let content: i64 = match known {
            Some(id) => id,
            None => {
                sqlx::query_scalar(
                    "INSERT INTO content (hash, size, is_text, bytes) VALUES (?1, ?2, ?3, ?4) RETURNING id",
                )
                .bind(hash.as_slice())
                .bind(i64::try_from(size).unwrap_or(i64::MAX))
                .bind(as_text(bytes).is_some())
                .bind(bytes)
                .fetch_one(&mut *self.connection)
                .await?
            }
        };
        self.put(path, content).await
    }

    /// Lets the file have this content.
    pub(super) async fn put(&mut self, path: &WorkspacePath, content: i64) -> Result<ChangeKind, WorkspaceError> {
        let held = find(self.connection, path.as_str()).await?;
        if held.is_none() {
            self.check_place(path).await?;
        }
        sqlx::query(
            "INSERT INTO file (path, folded, content, modified_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (path) DO UPDATE SET content = ?3, modified_ms = ?4",
        )
        .bind(path.as_str())
        .bind(path.folded())
        .bind(content)
        .bind(self.now_ms)
        .execute(&mut *self.connection)
        .await?;
        Ok(match held {
            None => ChangeKind::Created,
            Some(held) if held.content == content => ChangeKind::Same,
            Some(_) => ChangeKind::Changed,
        })
    }

    pub(super) async fn remove(&mut self, path: &str) -> Result<(), WorkspaceError> {
        sqlx::query("DELETE FROM file WHERE path = ?1").bind(path).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Keeps the content while no file has it, or lets it go again.
    pub(super) async fn hold(&mut self, content: i64, is_held: bool) -> Result<(), WorkspaceError> {
        sqlx::query("UPDATE content SET uses = uses + ?2 WHERE id = ?1")
            .bind(content)
            .bind(if is_held { 1_i64 } else { -1 })
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// The file at a path, or all files below it.
    pub(super) async fn under(&mut self, path: &WorkspacePath) -> Result<Vec<(String, i64)>, WorkspaceError> {
        let (from, to) = below(path.as_str());
        let rows =
            sqlx::query("SELECT path, content FROM file WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path")
                .bind(path.as_str())
                .bind(from)
                .bind(to)
                .fetch_all(&mut *self.connection)
                .await?;
        if rows.is_empty() {
            return Err(WorkspaceError::Missing(path.to_string()));
        }
        rows.iter().map(|row| Ok((row.try_get("path")?, row.try_get("content")?))).collect()
    }

    /// Whether a new file may stand there: no folder is there, no file is above it, and nothing differs from it, or from a
    /// folder of it, in case alone.
    async fn check_place(&mut self, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let name = path.as_str();
        if let Some(twin) = self.file_folded(&path.folded()).await? {
            return Err(WorkspaceError::CaseTwin { path: name.to_owned(), twin });
        }
        match self.folder_folded(name).await? {
            Some(folder) if folder == name => return Err(WorkspaceError::IsFolder(folder)),
            Some(twin) => return Err(WorkspaceError::CaseTwin { path: name.to_owned(), twin }),
            None => {}
        }
        for folder in path.folders() {
            match self.file_folded(&folded(folder)).await? {
                Some(file) if file == folder => return Err(WorkspaceError::IsFile(file)),
                Some(twin) => return Err(WorkspaceError::CaseTwin { path: folder.to_owned(), twin }),
                None => {}
            }
            match self.folder_folded(folder).await? {
                // Those above it were looked at when its first file came.
                Some(found) if found == folder => break,
                Some(twin) => return Err(WorkspaceError::CaseTwin { path: folder.to_owned(), twin }),
                None => {}
            }
        }
        Ok(())
    }

    async fn file_folded(&mut self, folded: &str) -> Result<Option<String>, WorkspaceError> {
        let found = sqlx::query_scalar("SELECT path FROM file WHERE folded = ?1").bind(folded);
        Ok(found.fetch_optional(&mut *self.connection).await?)
    }

    /// The folder that has this name without regard to case, as it is written.
    async fn folder_folded(&mut self, folder: &str) -> Result<Option<String>, WorkspaceError> {
        let (from, to) = below(&folded(folder));
        let found: Option<String> =
            sqlx::query_scalar("SELECT path FROM file WHERE folded >= ?1 AND folded < ?2 LIMIT 1")
                .bind(from)
                .bind(to)
                .fetch_optional(&mut *self.connection)
                .await?;
        let depth = folder.split('/').count();
        Ok(found.map(|path| path.split('/').take(depth).collect::<Vec<_>>().join("/")))
    }
}
