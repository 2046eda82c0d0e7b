//! Reactions ("REST API endpoints for reactions": eight are known).

use reveille_channel::{Progress, ReplyContext, ReplyError, ThreadRef};

use super::progress::show;
use crate::GitHub;
use crate::api::ReactionOn;
use crate::pace::Pacing;
use crate::place::{Message, Place};

/// GitHub's name of an emoji: in the REST API, and in the GraphQL API.
fn reaction(emoji: &str) -> Option<(&'static str, &'static str)> {
    Some(match emoji {
        "+1" | "thumbsup" => ("+1", "THUMBS_UP"),
        "-1" | "thumbsdown" => ("-1", "THUMBS_DOWN"),
        "laugh" | "laughing" | "smile" => ("laugh", "LAUGH"),
        "confused" => ("confused", "CONFUSED"),
        "heart" => ("heart", "HEART"),
        "hooray" | "tada" => ("hooray", "HOORAY"),
        "rocket" => ("rocket", "ROCKET"),
        "eyes" => ("eyes", "EYES"),
        _ => return None,
    })
}

/// Shows how far the work on a message is: 👀 at the beginning, 🚀 or 😕 at the end, and in a pull request a check run.
/// Answers do not wait for it: where content is made often, the sign is left out.
pub(crate) async fn sign(github: &GitHub, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
    let (put, shown) = futures::join!(reaction_of(github, context, progress), show(github, context, progress));
    put.and(shown)
}

async fn reaction_of(github: &GitHub, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
    let emoji = match progress {
        Progress::Began => "eyes",
        Progress::Done => "rocket",
        Progress::Failed => "confused",
    };
    match context.message.as_deref() {
        // Reviews take no reactions, and what is no message takes none either.
        Some(message) if !matches!(Message::parse(message), Some(Message::Review(_)) | None) => {
            put(github, &context.thread, message, emoji, Pacing::Spare).await
        }
        _ => Ok(()),
    }
}

/// Puts a reaction on a message of the thread.
pub(crate) async fn react(github: &GitHub, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
    put(github, thread, message, emoji, Pacing::Content).await
}

async fn put(
    github: &GitHub,
    thread: &ThreadRef,
    message: &str,
    emoji: &str,
    pacing: Pacing,
) -> Result<(), ReplyError> {
    let (repository, place) = Place::of(thread)?;
    let (rest, graphql) =
        reaction(emoji).ok_or_else(|| ReplyError::Refused(format!("GitHub has no reaction {emoji:?}")))?;
    let message = Message::parse(message).ok_or_else(|| ReplyError::Refused("that is no message's id".to_owned()))?;
    let on = match (message, &place) {
        (Message::DiscussionComment(node), _) => {
            return github.api.add_reaction_to_node(&repository, &node, graphql, pacing).await;
        }
        (Message::Itself, Place::Discussion { node, .. }) => {
            return github.api.add_reaction_to_node(&repository, node, graphql, pacing).await;
        }
        (Message::Itself, place) => ReactionOn::Issue(place.number()),
        (Message::Comment(id), _) => ReactionOn::Comment(id),
        (Message::LineComment(id), _) => ReactionOn::LineComment(id),
        (Message::Review(_), _) => {
            return Err(ReplyError::Refused("GitHub takes no reactions on reviews".to_owned()));
        }
    };
    github.api.add_reaction(&repository, on, rest, pacing).await
}
