//! The engine of one node: a log in SQLite and one database per instance, in one folder.
//!
//! `log.db` (WAL, `synchronous=FULL`) is written by one task alone ([`writer`]), which commits everything that waits in one
//! transaction: the price of an fsync is shared by all who wait for it. `instances/AA/BB/<id>.db` are projections
//! ([`instance`]), written when an instance goes to sleep. `lock` keeps a second process out.

mod instance;
pub mod reader;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fs4::fs_std::FileExt;
use futures::future::{BoxFuture, FutureExt};
use reveille_channel::InstanceId;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Admission, Admitted, Body, Checkpoint, Claim, Durable, Engine, Fence, InstallationRow, JournalError, Offset,
    Record, Release, Released, SnapshotChange, Turn,
};
use rows::{NewRecord, read_record};
use writer::{Answer, Command, Writer};

/// The least SQLite that may be linked: earlier ones can lose committed pages when a checkpoint meets a writer (the
/// "WAL-reset bug", SQLite release notes 3.51.3).
pub const LEAST_SQLITE: &str = "3.51.3";

/// Pages of the write-ahead log after which a commit brings them into the database itself, and pays for it. The
/// checkpointer comes earlier, beside the commits; this is for when it does not keep up.
const CHECKPOINT_IN_COMMIT_PAGES: &str = "32768";

/// Connections that read beside the writer.
const READERS: u32 = 4;

/// How long a connection waits for another's lock, which only a reader's checkpoint can hold.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bounds on what waits for the writer.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Events that may wait to be admitted; more are answered with [`JournalError::Overloaded`].
    pub admissions: usize,
    /// Everything that may wait for the writer, admissions included.
    pub commands: usize,
    /// How long dedupe keys and raw bodies are kept.
    pub keep_inbox: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { admissions: 4096, commands: 16_384, keep_inbox: Duration::from_secs(8 * 24 * 3600) }
    }
}

/// The journal of one node.
#[derive(Debug)]
pub struct Embedded {
    folder: PathBuf,
    commands: mpsc::Sender<Command>,
    admissions: Arc<Semaphore>,
    readers: SqlitePool,
    /// How many instance databases may be open at once.
    databases: Semaphore,
    /// Hashes of the agent definitions that are known to be kept: as many as were edited since the start.
    definitions: Mutex<HashSet<String>>,
    writer: Mutex<Option<tokio::task::JoinHandle<()>>>,
    _lock: File,
}

impl Embedded {
    /// Opens the journal in `folder`, making it where it is not there. What a crash left running is ready to be run again.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another process has it open, [`JournalError::OldSqlite`], [`JournalError::Storage`].
    pub async fn open(folder: &Path, options: Options) -> Result<Self, JournalError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
            JournalError::Storage(format!("the folder {} cannot be made: {error}", folder.display()))
        })?;
        let lock_path = folder.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|error| JournalError::Storage(format!("{} cannot be opened: {error}", lock_path.display())))?;
        if !matches!(FileExt::try_lock_exclusive(&lock), Ok(true)) {
            return Err(JournalError::Locked { folder: folder.to_owned(), lock: lock_path });
        }
        let log = folder.join("log.db");
        // Made here, so that nobody else can read it.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&log)
            .map_err(|error| JournalError::Storage(format!("{} cannot be made: {error}", log.display())))?;
        let options_of_log = SqliteConnectOptions::new()
            .filename(&log)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-65536")
            .pragma("wal_autocheckpoint", CHECKPOINT_IN_COMMIT_PAGES)
            .pragma("journal_size_limit", "67108864")
            .disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options_of_log).await.map_err(storage)?;
        check_version(&mut connection).await?;
        sqlx::migrate!("migrations/journal").run(&mut connection).await.map_err(|error| {
            JournalError::Storage(format!("{} cannot be brought to this version: {error}", log.display()))
        })?;
        sqlx::query("UPDATE instance SET state = 'ready' WHERE state = 'running'")
            .execute(&mut connection)
            .await
            .map_err(storage)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // A file does not go away as a server does: asking before each use would double the hops.
            .test_before_acquire(false)
            .connect_lazy_with(
                options_of_log
                    .clone()
                    .read_only(true)
                    .synchronous(SqliteSynchronous::Normal)
                    .pragma("cache_size", "-4096"),
            );
        let checkpoints = SqliteConnection::connect_with(&options_of_log).await.map_err(storage)?;
        let due = Arc::new(Notify::new());
        let (commands, inbox) = mpsc::channel(options.commands);
        let writer = Writer::new(connection, inbox, options.keep_inbox, Arc::clone(&due));
        let stop = CancellationToken::new();
        let checkpointer = tokio::spawn(checkpointer(checkpoints, due, stop.child_token()));
        let writer = tokio::spawn(async move {
            writer.run().await;
            stop.cancel();
            let _ = checkpointer.await;
        });
        Ok(Self {
            folder: folder.to_owned(),
            commands,
            admissions: Arc::new(Semaphore::new(options.admissions)),
            readers,
            databases: Semaphore::new(8),
            definitions: Mutex::default(),
            writer: Mutex::new(Some(writer)),
            _lock: lock,
        })
    }

    async fn tell(&self, make: impl FnOnce(Answer) -> Command) -> Result<rows::InstanceState, JournalError> {
        let (answer, told) = oneshot::channel();
        self.commands.send(make(answer)).await.map_err(|_| closed())?;
        told.await.map_err(|_| closed())?
    }

    fn database(&self, instance: InstanceId) -> PathBuf {
        instance::path(&self.folder, instance)
    }

    /// The records of these offsets, as far as the log has them, in order.
    async fn records(&self, instance: InstanceId, offsets: Range<Offset>) -> Result<Vec<Record>, JournalError> {
        if offsets.is_empty() {
            return Ok(Vec::new());
        }
        let found = sqlx::query(
            "SELECT offset, epoch, at_ms, v, body FROM record WHERE instance = ?1 AND offset >= ?2 AND offset < ?3 ORDER BY offset",
        )
        .bind(instance.as_bytes().as_slice())
        .bind(signed(offsets.start))
        .bind(signed(offsets.end))
        .fetch_all(&self.readers)
        .await
        .map_err(storage)?;
        found.iter().map(|row| read_record(row, instance)).collect()
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn admit(&self, admission: Admission) -> Result<Durable<Admitted>, JournalError> {
        let permit = Arc::clone(&self.admissions).try_acquire_owned().map_err(|_| JournalError::Overloaded)?;
        let event = Body::Event { event: Box::new(admission.event.clone()) };
        let record = NewRecord::of(&event)?;
        let (answer, told) = oneshot::channel();
        let command = Command::Admit { admission: Box::new(admission), record, answer };
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => JournalError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        let admitted = told.await.map_err(|_| closed())??;
        drop(permit);
        Ok(Durable::committed(admitted))
    }

    async fn claim(&self, instance: InstanceId) -> Result<Durable<Claim>, JournalError> {
        let row = self.tell(|answer| Command::Claim { instance, answer }).await?;
        let checkpoint = {
            let _permit = self.databases.acquire().await.map_err(|_| closed())?;
            instance::load(&self.database(instance), instance, row.applied_offset).await?
        };
        let from = checkpoint.as_ref().map_or(0, |checkpoint: &Checkpoint| checkpoint.next_offset);
        if from > row.next_offset {
            let reason = format!(
                "its database holds {from} records, the log knows of {}: they are not of one time",
                row.next_offset
            );
            return Err(JournalError::Corrupt { instance, reason });
        }
        // What is admitted from here on is not part of the claim: its bell is heard once the owner runs.
        let expected = from..row.next_offset;
        let tail = self.records(instance, expected.clone()).await?;
        if !tail.iter().map(|record| record.offset).eq(expected.clone()) {
            let reason = format!("its records {expected:?} are not all in the log");
            return Err(JournalError::Corrupt { instance, reason });
        }
        let fence = Fence { instance, epoch: row.epoch, written: row.written };
        Ok(Durable::committed(Claim { fence, address: row.address, checkpoint, tail, attempts: row.attempts }))
    }

    fn append(
        &self,
        fence: Fence,
        at_ms: i64,
        bodies: Vec<Body>,
        snapshots: Vec<SnapshotChange>,
    ) -> BoxFuture<'static, Result<Durable<()>, JournalError>> {
        let records: Result<Vec<_>, _> = bodies.iter().map(NewRecord::of).collect();
        let (answer, told) = oneshot::channel();
        // Sent now and not when polled: the order of an owner's appends is the order of its calls.
        let sent = records.and_then(|records| {
            self.commands.try_send(Command::Append { fence, at_ms, records, snapshots, answer }).map_err(|error| {
                match error {
                    mpsc::error::TrySendError::Full(_) => JournalError::Overloaded,
                    mpsc::error::TrySendError::Closed(_) => closed(),
                }
            })
        });
        async move {
            sent?;
            told.await.map_err(|_| closed())??;
            Ok(Durable::committed(()))
        }
        .boxed()
    }

    async fn snapshot(&self, instance: InstanceId, turn: Turn, call: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let row = sqlx::query("SELECT sealed FROM snapshot WHERE (instance, turn, call) = (?1, ?2, ?3)")
            .bind(instance.as_bytes().as_slice())
            .bind(signed(turn))
            .bind(call)
            .fetch_optional(&self.readers)
            .await
            .map_err(storage)?;
        row.map(|row| row.try_get("sealed").map_err(storage)).transpose()
    }

    async fn read(&self, instance: InstanceId, from: Offset, limit: usize) -> Result<Vec<Record>, JournalError> {
        let end = from.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX));
        self.records(instance, from..end).await
    }

    async fn settle(&self, fence: Fence) -> Result<(), JournalError> {
        self.tell(|answer| Command::Settle { fence, answer }).await.map(drop)
    }

    async fn release(&self, release: Release) -> Result<Released, JournalError> {
        let instance = release.fence.instance;
        let applied = match &release.checkpoint {
            None => None,
            Some(both) => {
                let row = self.tell(|answer| Command::Look { fence: release.fence, answer }).await?;
                if row.next_offset != release.next_offset {
                    return Ok(Released::Busy);
                }
                let (checkpoint, messages) = both.as_ref();
                let _permit = self.databases.acquire().await.map_err(|_| closed())?;
                let records = self.records(instance, row.applied_offset..checkpoint.next_offset).await?;
                let path = self.database(instance);
                match instance::save(&path, &row.address, checkpoint, messages, &records).await {
                    Ok(()) => Some(checkpoint.next_offset),
                    // The log keeps what the database does not hold; it is written the next time the instance sleeps.
                    Err(error) => {
                        tracing::warn!(%instance, %error, "an instance's database could not be written; its records stay in the log");
                        metrics::counter!("instance_saves_failed_total").increment(1);
                        None
                    }
                }
            }
        };
        let Release { fence, next_offset, wake_at_ms, .. } = release;
        let row = self.tell(|answer| Command::Release { fence, next_offset, wake_at_ms, applied, answer }).await?;
        Ok(if row.state == "running" { Released::Busy } else { Released::Asleep })
    }

    async fn quarantine(&self, instance: InstanceId, reason: &str) -> Result<(), JournalError> {
        tracing::warn!(%instance, reason, "quarantined");
        self.tell(|answer| Command::Quarantine { instance, answer }).await.map(drop)
    }

    async fn ready(&self, now_ms: i64, limit: usize) -> Result<Vec<InstanceId>, JournalError> {
        let found = sqlx::query(
            "SELECT id FROM (SELECT id, ready_at_ms AS at FROM instance WHERE state = 'ready'
             UNION ALL SELECT id, wake_at_ms AS at FROM instance WHERE state = 'asleep' AND wake_at_ms <= ?1)
             ORDER BY at LIMIT ?2",
        )
        .bind(now_ms)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(storage)?;
        found.iter().map(|row| rows::instance_id(row, "id")).collect()
    }

    async fn unprojected(&self, limit: usize) -> Result<Vec<InstanceId>, JournalError> {
        // The condition is the index's: it holds nothing else.
        let found = sqlx::query(
            "SELECT id FROM instance INDEXED BY instance_unprojected
             WHERE state = 'asleep' AND applied_offset < next_offset ORDER BY ready_at_ms LIMIT ?1",
        )
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(storage)?;
        found.iter().map(|row| rows::instance_id(row, "id")).collect()
    }

    async fn next_wake(&self) -> Result<Option<i64>, JournalError> {
        let row = sqlx::query(
            "SELECT min(wake_at_ms) AS due FROM instance WHERE wake_at_ms IS NOT NULL AND state = 'asleep'",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(storage)?;
        row.try_get("due").map_err(storage)
    }

    async fn put_definition(&self, hash: &str, source: &str) -> Result<(), JournalError> {
        let is_kept =
            |kept: &Mutex<HashSet<String>>| kept.lock().unwrap_or_else(PoisonError::into_inner).contains(hash);
        if is_kept(&self.definitions) {
            return Ok(());
        }
        let (key, source) = (hash.to_owned(), source.to_owned());
        self.tell(|answer| Command::Define { hash: key, source, answer }).await?;
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner).insert(hash.to_owned());
        Ok(())
    }

    async fn definition(&self, hash: &str) -> Result<Option<String>, JournalError> {
        let row = sqlx::query("SELECT source FROM definition WHERE hash = ?1")
            .bind(hash)
            .fetch_optional(&self.readers)
            .await
            .map_err(storage)?;
        row.map(|row| row.try_get("source").map_err(storage)).transpose()
    }

    async fn put_installation(&self, row: InstallationRow) -> Result<(), JournalError> {
        self.tell(|answer| Command::Keep { row, answer }).await.map(drop)
    }

    async fn remove_installation(&self, connection: &str, installation: &str) -> Result<(), JournalError> {
        let (connection, installation) = (connection.to_owned(), installation.to_owned());
        self.tell(|answer| Command::Forget { connection, installation, answer }).await.map(drop)
    }

    async fn installations(&self, connection: &str) -> Result<Vec<InstallationRow>, JournalError> {
        let found = sqlx::query("SELECT * FROM installation WHERE connection = ?1 ORDER BY installation")
            .bind(connection)
            .fetch_all(&self.readers)
            .await
            .map_err(storage)?;
        found.iter().map(rows::read_installation).collect()
    }

    async fn probe(&self) -> Result<(), JournalError> {
        self.tell(|answer| Command::Probe { answer }).await.map(drop)
    }

    async fn close(&self) {
        let (answer, told) = oneshot::channel();
        if self.commands.send(Command::Close { answer }).await.is_ok() {
            // The writer answers when everything before is committed.
            let _ = told.await;
        }
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.await;
        }
        self.readers.close().await;
    }
}

/// Brings what was committed from the write-ahead log into the database, beside the commits and not within one of them.
async fn checkpointer(mut connection: SqliteConnection, due: Arc<Notify>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = due.notified() => {}
        }
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await {
            tracing::warn!(%error, "the write-ahead log could not be checkpointed; it grows until it can");
        }
    }
    let _ = connection.close().await;
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), JournalError> {
    let found: String = sqlx::query("SELECT sqlite_version() AS v")
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get("v"))
        .map_err(storage)?;
    let parts = |version: &str| version.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    if parts(&found) < parts(LEAST_SQLITE) {
        return Err(JournalError::OldSqlite { found, wanted: LEAST_SQLITE });
    }
    Ok(())
}

fn closed() -> JournalError {
    JournalError::Storage("the journal is closed".into())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn storage(error: sqlx::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}

/// SQLite's integers are signed; offsets and epochs never come near the limit.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
