//! The file that holds an instance's files: where it is, how it is made and opened.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reveille_channel::InstanceId;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::error::WorkspaceError;

/// The schema of this version, as `PRAGMA user_version` says it.
const SCHEMA: i64 = 1;

/// How long a connection waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections of one workspace: a writer, and readers beside it.
const CONNECTIONS: u32 = 3;

/// After how long without use a connection is closed: an instance that sleeps holds none.
const IDLE: Duration = Duration::from_secs(15);

/// Rows that wait between SQLite and whoever reads them: with few, each row would be a change of threads.
const ROWS_WAITING: usize = 256;

/// `DIR/instances/AA/BB/<id>.files.db`, beside the instance's own database.
pub(super) fn path(folder: &Path, instance: InstanceId) -> PathBuf {
    let id = instance.to_string();
    let (first, rest) = id.split_at(2);
    let second = rest.split_at(2).0;
    folder.join("instances").join(first).join(second).join(format!("{id}.files.db"))
}

/// Makes the file where it is not there, readable for nobody else, and its name durable.
pub(super) fn make(path: &Path) -> Result<(), WorkspaceError> {
    let made = || -> io::Result<()> {
        if path.try_exists()? {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        for folder in path.ancestors().skip(1).take(4) {
            if fs::metadata(folder)?.is_dir() {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok(())
    };
    made().map_err(|error| WorkspaceError::Storage(format!("{} cannot be made: {error}", path.display())))
}

/// Opens the file, which must be there, and brings its schema to this version.
pub(super) async fn open(path: &Path) -> Result<SqlitePool, WorkspaceError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROWS_WAITING)
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-2048")
        .pragma("journal_size_limit", "4194304")
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(0)
        .idle_timeout(IDLE)
        .acquire_timeout(BUSY_TIMEOUT)
        // A file does not go away as a server does: asking before each use would double the hops.
        .test_before_acquire(false)
        .connect_lazy_with(options);
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await?;
    match found {
        SCHEMA => Ok(pool),
        0 => set_up(&pool).await.map(|()| pool),
        later => Err(WorkspaceError::Later(later)),
    }
}

async fn set_up(pool: &SqlitePool) -> Result<(), WorkspaceError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have been first.
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    if found == 0 {
        sqlx::raw_sql(include_str!("../../migrations/workspace/0001_workspace.sql")).execute(&mut *transaction).await?;
        sqlx::query("PRAGMA user_version = 1").execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
