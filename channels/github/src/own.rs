//! Who we are on GitHub: what tells our own posts from everybody else's, by ids that nobody can take.
//!
//! An app has an account of its own, and whatever that account does is ours. A token may be a person's who also writes
//! with it: there, a text is ours when it ends with a marker, which all of ours do.

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

/// Whether a text ends with a hidden comment of ours, of whatever kind.
pub(crate) fn is_marked(body: &str) -> bool {
    let before = body.trim_end().strip_suffix(MARKER_CLOSES);
    let marker = before.and_then(|before| before.rsplit_once(MARKER_OPENS)).map(|(_, marker)| marker);
    marker.is_some_and(|marker| !marker.contains(['\n', '>']))
}

/// A text on GitHub and where it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post<'p> {
    pub(crate) author: Option<&'p User>,
    /// The app through which it was written, where GitHub tells.
    pub(crate) via: Option<AppReference>,
    pub(crate) text: &'p str,
}

impl<'p> From<&'p Comment> for Post<'p> {
    fn from(comment: &'p Comment) -> Self {
        Self { author: comment.user.as_ref(), via: comment.performed_via_github_app, text: &comment.body }
    }
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

    /// Whether we are an app, with an account that is nobody else's.
    pub(crate) fn is_app(&self) -> bool {
        self.app_id.is_some()
    }

    /// Whether it is the app that is configured.
    pub(crate) fn may_be_app(&self, app_id: u64) -> bool {
        self.app_id == Some(app_id)
    }

    /// Whether we wrote it.
    pub(crate) fn wrote(&self, post: Post<'_>) -> bool {
        let is_by_account = post.author.is_some_and(|user| self.is_own_account(user));
        self.is_own_app(post.via) || (is_by_account && (self.app_id.is_some() || is_marked(post.text)))
    }

    /// Whether what `sender` did is ours: `is_new`, wrote the post, or else did something to it. With `is_of_text` the
    /// act is one of writing, so that the text tells whether a person did it who shares our token's account.
    ///
    /// # Errors
    /// The reason, when it is ours.
    pub(crate) fn check_is_not_ours(
        &self,
        sender: &User,
        is_new: bool,
        is_of_text: bool,
        post: Post<'_>,
    ) -> Result<(), &'static str> {
        if is_new && self.wrote(post) {
            return Err("our own post");
        }
        // Until we know who we are, a loop is worse than a post that ends with a marker.
        if self.is_unknown() && is_of_text && is_marked(post.text) {
            return Err("a post with a marker, before it is known who we are");
        }
        let may_be_a_persons = self.app_id.is_none() && is_of_text && !is_marked(post.text);
        if self.is_own_account(sender) && !may_be_a_persons { Err("our own act") } else { Ok(()) }
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
    fn only_a_text_that_ends_with_a_hidden_comment_of_ours_is_marked() {
        for text in ["Hi\n\n<!-- reveille:abcdefghij234567 -->", "x <!-- reveille:call:00ff -->\n"] {
            assert!(is_marked(text), "{text}");
        }
        for text in ["Hi", "<!-- reveille:a --> more", "<!-- reveille:a --> b -->", "<!-- other -->"] {
            assert!(!is_marked(text), "{text}");
        }
    }

    #[test]
    fn an_apps_account_is_all_ours_and_a_tokens_account_only_where_it_is_marked() {
        let user = User { id: 9, login: "bot".into(), kind: "User".into() };
        let (marked, plain) = ("Hi <!-- reveille:call:00 -->", "Hi");
        let post = |text| Post { author: Some(&user), via: None, text };
        let (app, token, unknown) = (Own::new(Some(1)), Own::new(None), Own::new(None));
        for own in [&app, &token] {
            own.learn(Account { id: Some(9), login: "bot".into() });
        }
        let is_ours =
            |own: &Own, is_new, is_of_text, text| own.check_is_not_ours(&user, is_new, is_of_text, post(text)).is_err();
        assert!(is_ours(&app, true, true, plain) && is_ours(&app, false, false, plain));
        assert!(is_ours(&token, true, true, marked) && is_ours(&token, false, true, marked));
        assert!(is_ours(&token, false, false, plain), "a label says nothing of who put it on");
        assert!(!is_ours(&token, true, true, plain) && !is_ours(&token, false, true, plain));
        assert!(is_ours(&unknown, true, true, marked) && !is_ours(&unknown, true, true, plain));
        assert!(!token.wrote(post(plain)) && token.wrote(post(marked)));
    }

    #[test]
    fn a_marker_is_read_back_only_from_the_end() {
        let body = format!("Text\n\n{}", marker_comment("abcdefghij234567"));
        assert_eq!(split_marker(&body), Some(("Text", "abcdefghij234567")));
        assert_eq!(split_marker(&format!("{body}\n")), Some(("Text", "abcdefghij234567")));
        assert_eq!(split_marker(&format!("{body} more")), None);
        assert_eq!(split_marker("<!-- reveille:ABC -->"), None);
    }
}
