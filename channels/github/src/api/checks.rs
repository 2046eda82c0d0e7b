//! "REST API endpoints for check runs". Only apps may write them.

use http::Method;
use reveille_channel::ReplyError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, MOST_PER_PAGE, Repository, paging, read};
use crate::client::As;
use crate::model::CheckRun;
use crate::pace::Pacing;
use crate::token::Need;

/// What is to be said of a check run; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckChanges {
    /// `queued` or `in_progress`; a conclusion completes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// `success`, `failure`, `neutral`, `cancelled`, `skipped`, `timed_out`, `action_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<&'static str>,
    /// Title, summary and text (Markdown), sent as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<CheckOutput>,
}

/// What the page of a check run shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckOutput {
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// More of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

fn checks(repository: &Repository) -> As<'_> {
    As::In(repository, Need::Checks)
}

fn value(changes: &CheckChanges) -> Result<Value, ReplyError> {
    serde_json::to_value(changes).map_err(|error| ReplyError::Refused(error.to_string()))
}

impl Api {
    /// Begins a check run of a commit. Not idempotent: `external_id` is what it is found again by.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_check_run(
        &self,
        repository: &Repository,
        head_sha: &str,
        name: &str,
        external_id: &str,
        changes: &CheckChanges,
    ) -> Result<CheckRun, ReplyError> {
        let path = format!("{}/check-runs", repository.path()?);
        let mut body = value(changes)?;
        if let Some(body) = body.as_object_mut() {
            body.insert("name".into(), json!(name));
            body.insert("head_sha".into(), json!(head_sha));
            body.insert("external_id".into(), json!(external_id));
        }
        self.take_pace(repository, Pacing::Edit).await?;
        let answer = self.client.request(checks(repository), Method::POST, &path, Some(&body), false).await?;
        read(&answer).map_err(|error| ReplyError::Unknown(error.to_string()))
    }

    /// Changes a check run.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn update_check_run(
        &self,
        repository: &Repository,
        id: u64,
        changes: &CheckChanges,
    ) -> Result<CheckRun, ReplyError> {
        let path = format!("{}/check-runs/{id}", repository.path()?);
        self.take_pace(repository, Pacing::Edit).await?;
        self.put(checks(repository), Method::PATCH, &path, &value(changes)?).await
    }

    /// One check run.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_check_run(&self, repository: &Repository, id: u64) -> Result<CheckRun, ReplyError> {
        let path = format!("{}/check-runs/{id}", repository.path()?);
        read(&self.get(checks(repository), &path).await?)
    }

    /// The latest check runs of a commit, a hundred at most.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_check_runs(&self, repository: &Repository, sha: &str) -> Result<Vec<CheckRun>, ReplyError> {
        #[derive(Deserialize)]
        struct Listed {
            check_runs: Vec<CheckRun>,
        }
        if sha.is_empty() || !sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ReplyError::Refused("that is no commit".to_owned()));
        }
        let path = format!("{}/commits/{sha}/check-runs?filter=all&{}", repository.path()?, paging(MOST_PER_PAGE, 1));
        let listed: Listed = read(&self.get(checks(repository), &path).await?)?;
        Ok(listed.check_runs)
    }
}
