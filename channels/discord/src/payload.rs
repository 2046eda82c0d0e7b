//! The parts of Discord's JSON that are read. Whatever the documentation lets be absent or null is optional, and what is
//! not known is passed over ("Reference: Nullable and Optional Resource Fields").

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Null stands for nothing there.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// "Interaction Object".
#[derive(Debug, Deserialize)]
pub(crate) struct Interaction {
    pub(crate) id: Option<String>,
    pub(crate) application_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    pub(crate) token: Option<String>,
    pub(crate) data: Option<Data>,
    pub(crate) guild_id: Option<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) channel: Option<Channel>,
    pub(crate) member: Option<Member>,
    pub(crate) user: Option<User>,
    /// The message a component is attached to.
    pub(crate) message: Option<Message>,
}

/// "Interaction Data": of commands, components and modals.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Data {
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) options: Vec<CommandOption>,
    pub(crate) target_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) resolved: Resolved,
    pub(crate) custom_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) values: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) components: Vec<Component>,
}

/// "Application Command Interaction Data Option Structure".
#[derive(Debug, Deserialize)]
pub(crate) struct CommandOption {
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    pub(crate) value: Option<Value>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) options: Vec<CommandOption>,
}

/// "Resolved Data Structure".
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Resolved {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) users: HashMap<String, User>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) messages: HashMap<String, Message>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) attachments: HashMap<String, File>,
}

/// A component of a form, or what holds some ("Component Reference": Label, Action Row, Text Input, ...).
#[derive(Debug, Deserialize)]
pub(crate) struct Component {
    pub(crate) custom_id: Option<String>,
    pub(crate) value: Option<Value>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) values: Vec<Value>,
    pub(crate) component: Option<Box<Component>>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) components: Vec<Component>,
}

/// "User Object".
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct User {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: String,
    pub(crate) username: Option<String>,
    /// The name shown, where the person chose one.
    pub(crate) global_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) bot: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) system: bool,
}

impl User {
    /// What people call them.
    pub(crate) fn shown(&self) -> &str {
        self.global_name.as_deref().or(self.username.as_deref()).unwrap_or(&self.id)
    }
}

/// "Guild Member Object".
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Member {
    pub(crate) user: Option<User>,
    pub(crate) nick: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) roles: Vec<String>,
    /// Has not passed the server's membership screening.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) pending: bool,
    /// May not speak until then.
    pub(crate) communication_disabled_until: Option<String>,
    pub(crate) joined_at: Option<String>,
}

/// "Channel Object", whole or partial; threads are channels.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Channel {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    pub(crate) guild_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) parent_id: Option<String>,
    /// What it is for.
    pub(crate) topic: Option<String>,
    pub(crate) thread_metadata: Option<ThreadMetadata>,
    /// Who made the thread.
    pub(crate) owner_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) newly_created: bool,
}

/// "Thread Metadata Object".
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct ThreadMetadata {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) archived: bool,
}

/// "Message Object", with what the gateway adds.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Message {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) channel_id: String,
    pub(crate) guild_id: Option<String>,
    pub(crate) channel_type: Option<u64>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    pub(crate) author: Option<User>,
    pub(crate) member: Option<Member>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) content: String,
    pub(crate) edited_timestamp: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) mentions: Vec<User>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) mention_roles: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) attachments: Vec<File>,
    /// Only where a message is created: later it is not told.
    pub(crate) nonce: Option<Value>,
    pub(crate) webhook_id: Option<String>,
    pub(crate) application_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) flags: u64,
    pub(crate) message_reference: Option<Reference>,
    pub(crate) referenced_message: Option<Box<Message>>,
    pub(crate) interaction_metadata: Option<Metadata>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) components: Vec<Value>,
}

/// "Message Reference Structure".
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    /// 1 for what was forwarded, else a reply.
    #[serde(rename = "type")]
    pub(crate) kind: Option<u64>,
    pub(crate) message_id: Option<String>,
}

/// "Message Interaction Metadata Object".
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) id: Option<String>,
}

/// "Attachment Object".
#[derive(Debug, Deserialize)]
pub(crate) struct File {
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) url: Option<String>,
}

/// "Message Delete" and "Message Delete Bulk".
#[derive(Debug, Deserialize)]
pub(crate) struct Deleted {
    pub(crate) id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ids: Vec<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) guild_id: Option<String>,
}

/// "Message Reaction Add".
#[derive(Debug, Deserialize)]
pub(crate) struct Reaction {
    pub(crate) user_id: Option<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) guild_id: Option<String>,
    pub(crate) member: Option<Member>,
    pub(crate) emoji: Option<Emoji>,
}

/// "Emoji Object", partial.
#[derive(Debug, Deserialize)]
pub(crate) struct Emoji {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// "Guild Create" and "Guild Delete", and a server as the API shows it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Guild {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) unavailable: Option<bool>,
    pub(crate) owner_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) channels: Vec<Channel>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) threads: Vec<Channel>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) roles: Vec<Role>,
}

/// "Role Object".
#[derive(Debug, Deserialize)]
pub(crate) struct Role {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    /// A set of bits, written as a number in text.
    pub(crate) permissions: Option<String>,
    pub(crate) tags: Option<RoleTags>,
}

/// "Role Tags Structure".
#[derive(Debug, Deserialize)]
pub(crate) struct RoleTags {
    /// The bot that the role was made for.
    pub(crate) bot_id: Option<String>,
}

/// When an id was made, milliseconds since the Unix epoch ("Reference: Snowflakes": 42 bits of time since 2015).
pub(crate) fn time_ms(id: &str) -> Option<i64> {
    const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;
    let number: u64 = id.parse().ok()?;
    i64::try_from(number >> 22).ok()?.checked_add(DISCORD_EPOCH_MS)
}

/// The least id that can have been made at that time.
pub(crate) fn id_at(ms: i64) -> String {
    const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;
    let since = u64::try_from(ms.saturating_sub(DISCORD_EPOCH_MS)).unwrap_or(0);
    since.min(u64::MAX >> 22).checked_shl(22).unwrap_or(0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of "Reference: Snowflakes".
    #[test]
    fn an_id_tells_when_it_was_made() {
        assert_eq!(time_ms("175928847299117063"), Some(1_462_015_105_796));
        assert_eq!(time_ms(&id_at(1_462_015_105_796)), Some(1_462_015_105_796));
        assert_eq!(id_at(i64::MIN), "0");
        assert!(time_ms(&id_at(i64::MAX)).is_some());
        for odd in ["", "x", "-1", "99999999999999999999999"] {
            assert_eq!(time_ms(odd), None, "{odd}");
        }
    }

    #[test]
    fn null_absent_and_unknown_are_survived() {
        let message: Message = serde_json::from_str(
            r#"{"id":"1","channel_id":null,"content":null,"mentions":null,"flags":null,"new":{"a":[1]},"author":null}"#,
        )
        .unwrap();
        assert_eq!((message.id.as_str(), message.channel_id.as_str()), ("1", ""));
        let _: Interaction = serde_json::from_str("{}").unwrap();
        let _: Guild = serde_json::from_str(r#"{"roles":[{"tags":{"premium_subscriber":null}}]}"#).unwrap();
    }
}
