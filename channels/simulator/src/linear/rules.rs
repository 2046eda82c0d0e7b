//! What Linear does and refuses when it is asked to change something.

use serde_json::{Map, Value};

use super::graph::What;
use super::hooks::Hook;
use super::issues;
use super::objects::Activity;
use super::state::{State, is_uuid, now_ms};

/// A refusal, as the API writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) code: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) shown: String,
}

impl Refusal {
    pub(crate) fn input(shown: impl Into<String>) -> Self {
        let (code, kind) = ("INVALID_INPUT", "invalid input");
        Self { message: "Argument Validation Error".to_owned(), code, kind, shown: shown.into() }
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self {
            message: format!("Entity not found: {what}"),
            code: "INPUT_ERROR",
            kind: "invalid input",
            shown: format!("Could not find referenced {what}."),
        }
    }

    fn conflict(what: &str, id: &str) -> Self {
        Self {
            message: format!("conflict on insert of {what}"),
            code: "INPUT_ERROR",
            kind: "invalid input",
            shown: format!("Entity {what} with id {id} already exists."),
        }
    }

    fn forbidden() -> Self {
        Self {
            message: "Forbidden".to_owned(),
            code: "FORBIDDEN",
            kind: "forbidden",
            shown: "You don't have access to this.".to_owned(),
        }
    }
}

/// What a mutation did: what is answered, and what others are told.
pub(crate) type Did = Result<(What, Vec<Hook>), Refusal>;

pub(crate) type Arguments = Map<String, Value>;

pub(crate) fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

pub(crate) fn payload(kind: &'static str, field: &'static str, what: What) -> What {
    What::Payload { kind, field, what: Box::new(what) }
}

/// The id that a caller chose, if it may be one.
pub(crate) fn chosen_id(state: &State, input: &Arguments, what: &str) -> Result<Option<String>, Refusal> {
    match text(input, "id") {
        None => Ok(None),
        Some(id) if !is_uuid(id) => Err(Refusal::input("id must be a UUID")),
        Some(id) if state.has_id(id) => Err(Refusal::conflict(what, id)),
        Some(id) => Ok(Some(id.to_owned())),
    }
}

/// Does a mutation. `None`: there is none of this name.
pub(crate) fn perform(state: &mut State, mutation: &str, arguments: &Arguments) -> Option<Did> {
    let nothing = Arguments::new();
    let input = arguments.get("input").and_then(Value::as_object).unwrap_or(&nothing);
    let id = text(arguments, "id").unwrap_or_default();
    Some(match mutation {
        "agentActivityCreate" => create_activity(state, input),
        "agentSessionUpdate" => update_session(state, id, input),
        "commentCreate" => create_comment(state, input),
        "commentUpdate" => update_comment(state, id, input),
        "reactionCreate" => create_reaction(state, input),
        "issueCreate" => issues::create(state, input),
        "issueUpdate" => issues::update(state, id, input),
        "attachmentLinkURL" => issues::link(state, arguments),
        _ => return None,
    })
}

/// What content of each type has to hold ("Developing the agent interaction", activity content payload).
fn check_content(content: &Value) -> Result<&str, Refusal> {
    let has = |name: &str| content.get(name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let kind = content.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "thought" | "elicitation" | "response" | "error" if has("body") => Ok(kind),
        "action" if has("action") && has("parameter") => Ok(kind),
        "prompt" => Err(Refusal::input("prompts are made by people")),
        _ => Err(Refusal::input(format!("the content is none of an activity: {content}"))),
    }
}

/// What a signal has to come with ("Signals").
fn check_signal(kind: &str, signal: Option<&str>, metadata: Option<&Value>) -> Result<(), Refusal> {
    let is_elicitation = kind == "elicitation";
    let is_option = |option: &Value| option.get("value").and_then(Value::as_str).is_some_and(|value| !value.is_empty());
    match signal {
        None => Ok(()),
        Some("select") => {
            let options = metadata.and_then(|metadata| metadata.get("options")).and_then(Value::as_array);
            let is_right = options.is_some_and(|options| !options.is_empty() && options.iter().all(is_option));
            if is_elicitation && is_right {
                Ok(())
            } else {
                Err(Refusal::input("select needs an elicitation and options"))
            }
        }
        Some("auth") => {
            let has_url = metadata.and_then(|metadata| metadata.get("url")).is_some_and(Value::is_string);
            if is_elicitation && has_url { Ok(()) } else { Err(Refusal::input("auth needs an elicitation and a url")) }
        }
        Some(other) => Err(Refusal::input(format!("an agent does not send the signal {other}"))),
    }
}

fn create_activity(state: &mut State, input: &Arguments) -> Did {
    let id = chosen_id(state, input, "AgentActivity")?;
    let session = text(input, "agentSessionId").unwrap_or_default().to_owned();
    let content = input.get("content").cloned().unwrap_or_default();
    let kind = check_content(&content)?.to_owned();
    let signal = text(input, "signal").map(ToOwned::to_owned);
    let metadata = input.get("signalMetadata").filter(|metadata| !metadata.is_null()).cloned();
    check_signal(&kind, signal.as_deref(), metadata.as_ref())?;
    let ephemeral = input.get("ephemeral").and_then(Value::as_bool).unwrap_or(false);
    if ephemeral && !matches!(kind.as_str(), "thought" | "action") {
        return Err(Refusal::input("only thoughts and actions can be ephemeral"));
    }
    let id = id.unwrap_or_else(|| state.new_id(7));
    let (app, at_ms) = (state.app(), now_ms());
    let found = state.session_mut(&session).ok_or_else(|| Refusal::missing("AgentSession"))?;
    found.first_sign_ms.get_or_insert(at_ms.saturating_sub(found.at_ms));
    for activity in found.activities.iter_mut().filter(|activity| activity.ephemeral) {
        activity.is_replaced = true;
    }
    // "Linear tracks session lifecycle automatically based on the last emitted activity."
    found.status = match kind.as_str() {
        "response" => "complete",
        "error" => "error",
        "elicitation" => "awaitingInput",
        _ => "active",
    }
    .to_owned();
    let body = content.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (issue, root) = (found.issue.clone(), found.comment.clone());
    found.activities.push(Activity {
        id: id.clone(),
        kind: kind.clone(),
        content,
        ephemeral,
        is_replaced: false,
        signal,
        signal_metadata: metadata,
        author: app.name.clone(),
        author_id: app.id.clone(),
        at_ms,
    });
    // "We will automatically create a comment under the comment thread as well."
    let mut hooks = Vec::new();
    if matches!(kind.as_str(), "response" | "error" | "elicitation")
        && let Some(comment) = state.add_comment(&issue, &app, Some(&root), &body, None)
    {
        hooks.push(Hook::Comment { id: comment.id, action: "create" });
    }
    Ok((payload("AgentActivityPayload", "agentActivity", What::Activity(id)), hooks))
}

fn update_session(state: &mut State, id: &str, input: &Arguments) -> Did {
    let at_ms = now_ms();
    let session = state.session_mut(id).ok_or_else(|| Refusal::missing("AgentSession"))?;
    if let Some(plan) = input.get("plan").filter(|plan| !plan.is_null()) {
        let statuses = ["pending", "inProgress", "completed", "canceled"];
        let is_step = |step: &Value| {
            step.get("content").is_some_and(Value::is_string)
                && step.get("status").and_then(Value::as_str).is_some_and(|status| statuses.contains(&status))
        };
        if !plan.as_array().is_some_and(|steps| steps.iter().all(is_step)) {
            return Err(Refusal::input("a plan is a list of steps, each with content and status"));
        }
        session.plan = Some(plan.clone());
    }
    let added: Vec<(String, String)> = input
        .get("addedExternalUrls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("label")?.as_str()?.to_owned(), one.get("url")?.as_str()?.to_owned())))
        .collect();
    for (label, url) in added {
        session.urls.retain(|(_, known)| *known != url);
        session.urls.push((label, url));
        // "Doing so also prevents a new session from being marked unresponsive."
        session.first_sign_ms.get_or_insert(at_ms.saturating_sub(session.at_ms));
    }
    Ok((payload("AgentSessionPayload", "agentSession", What::Session(id.to_owned())), Vec::new()))
}

fn create_comment(state: &mut State, input: &Arguments) -> Did {
    let id = chosen_id(state, input, "Comment")?;
    let body = text(input, "body").filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| Refusal::input("body must not be empty"))?.to_owned();
    let parent = text(input, "parentId").map(ToOwned::to_owned);
    let mut issue = text(input, "issueId").map(ToOwned::to_owned);
    if let Some(parent) = &parent {
        let (of, root) = state.comment(parent).ok_or_else(|| Refusal::missing("Comment"))?;
        if root.parent.is_some() {
            return Err(Refusal::input("comments are nested one level deep"));
        }
        issue.get_or_insert_with(|| of.id.clone());
    }
    let issue = issue.ok_or_else(|| Refusal::input("a comment needs an issue or a parent"))?;
    let app = state.app();
    let made = state.add_comment(&issue, &app, parent.as_deref(), &body, id.as_deref());
    let comment = made.ok_or_else(|| Refusal::missing("Issue"))?;
    let hook = Hook::Comment { id: comment.id.clone(), action: "create" };
    Ok((payload("CommentPayload", "comment", What::Comment(comment.id)), vec![hook]))
}

fn update_comment(state: &mut State, id: &str, input: &Arguments) -> Did {
    let comment = state.comment_mut(id).ok_or_else(|| Refusal::missing("Comment"))?;
    if !comment.is_app {
        return Err(Refusal::forbidden());
    }
    let body = text(input, "body").filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| Refusal::input("body must not be empty"))?.to_owned();
    let before = std::mem::replace(&mut comment.body, body);
    comment.history.push(before);
    let hook = Hook::Comment { id: id.to_owned(), action: "update" };
    Ok((payload("CommentPayload", "comment", What::Comment(id.to_owned())), vec![hook]))
}

fn create_reaction(state: &mut State, input: &Arguments) -> Did {
    let emoji = text(input, "emoji").unwrap_or_default().to_owned();
    let comment = text(input, "commentId").map(ToOwned::to_owned);
    let reactions = match (&comment, text(input, "issueId")) {
        (Some(id), _) => &mut state.comment_mut(id).ok_or_else(|| Refusal::missing("Comment"))?.reactions,
        (None, Some(id)) => &mut state.issue_mut(id).ok_or_else(|| Refusal::missing("Issue"))?.reactions,
        (None, None) => return Err(Refusal::input("a reaction is on something")),
    };
    if reactions.contains(&emoji) {
        return Err(Refusal::conflict("Reaction", "of this emoji"));
    }
    reactions.push(emoji.clone());
    Ok((payload("ReactionPayload", "reaction", What::Reaction(emoji)), Vec::new()))
}
