//! Check runs.

use serde::Deserialize;

use super::AppReference;

/// A check run: what an app says about one commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// Its name, as people see it beside the commit.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub name: String,
    /// The commit.
    #[serde(default)]
    pub head_sha: String,
    /// The app's own word for it.
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub external_id: String,
    /// `queued`, `in_progress`, `completed`, ...
    #[serde(default, deserialize_with = "super::null_is_empty")]
    pub status: String,
    /// How it ended: `success`, `failure`, `neutral`, ...; nothing before its end.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// The app that made it.
    #[serde(default)]
    pub app: Option<AppReference>,
    /// The pull requests of this repository whose head the commit is; none for those from forks.
    #[serde(default, deserialize_with = "super::null_is_default")]
    pub pull_requests: Vec<PullReference>,
    /// Its page.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// A pull request, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PullReference {
    /// Its number.
    pub number: u64,
}

/// A button of a check run that was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckAction {
    /// What the app called it.
    #[serde(default)]
    pub identifier: String,
}
