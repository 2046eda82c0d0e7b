//! What Linear expects around a session besides its answer ("Interaction best practices"): that work on a delegated issue is to be
//! seen on the issue, and that nobody is left with silence.

use reveille_channel::{Event, Kind, ReplyContext, ReplyError};
use serde_json::json;

use crate::api::{IssueChanges, NewActivity};
use crate::client::Failure;
use crate::marker;
use crate::place::{issue_of, session_of};
use crate::workspace::Workspace;

/// What whoever called reads when no agent takes it.
const NOBODY: &str = "No agent here takes this. Whoever runs this bot can let one wake on it.";

/// Types of states in which nobody works on an issue yet.
const BEFORE_WORK: [&str; 3] = ["triage", "backlog", "unstarted"];

/// Moves an issue that was delegated to the first of its team's started states, and sets the app as its delegate if it has none:
/// "If the issue is not in a started, completed or canceled status type, move it to the first status in started". A session
/// that a comment began is a conversation, and moves nothing.
pub(crate) async fn take_up(linear: &Workspace, context: &ReplyContext) -> Result<(), ReplyError> {
    let Some(id) = issue_of(&context.thread) else {
        return Ok(());
    };
    let is_delegation = session_of(&context.thread).is_some() && context.message.as_deref() == Some(id);
    if !is_delegation {
        return Ok(());
    }
    let issue = linear.api.get_issue(id).await?;
    let mut changes = IssueChanges::default();
    let is_before = issue.state.as_ref().is_some_and(|state| BEFORE_WORK.contains(&state.kind.as_str()));
    if let Some(team) = issue.team.as_ref().filter(|_| is_before) {
        let states = linear.api.list_states(&team.id).await?;
        changes.state_id = states.into_iter().find(|state| state.kind == "started").map(|state| state.id);
    }
    if issue.delegate.is_none() {
        changes.delegate_id = linear.own_id();
    }
    if changes == IssueChanges::default() {
        return Ok(());
    }
    linear.api.update_issue(id, &changes).await.map(drop)
}

/// Ends a session that no agent takes with an error: without an activity of ours within ten seconds it would be shown as
/// unresponsive.
pub(crate) async fn decline(linear: &Workspace, event: &Event) -> Result<(), ReplyError> {
    let Some(session) = session_of(&event.thread).filter(|_| event.kind != Kind::Stop) else {
        return Ok(());
    };
    let id = marker::id(&event.id.to_string(), "declined");
    let content = json!({ "type": "error", "body": NOBODY });
    let new = NewActivity { session, id: Some(id), content, is_ephemeral: false, signal: None };
    match linear.api.create_activity(new).await {
        Ok(()) | Err(Failure::Duplicate) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}
