//! Discord's REST API: the calls that are made, and what of their answers is read.
//!
//! Of an answer only what is needed is typed (see `docs/decisions`): a post that was accepted must never become a failure
//! because a field of it is missing.

use reveille_channel::{ReplyError, Secret};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::payload::{Channel, Guild, Member, Message, User};
use crate::settings::SettingsError;
use crate::transport::{Call, Failure, Transport};

/// "Message Flags": no previews of links.
const SUPPRESS_EMBEDS: u64 = 1 << 2;

/// The most messages in one answer ("Get Channel Messages").
pub(crate) const PAGE: usize = 100;

/// How long a thread stays in the list of a channel without anything said in it, minutes.
const ARCHIVE_AFTER_MINUTES: u64 = 1_440;

/// The calls, with one bot's token.
#[derive(Debug)]
pub(crate) struct Api {
    transport: Transport,
}

/// "Application Object", of our own.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) verify_key: Option<String>,
    pub(crate) flags: Option<u64>,
    pub(crate) interactions_endpoint_url: Option<String>,
    pub(crate) approximate_guild_count: Option<u64>,
}

/// "Get Gateway Bot".
#[derive(Debug, Default, Deserialize)]
pub(crate) struct GatewayBot {
    pub(crate) shards: Option<u64>,
    pub(crate) session_start_limit: Option<SessionStartLimit>,
}

/// "Session Start Limit Object".
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(crate) struct SessionStartLimit {
    pub(crate) remaining: Option<u64>,
    /// Milliseconds until it is full again.
    pub(crate) reset_after: Option<u64>,
}

/// "List Active Guild Threads".
#[derive(Debug, Default, Deserialize)]
struct Threads {
    #[serde(default)]
    threads: Vec<Channel>,
}

/// Which part of a channel's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Latest,
    Before(&'a str),
    After(&'a str),
}

/// A message to be sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outgoing<'a> {
    pub(crate) content: &'a str,
    /// What tells it from all others; a second one of the same within minutes is the first.
    pub(crate) nonce: Option<&'a str>,
    /// The message it replies to.
    pub(crate) reply_to: Option<&'a str>,
    /// Buttons; `Some(empty)` takes them away.
    pub(crate) components: Option<Value>,
}

impl Outgoing<'_> {
    /// The body. Whatever the text says, it notifies nobody and shows no preview.
    fn body(&self) -> Value {
        let mut body = json!({
            "content": self.content,
            "allowed_mentions": {"parse": [], "replied_user": false},
            "flags": SUPPRESS_EMBEDS,
        });
        if let Some(fields) = body.as_object_mut() {
            if let Some(nonce) = self.nonce {
                fields.insert("nonce".into(), json!(nonce));
                fields.insert("enforce_nonce".into(), json!(true));
            }
            if let Some(message) = self.reply_to {
                fields.insert("message_reference".into(), json!({"message_id": message, "fail_if_not_exists": false}));
            }
            if let Some(components) = &self.components {
                fields.insert("components".into(), components.clone());
            }
        }
        body
    }
}

impl Api {
    pub(crate) fn new(base: Url, token: Secret) -> Result<Self, SettingsError> {
        Ok(Self { transport: Transport::new(base, token)? })
    }

    pub(crate) fn token(&self) -> &Secret {
        self.transport.token()
    }

    async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let answer = self.transport.call(call).await?;
        serde_json::from_value(answer).map_err(|error| {
            let said = format!("the answer is not what the documentation says ({:?})", error.classify());
            Failure::Other(ReplyError::Refused(said))
        })
    }

    async fn done(&self, call: Call) -> Result<(), Failure> {
        self.transport.call(call).await.map(drop)
    }

    /// Makes a call whose answer is a message, and reads which it is: it was accepted, so the rest of it decides nothing.
    async fn message_of(&self, call: Call) -> Result<Message, Failure> {
        let answer = self.transport.call(call).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Message {
            id: text("id"),
            channel_id: text("channel_id"),
            content: text("content"),
            flags: answer.get("flags").and_then(Value::as_u64).unwrap_or(0),
            ..Message::default()
        })
    }

    pub(crate) async fn me(&self) -> Result<User, Failure> {
        self.read(Call::new("GET /users/@me", &[])).await
    }

    pub(crate) async fn application(&self) -> Result<Application, Failure> {
        self.read(Call::new("GET /applications/@me", &[])).await
    }

    pub(crate) async fn gateway_bot(&self) -> Result<GatewayBot, Failure> {
        self.read(Call::new("GET /gateway/bot", &[])).await
    }

    /// Servers we are in, a hundred at most.
    pub(crate) async fn own_guilds(&self) -> Result<Vec<Guild>, Failure> {
        let mut call = Call::new("GET /users/@me/guilds", &[]);
        call.query.push(("limit", "100".into()));
        self.read(call).await
    }

    pub(crate) async fn guild(&self, guild: &str) -> Result<Guild, Failure> {
        self.read(Call::new("GET /guilds/{}", &[guild])).await
    }

    pub(crate) async fn member(&self, guild: &str, user: &str) -> Result<Member, Failure> {
        self.read(Call::new("GET /guilds/{}/members/{}", &[guild, user])).await
    }

    pub(crate) async fn channel(&self, channel: &str) -> Result<Channel, Failure> {
        self.read(Call::new("GET /channels/{}", &[channel])).await
    }

    /// A server's threads that are not archived, as far as the bot can see them.
    pub(crate) async fn active_threads(&self, guild: &str) -> Result<Vec<Channel>, Failure> {
        let found: Threads = self.read(Call::new("GET /guilds/{}/threads/active", &[guild])).await?;
        Ok(found.threads)
    }

    pub(crate) async fn message(&self, channel: &str, message: &str) -> Result<Message, Failure> {
        self.read(Call::new("GET /channels/{}/messages/{}", &[channel, message])).await
    }

    /// A page of a channel's messages, the newest first.
    pub(crate) async fn messages(&self, channel: &str, part: Part<'_>, limit: usize) -> Result<Vec<Message>, Failure> {
        let mut call = Call::new("GET /channels/{}/messages", &[channel]);
        call.query.push(("limit", limit.clamp(1, PAGE).to_string()));
        match part {
            Part::Latest => {}
            Part::Before(id) => call.query.push(("before", id.to_owned())),
            Part::After(id) => call.query.push(("after", id.to_owned())),
        }
        self.read(call).await
    }

    pub(crate) async fn create_message(&self, channel: &str, message: &Outgoing<'_>) -> Result<Message, Failure> {
        let call = Call::new("POST /channels/{}/messages", &[channel]).with(message.body()).that_doubles();
        self.message_of(call).await
    }

    pub(crate) async fn edit_message(
        &self,
        channel: &str,
        id: &str,
        message: &Outgoing<'_>,
    ) -> Result<Message, Failure> {
        self.message_of(Call::new("PATCH /channels/{}/messages/{}", &[channel, id]).with(message.body())).await
    }

    /// Starts a thread from a message. It gets the message's id, so there is never a second one.
    pub(crate) async fn start_thread(&self, channel: &str, message: &str, name: &str) -> Result<Channel, Failure> {
        let body = json!({"name": name, "auto_archive_duration": ARCHIVE_AFTER_MINUTES});
        self.read(Call::new("POST /channels/{}/messages/{}/threads", &[channel, message]).with(body)).await
    }

    pub(crate) async fn unarchive(&self, thread: &str) -> Result<(), Failure> {
        self.done(Call::new("PATCH /channels/{}", &[thread]).with(json!({"archived": false}))).await
    }

    /// Shows for ten seconds that the bot writes.
    pub(crate) async fn type_in(&self, channel: &str) -> Result<(), Failure> {
        self.done(Call::new("POST /channels/{}/typing", &[channel])).await
    }

    pub(crate) async fn react(&self, channel: &str, message: &str, emoji: &str) -> Result<(), Failure> {
        self.done(Call::new("PUT /channels/{}/messages/{}/reactions/{}/@me", &[channel, message, emoji])).await
    }

    /// Answers an interaction that came over the gateway. A second answer is refused.
    pub(crate) async fn answer(&self, interaction: &str, token: &str, body: Value) -> Result<(), Failure> {
        self.done(Call::new("POST /interactions/{}/{}/callback", &[interaction, token]).with(body)).await
    }

    /// The interaction's own answer.
    pub(crate) async fn original(&self, application: &str, token: &str) -> Result<Message, Failure> {
        self.message_of(Call::new("GET /webhooks/{}/{}/messages/@original", &[application, token])).await
    }

    pub(crate) async fn edit_original(
        &self,
        application: &str,
        token: &str,
        message: &Outgoing<'_>,
    ) -> Result<Message, Failure> {
        let call = Call::new("PATCH /webhooks/{}/{}/messages/@original", &[application, token]);
        self.message_of(call.with(message.body())).await
    }

    /// A further message under an interaction's token.
    pub(crate) async fn follow_up(
        &self,
        application: &str,
        token: &str,
        message: &Outgoing<'_>,
    ) -> Result<Message, Failure> {
        let call = Call::new("POST /webhooks/{}/{}", &[application, token]).with(message.body()).that_doubles();
        self.message_of(call).await
    }

    pub(crate) async fn edit_follow_up(
        &self,
        application: &str,
        token: &str,
        id: &str,
        message: &Outgoing<'_>,
    ) -> Result<Message, Failure> {
        let call = Call::new("PATCH /webhooks/{}/{}/messages/{}", &[application, token, id]);
        self.message_of(call.with(message.body())).await
    }

    /// Replaces the application's commands, everywhere or in one server ("Bulk Overwrite Application Commands").
    pub(crate) async fn overwrite_commands(
        &self,
        application: &str,
        guild: Option<&str>,
        commands: Value,
    ) -> Result<(), Failure> {
        let call = match guild {
            None => Call::new("PUT /applications/{}/commands", &[application]),
            Some(guild) => Call::new("PUT /applications/{}/guilds/{}/commands", &[application, guild]),
        };
        self.done(call.with(commands)).await
    }
}
