//! Reading a journal beside a running gateway, for the command line.
//!
//! It takes no lock and writes nothing: WAL lets readers of other processes see every commit. What is still in the log
//! and what an instance's own database holds already are put together here.

use std::path::{Path, PathBuf};

use reveille_channel::InstanceId;
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, Row};

use super::rows::{instance_id, read_instance, read_record, unsigned};
use super::{BUSY_TIMEOUT, instance, signed, storage};
use crate::journal::{Body, InstanceRow, JournalError, MessageRow, Offset, Outcome, Record, Turn, Usage};

/// A journal, opened to be read.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    log: SqlitePool,
}

/// One turn, as listings show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TurnRow {
    /// The instance.
    pub instance: InstanceId,
    /// Its number there.
    pub turn: Turn,
    /// When it began, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// When it ended; `None` while it runs.
    pub ended_at_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why, where it did not complete.
    pub reason: Option<String>,
    /// What it used.
    pub usage: Usage,
}

/// A record of some instance, in the order of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Followed {
    /// The log's own number; it only ever grows.
    pub seq: i64,
    /// The instance.
    pub instance: InstanceId,
    /// The record.
    pub record: Record,
}

impl Reader {
    /// Opens the journal in `folder`.
    ///
    /// # Errors
    /// [`JournalError::Storage`] when there is none, or it cannot be read.
    pub async fn open(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join("log.db");
        if !path.exists() {
            return Err(JournalError::Storage(format!("there is no journal in {}", folder.display())));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let log = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.map_err(storage)?;
        Ok(Self { folder: folder.to_owned(), log })
    }

    /// The data folder that the journal is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Instances whose address contains `filter`, by address, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn instances(&self, filter: &str, limit: u32) -> Result<Vec<InstanceRow>, JournalError> {
        let rows = sqlx::query("SELECT * FROM instance WHERE instr(address, ?1) > 0 ORDER BY address LIMIT ?2")
            .bind(filter)
            .bind(i64::from(limit))
            .fetch_all(&self.log)
            .await
            .map_err(storage)?;
        rows.iter().map(read_instance).collect()
    }

    /// Instances that are not at rest for good, by address: awake, with work, set aside, or asleep until a time comes.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn unsettled(&self) -> Result<Vec<InstanceRow>, JournalError> {
        let wanted = "SELECT * FROM instance WHERE state <> 'asleep' OR wake_at_ms IS NOT NULL ORDER BY address";
        let rows = sqlx::query(wanted).fetch_all(&self.log).await.map_err(storage)?;
        rows.iter().map(read_instance).collect()
    }

    /// The instances that `name` may mean: an address, an id, or the beginning of an id.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn find(&self, name: &str) -> Result<Vec<InstanceRow>, JournalError> {
        let prefix = name.chars().all(|c| c.is_ascii_hexdigit()).then(|| format!("{}%", name.to_ascii_uppercase()));
        let rows =
            sqlx::query("SELECT * FROM instance WHERE address = ?1 OR hex(id) LIKE ?2 ORDER BY address LIMIT 20")
                .bind(name)
                .bind(prefix)
                .fetch_all(&self.log)
                .await
                .map_err(storage)?;
        rows.iter().map(read_instance).collect()
    }

    /// An instance's records from an offset on.
    ///
    /// # Errors
    /// [`JournalError::Storage`], [`JournalError::Corrupt`].
    pub async fn records(&self, id: InstanceId, from: Offset) -> Result<Vec<Record>, JournalError> {
        // The log first: what is trimmed between the two reads is found in the database.
        let in_log = sqlx::query("SELECT * FROM record WHERE instance = ?1 AND offset >= ?2 ORDER BY offset")
            .bind(id.as_bytes().as_slice())
            .bind(signed(from))
            .fetch_all(&self.log)
            .await
            .map_err(storage)?;
        let first = in_log.first().map(|row| unsigned(row, "offset")).transpose()?;
        let mut records = Vec::new();
        if let Some(mut own) = self.own(id).await? {
            let rows = sqlx::query("SELECT * FROM record WHERE offset >= ?1 AND offset < ?2 ORDER BY offset")
                .bind(signed(from))
                .bind(first.map_or(i64::MAX, signed))
                .fetch_all(&mut own)
                .await
                .map_err(storage)?;
            for row in &rows {
                records.push(read_record(row, id)?);
            }
        }
        for row in &in_log {
            records.push(read_record(row, id)?);
        }
        Ok(records)
    }

    /// The conversation an instance's own database holds; what came since its last sleep is in its records alone.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn messages(&self, id: InstanceId) -> Result<Vec<MessageRow>, JournalError> {
        let Some(mut own) = self.own(id).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query("SELECT * FROM message ORDER BY number").fetch_all(&mut own).await.map_err(storage)?;
        rows.iter()
            .map(|row| {
                Ok(MessageRow {
                    number: unsigned(row, "number")?,
                    turn: unsigned(row, "turn")?,
                    role: row.try_get("role").map_err(storage)?,
                    author: row.try_get("author").map_err(storage)?,
                    text: row.try_get("text").map_err(storage)?,
                    at_ms: row.try_get("at_ms").map_err(storage)?,
                })
            })
            .collect()
    }

    /// An instance's turns, oldest first.
    ///
    /// # Errors
    /// As [`Reader::records`].
    pub async fn turns(&self, id: InstanceId) -> Result<Vec<TurnRow>, JournalError> {
        let mut turns: Vec<TurnRow> = Vec::new();
        for record in self.records(id, 0).await? {
            match record.body {
                Body::TurnStarted { turn, .. } => turns.push(TurnRow {
                    instance: id,
                    turn,
                    started_at_ms: record.at_ms,
                    ended_at_ms: None,
                    outcome: None,
                    reason: None,
                    usage: Usage::default(),
                }),
                Body::TurnEnded { turn, outcome, reason, usage } => {
                    if let Some(row) = turns.iter_mut().find(|row| row.turn == turn) {
                        row.ended_at_ms = Some(record.at_ms);
                        row.outcome = Some(outcome);
                        row.reason = reason;
                        row.usage = usage;
                    }
                }
                _ => {}
            }
        }
        Ok(turns)
    }

    /// Records of all instances after `seq`, in the order of the log. Those that were trimmed meanwhile are not among them.
    ///
    /// # Errors
    /// [`JournalError::Storage`], [`JournalError::Corrupt`].
    pub async fn tail(&self, after: i64, limit: u32) -> Result<Vec<Followed>, JournalError> {
        let rows = sqlx::query("SELECT * FROM record WHERE seq > ?1 ORDER BY seq LIMIT ?2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.log)
            .await
            .map_err(storage)?;
        rows.iter()
            .map(|row| {
                let instance = instance_id(row, "instance")?;
                Ok(Followed {
                    seq: row.try_get("seq").map_err(storage)?,
                    instance,
                    record: read_record(row, instance)?,
                })
            })
            .collect()
    }

    /// The number of the newest record in the log; `0` for an empty one.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn newest(&self) -> Result<i64, JournalError> {
        let row = sqlx::query("SELECT coalesce(max(seq), 0) AS newest FROM record")
            .fetch_one(&self.log)
            .await
            .map_err(storage)?;
        row.try_get("newest").map_err(storage)
    }

    /// The address of an instance.
    ///
    /// # Errors
    /// [`JournalError::Unknown`], [`JournalError::Storage`].
    pub async fn address(&self, id: InstanceId) -> Result<String, JournalError> {
        let row = sqlx::query("SELECT address FROM instance WHERE id = ?1")
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&self.log)
            .await
            .map_err(storage)?
            .ok_or(JournalError::Unknown(id))?;
        row.try_get("address").map_err(storage)
    }

    /// Writes all that is known of an instance into a new database of the same form as its own: every record, and as messages
    /// those given (see `turn`: the conversation folded from the records).
    ///
    /// # Errors
    /// [`JournalError::Storage`] when `to` exists or cannot be written, and as [`Reader::records`].
    pub async fn export(
        &self,
        id: InstanceId,
        messages: &[MessageRow],
        state: String,
        to: &Path,
    ) -> Result<(), JournalError> {
        if to.exists() {
            return Err(JournalError::Storage(format!("{} is there already; name a new file", to.display())));
        }
        let records = self.records(id, 0).await?;
        let next_offset = records.last().map_or(0, |record| record.offset.saturating_add(1));
        let address = self.address(id).await?;
        instance::save(to, &address, &crate::journal::Checkpoint { next_offset, state }, messages, &records).await
    }

    /// The tenants in which a connection's app is installed. What is kept of them is sealed.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn installations(&self, connection: &str) -> Result<Vec<String>, JournalError> {
        let rows = sqlx::query("SELECT installation FROM installation WHERE connection = ?1 ORDER BY installation")
            .bind(connection)
            .fetch_all(&self.log)
            .await
            .map_err(storage)?;
        rows.iter().map(|row| row.try_get("installation").map_err(storage)).collect()
    }

    /// The instance's own database, if it has one.
    async fn own(&self, id: InstanceId) -> Result<Option<SqliteConnection>, JournalError> {
        let path = instance::path(&self.folder, id);
        if !path.exists() {
            return Ok(None);
        }
        let mut own = SqliteConnection::connect_with(&instance::options(&path)).await.map_err(storage)?;
        let has_schema =
            sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'message'").fetch_optional(&mut own).await;
        Ok(has_schema.map_err(storage)?.map(|_| own))
    }
}
