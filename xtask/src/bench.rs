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

/// Runs the benchmark target `figures`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    assets::fetch()?;
    let mut bench = cargo();
    bench.args(["bench", "--locked", "--package", "reveille", "--bench", "figures", "--"]).args(&arguments.names);
    say(format!("==> {}", shown(&bench)));
    let status = bench.status().context("cargo cannot be started")?;
    if status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    say(format!("The figures were not taken: `{}` ended with {status}. What it said is above.", shown(&bench)));
    Ok(ExitCode::FAILURE)
}
