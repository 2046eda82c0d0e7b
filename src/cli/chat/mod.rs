//! `reveille chat`: a conversation at the terminal, or line by line from a script.

mod editor;
mod lines;
mod person;
mod script;

use std::io::{self, IsTerminal};

use super::context::Context;
use super::failure::Failure;
use super::talk::{self, Place, conversation_name};
use crate::approval::{APPROVE, DENY};

const HELP: &str = "\
/help    what you are reading
/quit    leaves, as Ctrl-D does; what was said is kept under the conversation's name
/approve and /deny answer what the agent asks; where it asks several things, with the reference of one
Ctrl-C   stops the answer that is coming or waits for yours, and throws away the line that you are typing
A line that is one word with a slash is a command; put a blank before it to say it to the agent.";

/// Arguments of `chat`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The agent: a folder in `agents/`; without one `assistant`, or the only one there is
    agent: Option<String>,

    /// The conversation: the one of this name goes on, in the project's storage
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = conversation_name)]
    name: String,

    /// Keep nothing: a conversation of its own, which also runs beside a gateway
    #[arg(long, conflicts_with = "name")]
    ephemeral: bool,

    /// Print one JSON object a line for each answer, as `reveille run --json` does
    #[arg(long)]
    json: bool,
}

const WHEN_LOCKED: &str = "stop that process; or talk with --ephemeral, in a conversation that is not kept; \
    or speak through a platform: beside `reveille dev` with `reveille say`";

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    Nothing,
    Quit,
    Help,
    /// An answer to a question: the choice, and which one.
    Answer(&'static str, Option<&'a str>),
    /// A command that is not there.
    Unknown(&'a str),
    Say(&'a str),
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let prepared = talk::prepare(context, args.agent.as_deref(), true, "error")?;
    let place = Place::new(&prepared, !args.ephemeral)?;
    let mut session = talk::begin(&prepared, &place, &args.name, WHEN_LOCKED).await?;
    let is_watched = context.output.is_terminal() && io::stdin().is_terminal() && !args.json;
    let outcome = if is_watched {
        person::talks(context, &prepared, &mut session).await
    } else {
        script::talks(context, args, &prepared, &mut session).await
    };
    session.close(place.is_kept()).await;
    outcome
}

fn meaning(line: &str) -> Meaning<'_> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let command = line.trim_end().strip_prefix('/');
    if let Some((choice, which)) = command.and_then(choice) {
        return Meaning::Answer(choice, which);
    }
    match command {
        Some("quit" | "exit") => Meaning::Quit,
        Some("help") => Meaning::Help,
        Some(word) if is_word(word) => Meaning::Unknown(word),
        _ if line.trim().is_empty() => Meaning::Nothing,
        _ => Meaning::Say(line.trim()),
    }
}

/// A choice, and the question that it names.
fn choice(words: &str) -> Option<(&'static str, Option<&str>)> {
    let mut words = words.split_whitespace();
    let choice = [APPROVE, DENY].into_iter().find(|&choice| Some(choice) == words.clone().next())?;
    let which = words.nth(1);
    words.next().is_none().then_some((choice, which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_only_if_it_is_one_word_with_a_slash() {
        for (line, means) in [
            ("", Meaning::Nothing),
            ("  \n", Meaning::Nothing),
            ("/quit", Meaning::Quit),
            ("/exit ", Meaning::Quit),
            ("/help", Meaning::Help),
            ("/approve", Meaning::Answer(APPROVE, None)),
            ("/deny 3f ", Meaning::Answer(DENY, Some("3f"))),
            ("/approve of it", Meaning::Say("/approve of it")),
            (" /approve", Meaning::Say("/approve")),
            ("/approved", Meaning::Unknown("approved")),
            ("/where", Meaning::Unknown("where")),
            ("/help me", Meaning::Say("/help me")),
            (" /quit", Meaning::Say("/quit")),
            ("/etc/hosts", Meaning::Say("/etc/hosts")),
            ("/", Meaning::Say("/")),
            (" hello ", Meaning::Say("hello")),
        ] {
            assert_eq!(meaning(line), means, "{line:?}");
        }
    }
}
