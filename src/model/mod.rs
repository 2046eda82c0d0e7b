//! Language models behind one streaming interface.
//!
//! `turn` builds a [`Request`] from records; a [`Provider`] streams the answer as [`Delta`]s. Nothing here reads or
//! writes the journal, and no credential leaves this module: not in errors, not in `Debug`.

mod backoff;
mod fence;
mod hosted;
mod registry;
mod script;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use backoff::{Failure, Try, next_try};
pub use fence::{attribute, fence, inside};
pub use hosted::{Hosted, HostedError, HostedSettings, Protocol};
pub use registry::Models;
pub use script::{Script, ScriptError};

use crate::journal::{StopReason, ToolCall, Usage};

/// What is asked of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The model's name at its provider, without the table's name.
    pub model: String,
    /// The agent's instructions and skills: operator's text.
    pub system: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The tools it may call.
    pub tools: Vec<ToolSchema>,
    /// The most tokens to answer with.
    pub max_tokens: u32,
    /// Sampling temperature, where the agent sets one.
    pub temperature: Option<f64>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// From people (and other text from outside: data, whatever it says).
    User {
        /// The text.
        text: String,
    },
    /// From the model.
    Assistant {
        /// The text; may be empty when it only called tools.
        text: String,
        /// The tools it called.
        tool_calls: Vec<ToolCall>,
    },
    /// A tool's result.
    Tool {
        /// The call's id.
        call: String,
        /// The tool's name.
        name: String,
        /// The result.
        text: String,
        /// It went wrong.
        is_error: bool,
    },
}

/// A tool, as a model is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSchema {
    /// Its name with dots, such as `github.add_labels`. Providers whose names take no dots translate both ways.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// A piece of a streamed answer. A stream that ends without [`Delta::Done`] was cut.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Text that is new.
    Text(String),
    /// A complete tool call. Its arguments are the JSON the model wrote, or a string where that was not JSON.
    ToolCall(ToolCall),
    /// The end.
    Done {
        /// Why.
        stop: StopReason,
        /// What was used.
        usage: Usage,
    },
}

/// Why a model did not answer, in terms of what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Worth another try: overload, rate limit, a cut connection, a cut stream.
    #[error("{reason}")]
    Retry {
        /// What happened, without credentials.
        reason: String,
        /// The provider's `Retry-After`, milliseconds.
        after_ms: Option<u64>,
    },
    /// Another try of the same would end the same: bad key, unknown model, refused request.
    #[error("{reason}")]
    Fatal {
        /// What happened and what to do, without credentials.
        reason: String,
    },
}

/// A language-model provider: one table under `[models]`.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Starts an answer. Makes one try; the caller decides on others.
    ///
    /// # Errors
    /// See [`ModelError`].
    async fn stream(&self, request: &Request) -> Result<BoxStream<'static, Result<Delta, ModelError>>, ModelError>;

    /// A cheap live check of endpoint and credential, for `reveille doctor`: what was found, in a few words.
    ///
    /// # Errors
    /// See [`ModelError`].
    async fn check(&self) -> Result<String, ModelError>;
}
