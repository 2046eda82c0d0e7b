//! `reveille completions SHELL`.

use clap_complete::Shell;

use super::context::Context;
use super::failure::Failure;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "reveille", &mut script);
    context.output.raw().write_all(&script)?;
    Ok(())
}
