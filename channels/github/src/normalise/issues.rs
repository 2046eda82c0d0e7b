//! `issues` and `issue_comment`. The conversation of a pull request is one of issue comments.

use reveille_channel::Kind;

use super::text::{asked, titled};
use super::{Nothing, Said};
use crate::own::{Own, Post};
use crate::payload::Payload;
use crate::place::{Message, Place};

/// `issues`.
pub(super) fn issue(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let Some(issue) = payload.issue.take() else { return Err(Nothing::Malformed("there is no issue")) };
    let post = Post { author: issue.user.as_ref(), via: issue.performed_via_github_app, text: &issue.body };
    let is_new = payload.action == "opened";
    own.check_is_not_ours(&payload.sender, is_new, payload.is_of_text("opened"), post).map_err(Nothing::Ignored)?;
    let mut mentions = Vec::new();
    let kind = match payload.action.as_str() {
        "opened" => {
            mentions = asked(&issue.body, Kind::Opened).1;
            Kind::Opened
        }
        "edited" => Kind::Edited,
        "deleted" => Kind::Deleted,
        "labeled" => match &payload.label {
            Some(label) => Kind::Labelled { label: label.name.clone() },
            None => return Err(Nothing::Ignored("a label that is gone")),
        },
        "assigned" => Kind::Assigned,
        "closed" | "reopened" | "unlabeled" | "unassigned" => Kind::Other,
        _ => return Err(Nothing::Ignored("an action on an issue that is not used")),
    };
    Ok(Said {
        name: format!("issues.{}", payload.action),
        kind,
        place: Some(if issue.is_pull_request {
            Place::Pull { number: issue.number }
        } else {
            Place::Issue { number: issue.number }
        }),
        text: titled(&issue.title, &issue.body),
        mentions,
        message: Some(Message::Itself),
        via: issue.performed_via_github_app.filter(|_| is_new),
        author: issue.user,
        facts: Vec::new(),
        occurred_at_ms: if is_new { issue.created_at_ms } else { issue.updated_at_ms },
    })
}

/// `issue_comment`.
pub(super) fn comment(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let (Some(issue), Some(comment)) = (payload.issue.take(), payload.comment.take()) else {
        return Err(Nothing::Malformed("there is no issue or no comment"));
    };
    let place = if issue.is_pull_request {
        Place::Pull { number: issue.number }
    } else {
        Place::Issue { number: issue.number }
    };
    let message = Message::Comment(comment.id);
    super::text::commented(own, payload, "issue_comment", comment, place, message, Vec::new())
}
