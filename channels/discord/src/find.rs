//! Looking for a message of ours that may or may not have been posted.
//!
//! Discord tells a message's nonce where it is made and never again. So: within a minute posting again with the same nonce is
//! the same as not posting it again ("Create Message": `enforce_nonce`, "the past few minutes"), and nothing is looked for.
//! Later our messages since then are listed, and the one that is not known to be another and begins like the text is it.

use reveille_channel::links::Links;
use reveille_channel::{Receipt, ReplyContext, ReplyError, Sought};

use crate::api::{PAGE, Part};
use crate::location::{self, part};
use crate::original::Original;
use crate::payload::{Message, id_at, time_ms};
use crate::receipt::Posted;
use crate::refusal::UNKNOWN_CHANNEL;
use crate::render;
use crate::reply::{Replies, place};
use crate::transport::Failure;

/// How long a nonce surely holds, milliseconds.
const NONCE_HOLDS_MS: i64 = 60_000;

/// Our clock and Discord's may differ by this much, milliseconds.
const CLOCKS_MS: i64 = 10_000;

/// Pages that are turned at most.
const PAGES_MAX: usize = 20;

/// How much of the beginning has to agree, characters.
const LIKENESS: usize = 24;

impl Replies {
    pub(crate) async fn look_for(
        &self,
        context: &ReplyContext,
        sought: &Sought,
        now_ms: i64,
    ) -> Result<Option<Receipt>, ReplyError> {
        let marker = context.marker.as_str();
        if let Some(id) = self.memory.posted(marker) {
            return Ok(Some(Posted::read(&id)?.receipt()));
        }
        if let Some(found) = self.in_the_answer(context, sought).await? {
            return Ok(found);
        }
        self.memory.doubt(marker);
        if now_ms.saturating_sub(sought.opened_at_ms) < NONCE_HOLDS_MS {
            return Ok(None);
        }
        let since = id_at(sought.opened_at_ms.saturating_sub(CLOCKS_MS));
        let channel = place(context)?;
        let mut ours = Vec::new();
        if let Some(root) = part(&context.thread, location::ROOT) {
            ours.extend(self.own_messages(root, &since, None).await?);
            ours.extend(self.own_messages(channel, &since, Some(root)).await?);
        } else {
            ours.extend(self.own_messages(channel, &since, None).await?);
            // What follows a command's answer is in the thread of that answer.
            let others = sought.others.iter().filter_map(|other| Posted::read(other).ok());
            for answer in others.filter(|other| other.is_answer && other.channel == channel) {
                ours.extend(self.own_messages(&answer.message, &since, None).await?);
            }
        }
        ours.retain(|(posted, message)| {
            message.components.is_empty() != sought.text.is_none()
                && message.interaction_metadata.is_none()
                && !sought
                    .others
                    .iter()
                    .any(|other| Posted::read(other).is_ok_and(|other| other.message == posted.message))
        });
        let is_it =
            |message: &Message| sought.text.as_deref().is_none_or(|text| is_like(&message.content, text, &self.links));
        let found = ours.iter().rev().find(|(_, message)| is_it(message));
        match (found, ours.last()) {
            (Some((posted, _)), _) => Ok(Some(posted.receipt())),
            (None, None) => Ok(None),
            // Older than it can be, but for a difference of clocks: the end of an earlier reply.
            (None, Some((_, last))) if time_ms(&last.id).is_some_and(|at| at < sought.opened_at_ms) => Ok(None),
            (None, Some(_)) => Err(ReplyError::Refused(
                "there is a message of ours in the conversation that may or may not be this one".into(),
            )),
        }
    }

    /// Whether the message is the interaction's own answer. `Some(None)`: it is to be, and editing it again does no harm.
    async fn in_the_answer(
        &self,
        context: &ReplyContext,
        sought: &Sought,
    ) -> Result<Option<Option<Receipt>>, ReplyError> {
        let Some(interaction) = part(&context.thread, location::INTERACTION) else {
            return Ok(None);
        };
        // A question is never in it, and later messages of a reply are not.
        let is_first = sought.text.is_some()
            && !sought.others.iter().any(|other| Posted::read(other).is_ok_and(|other| other.is_answer));
        let marker = context.marker.as_str();
        let holder = self.memory.claim_original(interaction, if is_first { marker } else { "" });
        if holder != marker {
            return Ok(None);
        }
        if Original::of(&self.own, &self.memory, &context.thread).is_some() {
            return Ok(Some(None));
        }
        // The token is gone: the answer is a message like any other, and tells whose it is.
        let Some(began) = time_ms(interaction) else {
            return Ok(None);
        };
        let since = id_at(began.saturating_sub(1_000));
        let ours = self.own_messages(place(context)?, &since, None).await?;
        let answer = ours.into_iter().find(|(_, message)| {
            let of = message.interaction_metadata.as_ref().and_then(|metadata| metadata.id.as_deref());
            of == Some(interaction) && !message.content.is_empty()
        });
        Ok(answer.map(|(posted, _)| Some(Posted { is_answer: true, ..posted }.receipt())))
    }

    /// Our messages after an id, the oldest first; those that reply to `reply_to`, if it is given. None where there is no such channel.
    async fn own_messages(
        &self,
        channel: &str,
        after: &str,
        reply_to: Option<&str>,
    ) -> Result<Vec<(Posted, Message)>, ReplyError> {
        let mut ours = Vec::new();
        let mut after = after.to_owned();
        for _ in 0..PAGES_MAX {
            let page = match self.api.messages(channel, Part::After(&after), PAGE).await {
                Ok(page) => page,
                Err(Failure::Refused(refusal)) if refusal.code == UNKNOWN_CHANNEL => return Ok(Vec::new()),
                Err(failure) => return Err(failure.into()),
            };
            let count = page.len();
            let Some(newest) = page.iter().map(|message| &message.id).max_by_key(|id| (id.len(), id.as_str())) else {
                return Ok(ours);
            };
            after.clone_from(newest);
            let mut page: Vec<Message> = page.into_iter().filter(|message| self.own.is_own_message(message)).collect();
            page.sort_by(|one, other| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
            for message in page {
                let replies_to = message.message_reference.as_ref().and_then(|it| it.message_id.as_deref());
                if reply_to.is_none_or(|root| replies_to == Some(root)) {
                    let posted = Posted { channel: channel.to_owned(), message: message.id.clone(), is_answer: false };
                    ours.push((posted, message));
                }
            }
            if count < PAGE {
                return Ok(ours);
            }
        }
        Err(ReplyError::Refused("too much was said since to look through".into()))
    }
}

/// Whether a message shows this text, or the beginning of it.
fn is_like(content: &str, text: &str, links: &Links) -> bool {
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '`').take(LIKENESS).collect::<String>();
    let (shown, whole) = (bare(content), bare(&render::message(text, links)));
    !shown.is_empty() && (whole.starts_with(&shown) || shown.starts_with(&whole) && !whole.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_like_the_whole() {
        assert!(is_like("Looking", "Looking at the clock. It is late, and the night is long.", &Links::default()));
        assert!(is_like("```rust\nlet x\n```", "```rust\nlet x = 1;\nlet y = 2;\n```", &Links::default()));
        assert!(is_like("Looking at **the** clock", "Looking at **the** clock", &Links::default()));
        for (content, text) in [("Sorry", "Looking"), ("", "Looking"), ("Looking", ""), ("Look there", "Looking at")] {
            assert!(!is_like(content, text, &Links::default()), "{content} {text}");
        }
    }
}
