//! Bringing the files and a real folder together: what both held when they were last the same is kept here, and what is
//! carried over is made and noted in one transaction. Who touches the folder is somebody else (`cli`).
//!
//! What is noted is true: a file is noted only when both sides hold it. So whatever ends in the middle, the next time sees
//! either the old note, and carries it over again or finds both sides equal, or the new one.

mod plan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use super::Workspace;
use super::error::{QuotaError, WorkspaceError};
use super::paths::WorkspacePath;
use super::place::{Files, counted};

pub use plan::{Conflict, FolderFiles, Plan, Step, Towards, UNFINISHED, is_kept_out, plan};

/// How many folders are known. One that is forgotten is met as for the first time.
const FOLDERS_KEPT: i64 = 16;

/// SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn read(bytes: &[u8]) -> Result<Self, WorkspaceError> {
        let broken = |_| WorkspaceError::Storage(format!("a hash has {} bytes", bytes.len()));
        bytes.try_into().map(Self).map_err(broken)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

/// The files, and what they and a folder held when they were last the same, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncState {
    /// The files.
    pub files: BTreeMap<WorkspacePath, ContentHash>,
    /// What was noted; empty where the folder is met for the first time.
    pub base: BTreeMap<WorkspacePath, ContentHash>,
}

/// What becomes of a file here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// It has these bytes, as the folder's has.
    Write(Vec<u8>),
    /// It goes, as the folder's went.
    Delete,
    /// Nothing, whatever it is by now: the folder holds what was found here, or neither had it.
    Note,
}

/// One file on which both sides come to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settling {
    /// The file.
    pub path: WorkspacePath,
    /// What was here. If something is to be changed it must be here still; otherwise the file is left alone.
    pub found: Option<ContentHash>,
    /// What becomes of it.
    pub to: Settle,
}

impl Workspace {
    /// Where the files stand with a folder, which is named by its whole path.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sync_state(&self, folder: &str) -> Result<SyncState, WorkspaceError> {
        let Some(pool) = self.reader().await? else {
            return Ok(SyncState::default());
        };
        let mut transaction = pool.begin().await?;
        let files = sqlx::query("SELECT path, hash FROM file JOIN content ON content.id = file.content")
            .fetch_all(&mut *transaction)
            .await?;
        let base = sqlx::query(
            "SELECT path, hash FROM synced JOIN synced_folder ON synced_folder.id = synced.folder
             WHERE synced_folder.folder = ?1",
        )
        .bind(folder)
        .fetch_all(&mut *transaction)
        .await?;
        let read = |rows: Vec<sqlx::sqlite::SqliteRow>| -> Result<BTreeMap<_, _>, WorkspaceError> {
            let one = |row: &sqlx::sqlite::SqliteRow| {
                Ok((WorkspacePath::parse(row.try_get("path")?)?, ContentHash::read(row.try_get("hash")?)?))
            };
            rows.iter().map(one).collect()
        };
        Ok(SyncState { files: read(files)?, base: read(base)? })
    }

    /// Makes and notes what both sides agree on, durably, all in one transaction. Says which files were left alone and why:
    /// one that is no longer as it was found, that has no place here, or for which there is no room.
    ///
    /// # Errors
    /// Those of the database; nothing was changed then, unless [`WorkspaceError::is_unclear`].
    ///
    /// # Cancel safety
    /// Dropped, all of it is made or nothing.
    pub async fn settle(
        &self,
        folder: &str,
        now_ms: i64,
        all: &[Settling],
    ) -> Result<Vec<(WorkspacePath, WorkspaceError)>, WorkspaceError> {
        let mut left = Vec::new();
        if all.is_empty() {
            return Ok(left);
        }
        let closed = |_| WorkspaceError::Storage("the workspace is closed".to_owned());
        let _turn = self.turn.acquire().await.map_err(closed)?;
        let mut transaction = self.writer().await?.begin_with("BEGIN IMMEDIATE").await?;
        let folder = know(&mut transaction, folder, now_ms).await?;
        for one in all {
            let mut step = transaction.begin().await?;
            let mut files = Files { connection: &mut step, quotas: self.quotas, now_ms };
            match files.settle(folder, one).await {
                Ok(()) => step.commit().await?,
                Err(error) if error.is_of_all() => return Err(error),
                Err(error) => {
                    step.rollback().await?;
                    left.push((one.path.clone(), error));
                }
            }
        }
        transaction.commit().await?;
        Ok(left)
    }
}

/// The number of a folder, which is now the one met last.
async fn know(connection: &mut SqliteConnection, folder: &str, now_ms: i64) -> Result<i64, WorkspaceError> {
    let id = sqlx::query_scalar(
        "INSERT INTO synced_folder (folder, at_ms) VALUES (?1, ?2)
         ON CONFLICT (folder) DO UPDATE SET at_ms = ?2 RETURNING id",
    )
    .bind(folder)
    .bind(now_ms)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM synced_folder WHERE id <> ?1 AND id NOT IN
         (SELECT id FROM synced_folder WHERE id <> ?1 ORDER BY at_ms DESC, id DESC LIMIT ?2)",
    )
    .bind(id)
    .bind(FOLDERS_KEPT - 1)
    .execute(connection)
    .await?;
    Ok(id)
}

impl Files<'_> {
    async fn settle(&mut self, folder: i64, one: &Settling) -> Result<(), WorkspaceError> {
        let path = one.path.as_str();
        let found: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT hash FROM file JOIN content ON content.id = file.content WHERE path = ?1")
                .bind(path)
                .fetch_optional(&mut *self.connection)
                .await?;
        let found = found.map(|hash| ContentHash::read(&hash)).transpose()?;
        if found != one.found && one.to != Settle::Note {
            return Err(WorkspaceError::ChangedMeanwhile(path.to_owned()));
        }
        let agreed = match &one.to {
            // Whoever changed it since then changed what both sides held.
            Settle::Note => one.found,
            Settle::Delete => {
                self.remove(path).await?;
                None
            }
            Settle::Write(bytes) => {
                let before = counted(self.connection).await?;
                self.write(&one.path, bytes).await?;
                let after = counted(self.connection).await?;
                if after.bytes > self.quotas.bytes && after.bytes > before.bytes {
                    return Err(QuotaError::Bytes { bytes: after.bytes, most: self.quotas.bytes }.into());
                }
                if after.files > self.quotas.files && after.files > before.files {
                    return Err(QuotaError::Files { files: after.files, most: self.quotas.files }.into());
                }
                Some(ContentHash::of(bytes))
            }
        };
        let noting = match agreed {
            None => sqlx::query("DELETE FROM synced WHERE folder = ?1 AND path = ?2").bind(folder).bind(path),
            Some(hash) => sqlx::query(
                "INSERT INTO synced (folder, path, hash) VALUES (?1, ?2, ?3)
                 ON CONFLICT (folder, path) DO UPDATE SET hash = ?3",
            )
            .bind(folder)
            .bind(path)
            .bind(hash.0.to_vec()),
        };
        noting.execute(&mut *self.connection).await?;
        Ok(())
    }
}
