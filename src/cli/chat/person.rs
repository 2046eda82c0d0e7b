//! A person at a terminal: a prompt, answers that grow, Ctrl-C that stops them.

use reveille_local::question;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::editor::{Editor, Typed};
use super::{HELP, Meaning, meaning};
use crate::cli::asking::{STILL_OPEN, pick, refusal};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::input;
use crate::cli::journal::count;
use crate::cli::records::brief;
use crate::cli::run::REHEARSAL_NOTE;
use crate::cli::screen::Screen;
use crate::cli::talk::Prepared;
use crate::local::Session;

/// How many earlier messages are shown when a conversation goes on.
const SHOWN_EARLIER: usize = 4;

/// Talks until the person leaves.
pub(super) async fn talks(context: &mut Context, prepared: &Prepared, session: &mut Session) -> Result<(), Failure> {
    let mut screen = Screen::default();
    greet(context, &mut screen, prepared, session)?;
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut editor = Editor::start()?;
    // What an earlier terminal left undone comes first.
    let mut goes_on = follow(context, &mut screen, session, &mut interrupts).await?;
    // Somebody who goes on talking is told once that a question is open.
    let mut is_told = false;
    while goes_on {
        goes_on = match editor.line().await {
            Typed::End => false,
            // The answer is still coming: it waits.
            Typed::Interrupted if !session.open().is_empty() => {
                session.stop_turn().await?;
                follow(context, &mut screen, session, &mut interrupts).await?
            }
            Typed::Interrupted => {
                screen.note(&mut context.output, "Ctrl-D or /quit leaves")?;
                true
            }
            Typed::Broken(error) => {
                let what = format!("the terminal cannot be read: {error}");
                return Err(Failure::new(Code::Input, what, "pipe the lines in instead: `echo hello | reveille chat`"));
            }
            Typed::Line(line) => match meaning(&line) {
                // What became of a question meanwhile.
                Meaning::Nothing if !session.open().is_empty() => {
                    follow(context, &mut screen, session, &mut interrupts).await?
                }
                Meaning::Nothing => true,
                Meaning::Quit => false,
                Meaning::Help => {
                    screen.note(&mut context.output, HELP)?;
                    true
                }
                Meaning::Answer(choice, which) => match pick(&session.open(), which) {
                    Ok(open) => {
                        session.answer(open, choice).await?;
                        follow(context, &mut screen, session, &mut interrupts).await?
                    }
                    Err(complaint) => {
                        screen.note(&mut context.output, &complaint)?;
                        true
                    }
                },
                Meaning::Unknown(word) => {
                    screen.note(
                        &mut context.output,
                        &format!("there is no command /{word}; /help tells what there is"),
                    )?;
                    true
                }
                Meaning::Say(text) => match input::text(text.into(), "the line") {
                    Ok(text) => {
                        let is_open = !session.open().is_empty();
                        if is_open && !is_told {
                            screen.note(&mut context.output, STILL_OPEN)?;
                        }
                        is_told = is_open;
                        session.say(&text).await?;
                        follow(context, &mut screen, session, &mut interrupts).await?
                    }
                    Err(failure) => {
                        context.report(&failure);
                        true
                    }
                },
            },
        };
    }
    editor.end();
    Ok(())
}

fn greet(context: &mut Context, screen: &mut Screen, prepared: &Prepared, session: &Session) -> Result<(), Failure> {
    let output = &mut context.output;
    screen.note(output, &format!("{}: {}", prepared.agent.name, prepared.agent.description))?;
    if prepared.is_rehearsal {
        screen.note(output, REHEARSAL_NOTE)?;
    }
    let earlier = session.earlier();
    if !earlier.is_empty() {
        screen.note(output, &format!("It goes on after {}. The latest:", count(earlier.len(), "message")))?;
        for line in earlier.iter().skip(earlier.len().saturating_sub(SHOWN_EARLIER)) {
            let mark = if line.is_own { "  " } else { "> " };
            screen.note(output, &format!("{mark}{}", brief(&line.text)))?;
        }
    }
    screen.note(output, "Ctrl-C stops an answer, Ctrl-D or /quit leaves, /help tells more.\n")?;
    // Asked in an earlier terminal, and not answered.
    for open in session.open() {
        output.line(question(&open.ask))?;
    }
    Ok(())
}

/// Prints what comes until all is answered; `false`: the person wants to leave.
async fn follow(
    context: &mut Context,
    screen: &mut Screen,
    session: &mut Session,
    interrupts: &mut Signal,
) -> Result<bool, Failure> {
    let (mut is_unwanted, mut is_stopped, mut is_new) = (false, false, false);
    loop {
        // A turn that has not begun cannot be stopped; it is as soon as it has.
        if is_unwanted && !is_stopped && session.is_running() {
            session.stop_turn().await?;
            is_stopped = true;
        }
        let happened = tokio::select! {
            biased;
            _ = interrupts.recv() => {
                if is_unwanted {
                    screen.end(&mut context.output)?;
                    return Ok(false);
                }
                is_unwanted = true;
                continue;
            }
            happened = session.next() => happened?,
        };
        let Some(happened) = happened else { break };
        is_new = true;
        screen.take(&mut context.output, &happened, session.text_bytes())?;
        if let Some(why) = refusal(&happened) {
            screen.note(&mut context.output, why)?;
        }
    }
    if session.open().is_empty() {
        screen.end(&mut context.output)?;
    } else {
        screen.pause(&mut context.output)?;
    }
    if is_new {
        context.output.line("")?;
        context.output.flush()?;
    }
    Ok(true)
}
