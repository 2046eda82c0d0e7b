//! `thread.history` and `thread.react`: the conversation the agent is in, and nothing beside it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_channel::{ContextMessage, ReplyError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, time, value_of};
use super::output::fitting;
use super::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of, schema_of_value};
use crate::journal::Effect;

/// The most messages that are read at once.
const MOST_MESSAGES: usize = 100;
/// The most bytes of a history.
const HISTORY_BYTES: usize = 32 * 1024;
/// The most bytes of one message.
const MESSAGE_BYTES: usize = 4 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HistoryArguments {
    /// How many messages at most, the latest ones; 30 if left out, 100 at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// `thread.history`.
#[derive(Debug)]
pub(super) struct History(ToolSpec);

impl History {
    pub(super) fn new() -> Self {
        Self(ToolSpec {
            name: "thread.history",
            description: "Earlier messages of this thread, the oldest first. For what was said before you were called.",
            parameters: schema_of::<HistoryArguments>(),
            returns: Some(schema_of_value::<Vec<MessageValue>>()),
            effect: Effect::Read,
            class: Class::ReadUntrusted,
            platform: None,
            deadline: Duration::from_secs(30),
            output_bytes: HISTORY_BYTES,
        })
    }
}

#[async_trait]
impl Tool for History {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        Ok(history(context, arguments).await?.text(context))
    }

    async fn value(&self, context: &ToolContext, arguments: &Value) -> Result<Value, ToolError> {
        value_of(history(context, arguments).await?)
    }
}

/// Messages of the thread, the oldest first.
struct Messages(Vec<ContextMessage>);

/// What programs get of a message.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Message")]
struct MessageValue {
    id: String,
    author: String,
    /// Yours.
    is_own: bool,
    text: String,
    /// Such as 2026-08-01T12:00:00Z.
    at: Option<String>,
}

impl Answer for Messages {
    type Value = Vec<MessageValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.0.is_empty() {
            return "There are no earlier messages.".to_owned();
        }
        // The latest matter most: they are fitted in first.
        let pieces = self.0.iter().rev().map(|message| shown(context, message)).collect::<Vec<_>>();
        let (_, left_out) = fitting(pieces.clone(), HISTORY_BYTES.saturating_sub(128));
        let kept = pieces.len() - left_out;
        let mut text = String::new();
        if left_out > 0 {
            text = format!("[{left_out} older messages do not fit in]\n\n");
        }
        text.push_str(&pieces.into_iter().take(kept).rev().collect::<Vec<_>>().join("\n\n"));
        text
    }

    fn into_value(self) -> Vec<MessageValue> {
        let value = |ContextMessage { id, author, is_own, text, at_ms }: ContextMessage| MessageValue {
            id,
            author,
            is_own,
            text,
            at: time(at_ms),
        };
        self.0.into_iter().map(value).collect()
    }
}

async fn history(context: &ToolContext, arguments: &Value) -> Result<Messages, ToolError> {
    let HistoryArguments { limit } = parse_arguments(arguments)?;
    let limit = limit.map_or(30, |limit| usize::try_from(limit).unwrap_or(MOST_MESSAGES));
    let limit = limit.clamp(1, MOST_MESSAGES);
    let messages = context.channel.context(&context.thread, limit).await;
    let mut messages = messages.map_err(|error| failed("The history", &error))?;
    messages.drain(..messages.len().saturating_sub(limit));
    Ok(Messages(messages))
}

fn shown(context: &ToolContext, message: &ContextMessage) -> String {
    let at = Timestamp::from_millisecond(message.at_ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let from = if message.is_own { "you" } else { &message.author };
    from_outside(context, &[("from", from), ("at", &at)], &message.text, MESSAGE_BYTES)
}

/// What a platform's refusal means to the model, in a sentence that names what was asked for.
pub(super) fn failed(what: &str, error: &ReplyError) -> ToolError {
    match error {
        ReplyError::Unknown(_) => ToolError::Unknown(format!("{what}: {error}.")),
        ReplyError::Retry { reason, .. } => {
            ToolError::Failed(format!("{what} could not be had now: {reason}. Go on without it, or say so."))
        }
        ReplyError::Credentials(_) => {
            ToolError::Failed(format!("{what} is out of this bot's reach: it lacks the permission. Say so."))
        }
        ReplyError::Gone(_) | ReplyError::StreamClosed(_) | ReplyError::Stopped(_) => {
            ToolError::Failed(format!("{what} is not there."))
        }
        ReplyError::Refused(reason) => ToolError::Failed(format!("{what} was refused: {reason}.")),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReactArguments {
    /// The emoji's short name, such as eyes, tada or white_check_mark.
    emoji: String,
}

/// `thread.react`.
#[derive(Debug)]
pub(super) struct React(ToolSpec);

impl React {
    pub(super) fn new() -> Self {
        Self(ToolSpec {
            name: "thread.react",
            description: "Puts an emoji on the message you are answering, where that says enough.",
            parameters: schema_of::<ReactArguments>(),
            returns: None,
            effect: Effect::Idempotent,
            class: Class::WriteInternal,
            platform: None,
            deadline: Duration::from_secs(20),
            output_bytes: 1_024,
        })
    }
}

#[async_trait]
impl Tool for React {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ReactArguments { emoji } = parse_arguments(arguments)?;
        let emoji = emoji.trim_matches(':');
        let is_name = (1..=64).contains(&emoji.len())
            && emoji.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'));
        if !is_name {
            return Err(ToolError::Failed("Give the emoji by its short name, such as `eyes`.".to_owned()));
        }
        let Some(message) = &context.message else {
            return Err(ToolError::Failed("There is no message here that could carry a reaction.".to_owned()));
        };
        match context.channel.react(&context.thread, message, emoji).await {
            Ok(()) => Ok("Done.".to_owned()),
            Err(ReplyError::Refused(_)) => Err(ToolError::Failed(format!(
                "This platform does not take `{emoji}` as a reaction. Try `eyes`, `+1`, `tada` or `heart`."
            ))),
            Err(error) => Err(failed("The reaction", &error)),
        }
    }
}
