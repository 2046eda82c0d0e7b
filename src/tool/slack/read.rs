//! `slack.list_channels`, `slack.read_channel`, `slack.read_thread`, `slack.list_pins`, `slack.list_bookmarks`.

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_slack::Said;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{SlackConnections, failed, place, slack, spec, within};
use crate::journal::Effect;
use crate::tool::output::fitting;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

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

/// `slack.list_channels`.
#[derive(Debug)]
pub(super) struct ListChannels {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl ListChannels {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.list_channels",
            "The public channels of this workspace, with their topics.",
            schema_of::<ListArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListChannels {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ListArguments { matching } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        within(workspace, context).await?;
        let all = workspace.public_channels(MOST_CHANNELS).await.map_err(failed("The list of channels"))?;
        let wanted = matching.unwrap_or_default().to_lowercase();
        let lines: Vec<String> = all
            .iter()
            .filter(|one| format!("{} {}", one.name, one.topic).to_lowercase().contains(&wanted))
            .map(|one| {
                let joined = if one.is_joined { "" } else { " (you are not in it)" };
                let line =
                    format!("#{}{joined} {}", one.name, one.topic.split_whitespace().collect::<Vec<_>>().join(" "));
                line.chars().take(LINE_BYTES).collect()
            })
            .collect();
        if lines.is_empty() {
            return Ok("There are none.".to_owned());
        }
        let (text, left_out) = fitting(lines, LIST_BYTES.saturating_sub(512));
        let more = if left_out > 0 { format!("\n\n[{left_out} more do not fit in]") } else { String::new() };
        Ok(format!("{}{more}", from_outside(context, &[("channels-of", "this workspace")], &text, LIST_BYTES)))
    }
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

/// `slack.read_channel`.
#[derive(Debug)]
pub(super) struct ReadChannel {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl ReadChannel {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.read_channel",
            "What was said lately in this thread's channel or in a public one, outside of threads, the oldest first. For \
             the thread itself use thread.history.",
            schema_of::<ChannelArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ReadChannel {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ChannelArguments { channel, limit } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let limit = limit.unwrap_or(30).clamp(1, 100);
        let said = workspace.history(&place.id, limit).await.map_err(failed(&place.name))?;
        Ok(listed(context, &place.name, &said))
    }
}

/// Messages, the latest of them first to be fitted in.
fn listed(context: &ToolContext, name: &str, said: &[Said]) -> String {
    if said.is_empty() {
        return format!("There is nothing in {name}.");
    }
    let shown = |one: &Said| {
        let at = Timestamp::from_millisecond(one.at_ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC").to_string();
        let replies = one.replies.to_string();
        let about = [("from", one.author.as_str()), ("at", &at), ("in", name), ("ts", &one.ts), ("answers", &replies)];
        from_outside(context, &about, &one.text, MESSAGE_BYTES)
    };
    let pieces: Vec<String> = said.iter().rev().map(shown).collect();
    let (_, left_out) = fitting(pieces.clone(), LIST_BYTES.saturating_sub(128));
    let kept = pieces.len() - left_out;
    let older = if left_out > 0 { format!("[{left_out} older messages do not fit in]\n\n") } else { String::new() };
    format!("{older}{}", pieces.into_iter().take(kept).rev().collect::<Vec<_>>().join("\n\n"))
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

/// `slack.read_thread`.
#[derive(Debug)]
pub(super) struct ReadThread {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl ReadThread {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.read_thread",
            "What was said in another thread of this thread's channel or of a public one, the oldest first. For this thread \
             use thread.history.",
            schema_of::<ThreadArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ReadThread {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ThreadArguments { channel, ts, limit } = parse_arguments(arguments)?;
        let is_ts = ts.len() <= 32 && ts.contains('.') && ts.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_ts {
            let message = "Give the `ts` of the message the thread is below, such as 1700000000.000100.";
            return Err(ToolError::Failed(message.to_owned()));
        }
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let limit = usize::try_from(limit.unwrap_or(30).clamp(1, 100)).unwrap_or(30);
        let said = workspace.thread(&place.id, &ts, limit).await.map_err(failed("The thread"))?;
        Ok(listed(context, &place.name, &said))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeptArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
}

/// `slack.list_pins`.
#[derive(Debug)]
pub(super) struct ListPins {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl ListPins {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.list_pins",
            "The messages that are pinned in this thread's channel or in a public one: what people there want to find again.",
            schema_of::<KeptArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            LIST_BYTES,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListPins {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let KeptArguments { channel } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let pinned = workspace.pins(&place.id).await.map_err(failed("What is pinned"))?;
        Ok(listed(context, &place.name, &pinned))
    }
}

/// `slack.list_bookmarks`.
#[derive(Debug)]
pub(super) struct ListBookmarks {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl ListBookmarks {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.list_bookmarks",
            "The bookmarks at the top of this thread's channel or of a public one, with their addresses.",
            schema_of::<KeptArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            16 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for ListBookmarks {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let KeptArguments { channel } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let kept = workspace.bookmarks(&place.id).await.map_err(failed("The bookmarks"))?;
        if kept.is_empty() {
            return Ok(format!("There are no bookmarks in {}.", place.name));
        }
        let lines: Vec<String> = kept.iter().map(|one| format!("{}: {}", one.title, one.link)).collect();
        Ok(from_outside(context, &[("bookmarks-of", &place.name)], &lines.join("\n"), 12 * 1024))
    }
}
