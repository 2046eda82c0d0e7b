//! `reveille add`: a channel, an agent, a skill. What is written works at once; what is there is kept.

mod agent;
mod channel;
mod project;
mod skill;

use super::context::Context;
use super::failure::Failure;

/// Arguments of `add`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What can be added.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Connect a platform: writes the configuration, and says what to set up there
    Channel(channel::Args),
    /// Begin an agent
    Agent(agent::Args),
    /// Begin a skill of an agent
    Skill(skill::Args),
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Channel(args) => channel::run(context, args).await,
        What::Agent(args) => agent::run(context, args),
        What::Skill(args) => skill::run(context, args),
    }
}
