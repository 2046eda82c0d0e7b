//! What programs get of Discord: plain data.

use reveille_channel::ContextMessage;
use reveille_discord::{Person, Place};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tool::answer::time;

/// A channel or thread.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Channel")]
pub(super) struct ChannelValue {
    id: String,
    /// Without `#`.
    name: String,
    /// Such as text channel or public thread.
    kind: String,
    topic: Option<String>,
    /// The id of the channel that a thread is in.
    parent_id: Option<String>,
    is_archived: bool,
}

impl From<Place> for ChannelValue {
    fn from(Place { id, name, kind, topic, parent, is_archived }: Place) -> Self {
        Self { id, name, kind: kind.to_owned(), topic, parent_id: parent, is_archived }
    }
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub(super) struct MessageValue {
    id: String,
    author: String,
    /// Yours.
    is_own: bool,
    text: String,
    at: Option<String>,
}

impl From<ContextMessage> for MessageValue {
    fn from(ContextMessage { id, author, is_own, text, at_ms }: ContextMessage) -> Self {
        Self { id, author, is_own, text, at: time(at_ms) }
    }
}

/// A member of the server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub(super) struct MemberValue {
    id: String,
    username: String,
    /// What people call them there.
    name: String,
    roles: Vec<String>,
    joined_at: Option<String>,
    is_bot: bool,
}

impl From<Person> for MemberValue {
    fn from(Person { id, username, shown, roles, is_bot, joined_at }: Person) -> Self {
        Self { id, username, name: shown, roles, joined_at, is_bot }
    }
}
