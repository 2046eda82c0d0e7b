//! Who we are on GitHub: what tells our own posts from everybody else's, by ids that nobody can take.

use std::sync::{PoisonError, RwLock};

use crate::model::{AppReference, Comment, User};

/// What opens the hidden comment at the end of each of our posts.
const MARKER_OPENS: &str = "<!-- reveille:";
const MARKER_CLOSES: &str = " -->";

/// The hidden comment that makes a post of ours recognisable.
pub(crate) fn marker_comment(marker: &str) -> String {
    format!("{MARKER_OPENS}{marker}{MARKER_CLOSES}")
}

/// The marker that ends a text, and the text before it.
pub(crate) fn split_marker(body: &str) -> Option<(&str, &str)> {
    let before = body.trim_end().strip_suffix(MARKER_CLOSES)?;
    let (text, marker) = before.rsplit_once(MARKER_OPENS)?;
    let is_marker =
        marker.len() == 16 && marker.bytes().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte));
    is_marker.then(|| (text.trim_end(), marker))
}

/// Our account, as `identify` learnt it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its immutable id, when GitHub told.
    pub(crate) id: Option<u64>,
    /// Its login. For an app this is `slug[bot]`, which no person can register.
    pub(crate) login: String,
}

/// Who we are: the app's id from the settings, the account once it is learnt.
#[derive(Debug)]
pub(crate) struct Own {
    app_id: Option<u64>,
    account: RwLock<Option<Account>>,
}

impl Own {
    pub(crate) fn new(app_id: Option<u64>) -> Self {
        Self { app_id, account: RwLock::new(None) }
    }

    pub(crate) fn learn(&self, account: Account) {
        *self.account.write().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    pub(crate) fn account(&self) -> Option<Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the account is ours.
    pub(crate) fn is_own_account(&self, user: &User) -> bool {
        match &*self.account.read().unwrap_or_else(PoisonError::into_inner) {
            None => false,
            Some(Account { id: Some(id), .. }) => *id == user.id,
            Some(Account { id: None, login }) => self.app_id.is_some() && user.is_bot() && *login == user.login,
        }
    }

    /// Whether the app is ours.
    pub(crate) fn is_own_app(&self, app: Option<AppReference>) -> bool {
        self.app_id.is_some() && app.map(|app| app.id) == self.app_id
    }

    /// Whether we wrote the comment.
    pub(crate) fn is_own_comment(&self, comment: &Comment) -> bool {
        self.is_own_app(comment.performed_via_github_app)
            || comment.user.as_ref().is_some_and(|user| self.is_own_account(user))
    }

    /// Whether there is nothing yet to tell our posts by.
    pub(crate) fn is_unknown(&self) -> bool {
        self.app_id.is_none() && self.account().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_back_only_from_the_end() {
        let body = format!("Text\n\n{}", marker_comment("abcdefghij234567"));
        assert_eq!(split_marker(&body), Some(("Text", "abcdefghij234567")));
        assert_eq!(split_marker(&format!("{body}\n")), Some(("Text", "abcdefghij234567")));
        assert_eq!(split_marker(&format!("{body} more")), None);
        assert_eq!(split_marker("<!-- reveille:ABC -->"), None);
    }
}
