//! GitHub's objects as webhooks and the REST API share them: only what is used, and survived when a field is missing.

mod check;
mod discussion;
mod issue;
mod pull;

use serde::{Deserialize, Deserializer};

pub use check::{CheckAction, CheckRun, PullReference};
pub use discussion::Discussion;
pub use issue::{Comment, Issue};
pub use pull::{Branch, BranchRepository, PullFile, PullRequest, Review};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Its immutable id.
    pub id: u64,
    /// What people call it; it can change, and be taken by somebody else afterwards.
    pub login: String,
    /// `User`, `Bot`, `Organization`, `Mannequin`.
    #[serde(rename = "type", default, deserialize_with = "null_is_empty")]
    pub kind: String,
}

impl User {
    /// Whether it is a program's account. Logins of people cannot hold brackets.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.kind == "Bot" || self.login.ends_with("[bot]")
    }
}

/// The GitHub App that made something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct AppReference {
    /// The app's id.
    pub id: u64,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

pub(crate) fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    null_is_default(deserializer)
}

pub(crate) fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(crate) fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<serde::de::IgnoredAny>::deserialize(deserializer)?.is_some())
}

/// A time nobody can read is no reason to lose the rest.
pub(crate) fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = serde_json::Value::deserialize(deserializer)?;
    let time = text.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Ok(time.map(jiff::Timestamp::as_millisecond).unwrap_or_default())
}
