//! Discord: a server with people, channels and threads, its REST API, its interactions and its gateway.

mod acts;
pub(crate) mod api;
mod gateway;
mod interactions;
mod limits;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::deliver::Delivered;
use crate::fault::Faults;
use crate::{Call, Shared, lock};

pub use gateway::Began;
use gateway::Gateway;
use interactions::Interaction;
use limits::Buckets;

/// The server.
pub(crate) const GUILD: &str = "290926798626357999";
/// The application; its bot's account has the same id.
pub(crate) const APPLICATION: &str = "771825006014889984";
/// The role that came with the bot.
const BOT_ROLE: &str = "771825006014889999";
/// A role that may run the server.
const ADMIN_ROLE: &str = "290926798626358001";

/// "Channel Types".
pub(crate) const TEXT: u64 = 0;
const DM: u64 = 1;
const VOICE: u64 = 2;
pub(crate) const PUBLIC_THREAD: u64 = 11;

/// How interactions reach the gateway: the two ways are mutually exclusive ("Receiving an Interaction").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interactions {
    /// As signed requests to `/channels/NAME/interactions`.
    Http,
    /// As `INTERACTION_CREATE` over the gateway.
    Gateway,
}

/// What a simulated server needs to know.
#[derive(Debug, Clone)]
pub struct DiscordOptions {
    /// The gateway's connection that deliveries go to.
    pub connection: String,
    /// The bot's token.
    pub bot_token: String,
    /// The name people call the bot by.
    pub bot_name: String,
    /// What the key that interactions are signed with is made of.
    pub seed: [u8; 32],
    /// How interactions are delivered.
    pub interactions: Interactions,
    /// Whether the bot may start threads.
    pub may_start_threads: bool,
    /// Whether the app has the intent for message content.
    pub message_content: bool,
    /// Messages in a channel, and edits in a channel, each within this time.
    pub bucket: (u32, Duration),
    /// The pause between heartbeats.
    pub heartbeat: Duration,
}

impl Default for DiscordOptions {
    fn default() -> Self {
        Self {
            connection: "discord".into(),
            bot_token: "simulated-bot-token-of-discord".into(),
            bot_name: "assistant".into(),
            seed: [7; 32],
            interactions: Interactions::Gateway,
            may_start_threads: true,
            message_content: true,
            bucket: (5, Duration::from_secs(5)),
            heartbeat: Duration::from_millis(41_250),
        }
    }
}

/// A person of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_admin: bool,
    /// Has not passed the membership screening.
    pub(crate) is_pending: bool,
    pub(crate) is_member: bool,
}

pub(crate) const PEOPLE: [Person; 4] = [
    Person { id: "539082325061830001", name: "alice", is_admin: false, is_pending: false, is_member: true },
    Person { id: "539082325061830002", name: "bob", is_admin: true, is_pending: false, is_member: true },
    Person { id: "539082325061830003", name: "gina", is_admin: false, is_pending: true, is_member: true },
    Person { id: "539082325061830004", name: "eve", is_admin: false, is_pending: false, is_member: false },
];

/// The server's channels, and alice's conversation with the bot.
const CHANNELS: [(&str, &str, u64); 5] = [
    ("general", "645027906669510001", TEXT),
    ("random", "645027906669510002", TEXT),
    ("support", "645027906669510003", TEXT),
    ("lounge", "645027906669510004", VOICE),
    ("dm", "645027906669510005", DM),
];

/// A channel or thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) parent: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) is_archived: bool,
}

/// One message as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiscordMessage {
    /// Its id.
    pub id: String,
    /// Its channel or thread.
    pub channel: String,
    /// Who wrote it: a user's id.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text.
    pub content: String,
    /// "Message Flags".
    pub flags: u64,
    /// The message it replies to.
    pub reply_to: Option<String>,
    /// The interaction it answers.
    pub interaction: Option<String>,
    /// Buttons.
    pub components: Value,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Emoji on it, by whom.
    pub reactions: Vec<(String, String)>,
    pub(crate) nonce: Option<String>,
    pub(crate) edited: Option<String>,
}

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordPosted {
    /// The channel or thread.
    pub channel: String,
    /// The message; for a command the interaction.
    pub id: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) places: Vec<Place>,
    pub(crate) messages: Vec<DiscordMessage>,
    pub(crate) interactions: Vec<Interaction>,
    pub(crate) commands: Value,
    #[serde(skip)]
    pub(crate) calls: Vec<Call>,
    #[serde(skip)]
    pub(crate) deliveries: Vec<Delivered>,
    #[serde(skip)]
    pub(crate) buckets: Buckets,
    /// How often somebody would have been notified by the bot's words.
    #[serde(skip)]
    pub(crate) notified: u32,
    /// How often an address in the bot's words would have been fetched for a preview.
    #[serde(skip)]
    pub(crate) previews: u32,
    /// Requests that count towards a ban: 401, 403 and 429.
    #[serde(skip)]
    pub(crate) invalid: u32,
    #[serde(skip)]
    pub(crate) typing: Vec<String>,
    last_id: u64,
}

/// The server.
#[derive(Debug, Clone)]
pub struct Discord {
    pub(crate) options: Arc<DiscordOptions>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) shared: Shared,
    /// Faults to come, by verb and last word of the path: `POST messages`, `PATCH @original`, ...
    pub faults: Faults,
    pub(crate) gateway: Gateway,
    pub(crate) key: SigningKey,
}

impl Discord {
    pub(crate) fn new(options: DiscordOptions, shared: Shared) -> Self {
        let places = CHANNELS
            .iter()
            .map(|(name, id, kind)| Place {
                id: (*id).to_owned(),
                name: (*name).to_owned(),
                kind: *kind,
                parent: None,
                owner: None,
                is_archived: false,
            })
            .collect();
        let key = SigningKey::from_bytes(&options.seed);
        let state = State { places, commands: json!([]), ..State::default() };
        Self {
            options: Arc::new(options),
            state: Arc::new(Mutex::new(state)),
            shared,
            faults: Faults::default(),
            gateway: Gateway::default(),
            key,
        }
    }

    /// For `channels.discord.application_id`.
    #[must_use]
    pub fn application_id(&self) -> String {
        APPLICATION.to_owned()
    }

    /// For `channels.discord.public_key`.
    #[must_use]
    pub fn public_key(&self) -> String {
        hex::encode(self.key.verifying_key().to_bytes())
    }

    /// A channel's or thread's messages, oldest first.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<DiscordMessage> {
        let state = lock(&self.state);
        let channel = state.place_by_name(channel).map_or(channel, |place| &place.id).to_owned();
        state.messages.iter().filter(|one| one.channel == channel).cloned().collect()
    }

    /// The bot's messages that belong to something that was said: in the thread that was started from it, as replies to it, as
    /// the answer of the interaction; in a thread or direct message all that came after.
    #[must_use]
    pub fn answers(&self, posted: &DiscordPosted) -> Vec<DiscordMessage> {
        let state = lock(&self.state);
        let kind = state.place(&posted.channel).map_or(TEXT, |place| place.kind);
        let is_whole = kind == PUBLIC_THREAD || kind == DM;
        let belongs = |one: &DiscordMessage| {
            one.channel == posted.id
                || one.reply_to.as_deref() == Some(&posted.id)
                || one.interaction.as_deref() == Some(&posted.id)
                || (is_whole && one.channel == posted.channel && newer(&one.id, &posted.id))
        };
        // A starter message is shown in its thread too; only what the bot wrote is an answer.
        state.messages.iter().filter(|one| one.is_bot && belongs(one)).cloned().collect()
    }

    /// Every call of the API that was accepted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// Every interaction that was delivered over HTTP.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        lock(&self.state).deliveries.clone()
    }

    /// The commands that are registered.
    #[must_use]
    pub fn commands(&self) -> Value {
        lock(&self.state).commands.clone()
    }

    /// How often somebody would have been notified, an address fetched, a request counted towards a ban.
    #[must_use]
    pub fn harm(&self) -> [u32; 3] {
        let state = lock(&self.state);
        [state.notified, state.previews, state.invalid]
    }

    /// Channels in which the bot was seen to type, in order.
    #[must_use]
    pub fn typed_in(&self) -> Vec<String> {
        lock(&self.state).typing.clone()
    }

    /// A thread was not spoken in for a while.
    pub fn archive(&self, thread: &str) {
        if let Some(place) = lock(&self.state).places.iter_mut().find(|place| place.id == thread) {
            place.is_archived = true;
        }
    }

    /// What people call somebody.
    #[must_use]
    pub fn name_of(&self, id: &str) -> String {
        let person = PEOPLE.iter().find(|one| one.id == id);
        person.map_or_else(|| self.options.bot_name.clone(), |one| one.name.to_owned())
    }

    /// Waits until something holds of the server. Whether it came true in time.
    pub async fn wait_until(&self, deadline: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        self.shared.wait_until(deadline, || holds(self)).await
    }
}

impl State {
    /// A new id ("Snowflakes").
    pub(crate) fn new_id(&mut self) -> String {
        const EPOCH_MS: u64 = 1_420_070_400_000;
        let (seconds, micros) = crate::deliver::now();
        let ms = seconds.saturating_mul(1_000) + u64::from(micros / 1_000);
        self.last_id = (ms.saturating_sub(EPOCH_MS) << 22).max(self.last_id + 1);
        self.last_id.to_string()
    }

    pub(crate) fn place(&self, id: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.id == id)
    }

    pub(crate) fn place_by_name(&self, name: &str) -> Option<&Place> {
        let bare = name.trim_start_matches('#');
        self.places.iter().find(|place| place.id == name || (place.kind != PUBLIC_THREAD && place.name == bare))
    }
}

/// Whether one id was made after another.
pub(crate) fn newer(one: &str, other: &str) -> bool {
    (one.len(), one) > (other.len(), other)
}

/// A user as the API shows it.
pub(crate) fn user(discord: &Discord, id: &str) -> Value {
    match PEOPLE.iter().find(|one| one.id == id) {
        Some(person) => json!({"id": person.id, "username": person.name, "global_name": null, "discriminator": "0"}),
        None => json!({
            "id": APPLICATION, "username": discord.options.bot_name, "global_name": null, "discriminator": "0", "bot": true,
        }),
    }
}

/// A member as the API shows it.
pub(crate) fn member(discord: &Discord, person: &Person) -> Value {
    json!({
        "user": user(discord, person.id), "nick": null, "pending": person.is_pending, "joined_at": "2024-01-01T00:00:00.000000+00:00",
        "roles": if person.is_admin { vec![ADMIN_ROLE] } else { Vec::new() }, "communication_disabled_until": null,
    })
}

/// A channel as the API shows it.
pub(crate) fn channel(place: &Place) -> Value {
    let mut shown = json!({"id": place.id, "type": place.kind, "name": place.name, "parent_id": place.parent});
    if place.kind == TEXT {
        crate::slack::put(&mut shown, "topic", json!(format!("All about {}", place.name)));
    }
    if place.kind == DM {
        crate::slack::put(&mut shown, "recipients", json!([{"id": PEOPLE[0].id, "username": PEOPLE[0].name}]));
        return shown;
    }
    crate::slack::put(&mut shown, "guild_id", json!(GUILD));
    if let Some(owner) = &place.owner {
        crate::slack::put(&mut shown, "owner_id", json!(owner));
        let metadata = json!({"archived": place.is_archived, "auto_archive_duration": 1440, "locked": false});
        crate::slack::put(&mut shown, "thread_metadata", metadata);
    }
    shown
}

/// The server as the API shows it.
pub(crate) fn guild() -> Value {
    json!({
        "id": GUILD, "name": "Demo", "owner_id": "539082325061839999", "roles": [
            {"id": GUILD, "name": "@everyone", "permissions": "104324673"},
            {"id": ADMIN_ROLE, "name": "admin", "permissions": "8"},
            {"id": BOT_ROLE, "name": "assistant", "permissions": "0", "tags": {"bot_id": APPLICATION}},
        ],
    })
}

/// A message as the API shows it. The nonce is told only where a message is made.
pub(crate) fn message(discord: &Discord, state: &State, one: &DiscordMessage, is_new: bool) -> Value {
    let mentioned: Vec<Value> = std::iter::once(APPLICATION)
        .chain(PEOPLE.iter().map(|person| person.id))
        .filter(|id| one.content.contains(&format!("<@{id}>")) || one.content.contains(&format!("<@!{id}>")))
        .map(|id| user(discord, id))
        .collect();
    let mut shown = json!({
        "id": one.id, "channel_id": one.channel, "author": user(discord, &one.author), "content": one.content,
        "timestamp": "2026-01-01T00:00:00.000000+00:00", "edited_timestamp": one.edited, "tts": false, "mention_everyone": false,
        "mentions": mentioned, "mention_roles": [], "attachments": [], "embeds": [], "pinned": false, "flags": one.flags,
        "components": one.components,
        "type": if one.interaction.is_some() { 20 } else if one.reply_to.is_some() { 19 } else { 0 },
    });
    if let (Some(nonce), true) = (&one.nonce, is_new) {
        crate::slack::put(&mut shown, "nonce", json!(nonce));
    }
    if let Some(interaction) = &one.interaction {
        crate::slack::put(&mut shown, "interaction_metadata", json!({"id": interaction, "type": 2}));
        crate::slack::put(&mut shown, "application_id", json!(APPLICATION));
        crate::slack::put(&mut shown, "webhook_id", json!(APPLICATION));
    }
    if let Some(target) = &one.reply_to {
        let reference = json!({"type": 0, "message_id": target, "channel_id": one.channel, "guild_id": GUILD});
        crate::slack::put(&mut shown, "message_reference", reference);
        // One level deep, and no deeper.
        let found = state.messages.iter().find(|other| other.id == *target);
        let referenced = found.map_or(Value::Null, |found| {
            let mut shown = message(discord, &State::default(), found, false);
            if let Some(fields) = shown.as_object_mut() {
                fields.remove("referenced_message");
            }
            shown
        });
        crate::slack::put(&mut shown, "referenced_message", referenced);
    }
    shown
}
