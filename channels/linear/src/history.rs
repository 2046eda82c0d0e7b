//! Earlier messages of a thread, the oldest first: of a session its activities, "frozen-in-time snapshots" that nobody can
//! edit afterwards ("Interaction best practices"), elsewhere the issue and its comments.
//!
//! Linear's pages begin with what was made last.

use reveille_channel::{ContextMessage, ReplyError, ThreadRef};

use crate::api::{Api, MOST_PER_PAGE};
use crate::model::{Comment, Issue, User};
use crate::own::Own;
use crate::place::Place;

/// At most `limit` messages: the issue itself and the last things said.
pub(crate) async fn context(
    api: &Api,
    own: &Own,
    thread: &ThreadRef,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let first = u32::try_from(limit).unwrap_or(MOST_PER_PAGE).clamp(1, MOST_PER_PAGE);
    let (issue, mut said) = match Place::of(thread)? {
        Place::Session { session } => {
            let session = api.session(session, MOST_PER_PAGE).await?;
            let said = session.activities.nodes.into_iter().filter_map(|activity| {
                let text = activity.content.body?;
                Some(message(own, activity.id, activity.user.as_ref(), text, activity.created_at_ms))
            });
            (session.issue, said.collect::<Vec<_>>())
        }
        Place::Comments { root: Some(root), .. } => {
            let mut root = api.thread(root, first).await?;
            let issue = root.issue.take();
            let children = std::mem::take(&mut root.children.nodes);
            (issue, std::iter::once(root).chain(children).map(|comment| of_comment(own, comment)).collect())
        }
        Place::Comments { issue, root: None } => {
            let mut issue = api.issue_history(issue, first).await?;
            let comments = std::mem::take(&mut issue.comments.nodes);
            (Some(issue), comments.into_iter().map(|comment| of_comment(own, comment)).collect())
        }
    };
    said.sort_by_key(|message| message.at_ms);
    let wanted = limit.saturating_sub(usize::from(issue.is_some()));
    let surplus = said.len().saturating_sub(wanted);
    Ok(issue.map(|issue| of_issue(own, issue)).into_iter().chain(said.into_iter().skip(surplus)).collect())
}

fn message(own: &Own, id: String, user: Option<&User>, text: String, at_ms: i64) -> ContextMessage {
    ContextMessage {
        id,
        author: user.map_or_else(|| "somebody outside".to_owned(), |user| user.shown().to_owned()),
        is_own: own.is_own(user.map(|user| user.id.as_str())),
        text,
        at_ms,
    }
}

fn of_comment(own: &Own, comment: Comment) -> ContextMessage {
    message(own, comment.id, comment.user.as_ref(), comment.body, comment.created_at_ms)
}

fn of_issue(own: &Own, issue: Issue) -> ContextMessage {
    let text = format!("{}: {}\n\n{}", issue.identifier, issue.title, issue.description).trim_end().to_owned();
    message(own, issue.id, issue.creator.as_ref(), text, issue.created_at_ms)
}
