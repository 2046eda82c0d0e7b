//! The command line: arguments in, text and an exit code out.
//!
//! One file per command. A command gets a [`Context`], answers on its [`Output`] and fails with a [`Failure`], which says
//! what happened, where, and what to do next. Results go to the standard output, everything else to the standard error.
//! Text from outside (names, messages, files) reaches a terminal only through [`Output`], which takes its control
//! characters away. Nothing below this module prints.
//!
//! # Adding a command
//!
//! 1. A file with `Args` (clap) and `async fn run(&mut Context, &Args) -> Result<(), Failure>`.
//! 2. A variant of [`Command`] with a doc comment, which is its help text.
//! 3. Listings take `--json`, with field names that stay.
//! 4. A new kind of failure is a [`Code`] with a page in `docs/errors/`.

mod add;
mod agents;
mod answer;
mod approvals;
mod asking;
mod chat;
mod completions;
mod context;
mod dev;
mod doctor;
mod explain;
mod failure;
mod files;
mod init;
mod input;
mod instances;
mod journal;
mod listing;
mod output;
mod records;
pub mod report;
mod run;
mod say;
mod screen;
mod serve;
mod tail;
mod talk;
mod turns;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::telemetry::Format;

pub use context::Context;
pub use explain::PAGES;
pub use failure::{Code, Failure};
pub use listing::{Cell, Listing, Tone};
pub use output::Output;

/// A self-hosted, channel-first gateway for chat-ops agents.
#[derive(Debug, Parser)]
#[command(name = "reveille", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options of every command")]
    config: Option<PathBuf>,

    /// How the log is written, on the standard error; REVEILLE_LOG filters it
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Options of every command"
    )]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a bot project in a folder; files that are there are kept
    Init(init::Args),
    /// Add a channel, an agent or a skill to the project
    Add(add::Args),
    /// Check configuration, credentials, model, disk, database and clock, with a fix for each red line
    Doctor(doctor::Args),
    /// Run the gateway on a laptop, with simulated platforms and no set-up
    Dev(dev::Args),
    /// Talk to an agent in the terminal; the conversation of the same name goes on
    Chat(chat::Args),
    /// Ask an agent once and print its answer: for scripts, GitHub Actions and GitLab CI
    Run(run::Args),
    /// In `dev`: speak as a person into a simulated platform, and watch the thread grow
    Say(say::Args),
    /// Run the gateway in production; an incomplete configuration stops it at once
    Serve(serve::Args),
    /// List the agents, or show one
    Agents(agents::Args),
    /// List the instances, show one, export one, or work with the files of one
    Instances(instances::Args),
    /// List the turns, or show one record by record
    Turns(turns::Args),
    /// List what waits for a person's yes, show one, approve or deny it
    Approvals(approvals::Args),
    /// Follow the journal's records live
    Tail(tail::Args),
    /// Print the page of an error, such as RV0011
    Explain(explain::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Runs a command line and says how the process should exit: 0 done, 1 failed, 2 wrong usage, 78 bad configuration.
pub fn main<I, T>(arguments: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` arrive here too. A closed output is nobody's failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut context = Context::of_process(cli.config, cli.log_format.into());
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(&mut context, &cli.command)),
        Err(error) => Err(Failure::output(&error)),
    };
    let outcome = outcome.and_then(|()| context.output.flush().map_err(Failure::from));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough of it: `reveille instances | head`.
        Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
        Err(failure) => {
            context.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(context: &mut Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Init(args) => init::run(context, args),
        Command::Add(args) => add::run(context, args).await,
        Command::Doctor(args) => doctor::run(context, args).await,
        Command::Dev(args) => dev::run(context, args).await,
        Command::Chat(args) => chat::run(context, args).await,
        Command::Run(args) => run::run(context, args).await,
        Command::Say(args) => say::run(context, args).await,
        Command::Serve(args) => serve::run(context, args).await,
        Command::Agents(args) => agents::run(context, args),
        Command::Instances(args) => instances::run(context, args).await,
        Command::Turns(args) => turns::run(context, args).await,
        Command::Approvals(args) => approvals::run(context, args).await,
        Command::Tail(args) => tail::run(context, args).await,
        Command::Explain(args) => explain::run(context, args),
        Command::Completions(args) => completions::run(context, args),
    }
}

/// The command line as clap knows it, for completions and the reference.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
