//! GitHub's objects as webhooks and the REST API share them: only what is used, and survived when a field is missing.

use serde::{Deserialize, Deserializer};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Its immutable id.
    pub id: u64,
    /// What people call it; it can change, and be taken by somebody else afterwards.
    pub login: String,
    /// `User`, `Bot`, `Organization`, `Mannequin`.
    #[serde(rename = "type", default)]
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

/// An issue, or the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its number in the repository.
    pub number: u64,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its text, Markdown; empty when there is none.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub body: String,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// Who opened it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// How many comments it has.
    #[serde(default)]
    pub comments: u64,
    /// When it was opened, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "milliseconds")]
    pub updated_at_ms: i64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Whether it is a pull request.
    #[serde(rename = "pull_request", default, deserialize_with = "is_there")]
    pub is_pull_request: bool,
    /// The app through which it was opened.
    #[serde(default)]
    pub performed_via_github_app: Option<AppReference>,
}

/// A comment on an issue or in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Its text, Markdown.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub body: String,
    /// Who wrote it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// When it was written, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "milliseconds")]
    pub updated_at_ms: i64,
    /// Its place on the issue's page.
    #[serde(default)]
    pub html_url: String,
    /// The app through which it was written.
    #[serde(default)]
    pub performed_via_github_app: Option<AppReference>,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<serde::de::IgnoredAny>::deserialize(deserializer)?.is_some())
}

/// A time nobody can read is no reason to lose the rest.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    Ok(text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).unwrap_or_default())
}
