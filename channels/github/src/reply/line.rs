//! Threads on lines of a pull request.

use reveille_channel::{ContextMessage, Receipt, ReplyContext, ReplyError};

use super::{MOST_PAGES, ours, shown, too_many};
use crate::GitHub;
use crate::api::Repository;
use crate::model::Comment;
use crate::place::Message;

/// How much of the diff around the line is shown.
const MOST_DIFF_LINES: usize = 40;

pub(super) async fn find(
    github: &GitHub,
    repository: &Repository,
    pull: u64,
    context: &ReplyContext,
    since_ms: i64,
) -> Result<Option<Receipt>, ReplyError> {
    let mut page = github.api.list_line_comments(repository, pull, Some(since_ms)).await?;
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

/// The thread, with the lines it is about before its first comment.
pub(super) async fn context(
    github: &GitHub,
    repository: &Repository,
    pull: u64,
    first: u64,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let mut comments: Vec<Comment> = Vec::new();
    let mut page = Some(github.api.list_line_comments(repository, pull, None).await?);
    let mut pages = 0;
    while let Some(read) = page {
        pages += 1;
        let is_here = |comment: &Comment| comment.id == first || comment.in_reply_to_id == Some(first);
        page = if pages < MOST_PAGES { github.api.following(repository, &read).await? } else { None };
        comments.extend(read.items.into_iter().filter(is_here));
    }
    comments.sort_by_key(|comment| (comment.created_at_ms, comment.id));
    let surplus = comments.len().saturating_sub(limit);
    let shown = comments.iter().skip(surplus).map(|comment| {
        let mut message = shown(github, Message::LineComment(comment.id).to_string(), comment);
        if comment.id == first {
            message.text = format!("{}{}", about(comment), message.text);
        }
        message
    });
    Ok(shown.collect())
}

/// The file, the line and the end of the diff down to it.
fn about(comment: &Comment) -> String {
    let path = comment.path.as_deref().unwrap_or_default();
    let line = comment.line.or(comment.original_line).map(|line| format!(":{line}")).unwrap_or_default();
    let diff: Vec<&str> = comment.diff_hunk.as_deref().unwrap_or_default().lines().collect();
    let diff = diff.get(diff.len().saturating_sub(MOST_DIFF_LINES)..).unwrap_or_default().join("\n");
    let longest = diff.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("On {path}{line}:\n\n{fence}diff\n{diff}\n{fence}\n\n")
}
