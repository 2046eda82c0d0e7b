//! `pull_request`, `pull_request_review` and `pull_request_review_comment`.

use reveille_channel::Kind;

use super::text::{asked, commented, titled};
use super::{Nothing, Said};
use crate::model::PullRequest;
use crate::own::{Own, Post};
use crate::payload::Payload;
use crate::place::{Message, Place};

/// What wake rules and tools may want to know of a pull request.
fn facts(pull: &PullRequest) -> Vec<(&'static str, String)> {
    let mut facts = vec![("fork", pull.is_from_fork().to_string()), ("draft", pull.draft.to_string())];
    facts.extend(pull.base.as_ref().map(|base| ("base", base.name.clone())));
    facts.extend(pull.head.as_ref().map(|head| ("head_sha", head.sha.clone())));
    facts
}

/// `pull_request`.
pub(super) fn pull_request(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let Some(pull) = payload.pull_request.take() else { return Err(Nothing::Malformed("there is no pull request")) };
    let post = Post { author: pull.user.as_ref(), via: None, text: &pull.body };
    let is_new = payload.action == "opened";
    own.check_is_not_ours(&payload.sender, is_new, payload.is_of_text("opened"), post).map_err(Nothing::Ignored)?;
    let mut mentions = Vec::new();
    let kind = match payload.action.as_str() {
        "opened" => {
            mentions = asked(&pull.body, Kind::Opened).1;
            Kind::Opened
        }
        "edited" => Kind::Edited,
        "labeled" => match &payload.label {
            Some(label) => Kind::Labelled { label: label.name.clone() },
            None => return Err(Nothing::Ignored("a label that is gone")),
        },
        // To be asked for a review is to be assigned one.
        "assigned" | "review_requested" => Kind::Assigned,
        "closed"
        | "reopened"
        | "synchronize"
        | "ready_for_review"
        | "converted_to_draft"
        | "unlabeled"
        | "unassigned"
        | "review_request_removed" => Kind::Other,
        _ => return Err(Nothing::Ignored("an action on a pull request that is not used")),
    };
    let mut facts = facts(&pull);
    if payload.action == "closed" {
        facts.push(("merged", (pull.merged || pull.merged_at_ms != 0).to_string()));
    }
    Ok(Said {
        name: format!("pull_request.{}", payload.action),
        kind,
        place: Some(Place::Pull { number: pull.number }),
        text: titled(&pull.title, &pull.body),
        mentions,
        message: Some(Message::Itself),
        via: None,
        facts,
        occurred_at_ms: if is_new { pull.created_at_ms } else { pull.updated_at_ms },
        author: pull.user,
    })
}

/// `pull_request_review`. A review has no thread of its own: the conversation of the pull request answers it.
pub(super) fn review(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let (Some(pull), Some(review)) = (payload.pull_request.take(), payload.review.take()) else {
        return Err(Nothing::Malformed("there is no pull request or no review"));
    };
    let post = Post { author: review.user.as_ref(), via: None, text: &review.body };
    let is_new = payload.action == "submitted";
    // An answer on a line comes as a review without a text besides: it says nothing of whose it is.
    let is_of_text = !review.body.trim().is_empty();
    own.check_is_not_ours(&payload.sender, is_new, is_of_text, post).map_err(Nothing::Ignored)?;
    let state = review.state.to_ascii_lowercase();
    let (kind, mentions) = match payload.action.as_str() {
        "submitted" => asked(&review.body, Kind::Review { state: state.clone() }),
        "edited" => (Kind::Edited, Vec::new()),
        "dismissed" => (Kind::Other, Vec::new()),
        _ => return Err(Nothing::Ignored("an action on a review that is not used")),
    };
    let mut facts = facts(&pull);
    facts.push(("review", state));
    Ok(Said {
        name: format!("pull_request_review.{}", payload.action),
        kind,
        place: Some(Place::Pull { number: pull.number }),
        text: review.body,
        mentions,
        message: Some(Message::Review(review.id)),
        author: review.user,
        via: None,
        facts,
        occurred_at_ms: review.submitted_at_ms,
    })
}

/// `pull_request_review_comment`: a comment on a line, or an answer to one, is answered in the thread on that line.
pub(super) fn line_comment(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let (Some(pull), Some(comment)) = (payload.pull_request.take(), payload.comment.take()) else {
        return Err(Nothing::Malformed("there is no pull request or no comment"));
    };
    let line = comment.line.or(comment.original_line);
    let at = comment.path.as_ref().map(|path| match line {
        Some(line) => format!("{path}:{line}"),
        None => path.clone(),
    });
    let mut facts = facts(&pull);
    facts.extend(comment.path.clone().map(|path| ("path", path)));
    facts.extend(line.map(|line| ("line", line.to_string())));
    let place = Place::Line { pull: pull.number, first: comment.in_reply_to_id.unwrap_or(comment.id), at };
    let message = Message::LineComment(comment.id);
    commented(own, payload, "pull_request_review_comment", comment, place, message, facts)
}
