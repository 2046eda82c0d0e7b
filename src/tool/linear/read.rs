//! `linear.get_issue` and `linear.list_comments`.

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_linear::{Issue, MOST_PER_PAGE, User};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{LinearConnections, failed, place, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most bytes of an issue's text.
const ISSUE_BYTES: usize = 24 * 1024;
/// The most bytes of a comment.
const COMMENT_BYTES: usize = 6 * 1024;

pub(super) fn who(user: Option<&User>) -> &str {
    user.map_or("nobody", User::shown)
}

pub(super) fn day(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

pub(super) fn labels(issue: &Issue) -> String {
    issue.labels.nodes.iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn state(issue: &Issue) -> String {
    issue.state.as_ref().map_or_else(String::new, |state| format!("{} ({})", state.name, state.kind))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct IssueArguments {
    /// The issue's id or identifier, such as ENG-12, in this team; this thread's own if left out.
    #[serde(default)]
    issue_id: Option<String>,
}

/// `linear.get_issue`.
#[derive(Debug)]
pub(crate) struct GetIssue {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl GetIssue {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.get_issue",
            "An issue of this team: title, description, state, priority, labels, people, project, links, branch name.",
            schema_of::<IssueArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            32 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for GetIssue {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let IssueArguments { issue_id } = parse_arguments(arguments)?;
        let issue = place(&self.connections, context)?.get(issue_id.as_deref()).await?;
        let mut lines = vec![
            format!("Title: {}", issue.title),
            format!("State: {}", state(&issue)),
            format!("Priority: {}", issue.priority_label),
            format!("Labels: {}", labels(&issue)),
            format!("Assignee: {}", who(issue.assignee.as_ref())),
            format!("Delegate: {}", who(issue.delegate.as_ref())),
        ];
        let mut add = |what: &str, value: Option<&str>| {
            lines.extend(value.filter(|value| !value.is_empty()).map(|value| format!("{what}: {value}")));
        };
        add("Project", issue.project.as_ref().map(|project| project.name.as_str()));
        add("Part of", issue.parent.as_ref().map(|parent| parent.identifier.as_str()));
        add("Branch", Some(&issue.branch_name));
        lines.extend(issue.attachments.nodes.iter().map(|link| format!("Link: {} {}", link.title, link.url)));
        let text = format!("{}\n\n{}", lines.join("\n"), issue.description);
        let about = [
            ("from", who(issue.creator.as_ref())),
            ("in", issue.identifier.as_str()),
            ("opened", &day(issue.created_at_ms)),
        ];
        let fenced = from_outside(context, &about, &text, ISSUE_BYTES);
        Ok(format!("The issue {}, changed last on {}.\n\n{fenced}", issue.identifier, day(issue.updated_at_ms)))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CommentsArguments {
    /// The issue's id or identifier, such as ENG-12, in this team; this thread's own if left out.
    #[serde(default)]
    issue_id: Option<String>,
    /// How many comments at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    first: Option<u32>,
}

/// `linear.list_comments`.
#[derive(Debug)]
pub(crate) struct ListComments {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl ListComments {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.list_comments",
            "The comments of an issue of this team, the oldest first.",
            schema_of::<CommentsArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            48 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListComments {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let CommentsArguments { issue_id, first } = parse_arguments(arguments)?;
        let place = place(&self.connections, context)?;
        let issue = match issue_id {
            None => place.issue.to_owned(),
            Some(id) => place.get(Some(&id)).await?.id,
        };
        let first = first.unwrap_or(30).clamp(1, MOST_PER_PAGE);
        let comments = place.linear.api().list_comments(&issue, first).await.map_err(failed("The comments"))?;
        if comments.is_empty() {
            return Ok("The issue has no comments.".to_owned());
        }
        let own = place.linear.own_id();
        let pieces = comments.iter().map(|comment| {
            let is_own = comment.user.as_ref().is_some_and(|user| Some(&user.id) == own.as_ref());
            let author = if is_own { "you" } else { who(comment.user.as_ref()) };
            let about = [("from", author), ("at", &day(comment.created_at_ms))];
            from_outside(context, &about, &comment.body, COMMENT_BYTES)
        });
        Ok(pieces.collect::<Vec<_>>().join("\n\n"))
    }
}
