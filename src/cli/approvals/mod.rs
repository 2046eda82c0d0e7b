//! `reveille approvals`: what agents ask people, one question in full, and the operator's answer to it.

mod answer;
mod desk;
mod list;
mod show;

use super::context::Context;
use super::failure::{Code, Failure};
use crate::admin::{Answer, Asked, Ledger};
use crate::journal::Verdict;

/// How much of an id is shown in a list: enough to name it by.
const SHORT_ID: usize = 12;

/// The most ids that an ambiguous one is told to mean.
const NAMED_MAX: usize = 5;

/// Arguments of `approvals`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List those that wait, the oldest first (this is what `approvals` alone does)
    List(list::ListArgs),
    /// Show one: everything that a yes to it binds, and what came of it
    Show(show::ShowArgs),
    /// Say yes: the calls are made, once
    Approve(answer::AnswerArgs),
    /// Say no: none of the calls is made
    Deny(answer::AnswerArgs),
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    match &args.action {
        None => list::run(context, &args.list).await,
        Some(Action::List(list)) => list::run(context, list).await,
        Some(Action::Show(show)) => show::run(context, show).await,
        Some(Action::Approve(given)) => answer::run(context, given, Answer::Approve).await,
        Some(Action::Deny(given)) => answer::run(context, given, Answer::Deny).await,
    }
}

/// The one approval that is meant by an id, the beginning of one, or the reference of a question.
async fn pick(ledger: &Ledger, name: &str, now_ms: i64) -> Result<Asked, Failure> {
    let mut found = ledger.find(name, now_ms).await?;
    if found.len() > 1 {
        let shown: Vec<_> = found.iter().take(NAMED_MAX).map(|asked| asked.id.as_str()).collect();
        let what = format!("`{name}` may mean {} approvals", found.len());
        return Err(Failure::new(Code::UnknownApproval, what, format!("say more of the id: {}", shown.join(", "))));
    }
    found.pop().ok_or_else(|| {
        let help = "`reveille approvals` lists those that wait, `reveille approvals --all` those that do not any more";
        Failure::new(Code::UnknownApproval, format!("there is no approval `{name}`"), help)
    })
}

/// The failure of an answer that came to a question which is not open.
fn closed(asked: &Asked) -> Failure {
    let what = format!("{} cannot be answered: {}", short(asked), asked.outcome());
    let help = match asked.verdict {
        Some(Verdict::Approved) => {
            format!("`reveille turns show {} {}` tells what was done", asked.instance, asked.turn)
        }
        _ => "nothing of it was done; ask the agent again, and it puts a new question".to_owned(),
    };
    Failure::new(Code::Decided, what, help)
}

/// The beginning of an id, as long as people need it.
fn short(asked: &Asked) -> String {
    asked.id.chars().take(SHORT_ID).collect()
}

/// The tools of the calls, each once, with how often.
fn tools(asked: &Asked) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for tool in &asked.tools {
        match counted.iter_mut().find(|(name, _)| name == tool) {
            Some((_, count)) => *count += 1,
            None => counted.push((tool, 1)),
        }
    }
    let shown =
        counted.iter().map(|(name, count)| if *count == 1 { (*name).to_owned() } else { format!("{name} x{count}") });
    shown.collect::<Vec<_>>().join(", ")
}
