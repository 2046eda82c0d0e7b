//! Who we are in the workspace: by immutable ids, learnt from `auth.test` and from what Slack says of its deliveries.

use std::sync::{PoisonError, RwLock};

/// Our ids.
#[derive(Debug, Default)]
pub(crate) struct Own(RwLock<Ids>);

/// What is known of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    /// The bot's user, `U...`.
    pub(crate) user: Option<String>,
    /// The bot, `B...`.
    pub(crate) bot: Option<String>,
    /// The workspace that the token is of, `T...`.
    pub(crate) team: Option<String>,
}

impl Own {
    pub(crate) fn ids(&self) -> Ids {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn learn(&self, ids: Ids) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ids;
    }
}
