//! Installation tokens: each reaches one repository with the least permissions, lives an hour and is kept until
//! five minutes before its end (SE-6). They are never written anywhere and never printed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use reveille_channel::ReplyError;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// A token is not used in its last minutes: a call that began with it must be able to end with it.
const LAST_MINUTES: SignedDuration = SignedDuration::from_mins(5);
/// Repositories whose tokens are kept at once.
const MOST_TOKENS: usize = 512;

/// What a call needs to be allowed: one set of permissions, the least that serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// To read and answer issues.
    Issues,
    /// To read, answer and review pull requests.
    Pulls,
    /// To read and answer discussions.
    Discussions,
    /// To read issues.
    ReadIssues,
    /// To read pull requests.
    ReadPulls,
    /// To read files.
    ReadContents,
    /// To write check runs.
    Checks,
}

impl Need {
    /// The permissions (documentation: "Permissions required for GitHub Apps"). It says that `issues: write` is enough for
    /// comments on pull requests; the server's answers ask for both (github/rest-api-description, issue 6994).
    fn permissions(self) -> Value {
        match self {
            Self::Issues => json!({ "issues": "write", "metadata": "read" }),
            Self::Pulls => json!({ "issues": "write", "pull_requests": "write", "metadata": "read" }),
            Self::Discussions => json!({ "discussions": "write", "metadata": "read" }),
            Self::ReadIssues => json!({ "issues": "read", "metadata": "read" }),
            Self::ReadPulls => json!({ "issues": "read", "pull_requests": "read", "metadata": "read" }),
            Self::ReadContents => json!({ "contents": "read", "metadata": "read" }),
            Self::Checks => json!({ "checks": "write", "metadata": "read" }),
        }
    }

    /// What is asked for when the app lacks some of it. It can read then, and GitHub says whether it can write.
    pub(crate) fn without_more(self) -> Option<Self> {
        match self {
            Self::Pulls => Some(Self::Issues),
            Self::ReadPulls => Some(Self::ReadIssues),
            Self::Issues | Self::Discussions | Self::ReadIssues | Self::ReadContents | Self::Checks => None,
        }
    }
}

/// What a token reaches: an installation, one repository in it, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reach {
    pub(crate) installation: String,
    pub(crate) repository: String,
    pub(crate) need: Need,
}

/// A token as the header that carries it.
#[derive(Clone)]
pub(crate) struct Token {
    header: HeaderValue,
    good_until: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("good_until", &self.good_until).finish_non_exhaustive()
    }
}

/// The answer of `POST /app/installations/{id}/access_tokens`.
#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: Timestamp,
}

impl Token {
    /// Reads GitHub's answer.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ReplyError> {
        let unreadable = |what: String| ReplyError::Retry { after_ms: 5_000, reason: format!("the token: {what}") };
        let minted: Minted = serde_json::from_slice(body)
            .map_err(|error| unreadable(format!("line {}, {:?}", error.line(), error.classify())))?;
        let header = bearer(&minted.token).ok_or_else(|| unreadable("it is not a header's value".to_owned()))?;
        Ok(Self { header, good_until: minted.expires_at.saturating_sub(LAST_MINUTES).unwrap_or(Timestamp::MIN) })
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

/// `Bearer` and the credential, marked so that nothing prints it.
pub(crate) fn bearer(credential: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {credential}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What is asked for: one repository, by its immutable id where it is known, and what the call needs there.
pub(crate) fn narrowing(repository_id: Option<u64>, repository: &str, need: Need) -> Value {
    match repository_id {
        Some(id) => json!({ "repository_ids": [id], "permissions": need.permissions() }),
        None => json!({ "repositories": [repository], "permissions": need.permissions() }),
    }
}

/// The tokens that are kept. Of many callers at once one mints and the others wait for it.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    cells: Mutex<HashMap<Reach, Arc<OnceCell<Token>>>>,
}

impl Tokens {
    /// The place of the token for `reach`: filled with a good one, or to be filled.
    pub(crate) fn cell(&self, reach: &Reach, now: Timestamp) -> Arc<OnceCell<Token>> {
        let is_stale = |cell: &OnceCell<Token>| cell.get().is_some_and(|token| token.good_until <= now);
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(reach)
            && !is_stale(cell)
        {
            return Arc::clone(cell);
        }
        cells.remove(reach);
        if cells.len() >= MOST_TOKENS {
            cells.retain(|_, cell| !is_stale(cell));
        }
        if cells.len() >= MOST_TOKENS {
            // The one that ends first; a place that waits to be filled counts as ended.
            let first = cells.iter().min_by_key(|(_, cell)| cell.get().map(|token| token.good_until));
            if let Some(reach) = first.map(|(reach, _)| reach.clone()) {
                cells.remove(&reach);
            }
        }
        Arc::clone(cells.entry(reach.clone()).or_default())
    }

    /// Forgets every token of an installation that was taken away.
    pub(crate) fn forget_installation(&self, installation: &str) {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.retain(|reach, _| reach.installation != installation);
    }

    /// Forgets a token that GitHub no longer takes.
    pub(crate) fn forget(&self, reach: &Reach) {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).remove(reach);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_at: &str) -> Token {
        Token::read(format!(r#"{{"token":"ghs_x","expires_at":"{expires_at}"}}"#).as_bytes()).unwrap()
    }

    fn reach(repository: &str) -> Reach {
        Reach { installation: "1".into(), repository: repository.into(), need: Need::Issues }
    }

    #[test]
    fn the_tokens_of_an_installation_are_forgotten_together() {
        let tokens = Tokens::default();
        for installation in ["1", "2"] {
            let reach = Reach { installation: installation.into(), ..reach("5") };
            tokens.cell(&reach, Timestamp::UNIX_EPOCH);
        }
        tokens.forget_installation("1");
        let left: Vec<_> = tokens.cells.lock().unwrap().keys().map(|reach| reach.installation.clone()).collect();
        assert_eq!(left, ["2"]);
    }

    #[tokio::test]
    async fn a_token_is_kept_until_five_minutes_before_its_end_and_never_printed() {
        let tokens = Tokens::default();
        let reach = reach("2");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cell = tokens.cell(&reach, at("2026-01-01T00:00:00Z"));
        cell.set(token("2026-01-01T01:00:00Z")).unwrap();
        assert!(tokens.cell(&reach, at("2026-01-01T00:54:59Z")).get().is_some());
        assert!(tokens.cell(&reach, at("2026-01-01T00:55:00Z")).get().is_none());
        assert!(!format!("{cell:?}{:?}", cell.get().unwrap().header()).contains("ghs_x"));
    }

    #[test]
    fn tokens_of_many_repositories_do_not_fill_the_memory() {
        let tokens = Tokens::default();
        for repository in 0..2_000 {
            tokens.cell(&reach(&repository.to_string()), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(tokens.cells.lock().unwrap().len(), MOST_TOKENS);
    }
}
