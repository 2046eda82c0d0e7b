//! Pull requests and their reviews.

use serde::Deserialize;

use super::{Label, User};

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
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
    /// Whether it is a draft.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub draft: bool,
    /// Whether it was merged; only told of one pull request, not in lists.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub merged: bool,
    /// When it was merged, milliseconds since the Unix epoch; 0 when it was not.
    #[serde(rename = "merged_at", default, deserialize_with = "super::milliseconds")]
    pub merged_at_ms: i64,
    /// Who opened it; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// Its labels.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub labels: Vec<Label>,
    /// What it would bring in.
    #[serde(default)]
    pub head: Option<Branch>,
    /// Where it would bring it.
    #[serde(default)]
    pub base: Option<Branch>,
    /// When it was opened, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "created_at", default, deserialize_with = "super::milliseconds")]
    pub created_at_ms: i64,
    /// When it was changed last, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "updated_at", default, deserialize_with = "super::milliseconds")]
    pub updated_at_ms: i64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
}

impl PullRequest {
    /// Whether it comes from another repository; also when that one is gone or GitHub does not say.
    #[must_use]
    pub fn is_from_fork(&self) -> bool {
        let id = |branch: &Option<Branch>| branch.as_ref().and_then(|it| it.repo.as_ref()).map(|repo| repo.id);
        match (id(&self.head), id(&self.base)) {
            (Some(head), Some(base)) => head != base,
            _ => true,
        }
    }
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// The branch's name.
    #[serde(rename = "ref", default)]
    pub name: String,
    /// Its newest commit.
    #[serde(default)]
    pub sha: String,
    /// Its repository; none when that was deleted.
    #[serde(default)]
    pub repo: Option<BranchRepository>,
}

/// The repository of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct BranchRepository {
    /// Its immutable id.
    pub id: u64,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: u64,
    /// Its text, Markdown; empty when it has none beside its comments on lines.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub body: String,
    /// `approved`, `changes_requested`, `commented`, `dismissed`; in upper case from the REST API.
    #[serde(default)]
    pub state: String,
    /// Who reviewed; nobody when the account is gone.
    #[serde(default)]
    pub user: Option<User>,
    /// The commit that was reviewed.
    #[serde(default)]
    pub commit_id: Option<String>,
    /// When it was submitted, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "submitted_at", default, deserialize_with = "super::milliseconds")]
    pub submitted_at_ms: i64,
    /// Its place on the pull request's page.
    #[serde(default)]
    pub html_url: String,
}

/// A file that a pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullFile {
    /// Its path.
    #[serde(default)]
    pub filename: String,
    /// `added`, `removed`, `modified`, `renamed`, ...
    #[serde(default)]
    pub status: String,
    /// Lines that are new.
    #[serde(default)]
    pub additions: u64,
    /// Lines that are gone.
    #[serde(default)]
    pub deletions: u64,
    /// Its path before, when it was renamed.
    #[serde(default)]
    pub previous_filename: Option<String>,
    /// What changes; nothing for files that are no text or too long.
    #[serde(default)]
    pub patch: Option<String>,
}
