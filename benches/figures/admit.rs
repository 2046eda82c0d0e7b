//! Events admitted durably, beside rows of the same bytes in SQLite transactions of the same size.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use reveille::journal::Engine;
use reveille::journal::embedded::{Embedded, Options};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::quiet::admission;
use crate::{Figure, median, millis, one_fsync};

const EVENTS: usize = 20_000;
const AT_ONCE: usize = 64;

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let before = one_fsync(folder.path())?;
    let raw = rows_per_second(&folder).await?;
    let journal = Arc::new(Embedded::open(&folder.path().join("data"), Options::default()).await?);
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for lane in 0..AT_ONCE {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            let mut waits = Vec::new();
            for number in (lane..EVENTS).step_by(AT_ONCE) {
                let started = Instant::now();
                journal.admit(admission(number)).await?;
                waits.push(started.elapsed());
            }
            anyhow::Ok(waits)
        });
    }
    let mut waits = Vec::new();
    while let Some(lane) = tasks.join_next().await {
        waits.extend(lane??);
    }
    let seconds = started.elapsed().as_secs_f64();
    let fsync = (before + one_fsync(folder.path())?) / 2;
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let ours = EVENTS as f64 / seconds;
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    journal.close().await;
    Ok(vec![
        Figure {
            what: format!("admit, {AT_ONCE} at once"),
            yardstick: format!("{raw:.0} rows/s raw"),
            ours: format!("{ours:.0} events/s"),
            ratio: ours / raw,
            goal: "≥ 0.5",
        },
        Figure {
            what: format!("admit, p99 of {AT_ONCE} at once (p50 {})", millis(median(waits))),
            yardstick: format!("fdatasync {}", millis(fsync)),
            ours: millis(p99),
            ratio: p99.as_secs_f64() / fsync.as_secs_f64(),
            goal: "≤ 10",
        },
    ])
}

/// Rows of about an event's bytes, so many a transaction as wait at once.
async fn rows_per_second(folder: &TempDir) -> Result<f64> {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE row (number INTEGER PRIMARY KEY, body BLOB)").execute(&mut connection).await?;
    let body = vec![b'x'; 2048];
    let started = Instant::now();
    for _ in 0..EVENTS / AT_ONCE {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO row (body) ");
        query.push_values(0..AT_ONCE, |mut row, _| {
            row.push_bind(body.as_slice());
        });
        query.build().execute(&mut connection).await?;
        sqlx::query("COMMIT").execute(&mut connection).await?;
    }
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let rows = (EVENTS / AT_ONCE * AT_ONCE) as f64;
    Ok(rows / started.elapsed().as_secs_f64())
}
