//! The project's own commands: `cargo xtask assets | run | test | bench`.
//!
//! They need Rust, Node and a C compiler and bring everything else themselves, into a cache folder outside the
//! checkout. Compiled on every fresh machine before anything else, so the dependencies stay few.

mod assets;
mod bench;
mod run;
mod step;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch what the build needs and the repository does not keep
    Assets,
    /// Build and start `reveille dev`
    Run(run::Arguments),
    /// Run every check and print one summary
    Test(test::Arguments),
    /// Measure, and print the figures beside their yardsticks
    Bench(bench::Arguments),
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Assets => assets::run(),
        Command::Run(arguments) => run::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    }
}
