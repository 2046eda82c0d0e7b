//! A script: it says line by line what the standard input has, and prints each answer when it is complete.

use super::lines::Lines;
use super::{Args, HELP, Meaning, meaning};
use crate::cli::answer::Answer;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::journal::count;
use crate::cli::run::{REHEARSAL_NOTE, failed};
use crate::cli::serve::Signals;
use crate::cli::talk::Prepared;
use crate::journal::Outcome;
use crate::local::Session;

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
    // What an earlier process left undone is no answer to any of these lines.
    answer(session, &mut signals).await?;
    let (mut asked, mut failures) = (0usize, 0usize);
    while let Some(text) = next_line(context, &mut lines, &mut signals).await? {
        session.say(&text).await?;
        let answer = answer(session, &mut signals).await?;
        print(context, args, prepared, &answer, session.address())?;
        asked += 1;
        failures += usize::from(answer.outcome() != Outcome::Completed);
    }
    if failures == 0 {
        return Ok(());
    }
    let what = format!("{failures} of {} did not complete", count(asked, "turn"));
    Err(Failure::new(Code::Turn, what, "the messages above say why"))
}

/// What comes until all is answered.
async fn answer(session: &mut Session, signals: &mut Signals) -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    loop {
        let happened = tokio::select! {
            biased;
            () = signals.next() => {
                session.stop_turn().await?;
                let what = "a signal came before the line was answered";
                return Err(Failure::new(Code::Turn, what, "say it again, and the lines after it"));
            }
            happened = session.next() => happened?,
        };
        let Some(happened) = happened else { return Ok(answer) };
        answer.take(&happened);
    }
}

/// The next line for the agent; `None` at the end.
async fn next_line(context: &mut Context, lines: &mut Lines, signals: &mut Signals) -> Result<Option<String>, Failure> {
    loop {
        let line = tokio::select! {
            biased;
            () = signals.next() => None,
            line = lines.next() => line.transpose()?,
        };
        let Some(line) = line else { return Ok(None) };
        match meaning(&line) {
            Meaning::Nothing => {}
            Meaning::Quit => return Ok(None),
            Meaning::Help => context.output.line(HELP)?,
            Meaning::Unknown(word) => {
                let what = format!("there is no command /{word}");
                let help = "there are /help and /quit; a blank before it makes it a line like any other";
                return Err(Failure::new(Code::Input, what, help));
            }
            Meaning::Say(text) => return Ok(Some(text.to_owned())),
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
