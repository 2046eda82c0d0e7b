//! Agent sessions ("Developing the agent interaction", "Signals"): somebody called us or delegated an issue to us, said
//! more, or wants us to stop.

use reveille_channel::{ActorKind, Kind};

use super::{Known, Not, Outcome, Said, actor, automation, organization};
use crate::mention::{called, command, without_own};
use crate::payload::{SessionEvent, SessionObject, Top, is_id, read};
use crate::place::Parts;

/// What Linear writes itself as the root comment of a session that no comment began.
const NOT_A_COMMENT: &str = "This thread is for an agent session";

/// The most of Linear's own summary of an issue that becomes text of an event, bytes.
const CONTEXT_BYTES: usize = 64 * 1024;

pub(super) fn read_session(known: &Known<'_>, top: &Top, body: &[u8]) -> Outcome {
    let organization = organization(top)?;
    let event: SessionEvent = read(body)?;
    let said = match top.action.as_deref() {
        Some("created") => created(known, organization, event)?,
        Some("prompted") => prompted(known, organization, event)?,
        _ => return Err(Not::Used("an action on a session that is not used")),
    };
    Ok(vec![said])
}

fn said(session: &SessionObject, organization: &str, did: reveille_channel::Actor, kind: Kind) -> Result<Said, Not> {
    let parts = Parts {
        session: Some(&session.id),
        issue: session.issue.as_ref(),
        issue_id: session.issue_id.as_deref(),
        ..Parts::default()
    };
    let mut said = Said::new(parts.thread(organization)?, did, kind);
    if let Some(issue) = &session.issue {
        said.issue_facts(issue);
    }
    Ok(said)
}

fn created(known: &Known<'_>, organization: &str, event: SessionEvent) -> Result<Said, Not> {
    let session = event.agent_session;
    let creator_id = session.creator_id.as_deref();
    let did = actor(session.creator.as_ref(), creator_id, ActorKind::Human).unwrap_or_else(automation);
    if known.own.is_own(Some(&did.id)) {
        return Err(Not::Used("our own session"));
    }
    let comment = session.comment.as_ref().filter(|comment| {
        let text = comment.body.as_deref().unwrap_or_default();
        !text.trim().is_empty() && !text.contains(NOT_A_COMMENT)
    });
    let kind = if comment.is_some() { Kind::Mention } else { Kind::Assigned };
    let mut said = said(&session, organization, did, kind)?;
    let issue = session.issue.as_ref();
    let context = event.prompt_context.filter(|context| !context.trim().is_empty()).or_else(|| {
        let issue = issue?;
        let title = issue.title.as_deref().unwrap_or_default();
        let description = issue.description.as_deref().unwrap_or_default();
        Some(format!("{}: {title}\n\n{description}", said.thread.display).trim_end().to_owned())
    });
    let mut context = context.unwrap_or_default();
    context.truncate(context.floor_char_boundary(CONTEXT_BYTES));
    match comment {
        Some(comment) => {
            let own = known.own.me().map(|me| me.handles.clone()).unwrap_or_default();
            let text = comment.body.as_deref().unwrap_or_default();
            said.mentions = called(text, &own).handles;
            said.text = format!("{}\n\n{context}", without_own(text, &own)).trim_end().to_owned();
            said.message =
                session.source_comment_id.clone().filter(|id| is_id(id)).or_else(|| Some(comment.id.clone()));
            said.fact("trigger", Some("mention"));
        }
        None => {
            said.text = context;
            said.message = issue.map(|issue| issue.id.clone());
            said.fact("trigger", Some("delegation"));
            said.fact("delegated", Some("true"));
        }
    }
    said.same = Some(format!("session:{}", session.id));
    Ok(said)
}

fn prompted(known: &Known<'_>, organization: &str, event: SessionEvent) -> Result<Said, Not> {
    let session = event.agent_session;
    let Some(activity) = event.agent_activity else {
        return Err(reveille_channel::Malformed::new("a prompt without its activity").into());
    };
    let did = actor(activity.user.as_ref(), activity.user_id.as_deref(), ActorKind::Human).unwrap_or_else(automation);
    if known.own.is_own(Some(&did.id)) {
        return Err(Not::Used("our own act"));
    }
    let text = activity.content.and_then(|content| content.body).or(activity.body).unwrap_or_default();
    let own = known.own.me().map(|me| me.handles.clone()).unwrap_or_default();
    let plain = without_own(&text, &own);
    let kind = if activity.signal.as_deref() == Some("stop") {
        Kind::Stop
    } else if let Some((reference, choice)) = known.asks.answer(&session.id, &text) {
        Kind::Action { reference, choice }
    } else if let Some((name, args)) = command(plain) {
        Kind::Command { name, args }
    } else {
        Kind::Message { direct: false, in_thread: true }
    };
    let mut said = said(&session, organization, did, kind)?;
    said.mentions = called(&text, &own).handles;
    said.text = plain.to_owned();
    said.message = activity.source_comment_id.filter(|id| is_id(id));
    if matches!(said.kind, Kind::Stop) {
        // A rule that names prompts is to hear prompts.
        said.name = Some("AgentSessionEvent.stop");
    }
    said.same = activity.id.map(|id| format!("activity:{id}"));
    Ok(said)
}
