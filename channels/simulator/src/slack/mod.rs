//! Slack: a workspace with people, channels and threads.

mod acts;
pub(crate) mod api;
mod chat;
mod chunk;
mod oauth;
mod socket;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use socket::Sockets;

use crate::deliver::{Delivered, Log, Rules, hmac_hex, now};
use crate::fault::Faults;
use crate::{Call, Shared, lock};

/// The workspace.
pub(crate) const TEAM: &str = "T0DEMO0001";
pub(crate) const OTHER_TEAM: &str = "T0ELSE0001";
const APP: &str = "A0DEMO0001";

/// A workspace, and who the bot is in it: another one in each.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) team: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bot_user: &'static str,
    pub(crate) bot: &'static str,
}

const DEMO: Workspace = Workspace { team: TEAM, name: "Demo", bot_user: "U0BOT00001", bot: "B0BOT00001" };
const ELSE: Workspace = Workspace { team: OTHER_TEAM, name: "Else & Co", bot_user: "U0BOTELSE1", bot: "B0BOTELSE1" };

/// The workspace of this id.
pub(crate) fn workspace(team: &str) -> &'static Workspace {
    if team == OTHER_TEAM { &ELSE } else { &DEMO }
}

/// The workspace that a channel is in.
pub(crate) fn home_of(channel: &str) -> &'static Workspace {
    if channel == ELSEWHERE { &ELSE } else { &DEMO }
}

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

/// Names and ids; the bot is not in the last one.
const CHANNELS: [(&str, &str); 6] = [
    ("#general", "C0GENERAL1"),
    ("#random", "C0RANDOM01"),
    ("#support", "C0SUPPORT1"),
    ("dm", DIRECT),
    ("#private", PRIVATE),
    ("#elsewhere", ELSEWHERE),
];

/// The channel of the other workspace.
const ELSEWHERE: &str = "C0ELSE0001";
/// The direct message.
const DIRECT: &str = "D0ALICE001";

/// A private channel without the bot: for it there is no such channel.
const PRIVATE: &str = "C0PRIVATE1";

/// One message as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Its blocks, where it has any.
    pub blocks: Option<Value>,
    /// A stream that is open.
    pub is_streaming: bool,
    /// Task cards, in the order they were made.
    pub tasks: Vec<Task>,
    /// Somebody pressed the stop button while it was open.
    pub is_stopped: bool,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) opened_s: u64,
}

/// A task card of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What tells it from others of the message.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `pending`, `in_progress`, `complete` or `error`.
    pub status: String,
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

/// Something that may be answered at an address of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The path below the server's address.
    pub path: String,
    /// What was posted there, oldest first.
    pub posts: Vec<Value>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) messages: Vec<Message>,
    #[serde(skip)]
    pub(crate) calls: Vec<Call>,
    pub(crate) status: BTreeMap<String, String>,
    pub(crate) responses: Vec<Response>,
    #[serde(skip)]
    pub(crate) effects: Vec<String>,
    #[serde(skip)]
    pub(crate) app: oauth::App,
    /// The scopes of the bot token, where they are told.
    #[serde(skip)]
    pub(crate) scopes: Option<String>,
    /// Files by path: media type and content.
    #[serde(skip)]
    pub(crate) files: BTreeMap<String, (String, bytes::Bytes)>,
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
    /// The server's own address, once it listens.
    pub(crate) address: Arc<Mutex<String>>,
    pub(crate) sockets: Sockets,
    log: Log,
}

impl Slack {
    pub(crate) fn new(options: SlackOptions, shared: Shared) -> Self {
        let sockets = Sockets::default();
        Self {
            options: Arc::new(options),
            state: Arc::default(),
            shared,
            faults: Faults::default(),
            address: Arc::default(),
            log: Log::over(sockets.clone()),
            sockets,
        }
    }

    /// All messages of a channel, by its id, oldest first.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        lock(&self.state).messages.iter().filter(|one| one.channel == channel).cloned().collect()
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

    /// How many sockets the app has open.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.count()
    }

    /// Says on every socket that it will be ended, as Slack does every few hours.
    pub fn refresh_sockets(&self) {
        self.sockets.refresh();
    }

    /// Every call that was accepted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// What can be answered at an address of its own, oldest first.
    #[must_use]
    pub fn responses(&self) -> Vec<Response> {
        lock(&self.state).responses.clone()
    }

    /// What the app's texts did besides being read: whom they notified, what was fetched for a preview.
    #[must_use]
    pub fn effects(&self) -> Vec<String> {
        lock(&self.state).effects.clone()
    }

    /// Every delivery.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.log.all()
    }

    /// Delivers everything once more, newly signed, as Slack does after an outage.
    pub fn redeliver_all(&self) {
        self.log.send_again(&self.shared, &self.rules("events"));
    }

    /// The bot token has these scopes from now on, and answers tell so.
    pub fn grant(&self, scopes: &[&str]) {
        lock(&self.state).scopes = Some(scopes.join(","));
    }

    /// Waits until something holds of the workspace. Whether it came true in time.
    pub async fn wait_until(&self, deadline: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        self.shared.wait_until(deadline, || holds(self)).await
    }

    /// Events are delivered again; what somebody did and waits for is not.
    fn rules(&self, endpoint: &str) -> Rules {
        Rules {
            path: format!("channels/{}/{endpoint}", self.options.connection),
            secret: self.options.signing_secret.clone(),
            deadline: DEADLINE,
            retries: if endpoint == "events" { self.options.retries.clone() } else { Vec::new() },
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
    /// A number that no event has.
    pub(crate) fn new_event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

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
        blocks: None,
        is_streaming: false,
        tasks: Vec::new(),
        is_stopped: false,
        history: Vec::new(),
        reactions: Vec::new(),
        opened_s: now().0,
    }
}

/// Whether the bot knows the channel, where it is installed there.
pub(crate) fn is_channel(id: &str) -> bool {
    id != PRIVATE && CHANNELS.iter().any(|(_, channel)| *channel == id)
}

/// Sets a field of an object.
pub(crate) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
