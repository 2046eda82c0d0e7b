//! Slack, both directions: signed deliveries in, streamed replies out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event         payload, text: reading
//! Op ─render─▶ mrkdwn or Markdown ─reply─▶ api ─▶ Slack   refusal: what an error means for what to do next
//! ```
//!
//! It knows nothing of agents and holds no policy: `reply::role` says what Slack says somebody may do, and no more.

mod api;
mod normalise;
mod own;
mod payload;
mod refusal;
mod render;
mod reply;
mod settings;
mod text;
mod verify;

use async_trait::async_trait;
use reveille_channel::{
    Actor, Capabilities, Channel, ContextMessage, Delivery, Identity, Inbound, Malformed, Op, Receipt, Reject,
    ReplyContext, ReplyError, Role, Route, Secret, Streaming, ThreadRef, Verified,
};

use api::Api;
use own::Own;
use reply::Memory;

pub use settings::{Settings, SettingsError};

/// The platform's name in events.
const PLATFORM: &str = "slack";

/// The largest body taken: Slack's events are far below.
const BODY_MAX: usize = 1024 * 1024;

/// `markdown_text` takes 12,000 characters ("chat.postMessage"), and a stream about as many in all.
const MESSAGE_BYTES: usize = 11_000;

/// "Rate limits": about one message a second in a channel.
const EDIT_INTERVAL_MS: u64 = 1_000;

/// Slack closes a stream about five minutes after its start, whatever flows.
const STREAM_LIFETIME_MS: u64 = 200_000;

/// A connection to Slack: one app in one workspace.
#[derive(Debug)]
pub struct Slack {
    connection: String,
    signing_secret: Secret,
    api: Api,
    own: Own,
    memory: Memory,
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
            api: Api::new(settings.api_base_url, settings.bot_token)?,
            own: Own::default(),
            memory: Memory::default(),
        })
    }
}

#[async_trait]
impl Channel for Slack {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn routes(&self) -> &'static [Route] {
        &[Route::Events]
    }

    fn body_limit(&self) -> usize {
        BODY_MAX
    }

    fn verify(&self, delivery: Delivery) -> Result<Verified, Reject> {
        verify::verify(&self.signing_secret, delivery)
    }

    fn normalise(&self, verified: &Verified) -> Result<Inbound, Malformed> {
        normalise::normalise(&self.connection, &self.own, verified)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streaming: Streaming::Native,
            message_bytes: MESSAGE_BYTES,
            edit_interval_ms: EDIT_INTERVAL_MS,
            stream_lifetime_ms: STREAM_LIFETIME_MS,
            status: true,
            controls: false,
        }
    }

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        reply::perform(&self.api, &self.memory, context, op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        reply::find(&self.api, &self.own, context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        reply::context(&self.api, &self.own, thread, limit).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        reply::role(&self.api, &self.memory, actor, thread).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(&self.api, thread, message, emoji).await
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        reply::identify(&self.api, &self.own).await
    }
}
