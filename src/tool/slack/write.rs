//! `slack.post_message`: words of the model where others read them.

use async_trait::async_trait;
use reveille_slack::MOST_BYTES;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Place, SlackConnections, failed, patiently, place, slack, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PostArguments {
    /// The public channel's name, such as #deploys; this thread's own channel if left out.
    #[serde(default)]
    channel: Option<String>,
    /// The message, as Markdown.
    text: String,
}

/// `slack.post_message`.
#[derive(Debug)]
pub(super) struct PostMessage {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl PostMessage {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.post_message",
            "Posts a message in this thread's channel or in a public one, outside of this thread. What you answer is posted \
             in the thread by itself: this is for telling others.",
            schema_of::<PostArguments>(),
            (Effect::Once, Class::Egress),
            1_024,
        );
        Self { spec, connections }
    }
}

fn posted(place: &Place) -> String {
    format!("The message is posted in {}.", if place.is_own { "this channel" } else { &place.name })
}

#[async_trait]
impl Tool for PostMessage {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let PostArguments { channel, text } = parse_arguments(arguments)?;
        if text.trim().is_empty() {
            return Err(ToolError::Failed("The message is empty. Nothing was posted.".to_owned()));
        }
        if text.len() > MOST_BYTES {
            let message = format!("The message is longer than {MOST_BYTES} bytes. Nothing was posted: shorten it.");
            return Err(ToolError::Failed(message));
        }
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let place = place(workspace, context, channel.as_deref()).await?;
        let sent = patiently(|| workspace.post(&place.id, None, &text, &context.key)).await;
        sent.map_err(failed("The message"))?;
        Ok(posted(&place))
    }

    async fn look_up(&self, context: &ToolContext, arguments: &Value) -> Result<Option<String>, ToolError> {
        let PostArguments { channel, .. } = parse_arguments(arguments)?;
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        let unknown = |error: ToolError| ToolError::Unknown(error.to_string());
        let place = place(workspace, context, channel.as_deref()).await.map_err(unknown)?;
        let found = workspace.find(&place.id, None, &context.key, context.since_ms).await;
        let found = found.map_err(|error| ToolError::Unknown(format!("the channel cannot be read: {error}")))?;
        Ok(found.map(|_| posted(&place)))
    }
}
