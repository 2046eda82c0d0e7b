//! What people press, choose and send ("Handling user interaction"): a form with one field, `payload`, that holds JSON.
//!
//! The person is the signed one of the payload: whose message it is on, or whose question, does not matter here.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{Actor, ActorKind, Event, Inbound, Kind, Malformed, ThreadRef};

use crate::commands::fields;
use crate::normalise::{Reader, open_thread};
use crate::payload::{Interaction, Message};
use crate::text;
use crate::{ask, feedback};

/// The most fields of a form that are read; a view has at most 100 blocks ("Views").
const FIELDS_MAX: usize = 100;

pub(crate) fn form(reader: Reader<'_>, body: &[u8]) -> Result<Inbound, Malformed> {
    let fields = fields(body);
    // As for slash commands.
    if fields.iter().any(|(name, _)| name == "ssl_check") {
        return Ok(Inbound::Handshake { content_type: "text/plain; charset=utf-8", body: Bytes::new() });
    }
    let mut payloads = fields.iter().filter(|(name, _)| name == "payload");
    let (Some((_, payload)), None) = (payloads.next(), payloads.next()) else {
        return Err(Malformed::new("the interaction is not one field `payload`"));
    };
    read(reader, &serde_json::from_str(payload).map_err(|error| Malformed::json(&error))?)
}

pub(crate) fn read(reader: Reader<'_>, payload: &Interaction) -> Result<Inbound, Malformed> {
    match payload.kind.as_deref() {
        Some("block_actions") => pressed(reader, payload),
        Some("view_submission") => submitted(reader, payload),
        Some("shortcut" | "message_action") => shortcut(reader, payload),
        // A menu asks for options that are loaded: we have none.
        Some("block_suggestion") => {
            Ok(Inbound::Handshake { content_type: "application/json", body: Bytes::from_static(br#"{"options":[]}"#) })
        }
        Some(_) => Ok(Inbound::Ignored { reason: "a type of interaction that is not acted upon" }),
        None => Err(Malformed::new("the interaction has no type")),
    }
}

/// Who, and in which workspace.
fn who(payload: &Interaction) -> Result<(Actor, String), Malformed> {
    let person = payload.user.as_ref().ok_or_else(|| Malformed::new("the interaction names nobody"))?;
    let id = person.id.clone().ok_or_else(|| Malformed::new("the interaction names nobody"))?;
    let team = payload.team.as_ref().and_then(|team| team.id.clone()).or(person.team_id.clone());
    let team = team.ok_or_else(|| Malformed::new("the interaction names no workspace"))?;
    let is_external = person.team_id.as_ref().is_some_and(|home| *home != team && !home.starts_with('E'));
    let name = person.username.clone().or(person.name.clone()).unwrap_or_else(|| id.clone());
    let kind = if is_external { ActorKind::External } else { ActorKind::Human };
    Ok((Actor { id, name, kind }, team))
}

/// What tells one press from the next: Slack makes a trigger for each.
fn trigger(payload: &Interaction) -> Result<&str, Malformed> {
    payload.trigger_id.as_deref().ok_or_else(|| Malformed::new("the interaction has no trigger_id"))
}

/// "block_actions payload": a button, a menu.
fn pressed(reader: Reader<'_>, payload: &Interaction) -> Result<Inbound, Malformed> {
    let (actor, team) = who(payload)?;
    let trigger = trigger(payload)?;
    let Some((thread, message)) = place(reader, payload, &team) else {
        return Ok(Inbound::Ignored { reason: "a control that is on no message" });
    };
    let mut events = Vec::new();
    for (index, action) in payload.actions.iter().enumerate() {
        let (Some(block), Some(control)) = (&action.block_id, &action.action_id) else {
            return Err(Malformed::new("an action names no control"));
        };
        let (reference, choice, asked_in) = ask::answer(block, control, &action.chosen.text());
        let thread = ThreadRef { key: asked_in.unwrap_or_else(|| thread.key.clone()), ..thread.clone() };
        let at = action.action_ts.as_deref().unwrap_or_default();
        let keys = vec![
            format!("trigger:{team}:{trigger}:{index}"),
            format!("action:{}:{message}:{block}:{control}:{}:{at}", thread.key, actor.id),
        ];
        let kind = match feedback::read(block, control, &choice) {
            Some(positive) => Kind::Feedback { positive },
            None => Kind::Action { reference, choice: choice.clone() },
        };
        let event = reader.event("block_actions", kind, thread, actor.clone(), keys)?;
        events.push(Event { text: choice, message: Some(message.clone()), ..event });
    }
    if events.is_empty() {
        Ok(Inbound::Ignored { reason: "an interaction without a choice" })
    } else {
        Ok(Inbound::Events(events))
    }
}

/// The thread of the message that a control is on, and the message.
fn place(reader: Reader<'_>, payload: &Interaction, team: &str) -> Option<(ThreadRef, String)> {
    let container = payload.container.as_ref();
    let channel = payload.channel.as_ref().and_then(|channel| channel.id.clone());
    let channel = channel.or(container.and_then(|container| container.channel_id.clone()))?;
    let of_message = |message: &Message| message.ts.clone();
    let ts = payload.message.as_ref().and_then(of_message);
    let ts = ts.or(container.and_then(|container| container.message_ts.clone()))?;
    let root = payload.message.as_ref().and_then(|message| message.thread_ts.clone());
    let root = root.or(container.and_then(|container| container.thread_ts.clone())).unwrap_or_else(|| ts.clone());
    let mut thread = reader.thread(team, &channel, &root);
    if let Some(name) =
        payload.channel.as_ref().and_then(|channel| channel.name.as_ref()).filter(|name| *name != "directmessage")
    {
        thread.display = format!("#{name}");
    }
    Some((thread, ts))
}

/// "view_submission payload": an empty answer closes the view.
fn submitted(reader: Reader<'_>, payload: &Interaction) -> Result<Inbound, Malformed> {
    let (actor, team) = who(payload)?;
    let view = payload.view.as_ref().ok_or_else(|| Malformed::new("view_submission has no view"))?;
    let id = view.id.as_deref().ok_or_else(|| Malformed::new("the view has no id"))?;
    let name = view.callback_id.clone().unwrap_or_default();
    let values = view.state.as_ref().map(|state| &state.values);
    let fields: BTreeMap<String, String> = values
        .into_iter()
        .flat_map(|blocks| blocks.values())
        .flat_map(|controls| controls.iter())
        .take(FIELDS_MAX)
        .map(|(control, chosen)| (control.clone(), chosen.text()))
        .collect();
    // It is in no channel: the answer goes to the person.
    let thread = open_thread(&team, &actor.id, &format!("form:{id}"));
    let mut keys = vec![format!("view:{team}:{id}:{}", view.hash.as_deref().unwrap_or_default())];
    keys.extend(payload.trigger_id.iter().map(|trigger| format!("trigger:{team}:{trigger}")));
    let lines: Vec<String> = fields.iter().map(|(field, value)| format!("{field}: {value}")).collect();
    let event = reader.event("view_submission", Kind::Form { name, fields }, thread, actor, keys)?;
    Ok(Inbound::Events(vec![Event { text: lines.join("\n"), ..event }]))
}

/// "Shortcuts payload": of the whole workspace, or of one message, whose text is what it is about and not what its
/// author asks for.
fn shortcut(reader: Reader<'_>, payload: &Interaction) -> Result<Inbound, Malformed> {
    let (actor, team) = who(payload)?;
    let trigger = trigger(payload)?;
    let name = payload.callback_id.clone().ok_or_else(|| Malformed::new("the shortcut has no callback_id"))?;
    let about = payload.message.as_ref().and_then(|message| message.text.as_deref()).unwrap_or_default();
    let (about, _) = text::read(about, None);
    let (mut thread, message) = match place(reader, payload, &team) {
        Some((thread, message)) => (thread, Some(message)),
        None => (open_thread(&team, &actor.id, &format!("shortcut:{trigger}")), None),
    };
    if let Some(url) = &payload.response_url {
        thread.location.insert("response_url".into(), url.clone());
    }
    let platform_name = payload.kind.clone().unwrap_or_default();
    let kind = Kind::Command { name: name.trim_start_matches('/').to_lowercase(), args: about.clone() };
    let event = reader.event(&platform_name, kind, thread, actor, vec![format!("trigger:{team}:{trigger}")])?;
    Ok(Inbound::Events(vec![Event { text: about, message, ..event }]))
}
