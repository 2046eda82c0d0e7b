//! GitHub's tools. Each reaches the repository of its own thread and no other: where to act is never the model's word.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reveille_channel::ReplyError;
use reveille_github::{GitHub, Repository};
use serde_json::Value;

use super::{Class, Tool, ToolContext, ToolError, ToolSpec};
use crate::journal::Effect;

pub(super) use read::{GetIssue, ListComments, ListIssues};
pub(super) use write::{AddLabels, PostComment};

/// How long one of these tools may take: a few calls, each with a deadline of its own.
const DEADLINE: Duration = Duration::from_secs(60);

/// The GitHub connections of the gateway, by name.
pub type GitHubConnections = Arc<BTreeMap<String, Arc<GitHub>>>;

/// Where a call acts: the thread's own repository and issue.
struct Place<'a> {
    github: &'a GitHub,
    repository: Repository,
    number: u64,
}

/// The place of the call's thread.
///
/// From a thread on another platform there is none: who may read that thread says nothing about who may read a
/// repository.
fn place<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Place<'a>, ToolError> {
    let elsewhere =
        || ToolError::Failed("This tool works in threads on GitHub, and this thread is elsewhere.".to_owned());
    let github = connections.get(&context.connection).ok_or_else(elsewhere)?;
    let (repository, number) = Repository::of(&context.thread).map_err(|_| elsewhere())?;
    Ok(Place { github, repository, number })
}

/// The tools of these connections.
pub(super) fn tools(connections: &GitHubConnections) -> [Arc<dyn Tool>; 5] {
    [
        Arc::new(GetIssue::new(Arc::clone(connections))),
        Arc::new(ListComments::new(Arc::clone(connections))),
        Arc::new(ListIssues::new(Arc::clone(connections))),
        Arc::new(AddLabels::new(Arc::clone(connections))),
        Arc::new(PostComment::new(Arc::clone(connections))),
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
        platform: Some("github"),
        deadline: DEADLINE,
        output_bytes,
    }
}

/// What GitHub's refusal means to the model.
fn failed(what: &str) -> impl Fn(ReplyError) -> ToolError + '_ {
    move |error| super::thread::failed(what, &error)
}
