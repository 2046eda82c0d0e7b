//! Discord's tools. Each reaches the server of its own thread, and there the thread's channel and that channel's public threads:
//! where to act is never the model's word beyond them. Arguments are named as Discord names them.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reveille_channel::ReplyError;
use reveille_discord::{Discord, Server};
use serde_json::Value;

use super::{Class, Tool, ToolContext, ToolError, ToolSpec};
use crate::journal::Effect;

/// How long one of these tools may take: a few calls, each with a deadline of its own.
const DEADLINE: Duration = Duration::from_secs(60);

/// The Discord connections of the gateway, by name.
pub type DiscordConnections = Arc<BTreeMap<String, Arc<Discord>>>;

/// The server of the call's thread.
///
/// From a thread on another platform, or a direct message, there is none: who may read that says nothing about who may read
/// a server.
fn server<'a>(connections: &'a DiscordConnections, context: &'a ToolContext) -> Result<Server<'a>, ToolError> {
    let discord = connections.get(&context.connection);
    discord.and_then(|discord| discord.server_of(&context.thread)).ok_or_else(|| {
        ToolError::Failed(
            "This tool works in the channels of a Discord server, and this thread is elsewhere.".to_owned(),
        )
    })
}

/// The tools of these connections.
pub(super) fn tools(connections: &DiscordConnections) -> [Arc<dyn Tool>; 6] {
    let of = || Arc::clone(connections);
    [
        Arc::new(read::GetChannel::new(of())),
        Arc::new(read::ListMessages::new(of())),
        Arc::new(read::ListThreads::new(of())),
        Arc::new(read::GetMember::new(of())),
        Arc::new(write::AddReaction::new(of())),
        Arc::new(write::CreateThread::new(of())),
    ]
}

fn spec(
    name: &'static str,
    description: &'static str,
    parameters: Value,
    (effect, class): (Effect, Class),
    output_bytes: usize,
) -> ToolSpec {
    ToolSpec {
        name,
        description,
        parameters,
        effect,
        class,
        platform: Some("discord"),
        deadline: DEADLINE,
        output_bytes,
    }
}

/// What Discord's refusal means to the model.
fn failed(what: &str) -> impl Fn(ReplyError) -> ToolError + '_ {
    move |error| super::thread::failed(what, &error)
}

/// An argument that is left out or empty.
fn given(argument: Option<&String>) -> Option<&str> {
    argument.map(|text| text.trim()).filter(|text| !text.is_empty())
}
