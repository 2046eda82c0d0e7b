//! Discord's REST API: the calls that a bot in threads needs.
//!
//! Rules are those of each call's page in the reference ("Create Message", "Edit Message", "Start Thread from Message", ...).

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::interactions::LOADING;
use super::limits::Left;
use super::{
    APPLICATION, DM, Discord, DiscordMessage, GUILD, PEOPLE, PUBLIC_THREAD, Place, State, TEXT, channel, guild, member,
    message, newer, user,
};
use crate::fault::Fault;
use crate::slack::put;
use crate::{Call, lock};

/// "Create Message": characters.
const CONTENT_MAX: usize = 2_000;

/// "Create Message": `enforce_nonce` looks at "the past few minutes".
const NONCE_FOR_IDS: u64 = 180_000 << 22;

/// "Message Flags".
const SUPPRESS_EMBEDS: u64 = 1 << 2;

/// Everything but messages has room.
const WIDE: (u32, Duration) = (50, Duration::from_secs(1));

/// A refusal: status, code, what is said.
#[derive(Debug)]
struct Refused(u16, u64, &'static str);

type Answer = Result<(u16, Value), Refused>;

pub(crate) fn router(discord: Discord) -> Router {
    Router::new()
        .route("/gateway", axum::routing::get(super::gateway::upgrade))
        .route("/gateway/", axum::routing::get(super::gateway::upgrade))
        .fallback(call)
        .with_state(discord)
}

async fn call(
    Extract(discord): Extract<Discord>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(path) = uri.path().strip_prefix("/api/v10/") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let segments: Vec<String> = path.split('/').map(percent_decoded).collect();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let name = fault_name(&method, &words);
    let fault = discord.faults.take(&name);
    match &fault {
        Some(Fault::Error500) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::RateLimit(seconds)) => {
            let left = Left { limit: 5, remaining: 0, reset_after: Duration::from_secs(*seconds), is_over: true };
            return discord.too_fast(&name, left);
        }
        Some(Fault::RefuseToken) => return discord.refused(&Refused(401, 0, "401: Unauthorized")),
        Some(Fault::UnknownMethod) => return discord.refused(&Refused(404, 0, "404: Not Found")),
        Some(Fault::Refuse(code)) => return discord.refused(&Refused(400, code.parse().unwrap_or(0), "Refused")),
        Some(Fault::Delay(wait)) => tokio::time::sleep(*wait).await,
        Some(Fault::DropAnswer) | None => {}
    }
    let is_interaction = matches!(words.first(), Some(&("webhooks" | "interactions")));
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !is_interaction && bearer != Some(&format!("Bot {}", discord.options.bot_token)) {
        return discord.refused(&Refused(401, 0, "401: Unauthorized"));
    }
    let (bucket, rule) = discord.bucket_of(&method, &words);
    let left = lock(&discord.state).buckets.take(&bucket, rule, Instant::now());
    if left.is_over {
        return discord.too_fast(&bucket, left);
    }
    let arguments: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
    let query: Vec<(String, String)> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let answer = discord.perform(&method, &words, &arguments, &query);
    if answer.is_ok() {
        let call = Call { method: format!("{method} /{}", anonymous(&words)), arguments };
        lock(&discord.state).calls.push(call);
    }
    discord.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        // What was asked is done; the connection ends in the middle of the answer.
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{\"id\"")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    let mut response = match answer {
        Ok((204, _)) => StatusCode::NO_CONTENT.into_response(),
        Ok((status, answer)) => json_response(status, &answer),
        Err(refused) => return discord.refused(&refused),
    };
    limit_headers(response.headers_mut(), &bucket, left);
    response
}

/// The verb and the last word of the path that is no id.
fn fault_name(method: &Method, words: &[&str]) -> String {
    let is_id = |word: &&&str| word.len() >= 15 || word.is_empty();
    format!("{method} {}", words.iter().rev().find(|word| !is_id(word)).copied().unwrap_or_default())
}

/// The path without interactions' tokens.
fn anonymous(words: &[&str]) -> String {
    let shown = words.iter().enumerate().map(|(index, word)| match (words.first(), index) {
        (Some(&("webhooks" | "interactions")), 2) => "TOKEN",
        _ => word,
    });
    shown.collect::<Vec<_>>().join("/")
}

fn percent_decoded(segment: &str) -> String {
    // A path's `+` is itself; a form's is not.
    let segment = segment.replace('+', "%2B");
    url::form_urlencoded::parse(segment.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}

impl Discord {
    fn bucket_of(&self, method: &Method, words: &[&str]) -> (String, (u32, Duration)) {
        match words {
            ["channels", id, "messages"] if *method == Method::POST => (format!("post:{id}"), self.options.bucket),
            ["channels", id, "messages", _] if *method == Method::PATCH => (format!("edit:{id}"), self.options.bucket),
            ["webhooks", application, token, ..] => (format!("hook:{application}:{token}"), self.options.bucket),
            _ => (format!("{method}:{}:{}", words.first().unwrap_or(&""), words.get(1).unwrap_or(&"")), WIDE),
        }
    }

    fn too_fast(&self, bucket: &str, left: Left) -> Response {
        lock(&self.state).invalid += 1;
        self.shared.touch();
        let seconds = left.reset_after.as_secs_f64();
        let body = json!({"message": "You are being rate limited.", "retry_after": seconds, "global": false});
        let mut response = json_response(429, &body);
        limit_headers(response.headers_mut(), bucket, left);
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-scope", HeaderValue::from_static("user"));
        if let Ok(value) = HeaderValue::from_str(&format!("{}", seconds.ceil())) {
            headers.insert(header::RETRY_AFTER, value);
        }
        response
    }

    fn refused(&self, Refused(status, code, said): &Refused) -> Response {
        if matches!(status, 401 | 403) {
            lock(&self.state).invalid += 1;
        }
        json_response(*status, &json!({"message": said, "code": code}))
    }

    fn perform(&self, method: &Method, words: &[&str], arguments: &Value, query: &[(String, String)]) -> Answer {
        let asked = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (method.as_str(), words) {
            ("GET", ["users", "@me"]) => Ok((200, user(self, APPLICATION))),
            ("GET", ["users", "@me", "guilds"]) => Ok((200, json!([{"id": GUILD, "name": "Demo"}]))),
            ("GET", ["applications", "@me"]) => Ok((200, self.application())),
            ("GET", ["gateway", "bot"]) => {
                let limit = json!({"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1});
                Ok((200, json!({"url": "wss://gateway.discord.gg", "shards": 1, "session_start_limit": limit})))
            }
            ("GET", ["guilds", id]) if *id == GUILD => Ok((200, guild())),
            ("GET", ["guilds", id, "members", person]) if *id == GUILD => {
                let known = PEOPLE.iter().find(|one| one.id == *person).filter(|one| one.is_member);
                known.map(|person| (200, member(self, person))).ok_or(Refused(404, 10_007, "Unknown Member"))
            }
            ("GET", ["guilds", id, "threads", "active"]) if *id == GUILD => {
                let state = lock(&self.state);
                let threads: Vec<Value> =
                    state.places.iter().filter(|it| it.kind == PUBLIC_THREAD).map(channel).collect();
                Ok((200, json!({"threads": threads, "members": []})))
            }
            ("GET", ["guilds", ..]) => Err(Refused(404, 10_004, "Unknown Guild")),
            ("GET", ["applications", id, "commands"] | ["applications", id, "guilds", _, "commands"])
                if *id == APPLICATION =>
            {
                Ok((200, lock(&self.state).commands.clone()))
            }
            ("PUT", ["applications", id, "commands"] | ["applications", id, "guilds", _, "commands"])
                if *id == APPLICATION =>
            {
                lock(&self.state).commands.clone_from(arguments);
                Ok((200, arguments.clone()))
            }
            ("GET", ["channels", id]) => {
                let state = lock(&self.state);
                state.place(id).map(|place| (200, channel(place))).ok_or(UNKNOWN_CHANNEL)
            }
            ("PATCH", ["channels", id]) => {
                let mut state = lock(&self.state);
                let place = state.places.iter_mut().find(|place| place.id == *id).ok_or(UNKNOWN_CHANNEL)?;
                if let Some(archived) = arguments.get("archived").and_then(Value::as_bool) {
                    place.is_archived = archived;
                }
                Ok((200, channel(place)))
            }
            ("GET", ["channels", id, "messages"]) => {
                let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50usize).clamp(1, 100);
                self.list(id, asked("before"), asked("after"), limit)
            }
            ("GET", ["channels", id, "messages", wanted]) => {
                let state = lock(&self.state);
                let found = state.messages.iter().find(|one| one.channel == *id && one.id == *wanted);
                found.map(|found| (200, message(self, &state, found, false))).ok_or(UNKNOWN_MESSAGE)
            }
            ("POST", ["channels", id, "messages"]) => self.create(id, arguments),
            ("PATCH", ["channels", id, "messages", wanted]) => self.edit_message(id, wanted, arguments),
            ("POST", ["channels", id, "messages", root, "threads"]) => self.start_thread(id, Some(root), arguments),
            ("POST", ["channels", id, "threads"]) => self.start_thread(id, None, arguments),
            ("POST", ["channels", id, "typing"]) => {
                let mut state = lock(&self.state);
                state.place(id).ok_or(UNKNOWN_CHANNEL)?;
                state.typing.push((*id).to_owned());
                Ok((204, Value::Null))
            }
            ("PUT", ["channels", id, "messages", wanted, "reactions", emoji, "@me"]) => {
                if emoji.is_ascii() {
                    return Err(Refused(400, 10_014, "Unknown Emoji"));
                }
                let mut state = lock(&self.state);
                let found = state.messages.iter_mut().find(|one| one.channel == *id && one.id == *wanted);
                let found = found.ok_or(UNKNOWN_MESSAGE)?;
                let one = ((*emoji).to_owned(), APPLICATION.to_owned());
                if !found.reactions.contains(&one) {
                    found.reactions.push(one);
                }
                Ok((204, Value::Null))
            }
            ("POST", ["interactions", id, token, "callback"]) => {
                let known = lock(&self.state).interactions.iter().any(|one| one.id == *id && one.token == *token);
                if !known {
                    return Err(Refused(404, 10_062, "Unknown interaction"));
                }
                let taken = self.take_answer(id, arguments);
                taken
                    .map(|()| (204, Value::Null))
                    .map_err(|(status, code)| Refused(status, code, "Unknown interaction"))
            }
            (verb, ["webhooks", APPLICATION, token, rest @ ..]) => self.under_token(verb, token, rest, arguments),
            _ => Err(Refused(404, 0, "404: Not Found")),
        }
    }

    fn application(&self) -> Value {
        json!({
            "id": APPLICATION, "name": self.options.bot_name, "verify_key": self.public_key(), "approximate_guild_count": 1,
            "flags": if self.options.message_content { 1 << 19 } else { 0 },
            "interactions_endpoint_url": if self.options.interactions == super::Interactions::Http { json!("https://bot.example") } else { Value::Null },
        })
    }

    fn list(&self, id: &str, before: Option<&str>, after: Option<&str>, limit: usize) -> Answer {
        let state = lock(&self.state);
        state.place(id).ok_or(UNKNOWN_CHANNEL)?;
        let mut found: Vec<&DiscordMessage> = state
            .messages
            .iter()
            .filter(|one| one.channel == id && one.flags & super::interactions::EPHEMERAL == 0)
            .filter(|one| before.is_none_or(|before| newer(before, &one.id)))
            .filter(|one| after.is_none_or(|after| newer(&one.id, after)))
            .collect();
        // The oldest after an id, else the newest; always the newest first.
        if after.is_some() {
            found.truncate(limit);
        } else {
            let surplus = found.len().saturating_sub(limit);
            found.drain(..surplus);
        }
        let shown: Vec<Value> = found.iter().rev().map(|one| message(self, &state, one, false)).collect();
        Ok((200, json!(shown)))
    }

    fn create(&self, id: &str, arguments: &Value) -> Answer {
        let content = checked_content(arguments)?;
        let (made, shown) = {
            let mut state = lock(&self.state);
            let place = state.place(id).ok_or(UNKNOWN_CHANNEL)?;
            if place.kind != DM && place.kind != PUBLIC_THREAD && place.kind != TEXT && place.kind != super::VOICE {
                return Err(Refused(400, 50_008, "Cannot send messages in a non-text channel"));
            }
            let nonce = arguments.get("nonce").and_then(Value::as_str).map(ToOwned::to_owned);
            if nonce.as_ref().is_some_and(|nonce| nonce.len() > 25) {
                return Err(Refused(400, 50_035, "Invalid Form Body"));
            }
            if arguments.get("enforce_nonce") == Some(&json!(true))
                && let Some(nonce) = &nonce
                && let Some(first) = state.posted_with(nonce)
            {
                return Ok((200, message(self, &state, &first, true)));
            }
            let reply_to = arguments.pointer("/message_reference/message_id").and_then(Value::as_str);
            let reply_to = reply_to.filter(|target| state.messages.iter().any(|one| one.id == *target));
            let made = DiscordMessage {
                id: String::new(),
                channel: id.to_owned(),
                author: APPLICATION.to_owned(),
                is_bot: true,
                content,
                flags: arguments.get("flags").and_then(Value::as_u64).unwrap_or(0),
                reply_to: reply_to.map(ToOwned::to_owned),
                interaction: None,
                components: arguments.get("components").cloned().unwrap_or_else(|| json!([])),
                history: Vec::new(),
                reactions: Vec::new(),
                nonce,
                edited: None,
            };
            state.judge(&made, arguments);
            let made = DiscordMessage { id: state.new_id(), ..made };
            state.messages.push(made.clone());
            // Speaking in an archived thread opens it again.
            if let Some(place) = state.places.iter_mut().find(|place| place.id == id) {
                place.is_archived = false;
            }
            let shown = message(self, &state, &made, true);
            (made, shown)
        };
        let mut event = shown.clone();
        self.tell_place(&mut event, &made.channel);
        self.dispatch_own("MESSAGE_CREATE", &event);
        Ok((200, shown))
    }

    pub(super) fn tell_place(&self, event: &mut Value, id: &str) {
        let kind = lock(&self.state).place(id).map_or(TEXT, |place| place.kind);
        put(event, "channel_type", json!(kind));
        self.tell_guild(event, id);
    }

    /// What happens in direct messages is of no server.
    pub(super) fn tell_guild(&self, event: &mut Value, id: &str) {
        if lock(&self.state).place(id).is_none_or(|place| place.kind != DM) {
            put(event, "guild_id", json!(GUILD));
        }
    }

    fn edit_message(&self, id: &str, wanted: &str, arguments: &Value) -> Answer {
        let content = checked_content(arguments)?;
        let shown = {
            let mut state = lock(&self.state);
            let place = state.place(id).ok_or(UNKNOWN_CHANNEL)?;
            if place.is_archived {
                return Err(Refused(400, 50_083, "Thread is archived"));
            }
            let number = state.new_id();
            let found = state.messages.iter_mut().find(|one| one.channel == id && one.id == wanted);
            let found = found.ok_or(UNKNOWN_MESSAGE)?;
            if !found.is_bot {
                return Err(Refused(403, 50_005, "Cannot edit a message authored by another user"));
            }
            if !found.content.is_empty() {
                found.history.push(found.content.clone());
            }
            found.content = content;
            found.edited = Some(format!("2026-01-01T00:00:01.{number}+00:00"));
            if let Some(components) = arguments.get("components") {
                found.components = components.clone();
            }
            if let Some(flags) = arguments.get("flags").and_then(Value::as_u64) {
                found.flags = flags & SUPPRESS_EMBEDS;
            }
            let found = found.clone();
            state.judge(&found, arguments);
            message(self, &state, &found, false)
        };
        let mut event = shown.clone();
        self.tell_place(&mut event, id);
        self.dispatch_own("MESSAGE_UPDATE", &event);
        Ok((200, shown))
    }

    fn start_thread(&self, id: &str, root: Option<&str>, arguments: &Value) -> Answer {
        let name = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Refused(400, 50_035, "Invalid Form Body"));
        }
        let thread = {
            let mut state = lock(&self.state);
            let place = state.place(id).ok_or(UNKNOWN_CHANNEL)?;
            if place.kind != TEXT {
                return Err(Refused(400, 50_024, "Cannot execute action on this channel type"));
            }
            if !self.options.may_start_threads {
                return Err(Refused(403, 50_013, "Missing Permissions"));
            }
            if let Some(root) = root {
                if !state.messages.iter().any(|one| one.channel == id && one.id == root) {
                    return Err(UNKNOWN_MESSAGE);
                }
                if state.place(root).is_some() {
                    return Err(Refused(400, 160_004, "A thread has already been created for this message"));
                }
            }
            let thread = Place {
                id: root.map_or_else(|| state.new_id(), ToOwned::to_owned),
                name: name.to_owned(),
                kind: PUBLIC_THREAD,
                parent: Some(id.to_owned()),
                owner: Some(APPLICATION.to_owned()),
                is_archived: false,
            };
            state.places.push(thread.clone());
            thread
        };
        let mut event = channel(&thread);
        put(&mut event, "newly_created", json!(true));
        self.dispatch_own("THREAD_CREATE", &event);
        Ok((201, channel(&thread)))
    }

    /// Messages under an interaction's token ("Followup Messages").
    fn under_token(&self, verb: &str, token: &str, rest: &[&str], arguments: &Value) -> Answer {
        let interaction = {
            let state = lock(&self.state);
            let found = state.interactions.iter().find(|one| one.token == token);
            let found = found.ok_or(Refused(404, 10_015, "Unknown Webhook"))?;
            if found.is_expired {
                return Err(Refused(401, 50_027, "Invalid Webhook Token"));
            }
            if !found.is_good() {
                return Err(Refused(404, 10_015, "Unknown Webhook"));
            }
            found.clone()
        };
        let original = interaction.original.clone();
        let place = interaction.channel.clone();
        match (verb, rest, original) {
            ("GET", ["messages", "@original"], Some(id)) => {
                let state = lock(&self.state);
                let found = state.messages.iter().find(|one| one.id == id).ok_or(UNKNOWN_MESSAGE)?;
                Ok((200, message(self, &state, found, false)))
            }
            ("PATCH", ["messages", "@original"], Some(id)) => self.edit_message(&place, &id, arguments),
            ("PATCH", ["messages", wanted], _) => {
                let is_own = lock(&self.state)
                    .messages
                    .iter()
                    .any(|one| one.id == *wanted && one.interaction.as_ref() == Some(&interaction.id));
                if is_own { self.edit_message(&place, wanted, arguments) } else { Err(UNKNOWN_MESSAGE) }
            }
            ("POST", [], _) => self.follow_up(&interaction.id, &place, arguments),
            _ => Err(UNKNOWN_MESSAGE),
        }
    }

    fn follow_up(&self, interaction: &str, place: &str, arguments: &Value) -> Answer {
        let content = checked_content(arguments)?;
        let shown = {
            let mut state = lock(&self.state);
            let made = DiscordMessage {
                id: state.new_id(),
                channel: place.to_owned(),
                author: APPLICATION.to_owned(),
                is_bot: true,
                content,
                flags: arguments.get("flags").and_then(Value::as_u64).unwrap_or(0),
                reply_to: None,
                interaction: Some(interaction.to_owned()),
                components: arguments.get("components").cloned().unwrap_or_else(|| json!([])),
                history: Vec::new(),
                reactions: Vec::new(),
                nonce: None,
                edited: None,
            };
            state.judge(&made, arguments);
            state.messages.push(made.clone());
            message(self, &state, &made, true)
        };
        self.dispatch_own("MESSAGE_CREATE", &shown);
        Ok((200, shown))
    }
}

const UNKNOWN_CHANNEL: Refused = Refused(404, 10_003, "Unknown Channel");
const UNKNOWN_MESSAGE: Refused = Refused(404, 10_008, "Unknown Message");

impl State {
    /// The message that was made with this nonce in the past few minutes.
    fn posted_with(&mut self, nonce: &str) -> Option<DiscordMessage> {
        let now: u64 = self.new_id().parse().unwrap_or(u64::MAX);
        let since = now.saturating_sub(NONCE_FOR_IDS);
        let is_it = |one: &&DiscordMessage| {
            one.nonce.as_deref() == Some(nonce) && one.id.parse::<u64>().is_ok_and(|id| id >= since)
        };
        self.messages.iter().find(is_it).cloned()
    }

    /// What the bot's words would do to people.
    fn judge(&mut self, made: &DiscordMessage, arguments: &Value) {
        let may_parse = arguments.pointer("/allowed_mentions/parse").and_then(Value::as_array);
        let is_quiet = may_parse.is_some_and(Vec::is_empty);
        let mentions =
            made.content.contains("@everyone") || made.content.contains("@here") || made.content.contains("<@");
        // A reply notifies whom it answers, if that is not ruled out.
        let replies =
            made.reply_to.is_some() && arguments.pointer("/allowed_mentions/replied_user") != Some(&json!(false));
        if (mentions && !is_quiet) || replies {
            self.notified += 1;
        }
        let has_address = made.content.replace("<http", "").contains("http");
        if has_address && made.flags & SUPPRESS_EMBEDS == 0 {
            self.previews += 1;
        }
        if made.flags & LOADING != 0 {
            self.notified += 1;
        }
    }
}

fn checked_content(arguments: &Value) -> Result<String, Refused> {
    let content = arguments.get("content").and_then(Value::as_str).unwrap_or_default();
    if content.trim().is_empty() {
        return Err(Refused(400, 50_006, "Cannot send an empty message"));
    }
    if content.chars().count() > CONTENT_MAX {
        return Err(Refused(400, 50_035, "Invalid Form Body: content: Must be 2000 or fewer in length."));
    }
    // "Discord may strip certain characters": blanks around the text at least.
    Ok(content.trim().to_owned())
}

fn limit_headers(headers: &mut HeaderMap, bucket: &str, left: Left) {
    // "Non-inclusive of top-level resources in the path".
    let bucket = bucket.split(':').next().unwrap_or_default().to_owned();
    let shown = [
        ("x-ratelimit-limit", left.limit.to_string()),
        ("x-ratelimit-remaining", left.remaining.to_string()),
        ("x-ratelimit-reset-after", format!("{:.3}", left.reset_after.as_secs_f64())),
        ("x-ratelimit-bucket", format!("simulated-{bucket}")),
    ];
    for (name, value) in shown {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

fn json_response(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
