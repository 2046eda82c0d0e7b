//! Waking a hibernated instance, beside opening its file with SQLite and reading one row.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reveille::journal::embedded::{Embedded, Options};
use reveille::journal::{Admitted, Checkpoint, Engine, Fence, Release};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use crate::quiet::admission;
use crate::{Figure, median, millis};

const ROUNDS: usize = 100;

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, bytes) in [("1 kB", 1_000), ("1 MB", 1_000_000)] {
        let folder = TempDir::new()?;
        let journal = Embedded::open(folder.path(), Options::default()).await?;
        let Admitted::New(ids) = journal.admit(admission(1)).await?.into_inner() else {
            anyhow::bail!("the event is new");
        };
        let id = *ids.first().context("one instance")?;
        let mut waking = Vec::new();
        let mut opening = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let claim = journal.claim(id).await?.into_inner();
            waking.push(started.elapsed());
            let state = format!("\"{}\"", "x".repeat(bytes));
            let next_offset = 1;
            let fence: Fence = claim.fence;
            let checkpoint = Some(Box::new((Checkpoint { next_offset, state }, Vec::new())));
            journal.release(Release { fence, next_offset, wake_at_ms: None, checkpoint }).await?;
            let text = id.to_string();
            let (first, rest) = text.split_at(2);
            let path = folder.path().join("instances").join(first).join(rest.split_at(2).0).join(format!("{text}.db"));
            let started = Instant::now();
            let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await?;
            sqlx::query("SELECT state FROM state").fetch_one(&mut connection).await?;
            opening.push(started.elapsed());
            connection.close().await?;
        }
        let (ours, yardstick): (Duration, Duration) = (median(waking), median(opening));
        figures.push(Figure {
            what: format!("wake an instance of {name}"),
            yardstick: format!("open and read {}", millis(yardstick)),
            ours: millis(ours),
            ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
            goal: "≤ 3",
        });
        journal.close().await;
    }
    Ok(figures)
}
