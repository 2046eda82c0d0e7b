//! `discord.add_reaction` and `discord.create_thread`: both are given states, so doing them again does nothing.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{DiscordConnections, failed, given, server, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReactionArguments {
    /// The message's id, as `discord.list_messages` tells it.
    message_id: String,
    /// The emoji's short name, such as eyes, tada or white_check_mark.
    emoji: String,
    /// The id of this thread's channel or of a public thread in it; this thread itself if left out.
    #[serde(default)]
    channel_id: Option<String>,
}

/// `discord.add_reaction`.
#[derive(Debug)]
pub(crate) struct AddReaction {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl AddReaction {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.add_reaction",
            "Puts an emoji on a message of this channel, or of a public thread in it. For the message you are answering there is \
             `thread.react`. Needs \"Add Reactions\" and \"Read Message History\".",
            schema_of::<ReactionArguments>(),
            (Effect::Idempotent, Class::WriteInternal),
            1_024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for AddReaction {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ReactionArguments { message_id, emoji, channel_id } = parse_arguments(arguments)?;
        let server = server(&self.connections, context)?;
        let emoji: String = emoji.trim_matches(':').chars().filter(|c| !c.is_control()).take(64).collect();
        let reacted = server.react(given(channel_id.as_ref()), message_id.trim(), &emoji).await;
        reacted.map_err(failed("The reaction"))?;
        Ok("Done.".to_owned())
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThreadArguments {
    /// The id of a message in this channel.
    message_id: String,
    /// What the thread is called: one line, at most 100 characters.
    name: String,
}

/// `discord.create_thread`.
#[derive(Debug)]
pub(crate) struct CreateThread {
    spec: ToolSpec,
    connections: DiscordConnections,
}

impl CreateThread {
    pub(super) fn new(connections: DiscordConnections) -> Self {
        let spec = spec(
            "discord.create_thread",
            "Starts a public thread from a message of this channel. What you answer gets its thread by itself: this is for a message \
             that others should discuss. Needs \"Create Public Threads\".",
            schema_of::<ThreadArguments>(),
            // Its name is the model's, and everybody in the channel reads it.
            (Effect::Idempotent, Class::Egress),
            1_024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for CreateThread {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ThreadArguments { message_id, name } = parse_arguments(arguments)?;
        let message_id = message_id.trim();
        let server = server(&self.connections, context)?;
        server.start_thread(message_id, &name).await.map_err(failed("The thread"))?;
        Ok(format!("The thread is there. Its id is the message's, {message_id}."))
    }
}
