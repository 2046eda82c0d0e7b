//! `github.get_issue`, `github.list_comments`, `github.list_issues`.

use jiff::Timestamp;
use reveille_github::{Comment, Issue, MOST_PER_PAGE, User};
use schemars::JsonSchema;
use serde::Deserialize;

use super::place::{Place, reaches, reading};
use super::value::{CommentValue, IssueValue, State, listed};
use super::{GitHubConnections, failed};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::fitting;
use crate::tool::{ToolContext, ToolError, from_outside};

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
    /// Number of the issue or pull request; this thread's own if left out.
    #[serde(default)]
    number: Option<u64>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.get_issue`. Needs `issues: read`.
    GetIssue of GitHubConnections, "github.get_issue",
    "An issue or pull request of this repository: title, text, state, labels.",
    IssueArguments, (Read, ReadUntrusted), 32 * 1024 => get_issue -> OneIssue, reaches reaches
);

/// An issue and where it is.
struct OneIssue {
    place: String,
    issue: Issue,
}

impl Answer for OneIssue {
    type Value = IssueValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self { place, issue } = self;
        let number = issue.number;
        let kind = if issue.is_pull_request { "pull request" } else { "issue" };
        let about = [
            ("from", author(issue.user.as_ref())),
            ("in", &format!("{place}#{number}")),
            ("opened", &day(issue.created_at_ms)),
        ];
        let text = format!("Title: {}\nLabels: {}\n\n{}", issue.title, labels(issue), issue.body);
        let fenced = from_outside(context, &about, &text, ISSUE_BYTES);
        format!("The {kind} #{number} is {} and has {} comments.\n\n{fenced}", state(issue), issue.comments)
    }

    fn into_value(self) -> IssueValue {
        self.issue.into()
    }
}

async fn get_issue(
    connections: &GitHubConnections,
    context: &ToolContext,
    IssueArguments { number, repository }: IssueArguments,
) -> Result<OneIssue, ToolError> {
    let place = reading(connections, context, repository.as_deref())?;
    let number = place.number(number, "number")?;
    let what = format!("Issue #{number}");
    let issue = place.github.api().get_issue(&place.repository, number).await.map_err(failed(&what))?;
    Ok(OneIssue { place: place.name(), issue })
}

pub(super) fn state(issue: &Issue) -> &'static str {
    match State::from(issue) {
        State::Open => "open",
        State::Closed => "closed",
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommentsArguments {
    /// Number of the issue or pull request; this thread's own if left out.
    #[serde(default)]
    number: Option<u64>,
    /// How many comments at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.list_comments`. Needs `issues: read`.
    ListComments of GitHubConnections, "github.list_comments",
    "The latest comments on an issue or pull request of this repository, the oldest of them first.",
    CommentsArguments, (Read, ReadUntrusted), LIST_BYTES => list_comments -> Comments, reaches reaches
);

/// The latest comments on an issue.
struct Comments {
    number: u64,
    comments: Vec<Comment>,
}

impl Answer for Comments {
    type Value = Vec<CommentValue>;

    fn text(&self, context: &ToolContext) -> String {
        let Self { number, comments } = self;
        if comments.is_empty() {
            return format!("#{number} has no comments.");
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
        format!("The latest {kept} comments on #{number}:\n\n{}", shown.join("\n\n"))
    }

    fn into_value(self) -> Vec<CommentValue> {
        self.comments.into_iter().map(Into::into).collect()
    }
}

async fn list_comments(
    connections: &GitHubConnections,
    context: &ToolContext,
    CommentsArguments { number, limit, repository }: CommentsArguments,
) -> Result<Comments, ToolError> {
    let limit = limit.unwrap_or(30).clamp(1, MOST_PER_PAGE);
    let place = reading(connections, context, repository.as_deref())?;
    let number = place.number(number, "number")?;
    let comments = latest(&place, number, limit).await.map_err(failed(&format!("Issue #{number}")))?;
    Ok(Comments { number, comments })
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
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.list_issues`. Needs `issues: read`.
    ListIssues of GitHubConnections, "github.list_issues",
    "The other open issues of this repository, the newest first, a line each: number, title, labels and how the \
     text begins. To find duplicates.",
    IssuesArguments, (Read, ReadUntrusted), LIST_BYTES + 1_024 => list_issues -> OpenIssues, reaches reaches
);

/// Open issues, the newest first.
struct OpenIssues {
    place: String,
    issues: Vec<Issue>,
}

impl Answer for OpenIssues {
    type Value = Vec<IssueValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.issues.is_empty() {
            return "There are no other open issues.".to_owned();
        }
        let lines = self.issues.iter().map(line).collect();
        let (list, left_out) = fitting(lines, LIST_BYTES.saturating_sub(512));
        let fenced = from_outside(context, &[("open-issues-of", &self.place)], &list, LIST_BYTES);
        if left_out > 0 { format!("{fenced}\n\n[{left_out} older issues do not fit in]") } else { fenced }
    }

    fn into_value(self) -> Vec<IssueValue> {
        listed(self.issues)
    }
}

async fn list_issues(
    connections: &GitHubConnections,
    context: &ToolContext,
    IssuesArguments { limit, repository }: IssuesArguments,
) -> Result<OpenIssues, ToolError> {
    let wanted = usize::try_from(limit.unwrap_or(100).clamp(1, MOST_ISSUES)).unwrap_or(usize::MAX);
    let place = reading(connections, context, repository.as_deref())?;
    let mut issues = Vec::new();
    // Pull requests are on the same pages; two more pages make up for them.
    for page in 1..=MOST_ISSUES.div_ceil(MOST_PER_PAGE) + 2 {
        let found = place
            .github
            .api()
            .list_issues(&place.repository, MOST_PER_PAGE, page)
            .await
            .map_err(failed("The list of issues"))?;
        let is_other = |issue: &Issue| !issue.is_pull_request && Some(issue.number) != place.own;
        issues.extend(found.items.into_iter().filter(is_other));
        if found.next.is_none() || issues.len() >= wanted {
            break;
        }
    }
    issues.truncate(wanted);
    Ok(OpenIssues { place: place.name(), issues })
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
