//! `reveille approvals approve` and `deny`: the operator's answer, through the gateway that runs.

use super::desk::{Desk, Said};
use super::{closed, pick, short, tools};
use crate::admin::{Answer, ApiToken, Asked, Ledger};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::journal;
use crate::cli::serve::listen_flag;
use crate::clock::{Clock, SystemClock};
use crate::config::{Mode, Storage};
use crate::journal::embedded::reader::Reader;

/// Which one.
#[derive(Debug, clap::Args)]
pub(super) struct AnswerArgs {
    /// Its id, the beginning of its id, or the reference that stands in the thread
    id: String,

    /// Where the gateway listens, in place of server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &mut Context, args: &AnswerArgs, answer: Answer) -> Result<(), Failure> {
    let config = context.load(Mode::Tool, listen_flag(args.listen.as_deref()))?;
    let Storage::Folder(folder) = &config.storage;
    if !journal::is_in(folder) {
        return Err(journal::no_journal(folder));
    }
    let ledger = Ledger::new(Reader::open(folder).await?);
    let asked = pick(&ledger, &args.id, SystemClock.now_ms()).await?;
    if asked.verdict.is_some() {
        return Err(closed(&asked));
    }
    let desk = Desk::new(config.server.listen, folder, ApiToken::read(folder)?)?;
    let (said, json) = desk.decide(&asked, answer).await?;
    if args.json {
        return Ok(context.output.json(&json)?);
    }
    for line in told(&asked, answer, said) {
        context.output.line(line)?;
    }
    Ok(())
}

/// What was done, and what happens next.
fn told(asked: &Asked, answer: Answer, said: Said) -> [String; 2] {
    let (tools, address) = (tools(asked), &asked.address);
    let follow = format!("`reveille turns show {} {}`", journal::short(asked.instance), asked.turn);
    match (said, answer) {
        (Said::Taken, _) => [
            format!("Your answer to {} is on record; {address} has not come to it yet.", short(asked)),
            format!("`reveille approvals show {}` tells what came of it.", short(asked)),
        ],
        (Said::Decided, Answer::Approve) => [
            format!("Approved, by the operator: {tools}, for {address}."),
            format!("It is done now, once; {follow} tells what came of it."),
        ],
        (Said::Decided, Answer::Deny) => [
            format!("Denied, by the operator: {tools}, for {address}."),
            format!("Nothing of it is done, and the agent is told so; {follow} tells how it goes on."),
        ],
    }
}
