//! Slack: a workspace with people, channels and threads.

pub(crate) mod api;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::deliver::{Delivered, Log, Rules, hmac_hex, now};
use crate::fault::Faults;
use crate::{Call, Shared, Unknown, lock};

/// The workspace.
pub(crate) const TEAM: &str = "T0DEMO0001";
const OTHER_TEAM: &str = "T0ELSE0001";
const APP: &str = "A0DEMO0001";
pub(crate) const BOT_USER: &str = "U0BOT00001";
pub(crate) const BOT: &str = "B0BOT00001";

/// "Events API: responding to events": answer within three seconds.
const DEADLINE: Duration = Duration::from_secs(3);

/// What a simulated workspace needs to know.
#[derive(Debug, Clone)]
pub struct SlackOptions {
    /// The gateway's connection that deliveries go to.
    pub connection: String,
    /// The app's signing secret.
    pub signing_secret: String,
    /// The app's bot token.
    pub bot_token: String,
    /// The name people call the bot by.
    pub bot_name: String,
    /// Whether the server has `chat.startStream` and its kin.
    pub streaming: bool,
    /// The waits before further tries of a delivery ("Events API: retries": nearly at once, one minute, five minutes).
    pub retries: Vec<Duration>,
}

/// A person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) team: &'static str,
    pub(crate) is_admin: bool,
    pub(crate) is_guest: bool,
}

pub(crate) const PEOPLE: [Person; 4] = [
    Person { id: "U0ALICE001", name: "alice", team: TEAM, is_admin: false, is_guest: false },
    Person { id: "U0BOB00001", name: "bob", team: TEAM, is_admin: true, is_guest: false },
    Person { id: "U0GINA0001", name: "gina", team: TEAM, is_admin: false, is_guest: true },
    Person { id: "U0EVE00001", name: "eve", team: OTHER_TEAM, is_admin: false, is_guest: false },
];

const CHANNELS: [(&str, &str); 4] =
    [("#general", "C0GENERAL1"), ("#random", "C0RANDOM01"), ("#support", "C0SUPPORT1"), ("dm", "D0ALICE001")];

/// One message as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id and time.
    pub ts: String,
    /// The thread's root.
    pub thread_ts: String,
    /// The channel's id.
    pub channel: String,
    /// Who wrote it: a user's id.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text: mrkdwn, or Markdown for what was streamed.
    pub text: String,
    /// Its metadata.
    pub metadata: Option<Value>,
    /// A stream that is open.
    pub is_streaming: bool,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) opened_s: u64,
}

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The channel's id.
    pub channel: String,
    /// The message.
    pub ts: String,
    /// The root of its thread.
    pub thread_ts: String,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) messages: Vec<Message>,
    pub(crate) calls: Vec<Call>,
    pub(crate) status: BTreeMap<String, String>,
    last_us: u64,
    events: u64,
}

/// The workspace.
#[derive(Debug, Clone)]
pub struct Slack {
    pub(crate) options: Arc<SlackOptions>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) shared: Shared,
    /// Faults to come, by method.
    pub faults: Faults,
    log: Log,
}

impl Slack {
    pub(crate) fn new(options: SlackOptions, shared: Shared) -> Self {
        Self {
            options: Arc::new(options),
            state: Arc::default(),
            shared,
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// A person says something; what Slack would deliver is delivered.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn say(&self, person: &str, channel: &str, text: &str, thread: Option<&str>) -> Result<Posted, Unknown> {
        let person = PEOPLE.iter().find(|one| one.name == person).ok_or_else(|| Unknown {
            what: format!("person {person}"),
            known: PEOPLE.iter().map(|one| one.name.to_owned()).collect(),
        })?;
        let (name, channel) =
            CHANNELS.iter().find(|(name, id)| *name == channel || *id == channel).ok_or_else(|| Unknown {
                what: format!("channel {channel}"),
                known: CHANNELS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            })?;
        let text = self.mentions(text);
        let (ts, event_number) = {
            let mut state = lock(&self.state);
            let ts = state.new_ts();
            state.events += 2;
            let thread_ts = thread.unwrap_or(&ts).to_owned();
            state.messages.push(message(channel, &ts, &thread_ts, person.id, false, &text));
            (ts, state.events)
        };
        let mut event = json!({
            "type": "message", "user": person.id, "text": text, "ts": ts, "channel": channel, "event_ts": ts,
            "client_msg_id": format!("cm-{ts}"), "team": TEAM,
            "channel_type": if *name == "dm" { "im" } else { "channel" },
        });
        if person.team != TEAM {
            put(&mut event, "user_team", json!(person.team));
            put(&mut event, "source_team", json!(person.team));
        }
        if let Some(thread) = thread {
            put(&mut event, "thread_ts", json!(thread));
        }
        // "app_mention event": the mention comes as a message as well.
        if *name != "dm" && text.contains(&format!("<@{BOT_USER}>")) {
            let mut mention = event.clone();
            put(&mut mention, "type", json!("app_mention"));
            if let Some(mention) = mention.as_object_mut() {
                mention.remove("channel_type");
            }
            self.deliver(event_number, &mention);
        }
        self.deliver(event_number.saturating_sub(1), &event);
        self.shared.touch();
        let thread_ts = thread.unwrap_or(&ts).to_owned();
        Ok(Posted { channel: (*channel).to_owned(), ts, thread_ts })
    }

    /// A thread's messages, oldest first.
    #[must_use]
    pub fn thread(&self, channel: &str, thread_ts: &str) -> Vec<Message> {
        let state = lock(&self.state);
        state.messages.iter().filter(|one| one.channel == channel && one.thread_ts == thread_ts).cloned().collect()
    }

    /// The bot's messages in a thread.
    #[must_use]
    pub fn answers(&self, posted: &Posted) -> Vec<Message> {
        self.thread(&posted.channel, &posted.thread_ts).into_iter().filter(|one| one.is_bot).collect()
    }

    /// Every call that was accepted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// Every delivery.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.log.all()
    }

    /// Delivers everything once more, newly signed, as Slack does after an outage.
    pub fn redeliver_all(&self) {
        self.log.send_again(&self.shared, &self.rules());
    }

    /// Waits until something holds of the workspace. Whether it came true in time.
    pub async fn wait_until(&self, deadline: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        self.shared.wait_until(deadline, || holds(self)).await
    }

    /// `@name` as people type it becomes a mention.
    fn mentions(&self, text: &str) -> String {
        let mut text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text = text.replace(&format!("@{}", self.options.bot_name), &format!("<@{BOT_USER}>"));
        for person in &PEOPLE {
            text = text.replace(&format!("@{}", person.name), &format!("<@{}>", person.id));
        }
        text
    }

    pub(crate) fn deliver(&self, number: u64, event: &Value) {
        // "Events API: callback field overview".
        let body = json!({
            "token": "verification-token", "team_id": TEAM, "api_app_id": APP, "type": "event_callback",
            "event_id": format!("Ev{number:08}"), "event_time": now().0, "is_ext_shared_channel": false,
            "authorizations": [{"enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false}],
            "event": event,
        });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.log.send(&self.shared, self.rules(), headers, Bytes::from(body.to_string()), false);
    }

    /// The bot's own posts come back as events too ("message event": `bot_id`).
    pub(crate) fn deliver_own(&self, message: &Message) {
        let number = {
            let mut state = lock(&self.state);
            state.events += 1;
            state.events
        };
        let event = json!({
            "type": "message", "user": BOT_USER, "bot_id": BOT, "app_id": APP, "text": message.text, "ts": message.ts,
            "thread_ts": message.thread_ts, "channel": message.channel, "channel_type": "channel", "event_ts": message.ts,
            "team": TEAM,
        });
        self.deliver(number, &event);
    }

    fn rules(&self) -> Rules {
        Rules {
            path: format!("channels/{}/events", self.options.connection),
            secret: self.options.signing_secret.clone(),
            deadline: DEADLINE,
            retries: self.options.retries.clone(),
            sign: |secret, body| {
                let timestamp = now().0.to_string();
                let code = hmac_hex(secret, &[b"v0:", timestamp.as_bytes(), b":", body]);
                vec![
                    ("x-slack-request-timestamp".into(), timestamp),
                    ("x-slack-signature".into(), format!("v0={code}")),
                ]
            },
            retry_headers: |number| {
                vec![
                    ("x-slack-retry-num".into(), number.to_string()),
                    ("x-slack-retry-reason".into(), "http_error".into()),
                ]
            },
        }
    }
}

impl State {
    /// A time that no message has.
    pub(crate) fn new_ts(&mut self) -> String {
        let (seconds, micros) = now();
        self.last_us = (seconds * 1_000_000 + u64::from(micros)).max(self.last_us + 1);
        format!("{}.{:06}", self.last_us / 1_000_000, self.last_us % 1_000_000)
    }
}

pub(crate) fn message(channel: &str, ts: &str, thread_ts: &str, author: &str, is_bot: bool, text: &str) -> Message {
    Message {
        ts: ts.to_owned(),
        thread_ts: thread_ts.to_owned(),
        channel: channel.to_owned(),
        author: author.to_owned(),
        is_bot,
        text: text.to_owned(),
        metadata: None,
        is_streaming: false,
        history: Vec::new(),
        reactions: Vec::new(),
        opened_s: now().0,
    }
}

pub(crate) fn is_channel(id: &str) -> bool {
    CHANNELS.iter().any(|(_, channel)| *channel == id)
}

/// Sets a field of an object.
pub(crate) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
