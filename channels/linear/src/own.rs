//! Who we are in the workspace: what tells our own posts from everybody else's, by ids that nobody can take.

use std::sync::{Arc, PoisonError, RwLock};

/// What `identify` learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    /// The id of the app's user in this workspace, or of the key's owner.
    pub(crate) id: String,
    /// The workspace, when Linear told.
    pub(crate) organization: Option<String>,
    /// What people write behind `@` to call us, lower case: display name, name and the profile's slug.
    pub(crate) handles: Vec<String>,
    /// Linear opens an agent session when we are called or delegated to, and tells of it; then comments and issues that
    /// call us are told twice.
    pub(crate) has_sessions: bool,
}

/// Who we are, once it is learnt.
#[derive(Debug, Default)]
pub(crate) struct Own(RwLock<Option<Arc<Me>>>);

impl Own {
    pub(crate) fn learn(&self, me: Me) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(me));
    }

    pub(crate) fn me(&self) -> Option<Arc<Me>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the user is us.
    pub(crate) fn is_own(&self, user: Option<&str>) -> bool {
        user.is_some_and(|user| self.me().is_some_and(|me| me.id == user))
    }

    /// Whether calls and delegations come as agent sessions.
    pub(crate) fn has_sessions(&self) -> bool {
        self.me().is_some_and(|me| me.has_sessions)
    }
}
