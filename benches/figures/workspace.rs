//! A search through a workspace of 10,000 files, beside reading the same files from the disk and searching them.
//!
//! The yardstick walks the tree, reads each file and finds the lines with the same engine, on one thread; with `rg` on the
//! path, ripgrep on one thread is a second one. Everything is in the page cache for all of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use regex::bytes::RegexBuilder;
use reveille::workspace::{Change, Grep, Quotas, Workspace, WorkspacePath, Workspaces};
use reveille_channel::InstanceId;
use tempfile::TempDir;

use crate::{Figure, median, millis};

const FILES: usize = 10_000;
const ROUNDS: usize = 5;

/// What is looked for, and what one file of ten has once.
const PATTERN: &str = r"needle_\d+";

/// Files come as patches of so many.
const AT_ONCE: usize = 500;

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let tree = folder.path().join("tree");
    let workspace = Workspaces::new(&folder.path().join("data"), Quotas::default()).of(InstanceId::of("figures"));
    let bytes = fill(&workspace, &tree).await?;
    let query = Grep {
        pattern: PATTERN.to_owned(),
        literal: false,
        ignore_case: false,
        path: None,
        glob: None,
        most: FILES,
        patience: Duration::from_secs(60),
    };
    let (mut ours, mut reading, mut ripgrep) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let found = workspace.grep(&query).await?;
        ours.push(started.elapsed());
        anyhow::ensure!(found.searched == FILES && found.lines.len() == FILES / 10, "not everything was found");
        let started = Instant::now();
        anyhow::ensure!(search(&tree)? == FILES / 10, "the yardstick finds something else");
        reading.push(started.elapsed());
        let started = Instant::now();
        if let Some(lines) = rg(&tree) {
            anyhow::ensure!(lines? == FILES / 10, "ripgrep finds something else");
            ripgrep.push(started.elapsed());
        }
    }
    workspace.close().await;
    let ours = median(ours);
    let mut yardsticks = vec![("files from the disk, regex crate", median(reading))];
    if !ripgrep.is_empty() {
        yardsticks.push(("ripgrep -j1", median(ripgrep)));
    }
    let figure = |(name, yardstick): (&str, Duration)| Figure {
        what: format!("grep a workspace, {FILES} files, {} MB", bytes / 1_000_000),
        yardstick: format!("{name} {}", millis(yardstick)),
        ours: millis(ours),
        ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
        goal: "≤ 2",
    };
    Ok(yardsticks.into_iter().map(figure).collect())
}

/// The same files in the workspace and on the disk; how many bytes they have.
async fn fill(workspace: &Workspace, tree: &Path) -> Result<usize> {
    let mut bytes = 0;
    let mut patch = String::new();
    for number in 0..FILES {
        let name = format!("src/{:02}/{number}.rs", number % 100);
        let mut lines: Vec<String> =
            (0..24).map(|line| format!("let value_{number}_{line} = compute({line}, \"{number}\");")).collect();
        if number % 10 == 0 {
            lines.insert(12, format!("// needle_{number} is here"));
        }
        let text = lines.join("\n") + "\n";
        bytes += text.len();
        let file = tree.join(&name);
        fs::create_dir_all(file.parent().context("it is in a folder")?)?;
        fs::write(file, &text)?;
        patch.push_str(&format!("--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{} @@\n", lines.len()));
        for line in &lines {
            patch.push_str(&format!("+{line}\n"));
        }
        if (number + 1) % AT_ONCE == 0 {
            workspace.apply(None, 1, &Change::Patch { patch: std::mem::take(&mut patch) }).await?;
        }
    }
    let sample = workspace.read(&WorkspacePath::parse("src/00/0.rs")?).await?;
    anyhow::ensure!(sample.bytes == fs::read(tree.join("src/00/0.rs"))?, "both hold the same");
    Ok(bytes)
}

/// How many lines are found.
fn search(tree: &Path) -> Result<usize> {
    let regex = RegexBuilder::new(PATTERN).multi_line(true).crlf(true).build()?;
    let mut found = 0;
    let mut waiting = vec![tree.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else {
                found += regex.find_iter(&fs::read(entry.path())?).count();
            }
        }
    }
    Ok(found)
}

/// The same by ripgrep; `None`: it is not installed.
fn rg(tree: &Path) -> Option<Result<usize>> {
    let mut command = Command::new("rg");
    command.args(["-j1", "--no-config", "--no-ignore", "--line-number", PATTERN]).arg(tree).stdin(Stdio::null());
    let output = command.output().ok()?;
    Some(Ok(output.stdout.iter().filter(|byte| **byte == b'\n').count()))
}
