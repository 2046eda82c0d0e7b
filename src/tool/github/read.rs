//! `github.get_issue`, `github.list_comments`, `github.list_issues`.

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_github::{Comment, Issue, MOST_PER_PAGE, User};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{GitHubConnections, Place, failed, reading, spec};
use crate::journal::Effect;
use crate::tool::output::fitting;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most bytes of an issue's text.
const ISSUE_BYTES: usize = 24 * 1024;
/// The most bytes of a comment.
const COMMENT_BYTES: usize = 6 * 1024;
/// The most bytes of one issue in a list.
const LINE_BYTES: usize = 300;
/// The most issues that are listed.
const MOST_ISSUES: u32 = 200;
/// The most bytes a list takes.
const LIST_BYTES: usize = 32 * 1024;

pub(super) fn author(user: Option<&User>) -> &str {
    user.map_or("a deleted account", |user| &user.login)
}

pub(super) fn day(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

fn labels(issue: &Issue) -> String {
    issue.labels.iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssueArguments {
    /// Number of the issue or pull request in this repository; this thread's own if left out.
    #[serde(default)]
    number: Option<u64>,
}

/// `github.get_issue`.
#[derive(Debug)]
pub(crate) struct GetIssue {
    spec: ToolSpec,
    connections: GitHubConnections,
}

impl GetIssue {
    pub(super) fn new(connections: GitHubConnections) -> Self {
        let spec = spec(
            "github.get_issue",
            "An issue or pull request of this repository: title, text, state, labels.",
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
        let IssueArguments { number } = parse_arguments(arguments)?;
        let Place { github, repository, number: own } = reading(&self.connections, context)?;
        let number = number.unwrap_or(own);
        let issue = github.api().get_issue(&repository, number).await.map_err(failed(&format!("Issue #{number}")))?;
        let kind = if issue.is_pull_request { "pull request" } else { "issue" };
        let about = [
            ("from", author(issue.user.as_ref())),
            ("in", &format!("{}/{}#{number}", repository.owner, repository.name)),
            ("opened", &day(issue.created_at_ms)),
        ];
        let text = format!("Title: {}\nLabels: {}\n\n{}", issue.title, labels(&issue), issue.body);
        let fenced = from_outside(context, &about, &text, ISSUE_BYTES);
        Ok(format!("The {kind} #{number} is {} and has {} comments.\n\n{fenced}", state(&issue), issue.comments))
    }
}

/// The platform's word, if it is one that is known.
pub(super) fn state(issue: &Issue) -> &'static str {
    if issue.state == "closed" { "closed" } else { "open" }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommentsArguments {
    /// Number of the issue or pull request in this repository; this thread's own if left out.
    #[serde(default)]
    number: Option<u64>,
    /// How many comments at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// `github.list_comments`.
#[derive(Debug)]
pub(crate) struct ListComments {
    spec: ToolSpec,
    connections: GitHubConnections,
}

impl ListComments {
    pub(super) fn new(connections: GitHubConnections) -> Self {
        let spec = spec(
            "github.list_comments",
            "The latest comments on an issue or pull request of this repository, the oldest of them first.",
            schema_of::<CommentsArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES,
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
        let CommentsArguments { number, limit } = parse_arguments(arguments)?;
        let limit = limit.unwrap_or(30).clamp(1, MOST_PER_PAGE);
        let place = reading(&self.connections, context)?;
        let number = number.unwrap_or(place.number);
        let comments = latest(&place, number, limit).await.map_err(failed(&format!("Issue #{number}")))?;
        if comments.is_empty() {
            return Ok(format!("#{number} has no comments."));
        }
        // The latest matter most: they are fitted in first.
        let pieces: Vec<String> = comments
            .iter()
            .rev()
            .map(|comment| {
                let about = [("from", author(comment.user.as_ref())), ("at", &day(comment.created_at_ms))];
                from_outside(context, &about, &comment.body, COMMENT_BYTES)
            })
            .collect();
        let (_, left_out) = fitting(pieces.clone(), LIST_BYTES.saturating_sub(128));
        let kept = pieces.len() - left_out;
        let shown: Vec<String> = pieces.into_iter().take(kept).rev().collect();
        Ok(format!("The latest {kept} comments on #{number}:\n\n{}", shown.join("\n\n")))
    }
}

/// The latest comments, the oldest of them first. GitHub lists from the oldest, so the last pages are asked for.
async fn latest(place: &Place<'_>, number: u64, limit: u32) -> Result<Vec<Comment>, reveille_channel::ReplyError> {
    let api = place.github.api();
    let count = api.get_issue(&place.repository, number).await?.comments;
    let last = u32::try_from(count.div_ceil(MOST_PER_PAGE.into())).unwrap_or(u32::MAX).max(1);
    let mut comments = api.list_comments(&place.repository, number, None, MOST_PER_PAGE, last).await?.items;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    if comments.len() < wanted && last > 1 {
        let mut before = api.list_comments(&place.repository, number, None, MOST_PER_PAGE, last - 1).await?.items;
        before.append(&mut comments);
        comments = before;
    }
    Ok(comments.split_off(comments.len().saturating_sub(wanted)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssuesArguments {
    /// How many issues at most, the newest ones; 100 if left out, 200 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// `github.list_issues`.
#[derive(Debug)]
pub(crate) struct ListIssues {
    spec: ToolSpec,
    connections: GitHubConnections,
}

impl ListIssues {
    pub(super) fn new(connections: GitHubConnections) -> Self {
        let spec = spec(
            "github.list_issues",
            "The other open issues of this repository, the newest first, a line each: number, title, labels and how the \
             text begins. To find duplicates.",
            schema_of::<IssuesArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES + 1_024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListIssues {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let IssuesArguments { limit } = parse_arguments(arguments)?;
        let wanted = usize::try_from(limit.unwrap_or(100).clamp(1, MOST_ISSUES)).unwrap_or(usize::MAX);
        let Place { github, repository, number: own } = reading(&self.connections, context)?;
        let mut lines = Vec::new();
        // Pull requests are on the same pages; two more pages make up for them.
        for page in 1..=MOST_ISSUES.div_ceil(MOST_PER_PAGE) + 2 {
            let found = github
                .api()
                .list_issues(&repository, MOST_PER_PAGE, page)
                .await
                .map_err(failed("The list of issues"))?;
            let others = found.items.iter().filter(|issue| !issue.is_pull_request && issue.number != own);
            lines.extend(others.map(line));
            if found.next.is_none() || lines.len() >= wanted {
                break;
            }
        }
        lines.truncate(wanted);
        if lines.is_empty() {
            return Ok("There are no other open issues.".to_owned());
        }
        let (list, left_out) = fitting(lines, LIST_BYTES.saturating_sub(512));
        let place = format!("{}/{}", repository.owner, repository.name);
        let fenced = from_outside(context, &[("open-issues-of", &place)], &list, LIST_BYTES);
        Ok(if left_out > 0 { format!("{fenced}\n\n[{left_out} older issues do not fit in]") } else { fenced })
    }
}

/// An issue in one line.
pub(super) fn line(issue: &Issue) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let labels = labels(issue);
    let labels = if labels.is_empty() { labels } else { format!(" [{labels}]") };
    let line = format!("#{} {}{labels}: {}", issue.number, one_line(&issue.title), one_line(&issue.body));
    let mut shown = line.get(..line.floor_char_boundary(LINE_BYTES)).unwrap_or_default().to_owned();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}
