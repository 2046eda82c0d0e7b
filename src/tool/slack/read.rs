//! `slack.list_channels`, `slack.read_channel`, `slack.read_thread`, `slack.list_pins`, `slack.list_bookmarks`.

use jiff::Timestamp;
use reveille_slack::{Bookmark, Conversation, Said};
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{BookmarkValue, ChannelValue, MessageValue};
use super::{SlackConnections, failed, place, slack, within};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::fitting;
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most channels that are listed.
const MOST_CHANNELS: usize = 500;
/// The most bytes a list takes.
const LIST_BYTES: usize = 32 * 1024;
/// The most bytes of one message.
const MESSAGE_BYTES: usize = 4 * 1024;
/// The most bytes of one channel in a list.
const LINE_BYTES: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArguments {
    /// Only channels whose name or topic has this in it.
    #[serde(default)]
    matching: Option<String>,
}

answering_tool!(
    /// `slack.list_channels`.
    ListChannels of SlackConnections, "slack.list_channels", "The public channels of this workspace, with their topics.",
    ListArguments, (Read, ReadUntrusted), LIST_BYTES => list_channels -> Channels
);

struct Channels(Vec<Conversation>);

impl Answer for Channels {
    type Value = Vec<ChannelValue>;

    fn text(&self, context: &ToolContext) -> String {
        let line = |one: &Conversation| {
            let joined = if one.is_joined { "" } else { " (you are not in it)" };
            let topic = one.topic.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("#{}{joined} {topic}", one.name).chars().take(LINE_BYTES).collect()
        };
        if self.0.is_empty() {
            return "There are none.".to_owned();
        }
        let (text, left_out) = fitting(self.0.iter().map(line).collect(), LIST_BYTES.saturating_sub(512));
        let more = if left_out > 0 { format!("\n\n[{left_out} more do not fit in]") } else { String::new() };
        format!("{}{more}", from_outside(context, &[("channels-of", "this workspace")], &text, LIST_BYTES))
    }

    fn into_value(self) -> Vec<ChannelValue> {
        self.0.into_iter().map(Into::into).collect()
    }
}

async fn list_channels(
    connections: &SlackConnections,
    context: &ToolContext,
    ListArguments { matching }: ListArguments,
) -> Result<Channels, ToolError> {
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    within(workspace, context).await?;
    let mut all = workspace.public_channels(MOST_CHANNELS).await.map_err(failed("The list of channels"))?;
    let wanted = matching.unwrap_or_default().to_lowercase();
    all.retain(|one| format!("{} {}", one.name, one.topic).to_lowercase().contains(&wanted));
    Ok(Channels(all))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
    /// How many messages at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
}

answering_tool!(
    /// `slack.read_channel`.
    ReadChannel of SlackConnections, "slack.read_channel",
    "What was said lately in this thread's channel or in a public one, outside of threads, the oldest first. For \
     the thread itself use thread.history.",
    ChannelArguments, (Read, ReadUntrusted), LIST_BYTES => read_channel -> Messages
);

/// Messages of a channel, the oldest first.
struct Messages {
    /// The channel's name.
    name: String,
    said: Vec<Said>,
}

impl Answer for Messages {
    type Value = Vec<MessageValue>;

    /// The latest of them are the first to be fitted in.
    fn text(&self, context: &ToolContext) -> String {
        let Self { name, said } = self;
        if said.is_empty() {
            return format!("There is nothing in {name}.");
        }
        let shown = |one: &Said| {
            let at = Timestamp::from_millisecond(one.at_ms).unwrap_or_default();
            let (at, replies) = (at.strftime("%Y-%m-%d %H:%M UTC").to_string(), one.replies.to_string());
            let about =
                [("from", one.author.as_str()), ("at", &at), ("in", name), ("ts", &one.ts), ("answers", &replies)];
            from_outside(context, &about, &one.text, MESSAGE_BYTES)
        };
        let pieces: Vec<String> = said.iter().rev().map(shown).collect();
        let (_, left_out) = fitting(pieces.clone(), LIST_BYTES.saturating_sub(128));
        let kept = pieces.len() - left_out;
        let older = if left_out > 0 { format!("[{left_out} older messages do not fit in]\n\n") } else { String::new() };
        format!("{older}{}", pieces.into_iter().take(kept).rev().collect::<Vec<_>>().join("\n\n"))
    }

    fn into_value(self) -> Vec<MessageValue> {
        self.said.into_iter().map(Into::into).collect()
    }
}

async fn read_channel(
    connections: &SlackConnections,
    context: &ToolContext,
    ChannelArguments { channel, limit }: ChannelArguments,
) -> Result<Messages, ToolError> {
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    let place = place(workspace, context, channel.as_deref()).await?;
    let limit = limit.unwrap_or(30).clamp(1, 100);
    let said = workspace.history(&place.id, limit).await.map_err(failed(&place.name))?;
    Ok(Messages { name: place.name, said })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThreadArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
    /// The `ts` of the message that the thread is below, as slack.read_channel shows it.
    ts: String,
    /// How many messages at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
}

answering_tool!(
    /// `slack.read_thread`.
    ReadThread of SlackConnections, "slack.read_thread",
    "What was said in another thread of this thread's channel or of a public one, the oldest first. For this thread \
     use thread.history.",
    ThreadArguments, (Read, ReadUntrusted), LIST_BYTES => read_thread -> Messages
);

async fn read_thread(
    connections: &SlackConnections,
    context: &ToolContext,
    ThreadArguments { channel, ts, limit }: ThreadArguments,
) -> Result<Messages, ToolError> {
    let is_ts = ts.len() <= 32 && ts.contains('.') && ts.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_ts {
        let message = "Give the `ts` of the message the thread is below, such as 1700000000.000100.";
        return Err(ToolError::Failed(message.to_owned()));
    }
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    let place = place(workspace, context, channel.as_deref()).await?;
    let limit = usize::try_from(limit.unwrap_or(30).clamp(1, 100)).unwrap_or(30);
    let said = workspace.thread(&place.id, &ts, limit).await.map_err(failed("The thread"))?;
    Ok(Messages { name: place.name, said })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeptArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
}

answering_tool!(
    /// `slack.list_pins`.
    ListPins of SlackConnections, "slack.list_pins",
    "The messages that are pinned in this thread's channel or in a public one: what people there want to find again.",
    KeptArguments, (Read, ReadUntrusted), LIST_BYTES => list_pins -> Messages
);

async fn list_pins(
    connections: &SlackConnections,
    context: &ToolContext,
    KeptArguments { channel }: KeptArguments,
) -> Result<Messages, ToolError> {
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    let place = place(workspace, context, channel.as_deref()).await?;
    let said = workspace.pins(&place.id).await.map_err(failed("What is pinned"))?;
    Ok(Messages { name: place.name, said })
}

answering_tool!(
    /// `slack.list_bookmarks`.
    ListBookmarks of SlackConnections, "slack.list_bookmarks",
    "The bookmarks at the top of this thread's channel or of a public one, with their addresses.",
    KeptArguments, (Read, ReadUntrusted), 16 * 1024 => list_bookmarks -> Bookmarks
);

/// The bookmarks of a channel.
struct Bookmarks {
    /// The channel's name.
    name: String,
    bookmarks: Vec<Bookmark>,
}

impl Answer for Bookmarks {
    type Value = Vec<BookmarkValue>;

    fn text(&self, context: &ToolContext) -> String {
        let Self { name, bookmarks } = self;
        if bookmarks.is_empty() {
            return format!("There are no bookmarks in {name}.");
        }
        let lines: Vec<String> = bookmarks.iter().map(|one| format!("{}: {}", one.title, one.link)).collect();
        from_outside(context, &[("bookmarks-of", name)], &lines.join("\n"), 12 * 1024)
    }

    fn into_value(self) -> Vec<BookmarkValue> {
        self.bookmarks.into_iter().map(Into::into).collect()
    }
}

async fn list_bookmarks(
    connections: &SlackConnections,
    context: &ToolContext,
    KeptArguments { channel }: KeptArguments,
) -> Result<Bookmarks, ToolError> {
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    let place = place(workspace, context, channel.as_deref()).await?;
    let bookmarks = workspace.bookmarks(&place.id).await.map_err(failed("The bookmarks"))?;
    Ok(Bookmarks { name: place.name, bookmarks })
}
