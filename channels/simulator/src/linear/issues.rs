//! What Linear does and refuses when issues are to be opened, changed or linked.

use serde_json::{Value, json};

use super::graph::{TEAM, What};
use super::hooks::Hook;
use super::rules::{Arguments, Did, Refusal, chosen_id, payload, text};
use super::state::{Fixed, State, now_ms};

fn words(arguments: &Arguments, name: &str) -> Vec<String> {
    let all = arguments.get(name).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn named<'f>(all: &'f [Fixed], id: &str, what: &str) -> Result<&'f Fixed, Refusal> {
    all.iter().find(|one| one.id == id).ok_or_else(|| Refusal::missing(what))
}

pub(super) fn create(state: &mut State, input: &Arguments) -> Did {
    let id = chosen_id(state, input, "Issue")?;
    if text(input, "teamId") != Some(TEAM) {
        return Err(Refusal::missing("Team"));
    }
    let title = text(input, "title").filter(|title| !title.trim().is_empty());
    let title = title.ok_or_else(|| Refusal::input("title must not be empty"))?.to_owned();
    let description = text(input, "description").unwrap_or_default().to_owned();
    let app = state.app();
    let mut issue = state.open(&app.name, &title, &description);
    let made = issue.id.clone();
    if let Some(parent) = text(input, "parentId") {
        let parent = state.issue(parent).ok_or_else(|| Refusal::missing("Issue"))?.identifier.clone();
        issue.parent = Some(parent);
    }
    if let Some(id) = id {
        issue.id = id;
    }
    let changed = issue.id.clone();
    if let Some(place) = state.issue_mut(&made) {
        *place = issue;
    }
    change(state, &changed, input)?;
    let hook = Hook::Issue { id: changed.clone(), action: "create", before: json!({}) };
    Ok((payload("IssuePayload", "issue", What::Issue(changed)), vec![hook]))
}

pub(super) fn update(state: &mut State, id: &str, input: &Arguments) -> Did {
    let issue = state.issue(id).ok_or_else(|| Refusal::missing("Issue"))?.id.clone();
    let before = change(state, &issue, input)?;
    let hook = Hook::Issue { id: issue.clone(), action: "update", before };
    Ok((payload("IssuePayload", "issue", What::Issue(issue)), vec![hook]))
}

/// Changes an issue; what its fields were before.
fn change(state: &mut State, id: &str, input: &Arguments) -> Result<Value, Refusal> {
    let mut changed = state.issue(id).cloned().ok_or_else(|| Refusal::missing("Issue"))?;
    let mut before = Arguments::new();
    let id_of = |all: &[Fixed], name: &str| all.iter().find(|one| one.name == name).map(|one| one.id.clone());
    if let Some(title) = text(input, "title") {
        before.insert("title".into(), json!(changed.title));
        changed.title = title.to_owned();
    }
    if let Some(description) = text(input, "description") {
        before.insert("description".into(), json!(changed.description));
        changed.description = description.to_owned();
    }
    if let Some(priority) = input.get("priority").and_then(Value::as_u64) {
        before.insert("priority".into(), json!(changed.priority));
        changed.priority = u8::try_from(priority)
            .ok()
            .filter(|priority| *priority <= 4)
            .ok_or_else(|| Refusal::input("priority is 0 to 4"))?;
    }
    if let Some(wanted) = text(input, "stateId") {
        before.insert("stateId".into(), json!(id_of(&state.states, &changed.state)));
        changed.state = named(&state.states, wanted, "WorkflowState")?.name.to_owned();
    }
    if let Some(wanted) = text(input, "projectId") {
        changed.project = Some(named(&state.projects, wanted, "Project")?.name.to_owned());
    }
    for (field, place) in [("assigneeId", &mut changed.assignee), ("delegateId", &mut changed.delegate)] {
        if let Some(wanted) = text(input, field) {
            before.insert(field.into(), Value::Null);
            *place = Some(state.user(wanted).ok_or_else(|| Refusal::missing("User"))?.name.clone());
        }
    }
    let had = changed.labels.clone();
    for label in words(input, "labelIds").iter().chain(&words(input, "addedLabelIds")) {
        let name = named(&state.labels, label, "IssueLabel")?.name.to_owned();
        if !changed.labels.contains(&name) {
            changed.labels.push(name);
        }
    }
    for label in words(input, "removedLabelIds") {
        let name = named(&state.labels, &label, "IssueLabel")?.name;
        changed.labels.retain(|one| one != name);
    }
    if had != changed.labels {
        let ids: Vec<_> = had.iter().filter_map(|name| id_of(&state.labels, name)).collect();
        before.insert("labelIds".into(), json!(ids));
    }
    changed.changed_ms = now_ms();
    if let Some(place) = state.issue_mut(id) {
        *place = changed;
    }
    Ok(Value::Object(before))
}

pub(super) fn link(state: &mut State, arguments: &Arguments) -> Did {
    let url = text(arguments, "url").filter(|url| url.starts_with("http"));
    let url = url.ok_or_else(|| Refusal::input("url is no address"))?.to_owned();
    let title = text(arguments, "title").unwrap_or(&url).to_owned();
    let issue = state.issue_mut(text(arguments, "issueId").unwrap_or_default());
    let issue = issue.ok_or_else(|| Refusal::missing("Issue"))?;
    // "Creates a new attachment, or updates existing if the same url and issueId is used."
    issue.links.retain(|(_, known)| *known != url);
    issue.links.push((title, url));
    let what = What::Attachment(issue.id.clone(), issue.links.len() - 1);
    Ok((payload("AttachmentPayload", "attachment", what), Vec::new()))
}
