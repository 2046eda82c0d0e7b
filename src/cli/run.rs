//! `reveille run`: one turn of an agent, its answer on the standard output, and an exit code.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use super::answer::Answer;
use super::asking::{self, Beforehand};
use super::context::Context;
use super::failure::{Code, Failure};
use super::input;
use super::screen::Screen;
use super::serve::Signals;
use super::talk::{self, Place, Prepared, conversation_name};
use crate::agent::{BUILT_IN_TOOLS, matches_pattern};
use crate::journal::Outcome;
use crate::local::Session;

/// How long a kept turn that is interrupted may take to come to its end.
const STOP_WAIT: Duration = Duration::from_secs(5);

const WHEN_LOCKED: &str =
    "stop that process, or leave --keep out: the turn then has a folder of its own and leaves nothing behind";

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The agent: a folder in `agents/`
    agent: String,

    /// What to say: a text file, or `-` for the standard input, which is also read where it is no terminal
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// Print one JSON object: outcome, reason, text, agent, model, instance, turn, usage, tool calls
    #[arg(long)]
    json: bool,

    /// Keep the turn in the project's storage, for `reveille turns`; without this nothing is left behind
    #[arg(long)]
    keep: bool,

    /// Go on with the kept conversation of this name; without one each run is a conversation of its own
    #[arg(long, value_name = "NAME", requires = "keep", value_parser = conversation_name)]
    name: Option<String>,

    /// Agree beforehand, for this run, to calls of tools that people have to agree to: a tool's name, or `github.*`; may be
    /// repeated. Without it each such question is answered with a no: a run has nobody to ask
    #[arg(long, value_name = "PATTERN", value_parser = asking::pattern)]
    approve: Vec<String>,

    /// Fail where no model is configured, instead of playing an answer from a file
    #[arg(long)]
    no_rehearsal: bool,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let prepared = talk::prepare(context, Some(&args.agent), !args.no_rehearsal, "warn")?;
    check_agreed(&prepared, &args.approve)?;
    let text = input::whole(args.input.as_deref())?;
    if prepared.is_rehearsal {
        context.note(REHEARSAL_NOTE);
    }
    let place = Place::new(&prepared, args.keep)?;
    let name = args.name.clone().unwrap_or_else(|| format!("run-{:016x}", rand::random::<u64>()));
    let mut session = talk::begin(&prepared, &place, &name, WHEN_LOCKED).await?;
    let answer = answer(context, args, &mut session, &text).await;
    let address = session.address().to_owned();
    session.close(place.is_kept()).await;
    let answer = answer?;
    print(context, args, &prepared, &answer, &address)?;
    if answer.outcome() == Outcome::Completed {
        return Ok(());
    }
    Err(failed(&prepared, &answer, place.is_kept().then_some(address.as_str())))
}

/// What is said where a run would have to ask people.
const NOBODY: &str =
    "`run` has nobody to ask, so the answer is no. `--approve` agrees to tools beforehand; `reveille chat` asks you";

/// A pattern that means none of the agent's tools agrees to nothing, which whoever wrote it does not want.
fn check_agreed(prepared: &Prepared, agreed: &[String]) -> Result<(), Failure> {
    let agent = &prepared.agent;
    let is_its =
        |pattern: &str| BUILT_IN_TOOLS.iter().any(|tool| agent.may_use(tool) && matches_pattern(pattern, tool));
    match agreed.iter().find(|pattern| !is_its(pattern)) {
        None => Ok(()),
        Some(pattern) => {
            let what = format!("--approve {pattern} means none of the tools of `{}`", agent.name);
            Err(Failure::new(Code::Input, what, "look at `tools:` in its file, or leave it out"))
        }
    }
}

/// What is said where no model is configured.
pub(super) const REHEARSAL_NOTE: &str = "no model is configured: this is a rehearsal, played from a file. Set \
    ANTHROPIC_API_KEY, or add a table under [models]";

/// Says it and waits for the answer. A signal ends the turn.
async fn answer(context: &mut Context, args: &Args, session: &mut Session, text: &str) -> Result<Answer, Failure> {
    let mut signals = Signals::listen()?;
    let mut stopped = pin!(signals.next());
    let mut answer = Answer::default();
    let mut screen = Screen::default();
    let is_watched = context.output.is_terminal() && !args.json;
    if session.is_asking() {
        // What is agreed to beforehand is for this run, and a question of an earlier one is not this run's to answer.
        return Err(Failure::new(
            Code::Input,
            "the conversation of that name waits for an answer to a question of an earlier turn",
            "answer it in `reveille chat` under the same name, or run under another name",
        ));
    }
    let mut beforehand = Beforehand::new(&args.approve, NOBODY);
    session.say(text).await?;
    let mut give_up_at = None;
    loop {
        let given_up = async {
            match give_up_at {
                None => std::future::pending().await,
                Some(at) => tokio::time::sleep_until(at).await,
            }
        };
        let happened = tokio::select! {
            biased;
            () = &mut stopped, if give_up_at.is_none() => {
                // What is kept would be gone on with by the next process that opens the storage.
                session.stop_turn().await?;
                let wait = if args.keep { STOP_WAIT } else { Duration::ZERO };
                give_up_at = Some(tokio::time::Instant::now() + wait);
                continue;
            }
            () = given_up => {
                answer.interrupt();
                break;
            }
            happened = session.next() => happened?,
        };
        let Some(happened) = happened else {
            if session.open().is_empty() {
                break;
            }
            let screen = is_watched.then_some(&mut screen);
            if beforehand.answer(context, screen, session).await? {
                continue;
            }
            answer.interrupt();
            break;
        };
        answer.take(&happened);
        if is_watched {
            screen.take(&mut context.output, &happened, session.text_bytes())?;
        }
    }
    screen.end(&mut context.output)?;
    Ok(answer)
}

fn print(
    context: &mut Context,
    args: &Args,
    prepared: &Prepared,
    answer: &Answer,
    address: &str,
) -> Result<(), Failure> {
    if args.json {
        let report = answer.report(&prepared.agent.name, address, prepared.is_rehearsal);
        context.output.json(&report)?;
    } else if !context.output.is_terminal() {
        let text = answer.text();
        context.output.prose(&text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            context.output.prose("\n")?;
        }
    }
    Ok(())
}

/// The failure of a turn that did not complete; `kept` is its instance, where one can look at it.
pub(super) fn failed(prepared: &Prepared, answer: &Answer, kept: Option<&str>) -> Failure {
    let reason = answer.reason().unwrap_or_else(|| "no reason is on record".to_owned());
    let did = if answer.outcome() == Outcome::Aborted { "was stopped" } else { "failed" };
    let what = format!("the turn of `{}` {did}: {reason}", prepared.agent.name);
    let help = match (kept, answer.turn()) {
        (Some(address), Some(turn)) => format!("`reveille turns show {address} {turn}` has every record of it"),
        _ => {
            "`reveille doctor` checks the model; with --keep and `reveille turns` you can look at every step".to_owned()
        }
    };
    Failure::new(Code::Turn, what, help)
}
