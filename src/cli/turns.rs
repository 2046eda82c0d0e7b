//! `reveille turns`: what instances did, turn by turn.

use serde::Serialize;

use super::context::Context;
use super::failure::{Code, Failure};
use super::journal::{self, Opened, wall_time};
use super::listing::{Cell, Listing, Tone};
use super::records;
use crate::journal::embedded::reader::{Reader, TurnRow};
use crate::journal::{Body, InstanceRow, Outcome, Record};

/// The most instances that are looked through when none is named.
const MOST_INSTANCES: u32 = 1000;

/// Arguments of `turns`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List them, the newest first (this is what `turns` alone does)
    List(ListArgs),
    /// Show one: its records
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only those of this instance: its address, its id, or the beginning of its id
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The instance: its address, its id, or the beginning of its id
    instance: String,

    /// The turn's number
    turn: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A turn in `--json`. The names stay.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    address: &'a str,
    #[serde(flatten)]
    turn: TurnRow,
}

/// A turn in `turns show --json`. The names stay.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    address: &'a str,
    #[serde(flatten)]
    turn: TurnRow,
    records: Vec<Record>,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let opened = journal::open(context).await?;
    match (&args.action, opened) {
        (Some(Action::Show(show)), Opened::Journal(reader)) => whole(context, show, &reader).await,
        (Some(Action::Show(_)), Opened::Nothing(folder)) => Err(journal::no_journal(&folder)),
        (Some(Action::List(list)), opened) => listed(context, list, opened).await,
        (None, opened) => listed(context, &args.list, opened).await,
    }
}

async fn listed(context: &mut Context, args: &ListArgs, opened: Opened) -> Result<(), Failure> {
    let reader = match opened {
        Opened::Journal(reader) => reader,
        Opened::Nothing(_) if args.json => return Ok(context.output.json(&[(); 0])?),
        Opened::Nothing(folder) => {
            return Ok(context.output.line(format!("No turns yet: {}", journal::nothing_in(&folder)))?);
        }
    };
    let instances: Vec<InstanceRow> = match &args.instance {
        Some(name) => vec![journal::pick(&reader, name).await?],
        None => reader.instances("", MOST_INSTANCES).await?,
    };
    let mut turns = Vec::new();
    for instance in &instances {
        let of_this = reader.turns(instance.id).await?;
        turns.extend(of_this.into_iter().map(|turn| Shown { address: &instance.address, turn }));
    }
    turns.sort_by_key(|shown| std::cmp::Reverse((shown.turn.started_at_ms, shown.turn.turn)));
    turns.truncate(args.limit);
    if args.json {
        context.output.json(&turns)?;
        return Ok(());
    }
    if turns.is_empty() {
        context.output.line("No turns yet. An event that wakes an agent begins one.")?;
        return Ok(());
    }
    let mut listing = Listing::new(&["STARTED", "INSTANCE", "TURN", "OUTCOME", "TOOK", "TOKENS", "ADDRESS"]);
    for Shown { address, turn } in &turns {
        listing.row([
            wall_time(turn.started_at_ms).into(),
            journal::short(turn.instance).into(),
            turn.turn.to_string().into(),
            outcome(turn),
            took(turn).into(),
            turn.usage.total().to_string().into(),
            (*address).into(),
        ]);
    }
    context.output.listing(&listing)?;
    Ok(())
}

async fn whole(context: &mut Context, args: &ShowArgs, reader: &Reader) -> Result<(), Failure> {
    let instance = journal::pick(reader, &args.instance).await?;
    let all = reader.turns(instance.id).await?;
    let last = all.last().map_or(0, |turn| turn.turn);
    let Some(turn) = all.into_iter().find(|row| row.turn == args.turn) else {
        let what = format!("{} has no turn {}", instance.address, args.turn);
        let help = if last == 0 { "it has had none yet".into() } else { format!("its last is {last}") };
        return Err(Failure::new(Code::UnknownInstance, what, help));
    };
    let records = of_turn(reader.records(instance.id, 0).await?, args.turn);
    if args.json {
        context.output.json(&Whole { address: &instance.address, turn, records })?;
        return Ok(());
    }
    let mut facts = Listing::new(&[]);
    let mut fact = |name: &str, value: Cell| facts.row([Cell::new(name, Tone::Quiet), value]);
    fact("instance", instance.address.clone().into());
    fact("turn", turn.turn.to_string().into());
    fact("outcome", outcome(&turn));
    if let Some(reason) = &turn.reason {
        fact("because", reason.clone().into());
    }
    fact("took", took(&turn).into());
    fact("tokens", format!("{} in, {} out", turn.usage.input_tokens, turn.usage.output_tokens).into());
    context.output.listing(&facts)?;
    context.output.line("")?;
    let mut listing = Listing::new(&["OFFSET", "AT", "RECORD", "SAYS"]);
    for record in &records {
        listing.row([
            record.offset.to_string().into(),
            wall_time(record.at_ms).into(),
            record.body.kind().into(),
            records::line(&record.body).into(),
        ]);
    }
    context.output.listing(&listing)?;
    Ok(())
}

/// The records of one turn, with the events it acts on.
fn of_turn(records: Vec<Record>, turn: u64) -> Vec<Record> {
    let events: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::TurnStarted { turn: of, events, .. } | Body::Steered { turn: of, events } if *of == turn => {
                Some(events.clone())
            }
            Body::ApprovalDecided { turn: of, event: Some(event), .. } if *of == turn => Some(vec![*event]),
            _ => None,
        })
        .flatten()
        .collect();
    let belongs = |record: &Record| match &record.body {
        Body::Event { event } => events.contains(&event.id),
        Body::AlarmSet { .. } | Body::AlarmFired { .. } => false,
        Body::Refused { turn: of, .. }
        | Body::TurnStarted { turn: of, .. }
        | Body::Steered { turn: of, .. }
        | Body::ContextShortened { turn: of, .. }
        | Body::ModelCalled { turn: of, .. }
        | Body::ModelText { turn: of, .. }
        | Body::ModelAnswered { turn: of, .. }
        | Body::ModelFailed { turn: of, .. }
        | Body::ToolCalled { turn: of, .. }
        | Body::ToolReturned { turn: of, .. }
        | Body::CodeStarted { turn: of, .. }
        | Body::CodeSuspended { turn: of, .. }
        | Body::ApprovalAsked { turn: of, .. }
        | Body::ApprovalDecided { turn: of, .. }
        | Body::QuestionOpened { turn: of, .. }
        | Body::QuestionShown { turn: of, .. }
        | Body::QuestionClosed { turn: of, .. }
        | Body::ReplyOpened { turn: of, .. }
        | Body::ReplyShown { turn: of, .. }
        | Body::ReplyFailed { turn: of, .. }
        | Body::TurnEnded { turn: of, .. } => *of == turn,
    };
    records.into_iter().filter(belongs).collect()
}

fn outcome(turn: &TurnRow) -> Cell {
    match turn.outcome {
        None => Cell::new("running", Tone::Doubtful),
        Some(outcome @ Outcome::Completed) => Cell::new(records::outcome(outcome), Tone::Good),
        Some(outcome) => Cell::new(records::outcome(outcome), Tone::Bad),
    }
}

fn took(turn: &TurnRow) -> String {
    let Some(ended_at_ms) = turn.ended_at_ms else { return String::new() };
    let ms = ended_at_ms.saturating_sub(turn.started_at_ms).max(0);
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
