//! One workspace: the credentials that are good in it, who we are there, and what is remembered of it.

use std::sync::Arc;

use reveille_channel::links::Links;
use reveille_channel::{ReplyError, ThreadRef};
use url::Url;

use crate::access::Access;
use crate::api::Api;
use crate::asks::Asks;
use crate::own::Own;
use crate::token::Credentials;
use crate::{marker, render};

/// One workspace.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) api: Api,
    pub(crate) own: Own,
    pub(crate) asks: Asks,
    pub(crate) access: Access,
    /// Where links may lead.
    links: Arc<Links>,
}

impl Workspace {
    pub(crate) fn new(api: Api, links: Arc<Links>) -> Self {
        Self { api, own: Own::default(), asks: Asks::default(), access: Access::default(), links }
    }

    /// Another one of the same application, of which nothing is known yet.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        Self::new(self.api.with(credentials), Arc::clone(&self.links))
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

    /// A text of ours made inert: no mention, image, raw HTML or link to a host that nobody chose acts on Linear.
    /// For texts that go out by [`Workspace::api`]; [`reveille_channel::Channel::perform`] does it by itself.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        render::render(text, &self.links)
    }

    /// Whether an address may be a link. For addresses that go out as such, and not in a text.
    #[must_use]
    pub fn may_link(&self, address: &Url) -> bool {
        self.links.allows(address.as_str())
    }

    /// The id under which something is made once, for tools: the same for the same `key`.
    #[must_use]
    pub fn id_for(&self, key: &str) -> String {
        marker::id(key, "tool")
    }

    /// Whether a thread may be answered from here: not known, or its own.
    pub(crate) fn has(&self, thread: &ThreadRef) -> Result<(), ReplyError> {
        match self.own.me().and_then(|me| me.organization.clone()) {
            Some(own) if own != thread.installation => {
                Err(ReplyError::Gone(format!("the app is not installed in {}", thread.installation)))
            }
            _ => Ok(()),
        }
    }
}
