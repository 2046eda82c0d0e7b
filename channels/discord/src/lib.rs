//! Discord, both directions: signed interactions and the gateway's events in, edited messages out.
//!
//! ```text
//! Delivery ─verify─▶ Verified ─normalise─▶ Event          payload, text, places, key: reading
//! gateway (WebSocket) ─────────normalise─▶ Event          exchange, session, handle: listening
//! Op ─render─▶ Discord's dialect ─reply─▶ api ─▶ Discord  transport, limits, refusal: calling
//! ```
//!
//! It knows nothing of agents and holds no policy: `access` says what Discord says somebody may do, and no more.

mod access;
mod api;
mod ask;
mod clock;
mod commands;
mod conversation;
mod custom_id;
mod emoji;
mod find;
mod gateway;
mod history;
mod identity;
mod limits;
mod location;
mod manifest;
mod memory;
mod normalise;
mod original;
mod own;
mod payload;
mod places;
mod receipt;
mod recent;
mod refusal;
mod render;
mod reply;
mod server;
mod settings;
mod text;
mod transport;
mod typing;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::links::{LinkHost, Links};
use reveille_channel::{
    Actor, Capabilities, Channel, CommandOffer, ContextMessage, Delivery, Ed25519Key, Identity, Inbound, Intake,
    Listened, Malformed, Op, Receipt, Reject, ReplyContext, ReplyError, Role, Route, Sought, Streaming, ThreadRef,
    Verified,
};

use url::Url;

use access::Access;
use api::Api;
use gateway::Gateway;
use location::part;
use memory::Memory;
use own::Own;
use places::Places;
use reply::Replies;
use typing::Typing;

pub use manifest::guide;
pub use server::{Person, Place, Server};
pub use settings::{Settings, SettingsError};

/// The platform's name in events.
const PLATFORM: &str = "discord";

/// The largest body taken: interactions are far below.
const BODY_MAX: usize = 1024 * 1024;

/// About five edits in five seconds in a channel; the buckets that Discord tells of decide ("Rate Limits").
const EDIT_INTERVAL_MS: u64 = 1_200;

/// A connection to Discord: one application, in all of its servers.
#[derive(Debug)]
pub struct Discord {
    connection: String,
    key: Ed25519Key,
    own: Arc<Own>,
    places: Arc<Places>,
    api: Arc<Api>,
    replies: Replies,
    access: Access,
    gateway: Option<Gateway>,
    command_guilds: Vec<String>,
}

impl Discord {
    /// A connection of this name. Nothing is called yet.
    ///
    /// # Errors
    /// [`SettingsError`] for settings that can never work.
    pub fn new(connection: impl Into<String>, settings: Settings) -> Result<Self, SettingsError> {
        let key = settings.check()?;
        let connection = connection.into();
        let own = Arc::new(Own::new(settings.application_id));
        let places = Arc::new(Places::default());
        let links = own_pages(&settings.api_base_url);
        let api = Arc::new(Api::new(settings.api_base_url, settings.bot_token)?);
        let replies = Replies {
            api: Arc::clone(&api),
            own: Arc::clone(&own),
            places: Arc::clone(&places),
            memory: Memory::default(),
            typing: Typing::default(),
            links,
        };
        let gateway = settings.gateway.then(|| {
            let (api, own, places) = (Arc::clone(&api), Arc::clone(&own), Arc::clone(&places));
            Gateway::new(connection.clone(), settings.gateway_url, api, own, places)
        });
        Ok(Self {
            connection,
            key,
            own,
            places,
            api,
            replies,
            access: Access::default(),
            gateway,
            command_guilds: settings.command_guilds,
        })
    }
}

impl Discord {
    /// Links may lead to these hosts too, not to Discord's own alone.
    #[must_use]
    pub fn with_links(mut self, links: &Links) -> Self {
        self.replies.links = self.replies.links.with(links);
        self
    }
}

/// Where messages and channels have their addresses: `discord.com`, or the server that stands in for it.
fn own_pages(api: &Url) -> Links {
    match api.host_str() {
        Some("discord.com") => Links::to([LinkHost::own("discord.com")]),
        _ => Links::default().and_of(api),
    }
}

#[async_trait]
impl Channel for Discord {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn routes(&self) -> &'static [Route] {
        &[Route::Interactions]
    }

    fn body_limit(&self) -> usize {
        BODY_MAX
    }

    fn verify(&self, delivery: Delivery) -> Result<Verified, Reject> {
        verify::verify(&self.key, delivery)
    }

    fn normalise(&self, verified: &Verified) -> Result<Inbound, Malformed> {
        normalise::normalise(&self.connection, &self.own, &self.places, verified)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streaming: Streaming::Edit,
            message_bytes: render::MESSAGE_BYTES,
            edit_interval_ms: EDIT_INTERVAL_MS,
            stream_lifetime_ms: 0,
            status: true,
            controls: true,
        }
    }

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        self.replies.perform(context, op).await
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        let sought = Sought { opened_at_ms: context.since_ms, text: Some(String::new()), others: Vec::new() };
        self.replies.look_for(context, &sought, clock::now_ms()).await
    }

    async fn look_for(&self, context: &ReplyContext, sought: &Sought) -> Result<Option<Receipt>, ReplyError> {
        self.replies.look_for(context, sought, clock::now_ms()).await
    }

    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        self.replies.history(thread, limit).await
    }

    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        self.access.role(&self.api, actor, thread, clock::now_ms()).await
    }

    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        let Some(characters) = emoji::characters(emoji) else {
            return Err(ReplyError::Refused(format!("`{emoji}` is no emoji that is known by this name")));
        };
        let channel = part(thread, location::CHANNEL)
            .ok_or_else(|| ReplyError::Refused("the conversation has no channel".into()))?;
        Ok(self.api.react(channel, message, characters).await?)
    }

    async fn listen(&self, intake: &dyn Intake) -> Result<Listened, ReplyError> {
        match &self.gateway {
            None => Ok(Listened::Nothing),
            Some(gateway) => gateway.listen(intake, &self.replies).await,
        }
    }

    async fn offer(&self, commands: &[CommandOffer]) -> Result<(), ReplyError> {
        commands::offer(&self.api, self.own.application(), &self.command_guilds, commands).await
    }

    fn answer_of_nobody(&self, _promise: &Bytes) -> Option<(&'static str, Bytes)> {
        Some(("application/json", normalise::Answer::Nobody.body()))
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        let (identity, permitted) = identity::identify(&self.api, &self.own, &self.key, self.gateway.is_some()).await?;
        if let Some(gateway) = &self.gateway {
            gateway.permit_message_content(permitted.message_content);
        }
        Ok(identity)
    }
}
