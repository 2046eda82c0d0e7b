//! Discussions.

use serde::Deserialize;

use super::User;

/// A discussion. It lives in the GraphQL API alone; webhooks show it in the REST API's style.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Discussion {
    /// Its number in the repository.
    pub number: u64,
    /// Its id in the GraphQL API.
    #[serde(default)]
    pub node_id: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its text, Markdown.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub body: String,
    /// Who began it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// When it was begun, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "super::milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "super::milliseconds")]
    pub updated_at_ms: i64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
}
