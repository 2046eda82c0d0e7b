//! Issues and comments.

use serde::Deserialize;

use super::{AppReference, Label, User};

/// An issue, or the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its number in the repository.
    pub number: u64,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its text, Markdown; empty when there is none.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub body: String,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// Who opened it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// Its labels.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub labels: Vec<Label>,
    /// Who is responsible.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub assignees: Vec<User>,
    /// How many comments it has.
    #[serde(default)]
    pub comments: u64,
    /// When it was opened, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "super::milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "super::milliseconds")]
    pub updated_at_ms: i64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Whether it is a pull request.
    #[serde(rename = "pull_request", default, deserialize_with = "super::is_there")]
    pub is_pull_request: bool,
    /// The app through which it was opened.
    #[serde(default)]
    pub performed_via_github_app: Option<AppReference>,
}

/// A comment: on an issue, in the conversation of a pull request, on a line of one, in a discussion.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Its id in the GraphQL API.
    #[serde(default)]
    pub node_id: String,
    /// Its text, Markdown.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub body: String,
    /// Who wrote it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// When it was written, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "super::milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "super::milliseconds")]
    pub updated_at_ms: i64,
    /// Its place on the issue's page.
    #[serde(default)]
    pub html_url: String,
    /// The app through which it was written.
    #[serde(default)]
    pub performed_via_github_app: Option<AppReference>,
    /// On a line: the first comment of its thread, when it is not that one itself.
    #[serde(default)]
    pub in_reply_to_id: Option<u64>,
    /// On a line: the file.
    #[serde(default)]
    pub path: Option<String>,
    /// On a line: its number in the file, where the file still has it.
    #[serde(default)]
    pub line: Option<u64>,
    /// On a line: its number when the comment was written.
    #[serde(default)]
    pub original_line: Option<u64>,
    /// On a line: the part of the diff around it.
    #[serde(default)]
    pub diff_hunk: Option<String>,
    /// In a discussion: the comment it answers, when it answers one.
    #[serde(default)]
    pub parent_id: Option<u64>,
}
