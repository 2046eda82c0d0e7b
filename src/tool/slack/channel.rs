//! `slack.get_channel`: what a channel is, before its messages are read.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{SlackConnections, failed, place, slack, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelArguments {
    /// The channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
}

/// `slack.get_channel`.
#[derive(Debug)]
pub(super) struct GetChannel {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl GetChannel {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.get_channel",
            "This thread's channel, or a public one: its name, topic, purpose and how many are in it.",
            schema_of::<ChannelArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            4 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for GetChannel {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ChannelArguments { channel } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let found = workspace.channel(&place.id).await.map_err(failed("The channel"))?;
        let members = found.members.map_or_else(String::new, |members| format!(" Members: {members}."));
        let kind = if found.is_public { "a public channel" } else { "no public channel" };
        let shared = if found.is_shared { " It is shared with another organisation." } else { "" };
        let joined = if found.is_joined { "" } else { " You are not in it." };
        let text = format!("Name: {}\nTopic: {}\nPurpose: {}", found.name, found.topic, found.purpose);
        let fenced = from_outside(context, &[("channel", &place.id)], &text, 2 * 1024);
        Ok(format!("It is {kind}.{shared}{joined}{members}\n\n{fenced}"))
    }
}
