//! Who we are on Discord: by immutable ids, from the settings and learnt from `GET /users/@me`.

use std::sync::{PoisonError, RwLock};

use crate::payload::Message;

/// Our ids.
#[derive(Debug)]
pub(crate) struct Own {
    application: String,
    user: RwLock<Option<OwnUser>>,
}

/// Our bot's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnUser {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Own {
    pub(crate) fn new(application: String) -> Self {
        Self { application, user: RwLock::default() }
    }

    pub(crate) fn application(&self) -> &str {
        &self.application
    }

    pub(crate) fn user(&self) -> Option<OwnUser> {
        self.user.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn learn(&self, user: OwnUser) {
        *self.user.write().unwrap_or_else(PoisonError::into_inner) = Some(user);
    }

    /// Whether this is our account. An app's account has the app's id, but for those made before 2016.
    pub(crate) fn is_own_user(&self, id: &str) -> bool {
        id == self.application || self.user().is_some_and(|user| user.id == id)
    }

    /// Whether we posted the message, as the bot or as the answer to an interaction.
    pub(crate) fn is_own_message(&self, message: &Message) -> bool {
        message.author.as_ref().is_some_and(|author| self.is_own_user(&author.id))
            || message.webhook_id.as_deref() == Some(self.application.as_str())
            || message.application_id.as_deref() == Some(self.application.as_str())
    }
}
