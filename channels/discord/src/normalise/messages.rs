//! Messages, what becomes of them, and reactions ("Gateway Events": Messages).

use std::collections::{BTreeMap, HashMap};

use reveille_channel::{Attachment, Event, EventId, Kind, ThreadRef};

use super::key::{self, Key};
use super::place::{Spot, title};
use super::{Reader, actor, nobody};
use crate::payload::{Deleted, File, Message, Reaction, time_ms};
use crate::places::takes_threads;
use crate::text::{self, Names};
use crate::{PLATFORM, location};

/// "Message Types": somebody's words, or words that reply to others.
const DEFAULT: u64 = 0;
const REPLY: u64 = 19;

/// Whether these are words of somebody else that can be acted upon; if not, why.
pub(crate) fn said_by_a_person(reader: Reader<'_>, message: &Message) -> Result<(), &'static str> {
    if reader.own.is_own_message(message) {
        return Err("our own post");
    }
    if !matches!(message.kind.unwrap_or(DEFAULT), DEFAULT | REPLY) {
        return Err("a type of message that is not acted upon");
    }
    if message.id.is_empty() || message.channel_id.is_empty() || message.author.is_none() {
        return Err("a message without id, channel or author");
    }
    if message.content.is_empty() && message.attachments.is_empty() {
        // Without the intent for message content this is what all messages look like that do not mention us.
        return Err("a message without content");
    }
    Ok(())
}

/// A message as it was written (`is_edit`: changed), and the key of its conversation.
pub(crate) fn message(reader: Reader<'_>, message: &Message, is_edit: bool) -> (Event, Key) {
    let guild = message.guild_id.clone();
    let spot = Spot::of(reader, guild, message.channel_id.clone(), None, message.channel_type);
    let key = key::of_message(reader, &spot, message);
    let own_roles = reader.places.own_roles(&message.mention_roles);
    let calls_us = !own_roles.is_empty() || message.mentions.iter().any(|user| reader.own.is_own_user(&user.id));
    let is_reply_to_us =
        message.referenced_message.as_ref().is_some_and(|referenced| reader.own.is_own_message(referenced));
    let is_direct = spot.is_direct();
    let text = text::read(&message.content, &names(reader, message, own_roles));
    let (name, kind, dedupe_key) = if is_edit {
        let stamp = message.edited_timestamp.as_deref().unwrap_or_default();
        ("MESSAGE_UPDATE", Kind::Edited, format!("edit:{}:{stamp}", message.id))
    } else {
        let kind = if calls_us && !is_direct {
            Kind::Mention
        } else {
            Kind::Message { direct: is_direct, in_thread: spot.is_thread() || is_reply_to_us }
        };
        ("MESSAGE_CREATE", kind, format!("message:{}", message.id))
    };
    let mut thread = spot.thread(key.clone().or_itself());
    let may_hold_threads = spot.guild.is_some() && !spot.is_thread() && spot.kind.is_none_or(takes_threads);
    if may_hold_threads && !is_edit {
        thread.location.insert(location::ROOT.to_owned(), message.id.clone());
        if let Some(title) = title(&text) {
            thread.location.insert(location::TITLE.to_owned(), title);
        }
    }
    let author = message.author.clone().unwrap_or_default();
    let occurred_at_ms = time_ms(&message.id).filter(|_| !is_edit).unwrap_or(reader.received_at_ms);
    let event = Event {
        id: EventId::of(reader.connection, &dedupe_key),
        connection: reader.connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread,
        actor: actor(&author, message.member.as_ref(), message.webhook_id.is_some()),
        kind,
        name: name.to_owned(),
        text,
        attachments: message.attachments.iter().map(attachment).collect(),
        mentions: message
            .mentions
            .iter()
            .filter(|user| !reader.own.is_own_user(&user.id))
            .filter_map(|user| user.username.as_ref().map(|name| name.to_ascii_lowercase()))
            .collect(),
        message: Some(message.id.clone()),
        facts: spot.facts(),
        occurred_at_ms,
        received_at_ms: reader.received_at_ms,
        dedupe_keys: vec![dedupe_key],
    };
    (event, key)
}

fn names(reader: Reader<'_>, message: &Message, own_roles: Vec<String>) -> Names {
    let mut names = reader.names();
    names.own_roles = own_roles;
    names.users = message.mentions.iter().map(|user| (user.id.clone(), user.shown().to_owned())).collect();
    names.channels = channels_in(&message.content)
        .filter_map(|id| reader.places.name(id).map(|name| (id.to_owned(), name)))
        .collect::<HashMap<_, _>>();
    names
}

/// The channels that a text refers to.
fn channels_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("<#").skip(1).filter_map(|rest| rest.split_once('>').map(|(id, _)| id))
}

pub(super) fn attachment(file: &File) -> Attachment {
    Attachment {
        name: file.filename.clone().unwrap_or_default(),
        media_type: file.content_type.clone().unwrap_or_default(),
        size: file.size.unwrap_or(0),
        url: file.url.clone().unwrap_or_default(),
    }
}

/// Messages that were deleted. Discord says neither by whom nor whose they were: it counts as done by who wrote them, if that
/// is remembered.
pub(crate) fn deleted(reader: Reader<'_>, deleted: Deleted) -> Vec<Event> {
    let Deleted { id, ids, channel_id, guild_id } = deleted;
    let Some(channel) = channel_id else {
        return Vec::new();
    };
    let spot = Spot::of(reader, guild_id, channel, None, None);
    let ids = id.into_iter().chain(ids).filter(|id| !id.is_empty());
    ids.map(|id| {
        let thread = spot.thread(of_message_id(reader, &spot, &id));
        let author = reader.places.author(&id);
        let kind = Kind::Deleted;
        let mut event = event(reader, &spot, thread, "MESSAGE_DELETE", kind, format!("delete:{id}"), Some(id));
        event.actor = author.unwrap_or_else(nobody);
        event
    })
    .collect()
}

/// A reaction. `once` tells this delivery from all others: the same reaction may be put on and taken off again.
pub(crate) fn reaction(reader: Reader<'_>, reaction: Reaction, once: &str) -> Result<Event, &'static str> {
    let (Some(user), Some(channel), Some(message)) = (reaction.user_id, reaction.channel_id, reaction.message_id)
    else {
        return Err("a reaction without user, channel or message");
    };
    if reader.own.is_own_user(&user) {
        return Err("our own reaction");
    }
    let emoji = reaction.emoji.and_then(|emoji| emoji.name.or(emoji.id)).unwrap_or_default();
    let spot = Spot::of(reader, reaction.guild_id, channel, None, None);
    let thread = spot.thread(of_message_id(reader, &spot, &message));
    let kind = Kind::Reaction { emoji: crate::emoji::short_name(&emoji) };
    let mut event =
        event(reader, &spot, thread, "MESSAGE_REACTION_ADD", kind, format!("reaction:{once}"), Some(message));
    event.actor = match reaction.member.as_ref().and_then(|member| member.user.as_ref()) {
        Some(known) if known.id == user => actor(known, reaction.member.as_ref(), false),
        _ => super::Actor { name: user.clone(), id: user, ..nobody() },
    };
    Ok(event)
}

/// The key of the conversation that a message of which only the id is known is part of.
fn of_message_id(reader: Reader<'_>, spot: &Spot, message: &str) -> String {
    if spot.is_direct() {
        spot.channel.clone()
    } else if spot.is_thread() {
        key::of_thread(reader, &spot.channel).or_itself()
    } else {
        reader.places.conversation(message).unwrap_or_else(|| message.to_owned())
    }
}

/// An event that nobody is named for and that says nothing in words.
fn event(
    reader: Reader<'_>,
    spot: &Spot,
    thread: ThreadRef,
    name: &str,
    kind: Kind,
    dedupe_key: String,
    message: Option<String>,
) -> Event {
    Event {
        id: EventId::of(reader.connection, &dedupe_key),
        connection: reader.connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread,
        actor: nobody(),
        kind,
        name: name.to_owned(),
        text: String::new(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message,
        facts: if spot.guild.is_some() { spot.facts() } else { BTreeMap::new() },
        occurred_at_ms: reader.received_at_ms,
        received_at_ms: reader.received_at_ms,
        dedupe_keys: vec![dedupe_key],
    }
}
