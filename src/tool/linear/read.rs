//! `linear.get_issue` and `linear.list_comments`.

use jiff::Timestamp;
use reveille_linear::{Comment, Issue, MOST_PER_PAGE, User};
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{CommentValue, IssueValue, comment};
use super::{LinearConnections, failed, place};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError, from_outside};

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

answering_tool!(
    /// `linear.get_issue`.
    GetIssue of LinearConnections, "linear.get_issue",
    "An issue of this team: title, description, state, priority, labels, people, project, links, branch name.",
    IssueArguments, (Read, ReadUntrusted), 32 * 1024 => get_issue -> OneIssue
);

struct OneIssue(Issue);

impl Answer for OneIssue {
    type Value = IssueValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self(issue) = self;
        let mut lines = vec![
            format!("Title: {}", issue.title),
            format!("State: {}", state(issue)),
            format!("Priority: {}", issue.priority_label),
            format!("Labels: {}", labels(issue)),
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
        format!("The issue {}, changed last on {}.\n\n{fenced}", issue.identifier, day(issue.updated_at_ms))
    }

    fn into_value(self) -> IssueValue {
        self.0.into()
    }
}

async fn get_issue(
    connections: &LinearConnections,
    context: &ToolContext,
    IssueArguments { issue_id }: IssueArguments,
) -> Result<OneIssue, ToolError> {
    place(connections, context)?.get(issue_id.as_deref()).await.map(OneIssue)
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

answering_tool!(
    /// `linear.list_comments`.
    ListComments of LinearConnections, "linear.list_comments",
    "The comments of an issue of this team, the oldest first.",
    CommentsArguments, (Read, ReadUntrusted), 48 * 1024 => list_comments -> Comments
);

/// Comments, and whether the app wrote each.
struct Comments(Vec<(Comment, bool)>);

impl Answer for Comments {
    type Value = Vec<CommentValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.0.is_empty() {
            return "The issue has no comments.".to_owned();
        }
        let pieces = self.0.iter().map(|(comment, is_own)| {
            let author = if *is_own { "you" } else { who(comment.user.as_ref()) };
            let about = [("from", author), ("at", &day(comment.created_at_ms))];
            from_outside(context, &about, &comment.body, COMMENT_BYTES)
        });
        pieces.collect::<Vec<_>>().join("\n\n")
    }

    fn into_value(self) -> Vec<CommentValue> {
        self.0.into_iter().map(comment).collect()
    }
}

async fn list_comments(
    connections: &LinearConnections,
    context: &ToolContext,
    CommentsArguments { issue_id, first }: CommentsArguments,
) -> Result<Comments, ToolError> {
    let place = place(connections, context)?;
    let issue = match issue_id {
        None => place.issue.to_owned(),
        Some(id) => place.get(Some(&id)).await?.id,
    };
    let first = first.unwrap_or(30).clamp(1, MOST_PER_PAGE);
    let comments = place.linear.api().list_comments(&issue, first).await.map_err(failed("The comments"))?;
    let own = place.linear.own_id();
    let is_own = |comment: &Comment| comment.user.as_ref().is_some_and(|user| Some(&user.id) == own.as_ref());
    let with_own = |comment: Comment| {
        let is_own = is_own(&comment);
        (comment, is_own)
    };
    Ok(Comments(comments.into_iter().map(with_own).collect()))
}
