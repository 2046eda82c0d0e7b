//! What programs get of Linear: plain data, named as Linear names it.

use reveille_linear::{Attachment, Comment, Issue, Named, State, User};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tool::answer::time;
use crate::tool::output::cut;

/// The most bytes of an issue's text in a list.
const BEGINNING_BYTES: usize = 2_000;

/// An issue.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Issue")]
pub(super) struct IssueValue {
    id: String,
    /// Such as ENG-12.
    identifier: String,
    title: String,
    /// Markdown; in lists at most 2,000 bytes of it.
    description: String,
    state: Option<StateValue>,
    /// In words.
    priority: String,
    labels: Vec<String>,
    /// What people call them.
    creator: Option<String>,
    assignee: Option<String>,
    /// The app that it is delegated to.
    delegate: Option<String>,
    project: Option<String>,
    /// The identifier of the issue that it is part of.
    parent: Option<String>,
    branch_name: String,
    links: Vec<LinkValue>,
    /// Such as 2026-08-01T12:00:00Z.
    created_at: Option<String>,
    updated_at: Option<String>,
    url: String,
}

/// A state of the team's workflow.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "State")]
pub(super) struct StateValue {
    id: String,
    name: String,
    /// triage, backlog, unstarted, started, completed or canceled.
    r#type: String,
}

/// Something that the issue is linked to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Link")]
pub(super) struct LinkValue {
    title: String,
    url: String,
}

/// A label or a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Named")]
pub(super) struct NamedValue {
    id: String,
    name: String,
    description: String,
}

/// A comment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Comment")]
pub(super) struct CommentValue {
    id: String,
    /// What people call them; null when it came from elsewhere.
    author: Option<String>,
    /// Yours.
    is_own: bool,
    body: String,
    created_at: Option<String>,
    url: String,
}

impl From<State> for StateValue {
    fn from(State { id, name, kind, .. }: State) -> Self {
        Self { id, name, r#type: kind }
    }
}

impl From<Named> for NamedValue {
    fn from(Named { id, name, description, .. }: Named) -> Self {
        Self { id, name, description }
    }
}

impl From<Issue> for IssueValue {
    fn from(issue: Issue) -> Self {
        let shown = |user: Option<User>| user.map(|user| user.shown().to_owned());
        let link = |Attachment { title, url }: Attachment| LinkValue { title, url };
        Self {
            id: issue.id,
            identifier: issue.identifier,
            title: issue.title,
            description: issue.description,
            state: issue.state.map(Into::into),
            priority: issue.priority_label,
            labels: issue.labels.nodes.into_iter().map(|label| label.name).collect(),
            creator: shown(issue.creator),
            assignee: shown(issue.assignee),
            delegate: shown(issue.delegate),
            project: issue.project.map(|project| project.name),
            parent: issue.parent.map(|parent| parent.identifier),
            branch_name: issue.branch_name,
            links: issue.attachments.nodes.into_iter().map(link).collect(),
            created_at: time(issue.created_at_ms),
            updated_at: time(issue.updated_at_ms),
            url: issue.url,
        }
    }
}

/// Issues as lists have them.
pub(super) fn listed(issues: Vec<Issue>) -> Vec<IssueValue> {
    let short = |issue: Issue| Issue { description: cut(issue.description, BEGINNING_BYTES).0, ..issue };
    issues.into_iter().map(|issue| short(issue).into()).collect()
}

/// A comment, and whether the app wrote it.
pub(super) fn comment((comment, is_own): (Comment, bool)) -> CommentValue {
    CommentValue {
        id: comment.id,
        author: comment.user.map(|user| user.shown().to_owned()),
        is_own,
        body: comment.body,
        created_at: time(comment.created_at_ms),
        url: comment.url,
    }
}
