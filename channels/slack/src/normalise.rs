//! From a verified delivery to an event.
//!
//! An `app_mention` also comes as a `message`, and either may come first: both have the message's own place and time as
//! their first key, so they are one event, and a message that mentions us is a mention whichever it came as.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{
    Actor, ActorKind, Attachment, Event, EventId, Inbound, Kind, Malformed, Route, ThreadRef, Verified,
};

use crate::PLATFORM;
use crate::own::{Ids, Own};
use crate::payload::{Envelope, InnerEvent};
use crate::text;

/// Subtypes of `message` that are somebody's words ("message event": subtypes).
const WORDS: [&str; 3] = ["file_share", "thread_broadcast", "me_message"];

pub(crate) fn normalise(connection: &str, own: &Own, verified: &Verified) -> Result<Inbound, Malformed> {
    debug_assert_eq!(verified.route(), Route::Events);
    let envelope: Envelope = serde_json::from_slice(verified.body()).map_err(|error| Malformed::json(&error))?;
    match envelope.kind.as_deref() {
        Some("url_verification") => {
            let challenge = envelope.challenge.ok_or_else(|| Malformed::new("url_verification has no challenge"))?;
            Ok(Inbound::Handshake { content_type: "text/plain; charset=utf-8", body: Bytes::from(challenge) })
        }
        Some("event_callback") => event(connection, own, envelope, verified.received_at_ms()),
        Some("app_rate_limited") => {
            tracing::warn!(connection, "Slack delivers fewer events than there are (app_rate_limited)");
            Ok(Inbound::Ignored { reason: "app_rate_limited" })
        }
        Some(_) => Ok(Inbound::Ignored { reason: "a type of delivery that is not acted upon" }),
        None => Err(Malformed::new("the delivery has no type")),
    }
}

fn event(connection: &str, own: &Own, envelope: Envelope, received_at_ms: i64) -> Result<Inbound, Malformed> {
    let Envelope { team_id, api_app_id, event_id, event_time, authorizations, event, .. } = envelope;
    let event = event.ok_or_else(|| Malformed::new("event_callback has no event"))?;
    let name = match event.kind.as_deref() {
        Some("app_mention") => "app_mention",
        Some("message") => "message",
        Some(_) => return Ok(Inbound::Ignored { reason: "a type of event that is not acted upon" }),
        None => return Err(Malformed::new("the event has no type")),
    };
    if event.subtype.as_deref().is_some_and(|subtype| !WORDS.contains(&subtype) && subtype != "bot_message") {
        return Ok(Inbound::Ignored { reason: "a subtype of message that is not acted upon" });
    }
    let known = own.ids();
    let told = authorizations.into_iter().find(|one| one.is_bot == Some(true)).and_then(|one| one.user_id);
    let ids = Ids { user: known.user.or(told), bot: known.bot };
    if is_own(&event, &ids, api_app_id.as_deref()) {
        return Ok(Inbound::Ignored { reason: "our own post" });
    }
    let team = team_id.ok_or_else(|| Malformed::new("the delivery has no team_id"))?;
    let channel = event.channel.clone().ok_or_else(|| Malformed::new("the event has no channel"))?;
    let ts = event.ts.clone().ok_or_else(|| Malformed::new("the event has no ts"))?;
    let raw_text = event.text.clone().unwrap_or_default();
    let calls_us = ids
        .user
        .as_ref()
        .is_some_and(|user| raw_text.contains(&format!("<@{user}>")) || raw_text.contains(&format!("<@{user}|")));
    let (text, mentions) = text::read(&raw_text, ids.user.as_deref());
    let is_direct = event.channel_type.as_deref() == Some("im") || channel.starts_with('D');
    let in_thread = event.thread_ts.as_ref().is_some_and(|thread| *thread != ts);
    let kind = if name == "app_mention" || (calls_us && !is_direct) {
        Kind::Mention
    } else {
        Kind::Message { direct: is_direct, in_thread }
    };
    let actor = actor(&event, &team)?;
    let thread_ts = event.thread_ts.clone().unwrap_or_else(|| ts.clone());
    let mut dedupe_keys = vec![format!("message:{team}:{channel}:{ts}")];
    dedupe_keys.extend(event_id.map(|id| format!("event:{team}:{id}")));
    dedupe_keys.extend(event.client_msg_id.as_ref().map(|id| format!("client:{team}:{id}")));
    let id = dedupe_keys.first().map(|key| EventId::of(connection, key)).ok_or_else(|| Malformed::new("no key"))?;
    let channel_type = event.channel_type.clone().unwrap_or_default();
    let location = BTreeMap::from([
        ("channel".to_owned(), channel.clone()),
        ("thread_ts".to_owned(), thread_ts.clone()),
        ("team".to_owned(), team.clone()),
        ("channel_type".to_owned(), channel_type),
    ]);
    let display = if is_direct { "a direct message".to_owned() } else { format!("#{channel}") };
    Ok(Inbound::Events(vec![Event {
        id,
        connection: connection.to_owned(),
        platform: PLATFORM.to_owned(),
        thread: ThreadRef { installation: team, key: format!("{channel}:{thread_ts}"), location, display },
        actor,
        kind,
        name: name.to_owned(),
        text,
        attachments: event.files.into_iter().map(attachment).collect(),
        mentions,
        message: Some(ts.clone()),
        facts: BTreeMap::from([("channel".to_owned(), channel)]),
        occurred_at_ms: time_ms(&ts)
            .or(event_time.map(|seconds| seconds.saturating_mul(1_000)))
            .unwrap_or(received_at_ms),
        received_at_ms,
        dedupe_keys,
    }]))
}

/// Whether we posted it. By ids alone: a name can be anybody's.
fn is_own(event: &InnerEvent, ids: &Ids, app: Option<&str>) -> bool {
    let same = |a: &Option<String>, b: Option<&str>| a.is_some() && a.as_deref() == b;
    same(&event.user, ids.user.as_deref())
        || same(&event.bot_id, ids.bot.as_deref())
        || (event.bot_id.is_some() && same(&event.app_id, app))
}

fn actor(event: &InnerEvent, team: &str) -> Result<Actor, Malformed> {
    let is_bot = event.bot_id.is_some() || event.subtype.as_deref() == Some("bot_message");
    let id = if is_bot { event.bot_id.clone().or(event.user.clone()) } else { event.user.clone() };
    let id = id.ok_or_else(|| Malformed::new("the event names nobody"))?;
    let home = event.user_team.as_ref().or(event.source_team.as_ref()).or(event.team.as_ref());
    let kind = match home {
        _ if is_bot => ActorKind::Bot,
        Some(home) if home != team && !home.starts_with('E') => ActorKind::External,
        _ => ActorKind::Human,
    };
    Ok(Actor { name: id.clone(), id, kind })
}

fn attachment(file: crate::payload::File) -> Attachment {
    Attachment {
        name: file.name.unwrap_or_default(),
        media_type: file.mimetype.unwrap_or_default(),
        size: file.size.unwrap_or(0),
        url: file.url_private.unwrap_or_default(),
    }
}

/// A message's `ts`, `seconds.microseconds`, in milliseconds.
pub(crate) fn time_ms(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    let thousandths: i64 = fraction.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(thousandths)
}
