//! What Linear tells an app of itself ("Interaction best practices", additional webhooks): its inbox, its teams, its end.

use reveille_channel::{Actor, ActorKind, Change, Kind};

use super::{Not, Outcome, Said, actor, automation, organization};
use crate::payload::{NotificationEvent, PermissionEvent, Top, read};
use crate::place::Parts;

/// The inbox repeats what sessions, comments and issues say, so nobody wakes on it unless a rule names it.
pub(super) fn read_notification(top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let NotificationEvent { notification } = read(body)?;
    let did = actor(notification.actor.as_ref(), notification.actor_id.as_deref(), ActorKind::Human);
    let Some(issue) = &notification.issue else {
        return Err(Not::Used("a notification that is not of an issue"));
    };
    let comment = notification.comment.as_ref();
    let root = notification.parent_comment_id.as_deref().or(comment.map(|comment| comment.id.as_str()));
    let parts = Parts { issue: Some(issue), root, ..Parts::default() };
    let mut said = Said::new(parts.thread(organization)?, did.unwrap_or_else(automation), Kind::Other);
    said.issue_facts(issue);
    said.text = comment.and_then(|comment| comment.body.clone()).unwrap_or_default();
    said.message = comment.map(|comment| comment.id.clone()).or_else(|| Some(issue.id.clone()));
    said.same = Some(format!("notification:{}", notification.id));
    Ok(vec![said])
}

/// Teams that the app was let into or shut out of.
pub(super) fn read_permission(top: &Top, body: &[u8]) -> Outcome {
    let event: PermissionEvent = read(body)?;
    let (added, removed) = (event.added_team_ids.unwrap_or_default(), event.removed_team_ids.unwrap_or_default());
    let change = match (added.is_empty(), removed.is_empty()) {
        (false, true) => Kind::Lifecycle { change: Change::Installed },
        _ => Kind::Other,
    };
    let mut said = lifecycle(top, change)?;
    said.fact("added_teams", (!added.is_empty()).then(|| added.join(",")));
    said.fact("removed_teams", (!removed.is_empty()).then(|| removed.join(",")));
    Ok(vec![said])
}

/// The app was removed from the workspace.
pub(super) fn read_app(top: &Top) -> Outcome {
    match top.action.as_deref() {
        Some("revoked") => Ok(vec![lifecycle(top, Kind::Lifecycle { change: Change::Revoked })?]),
        _ => Err(Not::Used("an action on the app that is not used")),
    }
}

fn lifecycle(top: &Top, kind: Kind) -> Result<Said, Not> {
    let parts = Parts { other: Some("installation".to_owned()), ..Parts::default() };
    let linear = Actor { id: "linear".to_owned(), name: "Linear".to_owned(), kind: ActorKind::Bot };
    Ok(Said::new(parts.thread(organization(top)?)?, linear, kind))
}
