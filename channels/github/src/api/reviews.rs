//! "REST API endpoints for pull requests" and "... for pull request reviews".

use reveille_channel::ReplyError;
use serde::Serialize;
use serde_json::json;

use super::{Api, Page, Repository, paging, read};
use crate::client::As;
use crate::model::{PullFile, PullRequest, Review};
use crate::token::Need;

/// A review to be submitted: a text, and remarks on lines, all in one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewReview {
    /// `COMMENT`, `REQUEST_CHANGES` or `APPROVE`.
    pub event: &'static str,
    /// Its text; sent as it is.
    pub body: String,
    /// The remarks.
    pub comments: Vec<Remark>,
}

/// A remark on lines of a file, as the pull request leaves it or, on the side `LEFT`, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The file.
    pub path: String,
    /// The line, or the last of several.
    pub line: u32,
    /// `RIGHT` or `LEFT`.
    pub side: &'static str,
    /// The first of several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u32>,
    /// What is said; sent as it is.
    pub body: String,
}

fn reading(repository: &Repository) -> As<'_> {
    As::In(repository, Need::ReadPulls)
}

impl Api {
    /// One pull request.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_pull(&self, repository: &Repository, number: u64) -> Result<PullRequest, ReplyError> {
        let path = format!("{}/pulls/{number}", repository.path()?);
        read(&self.get(reading(repository), &path).await?)
    }

    /// The pull requests, the newest first; `page` counts from 1. `state` is `open`, `closed` or `all`.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_pulls(
        &self,
        repository: &Repository,
        state: &'static str,
        per_page: u32,
        page: u32,
    ) -> Result<Page<PullRequest>, ReplyError> {
        let path = format!("{}/pulls?state={state}&{}", repository.path()?, paging(per_page, page));
        self.page(reading(repository), &path).await
    }

    /// The files that a pull request changes, with their patches; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_pull_files(
        &self,
        repository: &Repository,
        number: u64,
        per_page: u32,
        page: u32,
    ) -> Result<Page<PullFile>, ReplyError> {
        let path = format!("{}/pulls/{number}/files?{}", repository.path()?, paging(per_page, page));
        self.page(reading(repository), &path).await
    }

    /// The reviews of a pull request, the oldest first; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_reviews(
        &self,
        repository: &Repository,
        number: u64,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Review>, ReplyError> {
        let path = format!("{}/pulls/{number}/reviews?{}", repository.path()?, paging(per_page, page));
        self.page(reading(repository), &path).await
    }

    /// Submits a review. Not idempotent: [`ReplyError::Unknown`] means it may be there.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_review(
        &self,
        repository: &Repository,
        number: u64,
        review: &NewReview,
    ) -> Result<Review, ReplyError> {
        let path = format!("{}/pulls/{number}/reviews", repository.path()?);
        self.make(repository, Need::Pulls, &path, &json!(review)).await
    }
}
