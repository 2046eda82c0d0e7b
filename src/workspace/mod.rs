//! The workspace: a durable file system of an instance's own.
//!
//! Each instance's files are rows of a SQLite database beside the instance's own (decision 0052). There are files and the
//! folders above them, text and bytes; there are no links, no devices, no owners and no modes, so nothing in it can lead
//! anywhere else. A path is decided once ([`WorkspacePath`]).
//!
//! Reading is [`Workspace::read`] and its like. Changing goes through [`Workspace::apply`] alone: one change, its
//! quotas, its idempotency key and its result are one transaction, so a change that is made again after a crash answers as
//! it did and does nothing. This room never touches a real folder: `cli` brings files in and out.

mod change;
mod database;
mod diff;
mod edit;
mod error;
mod grep;
mod patch;
mod paths;
mod place;
mod read;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use reveille_channel::InstanceId;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{OnceCell, Semaphore};

pub use change::{Change, ChangeKind, Done, Touched};
pub use diff::{FileChange, unified};
pub use error::{QuotaError, WorkspaceError};
pub use grep::{Found, Grep, Line};
pub use patch::{FilePatch, PatchError, parse_patch};
pub use paths::{DEPTH, PATH_BYTES, PathError, SEGMENT_BYTES, WorkspacePath};
pub use read::{Content, Entry, Listed, SnapshotEntry, Usage};
pub use sync::{
    Conflict, ContentHash, FolderFiles, Plan, Settle, Settling, Step, SyncState, Towards, UNFINISHED, is_kept_out, plan,
};

/// How many workspaces are kept at hand. Connections of one that is not used close by themselves.
const KEPT: usize = 32;

/// What one workspace may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of all contents, each counted once, and of all names.
    pub bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files.
    pub files: u64,
    /// Snapshots.
    pub snapshots: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { bytes: 256 * 1024 * 1024, file_bytes: 16 * 1024 * 1024, files: 20_000, snapshots: 16 }
    }
}

/// The workspaces of all instances.
#[derive(Debug)]
pub struct Workspaces {
    folder: PathBuf,
    quotas: Quotas,
    /// The one used last stands at the end.
    kept: Mutex<VecDeque<(InstanceId, Arc<Workspace>)>>,
}

impl Workspaces {
    /// The workspaces in a storage folder. Nothing is opened or made yet.
    #[must_use]
    pub fn new(folder: &Path, quotas: Quotas) -> Self {
        Self { folder: folder.to_owned(), quotas, kept: Mutex::default() }
    }

    /// The workspace of an instance. Its database is made with the first file.
    #[must_use]
    pub fn of(&self, instance: InstanceId) -> Arc<Workspace> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(id, _)| *id == instance);
        let workspace = match at.and_then(|at| kept.remove(at)) {
            Some((_, workspace)) => workspace,
            None => Arc::new(Workspace {
                path: database::path(&self.folder, instance),
                quotas: self.quotas,
                pool: OnceCell::new(),
                turn: Semaphore::new(1),
            }),
        };
        kept.push_back((instance, Arc::clone(&workspace)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        workspace
    }
}

/// The files of one instance.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    quotas: Quotas,
    pool: OnceCell<SqlitePool>,
    /// Whose turn it is to write: waiting here is cheaper than in SQLite, which asks again and again.
    turn: Semaphore,
}

impl Workspace {
    /// What it may hold.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        self.quotas
    }

    /// For reading; `None` while there never was a file.
    async fn reader(&self) -> Result<Option<&SqlitePool>, WorkspaceError> {
        if !self.pool.initialized() {
            let is_there = self.path.try_exists();
            let failed = |error| WorkspaceError::Storage(format!("{}: {error}", self.path.display()));
            if !is_there.map_err(failed)? {
                return Ok(None);
            }
        }
        self.pool.get_or_try_init(|| database::open(&self.path)).await.map(Some)
    }

    /// For writing.
    async fn writer(&self) -> Result<&SqlitePool, WorkspaceError> {
        if !self.pool.initialized() {
            database::make(&self.path)?;
        }
        self.pool.get_or_try_init(|| database::open(&self.path)).await
    }

    /// Closes what is open, and waits until it is.
    pub async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }
}
