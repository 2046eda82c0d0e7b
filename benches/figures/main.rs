//! `cargo xtask bench`: the figures of speed and memory, each beside a yardstick taken in the same run.
//!
//! A figure is a ratio: machines differ, and a disk's fsync differs most. Nothing here fails for being slow.

#![expect(clippy::print_stdout, reason = "it is a program that prints a table")]

mod admit;
mod memory;
mod prompt;
mod quiet;
mod render;
mod resume;
mod served;
mod start;
mod talk;
mod turn;
mod verify;
mod wake;
mod workspace;

use std::time::{Duration, Instant};

use anyhow::Result;
use comfy_table::Table;

/// One line of the table.
struct Figure {
    what: String,
    yardstick: String,
    ours: String,
    ratio: f64,
    goal: &'static str,
}

fn main() -> Result<()> {
    // cargo passes `--bench`.
    let names: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut figures = Vec::new();
    if wanted("verify") {
        figures.extend(verify::figures()?);
    }
    if wanted("render") {
        figures.extend(render::figures()?);
    }
    if wanted("admit") {
        figures.extend(runtime.block_on(admit::figures())?);
    }
    if wanted("turn") {
        figures.extend(runtime.block_on(turn::figures())?);
    }
    if wanted("wake") {
        figures.extend(runtime.block_on(wake::figures())?);
    }
    if wanted("memory") {
        figures.extend(runtime.block_on(memory::figures())?);
    }
    if wanted("start") {
        figures.extend(start::figures()?);
    }
    if wanted("resume") {
        figures.extend(runtime.block_on(resume::figures())?);
    }
    if wanted("talk") {
        figures.extend(runtime.block_on(talk::figures())?);
    }
    if wanted("codemode") {
        figures.extend(prompt::figures()?);
    }
    if wanted("workspace") {
        figures.extend(runtime.block_on(workspace::figures())?);
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["figure", "yardstick", "ours", "ratio", "goal"]);
    for one in &figures {
        table.add_row([
            one.what.clone(),
            one.yardstick.clone(),
            one.ours.clone(),
            format!("{:.2}", one.ratio),
            one.goal.to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}

/// The middle of some durations.
fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

/// One fdatasync of a page, the middle of twenty: what durability costs on this disk.
fn one_fsync(folder: &std::path::Path) -> Result<Duration> {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("fsync"))?;
    let mut durations = Vec::new();
    for _ in 0..20 {
        file.write_all(&[0; 4096])?;
        let started = Instant::now();
        file.sync_data()?;
        durations.push(started.elapsed());
    }
    Ok(median(durations))
}

/// Resident memory of this process, MB.
fn resident_mb() -> Result<f64> {
    resident_mb_of(std::process::id())
}

/// Resident memory of a process, MB.
fn resident_mb_of(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kb: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kb / 1024.0)
}
