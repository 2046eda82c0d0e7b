//! What programs get of GitHub: plain data, named as GitHub names it.

use reveille_github::{Comment, Issue, Label, PullFile, PullRequest, Review, User};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tool::answer::time;
use crate::tool::output::cut;

/// The most bytes of an issue's text in a list.
const BEGINNING_BYTES: usize = 2_000;

/// An issue or pull request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Issue")]
pub(super) struct IssueValue {
    number: u64,
    title: String,
    kind: Kind,
    state: State,
    labels: Vec<String>,
    /// Login; null for a deleted account.
    author: Option<String>,
    /// Logins.
    assignees: Vec<String>,
    /// Markdown; in lists at most 2,000 bytes of it.
    body: String,
    comments: u64,
    /// Such as 2026-08-01T12:00:00Z.
    created_at: Option<String>,
    updated_at: Option<String>,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Issue,
    PullRequest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Open,
    Closed,
}

/// The platform's word, if it is one that is known.
impl From<&Issue> for State {
    fn from(issue: &Issue) -> Self {
        if issue.state == "closed" { Self::Closed } else { Self::Open }
    }
}

fn login(user: Option<User>) -> Option<String> {
    user.map(|user| user.login)
}

fn names(labels: Vec<Label>) -> Vec<String> {
    labels.into_iter().map(|label| label.name).collect()
}

impl From<Issue> for IssueValue {
    fn from(issue: Issue) -> Self {
        Self {
            kind: if issue.is_pull_request { Kind::PullRequest } else { Kind::Issue },
            state: State::from(&issue),
            number: issue.number,
            title: issue.title,
            labels: names(issue.labels),
            author: login(issue.user),
            assignees: issue.assignees.into_iter().map(|user| user.login).collect(),
            body: issue.body,
            comments: issue.comments,
            created_at: time(issue.created_at_ms),
            updated_at: time(issue.updated_at_ms),
            url: issue.html_url,
        }
    }
}

/// Issues as lists have them.
pub(super) fn listed(issues: Vec<Issue>) -> Vec<IssueValue> {
    let short = |issue: Issue| Issue { body: cut(issue.body, BEGINNING_BYTES).0, ..issue };
    issues.into_iter().map(|issue| short(issue).into()).collect()
}

/// A comment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Comment")]
pub(super) struct CommentValue {
    id: u64,
    /// Login.
    author: Option<String>,
    body: String,
    created_at: Option<String>,
    url: String,
}

impl From<Comment> for CommentValue {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            author: login(comment.user),
            body: comment.body,
            created_at: time(comment.created_at_ms),
            url: comment.html_url,
        }
    }
}

/// A label of the repository.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Label")]
pub(super) struct LabelValue {
    name: String,
    description: Option<String>,
}

impl From<Label> for LabelValue {
    fn from(Label { name, description }: Label) -> Self {
        Self { name, description }
    }
}

/// A pull request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pull")]
pub(super) struct PullValue {
    number: u64,
    title: String,
    state: PullState,
    labels: Vec<String>,
    /// Login; null for a deleted account.
    author: Option<String>,
    /// From another repository: its author may be anybody.
    is_from_fork: bool,
    /// Markdown; in lists at most 2,000 bytes of it.
    body: String,
    head: Option<BranchValue>,
    base: Option<BranchValue>,
    created_at: Option<String>,
    updated_at: Option<String>,
    url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PullState {
    Open,
    Draft,
    Closed,
    Merged,
}

/// The platform's words, if they are known ones.
impl From<&PullRequest> for PullState {
    fn from(pull: &PullRequest) -> Self {
        match (pull.state.as_str(), pull.merged || pull.merged_at_ms != 0, pull.draft) {
            (_, true, _) => Self::Merged,
            ("closed", false, _) => Self::Closed,
            (_, false, true) => Self::Draft,
            (_, false, false) => Self::Open,
        }
    }
}

/// A branch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Branch")]
pub(super) struct BranchValue {
    r#ref: String,
    /// Its newest commit.
    sha: String,
}

impl From<PullRequest> for PullValue {
    fn from(pull: PullRequest) -> Self {
        let branch = |branch: reveille_github::Branch| BranchValue { r#ref: branch.name, sha: branch.sha };
        Self {
            state: PullState::from(&pull),
            is_from_fork: pull.is_from_fork(),
            number: pull.number,
            title: pull.title,
            labels: names(pull.labels),
            author: login(pull.user),
            body: pull.body,
            head: pull.head.map(branch),
            base: pull.base.map(branch),
            created_at: time(pull.created_at_ms),
            updated_at: time(pull.updated_at_ms),
            url: pull.html_url,
        }
    }
}

/// Pull requests as lists have them.
pub(super) fn listed_pulls(pulls: Vec<PullRequest>) -> Vec<PullValue> {
    let short = |pull: PullRequest| PullRequest { body: cut(pull.body, BEGINNING_BYTES).0, ..pull };
    pulls.into_iter().map(|pull| short(pull).into()).collect()
}

/// A file that a pull request changes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PullFile")]
pub(super) struct PullFileValue {
    filename: String,
    /// added, removed, modified, renamed, ...
    status: String,
    additions: u64,
    deletions: u64,
    previous_filename: Option<String>,
    /// Null for files that are no text or too long.
    patch: Option<String>,
}

impl From<PullFile> for PullFileValue {
    fn from(file: PullFile) -> Self {
        let PullFile { filename, status, additions, deletions, previous_filename, patch } = file;
        Self { filename, status, additions, deletions, previous_filename, patch }
    }
}

/// A review.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Review")]
pub(super) struct ReviewValue {
    id: u64,
    /// Login.
    author: Option<String>,
    /// approved, changes_requested, commented or dismissed.
    state: String,
    body: String,
    submitted_at: Option<String>,
    url: String,
}

impl From<Review> for ReviewValue {
    fn from(review: Review) -> Self {
        Self {
            id: review.id,
            author: login(review.user),
            state: review.state.to_ascii_lowercase(),
            body: review.body,
            submitted_at: time(review.submitted_at_ms),
            url: review.html_url,
        }
    }
}

/// A remark on a line of a pull request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Remark")]
pub(super) struct RemarkValue {
    id: u64,
    /// The id of the first remark of its thread.
    thread: u64,
    /// Login.
    author: Option<String>,
    path: Option<String>,
    line: Option<u64>,
    body: String,
    created_at: Option<String>,
    url: String,
}

impl From<Comment> for RemarkValue {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            thread: comment.in_reply_to_id.unwrap_or(comment.id),
            author: login(comment.user),
            path: comment.path,
            line: comment.line.or(comment.original_line),
            body: comment.body,
            created_at: time(comment.created_at_ms),
            url: comment.html_url,
        }
    }
}
