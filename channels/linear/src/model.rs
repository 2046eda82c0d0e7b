//! What Linear's answers hold: only what is used, and survived when a field is missing.

use serde::{Deserialize, Deserializer};

/// A page of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Nodes<T> {
    /// What is on it.
    #[serde(default = "Vec::new")]
    pub nodes: Vec<T>,
    /// Whether another follows.
    #[serde(default, rename = "pageInfo")]
    pub page_info: PageInfo,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), page_info: PageInfo::default() }
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Whether another follows.
    #[serde(default)]
    pub has_next_page: bool,
    /// What to ask the next page after.
    #[serde(default)]
    pub end_cursor: Option<String>,
}

/// A person or an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// The immutable id in this workspace.
    pub id: String,
    /// The full name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// What people write behind `@`.
    #[serde(deserialize_with = "or_default")]
    pub display_name: String,
    /// The profile's page.
    pub url: Option<String>,
    /// `false`: suspended.
    pub active: Option<bool>,
    /// An administrator.
    #[serde(deserialize_with = "or_default")]
    pub admin: bool,
    /// An owner of the workspace.
    #[serde(deserialize_with = "or_default")]
    pub owner: bool,
    /// A guest, who sees some teams alone.
    #[serde(deserialize_with = "or_default")]
    pub guest: bool,
    /// A program.
    #[serde(deserialize_with = "or_default")]
    pub app: bool,
    /// An app that issues can be delegated to.
    pub is_assignable: Option<bool>,
    /// An app that can be called by name.
    pub is_mentionable: Option<bool>,
    /// An app that is told of agent sessions.
    pub supports_agent_sessions: Option<bool>,
    /// The workspace.
    pub organization: Option<Organization>,
}

impl User {
    /// What people call them.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }
}

/// A workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// What stands for it in addresses.
    #[serde(deserialize_with = "or_default")]
    pub url_key: String,
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// What its issues' identifiers begin with.
    #[serde(deserialize_with = "or_default")]
    pub key: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// A state of a team's workflow.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct State {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// `triage`, `backlog`, `unstarted`, `started`, `completed` or `canceled`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Where it stands in the workflow.
    #[serde(deserialize_with = "or_default")]
    pub position: f64,
}

/// A label or a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// What it is for.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// Its page.
    pub url: Option<String>,
}

/// Something that an issue is linked to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// What it is called.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Where it is.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
}

/// An issue.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Issue {
    /// Its id.
    pub id: String,
    /// Its identifier, such as `ENG-1`.
    #[serde(deserialize_with = "or_default")]
    pub identifier: String,
    /// Its title.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Its text, Markdown.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// Its page.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
    /// The name that Linear suggests for a branch.
    #[serde(deserialize_with = "or_default")]
    pub branch_name: String,
    /// Its priority in words.
    #[serde(deserialize_with = "or_default")]
    pub priority_label: String,
    /// Its state.
    pub state: Option<State>,
    /// Its team.
    pub team: Option<Team>,
    /// Who opened it.
    pub creator: Option<User>,
    /// Who is responsible for it.
    pub assignee: Option<User>,
    /// The app it is delegated to.
    pub delegate: Option<User>,
    /// Its project.
    pub project: Option<Named>,
    /// The issue it is part of.
    pub parent: Option<Box<Issue>>,
    /// Its labels.
    pub labels: Nodes<Named>,
    /// What it is linked to.
    pub attachments: Nodes<Attachment>,
    /// What was said below it.
    pub comments: Nodes<Comment>,
    /// When it was opened, milliseconds since the Unix epoch; 0 when Linear does not say.
    #[serde(rename = "createdAt", deserialize_with = "milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when Linear does not say.
    #[serde(rename = "updatedAt", deserialize_with = "milliseconds")]
    pub updated_at_ms: i64,
}

/// A comment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Comment {
    /// Its id.
    pub id: String,
    /// Its text, Markdown.
    #[serde(deserialize_with = "or_default")]
    pub body: String,
    /// Its place on the issue's page.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
    /// Who wrote it; nobody of the workspace when it came from elsewhere.
    pub user: Option<User>,
    /// What it answers.
    pub parent: Option<Box<Comment>>,
    /// Its issue.
    pub issue: Option<Issue>,
    /// What answers it.
    pub children: Nodes<Comment>,
    /// When it was written, milliseconds since the Unix epoch; 0 when Linear does not say.
    #[serde(rename = "createdAt", deserialize_with = "milliseconds")]
    pub created_at_ms: i64,
}

/// An agent session.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Session {
    pub(crate) issue: Option<Issue>,
    pub(crate) activities: Nodes<Activity>,
}

/// Something said in a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) user: Option<User>,
    pub(crate) content: Content,
    #[serde(rename = "createdAt", deserialize_with = "milliseconds")]
    pub(crate) created_at_ms: i64,
}

/// What was said; a thought or an action has no text here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Content {
    pub(crate) body: Option<String>,
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A time nobody can read is no reason to lose the rest.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    Ok(text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).unwrap_or_default())
}
