//! Tools: what a model can ask the gateway to do.
//!
//! A tool declares its name, its arguments as a Rust type (the JSON Schema is derived), its effect class, its deadline and
//! its output limit. `turn` runs it through the registry and journals intent and result. Credentials stay inside the
//! tool's client; they are in no argument, result or error.

mod answer;
mod arguments;
mod clock;
mod discord;
mod file;
mod github;
mod linear;
mod output;
mod outside;
mod platforms;
mod registry;
mod skill;
mod slack;
#[cfg(test)]
mod tests;
mod thread;
pub mod typescript;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reveille_channel::{Actor, Attachment, Channel, InstanceId, ThreadRef};
use serde_json::Value;

use crate::agent::{Reach, Skill};
use crate::journal::{Durable, Effect};

pub use arguments::{parse_arguments, schema_of, schema_of_value};
pub use discord::DiscordConnections;
pub use github::GitHubConnections;
pub use linear::LinearConnections;
pub use output::cut;
pub use outside::{fenced, from_outside};
pub use platforms::Platforms;
pub use registry::{Registry, RegistryError};
pub use slack::SlackConnections;

/// What a tool is.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// Its name, such as `github.add_labels`.
    pub name: &'static str,
    /// What it does and when to use it, for the model.
    pub description: &'static str,
    /// JSON Schema of its arguments.
    pub parameters: Value,
    /// JSON Schema of the value that a program gets of it; `None`: the text as a string.
    pub returns: Option<Value>,
    /// What it may do to the world.
    pub effect: Effect,
    /// What it means for safety.
    pub class: Class,
    /// The one platform in whose threads it works; `None`: in all. See [`Tool::reaches`].
    pub platform: Option<&'static str>,
    /// How long it may take.
    pub deadline: Duration,
    /// The most bytes of output the model gets; the rest is cut and marked.
    pub output_bytes: usize,
}

/// What a tool means for safety, from harmless to worst. Declared in code; what nobody classed is of the worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Reads what the operator wrote, or the clock.
    ReadTrusted,
    /// Reads what anybody may have written.
    ReadUntrusted,
    /// Changes the place the conversation is in, visibly and revocably.
    WriteInternal,
    /// Puts text of the model's choosing where others read it.
    Egress,
    /// Cannot be taken back, or nobody said what it is.
    #[default]
    Irreversible,
}

/// Where a tool call comes from: everything in it is the gateway's own word, nothing is the model's.
#[derive(Debug, Clone)]
pub struct ToolContext {
    /// The instance that calls.
    pub instance: InstanceId,
    /// The connection of the thread, by name and adapter.
    pub connection: String,
    /// Its adapter.
    pub channel: Arc<dyn Channel>,
    /// The thread.
    pub thread: ThreadRef,
    /// Whose message is being answered.
    pub actor: Actor,
    /// The platform's id of that message.
    pub message: Option<String>,
    /// Files that came with the messages this turn answers.
    pub attachments: Vec<Attachment>,
    /// The idempotency key: the same on every try of this call.
    pub key: String,
    /// The agent's skills.
    pub skills: Arc<Vec<Skill>>,
    /// Where the operator says the agent may act beside the thread's own place.
    pub reach: Arc<Vec<Reach>>,
    /// When the turn began, milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Now, milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// What a call may do, by what is durable of it.
#[derive(Debug, Clone)]
pub enum Leave {
    /// Nothing of the call is in the journal yet: it may look, and no more.
    Look,
    /// Its intent is durable: it may do what its effect says.
    Act(Durable<()>),
}

/// In what form an outcome is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, as a model reads it.
    Text,
    /// The JSON of a value, as a program takes it.
    Value,
}

/// Why a tool did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// It did nothing; the model is told what to do instead.
    #[error("{0}")]
    Failed(String),
    /// The request left and no answer came.
    #[error("{0}")]
    Unknown(String),
}

/// A tool.
///
/// # Writing one
///
/// 1. A struct of arguments with `Deserialize` and `JsonSchema`, `deny_unknown_fields`, and a doc comment on each field: the model reads them.
/// 2. The narrowest true [`Effect`] and the true [`Class`]. A tool of effect `once` implements [`Tool::look_up`].
/// 3. Targets (repository, channel) come from [`ToolContext::thread`] and [`ToolContext::reach`], or are checked against them.
/// 4. Text that others wrote goes through [`from_outside`], piece by piece and short enough that no fence is cut.
/// 5. It may be dropped at any await: whatever it began then counts as begun.
/// 6. Where a program would have to take its text apart, [`Tool::value`] gives the same as data, and `returns` its schema.
#[async_trait]
pub trait Tool: Send + Sync + std::fmt::Debug {
    /// What it is.
    fn spec(&self) -> &ToolSpec;

    /// Does it. Arguments have not been checked yet.
    ///
    /// # Errors
    /// See [`ToolError`].
    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError>;

    /// Does the same for a program, which gets a value and no text to take apart.
    ///
    /// # Errors
    /// See [`ToolError`].
    async fn value(&self, context: &ToolContext, arguments: &Value) -> Result<Value, ToolError> {
        self.call(context, arguments).await.map(Value::String)
    }

    /// Whether a tool of one platform works in threads elsewhere too, where the operator says this of the agent.
    fn reaches(&self, _reach: &[Reach]) -> bool {
        false
    }

    /// After a crash or a lost answer: whether the call with this key was done, and its result. `None`: certainly not done.
    ///
    /// # Errors
    /// [`ToolError::Unknown`] when that cannot be told.
    async fn look_up(&self, _context: &ToolContext, _arguments: &Value) -> Result<Option<String>, ToolError> {
        Err(ToolError::Unknown("this tool cannot tell whether it ran".into()))
    }
}
