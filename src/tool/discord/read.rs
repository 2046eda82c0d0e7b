//! `discord.get_channel`, `discord.list_messages`, `discord.list_threads` and `discord.get_member`.

use jiff::Timestamp;
use reveille_channel::ContextMessage;
use reveille_discord::{Person, Place};
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{ChannelValue, MemberValue, MessageValue};
use super::{DiscordConnections, failed, given, server};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::fitting;
use crate::tool::{ToolContext, ToolError, from_outside};

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

answering_tool!(
    /// `discord.get_channel`.
    GetChannel of DiscordConnections, "discord.get_channel",
    "What this channel or thread is: its name, kind, topic and parent. Needs \"View Channel\".",
    ChannelArguments, (Read, ReadUntrusted), 4 * 1024 => get_channel -> OneChannel
);

/// A line on a place.
fn line(place: &Place) -> String {
    let parent = place.parent.as_ref().map(|parent| format!(" in the channel {parent}")).unwrap_or_default();
    let archived = if place.is_archived { ", archived" } else { "" };
    format!("#{} ({}{archived}) id {}{parent}", place.name, place.kind, place.id)
}

struct OneChannel(Place);

impl Answer for OneChannel {
    type Value = ChannelValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self(place) = self;
        let topic = place.topic.as_ref().map(|topic| format!("\nTopic: {topic}")).unwrap_or_default();
        from_outside(context, &[("what", "channel")], &format!("{}{topic}", line(place)), LIST_BYTES)
    }

    fn into_value(self) -> ChannelValue {
        self.0.into()
    }
}

async fn get_channel(
    connections: &DiscordConnections,
    context: &ToolContext,
    ChannelArguments { channel_id }: ChannelArguments,
) -> Result<OneChannel, ToolError> {
    let server = server(connections, context)?;
    server.place(given(channel_id.as_ref())).await.map_err(failed("The channel")).map(OneChannel)
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

answering_tool!(
    /// `discord.list_messages`.
    ListMessages of DiscordConnections, "discord.list_messages",
    "Messages of this channel, or of a public thread in it, the oldest first, with their ids. Needs \"View Channel\" and \
     \"Read Message History\".",
    MessagesArguments, (Read, ReadUntrusted), MESSAGES_BYTES + 1_024 => list_messages -> Messages
);

/// Messages, the oldest first.
struct Messages(Vec<ContextMessage>);

impl Answer for Messages {
    type Value = Vec<MessageValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.0.is_empty() {
            return "There are none.".to_owned();
        }
        let shown = |message: &ContextMessage| {
            let at = Timestamp::from_millisecond(message.at_ms).unwrap_or_default();
            let at = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
            let from = if message.is_own { "you" } else { &message.author };
            let about = [("id", message.id.as_str()), ("from", from), ("at", &at)];
            from_outside(context, &about, &message.text, MESSAGE_BYTES)
        };
        // The latest matter most: they are fitted in first.
        let pieces: Vec<String> = self.0.iter().rev().map(shown).collect();
        let (_, left_out) = fitting(pieces.clone(), MESSAGES_BYTES);
        let kept = pieces.len().saturating_sub(left_out);
        let shown: Vec<String> = pieces.into_iter().take(kept).rev().collect();
        let older = if left_out > 0 { format!("[{left_out} older messages do not fit in]\n\n") } else { String::new() };
        format!("{older}{}", shown.join("\n\n"))
    }

    fn into_value(self) -> Vec<MessageValue> {
        self.0.into_iter().map(Into::into).collect()
    }
}

async fn list_messages(
    connections: &DiscordConnections,
    context: &ToolContext,
    MessagesArguments { channel_id, before, limit }: MessagesArguments,
) -> Result<Messages, ToolError> {
    let limit = limit.map_or(30, |limit| usize::try_from(limit).unwrap_or(100)).clamp(1, 100);
    let server = server(connections, context)?;
    let messages = server.messages(given(channel_id.as_ref()), given(before.as_ref()), limit).await;
    messages.map_err(failed("The messages")).map(Messages)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

answering_tool!(
    /// `discord.list_threads`.
    ListThreads of DiscordConnections, "discord.list_threads",
    "The public threads of this channel that are not archived: to find where something was discussed. Needs \"View Channel\".",
    Nothing, (Read, ReadUntrusted), LIST_BYTES + 1_024 => list_threads -> Threads
);

struct Threads(Vec<Place>);

impl Answer for Threads {
    type Value = Vec<ChannelValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.0.is_empty() {
            return "This channel has no active threads.".to_owned();
        }
        let lines: Vec<String> = self.0.iter().map(line).collect();
        from_outside(context, &[("what", "threads of this channel")], &lines.join("\n"), LIST_BYTES)
    }

    fn into_value(self) -> Vec<ChannelValue> {
        self.0.into_iter().map(Into::into).collect()
    }
}

async fn list_threads(
    connections: &DiscordConnections,
    context: &ToolContext,
    Nothing {}: Nothing,
) -> Result<Threads, ToolError> {
    server(connections, context)?.threads().await.map_err(failed("The threads")).map(Threads)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberArguments {
    /// The id of a person of this server.
    user_id: String,
}

answering_tool!(
    /// `discord.get_member`.
    GetMember of DiscordConnections, "discord.get_member",
    "A member of this server: names, roles, since when. Needs no permission.",
    MemberArguments, (Read, ReadUntrusted), 4 * 1024 => get_member -> OneMember
);

struct OneMember(Person);

impl Answer for OneMember {
    type Value = MemberValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self(person) = self;
        let roles = if person.roles.is_empty() { "none".to_owned() } else { person.roles.join(", ") };
        let lines = [
            format!("{} (@{}) id {}", person.shown, person.username, person.id),
            format!("Roles: {roles}"),
            format!("Joined: {}", person.joined_at.as_deref().unwrap_or("not told")),
            format!("A bot: {}", if person.is_bot { "yes" } else { "no" }),
        ];
        from_outside(context, &[("what", "member")], &lines.join("\n"), LIST_BYTES)
    }

    fn into_value(self) -> MemberValue {
        self.0.into()
    }
}

async fn get_member(
    connections: &DiscordConnections,
    context: &ToolContext,
    MemberArguments { user_id }: MemberArguments,
) -> Result<OneMember, ToolError> {
    let server = server(connections, context)?;
    server.member(user_id.trim()).await.map_err(failed("The member")).map(OneMember)
}
