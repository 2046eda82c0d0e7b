//! GitHub, both directions: signed webhooks in, one comment that grows out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event          shape, payload, call, scan, markdown: reading
//! Op ─render─▶ inert Markdown ─reply─▶ api ─client─▶ transport ─▶ GitHub     token, pace, refusal: credentials, limits, errors
//! ```
//!
//! `place` is what both directions mean by a thread: an issue, a pull request's conversation, a line of one, a discussion.
//!
//! It knows nothing of agents and holds no policy: `access` says what GitHub says an actor may do, and no more.

mod access;
mod api;
mod call;
mod catch_up;
mod client;
mod identity;
mod manifest;
mod markdown;
mod model;
mod normalise;
mod own;
mod pace;
mod payload;
mod place;
mod refusal;
mod render;
mod reply;
mod scan;
mod settings;
mod shape;
mod source;
mod token;
mod transport;
mod verify;

use async_trait::async_trait;
use reveille_channel::links::Links;
use reveille_channel::{
    Actor, Capabilities, Channel, ContextMessage, Delivery, Identity, Inbound, Kind, Malformed, Op, Progress, Receipt,
    Reject, ReplyContext, ReplyError, Role, Route, Secret, Streaming, ThreadRef, Verified,
};
use url::Url;

pub use api::{
    Api, CheckChanges, CheckOutput, Content, Entry, IssueChanges, MOST_PER_PAGE, NewReview, Page, Permission, Remark,
    Repository,
};
pub use manifest::guide;
pub use model::{
    AppReference, Branch, BranchRepository, CheckAction, CheckRun, Comment, Discussion, Issue, Label, PullFile,
    PullReference, PullRequest, Review, User,
};
pub use normalise::{check_run_id, check_run_pull};
pub use settings::{Auth, Settings, SettingsError};

/// The platform's name in events.
pub(crate) const PLATFORM: &str = "github";

/// What GitHub sends at most ("Webhook events and payloads": payloads are capped at 25 MB).
const MOST_BODY_BYTES: usize = 25 * 1024 * 1024;
/// A comment takes 65,536 characters; the rest is room for the marker and for what makes a text inert.
const MOST_MESSAGE_BYTES: usize = 60_000;
/// An edit every two to three seconds keeps one thread far from the secondary limits.
const EDIT_INTERVAL_MS: u64 = 2_500;
/// Comments can be edited for ever; a century is long enough to add to any clock.
const COMMENT_LIFETIME_MS: u64 = 100 * 365 * 24 * 3_600 * 1_000;

/// A connection to GitHub: one app, or one token.
#[derive(Debug)]
pub struct GitHub {
    connection: String,
    webhook_secret: Secret,
    auth: Auth,
    web: Url,
    links: Links,
    api: Api,
    own: own::Own,
    access: access::Access,
    runs: reply::Runs,
}

impl GitHub {
    /// A connection from its settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SettingsError`] when the webhook's secret is empty, a placeholder or shorter than 16 bytes, the private key
    /// cannot be read, the token is empty, or the address is none of an API.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let app_id = match settings.auth {
            Auth::App { app_id, .. } => Some(app_id),
            Auth::Token(_) => None,
        };
        Ok(Self {
            connection: connection.into(),
            api: Api::new(&settings.api_base_url, &settings.auth)?,
            links: Links::default().and_of(&web_address(&settings.api_base_url)),
            web: web_address(&settings.api_base_url),
            webhook_secret: settings.webhook_secret,
            auth: settings.auth,
            own: own::Own::new(app_id),
            access: access::Access::default(),
            runs: reply::Runs::default(),
        })
    }

    /// Links may lead to these hosts too, not to GitHub's own alone.
    #[must_use]
    pub fn with_links(mut self, links: &Links) -> Self {
        self.links = self.links.with(links);
        self
    }

    /// The REST calls, for tools.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The app's name, or the account's, as far as it is learnt: what carries it is ours.
    #[must_use]
    pub fn name(&self) -> String {
        let login = self.own.account().map(|account| account.login);
        login.as_deref().map_or("reveille", |login| login.trim_end_matches("[bot]")).to_owned()
    }

    /// A text of ours made inert: no mention, reference, image, raw HTML, slash command or link to a host that nobody chose
    /// acts, and a code fence that is open at its end is closed, so that something can follow.
    /// For texts that go out by [`GitHub::api`]; [`Channel::perform`] does it by itself.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let mut inert = render::render(text, &self.web, &self.links);
        let closing = reveille_channel::markdown::closing(&inert, inert.len());
        inert.push_str(&closing);
        inert
    }

    /// Learns who we are, for what cannot be done without.
    pub(crate) async fn learn_account(&self) -> Result<(), ReplyError> {
        identity::identify(self).await.map(|_| ())
    }
}

/// Where the pages are whose addresses refer to issues: `api.github.com` serves `github.com`, any other host itself.
fn web_address(api: &Url) -> Url {
    let mut web = api.clone();
    if let Some(host) = api.host_str().and_then(|host| host.strip_prefix("api.")) {
        // A host without its first label is a host; were it not, the address stays as it is.
        let _ = web.set_host(Some(host));
    }
    web.set_path("/");
    web
}

#[async_trait]
impl Channel for GitHub {
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
        let inbound = normalise::normalise(&self.connection, &self.own, verified)?;
        if let Inbound::Events(events) = &inbound {
            for event in events.iter().filter(|event| matches!(event.kind, Kind::Lifecycle { .. })) {
                // Of what was taken away nothing is to be left here (AZ-9), and tokens know nothing of what was added.
                self.api.forget_installation(&event.thread.installation);
            }
        }
        Ok(inbound)
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

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        reply::perform(self, context, op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        reply::find(self, context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        reply::context(self, thread, limit).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        self.access.role(&self.api, actor, thread).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(self, thread, message, emoji).await
    }

    async fn sign(&self, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
        reply::sign(self, context, progress).await
    }

    async fn catch_up(&self) -> Result<usize, ReplyError> {
        catch_up::catch_up(self).await
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        identity::identify(self).await
    }
}
