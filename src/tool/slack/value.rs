//! What programs get of Slack: plain data.

use reveille_slack::{Bookmark, Conversation, Person, Said};
use schemars::JsonSchema;
use serde::Serialize;

use crate::tool::answer::time;

/// A channel.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Channel")]
pub(super) struct ChannelValue {
    id: String,
    /// Without `#`.
    name: String,
    topic: String,
    purpose: String,
    /// How many are in it, where Slack says.
    members: Option<u64>,
    is_public: bool,
    /// Whether you are in it.
    is_joined: bool,
    /// Whether another organisation reads along.
    is_shared: bool,
}

impl From<Conversation> for ChannelValue {
    fn from(channel: Conversation) -> Self {
        let Conversation { id, name, topic, purpose, members, is_public, is_joined, is_shared, is_archived: _ } =
            channel;
        Self { id, name, topic, purpose, members, is_public, is_joined, is_shared }
    }
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub(super) struct MessageValue {
    /// Its id.
    ts: String,
    /// The id of who said it.
    author: String,
    /// Markdown.
    text: String,
    at: Option<String>,
    /// How many answers its thread has.
    answers: u64,
}

impl From<Said> for MessageValue {
    fn from(Said { ts, author, text, at_ms, replies }: Said) -> Self {
        Self { ts, author, text, at: time(at_ms), answers: replies }
    }
}

/// Something kept at hand.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Bookmark")]
pub(super) struct BookmarkValue {
    title: String,
    link: String,
}

impl From<Bookmark> for BookmarkValue {
    fn from(Bookmark { title, link }: Bookmark) -> Self {
        Self { title, link }
    }
}

/// Somebody of the workspace.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
pub(super) struct PersonValue {
    id: String,
    name: String,
    title: String,
    /// Such as Europe/Berlin.
    time_zone: String,
    status: String,
    is_bot: bool,
}

impl From<Person> for PersonValue {
    fn from(Person { id, name, title, time_zone, status, is_bot }: Person) -> Self {
        Self { id, name, title, time_zone, status, is_bot }
    }
}
