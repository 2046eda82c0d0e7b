//! Slack, both directions: signed deliveries in, streamed replies out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event         events, commands, interactivity: by endpoint; payload, text: reading
//! Op ─render─▶ mrkdwn or Markdown ─reply, stream─▶ api ─▶ Slack   refusal: what an error means for what to do next
//! tenant: whom a delivery is for; workspaces, install: where the app is installed by OAuth, and with which token
//! ```
//!
//! It knows nothing of agents and holds no policy: `people::role` says what Slack says somebody may do, and no more.

mod api;
mod ask;
mod clock;
mod commands;
mod courtesy;
mod events;
mod feedback;
mod files;
mod install;
mod interactivity;
mod locate;
mod manifest;
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
mod tenant;
mod text;
mod verify;
mod workspace;
mod workspaces;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::links::{LinkHost, Links};
use reveille_channel::{
    Actor, Attachment, Capabilities, Channel, ContextMessage, Delivery, Event, Identity, Inbound, Installer, Intake,
    Listened, Malformed, Op, Receipt, Reject, ReplyContext, ReplyError, Role, Route, Secret, Streaming, Task,
    ThreadRef, Verified,
};
use serde_json::Value;
use url::Url;

use api::{Api, Credential};
use courtesy::Courtesies;
use install::Renewal;
use memory::Memory;
use normalise::Reader;
use own::Own;
use reply::Hand;
use tenant::Tenant;
use workspaces::{At, ENTERPRISE, Workspaces};

pub use manifest::guide;
pub use settings::{Client, Settings, SettingsError};
pub use workspace::{Bookmark, Conversation, MOST_BYTES, Person, Said, Workspace};
pub use workspaces::Here;

/// The platform's name in events.
const PLATFORM: &str = "slack";

/// The largest body taken: Slack's events are far below.
const BODY_MAX: usize = 1024 * 1024;

/// `markdown_text` takes 12,000 characters ("chat.startStream"), a stream about as many in all, and `text` 40,000: a fourth of
/// that, since each character may become four (`&lt;`).
const MESSAGE_BYTES: usize = 9_900;

/// "Rate limits": about one message a second in a channel.
const EDIT_INTERVAL_MS: u64 = 1_000;

/// How long a reply waits, until Slack said which workspace the bot token is of, milliseconds.
const UNKNOWN_MS: u64 = 2_000;

/// Slack closes a stream about five minutes after its start, whatever flows.
const STREAM_LIFETIME_MS: u64 = 200_000;

/// A connection to Slack: one app, in the workspace of its bot token, in those it is installed in by OAuth, or in both.
#[derive(Debug)]
pub struct Slack {
    connection: String,
    signing_secret: Option<Secret>,
    app_token: Option<Secret>,
    api: Api,
    has_bot_token: bool,
    links: Links,
    own: Own,
    memory: Memory,
    /// Where it is installed by OAuth, if it can be.
    workspaces: Option<Workspaces>,
    courtesies: Courtesies,
    feedback: bool,
}

impl Slack {
    /// A connection of this name. Nothing is called yet.
    ///
    /// # Errors
    /// [`SettingsError`] for a secret that is none.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let links = own_pages(&settings.api_base_url);
        let anonymous = Api::new(settings.api_base_url, Credential::Missing)?;
        let workspaces = settings.client.map(|client| {
            let renewal = Renewal { api: anonymous.clone(), client: client.clone() };
            Workspaces::new(client, Arc::new(renewal))
        });
        Ok(Self {
            connection: connection.into(),
            signing_secret: settings.signing_secret,
            app_token: settings.app_token,
            has_bot_token: settings.bot_token.is_some(),
            api: anonymous.with(settings.bot_token.map_or(Credential::Missing, Credential::Given)),
            links,
            own: Own::default(),
            memory: Memory::default(),
            workspaces,
            courtesies: Courtesies::default(),
            feedback: settings.feedback,
        })
    }
}

impl Slack {
    /// Links may lead to these hosts too, not to Slack's own alone.
    #[must_use]
    pub fn with_links(mut self, links: &Links) -> Self {
        self.links = self.links.with(links);
        self
    }

    /// The workspace of a thread, for tools.
    ///
    /// # Errors
    /// `Gone` when the app is not installed there.
    pub fn here(&self, thread: &ThreadRef) -> Result<Here<'_>, ReplyError> {
        Ok(Here { at: self.at(thread)?, links: &self.links })
    }

    /// What an envelope of a socket holds: the same bodies as requests have.
    fn read_envelope(&self, kind: &str, payload: &Value) -> Result<Inbound, Malformed> {
        let not_whole = |error: &serde_json::Error| Malformed::json(error);
        let tenant = || Tenant::of_payload(payload);
        self.read_for(tenant, clock::now_ms(), |reader| match kind {
            "events_api" => {
                reader.envelope(serde_json::from_value(payload.clone()).map_err(|error| not_whole(&error))?)
            }
            "slash_commands" => commands::object(reader, payload),
            "interactive" => {
                let payload = serde_json::from_value(payload.clone()).map_err(|error| not_whole(&error))?;
                interactivity::read(reader, &payload)
            }
            _ => Ok(Inbound::Ignored { reason: "a type of envelope that is not acted upon" }),
        })
    }

    /// Reads a delivery as its tenant sees it: who we are is not the same in all of them.
    fn read_for(
        &self,
        tenant: impl FnOnce() -> Tenant,
        received_at_ms: i64,
        read: impl FnOnce(Reader<'_>) -> Result<Inbound, Malformed>,
    ) -> Result<Inbound, Malformed> {
        let only = self.only();
        let Some(workspaces) = &self.workspaces else {
            return read(self.reader(&only, None, received_at_ms));
        };
        let tenant = tenant();
        if tenant.is_nobody() {
            return match read(self.reader(&only, None, received_at_ms))? {
                Inbound::Events(_) | Inbound::Answered { .. } => Err(Malformed::new("the delivery names no workspace")),
                other => Ok(other),
            };
        }
        if let Some(workspace) = workspaces.of(&tenant) {
            let at = At::Installed(workspace);
            let inbound = read(self.reader(&at, tenant.team.as_deref(), received_at_ms))?;
            return Ok(through(inbound, at.key()));
        }
        // The bot token's own workspace, and no organisation's installation. Until it is known which one that is, nothing is
        // passed over; and nothing is answered, see `at`.
        let may_be_home = self.has_bot_token && self.own.ids().team.is_none_or(|home| tenant.team == Some(home));
        if tenant.is_enterprise_install != Some(true) && may_be_home {
            return read(self.reader(&only, None, received_at_ms));
        }
        let (team, enterprise) = (tenant.team, tenant.enterprise);
        tracing::warn!(
            connection = self.connection,
            team,
            enterprise,
            "a delivery is for a place the app is not installed in"
        );
        Ok(Inbound::Ignored { reason: "the app is not installed in that workspace" })
    }

    fn reader<'a>(&'a self, at: &'a At<'_>, team: Option<&'a str>, received_at_ms: i64) -> Reader<'a> {
        Reader {
            connection: &self.connection,
            api: at.api(),
            own: at.own(),
            memory: at.memory(),
            courtesies: &self.courtesies,
            received_at_ms,
            workspace: at.key(),
            team,
        }
    }

    /// The workspace of `bot_token`.
    fn only(&self) -> At<'_> {
        At::Only(&self.api, &self.own, &self.memory)
    }

    /// The workspace that a thread is in. No other one's token ever goes there.
    fn at(&self, thread: &ThreadRef) -> Result<At<'_>, ReplyError> {
        match &self.workspaces {
            None => Ok(self.only()),
            Some(_) => {
                let key = workspaces::key_of(thread);
                let installed = self.of_workspace(key);
                if installed.is_ok() || !self.has_bot_token || key != thread.installation {
                    return installed;
                }
                match self.own.ids().team {
                    Some(home) if home == key => Ok(self.only()),
                    Some(_) => installed,
                    None => {
                        let reason = "it is not known yet which workspace the bot token is of".to_owned();
                        Err(ReplyError::Retry { after_ms: UNKNOWN_MS, reason })
                    }
                }
            }
        }
    }

    /// The workspace of this key; empty: that of `bot_token`.
    fn of_workspace(&self, key: &str) -> Result<At<'_>, ReplyError> {
        if key.is_empty() {
            return Ok(self.only());
        }
        let installed = self.workspaces.as_ref().and_then(|workspaces| workspaces.get(key));
        installed.map(At::Installed).ok_or_else(|| workspaces::not_installed(key))
    }
}

/// Notes the organisation through which something came: its token answers it, and not that of the workspace.
fn through(inbound: Inbound, key: &str) -> Inbound {
    let note = |mut events: Vec<Event>| {
        for event in events.iter_mut().filter(|event| event.thread.installation != key) {
            event.thread.location.insert(ENTERPRISE.into(), key.to_owned());
        }
        events
    };
    match inbound {
        Inbound::Events(events) => Inbound::Events(note(events)),
        Inbound::Answered { events, content_type, body } => {
            Inbound::Answered { events: note(events), content_type, body }
        }
        other => other,
    }
}

/// Where Slack's own references lead ("Retrieving messages": permalinks): the workspaces' pages, or the server that stands in
/// for it.
fn own_pages(api: &Url) -> Links {
    if api.host_str() != Some("slack.com") {
        return Links::default().and_of(api);
    }
    let with_threads = |name| LinkHost::own(name).with_parameters(&["thread_ts", "cid"]);
    Links::to([with_threads("slack.com"), with_threads("*.slack.com")])
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
        self.read_for(|| Tenant::of(verified), verified.received_at_ms(), |reader| reader.normalise(verified))
    }

    async fn locate(&self, event: Event) -> Result<Event, ReplyError> {
        match self.at(&event.thread) {
            Ok(at) => {
                let mut event = locate::locate(at.api(), at.own(), at.memory(), event).await?;
                locate::name_channel(at.api(), at.memory(), &mut event).await?;
                Ok(event)
            }
            // What is said of a place that is no more is in no thread of ours.
            Err(_) => Ok(event),
        }
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
        let at = self.at(&context.thread)?;
        let (links, feedback) = (&self.links, self.feedback);
        Hand { api: at.api(), own: at.own(), memory: at.memory(), links, context, feedback }.perform(op).await
    }

    fn shows_tasks(&self) -> bool {
        true
    }

    async fn show_tasks(&self, context: &ReplyContext, message: &str, tasks: &[Task]) -> Result<(), ReplyError> {
        let at = self.at(&context.thread)?;
        let place = readback::place(at.api(), at.own(), at.memory(), &context.thread, context.since_ms).await?;
        stream::show_tasks(at.api(), at.memory(), context, &place, message, tasks).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        let at = self.at(&context.thread)?;
        readback::find(at.api(), at.own(), at.memory(), context).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        let at = self.at(thread)?;
        readback::context(at.api(), at.own(), at.memory(), thread, limit).await
    }

    async fn fetch(&self, thread: &ThreadRef, file: &Attachment, most: usize) -> Result<Bytes, ReplyError> {
        files::fetch(self.at(thread)?.api(), file, most).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        let at = self.at(thread)?;
        people::role(at.api(), at.memory(), actor, thread).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        reply::react(self.at(thread)?.api(), thread, message, emoji).await
    }

    /// Reads sockets where there is an app-level token, and meanwhile does what is owed besides answers.
    async fn listen(&self, intake: &dyn Intake) -> Result<Listened, ReplyError> {
        let courtesies = self.courtesies.serve(self);
        match &self.app_token {
            None => match courtesies.await {},
            Some(app_token) => tokio::select! {
                never = courtesies => match never {},
                ended = socket::listen(self, app_token, intake) => ended,
            },
        }
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        if self.has_bot_token {
            return people::identify(&self.api, &self.own, self.app_token.as_ref()).await;
        }
        // Who we are differs from place to place; each installation knows it.
        let all = self.workspaces.as_ref().map(|all| all.places.list()).unwrap_or_default();
        let names: Vec<&str> = all.iter().filter_map(|place| place.grant.about("name")).collect();
        let handle = all.iter().find_map(|place| place.grant.about("handle")).unwrap_or_default();
        Ok(Identity {
            id: self.workspaces.as_ref().map(|all| all.client.client_id.clone()).unwrap_or_default(),
            handle: handle.to_owned(),
            installation: if names.is_empty() { "no workspace yet".to_owned() } else { names.join(", ") },
            warnings: Vec::new(),
        })
    }

    fn installer(&self) -> Option<&dyn Installer> {
        self.workspaces.is_some().then_some(self)
    }
}
