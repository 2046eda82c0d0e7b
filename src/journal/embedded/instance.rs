//! An instance's own database: what it knows, in one file that any SQLite tool opens.
//!
//! It is written in one transaction with a rollback journal and full fsyncs before the log forgets what it holds, so a
//! crash leaves it as it was or as it will be, and never ahead of what was durable in the log.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reveille_channel::InstanceId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Row, Sqlite};

use super::rows::unsigned;
use super::{BUSY_TIMEOUT, signed, storage};
use crate::journal::{BODY_VERSION, Checkpoint, JournalError, MessageRow, Offset, Record};

/// `DIR/instances/AA/BB/<id>.db`.
pub(super) fn path(folder: &Path, instance: InstanceId) -> PathBuf {
    let id = instance.to_string();
    let (first, rest) = id.split_at(2);
    let second = rest.split_at(2).0;
    folder.join("instances").join(first).join(second).join(format!("{id}.db"))
}

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// The last checkpoint; `None` where there is no database and none is needed.
pub(super) async fn load(
    path: &Path,
    instance: InstanceId,
    applied: Offset,
) -> Result<Option<Checkpoint>, JournalError> {
    let is_there = path
        .try_exists()
        .map_err(|error| JournalError::Storage(format!("{} cannot be looked at: {error}", path.display())))?;
    if !is_there {
        if applied == 0 {
            return Ok(None);
        }
        let reason = format!("its database {} is missing, and the log no longer has its first records", path.display());
        return Err(JournalError::Corrupt { instance, reason });
    }
    // A file that cannot be opened now (too many open files, a disk that fails) may be whole: only what is known to be
    // damaged sets its instance aside.
    let unreadable = |error: sqlx::Error| {
        let reason = format!("its database {} cannot be read: {error}", path.display());
        if is_damage(&error) { JournalError::Corrupt { instance, reason } } else { JournalError::Storage(reason) }
    };
    let mut connection = SqliteConnection::connect_with(&options(path)).await.map_err(unreadable)?;
    let found =
        sqlx::query("SELECT applied_offset, state FROM state WHERE one = 1").fetch_optional(&mut connection).await;
    let checkpoint = match found {
        Ok(Some(row)) => Some(Checkpoint {
            next_offset: unsigned(&row, "applied_offset")?,
            state: row.try_get("state").map_err(unreadable)?,
        }),
        Ok(None) => None,
        // A crash between making the file and its first transaction leaves it empty.
        Err(error) if applied == 0 && is_damage(&error) => None,
        Err(error) => return Err(unreadable(error)),
    };
    connection.close().await.map_err(unreadable)?;
    let held = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.next_offset);
    if held < applied {
        let reason = format!("its database {} holds {held} records, the log says {applied}", path.display());
        return Err(JournalError::Corrupt { instance, reason });
    }
    Ok(checkpoint)
}

/// Whether the error says that the file's content is wrong, rather than that it cannot be had now: `SQLITE_ERROR` (a table
/// is missing), `SQLITE_CORRUPT` and `SQLITE_NOTADB` ("Result and Error Codes"), or a value that is not of its type.
fn is_damage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            matches!(code & 0xff, 1 | 11 | 26)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

/// Brings the database to this state, durably.
pub(super) async fn save(
    path: &Path,
    address: &str,
    checkpoint: &Checkpoint,
    messages: &[MessageRow],
    records: &[Record],
) -> Result<(), JournalError> {
    let is_new = !path.exists();
    if is_new {
        make(path).map_err(|error| JournalError::Storage(format!("{} cannot be made: {error}", path.display())))?;
    }
    let mut connection = SqliteConnection::connect_with(&options(path)).await.map_err(storage)?;
    let written = write(&mut connection, address, checkpoint, messages, records).await;
    let closed = connection.close().await;
    written?;
    closed.map_err(storage)?;
    if is_new {
        sync_folders(path)
            .map_err(|error| JournalError::Storage(format!("{} cannot be synced: {error}", path.display())))?;
    }
    Ok(())
}

async fn write(
    connection: &mut SqliteConnection,
    address: &str,
    checkpoint: &Checkpoint,
    messages: &[MessageRow],
    records: &[Record],
) -> Result<(), JournalError> {
    let mut transaction = connection.begin().await.map_err(storage)?;
    let has_schema = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'state'")
        .fetch_optional(&mut *transaction)
        .await
        .map_err(storage)?
        .is_some();
    if !has_schema {
        sqlx::raw_sql(include_str!("../../../migrations/instance/0001_instance.sql"))
            .execute(&mut *transaction)
            .await
            .map_err(storage)?;
    }
    let meta = [
        ("schema", "1".to_owned()),
        ("address", address.to_owned()),
        ("applied_offset", checkpoint.next_offset.to_string()),
    ];
    for (name, value) in meta {
        sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")
            .bind(name)
            .bind(value)
            .execute(&mut *transaction)
            .await
            .map_err(storage)?;
    }
    let held: Vec<&Record> = records.iter().filter(|record| record.offset < checkpoint.next_offset).collect();
    for some in held.chunks(2000) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO record (offset, epoch, kind, at_ms, v, body) ");
        let mut bodies = Vec::with_capacity(some.len());
        for record in some {
            let json = serde_json::to_string(&record.body)
                .map_err(|error| JournalError::Storage(format!("a record cannot be written as JSON: {error}")))?;
            bodies.push((record, json));
        }
        query.push_values(bodies, |mut row, (record, json)| {
            row.push_bind(signed(record.offset))
                .push_bind(signed(record.epoch))
                .push_bind(record.body.kind())
                .push_bind(record.at_ms)
                .push_bind(i64::from(BODY_VERSION))
                .push_bind(json);
        });
        query.build().execute(&mut *transaction).await.map_err(storage)?;
    }
    for some in messages.chunks(2000) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO message (number, turn, role, author, text, at_ms) ");
        query.push_values(some, |mut row, message| {
            row.push_bind(signed(message.number))
                .push_bind(signed(message.turn))
                .push_bind(message.role.as_str())
                .push_bind(message.author.as_str())
                .push_bind(message.text.as_str())
                .push_bind(message.at_ms);
        });
        query.build().execute(&mut *transaction).await.map_err(storage)?;
    }
    sqlx::query("INSERT OR REPLACE INTO state (one, applied_offset, state) VALUES (1, ?1, ?2)")
        .bind(signed(checkpoint.next_offset))
        .bind(checkpoint.state.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(storage)?;
    transaction.commit().await.map_err(storage)
}

fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

/// Makes the names of a new file and of its new folders durable.
fn sync_folders(path: &Path) -> std::io::Result<()> {
    for folder in path.ancestors().skip(1).take(4) {
        if fs::metadata(folder)?.is_dir() {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}
