//! What a text of a person asks for: a mention, a command, an answer to a question of ours.

use reveille_channel::Kind;

use super::{Nothing, Said};
use crate::call::calls;
use crate::model::Comment;
use crate::own::{Own, Post};
use crate::payload::Payload;
use crate::place::{Message, Place};

/// The most characters of a question's reference ([`reveille_channel::Ask::reference`]).
const MOST_REFERENCE: usize = 64;
/// The most characters of a choice's id ([`reveille_channel::Choice::id`]).
const MOST_CHOICE: usize = 24;

/// What a new text asks for, and whom it mentions. `otherwise` is what it is when it calls nobody.
pub(super) fn asked(text: &str, otherwise: Kind) -> (Kind, Vec<String>) {
    let called = calls(text);
    let kind = match called.command {
        Some((name, args)) if name.eq_ignore_ascii_case("stop") && args.is_empty() => Kind::Stop,
        Some((name, args)) => answer(&name, &args).unwrap_or(Kind::Command { name, args }),
        None if !called.mentions.is_empty() => Kind::Mention,
        None => otherwise,
    };
    (kind, called.mentions)
}

/// `/approve REFERENCE`, `/deny REFERENCE` and `/choose REFERENCE CHOICE` answer a question of ours.
fn answer(name: &str, args: &str) -> Option<Kind> {
    let mut words = args.split_whitespace();
    let reference = words.next().filter(|word| is_reference(word))?.to_owned();
    let choice = match name.to_ascii_lowercase().as_str() {
        word @ ("approve" | "deny") => word.to_owned(),
        "choose" => words.next().filter(|word| is_choice(word))?.to_owned(),
        _ => return None,
    };
    // More than the reference may be a sentence to an agent whose command this is.
    words.next().is_none().then_some(Kind::Action { reference, choice })
}

fn is_reference(word: &str) -> bool {
    word.len() <= MOST_REFERENCE && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_choice(word: &str) -> bool {
    word.len() <= MOST_CHOICE
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

/// What was done with a comment, wherever it stands.
pub(super) fn commented(
    own: &Own,
    payload: &Payload,
    event: &str,
    comment: Comment,
    place: Place,
    message: Message,
    facts: Vec<(&'static str, String)>,
) -> Result<Said, Nothing> {
    let is_new = payload.action == "created";
    own.check_is_not_ours(&payload.sender, is_new, true, Post::from(&comment)).map_err(Nothing::Ignored)?;
    let (kind, mentions, occurred_at_ms) = match payload.action.as_str() {
        "created" => {
            let (kind, mentions) = asked(&comment.body, Kind::Message { direct: false, in_thread: true });
            (kind, mentions, comment.created_at_ms)
        }
        // Whom the text calls now was called by nobody but its author, who may not be the one who changed it.
        "edited" => (Kind::Edited, calls(&comment.body).mentions, comment.updated_at_ms),
        "deleted" => (Kind::Deleted, Vec::new(), 0),
        _ => return Err(Nothing::Ignored("an action on a comment that is not used")),
    };
    Ok(Said {
        name: format!("{event}.{}", payload.action),
        kind,
        place: Some(place),
        text: comment.body,
        mentions,
        message: Some(message),
        via: comment.performed_via_github_app.filter(|_| is_new),
        author: comment.user,
        facts,
        occurred_at_ms,
    })
}

/// Title and text of something that was opened.
pub(super) fn titled(title: &str, body: &str) -> String {
    format!("{title}\n\n{body}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_question_and_nothing_more() {
        let other = || Kind::Message { direct: false, in_thread: true };
        let kind = |text: &str| asked(text, other()).0;
        let action =
            |reference: &str, choice: &str| Kind::Action { reference: reference.into(), choice: choice.into() };
        assert_eq!(kind("/approve k3y-1.a_B"), action("k3y-1.a_B", "approve"));
        assert_eq!(kind("I looked at it.\n\n/deny x1 \nThanks"), action("x1", "deny"));
        assert_eq!(kind("/Approve x1"), action("x1", "approve"));
        assert_eq!(kind("/choose x1 later"), action("x1", "later"));
        assert_eq!(kind("/stop"), Kind::Stop);
        for text in
            ["/stop the presses", "/approve", "/approve x1 please", "/approve a/b", "/choose x1", "/choose x1 LATER"]
        {
            assert!(matches!(kind(text), Kind::Command { .. }), "{text}");
        }
        for text in ["> /approve x1", "`/approve x1`", "please /approve x1", "```\n/approve x1\n```"] {
            assert_eq!(kind(text), other(), "{text}");
        }
    }
}
