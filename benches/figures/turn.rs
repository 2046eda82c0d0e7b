//! Whole turns (event, model, tool, model, reply) with a model and a platform that cost nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::quiet::{gateway, limits, send};
use crate::{Figure, median, millis, one_fsync};

const LONE: usize = 200;
const MANY: usize = 4_000;

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let (gateway, mut dones) = gateway(folder.path(), limits(Duration::from_secs(10))).await?;
    let (mut durations, mut fsyncs) = (Vec::new(), Vec::new());
    for number in 0..LONE {
        // A disk's fsync can change between one second and the next: both are taken side by side.
        if number % 10 == 0 {
            fsyncs.push(one_fsync(folder.path())?);
        }
        let started = Instant::now();
        send(&gateway, number).await?;
        dones.recv().await.context("the gateway stopped")?;
        durations.push(started.elapsed());
    }
    let (lone, fsync) = (median(durations), median(fsyncs));
    let allowed = fsync * 4 + Duration::from_millis(3);
    let mut figures = vec![Figure {
        what: "a lone turn, event to reply".into(),
        yardstick: format!("4 fdatasync + 3 ms = {}", millis(allowed)),
        ours: millis(lone),
        ratio: lone.as_secs_f64() / allowed.as_secs_f64(),
        goal: "≤ 1",
    }];
    let mut next = LONE;
    for at_once in [64, 256] {
        let started = Instant::now();
        let last = next + MANY;
        for _ in 0..at_once {
            send(&gateway, next).await?;
            next += 1;
        }
        for _ in 0..MANY {
            dones.recv().await.context("the gateway stopped")?;
            if next < last {
                send(&gateway, next).await?;
                next += 1;
            }
        }
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let rate = MANY as f64 / started.elapsed().as_secs_f64();
        figures.push(Figure {
            what: format!("durable turns, {at_once} at once"),
            yardstick: "1000 turns/s".into(),
            ours: format!("{rate:.0} turns/s"),
            ratio: rate / 1000.0,
            goal: "≥ 1",
        });
    }
    gateway.stop(None).await;
    Ok(figures)
}
