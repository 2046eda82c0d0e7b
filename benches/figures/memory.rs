//! Resident memory after ten thousand instances each had a turn and went to sleep.

use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::quiet::{gateway, limits, send};
use crate::{Figure, resident_mb};

const INSTANCES: usize = 10_000;
const AT_ONCE: usize = 64;

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let (gateway, mut dones) = gateway(folder.path(), limits(Duration::ZERO)).await?;
    // What any turn needs once (threads, statement caches, buffers) is there before it is counted.
    let mut number = 0;
    let mut round = async |count: usize| -> Result<()> {
        for _ in 0..count / AT_ONCE {
            for _ in 0..AT_ONCE {
                send(&gateway, number).await?;
                number += 1;
            }
            for _ in 0..AT_ONCE {
                dones.recv().await.context("the gateway stopped")?;
            }
        }
        while gateway.directory().awake() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    };
    round(512).await?;
    let before = resident_mb()?;
    round(INSTANCES).await?;
    let after = resident_mb()?;
    gateway.stop(None).await;
    Ok(vec![Figure {
        what: "memory of 10,000 instances asleep".into(),
        yardstick: format!("before {before:.1} MB"),
        ours: format!("+{:.1} MB", after - before),
        ratio: (after - before) / 20.0,
        goal: "≤ 1 (+20 MB)",
    }])
}
