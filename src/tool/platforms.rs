//! What tools act through: the connections, by platform, and the workspaces; and what the tools of all platforms have in common.
//! Credentials stay inside.

use std::sync::Arc;
use std::time::Duration;

use reveille_channel::ReplyError;
use serde_json::Value;

use super::{
    Class, DiscordConnections, GitHubConnections, LinearConnections, SlackConnections, ToolError, ToolSpec, thread,
};
use crate::journal::Effect;
use crate::workspace::Workspaces;

/// How long one of these tools may take: a few calls, each with a deadline of its own.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a call is made that a platform puts off.
const MOST_TRIES: u32 = 3;

/// The longest wait for another try, milliseconds: well inside the tool's deadline.
const MOST_WAIT_MS: u64 = 15_000;

/// What the gateway has for its tools to act through.
#[derive(Debug, Clone, Default)]
pub struct Platforms {
    /// GitHub's.
    pub github: GitHubConnections,
    /// Linear's.
    pub linear: LinearConnections,
    /// Slack's.
    pub slack: SlackConnections,
    /// Discord's.
    pub discord: DiscordConnections,
    /// Where instances have their files; `None`: nowhere.
    pub workspaces: Option<Arc<Workspaces>>,
}

/// A tool of the platform with which its name begins.
pub(super) fn spec(
    name: &'static str,
    description: &'static str,
    parameters: Value,
    (effect, class): (Effect, Class),
    output_bytes: usize,
) -> ToolSpec {
    let platform = name.split('.').next();
    ToolSpec { name, description, parameters, returns: None, effect, class, platform, deadline: DEADLINE, output_bytes }
}

/// What the platform's refusal means to the model.
pub(super) fn failed(what: &str) -> impl Fn(ReplyError) -> ToolError + '_ {
    move |error| thread::failed(what, &error)
}

/// Makes a call again where it certainly was not done and may be soon: our own pace and short limits of the platform's.
/// The tool's deadline is over all of it.
pub(super) async fn patiently<T, F: Future<Output = Result<T, ReplyError>>>(
    call: impl Fn() -> F,
) -> Result<T, ReplyError> {
    for _ in 1..MOST_TRIES {
        match call().await {
            Err(ReplyError::Retry { after_ms, .. }) if after_ms <= MOST_WAIT_MS => {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
            }
            result => return result,
        }
    }
    call().await
}
