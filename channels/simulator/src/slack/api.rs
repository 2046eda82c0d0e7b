//! Slack's Web API: the methods that a bot in threads needs.
//!
//! Rules are those of each method's page in the reference ("chat.postMessage", "chat.startStream", ...).

use axum::Router;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{BOT, BOT_USER, Message, PEOPLE, Slack, State, TEAM, is_channel, message, put};
use crate::fault::Fault;
use crate::{Call, lock};

/// "chat.postMessage": text is cut off beyond; the simulator refuses.
const TEXT_MAX: usize = 40_000;

/// "chat.startStream": `markdown_text` holds 12,000 characters at most; a whole stream takes about as many.
const MARKDOWN_MAX: usize = 12_000;

/// A stream is closed about five minutes after it was started, whatever flows.
const STREAM_SECONDS: u64 = 300;

type Arguments = Map<String, Value>;
type Answer = Result<Value, &'static str>;

pub(crate) fn router(slack: Slack) -> Router {
    Router::new().route("/{method}", any(call)).with_state(slack)
}

async fn call(
    Extract(slack): Extract<Slack>,
    Path(method): Path<String>,
    uri: http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = slack.faults.take(&method);
    match &fault {
        Some(Fault::Error500) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::RateLimit(seconds)) => {
            let answer = json!({"ok": false, "error": "ratelimited"}).to_string();
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], answer)
                .into_response();
        }
        Some(Fault::RefuseToken) => return refused("invalid_auth"),
        Some(Fault::UnknownMethod) => return refused("unknown_method"),
        Some(Fault::Delay(wait)) => tokio::time::sleep(*wait).await,
        Some(Fault::DropAnswer) | None => {}
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match bearer.and_then(|value| value.strip_prefix("Bearer ")) {
        None => return refused("not_authed"),
        Some(token) if token != slack.options.bot_token => return refused("invalid_auth"),
        Some(_) => {}
    }
    let arguments = arguments(&uri, &headers, &body);
    let answer = slack.perform(&method, &arguments);
    slack.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        // What was asked is done; the connection ends in the middle of the answer.
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{\"ok\"")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    match answer {
        Ok(mut answer) => {
            put(&mut answer, "ok", json!(true));
            json_response(&answer)
        }
        Err(code) => refused(code),
    }
}

impl Slack {
    fn perform(&self, method: &str, arguments: &Arguments) -> Answer {
        let streams = matches!(method, "chat.startStream" | "chat.appendStream" | "chat.stopStream");
        if streams && !self.options.streaming {
            return Err("unknown_method");
        }
        let mut state = lock(&self.state);
        let mut own = None;
        let answer = match method {
            "auth.test" => Ok(
                json!({"url": "https://demo.slack.com/", "team": "Demo", "user": self.options.bot_name, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT}),
            ),
            "users.info" => user(arguments),
            "conversations.info" => {
                let channel = place(arguments)?;
                Ok(json!({"channel": {"id": channel, "is_channel": true}}))
            }
            "conversations.replies" => state.replies(arguments),
            "chat.postMessage" => {
                let posted = state.post(arguments)?;
                own = Some(posted.clone());
                Ok(json!({"channel": posted.channel, "ts": posted.ts, "message": seen(&posted, true)}))
            }
            "chat.update" => state.update(arguments),
            "chat.startStream" => {
                let started = state.start_stream(arguments)?;
                Ok(json!({"channel": started.channel, "ts": started.ts}))
            }
            "chat.appendStream" => state.append_stream(arguments),
            "chat.stopStream" => {
                let stopped = state.stop_stream(arguments)?;
                own = Some(stopped.clone());
                Ok(json!({"channel": stopped.channel, "ts": stopped.ts, "message": seen(&stopped, true)}))
            }
            "assistant.threads.setStatus" => {
                let thread = text(arguments, "thread_ts").ok_or("invalid_arguments")?.to_owned();
                state.status.insert(thread, text(arguments, "status").unwrap_or_default().to_owned());
                Ok(json!({}))
            }
            "reactions.add" => state.react(arguments),
            _ => Err("unknown_method"),
        };
        if answer.is_ok() {
            state.calls.push(Call { method: method.to_owned(), arguments: Value::Object(arguments.clone()) });
        }
        drop(state);
        if let Some(message) = own {
            self.deliver_own(&message);
        }
        answer
    }
}

impl State {
    fn post(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        let channel = place(arguments)?.to_owned();
        let body = text(arguments, "markdown_text").or_else(|| text(arguments, "text")).filter(|body| !body.is_empty());
        let body = body.ok_or("no_text")?.to_owned();
        if body.chars().count() > TEXT_MAX {
            return Err("msg_too_long");
        }
        let ts = self.new_ts();
        let thread_ts = text(arguments, "thread_ts").unwrap_or(&ts).to_owned();
        let mut posted = message(&channel, &ts, &thread_ts, BOT_USER, true, &body);
        posted.metadata = arguments.get("metadata").cloned();
        self.messages.push(posted.clone());
        Ok(posted)
    }

    fn update(&mut self, arguments: &Arguments) -> Answer {
        let body = text(arguments, "text").filter(|body| !body.is_empty()).ok_or("no_text")?.to_owned();
        if body.chars().count() > TEXT_MAX {
            return Err("msg_too_long");
        }
        let metadata = arguments.get("metadata").cloned();
        let found = self.message(arguments)?;
        if !found.is_bot {
            return Err("cant_update_message");
        }
        if found.is_streaming {
            return Err("streaming_state_conflict");
        }
        let before = std::mem::replace(&mut found.text, body);
        found.history.push(before);
        if metadata.is_some() {
            found.metadata = metadata;
        }
        Ok(json!({"channel": found.channel, "ts": found.ts, "text": found.text}))
    }

    fn start_stream(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        let channel = place(arguments)?.to_owned();
        let thread_ts = text(arguments, "thread_ts").ok_or("invalid_arguments")?.to_owned();
        let in_channel = !channel.starts_with('D');
        if in_channel && text(arguments, "recipient_user_id").is_none() {
            return Err("missing_recipient_user_id");
        }
        if in_channel && text(arguments, "recipient_team_id").is_none() {
            return Err("missing_recipient_team_id");
        }
        let body = text(arguments, "markdown_text").unwrap_or_default().to_owned();
        if body.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        let ts = self.new_ts();
        let mut started = message(&channel, &ts, &thread_ts, BOT_USER, true, &body);
        started.is_streaming = true;
        self.messages.push(started.clone());
        Ok(started)
    }

    fn append_stream(&mut self, arguments: &Arguments) -> Answer {
        let more = text(arguments, "markdown_text").filter(|more| !more.is_empty()).ok_or("no_text")?.to_owned();
        let found = self.stream(arguments)?;
        if found.text.chars().count() + more.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        found.history.push(found.text.clone());
        found.text.push_str(&more);
        Ok(json!({"channel": found.channel, "ts": found.ts}))
    }

    fn stop_stream(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        let more = text(arguments, "markdown_text").unwrap_or_default().to_owned();
        let metadata = arguments.get("metadata").cloned();
        let found = self.stream(arguments)?;
        if found.text.chars().count() + more.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        found.history.push(found.text.clone());
        found.text.push_str(&more);
        found.is_streaming = false;
        found.metadata = metadata;
        Ok(found.clone())
    }

    fn stream(&mut self, arguments: &Arguments) -> Result<&mut Message, &'static str> {
        let found = self.message(arguments)?;
        if !found.is_bot {
            return Err("message_not_owned_by_app");
        }
        if found.is_streaming && crate::deliver::now().0 > found.opened_s + STREAM_SECONDS {
            found.is_streaming = false;
        }
        if found.is_streaming { Ok(found) } else { Err("message_not_in_streaming_state") }
    }

    fn message(&mut self, arguments: &Arguments) -> Result<&mut Message, &'static str> {
        let channel = place(arguments)?;
        let ts = text(arguments, "ts").or_else(|| text(arguments, "timestamp")).ok_or("invalid_arguments")?;
        let found = self.messages.iter_mut().find(|one| one.channel == channel && one.ts == ts);
        found.ok_or("message_not_found")
    }

    fn react(&mut self, arguments: &Arguments) -> Answer {
        let name = text(arguments, "name").ok_or("no_reaction")?.to_owned();
        let found = self.message(arguments)?;
        if found.reactions.contains(&name) {
            return Err("already_reacted");
        }
        found.reactions.push(name);
        Ok(json!({}))
    }

    fn replies(&self, arguments: &Arguments) -> Answer {
        let channel = place(arguments)?;
        let root = text(arguments, "ts").ok_or("invalid_arguments")?;
        let oldest: f64 = text(arguments, "oldest").and_then(|oldest| oldest.parse().ok()).unwrap_or(0.0);
        let limit = text(arguments, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(100usize).clamp(1, 1000);
        let start = text(arguments, "cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0usize);
        let with_metadata = text(arguments, "include_all_metadata") == Some("true");
        let all: Vec<Value> = self
            .messages
            .iter()
            .filter(|one| one.channel == channel && one.thread_ts == root)
            // The root always comes along.
            .filter(|one| one.ts == root || one.ts.parse::<f64>().is_ok_and(|ts| ts > oldest))
            .map(|one| seen(one, with_metadata))
            .collect();
        if all.is_empty() {
            return Err("thread_not_found");
        }
        let end = (start + limit).min(all.len());
        let next = if end < all.len() { end.to_string() } else { String::new() };
        let page = all.get(start..end).unwrap_or_default();
        Ok(json!({"messages": page, "has_more": !next.is_empty(), "response_metadata": {"next_cursor": next}}))
    }
}

fn user(arguments: &Arguments) -> Answer {
    let id = text(arguments, "user").ok_or("user_not_found")?;
    let person = PEOPLE.iter().find(|one| one.id == id).ok_or("user_not_found")?;
    Ok(json!({"user": {
        "id": person.id, "team_id": person.team, "name": person.name, "deleted": false, "is_bot": false,
        "is_admin": person.is_admin, "is_owner": false, "is_restricted": person.is_guest,
        "is_ultra_restricted": false, "is_stranger": person.team != TEAM,
    }}))
}

/// A message as readers of the API see it.
fn seen(one: &Message, with_metadata: bool) -> Value {
    let mut shown =
        json!({"type": "message", "user": one.author, "text": one.text, "ts": one.ts, "thread_ts": one.thread_ts});
    if one.is_bot {
        put(&mut shown, "bot_id", json!(BOT));
    }
    if let (true, Some(metadata)) = (with_metadata, &one.metadata) {
        put(&mut shown, "metadata", metadata.clone());
    }
    shown
}

fn place(arguments: &Arguments) -> Result<&str, &'static str> {
    text(arguments, "channel").filter(|channel| is_channel(channel)).ok_or("channel_not_found")
}

fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

/// JSON bodies, form bodies and the query ("Web API: POST bodies").
fn arguments(uri: &http::Uri, headers: &HeaderMap, body: &[u8]) -> Arguments {
    let pairs = |text: &[u8]| {
        url::form_urlencoded::parse(text)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect::<Arguments>()
    };
    let mut arguments = pairs(uri.query().unwrap_or_default().as_bytes());
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if !is_json {
        arguments.extend(pairs(body));
    } else if let Ok(Value::Object(given)) = serde_json::from_slice(body) {
        arguments.extend(given);
    }
    arguments
}

fn refused(code: &str) -> Response {
    json_response(&json!({"ok": false, "error": code}))
}

fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], value.to_string()).into_response()
}
