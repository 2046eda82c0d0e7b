//! `discord.get_channel`, `discord.list_messages`, `discord.list_threads` and `discord.get_member`.

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_discord::Place;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{DiscordConnections, failed, given, server, spec};
use crate::journal::Effect;
use crate::tool::output::fitting;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most bytes of one message.
const MESSAGE_BYTES: usize = 4 * 1024;
/// The most bytes of messages.
const MESSAGES_BYTES: usize = 32 * 1024;
/// The most bytes a list takes.
const LIST_BYTES: usize = 16 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelArguments {
    /// The id of this thread's channel or of a public thread in it; this thread itself if left out.
    #[serde(default)]
    channel_id: Option<String>,
}

/// `discord.get_channel`.
#[derive(Debug)]
pub(crate) struct GetChannel {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl GetChannel {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.get_channel",
            "What this channel or thread is: its name, kind, topic and parent. Needs \"View Channel\".",
            schema_of::<ChannelArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            4 * 1024,
        );
        Self { spec, connections }
    }
}

/// A line on a place.
fn line(place: &Place) -> String {
    let parent = place.parent.as_ref().map(|parent| format!(" in the channel {parent}")).unwrap_or_default();
    let archived = if place.is_archived { ", archived" } else { "" };
    format!("#{} ({}{archived}) id {}{parent}", place.name, place.kind, place.id)
}

#[async_trait]
impl Tool for GetChannel {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ChannelArguments { channel_id } = parse_arguments(arguments)?;
        let server = server(&self.connections, context)?;
        let place = server.place(given(channel_id.as_ref())).await.map_err(failed("The channel"))?;
        let topic = place.topic.as_ref().map(|topic| format!("\nTopic: {topic}")).unwrap_or_default();
        Ok(from_outside(context, &[("what", "channel")], &format!("{}{topic}", line(&place)), LIST_BYTES))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MessagesArguments {
    /// The id of this thread's channel or of a public thread in it; this thread itself if left out.
    #[serde(default)]
    channel_id: Option<String>,
    /// Only messages before the one of this id.
    #[serde(default)]
    before: Option<String>,
    /// How many at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// `discord.list_messages`.
#[derive(Debug)]
pub(crate) struct ListMessages {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl ListMessages {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.list_messages",
            "Messages of this channel, or of a public thread in it, the oldest first, with their ids. Needs \"View Channel\" and \
             \"Read Message History\".",
            schema_of::<MessagesArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            MESSAGES_BYTES + 1_024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListMessages {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let MessagesArguments { channel_id, before, limit } = parse_arguments(arguments)?;
        let limit = limit.map_or(30, |limit| usize::try_from(limit).unwrap_or(100)).clamp(1, 100);
        let server = server(&self.connections, context)?;
        let messages = server
            .messages(given(channel_id.as_ref()), given(before.as_ref()), limit)
            .await
            .map_err(failed("The messages"))?;
        if messages.is_empty() {
            return Ok("There are none.".to_owned());
        }
        // The latest matter most: they are fitted in first.
        let pieces: Vec<String> = messages
            .iter()
            .rev()
            .map(|message| {
                let at = Timestamp::from_millisecond(message.at_ms).unwrap_or_default();
                let at = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
                let from = if message.is_own { "you" } else { &message.author };
                let about = [("id", message.id.as_str()), ("from", from), ("at", &at)];
                from_outside(context, &about, &message.text, MESSAGE_BYTES)
            })
            .collect();
        let (_, left_out) = fitting(pieces.clone(), MESSAGES_BYTES);
        let kept = pieces.len().saturating_sub(left_out);
        let shown: Vec<String> = pieces.into_iter().take(kept).rev().collect();
        let older = if left_out > 0 { format!("[{left_out} older messages do not fit in]\n\n") } else { String::new() };
        Ok(format!("{older}{}", shown.join("\n\n")))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `discord.list_threads`.
#[derive(Debug)]
pub(crate) struct ListThreads {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl ListThreads {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.list_threads",
            "The public threads of this channel that are not archived: to find where something was discussed. Needs \"View Channel\".",
            schema_of::<Nothing>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES + 1_024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListThreads {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let Nothing {} = parse_arguments(arguments)?;
        let threads = server(&self.connections, context)?.threads().await.map_err(failed("The threads"))?;
        if threads.is_empty() {
            return Ok("This channel has no active threads.".to_owned());
        }
        let lines: Vec<String> = threads.iter().map(line).collect();
        Ok(from_outside(context, &[("what", "threads of this channel")], &lines.join("\n"), LIST_BYTES))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberArguments {
    /// The id of a person of this server.
    user_id: String,
}

/// `discord.get_member`.
#[derive(Debug)]
pub(crate) struct GetMember {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl GetMember {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.get_member",
            "A member of this server: names, roles, since when. Needs no permission.",
            schema_of::<MemberArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            4 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for GetMember {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let MemberArguments { user_id } = parse_arguments(arguments)?;
        let server = server(&self.connections, context)?;
        let person = server.member(user_id.trim()).await.map_err(failed("The member"))?;
        let roles = if person.roles.is_empty() { "none".to_owned() } else { person.roles.join(", ") };
        let lines = [
            format!("{} (@{}) id {}", person.shown, person.username, person.id),
            format!("Roles: {roles}"),
            format!("Joined: {}", person.joined_at.as_deref().unwrap_or("not told")),
            format!("A bot: {}", if person.is_bot { "yes" } else { "no" }),
        ];
        Ok(from_outside(context, &[("what", "member")], &lines.join("\n"), LIST_BYTES))
    }
}
