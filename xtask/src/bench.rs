//! `cargo xtask bench [NAME..]`: the figures, release build.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::assets;
use crate::step::{cargo, say, shown};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The figures to take; all of them if none is named
    names: Vec<String>,
}

/// The figures of code mode, which have a target of their own: its crate knows nothing of the gateway.
const CODEMODE: &str = "codemode";

/// Runs the benchmark targets that the names are of, and all of them for no name.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    assets::fetch()?;
    let others: Vec<&String> = arguments.names.iter().filter(|name| *name != CODEMODE).collect();
    let mut benches = Vec::new();
    if arguments.names.is_empty() || !others.is_empty() {
        let mut bench = cargo();
        bench.args(["bench", "--locked", "--package", "reveille", "--bench", "figures", "--"]).args(others);
        benches.push(bench);
    }
    if arguments.names.is_empty() || arguments.names.iter().any(|name| name == CODEMODE) {
        let mut bench = cargo();
        bench.args(["bench", "--locked", "--package", "reveille-codemode", "--bench", "codemode"]);
        benches.push(bench);
    }
    for mut bench in benches {
        say(format!("==> {}", shown(&bench)));
        let status = bench.status().context("cargo cannot be started")?;
        if !status.success() {
            say(format!("The figures were not taken: `{}` ended with {status}. What it said is above.", shown(&bench)));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
