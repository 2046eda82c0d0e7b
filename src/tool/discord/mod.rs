//! Discord's tools. Each reaches the server of its own thread, and there the thread's channel and that channel's public threads:
//! where to act is never the model's word beyond them. Arguments are named as Discord names them.

mod read;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_discord::{Discord, Server};

use super::platforms::{failed, spec};
use super::{Tool, ToolContext, ToolError};

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

/// An argument that is left out or empty.
fn given(argument: Option<&String>) -> Option<&str> {
    argument.map(|text| text.trim()).filter(|text| !text.is_empty())
}
