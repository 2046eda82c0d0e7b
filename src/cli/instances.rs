//! `reveille instances`: list them, show one, export one; its files are in `files`.

use std::path::PathBuf;

use serde::Serialize;

use super::context::Context;
use super::failure::{Code, Failure};
use super::files;
use super::journal::{self, Opened, wall_time};
use super::listing::{Cell, Listing, Tone};
use crate::journal::embedded::reader::{Reader, TurnRow};
use crate::journal::{InstanceRow, MessageRow};

/// Arguments of `instances`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// Only those whose address contains this, such as `assistant/slack`
    #[arg(long, global = true, value_name = "TEXT", default_value = "", hide_default_value = true)]
    filter: String,

    /// At most so many; without it 100 instances, and all files
    #[arg(long, global = true, value_name = "N")]
    limit: Option<u32>,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List them (this is what `instances` alone does)
    List,
    /// Show one: its state, its turns and its conversation
    Show {
        /// Its address, its id, or the beginning of its id
        instance: String,
    },
    /// Write one into a plain SQLite file: every record, and the conversation as a table
    Export {
        /// Its address, its id, or the beginning of its id
        instance: String,
        /// The file; it must not be there yet. Without one: ID.db in this folder
        file: Option<PathBuf>,
    },
    /// Look at the files of one, take some out, put some in, or keep them the same as a folder's
    #[command(subcommand)]
    Files(files::Action),
}

/// How many instances are listed where nothing is said.
const LISTED: u32 = 100;

/// An instance in `instances show --json`. The names stay.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    instance: InstanceRow,
    turns: Vec<TurnRow>,
    messages: Vec<MessageRow>,
    /// Events that no turn has taken yet.
    pending_events: usize,
    /// Replies that are not visible in full yet.
    owed_replies: usize,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    match (&args.action, journal::open(context).await?) {
        (None | Some(Action::List), Opened::Journal(reader)) => list(context, args, &reader).await,
        (None | Some(Action::List), Opened::Nothing(_)) if args.json => Ok(context.output.json(&[(); 0])?),
        (None | Some(Action::List), Opened::Nothing(folder)) => {
            Ok(context.output.line(format!("No instances yet: {}", journal::nothing_in(&folder)))?)
        }
        (Some(Action::Show { instance }), Opened::Journal(reader)) => show(context, args, &reader, instance).await,
        (Some(Action::Export { instance, file }), Opened::Journal(reader)) => {
            export(context, &reader, instance, file.clone()).await
        }
        (Some(Action::Files(action)), Opened::Journal(reader)) => {
            let options = files::Options { limit: args.limit, json: args.json };
            files::run(context, &reader, action, options).await
        }
        (Some(_), Opened::Nothing(folder)) => Err(journal::no_journal(&folder)),
    }
}

async fn list(context: &mut Context, args: &Args, reader: &Reader) -> Result<(), Failure> {
    let limit = args.limit.unwrap_or(LISTED);
    let rows = reader.instances(&args.filter, limit).await?;
    if args.json {
        context.output.json(&rows)?;
        return Ok(());
    }
    if rows.is_empty() {
        let none = if args.filter.is_empty() {
            "No instances yet. The first event that an agent is woken by makes one.".to_owned()
        } else {
            format!("No instance has `{}` in its address.", args.filter)
        };
        context.output.line(none)?;
        return Ok(());
    }
    let mut listing = Listing::new(&["ID", "STATE", "RECORDS", "WAKES", "ADDRESS"]);
    for row in &rows {
        listing.row([
            journal::short(row.id).into(),
            Cell::new(row.state.clone(), tone(&row.state)),
            row.next_offset.to_string().into(),
            row.wake_at_ms.map_or_else(String::new, wall_time).into(),
            row.address.clone().into(),
        ]);
    }
    context.output.listing(&listing)?;
    if rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        context.output.line(format!("\nThese are the first {limit}: `--limit` shows more, `--filter` others."))?;
    }
    Ok(())
}

async fn show(context: &mut Context, args: &Args, reader: &Reader, name: &str) -> Result<(), Failure> {
    let instance = journal::pick(reader, name).await?;
    let turns = reader.turns(instance.id).await?;
    let (messages, state) = journal::conversation(&instance, &reader.records(instance.id, 0).await?)?;
    let shown =
        Shown { instance, turns, messages, pending_events: state.pending.len(), owed_replies: state.replies.len() };
    if args.json {
        context.output.json(&shown)?;
        return Ok(());
    }
    let row = &shown.instance;
    let mut facts = Listing::new(&[]);
    let mut fact = |name: &str, value: Cell| facts.row([Cell::new(name, Tone::Quiet), value]);
    fact("instance", row.id.to_string().into());
    fact("address", row.address.clone().into());
    fact("state", Cell::new(row.state.clone(), tone(&row.state)));
    fact("records", format!("{}, of which {} are in its own database", row.next_offset, row.applied_offset).into());
    fact("turns", shown.turns.len().to_string().into());
    if let Some(at_ms) = row.wake_at_ms {
        fact("wakes", wall_time(at_ms).into());
    }
    if shown.pending_events > 0 {
        fact("waiting", Cell::new(journal::count(shown.pending_events, "event"), Tone::Doubtful));
    }
    if shown.owed_replies > 0 {
        fact("owed", Cell::new(journal::count(shown.owed_replies, "reply"), Tone::Doubtful));
    }
    context.output.listing(&facts)?;
    for message in &shown.messages {
        let author = if message.author.is_empty() { &message.role } else { &message.author };
        let head = format!("\n{} {author} (turn {})", wall_time(message.at_ms), message.turn);
        context.output.styled(head, owo_colors::Style::new().bold())?;
        let text = if message.text.is_empty() { "(no text)" } else { message.text.trim_end() };
        context.output.line(text)?;
    }
    Ok(())
}

async fn export(context: &mut Context, reader: &Reader, name: &str, file: Option<PathBuf>) -> Result<(), Failure> {
    let instance = journal::pick(reader, name).await?;
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{}.db", instance.id)));
    if file.symlink_metadata().is_ok() {
        let what = format!("{} is there already", file.display());
        return Err(Failure::new(Code::Write, what, "name another file: `reveille instances export INSTANCE FILE`"));
    }
    let (messages, state) = journal::conversation(&instance, &reader.records(instance.id, 0).await?)?;
    let state = serde_json::to_string(&state).map_err(|error| {
        Failure::new(Code::Corrupt, error.to_string(), "report this: the state could not be written")
    })?;
    // A name alone has no folder that could be synced.
    let whole = std::path::absolute(&file)?;
    reader.export(instance.id, &messages, state, &whole).await.map_err(|error| {
        let what = format!("{} could not be written: {error}", file.display());
        Failure::new(Code::Write, what, "choose a folder that you can write to, on a disk with room")
    })?;
    context.output.line(format!(
        "Wrote {}: {}. Look at them with: sqlite3 {} 'SELECT role, text FROM message'",
        file.display(),
        journal::count(messages.len(), "message"),
        file.display()
    ))?;
    Ok(())
}

fn tone(state: &str) -> Tone {
    match state {
        "asleep" => Tone::Quiet,
        "running" => Tone::Good,
        "ready" => Tone::Doubtful,
        "quarantined" => Tone::Bad,
        _ => Tone::Plain,
    }
}
