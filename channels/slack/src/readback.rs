//! Reading back: our own posts after a crash, the threads we opened, and what was said before.

use reveille_channel::{ContextMessage, Mode, Receipt, ReplyContext, ReplyError, ThreadRef};
use serde_json::{Map, Value, json};

use crate::api::{Api, Repeat};
use crate::memory::Memory;
use crate::normalise::time_ms;
use crate::own::{Ids, Own};
use crate::place::{self, METADATA, Place};
use crate::text;

/// Pages that reading back turns at most. Apps outside of Slack's marketplace may get as few as 15 messages a page.
const PAGES_MAX: usize = 50;

/// Our clock and Slack's may differ by this much, milliseconds: with more, no delivery of Slack's would be believed.
const CLOCKS_MS: i64 = 300_000;

pub(crate) type Message = Map<String, Value>;

/// Looks for our message with the marker; see the word on streams in `reply`.
pub(crate) async fn find(
    api: &Api,
    own: &Own,
    memory: &Memory,
    context: &ReplyContext,
) -> Result<Option<Receipt>, ReplyError> {
    let since_ms = context.since_ms.saturating_sub(CLOCKS_MS);
    let ids = own.ids();
    let marked = |message: &Message| {
        is_own(message, &ids)
            && payload(message).and_then(|it| it.get("marker")) == Some(&json!(context.marker.as_str()))
    };
    let receipt = |message: &Message, mode| Some(Receipt { id: string(message, "ts")?, mode });
    let mut place = Place::of(&context.thread);
    if place::opens(&context.thread) {
        let in_channel = history(api, &place.channel, since_ms).await?;
        if let Some(found) = in_channel.iter().find(|message| marked(message)) {
            return Ok(receipt(found, Mode::Edit));
        }
        match root_among(&in_channel, &ids, &context.thread.key) {
            Some(ts) => place.thread_ts = Some(ts),
            None => return Ok(None),
        }
        memory.set_root(&context.thread.key, place.clone());
    }
    let messages = replies(api, &place, Some(since_ms)).await?;
    if let Some(found) = messages.iter().find(|message| marked(message)) {
        return Ok(receipt(found, Mode::Edit));
    }
    let may_be_stream = |message: &&Message| {
        let is_since = string(message, "ts").and_then(|ts| time_ms(&ts)).is_some_and(|at| at >= since_ms);
        is_since && is_own(message, &ids) && kind(message).is_none()
    };
    Ok(messages.iter().rfind(may_be_stream).and_then(|message| receipt(message, Mode::Native)))
}

/// Where messages of the thread go. A thread that we open has a place below its root once that is posted.
pub(crate) async fn place(
    api: &Api,
    own: &Own,
    memory: &Memory,
    thread: &ThreadRef,
    since_ms: i64,
) -> Result<Place, ReplyError> {
    let place = Place::of(thread);
    if !place::opens(thread) {
        return Ok(place);
    }
    if let Some(root) = memory.root(&thread.key) {
        return Ok(root);
    }
    let channel = direct(api, &place.channel).await?;
    let thread_ts = match history(api, &channel, since_ms.saturating_sub(CLOCKS_MS)).await {
        Ok(messages) => root_among(&messages, &own.ids(), &thread.key),
        Err(error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_))) => return Err(error),
        // We are not in that channel, so there is nothing of ours in it.
        Err(_) => None,
    };
    let place = Place { channel, thread_ts };
    if place.thread_ts.is_some() {
        memory.set_root(&thread.key, place.clone());
    }
    Ok(place)
}

/// The direct message with somebody, where a user stands in a channel's place ("conversations.open").
async fn direct(api: &Api, channel: &str) -> Result<String, ReplyError> {
    if !channel.starts_with(['U', 'W']) {
        return Ok(channel.to_owned());
    }
    let arguments = Map::from_iter([("users".to_owned(), channel.into())]);
    let opened = api.call("conversations.open", arguments, Repeat::Harmless).await;
    match opened {
        Ok(answer) => {
            let id = answer.get("channel").and_then(|channel| channel.get("id")).and_then(Value::as_str);
            Ok(id.unwrap_or(channel).to_owned())
        }
        Err(error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_))) => Err(error),
        // A post to the person's id lands in the same place.
        Err(_) => Ok(channel.to_owned()),
    }
}

/// The message with which we opened the thread.
fn root_among(messages: &[Message], ids: &Ids, thread: &str) -> Option<String> {
    let is_root = |message: &&Message| opens(message, ids).as_deref() == Some(thread);
    messages.iter().filter(is_root).filter_map(|message| string(message, "ts")).min()
}

/// The name of the thread that we opened with this message, if we did.
pub(crate) fn opens(message: &Message, ids: &Ids) -> Option<String> {
    let named = payload(message).and_then(|it| it.get("thread")).and_then(Value::as_str);
    named.filter(|_| is_own(message, ids)).map(ToOwned::to_owned)
}

/// Earlier messages of the thread.
pub(crate) async fn context(
    api: &Api,
    own: &Own,
    memory: &Memory,
    thread: &ThreadRef,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let place = if place::opens(thread) { memory.root(&thread.key) } else { Some(Place::of(thread)) };
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let ids = own.ids();
    let mut messages: Vec<ContextMessage> = replies(api, &place, None)
        .await?
        .iter()
        .filter_map(|message| {
            let id = string(message, "ts")?;
            let author = string(message, "user").or_else(|| string(message, "bot_id"))?;
            let (text, _) = text::read(&string(message, "text").unwrap_or_default(), None);
            let at_ms = time_ms(&id).unwrap_or(0);
            Some(ContextMessage { id, author, is_own: is_own(message, &ids), text, at_ms })
        })
        .collect();
    let surplus = messages.len().saturating_sub(limit);
    messages.drain(..surplus);
    Ok(messages)
}

/// "conversations.replies": a thread's messages.
async fn replies(api: &Api, place: &Place, since_ms: Option<i64>) -> Result<Vec<Message>, ReplyError> {
    let mut arguments = Map::from_iter([("channel".to_owned(), place.channel.as_str().into())]);
    arguments.insert("ts".into(), place.thread_ts.clone().into());
    pages(api, "conversations.replies", arguments, since_ms).await
}

/// "conversations.history": a channel's messages outside of threads.
async fn history(api: &Api, channel: &str, since_ms: i64) -> Result<Vec<Message>, ReplyError> {
    let arguments = Map::from_iter([("channel".to_owned(), channel.into())]);
    pages(api, "conversations.history", arguments, Some(since_ms)).await
}

/// The messages of a thread, or of a channel outside of threads, since a time or all of them.
pub(crate) async fn messages(
    api: &Api,
    channel: &str,
    thread_ts: Option<&str>,
    since_ms: Option<i64>,
) -> Result<Vec<Message>, ReplyError> {
    let since_ms = since_ms.map(|since_ms| since_ms.saturating_sub(CLOCKS_MS));
    match thread_ts {
        None => history(api, channel, since_ms.unwrap_or(0)).await,
        Some(thread_ts) => {
            let place = Place { channel: channel.to_owned(), thread_ts: Some(thread_ts.to_owned()) };
            replies(api, &place, since_ms).await
        }
    }
}

/// All pages ("Pagination": by cursor).
async fn pages(
    api: &Api,
    method: &'static str,
    mut arguments: Map<String, Value>,
    since_ms: Option<i64>,
) -> Result<Vec<Message>, ReplyError> {
    arguments.insert("include_all_metadata".into(), Value::Bool(true));
    arguments.insert("limit".into(), json!(200));
    if let Some(since_ms) = since_ms {
        arguments.insert("oldest".into(), Value::String(format!("{}.000000", since_ms.div_euclid(1_000))));
    }
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut answer = api.call(method, arguments.clone(), Repeat::Harmless).await?;
        if let Some(Value::Array(messages)) = answer.remove("messages") {
            all.extend(messages.into_iter().filter_map(|message| match message {
                Value::Object(message) => Some(message),
                _ => None,
            }));
        }
        let next = answer.get("response_metadata").and_then(|page| page.get("next_cursor")).and_then(Value::as_str);
        match next.filter(|next| !next.is_empty()) {
            Some(next) => arguments.insert("cursor".into(), next.into()),
            None => return Ok(all),
        };
    }
    Err(ReplyError::Refused(format!("{method}: there are too many pages")))
}

fn string(message: &Message, name: &str) -> Option<String> {
    message.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// The kind of a message's metadata.
fn kind(message: &Message) -> Option<&str> {
    message.get("metadata").and_then(|metadata| metadata.get("event_type")).and_then(Value::as_str)
}

/// The payload of metadata of ours.
fn payload(message: &Message) -> Option<&Value> {
    (kind(message) == Some(METADATA)).then(|| message.get("metadata")?.get("event_payload"))?
}

pub(crate) fn is_own(message: &Message, ids: &Ids) -> bool {
    let same =
        |name: &str, id: &Option<String>| id.is_some() && message.get(name).and_then(Value::as_str) == id.as_deref();
    // Before we know who we are, any program's message may be ours: looking again costs less than posting again.
    let unknown = ids.user.is_none() && ids.bot.is_none();
    same("user", &ids.user) || same("bot_id", &ids.bot) || (unknown && message.contains_key("bot_id"))
}
