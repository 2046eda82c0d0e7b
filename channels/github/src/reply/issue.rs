//! Comments on issues and in the conversations of pull requests.

use reveille_channel::{ContextMessage, Receipt, ReplyContext, ReplyError};

use super::{MOST_PAGES, author, opening, ours, shown, too_many};
use crate::GitHub;
use crate::api::{MOST_PER_PAGE, Repository};
use crate::model::Comment;
use crate::own::Post;

pub(super) async fn find(
    github: &GitHub,
    repository: &Repository,
    number: u64,
    context: &ReplyContext,
    since_ms: i64,
) -> Result<Option<Receipt>, ReplyError> {
    let mut page = github.api.list_comments(repository, number, Some(since_ms), MOST_PER_PAGE, 1).await?;
    for _ in 0..MOST_PAGES {
        if let Some(found) = ours(github, &page, context) {
            return Ok(Some(found));
        }
        match github.api.following(repository, &page).await? {
            Some(following) => page = following,
            None => return Ok(None),
        }
    }
    Err(too_many())
}

pub(super) async fn context(
    github: &GitHub,
    repository: &Repository,
    number: u64,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let issue = github.api.get_issue(repository, number).await?;
    let wanted = limit.saturating_sub(1);
    let mut comments: Vec<Comment> = Vec::new();
    // The oldest come first, so the last pages are asked for.
    let mut page = u32::try_from(issue.comments.div_ceil(u64::from(MOST_PER_PAGE))).unwrap_or(MOST_PAGES);
    while page > 0 && comments.len() < wanted {
        let mut earlier = github.api.list_comments(repository, number, None, MOST_PER_PAGE, page).await?.items;
        earlier.append(&mut comments);
        comments = earlier;
        page -= 1;
    }
    let surplus = comments.len().saturating_sub(wanted);
    let post = Post { author: issue.user.as_ref(), via: issue.performed_via_github_app, text: &issue.body };
    let text = format!("{}\n\n{}", issue.title, issue.body);
    let first = opening(author(issue.user.as_ref()), github.own.wrote(post), text.trim_end(), issue.created_at_ms);
    let rest = comments.iter().skip(surplus).map(|comment| shown(github, comment.id.to_string(), comment));
    Ok(std::iter::once(first).chain(rest).collect())
}
