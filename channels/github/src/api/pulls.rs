//! "REST API endpoints for pull request review comments".

use http::Method;
use reveille_channel::ReplyError;
use serde_json::json;

use super::issues::since;
use super::{Api, MOST_PER_PAGE, Page, Repository, paging, read};
use crate::client::As;
use crate::model::Comment;
use crate::pace::Pacing;
use crate::token::Need;

impl Api {
    /// One comment on a line.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_line_comment(&self, repository: &Repository, id: u64) -> Result<Comment, ReplyError> {
        let path = format!("{}/pulls/comments/{id}", repository.path()?);
        read(&self.get(As::In(repository, Need::Pulls), &path).await?)
    }

    /// The comments on lines of a pull request, the oldest first; with `since_ms` those changed at or after that time,
    /// milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_line_comments(
        &self,
        repository: &Repository,
        pull: u64,
        since_ms: Option<i64>,
    ) -> Result<Page<Comment>, ReplyError> {
        let (paging, since) = (paging(MOST_PER_PAGE, 1), since(since_ms));
        let path = format!("{}/pulls/{pull}/comments?sort=created&direction=asc&{paging}{since}", repository.path()?);
        let need = if repository.is_read_only { Need::ReadPulls } else { Need::Pulls };
        self.page(As::In(repository, need), &path).await
    }

    /// Answers in the thread that begins with the comment `first`. Not idempotent.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn reply_on_line(
        &self,
        repository: &Repository,
        pull: u64,
        first: u64,
        text: &str,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/pulls/{pull}/comments/{first}/replies", repository.path()?);
        self.make(repository, Need::Pulls, &path, &json!({ "body": text })).await
    }

    /// Replaces the text of a comment on a line.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub(crate) async fn update_line_comment(
        &self,
        repository: &Repository,
        id: u64,
        text: &str,
        pacing: Pacing,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/pulls/comments/{id}", repository.path()?);
        self.take_pace(repository, pacing).await?;
        self.put(As::In(repository, Need::Pulls), Method::PATCH, &path, &json!({ "body": text })).await
    }
}
