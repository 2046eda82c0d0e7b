//! `reveille say`: speak as a person into a platform that `reveille dev` simulates, and watch the thread grow.
//!
//! What people do beside speaking are its subcommands: `reveille say react slack "#general" MESSAGE eyes`. No channel is
//! called like one of them, and behind a channel every word is text.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use reveille_simulator::{Act, Acted, Client, ClientError, Landed, SeenMessage, SeenThread};
use url::Url;

use super::context::Context;
use super::dev::SIMULATOR;
use super::failure::{Code, Failure};

/// When nothing has changed for this long after an answer, it is taken for complete.
const QUIET: Duration = Duration::from_secs(6);

/// How long a first answer may take.
const PATIENCE: Duration = Duration::from_secs(45);

/// Arguments of `say`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub(super) struct Args {
    #[command(subcommand)]
    doing: Option<Doing>,

    /// slack, github, linear or discord
    #[arg(required = true)]
    channel: Option<String>,

    /// Where: a channel of Slack or Discord (`#general`, `dm`), an issue (`acme/app#1`, `ENG-1`), or a repository or team to open one in
    #[arg(required = true)]
    place: Option<String>,

    /// What: mention the bot with `@assistant`; on Discord `/ask ...` gives a command
    #[arg(required = true)]
    text: Option<String>,

    /// Who speaks
    #[arg(long = "as", value_name = "NAME", default_value = "alice", global = true)]
    person: String,

    /// Go on in this thread
    #[arg(long, value_name = "ID")]
    thread: Option<String>,

    /// Where the simulated platforms listen
    #[arg(long, value_name = "ADDRESS", default_value = SIMULATOR, global = true)]
    simulator: String,

    /// Do not wait for an answer
    #[arg(long, global = true)]
    no_wait: bool,
}

/// What people do beside speaking.
#[derive(Debug, clap::Subcommand)]
enum Doing {
    /// Change a message of theirs
    Edit {
        #[command(flatten)]
        at: At,
        /// What it says then
        text: String,
    },
    /// Delete a message of theirs
    Delete {
        #[command(flatten)]
        at: At,
    },
    /// Put a reaction on a message
    React {
        #[command(flatten)]
        at: At,
        /// The emoji's short name, such as eyes
        emoji: String,
    },
    /// Press a button of a message, or choose an option of a question
    Press {
        #[command(flatten)]
        at: At,
        /// What stands on it, or the choice behind it
        button: String,
    },
}

/// Which message.
#[derive(Debug, clap::Args)]
struct At {
    /// slack, github, linear or discord
    channel: String,

    /// Where it is: a channel of Slack or Discord (`#general`, `dm`) or an issue (`acme/app#1`, `ENG-1`)
    place: String,

    /// Its id, as `reveille say` prints it
    message: String,
}

impl Doing {
    fn at(&self) -> &At {
        match self {
            Self::Edit { at, .. } | Self::Delete { at } | Self::React { at, .. } | Self::Press { at, .. } => at,
        }
    }

    fn act(&self) -> Act {
        match self {
            Self::Edit { text, .. } => Act::Edit(text.clone()),
            Self::Delete { .. } => Act::Delete,
            Self::React { emoji, .. } => Act::React(emoji.clone()),
            Self::Press { button, .. } => Act::Press(button.clone()),
        }
    }

    fn did(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "changed",
            Self::Delete { .. } => "deleted",
            Self::React { .. } => "reacted to",
            Self::Press { .. } => "pressed a button of",
        }
    }
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let base: Url = format!("http://{}/", args.simulator).parse().map_err(|_| {
        Failure::new(Code::Simulator, format!("{} is no address", args.simulator), "use HOST:PORT").exiting_with(2)
    })?;
    let client = Client::new(base).map_err(|error| failed(&error))?;
    let words = (&args.doing, &args.channel, &args.place, &args.text);
    let (channel, landed, shown, patience) = match words {
        (Some(doing), ..) => {
            let at = doing.at();
            let Acted { landed, before } = client
                .act(&at.channel, &at.place, &at.message, Some(&args.person), doing.act())
                .await
                .map_err(|error| failed(&error))?;
            let did = doing.did();
            context
                .output
                .line(format!("{} {did} {} in {} (thread {})", args.person, at.message, at.place, landed.thread))?;
            // Mostly nothing comes of it.
            (&at.channel, landed, Shown::after(&before), QUIET)
        }
        (None, Some(channel), Some(place), Some(text)) => {
            let landed = client
                .say(channel, place, text, Some(&args.person), args.thread.as_deref())
                .await
                .map_err(|error| failed(&error))?;
            let is_there = !landed.message.is_empty() && landed.message != landed.thread;
            let message = if is_there { format!(", message {}", landed.message) } else { String::new() };
            context.output.line(format!("{} in {place} (thread {}{message})", args.person, landed.thread))?;
            (channel, landed, Shown::default(), PATIENCE)
        }
        (None, ..) => {
            let help = "write `reveille say CHANNEL PLACE TEXT`";
            return Err(Failure::new(Code::Input, "a channel, a place and a text are needed", help));
        }
    };
    context.output.flush()?;
    if args.no_wait {
        return Ok(());
    }
    watch(context, &client, channel, &landed, (shown, patience)).await
}

/// Prints what the bot says in the thread until nothing has changed for a while. `patience` is for the first answer: as long as
/// [`PATIENCE`] there has to be one.
async fn watch(
    context: &mut Context,
    client: &Client,
    channel: &str,
    landed: &Landed,
    (mut shown, patience): (Shown, Duration),
) -> Result<(), Failure> {
    let mut changes = Box::pin(client.watch(channel, landed).await.map_err(|error| failed(&error))?);
    let mut wait = patience;
    loop {
        match tokio::time::timeout(wait, changes.next()).await {
            Ok(Some(thread)) => {
                let thread = thread.map_err(|error| failed(&error))?;
                let answers = shown.show(context, &thread)?;
                if answers > 0 {
                    wait = QUIET;
                }
            }
            Ok(None) => return Ok(()),
            Err(_) if wait == QUIET => return shown.end(context),
            Err(_) => {
                let help = "look at what `reveille dev` prints; does an agent wake there, and may this person call it?";
                return Err(Failure::new(
                    Code::Simulator,
                    format!("no answer within {} seconds", PATIENCE.as_secs()),
                    help,
                ));
            }
        }
    }
}

/// What was printed of a thread.
#[derive(Debug, Default)]
struct Shown {
    /// Text by message.
    texts: HashMap<String, String>,
    /// The message whose text stands at the end of the output.
    open: Option<String>,
    /// The first look shows the bot's earlier answers, which are not news.
    has_looked: bool,
}

impl Shown {
    /// Nothing of this is news.
    fn after(before: &SeenThread) -> Self {
        let texts = before.messages.iter().map(|one| (one.id.clone(), readable(one))).collect();
        Self { texts, open: None, has_looked: true }
    }

    /// Prints what is new. How many messages of the bot are new since the first look.
    fn show(&mut self, context: &mut Context, thread: &SeenThread) -> Result<usize, Failure> {
        if !self.has_looked {
            self.has_looked = true;
            let last_person = thread.messages.iter().rposition(|one| !one.is_bot);
            for (index, one) in thread.messages.iter().enumerate() {
                if last_person.is_some_and(|last| index <= last) {
                    self.texts.insert(one.id.clone(), readable(one));
                }
            }
        }
        let mut answers = 0;
        for one in thread.messages.iter().filter(|one| one.is_bot) {
            let text = readable(one);
            let before = self.texts.get(&one.id).cloned();
            if before.as_ref() == Some(&text) {
                answers += usize::from(self.open.as_ref() == Some(&one.id));
                continue;
            }
            answers += 1;
            match before.as_deref().and_then(|before| text.strip_prefix(before)) {
                // It grew: print what is new where the rest stands.
                Some(more) if self.open.as_ref() == Some(&one.id) => context.output.piece(more)?,
                _ => {
                    self.end(context)?;
                    context.output.line("")?;
                    context.output.line(format!("{} ({}):", one.author, one.id))?;
                    context.output.piece(&text)?;
                    self.open = Some(one.id.clone());
                }
            }
            self.texts.insert(one.id.clone(), text);
        }
        context.output.flush()?;
        Ok(answers)
    }

    /// Ends the line that is being written.
    fn end(&mut self, context: &mut Context) -> Result<(), Failure> {
        if self.open.take().is_some() {
            context.output.line("")?;
        }
        context.output.flush()?;
        Ok(())
    }
}

/// A message without the marker that only programs read.
fn readable(message: &SeenMessage) -> String {
    let text = message.text.split("\n\n<!-- reveille:").next().unwrap_or_default();
    text.to_owned()
}

fn failed(error: &ClientError) -> Failure {
    let help = match error {
        ClientError::Absent(_) => "start `reveille dev` in another terminal first",
        ClientError::Refused(_) => "the message lists what there is",
    };
    Failure::new(Code::Simulator, error.to_string(), help)
}
