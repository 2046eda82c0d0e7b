//! From the start of the process to readiness, beside `--version`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{Figure, median, millis};

const ROUNDS: usize = 15;

pub(crate) fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    std::fs::write(folder.path().join("reveille.toml"), "[server]\nlisten = \"127.0.0.1:0\"\n")?;
    let reveille = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command.current_dir(folder.path()).stderr(Stdio::null()).stdout(Stdio::piped());
        command
    };
    let mut version = Vec::new();
    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        reveille().arg("--version").output()?;
        version.push(started.elapsed());
        let started = Instant::now();
        let mut child = reveille().arg("serve").spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output is ours")?).read_line(&mut line)?;
        let elapsed = started.elapsed();
        child.kill()?;
        child.wait()?;
        anyhow::ensure!(line.contains("listening"), "it did not start: {line}");
        ready.push(elapsed);
    }
    let (version, ready) = (median(version), median(ready));
    let more = ready.saturating_sub(version);
    Ok(vec![Figure {
        what: "start to ready, over --version".into(),
        yardstick: format!("--version {}", millis(version)),
        ours: format!("+{}", millis(more)),
        ratio: more.as_secs_f64() / Duration::from_millis(200).as_secs_f64(),
        goal: "≤ 1 (+200 ms)",
    }])
}
