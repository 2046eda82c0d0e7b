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
mod install;
mod manifest;
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
mod workspace;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use reveille_channel::links::Links;
use reveille_channel::{
    Actor, Capabilities, Channel, ContextMessage, Delivery, Event, Identity, Inbound, Installer, Malformed, Op,
    Progress, Receipt, Reject, ReplyContext, ReplyError, Role, Route, Secret, Streaming, ThreadRef, Verified,
};
use url::Url;

pub use api::{Api, IssueChanges, MOST_PER_PAGE, NewIssue};
pub use documents::{DOCUMENTS, Document};
pub use manifest::guide;
pub use model::{Attachment, Comment, Issue, Named, Nodes, Organization, PageInfo, State, Team, User};
pub use place::{issue_of, session_of};
pub use settings::{Auth, Install, Settings, SettingsError};
pub use workspace::Workspace;

use install::Installs;

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

/// A connection to Linear: one app, in the workspace of its own credentials and in those it is installed in.
#[derive(Debug)]
pub struct Linear {
    connection: String,
    webhook_secret: Secret,
    /// The workspace of the configured credentials.
    home: Arc<Workspace>,
    /// Those credentials were refused: there is no such workspace.
    is_homeless: AtomicBool,
    installs: Option<Installs>,
    links: Arc<Links>,
}

impl Linear {
    /// A connection from its settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SettingsError`] when the webhook's secret is empty, a placeholder or shorter than 16 bytes, a credential is empty,
    /// or the address is none of an API.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let client = match &settings.auth {
            Auth::Client { client_id, client_secret, install: Some(install) } => {
                Some((install.clone(), client_id.clone(), client_secret.clone()))
            }
            Auth::Client { .. } | Auth::Token(_) => None,
        };
        let links = Arc::new(Links::default().and_of(&web_address(&settings.api_base_url)));
        let api = Api::new(settings.api_base_url, settings.auth)?;
        let installs = client.map(|(install, id, secret)| Installs::new(install, id, secret, &api));
        Ok(Self {
            connection: connection.into(),
            webhook_secret: settings.webhook_secret,
            home: Arc::new(Workspace::new(api, Arc::clone(&links))),
            is_homeless: AtomicBool::new(false),
            installs,
            links,
        })
    }

    /// Links may lead to these hosts too, not to Linear's own alone: in every workspace. To be said before anything is installed.
    #[must_use]
    pub fn with_links(mut self, links: &Links) -> Self {
        self.links = Arc::new(Links::clone(&self.links).with(links));
        self.home = Arc::new(Workspace::new(self.home.api.clone(), Arc::clone(&self.links)));
        self
    }

    /// The workspace that a thread is in, for tools.
    ///
    /// # Errors
    /// `Gone` when the app is not installed there: no other workspace's credentials are taken for it.
    pub fn at(&self, thread: &ThreadRef) -> Result<Arc<Workspace>, ReplyError> {
        let Some(installs) = &self.installs else {
            return Ok(Arc::clone(&self.home));
        };
        if let Some(place) = installs.places.get(&thread.installation) {
            return Ok(place.workspace);
        }
        if self.is_homeless.load(Ordering::Relaxed) {
            return Err(ReplyError::Gone(format!("the app is not installed in {}", thread.installation)));
        }
        self.home.has(thread)?;
        Ok(Arc::clone(&self.home))
    }

    /// The workspace that a delivery is of.
    fn of(&self, verified: &Verified) -> Option<Arc<Workspace>> {
        let Some(installs) = &self.installs else {
            return Some(Arc::clone(&self.home));
        };
        let place =
            payload::organization_of(verified.body()).and_then(|organization| installs.places.get(&organization));
        match place {
            Some(place) => Some(place.workspace),
            None => (!self.is_homeless.load(Ordering::Relaxed)).then(|| Arc::clone(&self.home)),
        }
    }
}

/// Where the pages are: `api.linear.app` serves `linear.app`, any other host itself.
fn web_address(api: &Url) -> Url {
    let mut web = api.clone();
    if let Some(host) = api.host_str().and_then(|host| host.strip_prefix("api.")) {
        // A host without its first label is a host; were it not, the address stays as it is.
        let _ = web.set_host(Some(host));
    }
    web
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
        let Some(workspace) = self.of(verified) else {
            tracing::warn!(connection = self.connection, "a delivery is of a workspace the app is not installed in");
            return Ok(Inbound::Ignored { reason: "the app is not installed in that workspace" });
        };
        let known = normalise::Known { connection: &self.connection, own: &workspace.own, asks: &workspace.asks };
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
        reply::perform(self.at(&context.thread)?.as_ref(), context, op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        reply::find(self.at(&context.thread)?.as_ref(), context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        let at = self.at(thread)?;
        history::context(&at.api, &at.own, thread, limit).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        let at = self.at(thread)?;
        at.access.role(&at.api, actor).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(self.at(thread)?.as_ref(), thread, message, emoji).await
    }

    async fn sign(&self, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
        match progress {
            Progress::Began => delegation::take_up(self.at(&context.thread)?.as_ref(), context).await,
            Progress::Done | Progress::Failed => Ok(()),
        }
    }

    async fn tell_nobody(&self, event: &Event) -> Result<(), ReplyError> {
        delegation::decline(self.at(&event.thread)?.as_ref(), event).await
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        let home = identity::identify(&self.home.api, &self.home.own).await;
        let Some(installs) = &self.installs else {
            return home;
        };
        // Without client credentials of its own the application is where it was installed.
        let is_homeless = matches!(home, Err(ReplyError::Credentials(_)));
        self.is_homeless.store(is_homeless, Ordering::Relaxed);
        if !is_homeless {
            return home;
        }
        let all = installs.places.list();
        let names: Vec<&str> = all.iter().filter_map(|place| place.grant.about("name")).collect();
        Ok(Identity {
            id: installs.client_id.clone(),
            handle: all
                .iter()
                .find_map(|place| place.grant.about("handles")?.lines().next())
                .unwrap_or_default()
                .to_owned(),
            installation: if names.is_empty() { "no workspace yet".to_owned() } else { names.join(", ") },
            warnings: Vec::new(),
        })
    }

    fn installer(&self) -> Option<&dyn Installer> {
        self.installs.is_some().then_some(self)
    }
}
