//! `cargo xtask run`: from a fresh checkout to a gateway one can talk to.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::assets;
use crate::step::{cargo, say};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `reveille dev`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    dev: Vec<OsString>,
}

/// Builds the gateway and becomes it.
///
/// The dev profile: dependencies are optimised in it and ours are not, which is enough to talk to, and the first start
/// comes minutes earlier than with the release profile and its link-time optimisation.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    assets::fetch()?;
    say("Building reveille; the first time takes some minutes.");
    let mut dev = cargo();
    dev.args(["run", "--quiet", "--locked", "--package", "reveille", "--", "dev"]).args(&arguments.dev);
    become_it(dev)
}

/// Signals then reach the gateway and nothing in between, and the shell waits for it to drain.
#[cfg(unix)]
fn become_it(mut command: std::process::Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    Err(anyhow::Error::new(command.exec()).context("cargo cannot be started"))
}

#[cfg(not(unix))]
fn become_it(mut command: std::process::Command) -> Result<ExitCode> {
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
