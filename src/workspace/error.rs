//! What can be wrong with what is asked of a workspace.

use super::patch::PatchError;
use super::paths::PathError;

/// Why something was not done. Nothing was changed then, but where it says so.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// That is no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There is nothing of the name.
    #[error("there is no file `{0}`")]
    Missing(String),
    /// A folder stands where a file is meant.
    #[error("`{0}` is a folder")]
    IsFolder(String),
    /// A file stands where a folder would have to be.
    #[error("`{0}` is a file, so nothing can be below it")]
    IsFile(String),
    /// Something is there already.
    #[error("`{0}` is there already")]
    Exists(String),
    /// A folder would come to be inside itself.
    #[error("`{0}` cannot be moved or copied into itself")]
    IntoItself(String),
    /// Two names would differ in case alone.
    #[error("`{path}` and `{twin}` differ in case alone, and many systems cannot have both: use the one that is there")]
    CaseTwin {
        /// The name that was asked for.
        path: String,
        /// The name that is there.
        twin: String,
    },
    /// More than there is room for.
    #[error(transparent)]
    Quota(#[from] QuotaError),
    /// A text is needed, and the file is none.
    #[error("`{0}` is no text (no UTF-8, or with a NUL in it)")]
    NotText(String),
    /// What is to be replaced is not there.
    #[error("the text to be replaced is not in `{path}`{hint}")]
    NoMatch {
        /// The file.
        path: String,
        /// What may be the reason.
        hint: String,
    },
    /// What is to be replaced is there more than once.
    #[error(
        "the text to be replaced stands {count} times in `{path}`, first at line {lines}: say more of what is around it, or replace all"
    )]
    ManyMatches {
        /// The file.
        path: String,
        /// How often.
        count: usize,
        /// The first lines of it.
        lines: String,
    },
    /// A replacement that changes nothing.
    #[error("the new text is the old one")]
    NothingToDo,
    /// The patch cannot be read, or does not fit.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// That is no name of a snapshot.
    #[error("a snapshot's name is 1 to 64 of `a-z`, `A-Z`, `0-9`, `-`, `_` and `.`")]
    SnapshotName,
    /// There is no such snapshot.
    #[error("there is no snapshot `{name}`{known}")]
    NoSnapshot {
        /// The name that was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// That is no pattern.
    #[error("the pattern cannot be used: {0}")]
    Pattern(String),
    /// The key was used for something else.
    #[error("another change was made under the key of this call")]
    KeyReused,
    /// Somebody was faster.
    #[error("`{0}` was changed meanwhile")]
    ChangedMeanwhile(String),
    /// Another process writes.
    #[error("another process is writing these files: try again")]
    Busy,
    /// The machine's own disk has no room left.
    #[error("the disk of this gateway is full")]
    DiskFull,
    /// A later version made the files.
    #[error("these files were written by a later version of Reveille (schema {0}): update it")]
    Later(i64),
    /// The database failed. What was asked for may or may not have been done.
    #[error("the files cannot be reached: {0}")]
    Storage(String),
}

/// A limit that would be passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// One file.
    #[error("`{path}` would have {bytes} bytes, and a file has {most} at most")]
    FileBytes {
        /// The file.
        path: String,
        /// What it would have.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// All of them.
    #[error("the workspace would hold {bytes} bytes, and {most} is the most: delete files or snapshots first")]
    Bytes {
        /// What it would hold.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// Their number.
    #[error("the workspace would hold {files} files, and {most} is the most: delete some first")]
    Files {
        /// What it would hold.
        files: u64,
        /// The limit.
        most: u64,
    },
    /// The number of snapshots.
    #[error("there are {most} snapshots, which is the most: delete one first")]
    Snapshots {
        /// The limit.
        most: u64,
    },
}

impl WorkspaceError {
    /// Whether what was asked for may have been done all the same.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Storage(_))
    }

    /// Whether it is about the files as a whole, so that no other change would fare better.
    pub(super) fn is_of_all(&self) -> bool {
        matches!(self, Self::Busy | Self::DiskFull | Self::Later(_) | Self::Storage(_))
    }
}

impl From<sqlx::Error> for WorkspaceError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(error) = &error {
            let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            // `SQLITE_BUSY`, `SQLITE_LOCKED` and `SQLITE_FULL` ("Result and Error Codes"): nothing was written.
            match code & 0xff {
                5 | 6 => return Self::Busy,
                13 => return Self::DiskFull,
                _ => {}
            }
        }
        Self::Storage(error.to_string())
    }
}
