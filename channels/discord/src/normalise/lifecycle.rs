//! Servers that take us in or put us out, and threads that are opened.

use std::collections::BTreeMap;

use reveille_channel::{Change, Event, EventId, Kind, ThreadRef};

use super::place::Spot;
use super::{Reader, nobody};
use crate::payload::{Channel, time_ms};
use crate::places::is_forum;
use crate::{PLATFORM, location};

/// What the conversation about the server itself is called.
const SERVER: &str = "server";

/// We were taken into a server. `once` tells this delivery from all others.
pub(crate) fn guild_joined(reader: Reader<'_>, guild: &str, name: Option<&str>, once: &str) -> Event {
    lifecycle(reader, guild, name, "GUILD_CREATE", Change::Installed, once)
}

/// We were put out of a server, or it is gone.
pub(crate) fn guild_left(reader: Reader<'_>, guild: &str, once: &str) -> Event {
    lifecycle(reader, guild, None, "GUILD_DELETE", Change::Removed, once)
}

fn lifecycle(reader: Reader<'_>, guild: &str, shown: Option<&str>, name: &str, change: Change, once: &str) -> Event {
    let dedupe_key = format!("guild:{guild}:{once}");
    let thread = ThreadRef {
        installation: guild.to_owned(),
        key: SERVER.to_owned(),
        location: BTreeMap::from([(location::GUILD.to_owned(), guild.to_owned())]),
        display: shown.unwrap_or(guild).to_owned(),
    };
    Event {
        id: EventId::of(reader.connection, &dedupe_key),
        connection: reader.connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread,
        actor: nobody(),
        kind: Kind::Lifecycle { change },
        name: name.to_owned(),
        text: String::new(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: BTreeMap::from([("guild".to_owned(), guild.to_owned())]),
        occurred_at_ms: reader.received_at_ms,
        received_at_ms: reader.received_at_ms,
        dedupe_keys: vec![dedupe_key],
    }
}

/// A thread that somebody opened. Its first message comes as a message; here is its name.
pub(crate) fn thread_created(reader: Reader<'_>, thread: &Channel) -> Result<Event, &'static str> {
    if !thread.newly_created {
        return Err("a thread that was there");
    }
    let Some(owner) = thread.owner_id.as_deref().filter(|owner| !reader.own.is_own_user(owner)) else {
        return Err("our own thread");
    };
    let spot = Spot::of(reader, thread.guild_id.clone(), thread.id.clone(), Some(thread), thread.kind);
    let parent = thread.parent_id.as_deref().and_then(|parent| reader.places.get(parent)).unwrap_or_default();
    // A post in a forum is what an issue is elsewhere.
    let kind = if parent.kind.is_some_and(is_forum) { Kind::Opened } else { Kind::Other };
    let dedupe_key = format!("thread:{}", thread.id);
    Ok(Event {
        id: EventId::of(reader.connection, &dedupe_key),
        connection: reader.connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread: spot.thread(thread.id.clone()),
        actor: super::Actor { id: owner.to_owned(), name: owner.to_owned(), ..nobody() },
        kind,
        name: "THREAD_CREATE".to_owned(),
        text: thread.name.clone().unwrap_or_default(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: spot.facts(),
        occurred_at_ms: time_ms(&thread.id).unwrap_or(reader.received_at_ms),
        received_at_ms: reader.received_at_ms,
        dedupe_keys: vec![dedupe_key],
    })
}
