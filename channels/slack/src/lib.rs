//! Slack, both directions: signed deliveries in, streamed replies out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event         events, commands, interactivity: by endpoint; payload, text: reading
//! Op ─render─▶ mrkdwn or Markdown ─reply, stream─▶ api ─▶ Slack   refusal: what an error means for what to do next
//! ```
//!
//! It knows nothing of agents and holds no policy: `people::role` says what Slack says somebody may do, and no more.

mod api;
mod ask;
mod clock;
mod commands;
mod courtesy;
mod events;
mod interactivity;
mod locate;
mod memory;
mod normalise;
mod own;
mod pace;
mod payload;
mod people;
mod place;
mod readback;
mod refusal;
mod render;
mod reply;
mod respond;
mod settings;
mod socket;
mod stream;
mod text;
mod verify;
mod workspace;

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::{
    Actor, Capabilities, Channel, ContextMessage, Delivery, Event, Identity, Inbound, Intake, Listened, Malformed, Op,
    Receipt, Reject, ReplyContext, ReplyError, Role, Route, Secret, Streaming, ThreadRef, Verified,
};
use serde_json::Value;

use api::Api;
use courtesy::Courtesies;
use memory::Memory;
use normalise::Reader;
use own::Own;
use reply::Hand;

pub use settings::{Settings, SettingsError};
pub use workspace::{Bookmark, Conversation, MOST_BYTES, Person, Said, Workspace};

/// The platform's name in events.
const PLATFORM: &str = "slack";

/// The largest body taken: Slack's events are far below.
const BODY_MAX: usize = 1024 * 1024;

/// `markdown_text` takes 12,000 characters ("chat.startStream"), a stream about as many in all, and `text` 40,000: a fourth of
/// that, since each character may become four (`&lt;`).
const MESSAGE_BYTES: usize = 9_900;

/// "Rate limits": about one message a second in a channel.
const EDIT_INTERVAL_MS: u64 = 1_000;

/// Slack closes a stream about five minutes after its start, whatever flows.
const STREAM_LIFETIME_MS: u64 = 200_000;

/// A connection to Slack: one app in one workspace.
#[derive(Debug)]
pub struct Slack {
    connection: String,
    signing_secret: Option<Secret>,
    app_token: Option<Secret>,
    api: Api,
    own: Own,
    memory: Memory,
    courtesies: Courtesies,
}

impl Slack {
    /// A connection of this name. Nothing is called yet.
    ///
    /// # Errors
    /// [`SettingsError`] for a secret that is none.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            connection: connection.into(),
            signing_secret: settings.signing_secret,
            app_token: settings.app_token,
            api: Api::new(settings.api_base_url, settings.bot_token)?,
            own: Own::default(),
            memory: Memory::default(),
            courtesies: Courtesies::default(),
        })
    }
}

impl Slack {
    /// The workspace, for tools.
    #[must_use]
    pub fn workspace(&self) -> Workspace<'_> {
        Workspace { api: &self.api, own: &self.own }
    }

    /// What an envelope of a socket holds: the same bodies as requests have.
    fn read_envelope(&self, kind: &str, payload: &Value) -> Result<Inbound, Malformed> {
        let reader = self.reader(clock::now_ms());
        let not_whole = |error: &serde_json::Error| Malformed::json(error);
        match kind {
            "events_api" => {
                reader.envelope(serde_json::from_value(payload.clone()).map_err(|error| not_whole(&error))?)
            }
            "slash_commands" => commands::object(reader, payload),
            "interactive" => {
                let payload = serde_json::from_value(payload.clone()).map_err(|error| not_whole(&error))?;
                interactivity::read(reader, &payload)
            }
            _ => Ok(Inbound::Ignored { reason: "a type of envelope that is not acted upon" }),
        }
    }

    fn reader(&self, received_at_ms: i64) -> Reader<'_> {
        Reader {
            connection: &self.connection,
            own: &self.own,
            memory: &self.memory,
            courtesies: &self.courtesies,
            received_at_ms,
        }
    }
}

#[async_trait]
impl Channel for Slack {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn routes(&self) -> &'static [Route] {
        // Without a secret nobody's request could be believed.
        if self.signing_secret.is_some() { &[Route::Events, Route::Commands, Route::Interactivity] } else { &[] }
    }

    fn body_limit(&self) -> usize {
        BODY_MAX
    }

    fn verify(&self, delivery: Delivery) -> Result<Verified, Reject> {
        match &self.signing_secret {
            Some(secret) => verify::verify(secret, delivery),
            None => Err(Reject::WrongSignature),
        }
    }

    fn answer_of_nobody(&self, promise: &Bytes) -> Option<(&'static str, Bytes)> {
        commands::no_agent(promise).map(|body| ("application/json", body))
    }

    fn normalise(&self, verified: &Verified) -> Result<Inbound, Malformed> {
        self.reader(verified.received_at_ms()).normalise(verified)
    }

    async fn locate(&self, event: Event) -> Result<Event, ReplyError> {
        locate::locate(&self.api, &self.own, &self.memory, event).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streaming: Streaming::Native,
            message_bytes: MESSAGE_BYTES,
            edit_interval_ms: EDIT_INTERVAL_MS,
            stream_lifetime_ms: STREAM_LIFETIME_MS,
            status: true,
            controls: true,
        }
    }

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        Hand { api: &self.api, own: &self.own, memory: &self.memory, context }.perform(op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        readback::find(&self.api, &self.own, &self.memory, context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        readback::context(&self.api, &self.own, &self.memory, thread, limit).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        people::role(&self.api, &self.memory, actor, thread).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(&self.api, thread, message, emoji).await
    }

    /// Reads sockets where there is an app-level token, and meanwhile does what is owed besides answers.
    async fn listen(&self, intake: &dyn Intake) -> Result<Listened, ReplyError> {
        let courtesies = self.courtesies.serve(&self.api);
        match &self.app_token {
            None => match courtesies.await {},
            Some(app_token) => tokio::select! {
                never = courtesies => match never {},
                ended = socket::listen(self, app_token, intake) => ended,
            },
        }
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        people::identify(&self.api, &self.own, self.app_token.as_ref()).await
    }
}
