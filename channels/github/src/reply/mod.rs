//! The steps of a reply plan on GitHub: one comment that grows by edits, found again by the marker at its end.
//!
//! Issues and the conversations of pull requests take comments; a thread on a line of a pull request and a discussion each
//! have calls of their own (`line`, `discussion`).

mod ask;
mod discussion;
mod issue;
mod line;
mod progress;
mod react;

use reveille_channel::{ContextMessage, Mode, Op, Receipt, ReplyContext, ReplyError, ThreadRef};

use crate::GitHub;
use crate::api::Page;
use crate::model::{Comment, User};
use crate::own::{Post, marker_comment, split_marker};
use crate::pace::Pacing;
use crate::place::{ITSELF, Place};

pub(crate) use progress::Runs;
pub(crate) use react::{react, sign};

/// GitHub's clock and ours may differ by this much.
const CLOCK_SKEW_MS: i64 = 60_000;
/// Beyond this many pages it is not certain any more that all were read before some changed.
const MOST_PAGES: u32 = 100;

/// The text of a comment as it is sent, with its marker.
fn marked(github: &GitHub, text: &str, context: &ReplyContext) -> String {
    with_marker(github.render(text), context)
}

/// A text that does nothing, with the marker at its end.
fn with_marker(mut body: String, context: &ReplyContext) -> String {
    body.push_str("\n\n");
    body.push_str(&marker_comment(context.marker.as_str()));
    body
}

fn comment_id(id: &str) -> Result<u64, ReplyError> {
    id.parse().map_err(|_| ReplyError::Refused("that is no comment's id".to_owned()))
}

fn receipt(id: impl std::fmt::Display) -> Receipt {
    Receipt { id: id.to_string(), mode: Mode::Edit }
}

/// Does one step.
pub(crate) async fn perform(github: &GitHub, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
    match op {
        Op::Start { text, .. } => post(github, context, &marked(github, text, context)).await,
        Op::Edit { id, text, complete } => {
            let pacing = if *complete { Pacing::Edit } else { Pacing::Growth };
            edit(github, context, id, &marked(github, text, context), pacing).await
        }
        Op::Append { .. } | Op::Finish { .. } => {
            Err(ReplyError::Refused("GitHub has no streams; a comment is edited".to_owned()))
        }
        Op::Ask(ask) => post(github, context, &with_marker(ask::open(github, ask)?, context)).await,
        Op::Settle { id, ask, outcome } => {
            let body = with_marker(ask::settled(github, ask, outcome)?, context);
            edit(github, context, id, &body, Pacing::Edit).await
        }
        // There is no status line; the reply shows what is going on.
        Op::Status { .. } => Ok(receipt(context.message.clone().unwrap_or_default())),
    }
}

/// Puts a comment into the thread.
async fn post(github: &GitHub, context: &ReplyContext, body: &str) -> Result<Receipt, ReplyError> {
    let (repository, place) = Place::of(&context.thread)?;
    match &place {
        Place::Issue { number } | Place::Pull { number } => {
            github.api.create_comment(&repository, *number, body).await.map(|comment| receipt(comment.id))
        }
        Place::Line { pull, first, .. } => {
            github.api.reply_on_line(&repository, *pull, *first, body).await.map(|comment| receipt(comment.id))
        }
        Place::Discussion { node, answers, .. } => {
            discussion::post(github, &repository, node, answers.as_ref(), body).await
        }
    }
}

/// Replaces the text of a comment of the thread.
async fn edit(
    github: &GitHub,
    context: &ReplyContext,
    id: &str,
    body: &str,
    pacing: Pacing,
) -> Result<Receipt, ReplyError> {
    let (repository, place) = Place::of(&context.thread)?;
    let edited = match place {
        Place::Issue { .. } | Place::Pull { .. } => {
            github.api.update_comment(&repository, comment_id(id)?, body, pacing).await?
        }
        Place::Line { .. } => github.api.update_line_comment(&repository, comment_id(id)?, body, pacing).await?,
        Place::Discussion { .. } => return discussion::edit(github, &repository, id, body, pacing).await,
    };
    Ok(receipt(edited.id))
}

/// Looks for our comment: written by us, since the turn began, with the marker at its end.
pub(crate) async fn find(github: &GitHub, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
    let (repository, place) = Place::of(&context.thread)?;
    if github.own.account().is_none() {
        // Whoever copies our marker must not be taken for us.
        github.learn_account().await?;
    }
    let since_ms = context.since_ms.saturating_sub(CLOCK_SKEW_MS);
    match &place {
        Place::Issue { number } | Place::Pull { number } => {
            issue::find(github, &repository, *number, context, since_ms).await
        }
        Place::Line { pull, .. } => line::find(github, &repository, *pull, context, since_ms).await,
        Place::Discussion { node, answers, .. } => {
            discussion::find(github, &repository, node, answers.as_ref(), context, since_ms).await
        }
    }
}

/// The comment of this page that is ours and has the marker.
fn ours(github: &GitHub, page: &Page<Comment>, context: &ReplyContext) -> Option<Receipt> {
    let is_ours = |comment: &&Comment| {
        github.own.wrote(Post::from(*comment))
            && split_marker(&comment.body).is_some_and(|(_, marker)| marker == context.marker.as_str())
    };
    page.items.iter().find(is_ours).map(|comment| receipt(comment.id))
}

fn too_many() -> ReplyError {
    ReplyError::Unknown("there are too many comments to look through".to_owned())
}

/// What the thread begins with and its last comments, the oldest first.
pub(crate) async fn context(
    github: &GitHub,
    thread: &ThreadRef,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let (repository, place) = Place::of(thread)?;
    if limit == 0 {
        return Ok(Vec::new());
    }
    match &place {
        Place::Issue { number } | Place::Pull { number } => issue::context(github, &repository, *number, limit).await,
        Place::Line { pull, first, .. } => line::context(github, &repository, *pull, *first, limit).await,
        Place::Discussion { node, .. } => discussion::context(github, &repository, node, limit).await,
    }
}

fn author(user: Option<&User>) -> String {
    user.map_or_else(|| "ghost".to_owned(), |user| user.login.clone())
}

/// A text without our marker.
fn unmarked(text: &str) -> String {
    split_marker(text).map_or_else(|| text.to_owned(), |(text, _)| text.to_owned())
}

fn shown(github: &GitHub, id: String, comment: &Comment) -> ContextMessage {
    ContextMessage {
        id,
        author: author(comment.user.as_ref()),
        is_own: github.own.wrote(Post::from(comment)),
        text: unmarked(&comment.body),
        at_ms: comment.created_at_ms,
    }
}

/// What stands at the beginning of a thread.
fn opening(author: String, is_own: bool, text: &str, at_ms: i64) -> ContextMessage {
    ContextMessage { id: ITSELF.to_owned(), author, is_own, text: unmarked(text), at_ms }
}
