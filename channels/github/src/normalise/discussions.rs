//! `discussion` and `discussion_comment`.

use reveille_channel::Kind;

use super::text::{asked, commented, titled};
use super::{Nothing, Said};
use crate::own::{Own, Post};
use crate::payload::Payload;
use crate::place::{Answers, Message, Place, is_node};

/// Answers go through the GraphQL API, which knows things by these ids.
const NO_NODE: Nothing = Nothing::Malformed("the id for the GraphQL API is missing or is none");

/// `discussion`.
pub(super) fn discussion(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let Some(discussion) = payload.discussion.take() else { return Err(Nothing::Malformed("there is no discussion")) };
    if !is_node(&discussion.node_id) {
        return Err(NO_NODE);
    }
    let post = Post { author: discussion.user.as_ref(), via: None, text: &discussion.body };
    let is_new = payload.action == "created";
    own.check_is_not_ours(&payload.sender, is_new, payload.is_of_text("created"), post).map_err(Nothing::Ignored)?;
    let mut mentions = Vec::new();
    let kind = match payload.action.as_str() {
        "created" => {
            mentions = asked(&discussion.body, Kind::Opened).1;
            Kind::Opened
        }
        "edited" => Kind::Edited,
        "deleted" => Kind::Deleted,
        "labeled" => match &payload.label {
            Some(label) => Kind::Labelled { label: label.name.clone() },
            None => return Err(Nothing::Ignored("a label that is gone")),
        },
        "answered" | "unanswered" | "closed" | "reopened" | "unlabeled" | "category_changed" => Kind::Other,
        _ => return Err(Nothing::Ignored("an action on a discussion that is not used")),
    };
    Ok(Said {
        name: format!("discussion.{}", payload.action),
        kind,
        text: titled(&discussion.title, &discussion.body),
        place: Some(Place::Discussion { number: discussion.number, node: discussion.node_id, answers: None }),
        mentions,
        message: Some(Message::Itself),
        author: discussion.user,
        via: None,
        facts: Vec::new(),
        occurred_at_ms: if is_new { discussion.created_at_ms } else { discussion.updated_at_ms },
    })
}

/// `discussion_comment`: the discussion is one thread, and the answer goes below the comment that asks for it.
pub(super) fn comment(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let (Some(discussion), Some(comment)) = (payload.discussion.take(), payload.comment.take()) else {
        return Err(Nothing::Malformed("there is no discussion or no comment"));
    };
    if !is_node(&discussion.node_id) || !is_node(&comment.node_id) {
        return Err(NO_NODE);
    }
    let answers = Answers { node: comment.node_id.clone(), is_nested: comment.parent_id.is_some() };
    let message = Message::DiscussionComment(comment.node_id.clone());
    let place = Place::Discussion { number: discussion.number, node: discussion.node_id, answers: Some(answers) };
    commented(own, payload, "discussion_comment", comment, place, message, Vec::new())
}
