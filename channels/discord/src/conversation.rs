//! Asking Discord which conversation a thread or message belongs to, where that cannot be told from what arrived.
//!
//! It is needed seldom: in threads that we started before this process did, and where somebody replies in a channel to a reply
//! of ours. Nothing about it is kept but in memory, since Discord knows it: a thread has the id of the message it was started
//! from, a reply names the message it replies to, and an interaction's answer names the interaction.

use reveille_channel::ReplyError;

use crate::api::Api;
use crate::normalise::Reader;
use crate::normalise::key::{Key, after};
use crate::refusal::{UNKNOWN_CHANNEL, UNKNOWN_MESSAGE};
use crate::transport::Failure;

/// How far back a chain of replies is followed.
const HOPS_MAX: usize = 12;

/// The key, asked for where it has to be.
///
/// # Errors
/// When Discord does not tell now. What does not exist (any more) is a conversation of its own, and no error.
pub(crate) async fn settle(api: &Api, reader: Reader<'_>, key: Key) -> Result<String, ReplyError> {
    let (mut channel, mut message) = match key {
        Key::Known(key) => return Ok(key),
        Key::OfMessage { channel, message } => (channel, message),
    };
    let mut visited = Vec::new();
    let found = loop {
        if visited.len() >= HOPS_MAX || visited.contains(&message) {
            break message;
        }
        let place = match channel.take() {
            Some(place) => place,
            // A thread whose parent is not known yet.
            None => match api.channel(&message).await {
                Ok(thread) => {
                    reader.places.learn(&thread);
                    match thread.parent_id {
                        Some(parent)
                            if thread.owner_id.as_deref().is_none_or(|owner| reader.own.is_own_user(owner)) =>
                        {
                            parent
                        }
                        _ => break message,
                    }
                }
                Err(Failure::Refused(_)) => break message,
                Err(failure) => return Err(failure.into()),
            },
        };
        visited.push(message.clone());
        let mut looked_at = match api.message(&place, &message).await {
            Ok(found) => found,
            // Deleted, or in a place that is not open to us any more.
            Err(Failure::Refused(refusal)) => {
                if !matches!(refusal.code, UNKNOWN_MESSAGE | UNKNOWN_CHANNEL) {
                    tracing::debug!(reason = refusal.said, "the message that a conversation began with cannot be read");
                }
                break message;
            }
            Err(failure) => return Err(failure.into()),
        };
        looked_at.channel_id = place;
        match after(reader, &looked_at) {
            Key::Known(key) => break key,
            Key::OfMessage { channel: next_channel, message: next } => (channel, message) = (next_channel, next),
        }
    };
    for one in visited {
        reader.places.set_conversation(&one, &found);
    }
    Ok(found)
}
