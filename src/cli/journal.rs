//! Opening the journal to look at it, for the commands that list.

use std::collections::HashMap;
use std::mem;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::context::Context;
use super::failure::{Code, Failure};
use crate::config::{Mode, Storage};
use crate::journal::embedded::reader::Reader;
use crate::journal::{Body, InstanceRow, JournalError, MessageRow, Record};
use crate::turn::InstanceState;

/// How much of an id is shown where an address stands beside it.
const SHORT_ID: usize = 8;

/// A journal that can be read, or the folder where there is none yet.
pub(super) enum Opened {
    /// It is there.
    Journal(Reader),
    /// Nothing was ever written.
    Nothing(PathBuf),
}

/// Loads the configuration and opens its journal beside a gateway that may be running.
pub(super) async fn open(context: &mut Context) -> Result<Opened, Failure> {
    let config = context.load(Mode::Tool, Vec::new())?;
    let Storage::Folder(folder) = config.storage;
    if !is_in(&folder) {
        return Ok(Opened::Nothing(folder));
    }
    Ok(Opened::Journal(Reader::open(&folder).await?))
}

/// Whether a journal was ever begun there.
pub(super) fn is_in(folder: &Path) -> bool {
    folder.join("log.db").exists()
}

/// What is said where there is no journal.
pub(super) fn nothing_in(folder: &Path) -> String {
    format!("{} has no journal; `reveille dev` or `reveille serve` begins one with the first event.", folder.display())
}

/// The failure of a command that needs an instance where there is no journal.
pub(super) fn no_journal(folder: &Path) -> Failure {
    let what = format!("there is no journal in {}", folder.display());
    Failure::new(
        Code::UnknownInstance,
        what,
        "`reveille dev` or `reveille serve` begins it; is it the right `--config`?",
    )
}

/// The one instance that is meant by an address, an id or the beginning of an id.
pub(super) async fn pick(reader: &Reader, name: &str) -> Result<InstanceRow, Failure> {
    let mut found = if name.is_empty() { Vec::new() } else { reader.find(name).await? };
    if let Some(exact) = found.iter().position(|row| row.address == name || row.id.to_string() == name) {
        return Ok(found.swap_remove(exact));
    }
    if found.len() > 1 {
        let shown: Vec<_> = found.iter().take(5).map(|row| format!("{} {}", row.id, row.address)).collect();
        let what = format!("`{name}` may mean {} instances", found.len());
        return Err(Failure::new(Code::UnknownInstance, what, format!("say more of the id: {}", shown.join(", "))));
    }
    found.pop().ok_or_else(|| {
        let help = "`reveille instances` lists them; name one by its address, its id, or the beginning of its id";
        Failure::new(Code::UnknownInstance, format!("there is no instance `{name}`"), help)
    })
}

/// The conversation of an instance, and what its other records come to. A person's lines hold what they wrote, without
/// the fence that a model sees around it.
pub(super) fn conversation(
    instance: &InstanceRow,
    records: &[Record],
) -> Result<(Vec<MessageRow>, InstanceState), Failure> {
    let mut state = fold(instance, records)?;
    let mut lines = mem::take(&mut state.unsaved);
    let mut events = HashMap::new();
    let mut joined = Vec::new();
    for record in records {
        match &record.body {
            Body::Event { event } => {
                events.insert(event.id, event);
            }
            Body::TurnStarted { events, .. } | Body::Steered { events, .. } => joined.extend(events),
            _ => {}
        }
    }
    // Each event that joins a turn is one line of a person, in that order.
    for (line, id) in lines.iter_mut().filter(|line| line.role == "user").zip(joined) {
        if let Some(event) = events.get(id) {
            line.text.clone_from(&event.text);
        }
    }
    Ok((lines, state))
}

/// What the records come to.
fn fold(instance: &InstanceRow, records: &[Record]) -> Result<InstanceState, Failure> {
    let mut state = InstanceState::default();
    state
        .replay(records)
        .map_err(|corrupt| JournalError::Corrupt { instance: instance.id, reason: corrupt.to_string() })?;
    Ok(state)
}

/// The beginning of an id, as long as people need it.
pub(super) fn short(id: reveille_channel::InstanceId) -> String {
    id.to_string().chars().take(SHORT_ID).collect()
}

/// A time as a clock on the wall shows it.
pub(super) fn wall_time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map(|at| at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_else(|_| format!("{at_ms} ms"))
}

/// So many things, in words.
pub(super) fn count(number: usize, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}
