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

use super::chat::seen;
use super::{PEOPLE, Slack, TEAM, Workspace, home_of, is_channel, oauth, put, workspace};
use crate::fault::Fault;
use crate::{Call, lock};

/// Methods that take form arguments alone ("Web API: POST bodies"): JSON is not looked at.
const FORMS: [&str; 6] =
    ["auth.revoke", "auth.test", "oauth.v2.access", "users.info", "conversations.replies", "conversations.history"];

/// "Handling user interaction": a `response_url` takes so many posts.
const POSTS_MAX: usize = 5;

pub(super) type Arguments = Map<String, Value>;
pub(super) type Answer = Result<Value, &'static str>;

pub(crate) fn router(slack: Slack) -> Router {
    Router::new()
        .route("/oauth/v2/authorize", axum::routing::get(oauth::authorize))
        .route("/api/{method}", any(call))
        .route("/response/{id}", any(respond))
        .route("/files/{id}", any(file))
        .with_state(slack)
}

/// "apps.connections.open": with an app-level token, and no other.
async fn open_socket(slack: &Slack, headers: &HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !bearer.is_some_and(|bearer| bearer.starts_with("Bearer xapp-")) {
        return refused("not_allowed_token_type");
    }
    match slack.sockets.address(&slack.shared).await {
        Ok(url) => json_response(&json!({"ok": true, "url": url})),
        Err(_) => refused("internal_error"),
    }
}

/// A file ("File object": `url_private`): whoever has no token that may read it gets a page to sign in on.
async fn file(Extract(slack): Extract<Slack>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let may = bearer == Some(&format!("Bearer {}", slack.options.bot_token));
    let found = lock(&slack.state).files.get(&id).cloned().filter(|_| may);
    match found {
        Some((media_type, body)) => ([(header::CONTENT_TYPE, media_type)], body).into_response(),
        None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], "<html>Sign in</html>").into_response(),
    }
}

/// A post to a `response_url`: the address is all that it needs.
async fn respond(Extract(slack): Extract<Slack>, uri: http::Uri, body: Bytes) -> Response {
    match slack.faults.take("response_url") {
        Some(Fault::Error500) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Delay(wait)) => tokio::time::sleep(wait).await,
        Some(Fault::Refuse(code)) => {
            return (StatusCode::NOT_FOUND, json!({"ok": false, "error": code}).to_string()).into_response();
        }
        _ => {}
    }
    let path = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let Ok(post) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
    };
    let taken = {
        let mut state = lock(&slack.state);
        let found = state.responses.iter_mut().find(|one| one.path.ends_with(&path) && one.posts.len() < POSTS_MAX);
        found.map(|found| found.posts.push(post))
    };
    slack.shared.touch();
    match taken {
        Some(()) => "ok".into_response(),
        None => (StatusCode::NOT_FOUND, json!({"ok": false, "error": "used_url"}).to_string()).into_response(),
    }
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
        Some(Fault::Refuse(code)) => return refused(code),
        Some(Fault::Delay(wait)) => tokio::time::sleep(*wait).await,
        Some(Fault::DropAnswer) | None => {}
    }
    if method == "apps.connections.open" {
        return open_socket(&slack, &headers).await;
    }
    let arguments = arguments(&uri, &headers, &body, FORMS.contains(&method.as_str()));
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let answer = if method == "oauth.v2.access" {
        slack.access(&arguments)
    } else {
        match bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            None => return refused("not_authed"),
            Some(token) => match slack.workspace_of(token) {
                Err(code) => return refused(code),
                Ok(_) if method == "auth.revoke" => slack.revoke(token),
                Ok(team) => slack.perform(workspace(team), &method, &arguments),
            },
        }
    };
    slack.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        // What was asked is done; the connection ends in the middle of the answer.
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{\"ok\"")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    match answer {
        Ok(mut answer) => {
            put(&mut answer, "ok", json!(true));
            let mut answer = json_response(&answer);
            // "Scopes and permissions": the header `X-OAuth-Scopes` of an answer names those of its token.
            let scopes = lock(&slack.state).scopes.as_deref().and_then(|scopes| scopes.parse().ok());
            answer
                .headers_mut()
                .extend(scopes.map(|scopes| (header::HeaderName::from_static("x-oauth-scopes"), scopes)));
            answer
        }
        Err(code) => refused(code),
    }
}

impl Slack {
    /// Whose token it is.
    fn workspace_of(&self, token: &str) -> Result<&'static str, &'static str> {
        if token == self.options.bot_token { Ok(TEAM) } else { lock(&self.state).app.team_of(token) }
    }

    fn perform(&self, at: &Workspace, method: &str, arguments: &Arguments) -> Answer {
        // A token of one workspace knows no channel of another.
        let channel = text(arguments, "channel").filter(|id| id.starts_with('C'));
        if channel.is_some_and(|channel| home_of(channel).team != at.team) {
            return Err("channel_not_found");
        }
        let streams = matches!(method, "chat.startStream" | "chat.appendStream" | "chat.stopStream");
        if streams && !self.options.streaming {
            return Err("unknown_method");
        }
        let mut state = lock(&self.state);
        let mut own = None;
        let answer = match method {
            "auth.test" => Ok(
                json!({"url": "https://demo.slack.com/", "team": at.name, "user": self.options.bot_name, "team_id": at.team, "user_id": at.bot_user, "bot_id": at.bot}),
            ),
            "users.info" => user(at, arguments),
            "conversations.info" => {
                let channel = place(arguments)?;
                let name = super::CHANNELS.iter().find(|(_, id)| *id == channel).map(|(name, _)| *name);
                let name = name.unwrap_or_default().trim_start_matches('#');
                Ok(json!({"channel": {"id": channel, "name": name, "is_channel": true}}))
            }
            "conversations.replies" => state.replies(arguments),
            "conversations.history" => state.history(arguments),
            "conversations.open" => Ok(json!({"channel": {"id": super::DIRECT}})),
            "views.publish" | "assistant.threads.setSuggestedPrompts" | "assistant.threads.setTitle" => Ok(json!({})),
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
            // "agents.sessions.setStatus".
            "agents.sessions.setStatus" => match text(arguments, "status") {
                Some("active" | "processing" | "suspended" | "closed") => Ok(json!({})),
                _ => Err("invalid_arguments"),
            },
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

fn user(at: &Workspace, arguments: &Arguments) -> Answer {
    let id = text(arguments, "user").ok_or("user_not_found")?;
    let person = PEOPLE.iter().find(|one| one.id == id).ok_or("user_not_found")?;
    Ok(json!({"user": {
        "id": person.id, "team_id": person.team, "name": person.name, "deleted": false, "is_bot": false,
        "is_admin": person.is_admin, "is_owner": false, "is_restricted": person.is_guest,
        "is_ultra_restricted": false, "is_stranger": person.team != at.team,
    }}))
}

pub(super) fn place(arguments: &Arguments) -> Result<&str, &'static str> {
    text(arguments, "channel").filter(|channel| is_channel(channel)).ok_or("channel_not_found")
}

pub(super) fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

/// JSON bodies, form bodies and the query ("Web API: POST bodies").
fn arguments(uri: &http::Uri, headers: &HeaderMap, body: &[u8], is_form: bool) -> Arguments {
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
    } else if !is_form && let Ok(Value::Object(given)) = serde_json::from_slice(body) {
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
