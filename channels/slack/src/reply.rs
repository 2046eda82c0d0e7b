//! Operations of a reply plan, and reading back.
//!
//! A posted message carries its marker as metadata. A native stream cannot: `chat.startStream` takes none, so until it is
//! finished a stream is recognised as a message of ours in the thread, begun since the turn, without metadata.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reveille_channel::{
    Actor, ActorKind, ContextMessage, Identity, Mode, Op, Receipt, ReplyContext, ReplyError, Role, ThreadRef,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::{Api, Repeat};
use crate::normalise::time_ms;
use crate::own::{Ids, Own};
use crate::{refusal, render, text};

/// The `event_type` of our messages' metadata.
const METADATA: &str = "reveille_reply";

/// How long a method that a server does not have, or a place that cannot stream, is remembered.
const REMEMBER: Duration = Duration::from_secs(3600);

/// How long somebody's role is remembered.
const ROLE_FOR: Duration = Duration::from_secs(60);

/// People whose role is remembered at once.
const ROLES_MAX: usize = 10_000;

/// Pages that reading back turns at most.
const PAGES_MAX: usize = 50;

/// Our clock and Slack's may differ by this much, milliseconds.
const CLOCKS_MS: i64 = 10_000;

/// What was learnt and may be forgotten at any time.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Methods that do not work here, and until when that is believed.
    absent: Mutex<HashMap<&'static str, Instant>>,
    roles: Mutex<HashMap<(String, String), (Role, Instant)>>,
}

impl Memory {
    fn is_absent(&self, method: &'static str) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(method).is_some_and(|until| *until > Instant::now())
    }

    fn set_absent(&self, method: &'static str) {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner).insert(method, Instant::now() + REMEMBER);
    }
}

pub(crate) async fn perform(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    op: &Op,
) -> Result<Receipt, ReplyError> {
    match op {
        Op::Start { text, complete: false } if !memory.is_absent("chat.startStream") => {
            match start_stream(api, context, text).await {
                Err(error) if cannot_stream(&error) => {
                    tracing::info!(%error, "replies are edited in place: the server or the place cannot stream");
                    memory.set_absent("chat.startStream");
                    post(api, context, text).await
                }
                started => started,
            }
        }
        Op::Start { text, .. } => post(api, context, text).await,
        Op::Append { id, text } => {
            let arguments = arguments(context, &[("ts", id), ("markdown_text", &render::markdown(text))]);
            api.call("chat.appendStream", without_thread(arguments), Repeat::Doubles).await?;
            Ok(Receipt { id: id.clone(), mode: Mode::Native })
        }
        Op::Finish { id, text } => {
            let rest = render::markdown(text);
            let mut arguments = without_thread(arguments(context, &[("ts", id)]));
            if !rest.is_empty() {
                arguments.insert("markdown_text".into(), Value::String(rest));
            }
            arguments.insert("metadata".into(), metadata(context));
            // Repeated after a lost answer it says that the stream is closed, and the message is edited.
            api.call("chat.stopStream", arguments, Repeat::Harmless).await?;
            Ok(Receipt { id: id.clone(), mode: Mode::Edit })
        }
        Op::Edit { id, text, .. } => {
            let mut arguments = without_thread(arguments(context, &[("ts", id), ("text", &render::mrkdwn(text))]));
            arguments.insert("metadata".into(), metadata(context));
            api.call("chat.update", arguments, Repeat::Harmless).await?;
            Ok(Receipt { id: id.clone(), mode: Mode::Edit })
        }
        Op::Ask(_) | Op::Settle { .. } => Err(ReplyError::Refused("questions are not asked on Slack yet".into())),
        Op::Status { text } => {
            let receipt = Receipt { id: String::new(), mode: Mode::Edit };
            if memory.is_absent("assistant.threads.setStatus") {
                return Ok(receipt);
            }
            let arguments = Map::from_iter([
                ("channel_id".to_owned(), location(context, "channel")),
                ("thread_ts".to_owned(), location(context, "thread_ts")),
                ("status".to_owned(), Value::String(text.clone().unwrap_or_default())),
            ]);
            match api.call("assistant.threads.setStatus", arguments, Repeat::Harmless).await {
                Ok(_) => Ok(receipt),
                Err(error @ ReplyError::Retry { .. }) => Err(error),
                Err(error) => {
                    memory.set_absent("assistant.threads.setStatus");
                    Err(error)
                }
            }
        }
    }
}

async fn start_stream(api: &Api, context: &ReplyContext, text: &str) -> Result<Receipt, ReplyError> {
    let mut arguments = arguments(context, &[("markdown_text", &render::markdown(text))]);
    // Channels need to know whom the stream is for ("chat.startStream": usage info).
    arguments.insert("recipient_user_id".into(), Value::String(context.recipient.id.clone()));
    arguments.insert("recipient_team_id".into(), Value::String(context.thread.installation.clone()));
    let answer = api.call("chat.startStream", arguments, Repeat::Doubles).await?;
    Ok(Receipt { id: ts_of("chat.startStream", &answer)?, mode: Mode::Native })
}

async fn post(api: &Api, context: &ReplyContext, text: &str) -> Result<Receipt, ReplyError> {
    let mut arguments = arguments(context, &[("text", &render::mrkdwn(text))]);
    arguments.insert("metadata".into(), metadata(context));
    arguments.insert("unfurl_links".into(), Value::Bool(false));
    arguments.insert("unfurl_media".into(), Value::Bool(false));
    let answer = api.call("chat.postMessage", arguments, Repeat::Doubles).await?;
    Ok(Receipt { id: ts_of("chat.postMessage", &answer)?, mode: Mode::Edit })
}

/// Errors of `chat.startStream` that speak of the server or the place and not of this message.
fn cannot_stream(error: &ReplyError) -> bool {
    let words = [
        "channel_type_not_supported",
        "method_not_supported_for_channel_type",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "feature_not_enabled",
        "not_allowed",
        "team_not_found",
        "user_not_found",
    ];
    refusal::is_unknown_method(error)
        || match error {
            ReplyError::Refused(said) | ReplyError::Gone(said) => words.iter().any(|word| said.ends_with(word)),
            _ => false,
        }
}

/// Looks for our message with the marker; see the module's word on streams.
pub(crate) async fn find(api: &Api, own: &Own, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
    let since_ms = context.since_ms.saturating_sub(CLOCKS_MS);
    let ids = own.ids();
    let mut stream = None;
    for message in replies(api, &context.thread, Some(since_ms)).await? {
        let Some(ts) = message.get("ts").and_then(Value::as_str) else {
            continue;
        };
        let metadata = message.get("metadata").filter(|metadata| metadata.get("event_type") == Some(&json!(METADATA)));
        let marker = metadata.and_then(|metadata| metadata.pointer("/event_payload/marker")).and_then(Value::as_str);
        if !is_own(&message, &ids) {
            continue;
        }
        match marker {
            Some(marker) if marker == context.marker.as_str() => {
                return Ok(Some(Receipt { id: ts.to_owned(), mode: Mode::Edit }));
            }
            Some(_) => {}
            None if time_ms(ts).is_some_and(|at| at >= since_ms) => {
                stream = Some(Receipt { id: ts.to_owned(), mode: Mode::Native });
            }
            None => {}
        }
    }
    Ok(stream)
}

pub(crate) async fn context(
    api: &Api,
    own: &Own,
    thread: &ThreadRef,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let ids = own.ids();
    let said =
        |message: &Map<String, Value>, name: &str| message.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let mut messages: Vec<ContextMessage> = replies(api, thread, None)
        .await?
        .iter()
        .filter_map(|message| {
            let id = said(message, "ts")?;
            let author = said(message, "user").or_else(|| said(message, "bot_id"))?;
            let (text, _) = text::read(&said(message, "text").unwrap_or_default(), None);
            let at_ms = time_ms(&id).unwrap_or(0);
            Some(ContextMessage { id, author, is_own: is_own(message, &ids), text, at_ms })
        })
        .collect();
    let surplus = messages.len().saturating_sub(limit);
    messages.drain(..surplus);
    Ok(messages)
}

/// The thread's messages, all pages.
async fn replies(api: &Api, thread: &ThreadRef, since_ms: Option<i64>) -> Result<Vec<Map<String, Value>>, ReplyError> {
    let mut all = Vec::new();
    let mut cursor = None::<String>;
    for _ in 0..PAGES_MAX {
        let mut arguments = Map::from_iter([
            ("channel".to_owned(), thread.location.get("channel").cloned().into()),
            ("ts".to_owned(), thread.location.get("thread_ts").cloned().into()),
            ("include_all_metadata".to_owned(), Value::Bool(true)),
            ("limit".to_owned(), json!(200)),
        ]);
        if let Some(since_ms) = since_ms {
            arguments.insert("oldest".into(), Value::String(format!("{}.000000", since_ms.div_euclid(1_000))));
        }
        if let Some(cursor) = cursor.take() {
            arguments.insert("cursor".into(), Value::String(cursor));
        }
        let mut answer = api.call("conversations.replies", arguments, Repeat::Harmless).await?;
        if let Some(Value::Array(messages)) = answer.remove("messages") {
            all.extend(messages.into_iter().filter_map(|message| match message {
                Value::Object(message) => Some(message),
                _ => None,
            }));
        }
        let next = answer.get("response_metadata").and_then(|page| page.get("next_cursor")).and_then(Value::as_str);
        match next.filter(|next| !next.is_empty()) {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(all),
        }
    }
    Err(ReplyError::Refused("conversations.replies: the thread has too many pages".into()))
}

/// What Slack says somebody may do in the workspace.
pub(crate) async fn role(api: &Api, memory: &Memory, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
    match actor.kind {
        ActorKind::External => return Ok(Role::External),
        ActorKind::Bot => return Ok(Role::None),
        ActorKind::Human => {}
    }
    let key = (thread.installation.clone(), actor.id.clone());
    {
        let roles = memory.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((role, _)) = roles.get(&key).filter(|(_, until)| *until > Instant::now()) {
            return Ok(*role);
        }
    }
    let arguments = Map::from_iter([("user".to_owned(), Value::String(actor.id.clone()))]);
    let role = match api.call("users.info", arguments, Repeat::Harmless).await {
        Ok(answer) => role_of(answer.get("user").unwrap_or(&Value::Null), actor, thread)?,
        // The real platform has the method; a server without it has the signed payload's word alone.
        Err(error) if refusal::is_unknown_method(&error) => Role::Member,
        Err(error) => return Err(error),
    };
    let mut roles = memory.roles.lock().unwrap_or_else(PoisonError::into_inner);
    if roles.len() >= ROLES_MAX {
        roles.clear();
    }
    roles.insert(key, (role, Instant::now() + ROLE_FOR));
    Ok(role)
}

fn role_of(user: &Value, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
    if user.get("id").and_then(Value::as_str) != Some(actor.id.as_str()) {
        return Err(ReplyError::Refused("users.info: the answer is about somebody else".into()));
    }
    let is = |name: &str| user.get(name).and_then(Value::as_bool).unwrap_or(false);
    let team = user.get("team_id").and_then(Value::as_str);
    Ok(if is("deleted") {
        Role::None
    } else if is("is_stranger") || team.is_some_and(|team| team != thread.installation && !team.starts_with('E')) {
        Role::External
    } else if is("is_bot") || is("is_restricted") || is("is_ultra_restricted") {
        Role::Guest
    } else if is("is_admin") || is("is_owner") {
        Role::Admin
    } else {
        Role::Member
    })
}

pub(crate) async fn react(api: &Api, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
    let arguments = Map::from_iter([
        ("channel".to_owned(), thread.location.get("channel").cloned().into()),
        ("timestamp".to_owned(), Value::String(message.to_owned())),
        ("name".to_owned(), Value::String(emoji.trim_matches(':').to_owned())),
    ]);
    match api.call("reactions.add", arguments, Repeat::Harmless).await {
        Err(ReplyError::Refused(said)) if said.ends_with("already_reacted") => Ok(()),
        done => done.map(drop),
    }
}

pub(crate) async fn identify(api: &Api, own: &Own) -> Result<Identity, ReplyError> {
    let answer = api.call("auth.test", Map::new(), Repeat::Harmless).await?;
    let said = |name: &str| answer.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    own.learn(Ids { user: said("user_id"), bot: said("bot_id") });
    Ok(Identity {
        id: said("user_id").unwrap_or_default(),
        handle: said("user").unwrap_or_default(),
        installation: said("team").or_else(|| said("team_id")).unwrap_or_default(),
        warnings: Vec::new(),
    })
}

fn is_own(message: &Map<String, Value>, ids: &Ids) -> bool {
    let same =
        |name: &str, id: &Option<String>| id.is_some() && message.get(name).and_then(Value::as_str) == id.as_deref();
    // Before we know who we are, any program's message may be ours: looking again costs less than posting again.
    let unknown = ids.user.is_none() && ids.bot.is_none();
    same("user", &ids.user) || same("bot_id", &ids.bot) || (unknown && message.contains_key("bot_id"))
}

fn metadata(context: &ReplyContext) -> Value {
    json!({ "event_type": METADATA, "event_payload": { "marker": context.marker.as_str() } })
}

fn location(context: &ReplyContext, name: &str) -> Value {
    context.thread.location.get(name).cloned().into()
}

fn arguments(context: &ReplyContext, more: &[(&str, &str)]) -> Map<String, Value> {
    let place = [("channel", location(context, "channel")), ("thread_ts", location(context, "thread_ts"))];
    let more = more.iter().map(|(name, value)| (*name, Value::String((*value).to_owned())));
    place.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// For methods that name the message itself.
fn without_thread(mut arguments: Map<String, Value>) -> Map<String, Value> {
    arguments.remove("thread_ts");
    arguments
}

/// The posted message's `ts`. The post was accepted: without it, reading back has to tell.
fn ts_of(method: &str, answer: &Map<String, Value>) -> Result<String, ReplyError> {
    let ts = answer.get("ts").or_else(|| answer.get("message").and_then(|message| message.get("ts")));
    ts.and_then(Value::as_str)
        .map(ToOwned::to_owned)
        .ok_or_else(|| ReplyError::Unknown(format!("{method}: the answer names no message")))
}
