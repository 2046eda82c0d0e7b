//! "REST API endpoints for issues", "... for issue comments", "... for labels", "... for reactions".

use http::Method;
use jiff::Timestamp;
use reveille_channel::ReplyError;
use serde_json::json;

use super::{Api, Page, Repository, paging, read};
use crate::client::As;
use crate::model::{Comment, Issue, Label};
use crate::pace::Pacing;

/// `&since=...` for a time, milliseconds since the Unix epoch.
pub(super) fn since(since_ms: Option<i64>) -> String {
    since_ms
        .and_then(|time| Timestamp::from_millisecond(time).ok())
        .map(|time| format!("&since={}", time.strftime("%Y-%m-%dT%H:%M:%SZ")))
        .unwrap_or_default()
}

/// How the issues, pull requests and comments of a repository are reached.
fn conversation(repository: &Repository) -> As<'_> {
    As::In(repository, repository.need())
}

impl Api {
    /// One issue, or the conversation of a pull request.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_issue(&self, repository: &Repository, number: u64) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues/{number}", repository.path()?);
        read(&self.get(conversation(repository), &path).await?)
    }

    /// The open issues and pull requests, the newest first; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_issues(
        &self,
        repository: &Repository,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Issue>, ReplyError> {
        let path = format!("{}/issues?state=open&{}", repository.path()?, paging(per_page, page));
        self.page(conversation(repository), &path).await
    }

    /// The comments of an issue, the oldest first; with `since_ms` those changed at or after that time, milliseconds
    /// since the Unix epoch. `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_comments(
        &self,
        repository: &Repository,
        number: u64,
        since_ms: Option<i64>,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Comment>, ReplyError> {
        let (paging, since) = (paging(per_page, page), since(since_ms));
        let path = format!("{}/issues/{number}/comments?{paging}{since}", repository.path()?);
        self.page(conversation(repository), &path).await
    }

    /// One comment.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_comment(&self, repository: &Repository, id: u64) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        read(&self.get(conversation(repository), &path).await?)
    }

    /// The repository's labels; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_labels(
        &self,
        repository: &Repository,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Label>, ReplyError> {
        let path = format!("{}/labels?{}", repository.path()?, paging(per_page, page));
        self.page(conversation(repository), &path).await
    }

    /// Writes a comment. Not idempotent: [`ReplyError::Unknown`] means it may be there. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_comment(
        &self,
        repository: &Repository,
        number: u64,
        text: &str,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/{number}/comments", repository.path()?);
        self.make(repository, repository.need(), &path, &json!({ "body": text })).await
    }

    /// Replaces the text of a comment. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub(crate) async fn update_comment(
        &self,
        repository: &Repository,
        id: u64,
        text: &str,
        pacing: Pacing,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        self.take_pace(repository, pacing)?;
        self.put(conversation(repository), Method::PATCH, &path, &json!({ "body": text })).await
    }

    /// Puts labels on an issue; those already there stay. Returns all it has then. GitHub makes labels it does not know.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn add_labels(
        &self,
        repository: &Repository,
        number: u64,
        labels: &[String],
    ) -> Result<Vec<Label>, ReplyError> {
        let path = format!("{}/issues/{number}/labels", repository.path()?);
        self.put(conversation(repository), Method::POST, &path, &json!({ "labels": labels })).await
    }

    /// Puts a reaction (by GitHub's name of it) on the issue itself, on a comment of it, or on a comment on a line.
    /// Idempotent.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub(crate) async fn add_reaction(
        &self,
        repository: &Repository,
        on: ReactionOn,
        reaction: &str,
        pacing: Pacing,
    ) -> Result<(), ReplyError> {
        let below = match on {
            ReactionOn::Issue(number) => format!("issues/{number}"),
            ReactionOn::Comment(id) => format!("issues/comments/{id}"),
            ReactionOn::LineComment(id) => format!("pulls/comments/{id}"),
        };
        let path = format!("{}/{below}/reactions", repository.path()?);
        self.take_pace(repository, pacing)?;
        let body = json!({ "content": reaction });
        self.client.request(conversation(repository), Method::POST, &path, Some(&body), true).await?;
        Ok(())
    }
}

/// What a reaction is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReactionOn {
    /// An issue or pull request, by its number.
    Issue(u64),
    /// A comment on one, by its id.
    Comment(u64),
    /// A comment on a line of a pull request, by its id.
    LineComment(u64),
}
