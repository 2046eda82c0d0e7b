//! Which conversation something belongs to.
//!
//! A thread or direct message is a conversation. A message in a channel begins one, under its own id: the thread that is
//! started from it has the same id ("Start Thread from Message"). A command in a channel begins one under the interaction's
//! id. Whoever replies to a message of ours in a channel goes on with the conversation that message is of.

use super::Reader;
use super::place::Spot;
use crate::payload::Message;

/// "Message Reference Types": passed on from elsewhere, and no reply.
const FORWARD: u64 = 1;

/// The key of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// This.
    Known(String),
    /// That of this message, which has to be looked at.
    OfMessage {
        /// Its channel; unknown for the message that a thread was started from, where the thread's parent is not known.
        channel: Option<String>,
        message: String,
    },
}

impl Key {
    /// The best guess where nobody can be asked.
    pub(crate) fn or_itself(self) -> String {
        match self {
            Self::Known(key) | Self::OfMessage { message: key, .. } => key,
        }
    }
}

/// The key of the conversation that a thread is the place of.
pub(super) fn of_thread(reader: Reader<'_>, thread: &str) -> Key {
    if let Some(key) = reader.places.conversation(thread) {
        return Key::Known(key);
    }
    let place = reader.places.get(thread).unwrap_or_default();
    // Only threads that we start can be of another conversation than their own.
    if place.owner.is_some_and(|owner| !reader.own.is_own_user(&owner)) {
        return Key::Known(thread.to_owned());
    }
    Key::OfMessage { channel: place.parent, message: thread.to_owned() }
}

/// The key of the conversation that a message is part of.
pub(super) fn of_message(reader: Reader<'_>, spot: &Spot, message: &Message) -> Key {
    if spot.is_direct() {
        return Key::Known(spot.channel.clone());
    }
    if spot.is_thread() {
        return of_thread(reader, &spot.channel);
    }
    after(reader, message)
}

/// As [`of_message`], for a message in a channel.
pub(crate) fn after(reader: Reader<'_>, message: &Message) -> Key {
    if let Some(key) = reader.places.conversation(&message.id) {
        return Key::Known(key);
    }
    let ours = if reader.own.is_own_message(message) { Some(message) } else { message.referenced_message.as_deref() };
    let Some(ours) = ours.filter(|ours| reader.own.is_own_message(ours)) else {
        return Key::Known(message.id.clone());
    };
    if let Some(interaction) = ours.interaction_metadata.as_ref().and_then(|metadata| metadata.id.clone()) {
        return Key::Known(interaction);
    }
    let reference = ours.message_reference.as_ref().filter(|reference| reference.kind != Some(FORWARD));
    let answered = reference.and_then(|reference| reference.message_id.as_deref());
    match answered {
        // A post of ours that answers nothing (a tool's): what is said to it begins anew.
        None => Key::Known(message.id.clone()),
        Some(answered) => match reader.places.conversation(answered) {
            Some(key) => Key::Known(key),
            None => Key::OfMessage { channel: Some(message.channel_id.clone()), message: answered.to_owned() },
        },
    }
}
