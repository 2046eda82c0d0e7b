//! Slack's tools: channels and people of the thread's own workspace.
//!
//! Beside the channel the thread is in, only public channels are within reach, and only for full members, who can read them by
//! themselves: the bot may be in channels that whoever asks is not in, and their conversations are not the bot's to tell. Nor is
//! anything of the workspace told where another organisation reads along.

mod channel;
mod people;
mod read;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_channel::{ReplyError, Role};
use reveille_slack::{Conversation, Here, Slack, Workspace};

use super::platforms::{failed, patiently, spec};
use super::{Tool, ToolContext, ToolError};

/// The most channels among which a name is looked for.
const MOST_CHANNELS: usize = 2_000;

/// The Slack connections of the gateway, by name.
pub type SlackConnections = Arc<BTreeMap<String, Arc<Slack>>>;

/// The tools of these connections.
pub(super) fn tools(connections: &SlackConnections) -> [Arc<dyn Tool>; 8] {
    [
        Arc::new(read::ListChannels::new(Arc::clone(connections))),
        Arc::new(channel::GetChannel::new(Arc::clone(connections))),
        Arc::new(read::ReadChannel::new(Arc::clone(connections))),
        Arc::new(read::ReadThread::new(Arc::clone(connections))),
        Arc::new(read::ListPins::new(Arc::clone(connections))),
        Arc::new(read::ListBookmarks::new(Arc::clone(connections))),
        Arc::new(people::GetPerson::new(Arc::clone(connections))),
        Arc::new(write::PostMessage::new(Arc::clone(connections))),
    ]
}

/// The workspace of the call's thread.
fn slack<'a>(connections: &'a SlackConnections, context: &ToolContext) -> Result<Here<'a>, ToolError> {
    let elsewhere =
        || ToolError::Failed("This tool works in threads on Slack, and this thread is elsewhere.".to_owned());
    let slack = connections.get(&context.connection).ok_or_else(elsewhere)?;
    slack.here(&context.thread).map_err(failed("This workspace"))
}

/// A channel that the call may reach.
struct Place {
    id: String,
    /// How it is called, for the model.
    name: String,
    /// It is the thread's own.
    is_own: bool,
}

/// The channel the model means: the thread's own where it says none, else a public one, for a full member.
async fn place(workspace: Workspace<'_>, context: &ToolContext, channel: Option<&str>) -> Result<Place, ToolError> {
    let own = context.thread.location.get("channel").cloned().unwrap_or_default();
    let wanted = channel.map(str::trim).filter(|channel| !channel.is_empty());
    let Some(wanted) = wanted.filter(|wanted| *wanted != own && wanted.trim_start_matches('#') != own_name(context))
    else {
        return Ok(Place { id: own, name: context.thread.display.clone(), is_own: true });
    };
    within(workspace, context).await?;
    let not_public = || {
        ToolError::Failed(format!(
            "There is no public channel `{}` here. `slack.list_channels` shows those there are.",
            wanted.chars().filter(|c| !c.is_control()).take(80).collect::<String>()
        ))
    };
    let found = if is_id(wanted) {
        match workspace.channel(wanted).await {
            Ok(found) => Some(found),
            Err(ReplyError::Gone(_) | ReplyError::Refused(_)) => None,
            Err(error) => return Err(failed("The channel")(error)),
        }
    } else {
        let name = wanted.trim_start_matches('#').to_lowercase();
        let all = workspace.public_channels(MOST_CHANNELS).await.map_err(failed("The list of channels"))?;
        all.into_iter().find(|one| one.name == name)
    };
    // A private channel is not told apart from one that is not there.
    let found: Conversation = found.filter(|found| found.is_public && !found.is_archived).ok_or_else(not_public)?;
    Ok(Place { name: format!("#{}", found.name), is_own: found.id == own, id: found.id })
}

/// Whether this thread may hear of the rest of the workspace: by who asks, and by who reads the answer.
async fn within(workspace: Workspace<'_>, context: &ToolContext) -> Result<(), ToolError> {
    member(context).await?;
    let own = context.thread.location.get("channel").map(String::as_str).unwrap_or_default();
    // A conversation with the bot alone has no other reader.
    if own.starts_with(['D', 'U', 'W']) {
        return Ok(());
    }
    let refused = |why: &str| {
        Err(ToolError::Failed(format!(
            "{why}: only this thread's own channel is within reach, so that nothing of the workspace gets out."
        )))
    };
    match workspace.channel(own).await {
        Ok(own) if !own.is_shared => Ok(()),
        Ok(_) => refused("This channel is shared with another organisation"),
        Err(error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_))) => Err(failed("This channel")(error)),
        Err(_) => refused("It cannot be told whether this channel is shared with another organisation"),
    }
}

fn own_name(context: &ToolContext) -> &str {
    context.thread.display.trim_start_matches('#')
}

/// Whether it is an id ("Conversation object") and no name, which has no capitals.
fn is_id(text: &str) -> bool {
    text.len() >= 5
        && text.starts_with('C')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Beyond the channel of the thread only full members are helped: guests and strangers see less of the workspace than the bot.
async fn member(context: &ToolContext) -> Result<(), ToolError> {
    match context.channel.permission(&context.actor, &context.thread).await {
        Ok(role) if role >= Role::Member => Ok(()),
        Ok(_) => Err(ToolError::Failed(
            "Whoever asked is no full member of this workspace: only this thread's own channel is within reach for them."
                .to_owned(),
        )),
        Err(error) => Err(super::thread::failed("What the person may see", &error)),
    }
}
