//! The objects that webhooks carry (the types `...WebhookPayload` of the public schema).

use serde_json::{Value, json};

use super::graph::{ORGANIZATION, TEAM, TEAM_KEY, profile, time, url};
use super::objects::{Activity, LinearComment, LinearIssue, Session};
use super::state::{Person, State};

/// An object with these fields too.
pub(crate) fn with<const N: usize>(mut object: Value, fields: [(&str, Value); N]) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    object
}

pub(crate) fn user(person: &Person) -> Value {
    json!({ "id": person.id, "name": person.name, "email": format!("{}@example.com", person.name),
        "avatarUrl": null, "url": profile(&person.name) })
}

pub(crate) fn actor(person: &Person) -> Value {
    with(user(person), [("type", json!("user"))])
}

fn team() -> Value {
    json!({ "id": TEAM, "key": TEAM_KEY, "name": "Engineering" })
}

pub(crate) fn child(issue: &LinearIssue) -> Value {
    json!({ "id": issue.id, "identifier": issue.identifier, "title": issue.title, "url": url(issue), "team": team(), "teamId": TEAM })
}

pub(crate) fn issue_of(state: &State, issue: &LinearIssue) -> Value {
    let id =
        |name: &Option<String>| name.as_deref().and_then(|name| state.person(name)).map(|person| person.id.clone());
    let labels: Vec<Value> = state
        .labels
        .iter()
        .filter(|label| issue.labels.iter().any(|name| name == label.name))
        .map(|label| json!({ "id": label.id, "name": label.name, "color": "#eb5757", "parentId": null }))
        .collect();
    let label_ids: Vec<_> = labels.iter().filter_map(|label| label.get("id").cloned()).collect();
    let current = state.states.iter().find(|one| one.name == issue.state);
    let current = current.map(|one| json!({ "id": one.id, "name": one.name, "type": one.kind, "color": "#e2e2e2" }));
    let fields = [
        ("description", json!(issue.description)),
        ("createdAt", json!(time(issue.at_ms))),
        ("updatedAt", json!(time(issue.changed_ms))),
        ("number", json!(issue.number)),
        ("priority", json!(issue.priority)),
        ("creatorId", json!(issue.creator_id)),
        ("assigneeId", json!(id(&issue.assignee))),
        ("delegateId", json!(id(&issue.delegate))),
        ("stateId", json!(current.as_ref().and_then(|current| current.get("id").cloned()))),
        ("state", json!(current)),
        ("labels", json!(labels)),
        ("labelIds", json!(label_ids)),
        ("subscriberIds", json!([])),
        ("botActor", Value::Null),
    ];
    with(child(issue), fields)
}

pub(crate) fn comment_child(comment: &LinearComment, issue: &LinearIssue) -> Value {
    json!({ "id": comment.id, "body": comment.body, "issueId": issue.id,
        "userId": (!comment.author_id.is_empty()).then_some(&comment.author_id) })
}

pub(crate) fn session_of(state: &State, session: &Session) -> Value {
    let issue = state.issue(&session.issue);
    let comment = state.comment(&session.comment).map(|(issue, comment)| comment_child(comment, issue));
    let with_description = issue.map(|issue| with(child(issue), [("description", json!(issue.description))]));
    json!({ "id": session.id, "createdAt": time(session.at_ms), "updatedAt": time(session.at_ms), "archivedAt": null,
        "appUserId": state.app().id, "organizationId": ORGANIZATION,
        "creatorId": session.creator_id, "creator": state.user(&session.creator_id).map(user),
        "issueId": issue.map(|issue| issue.id.clone()), "issue": with_description,
        "commentId": session.comment, "comment": comment, "sourceCommentId": null,
        "status": session.status, "type": "commentThread", "startedAt": null, "endedAt": null, "summary": null,
        "sourceMetadata": null, "url": null })
}

pub(crate) fn activity_of(state: &State, session: &Session, activity: &Activity) -> Value {
    json!({ "id": activity.id, "agentSessionId": session.id, "archivedAt": null, "content": activity.content,
        "createdAt": time(activity.at_ms), "updatedAt": time(activity.at_ms), "signal": activity.signal,
        "signalMetadata": activity.signal_metadata, "sourceCommentId": null, "userId": activity.author_id,
        "user": state.user(&activity.author_id).map(user) })
}

/// The summary that Linear puts together for a model.
pub(crate) fn prompt_context(issue: &LinearIssue) -> String {
    format!(
        "<issue identifier=\"{}\">\n<title>{}</title>\n<description>{}</description>\n<team name=\"Engineering\"/>\n</issue>",
        issue.identifier, issue.title, issue.description
    )
}
