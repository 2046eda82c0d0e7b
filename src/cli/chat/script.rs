//! A script: it says line by line what the standard input has, and prints each answer when it is complete.

use std::collections::HashSet;

use reveille_local::question;

use super::lines::Lines;
use super::{Args, HELP, Meaning, meaning};
use crate::cli::answer::Answer;
use crate::cli::asking::{Beforehand, STILL_OPEN, pick, refusal};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::journal::count;
use crate::cli::run::{REHEARSAL_NOTE, failed};
use crate::cli::serve::Signals;
use crate::cli::talk::Prepared;
use crate::journal::Outcome;
use crate::local::{Open, Session};

/// What is said where a question is open and no line answers it any more.
const NOBODY: &str = "the lines have come to their end, so the answer is no. A line `/approve` agrees";

/// A line that asks for something.
enum Line {
    Say(String),
    /// The question, and the choice.
    Answer(Box<Open>, &'static str),
}

/// Talks until the standard input ends.
pub(super) async fn talks(
    context: &mut Context,
    args: &Args,
    prepared: &Prepared,
    session: &mut Session,
) -> Result<(), Failure> {
    if prepared.is_rehearsal {
        context.note(REHEARSAL_NOTE);
    }
    let mut signals = Signals::listen()?;
    let mut lines = Lines::start()?;
    let mut beforehand = Beforehand::new(&[], NOBODY);
    let (mut asked, mut failures) = (0usize, 0usize);
    // What an earlier process left undone is no answer to any of these lines.
    let (mut answer, mut is_ours) = (Answer::default(), false);
    let (mut told, mut is_reminded, mut is_over) = (HashSet::new(), false, false);
    loop {
        follow(context, session, &mut signals, &mut answer).await?;
        let open = session.open();
        if open.is_empty() {
            let complete = std::mem::take(&mut answer);
            if std::mem::take(&mut is_ours) {
                print(context, args, prepared, &complete, session.address())?;
                asked += 1;
                failures += usize::from(complete.outcome() != Outcome::Completed);
            }
            is_reminded = false;
        }
        for one in open.iter().filter(|one| told.insert(one.approval.clone())) {
            context.note(&question(&one.ask));
        }
        let line = if is_over { None } else { next_line(context, &mut lines, &mut signals, session).await? };
        match line {
            None if open.is_empty() => break,
            None => {
                is_over = true;
                if !beforehand.answer(context, None, session).await? {
                    break;
                }
            }
            Some(Line::Say(text)) => {
                if !open.is_empty() && !std::mem::replace(&mut is_reminded, true) {
                    context.note(STILL_OPEN);
                }
                session.say(&text).await?;
                is_ours = true;
            }
            Some(Line::Answer(question, choice)) => drop(session.answer(&question, choice).await?),
        }
    }
    if failures == 0 {
        return Ok(());
    }
    let what = format!("{failures} of {} did not complete", count(asked, "turn"));
    Err(Failure::new(Code::Turn, what, "the messages above say why"))
}

/// Takes in what comes until all is answered, or until the agent waits for an answer itself.
async fn follow(
    context: &mut Context,
    session: &mut Session,
    signals: &mut Signals,
    answer: &mut Answer,
) -> Result<(), Failure> {
    loop {
        let happened = tokio::select! {
            biased;
            () = signals.next() => return Err(interrupted(session).await?),
            happened = session.next() => happened?,
        };
        let Some(happened) = happened else { return Ok(()) };
        answer.take(&happened);
        if let Some(why) = refusal(&happened) {
            context.note(why);
        }
    }
}

/// Stops the turn that a signal came into.
async fn interrupted(session: &mut Session) -> Result<Failure, Failure> {
    session.stop_turn().await?;
    let what = "a signal came before the line was answered";
    Ok(Failure::new(Code::Turn, what, "say it again, and the lines after it"))
}

/// The next line for the agent; `None` at the end.
async fn next_line(
    context: &mut Context,
    lines: &mut Lines,
    signals: &mut Signals,
    session: &mut Session,
) -> Result<Option<Line>, Failure> {
    loop {
        let line = tokio::select! {
            biased;
            () = signals.next() => match session.open().is_empty() {
                true => None,
                false => return Err(interrupted(session).await?),
            },
            line = lines.next() => line.transpose()?,
        };
        let Some(line) = line else { return Ok(None) };
        match meaning(&line) {
            Meaning::Nothing => {}
            Meaning::Quit => return Ok(None),
            Meaning::Help => context.output.line(HELP)?,
            Meaning::Answer(choice, which) => match pick(&session.open(), which) {
                Ok(open) => return Ok(Some(Line::Answer(Box::new(open.clone()), choice))),
                Err(complaint) => context.note(&complaint),
            },
            Meaning::Unknown(word) => {
                let what = format!("there is no command /{word}");
                let help =
                    "there are /help, /quit, /approve and /deny; a blank before it makes it a line like any other";
                return Err(Failure::new(Code::Input, what, help));
            }
            Meaning::Say(text) => return Ok(Some(Line::Say(text.to_owned()))),
        }
    }
}

fn print(
    context: &mut Context,
    args: &Args,
    prepared: &Prepared,
    answer: &Answer,
    address: &str,
) -> Result<(), Failure> {
    if args.json {
        return Ok(context.output.json_line(&answer.report(&prepared.agent.name, address, prepared.is_rehearsal))?);
    }
    context.output.prose(&answer.text())?;
    context.output.prose("\n")?;
    if answer.outcome() != Outcome::Completed {
        context.report(&failed(prepared, answer, (!args.ephemeral).then_some(address)));
    }
    Ok(())
}
