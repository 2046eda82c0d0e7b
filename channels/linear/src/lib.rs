//! Linear, both directions: signed webhooks in; activities of an agent session, or one comment that grows, out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event          payload, mention, place, asks: reading
//! Op ─render─▶ inert Markdown ─reply─▶ api ─client─▶ transport ─▶ Linear     documents, token, refusal: GraphQL, credentials, errors
//! ```
//!
//! It knows nothing of agents and holds no policy: `access` says what Linear says somebody may do, and no more.

mod access;
mod api;
mod asks;
mod client;
mod delegation;
mod documents;
mod history;
mod identity;
mod marker;
mod mention;
mod model;
mod normalise;
mod own;
mod payload;
mod place;
mod refusal;
mod render;
mod reply;
mod settings;
mod token;
mod transport;
mod verify;

use async_trait::async_trait;
use reveille_channel::{
    Actor, Capabilities, Channel, ContextMessage, Delivery, Event, Identity, Inbound, Malformed, Op, Progress, Receipt,
    Reject, ReplyContext, ReplyError, Role, Route, Secret, Streaming, ThreadRef, Verified,
};

pub use api::{Api, IssueChanges, MOST_PER_PAGE, NewIssue};
pub use documents::{DOCUMENTS, Document};
pub use model::{Attachment, Comment, Issue, Named, Nodes, Organization, PageInfo, State, Team, User};
pub use place::{issue_of, session_of};
pub use settings::{Auth, Settings, SettingsError};

/// The platform's name in events.
const PLATFORM: &str = "linear";

/// Linear's deliveries are far below, whatever the issue says.
const MOST_BODY_BYTES: usize = 1024 * 1024;

/// Linear documents no greatest length of a comment or an activity. This is what people can read in one.
const MOST_MESSAGE_BYTES: usize = 30_000;

/// Every edit is a mutation of an hour's budget ("Rate limiting"): this keeps a long answer to hundreds.
const EDIT_INTERVAL_MS: u64 = 2_000;

/// Comments can be edited for ever; a century is long enough to add to any clock.
const COMMENT_LIFETIME_MS: u64 = 100 * 365 * 24 * 3_600 * 1_000;

/// A connection to Linear: one app in one workspace.
#[derive(Debug)]
pub struct Linear {
    connection: String,
    webhook_secret: Secret,
    api: Api,
    own: own::Own,
    asks: asks::Asks,
    access: access::Access,
}

impl Linear {
    /// A connection from its settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SettingsError`] when the webhook's secret is empty, a placeholder or shorter than 16 bytes, a credential is empty,
    /// or the address is none of an API.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            connection: connection.into(),
            webhook_secret: settings.webhook_secret,
            api: Api::new(settings.api_base_url, settings.auth)?,
            own: own::Own::default(),
            asks: asks::Asks::default(),
            access: access::Access::default(),
        })
    }

    /// The GraphQL calls, for tools.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Our own user's id, once it is learnt.
    #[must_use]
    pub fn own_id(&self) -> Option<String> {
        self.own.me().map(|me| me.id.clone())
    }

    /// A text of ours made inert: no mention, image or raw HTML of it acts on Linear.
    /// For texts that go out by [`Linear::api`]; [`Channel::perform`] does it by itself.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        render::render(text)
    }

    /// The id under which something is made once, for tools: the same for the same `key`.
    #[must_use]
    pub fn id_for(&self, key: &str) -> String {
        marker::id(key, "tool")
    }
}

#[async_trait]
impl Channel for Linear {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn routes(&self) -> &'static [Route] {
        &[Route::Webhook]
    }

    fn body_limit(&self) -> usize {
        MOST_BODY_BYTES
    }

    fn verify(&self, delivery: Delivery) -> Result<Verified, Reject> {
        verify::verify(&self.webhook_secret, delivery)
    }

    fn normalise(&self, verified: &Verified) -> Result<Inbound, Malformed> {
        let known = normalise::Known { connection: &self.connection, own: &self.own, asks: &self.asks };
        normalise::normalise(&known, verified)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streaming: Streaming::Edit,
            message_bytes: MOST_MESSAGE_BYTES,
            edit_interval_ms: EDIT_INTERVAL_MS,
            stream_lifetime_ms: COMMENT_LIFETIME_MS,
            status: false,
            controls: false,
        }
    }

    fn capabilities_in(&self, thread: &ThreadRef) -> Capabilities {
        if place::is_session(thread) {
            Capabilities { streaming: Streaming::None, status: true, controls: true, ..self.capabilities() }
        } else {
            self.capabilities()
        }
    }

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        reply::perform(self, context, op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        reply::find(self, context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        history::context(&self.api, &self.own, thread, limit).await
    }

    async fn permission(&self, actor: &Actor, _thread: &ThreadRef) -> Result<Role, ReplyError> {
        self.access.role(&self.api, actor).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(self, thread, message, emoji).await
    }

    async fn sign(&self, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
        match progress {
            Progress::Began => delegation::take_up(self, context).await,
            Progress::Done | Progress::Failed => Ok(()),
        }
    }

    async fn tell_nobody(&self, event: &Event) -> Result<(), ReplyError> {
        delegation::decline(self, event).await
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        identity::identify(&self.api, &self.own).await
    }
}
