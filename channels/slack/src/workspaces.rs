//! The places where the app is installed by OAuth: each with its own token, its own ids of us and its own memory.
//!
//! An installation is a workspace's (`T...`) or a whole organisation's (`E...`). The two are told apart everywhere: a
//! delivery names the one it came for, a thread keeps the organisation it came through, and neither ever stands in for the
//! other.

use std::sync::Arc;

use reveille_channel::links::Links;
use reveille_channel::{Grant, Places, Refresh, ReplyError, ThreadRef};

use crate::api::{Api, Credential, Renewed};
use crate::memory::Memory;
use crate::own::{Ids, Own};
use crate::settings::Client;
use crate::tenant::Tenant;

/// Where a thread keeps the organisation whose installation it came through.
pub(crate) const ENTERPRISE: &str = "enterprise";

/// One installation.
#[derive(Debug)]
pub(crate) struct Installation {
    grant: Arc<Grant>,
    api: Api,
    own: Own,
    memory: Arc<Memory>,
}

/// The workspace that something is done in.
#[derive(Debug)]
pub(crate) enum At<'a> {
    /// The one of `bot_token`.
    Only(&'a Api, &'a Own, &'a Memory),
    /// One that was installed.
    Installed(Arc<Installation>),
}

impl At<'_> {
    pub(crate) fn api(&self) -> &Api {
        match self {
            Self::Only(api, ..) => api,
            Self::Installed(workspace) => &workspace.api,
        }
    }

    pub(crate) fn own(&self) -> &Own {
        match self {
            Self::Only(_, own, _) => own,
            Self::Installed(workspace) => &workspace.own,
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        match self {
            Self::Only(_, _, memory) => memory,
            Self::Installed(workspace) => &workspace.memory,
        }
    }

    /// Its key among the installations; empty for the one of `bot_token`.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Only(..) => "",
            Self::Installed(workspace) => workspace.grant.installation(),
        }
    }
}

/// The workspace of a thread, for as long as something is done in it.
#[derive(Debug)]
pub struct Here<'a> {
    pub(crate) at: At<'a>,
    pub(crate) links: &'a Links,
}

impl Here<'_> {
    /// Its channels and people.
    #[must_use]
    pub fn workspace(&self) -> crate::Workspace<'_> {
        crate::Workspace { api: self.at.api(), own: self.at.own(), links: self.links }
    }
}

/// All installations of one app.
pub(crate) struct Workspaces {
    pub(crate) client: Client,
    pub(crate) places: Places<Installation>,
    refresh: Arc<dyn Refresh>,
}

impl std::fmt::Debug for Workspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspaces").field("client", &self.client).field("places", &self.places).finish_non_exhaustive()
    }
}

impl Workspaces {
    pub(crate) fn new(client: Client, refresh: Arc<dyn Refresh>) -> Self {
        Self { client, places: Places::default(), refresh }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<Installation>> {
        self.places.get(key).map(|place| place.workspace)
    }

    /// What an installation is used with.
    pub(crate) fn make(&self, grant: &Arc<Grant>, api: &Api) -> Installation {
        let about = |name: &str| grant.about(name).map(ToOwned::to_owned);
        let own = Own::default();
        own.learn(Ids { user: about("user"), bot: about("bot"), team: about("team") });
        let renewed = Renewed { grant: Arc::clone(grant), with: Arc::clone(&self.refresh) };
        Installation {
            grant: Arc::clone(grant),
            api: api.with(Credential::Installed(renewed)),
            own,
            // What was learnt there, and what waits there, is not of the token.
            memory: self.get(grant.installation()).map(|before| Arc::clone(&before.memory)).unwrap_or_default(),
        }
    }

    /// The installation that a delivery came for.
    pub(crate) fn of(&self, tenant: &Tenant) -> Option<Arc<Installation>> {
        let by = |key: &Option<String>| key.as_deref().and_then(|key| self.get(key));
        match tenant.is_enterprise_install {
            Some(true) => by(&tenant.enterprise),
            Some(false) => by(&tenant.team),
            // The end of an installation names no authorization any more.
            None => by(&tenant.team).or_else(|| by(&tenant.enterprise)),
        }
    }
}

/// The installation whose token a thread is answered with.
pub(crate) fn key_of(thread: &ThreadRef) -> &str {
    thread.location.get(ENTERPRISE).unwrap_or(&thread.installation)
}

/// Nobody else's token is taken for it.
pub(crate) fn not_installed(key: &str) -> ReplyError {
    ReplyError::Gone(format!("the app is not installed in {key}"))
}
