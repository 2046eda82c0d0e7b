//! Between rows and types.

use std::sync::Arc;

use reveille_channel::InstanceId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::storage;
use crate::journal::{BODY_VERSION, Body, InstallationRow, InstanceRow, JournalError, Offset, Record};

/// A record on its way into the log, serialised by whoever asked for it.
#[derive(Debug)]
pub(super) struct NewRecord {
    pub(super) kind: &'static str,
    pub(super) json: Arc<String>,
}

impl NewRecord {
    pub(super) fn of(body: &Body) -> Result<Self, JournalError> {
        let json = serde_json::to_string(body)
            .map_err(|error| JournalError::Storage(format!("a record cannot be written as JSON: {error}")))?;
        Ok(Self { kind: body.kind(), json: Arc::new(json) })
    }
}

/// An instance's row in the log.
#[derive(Debug, Clone)]
pub(super) struct InstanceState {
    pub(super) id: InstanceId,
    pub(super) address: String,
    pub(super) epoch: u64,
    pub(super) next_offset: Offset,
    pub(super) written: u64,
    pub(super) applied_offset: Offset,
    pub(super) wake_at_ms: Option<i64>,
    pub(super) attempts: u32,
    pub(super) state: &'static str,
    pub(super) ready_at_ms: i64,
}

impl InstanceState {
    pub(super) fn new(id: InstanceId, address: &str) -> Self {
        Self {
            id,
            address: address.to_owned(),
            epoch: 0,
            next_offset: 0,
            written: 0,
            applied_offset: 0,
            wake_at_ms: None,
            attempts: 0,
            state: "asleep",
            ready_at_ms: 0,
        }
    }

    pub(super) fn read(row: &SqliteRow) -> Result<Self, JournalError> {
        let listed = read_instance(row)?;
        let state = match listed.state.as_str() {
            "ready" => "ready",
            "running" => "running",
            "quarantined" => "quarantined",
            _ => "asleep",
        };
        Ok(Self {
            id: listed.id,
            address: listed.address,
            epoch: unsigned(row, "epoch")?,
            next_offset: listed.next_offset,
            written: unsigned(row, "written")?,
            applied_offset: listed.applied_offset,
            wake_at_ms: listed.wake_at_ms,
            attempts: listed.attempts,
            state,
            ready_at_ms: row.try_get("ready_at_ms").map_err(storage)?,
        })
    }
}

/// The columns that listings show.
pub(super) fn read_instance(row: &SqliteRow) -> Result<InstanceRow, JournalError> {
    Ok(InstanceRow {
        id: instance_id(row, "id")?,
        address: row.try_get("address").map_err(storage)?,
        state: row.try_get("state").map_err(storage)?,
        next_offset: unsigned(row, "next_offset")?,
        applied_offset: unsigned(row, "applied_offset")?,
        wake_at_ms: row.try_get("wake_at_ms").map_err(storage)?,
        attempts: u32::try_from(unsigned(row, "attempts")?).unwrap_or(u32::MAX),
    })
}

/// What is kept of an installation.
pub(super) fn read_installation(row: &SqliteRow) -> Result<InstallationRow, JournalError> {
    Ok(InstallationRow {
        connection: row.try_get("connection").map_err(storage)?,
        installation: row.try_get("installation").map_err(storage)?,
        data: row.try_get("data").map_err(storage)?,
        updated_ms: row.try_get("updated_ms").map_err(storage)?,
    })
}

/// A record, from the log's table or an instance's own.
pub(super) fn read_record(row: &SqliteRow, instance: InstanceId) -> Result<Record, JournalError> {
    let offset = unsigned(row, "offset")?;
    let corrupt = |reason| JournalError::Corrupt { instance, reason };
    let version = unsigned(row, "v")?;
    if version > u64::from(BODY_VERSION) {
        return Err(corrupt(format!(
            "its record {offset} is of version {version}, this build reads {BODY_VERSION}: run the newer build again"
        )));
    }
    let json: &str = row.try_get("body").map_err(storage)?;
    let body = serde_json::from_str(json)
        .map_err(|error| corrupt(format!("its record {offset} cannot be read: {:?} error", error.classify())))?;
    Ok(Record { offset, epoch: unsigned(row, "epoch")?, at_ms: row.try_get("at_ms").map_err(storage)?, body })
}

pub(super) fn instance_id(row: &SqliteRow, column: &str) -> Result<InstanceId, JournalError> {
    let bytes: &[u8] = row.try_get(column).map_err(storage)?;
    let bytes = bytes.try_into().map_err(|_| JournalError::Storage(format!("a {column} is not of 16 bytes")))?;
    Ok(InstanceId::from_bytes(bytes))
}

pub(super) fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, JournalError> {
    let value: i64 = row.try_get(column).map_err(storage)?;
    u64::try_from(value).map_err(|_| JournalError::Storage(format!("a {column} is negative")))
}
