//! Interactions ("Receiving and Responding"): commands, components, forms.
//!
//! Each is answered within three seconds, so the answer is a promise: "thinking" for what gets an answer of its own, nothing
//! visible for a button. It is sent once the event is durable.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{Event, EventId, Inbound, Kind, Malformed};
use serde_json::{Value, json};

use super::key::{self, Key};
use super::place::{Spot, title};
use super::{Reader, actor};
use crate::payload::{CommandOption, Component, Data, Interaction, time_ms};
use crate::places::is_thread;
use crate::{PLATFORM, custom_id, location, text};

/// "Interaction Type".
const PING: u64 = 1;
const APPLICATION_COMMAND: u64 = 2;
const MESSAGE_COMPONENT: u64 = 3;
const AUTOCOMPLETE: u64 = 4;
const MODAL_SUBMIT: u64 = 5;

/// "Application Command Types".
const USER: u64 = 2;
const MESSAGE: u64 = 3;

/// "Application Command Option Type": those that hold further options.
const SUB_COMMANDS: std::ops::RangeInclusive<u64> = 1..=2;

const JSON: &str = "application/json";

/// What an interaction is answered with at once ("Interaction Callback Type").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Pong,
    /// "... is thinking", to be edited.
    Thinking,
    /// Nothing that is visible.
    Noted,
    /// No choices.
    NoChoices,
    /// Nobody does anything about it; for the person alone.
    Nobody,
}

impl Answer {
    pub(crate) fn body(self) -> Bytes {
        const SUPPRESS_EMBEDS: u64 = 1 << 2;
        const EPHEMERAL: u64 = 1 << 6;
        let answer = match self {
            Self::Pong => json!({"type": 1}),
            Self::Thinking => json!({"type": 5}),
            Self::Noted => json!({"type": 6}),
            Self::NoChoices => json!({"type": 8, "data": {"choices": []}}),
            Self::Nobody => json!({"type": 4, "data": {
                "content": "Nobody here does anything about this any more.",
                "flags": SUPPRESS_EMBEDS | EPHEMERAL,
                "allowed_mentions": {"parse": []},
            }}),
        };
        Bytes::from(answer.to_string())
    }

    fn at_once(self) -> Inbound {
        Inbound::Handshake { content_type: JSON, body: self.body() }
    }
}

/// What an interaction says.
pub(crate) fn interaction(reader: Reader<'_>, read: Interaction) -> Result<Inbound, Malformed> {
    if read.application_id.as_deref().is_some_and(|application| application != reader.own.application()) {
        return Err(Malformed::new("the interaction is another application's"));
    }
    match read.kind {
        Some(PING) => Ok(Answer::Pong.at_once()),
        Some(AUTOCOMPLETE) => Ok(Answer::NoChoices.at_once()),
        Some(APPLICATION_COMMAND) => command(reader, read),
        Some(MESSAGE_COMPONENT) => component(reader, read),
        Some(MODAL_SUBMIT) => form(reader, read),
        Some(_) => Ok(Inbound::Ignored { reason: "a type of interaction that is not acted upon" }),
        None => Err(Malformed::new("the interaction has no type")),
    }
}

/// What has to be asked for before the key of an interaction's conversation is known: of threads that we started.
pub(crate) fn key_to_ask_for(reader: Reader<'_>, read: &Interaction) -> Option<Key> {
    let channel = read.channel.as_ref()?;
    let key = if channel.kind.is_some_and(is_thread) {
        reader.places.learn(channel);
        key::of_thread(reader, &channel.id)
    } else {
        key::after(reader, read.message.as_ref().filter(|message| reader.own.is_own_message(message))?)
    };
    matches!(key, Key::OfMessage { .. }).then_some(key)
}

fn command(reader: Reader<'_>, mut read: Interaction) -> Result<Inbound, Malformed> {
    let data = read.data.take().ok_or_else(|| Malformed::new("the command has no data"))?;
    let name = data.name.clone().ok_or_else(|| Malformed::new("the command has no name"))?;
    let (words, asked) = match data.kind {
        Some(USER) => (about_user(&data), String::new()),
        Some(MESSAGE) => (about_message(reader, &data), String::new()),
        _ => {
            let words = arguments(&data.options);
            (words.clone(), words)
        }
    };
    let mut names = reader.names();
    names.users = data.resolved.users.iter().map(|(id, user)| (id.clone(), user.shown().to_owned())).collect();
    let kind = Kind::Command { name, args: text::read(&asked, &names) };
    let mut event = event(reader, &read, "APPLICATION_COMMAND", kind, text::read(&words, &names))?;
    event.attachments = data.resolved.attachments.values().map(super::messages::attachment).collect();
    awaited(&mut event, &read);
    Ok(answered(event, Answer::Thinking))
}

fn component(reader: Reader<'_>, mut read: Interaction) -> Result<Inbound, Malformed> {
    let data = read.data.take().ok_or_else(|| Malformed::new("the component has no data"))?;
    let id = data.custom_id.ok_or_else(|| Malformed::new("the component has no custom_id"))?;
    let Some((reference, choice)) = custom_id::read(&id) else {
        // Not one of ours; it must be answered all the same, or people see that it failed.
        return Ok(Answer::Nobody.at_once());
    };
    let choice = data.values.into_iter().next().unwrap_or_else(|| choice.to_owned());
    let kind = Kind::Action { reference: reference.to_owned(), choice: choice.clone() };
    let mut event = event(reader, &read, "MESSAGE_COMPONENT", kind, choice)?;
    event.message = read.message.map(|message| message.id).filter(|id| !id.is_empty());
    Ok(answered(event, Answer::Noted))
}

fn form(reader: Reader<'_>, mut read: Interaction) -> Result<Inbound, Malformed> {
    let data = read.data.take().ok_or_else(|| Malformed::new("the form has no data"))?;
    let name = data.custom_id.ok_or_else(|| Malformed::new("the form has no custom_id"))?;
    let mut fields = BTreeMap::new();
    data.components.iter().for_each(|component| collect(component, &mut fields));
    let lines: Vec<String> = fields.iter().map(|(field, value)| format!("{field}: {value}")).collect();
    let mut event = event(reader, &read, "MODAL_SUBMIT", Kind::Form { name, fields }, lines.join("\n"))?;
    awaited(&mut event, &read);
    Ok(answered(event, Answer::Thinking))
}

fn answered(event: Event, answer: Answer) -> Inbound {
    Inbound::Answered { events: vec![event], content_type: JSON, body: answer.body() }
}

fn event(reader: Reader<'_>, read: &Interaction, name: &str, kind: Kind, text: String) -> Result<Event, Malformed> {
    let id = read.id.clone().ok_or_else(|| Malformed::new("the interaction has no id"))?;
    let member = read.member.as_ref();
    let user = member.and_then(|member| member.user.as_ref()).or(read.user.as_ref());
    let user = user.filter(|user| !user.id.is_empty()).ok_or_else(|| Malformed::new("the interaction names nobody"))?;
    let told = read.channel.as_ref();
    let channel = read.channel_id.clone().or_else(|| told.map(|channel| channel.id.clone()));
    let channel =
        channel.filter(|id| !id.is_empty()).ok_or_else(|| Malformed::new("the interaction has no channel"))?;
    let spot = Spot::of(reader, read.guild_id.clone(), channel, told, None);
    let key = if spot.is_direct() {
        spot.channel.clone()
    } else if spot.is_thread() {
        key::of_thread(reader, &spot.channel).or_itself()
    } else if let Some(message) = read.message.as_ref().filter(|message| reader.own.is_own_message(message)) {
        key::after(reader, message).or_itself()
    } else {
        id.clone()
    };
    let dedupe_key = format!("interaction:{id}");
    Ok(Event {
        id: EventId::of(reader.connection, &dedupe_key),
        connection: reader.connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread: spot.thread(key),
        actor: actor(user, member, false),
        kind,
        name: name.to_owned(),
        text,
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: spot.facts(),
        occurred_at_ms: time_ms(&id).unwrap_or(reader.received_at_ms),
        received_at_ms: reader.received_at_ms,
        dedupe_keys: vec![dedupe_key],
    })
}

/// The reply goes into the interaction's own answer, while its token is good.
fn awaited(event: &mut Event, read: &Interaction) {
    let title = title(&event.text);
    let thread = &mut event.thread;
    if let (Some(id), Some(token)) = (&read.id, &read.token) {
        if let Some(title) = title {
            thread.location.insert(location::TITLE.to_owned(), title);
        }
        thread.location.insert(location::INTERACTION.to_owned(), id.clone());
        thread.location.insert(location::TOKEN.to_owned(), token.clone());
    }
}

/// What stood behind a command: the one option's value, else each with its name.
fn arguments(options: &[CommandOption]) -> String {
    match options {
        [only] if only.options.is_empty() && !is_sub_command(only) => value(only.value.as_ref()),
        several => several
            .iter()
            .map(|option| {
                let name = option.name.as_deref().unwrap_or_default();
                if is_sub_command(option) {
                    format!("{name} {}", arguments(&option.options)).trim_end().to_owned()
                } else {
                    format!("{name}: {}", value(option.value.as_ref()))
                }
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn is_sub_command(option: &CommandOption) -> bool {
    option.kind.is_some_and(|kind| SUB_COMMANDS.contains(&kind))
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn about_user(data: &Data) -> String {
    let id = data.target_id.as_deref().unwrap_or_default();
    let name = data.resolved.users.get(id).map_or(id, |user| user.shown());
    format!("About the user {name} (id {id}).")
}

/// The words of whoever wrote the message are quoted: they are not the caller's.
fn about_message(reader: Reader<'_>, data: &Data) -> String {
    let id = data.target_id.as_deref().unwrap_or_default();
    let Some(message) = data.resolved.messages.get(id) else {
        return format!("About the message {id}.");
    };
    let author = message.author.as_ref().map_or("somebody", |author| author.shown());
    let content = text::read(&message.content, &reader.names());
    let quoted: Vec<String> = content.lines().map(|line| format!("> {line}")).collect();
    format!("About this message by {author}:\n\n{}", quoted.join("\n"))
}

/// The fields of a form, however deep they stand in labels and rows.
fn collect(component: &Component, fields: &mut BTreeMap<String, String>) {
    if let Some(id) = &component.custom_id {
        let chosen: Vec<String> = component.values.iter().map(|one| value(Some(one))).collect();
        let given = component.value.as_ref().map_or_else(|| chosen.join(", "), |given| value(Some(given)));
        fields.insert(id.clone(), given);
    }
    component.component.iter().for_each(|inner| collect(inner, fields));
    component.components.iter().for_each(|inner| collect(inner, fields));
}
