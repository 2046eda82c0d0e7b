//! Which event a body is, by its own shape. `X-GitHub-Event` is not signed: it may agree, and it never decides.

use reveille_channel::Malformed;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The events that are told by the shape of their body (documentation: "Webhook events and payloads").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `ping`
    Ping,
    /// `issues`
    Issues,
    /// `issue_comment`
    IssueComment,
    /// `pull_request`
    PullRequest,
    /// `pull_request_review`
    Review,
    /// `pull_request_review_comment`
    ReviewComment,
    /// `pull_request_review_thread`
    ReviewThread,
    /// `discussion`
    Discussion,
    /// `discussion_comment`
    DiscussionComment,
    /// `check_run`
    CheckRun,
    /// `commit_comment`
    CommitComment,
    /// `installation`
    Installation,
    /// `installation_repositories`
    InstallationRepositories,
    /// Another event.
    Other,
}

/// What stands at the top of a body.
#[derive(Deserialize)]
struct Top {
    #[serde(default)]
    action: Option<IgnoredAny>,
    #[serde(default)]
    issue: Option<IgnoredAny>,
    #[serde(default)]
    pull_request: Option<IgnoredAny>,
    #[serde(default)]
    discussion: Option<IgnoredAny>,
    #[serde(default)]
    comment: Option<IgnoredAny>,
    #[serde(default)]
    review: Option<IgnoredAny>,
    #[serde(default)]
    thread: Option<IgnoredAny>,
    #[serde(default)]
    check_run: Option<IgnoredAny>,
    /// `deployment_status` brings its check run along.
    #[serde(default)]
    deployment: Option<IgnoredAny>,
    #[serde(default)]
    installation: Option<InstallationTop>,
    #[serde(default)]
    repositories_added: Option<IgnoredAny>,
    #[serde(default)]
    repositories_removed: Option<IgnoredAny>,
    #[serde(default)]
    zen: Option<IgnoredAny>,
    #[serde(default)]
    hook: Option<IgnoredAny>,
    #[serde(default)]
    hook_id: Option<IgnoredAny>,
}

/// Only the events about an installation show more than its id.
#[derive(Deserialize)]
struct InstallationTop {
    #[serde(default)]
    account: Option<IgnoredAny>,
}

impl Shape {
    /// The shape of a body.
    pub(crate) fn of(json: &[u8]) -> Result<Self, Malformed> {
        let top: Top = serde_json::from_slice(json).map_err(|error| Malformed::json(&error))?;
        if top.zen.is_some() && (top.hook.is_some() || top.hook_id.is_some()) {
            return Ok(Self::Ping);
        }
        if top.action.is_none() {
            return Ok(Self::Other);
        }
        Ok(match top {
            Top { issue: Some(_), comment: Some(_), .. } => Self::IssueComment,
            Top { issue: Some(_), .. } => Self::Issues,
            Top { discussion: Some(_), comment: Some(_), .. } => Self::DiscussionComment,
            Top { discussion: Some(_), .. } => Self::Discussion,
            Top { pull_request: Some(_), review: Some(_), .. } => Self::Review,
            Top { pull_request: Some(_), comment: Some(_), .. } => Self::ReviewComment,
            Top { pull_request: Some(_), thread: Some(_), .. } => Self::ReviewThread,
            Top { pull_request: Some(_), .. } => Self::PullRequest,
            Top { check_run: Some(_), deployment: None, .. } => Self::CheckRun,
            Top { comment: Some(_), .. } => Self::CommitComment,
            Top { repositories_added: Some(_), .. } | Top { repositories_removed: Some(_), .. } => {
                Self::InstallationRepositories
            }
            Top { installation: Some(InstallationTop { account: Some(_) }), .. } => Self::Installation,
            _ => Self::Other,
        })
    }

    /// The shape that an event's name promises.
    pub(crate) fn promised_by(event: &str) -> Self {
        match event {
            "ping" => Self::Ping,
            "issues" => Self::Issues,
            "issue_comment" => Self::IssueComment,
            "pull_request" => Self::PullRequest,
            "pull_request_review" => Self::Review,
            "pull_request_review_comment" => Self::ReviewComment,
            "pull_request_review_thread" => Self::ReviewThread,
            "discussion" => Self::Discussion,
            "discussion_comment" => Self::DiscussionComment,
            "check_run" => Self::CheckRun,
            "commit_comment" => Self::CommitComment,
            "installation" => Self::Installation,
            "installation_repositories" => Self::InstallationRepositories,
            _ => Self::Other,
        }
    }

    /// Whether an event of this name can be of use, so that a failed delivery of it is worth having again.
    pub(crate) fn is_used(self) -> bool {
        !matches!(self, Self::Ping | Self::ReviewThread | Self::CommitComment | Self::Other)
    }
}
