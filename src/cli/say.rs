//! `reveille say`: speak as a person into a platform that `reveille dev` simulates, and watch the thread grow.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use reveille_simulator::{Client, ClientError, SeenMessage, SeenThread};
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
pub(super) struct Args {
    /// slack, github or linear
    channel: String,

    /// Where: a Slack channel (`#general`, `dm`), an issue (`acme/app#1`, `ENG-1`), or a repository or team to open one in
    place: String,

    /// What: mention the bot with `@assistant`
    text: String,

    /// Who speaks
    #[arg(long = "as", value_name = "NAME", default_value = "alice")]
    person: String,

    /// Go on in this thread
    #[arg(long, value_name = "ID")]
    thread: Option<String>,

    /// Where the simulated platforms listen
    #[arg(long, value_name = "ADDRESS", default_value = SIMULATOR)]
    simulator: String,

    /// Do not wait for an answer
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let base: Url = format!("http://{}/", args.simulator).parse().map_err(|_| {
        Failure::new(Code::Simulator, format!("{} is no address", args.simulator), "use HOST:PORT").exiting_with(2)
    })?;
    let client = Client::new(base).map_err(|error| failed(&error))?;
    let landed = client
        .say(&args.channel, &args.place, &args.text, Some(&args.person), args.thread.as_deref())
        .await
        .map_err(|error| failed(&error))?;
    context.output.line(format!("{} in {} (thread {})", args.person, args.place, landed.thread))?;
    context.output.flush()?;
    if args.no_wait {
        return Ok(());
    }
    let mut changes = Box::pin(client.watch(&args.channel, &landed).await.map_err(|error| failed(&error))?);
    let mut shown = Shown::default();
    let mut wait = PATIENCE;
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
                    context.output.line(format!("{}:", one.author))?;
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
