//! `slack.get_channel`: what a channel is, before its messages are read.

use reveille_slack::Conversation;
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::ChannelValue;
use super::{SlackConnections, failed, place, slack};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError, from_outside};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
}

answering_tool!(
    /// `slack.get_channel`.
    GetChannel of SlackConnections, "slack.get_channel",
    "This thread's channel, or a public one: its name, topic, purpose and how many are in it.",
    ChannelArguments, (Read, ReadUntrusted), 4 * 1024 => get_channel -> OneChannel
);

struct OneChannel(Conversation);

impl Answer for OneChannel {
    type Value = ChannelValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self(found) = self;
        let members = found.members.map_or_else(String::new, |members| format!(" Members: {members}."));
        let kind = if found.is_public { "a public channel" } else { "no public channel" };
        let shared = if found.is_shared { " It is shared with another organisation." } else { "" };
        let joined = if found.is_joined { "" } else { " You are not in it." };
        let text = format!("Name: {}\nTopic: {}\nPurpose: {}", found.name, found.topic, found.purpose);
        let fenced = from_outside(context, &[("channel", &found.id)], &text, 2 * 1024);
        format!("It is {kind}.{shared}{joined}{members}\n\n{fenced}")
    }

    fn into_value(self) -> ChannelValue {
        self.0.into()
    }
}

async fn get_channel(
    connections: &SlackConnections,
    context: &ToolContext,
    ChannelArguments { channel }: ChannelArguments,
) -> Result<OneChannel, ToolError> {
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    let place = place(workspace, context, channel.as_deref()).await?;
    workspace.channel(&place.id).await.map_err(failed("The channel")).map(OneChannel)
}
