//! Changes of data ("Webhooks"): comments, issues, reactions, labels and projects.

use reveille_channel::{ActorKind, Kind};
use serde_json::Value;

use super::{Known, Not, Outcome, Said, doer, organization};
use crate::mention::{called, command, without_own};
use crate::payload::{Change, CommentObject, IssueObject, PlainObject, ReactionObject, Top, read};
use crate::place::Parts;

/// Whether a field is there and says something.
fn is_some(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}

pub(super) fn read_comment(known: &Known<'_>, top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let Change { data: comment, actor, updated_from } = read::<Change<CommentObject>>(body)?;
    let is_bot = is_some(comment.bot_actor.as_ref());
    let action = top.action.as_deref().unwrap_or_default();
    let author = comment.user_id.as_deref().or(comment.user.as_ref().and_then(|user| user.id.as_deref()));
    let mut did = doer(actor.as_ref(), comment.user.as_ref(), comment.user_id.as_deref(), is_bot);
    if actor.is_none() && author.is_none() && comment.external_user.is_some() {
        let external = super::actor(comment.external_user.as_ref(), None, ActorKind::External);
        did = external.unwrap_or_else(super::automation);
    }
    let is_new = action == "create";
    if known.own.is_own(Some(&did.id)) || (is_new && known.own.is_own(author)) {
        return Err(Not::Used("our own comment"));
    }
    if is_new && known.own.me().is_none() {
        // Until we know who we are, a loop is worse than a comment that is missed.
        return Err(Not::Used("a comment, before it is known who we are"));
    }
    let issue_id = comment.issue_id.as_deref().or(comment.issue.as_ref().map(|issue| issue.id.as_str()));
    if issue_id.is_none() {
        return Err(Not::Used("a comment outside of an issue"));
    }
    let own = known.own.me().map(|me| me.handles.clone()).unwrap_or_default();
    let text = comment.body.as_deref().unwrap_or_default();
    let calls = called(text, &own);
    let plain = without_own(text, &own);
    let kind = match action {
        "create" if calls.is_own && known.own.has_sessions() => {
            return Err(Not::Used("a mention that comes as an agent session"));
        }
        "create" => match command(plain) {
            Some((name, args)) => Kind::Command { name, args },
            None if calls.is_own => Kind::Mention,
            None => Kind::Message { direct: false, in_thread: comment.parent_id.is_some() },
        },
        "update" if updated_from.as_ref().is_none_or(|before| before.contains_key("body")) => Kind::Edited,
        "update" => return Err(Not::Used("a change of a comment that is not of its text")),
        "remove" => Kind::Deleted,
        _ => return Err(Not::Used("an action on a comment that is not used")),
    };
    let root = comment.parent_id.as_deref().unwrap_or(&comment.id);
    let parts = Parts { issue: comment.issue.as_ref(), issue_id, root: Some(root), ..Parts::default() };
    let mut said = Said::new(parts.thread(organization)?, did, kind);
    if let Some(issue) = &comment.issue {
        said.issue_facts(issue);
    }
    said.fact("author", author);
    said.same = match action {
        "update" => comment.updated_at.as_ref().map(|at| format!("comment:{}:update:{at}", comment.id)),
        _ => Some(format!("comment:{}:{action}", comment.id)),
    };
    said.text = plain.to_owned();
    said.mentions = calls.handles;
    said.message = Some(comment.id);
    Ok(vec![said])
}

pub(super) fn read_issue(known: &Known<'_>, top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let Change { data: issue, actor, updated_from } = read::<Change<IssueObject>>(body)?;
    let is_bot = is_some(issue.bot_actor.as_ref()) && actor.is_none();
    let did = doer(actor.as_ref(), None, issue.creator_id.as_deref(), is_bot);
    if known.own.is_own(Some(&did.id)) {
        return Err(Not::Used("our own act"));
    }
    let action = top.action.as_deref().unwrap_or_default();
    let before = updated_from.unwrap_or_default();
    let kinds = match action {
        "create" => vec![(Kind::Opened, None)],
        "remove" => vec![(Kind::Deleted, None)],
        "update" => update_kinds(&issue, &before),
        _ => return Err(Not::Used("an action on an issue that is not used")),
    };
    let parts = Parts { issue: Some(&issue), ..Parts::default() };
    let thread = parts.thread(organization)?;
    let title = issue.title.as_deref().unwrap_or_default();
    let description = issue.description.as_deref().unwrap_or_default();
    let own = known.own.me().map(|me| me.handles.clone()).unwrap_or_default();
    // What is delegated to us comes as a session too, where there are sessions.
    let is_ours = |id: &Option<String>| known.own.is_own(id.as_deref());
    let is_delegated = !known.own.has_sessions() && (is_ours(&issue.delegate_id) || is_ours(&issue.assignee_id));
    let mut changed: Vec<&str> = before.keys().map(String::as_str).filter(|key| *key != "updatedAt").collect();
    // They make a key: in whatever order they came.
    changed.sort_unstable();
    let said = kinds.into_iter().map(|(kind, label)| {
        let mut said = Said::new(thread.clone(), did.clone(), kind);
        said.issue_facts(&issue);
        said.text = format!("{title}\n\n{description}").trim_end().to_owned();
        said.message = Some(issue.id.clone());
        if matches!(said.kind, Kind::Opened) {
            said.mentions = called(description, &own).handles;
            said.mentions.retain(|handle| !known.own.has_sessions() || !own.contains(handle));
        }
        if matches!(said.kind, Kind::Opened | Kind::Assigned) {
            said.fact("delegated", is_delegated.then_some("true"));
        }
        said.fact("changed", (!changed.is_empty()).then(|| changed.join(",")));
        if let Some((id, name)) = label {
            said.part = Some(format!("label:{id}"));
            said.fact("label", Some(name));
        } else {
            said.part = part_of(&said.kind);
        }
        said.same = match action {
            "update" => {
                issue.updated_at.as_ref().map(|at| format!("issue:{}:update:{at}:{}", issue.id, changed.join(",")))
            }
            _ => Some(format!("issue:{}:{action}", issue.id)),
        };
        said
    });
    Ok(said.collect())
}

/// One update can be several things at once.
fn part_of(kind: &Kind) -> Option<String> {
    let part = match kind {
        Kind::Assigned => "assigned",
        Kind::Edited => "edited",
        _ => return None,
    };
    Some(part.to_owned())
}

/// What an update is, by the fields that had other values before; of labels each one that was put on.
fn update_kinds(issue: &IssueObject, before: &serde_json::Map<String, Value>) -> Vec<(Kind, Option<(String, String)>)> {
    let mut kinds = Vec::new();
    if before.contains_key("assigneeId") || before.contains_key("delegateId") {
        kinds.push((Kind::Assigned, None));
    }
    if let Some(Value::Array(had)) = before.get("labelIds") {
        let had = |id: &str| had.iter().any(|one| one.as_str() == Some(id));
        for label in issue.labels.iter().flatten() {
            if let Some(id) = label.id.clone().filter(|id| !id.is_empty() && !had(id)) {
                let name = label.name.clone().unwrap_or_else(|| id.clone());
                kinds.push((Kind::Labelled { label: name.clone() }, Some((id, name))));
            }
        }
    }
    if before.contains_key("title") || before.contains_key("description") {
        kinds.push((Kind::Edited, None));
    }
    if kinds.is_empty() {
        kinds.push((Kind::Other, None));
    }
    kinds
}

pub(super) fn read_reaction(known: &Known<'_>, top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let Change { data: reaction, actor, .. } = read::<Change<ReactionObject>>(body)?;
    if top.action.as_deref() != Some("create") {
        return Err(Not::Used("a reaction that was taken back"));
    }
    let did = doer(actor.as_ref(), reaction.user.as_ref(), reaction.user_id.as_deref(), false);
    if known.own.is_own(Some(&did.id)) || known.own.is_own(reaction.user_id.as_deref()) {
        return Err(Not::Used("our own reaction"));
    }
    let comment_id = reaction.comment_id.as_deref().or(reaction.comment.as_ref().map(|one| one.id.as_str()));
    let of_comment = reaction.comment.as_ref();
    let issue_id = reaction.issue_id.as_deref().or(of_comment.and_then(|one| one.issue_id.as_deref()));
    let issue = reaction.issue.as_ref().or(of_comment.and_then(|one| one.issue.as_ref()));
    if issue.is_none() && issue_id.is_none() {
        return Err(Not::Used("a reaction outside of an issue"));
    }
    let root = of_comment.and_then(|one| one.parent_id.as_deref()).or(comment_id);
    let parts = Parts { issue, issue_id, root, ..Parts::default() };
    let emoji = reaction.emoji.unwrap_or_default().trim_matches(':').to_owned();
    let mut said = Said::new(parts.thread(organization)?, did, Kind::Reaction { emoji });
    if let Some(issue) = issue {
        said.issue_facts(issue);
    }
    said.message = comment_id.or(issue_id).map(ToOwned::to_owned);
    said.same = Some(format!("reaction:{}", reaction.id));
    Ok(vec![said])
}

/// Labels and projects: nothing is said there, but an agent may be told.
pub(super) fn read_plain(known: &Known<'_>, top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let Change { data: plain, actor, .. } = read::<Change<PlainObject>>(body)?;
    let did = doer(actor.as_ref(), None, None, false);
    if known.own.is_own(Some(&did.id)) {
        return Err(Not::Used("our own act"));
    }
    if !crate::payload::is_id(&plain.id) {
        return Err(reveille_channel::Malformed::new("an id is not of the documented form").into());
    }
    let kind = if top.kind == "Project" { "project" } else { "label" };
    let parts = Parts { other: Some(format!("{kind}:{}", plain.id)), ..Parts::default() };
    let mut said = Said::new(parts.thread(organization)?, did, Kind::Other);
    said.fact(kind, plain.name.clone());
    said.text = format!("{}\n\n{}", plain.name.unwrap_or_default(), plain.description.unwrap_or_default());
    said.text = said.text.trim().to_owned();
    let action = top.action.as_deref().unwrap_or_default();
    said.same = plain.updated_at.map(|at| format!("{kind}:{}:{action}:{at}", plain.id));
    Ok(vec![said])
}
