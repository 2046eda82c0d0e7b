//! Discussions: comments, and one level of answers below them.

use reveille_channel::{ContextMessage, Receipt, ReplyContext, ReplyError};

use super::{MOST_PAGES, opening, receipt, too_many, unmarked};
use crate::GitHub;
use crate::api::{CommentsOf, DiscussionComment, Repository};
use crate::own::{is_marked, split_marker};
use crate::pace::Pacing;
use crate::place::{Answers, Message, is_node};

pub(super) async fn post(
    github: &GitHub,
    repository: &Repository,
    discussion: &str,
    answers: Option<&Answers>,
    body: &str,
) -> Result<Receipt, ReplyError> {
    let below = below(github, repository, answers).await?;
    let id = github.api.add_discussion_comment(repository, discussion, below.as_deref(), body).await?;
    Ok(receipt(id))
}

/// The comment that the answer goes below: an answer has none of its own, so it goes beside it.
async fn below(
    github: &GitHub,
    repository: &Repository,
    answers: Option<&Answers>,
) -> Result<Option<String>, ReplyError> {
    match answers {
        None => Ok(None),
        Some(Answers { node, is_nested: false }) => Ok(Some(node.clone())),
        Some(Answers { node, is_nested: true }) => github.api.answered_by(repository, node).await,
    }
}

pub(super) async fn edit(
    github: &GitHub,
    repository: &Repository,
    id: &str,
    body: &str,
    pacing: Pacing,
) -> Result<Receipt, ReplyError> {
    if !is_node(id) {
        return Err(ReplyError::Refused("that is no comment's id".to_owned()));
    }
    github.api.update_discussion_comment(repository, id, body, pacing).await?;
    Ok(receipt(id))
}

pub(super) async fn find(
    github: &GitHub,
    repository: &Repository,
    discussion: &str,
    answers: Option<&Answers>,
    context: &ReplyContext,
    since_ms: i64,
) -> Result<Option<Receipt>, ReplyError> {
    let below = below(github, repository, answers).await?;
    let of = below.as_deref().map_or(CommentsOf::Discussion(discussion), CommentsOf::Comment);
    let mut before: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let mut page = github.api.discussion_page(repository, of, before.as_deref()).await?;
        before = page.before();
        let comments = page.comments();
        let is_ours = |comment: &&DiscussionComment| {
            comment.viewer_did_author
                && split_marker(&comment.body).is_some_and(|(_, marker)| marker == context.marker.as_str())
        };
        if let Some(found) = comments.iter().find(is_ours) {
            return Ok(Some(receipt(&found.id)));
        }
        // Pages go back in time.
        let reaches_back = comments.first().is_none_or(|first| first.created_at_ms < since_ms);
        if before.is_none() || reaches_back {
            return Ok(None);
        }
    }
    Err(too_many())
}

pub(super) async fn context(
    github: &GitHub,
    repository: &Repository,
    discussion: &str,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let mut page = github.api.discussion_page(repository, CommentsOf::Discussion(discussion), None).await?;
    let mut comments = page.comments();
    comments.sort_by_key(|comment| comment.created_at_ms);
    let surplus = comments.len().saturating_sub(limit.saturating_sub(1));
    let author = |comment: &DiscussionComment| {
        comment.author.as_ref().map_or_else(|| "ghost".to_owned(), |author| author.login.clone())
    };
    // An app's account is nobody else's; a token's may be a person's too.
    let is_own =
        |comment: &DiscussionComment| comment.viewer_did_author && (github.own.is_app() || is_marked(&comment.body));
    let text = format!("{}\n\n{}", page.title, page.opening.body);
    let first = opening(author(&page.opening), is_own(&page.opening), text.trim_end(), page.opening.created_at_ms);
    let rest = comments.iter().skip(surplus).map(|comment| ContextMessage {
        id: Message::DiscussionComment(comment.id.clone()).to_string(),
        author: author(comment),
        is_own: is_own(comment),
        text: unmarked(&comment.body),
        at_ms: comment.created_at_ms,
    });
    Ok(std::iter::once(first).chain(rest).collect())
}
