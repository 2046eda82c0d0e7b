//! The steps of a reply plan on Linear: activities in an agent session, elsewhere one comment that grows by edits.
//!
//! An activity cannot be changed once it is made. So an answer in a session is posted whole, and what goes on until then
//! are passing thoughts.

use reveille_channel::{Ask, Mode, Op, Receipt, ReplyContext, ReplyError, ThreadRef};
use serde_json::{Value, json};

use crate::api::NewActivity;
use crate::asks;
use crate::client::Failure;
use crate::marker;
use crate::place::Place;
use crate::render::{code, plain};
use crate::workspace::Workspace;

/// What the reply's own message, or question, is called in its id; and what is said when a question is settled.
const REPLY: &str = "reply";
const SETTLED: &str = "settled";

/// What stands before the names of tools in a status line.
const USING: &str = "Using ";

fn receipt(id: String) -> Receipt {
    Receipt { id, mode: Mode::Edit }
}

/// Does one step.
pub(crate) async fn perform(linear: &Workspace, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
    match Place::of(&context.thread)? {
        Place::Session { session } => in_session(linear, context, session, op).await,
        Place::Comments { issue, root } => in_comments(linear, context, issue, root, op).await,
    }
}

async fn in_session(linear: &Workspace, context: &ReplyContext, session: &str, op: &Op) -> Result<Receipt, ReplyError> {
    match op {
        Op::Start { text, .. } => {
            let kind = if context.has_failed { "error" } else { "response" };
            let content = json!({ "type": kind, "body": linear.render(text) });
            lasting(linear, context, session, REPLY, content, None).await
        }
        // It was posted whole, under an id that is of this text alone: what is there is what should be.
        Op::Edit { id, .. } => Ok(receipt(id.clone())),
        Op::Append { .. } | Op::Finish { .. } => {
            Err(ReplyError::Refused("an activity is posted whole; it has no stream".to_owned()))
        }
        Op::Ask(ask) => {
            let options: Vec<Value> = ask
                .choices
                .iter()
                .map(|choice| json!({ "label": choice.label, "value": asks::value(ask, choice) }))
                .collect();
            let content = json!({ "type": "elicitation", "body": question(ask) });
            let signal = Some(("select", json!({ "options": options })));
            let asked = lasting(linear, context, session, REPLY, content, signal).await?;
            linear.asks.open(session, ask);
            Ok(asked)
        }
        Op::Settle { id, ask, outcome } => {
            linear.asks.settle(session, ask);
            // The options go away with the next activity.
            let content = json!({ "type": "thought", "body": plain(outcome) });
            lasting(linear, context, session, SETTLED, content, None).await?;
            Ok(receipt(id.clone()))
        }
        Op::Status { text: None } => Ok(receipt(String::new())),
        Op::Status { text: Some(text) } => {
            let content = match text.strip_prefix(USING) {
                Some(tools) => json!({ "type": "action", "action": USING.trim_end(), "parameter": tools }),
                None => json!({ "type": "thought", "body": plain(text) }),
            };
            let new = NewActivity { session, id: None, content, is_ephemeral: true, signal: None };
            linear.api.create_activity(new).await?;
            Ok(receipt(String::new()))
        }
    }
}

/// Makes an activity that stays, once: Linear refuses its id a second time.
async fn lasting(
    linear: &Workspace,
    context: &ReplyContext,
    session: &str,
    what: &str,
    content: Value,
    signal: Option<(&'static str, Value)>,
) -> Result<Receipt, ReplyError> {
    let id = marker::id(context.marker.as_str(), what);
    let new = NewActivity { session, id: Some(id.clone()), content, is_ephemeral: false, signal };
    match linear.api.create_activity(new).await {
        Ok(()) | Err(Failure::Duplicate) => Ok(receipt(id)),
        Err(failure) => Err(failure.into()),
    }
}

async fn in_comments(
    linear: &Workspace,
    context: &ReplyContext,
    issue: &str,
    root: Option<&str>,
    op: &Op,
) -> Result<Receipt, ReplyError> {
    match op {
        Op::Start { text, .. } => comment(linear, context, issue, root, &linear.render(text)).await,
        Op::Edit { id, text, .. } => {
            linear.api.update_comment(id, &linear.render(text)).await?;
            Ok(receipt(id.clone()))
        }
        Op::Append { .. } | Op::Finish { .. } => {
            Err(ReplyError::Refused("Linear has no streams; a comment is edited".to_owned()))
        }
        Op::Ask(ask) => {
            let choices: Vec<String> = ask.choices.iter().map(|choice| format!("- {}", plain(&choice.label))).collect();
            comment(linear, context, issue, root, &format!("{}\n\n{}", question(ask), choices.join("\n"))).await
        }
        Op::Settle { id, ask, outcome } => {
            linear.api.update_comment(id, &format!("{}\n\n**{}**", question(ask), plain(outcome))).await?;
            Ok(receipt(id.clone()))
        }
        // There is no status line; the comment shows what is going on.
        Op::Status { .. } => Ok(receipt(context.message.clone().unwrap_or_default())),
    }
}

/// Writes the reply's comment; one that is there already gets this text.
async fn comment(
    linear: &Workspace,
    context: &ReplyContext,
    issue: &str,
    root: Option<&str>,
    body: &str,
) -> Result<Receipt, ReplyError> {
    let id = marker::id(context.marker.as_str(), REPLY);
    match linear.api.new_comment(&id, issue, root, body).await {
        Ok(_) => {}
        Err(Failure::Duplicate) => linear.api.update_comment(&id, body).await?,
        Err(failure) => return Err(failure.into()),
    }
    Ok(receipt(id))
}

/// A question with everything it is about, to the letter.
fn question(ask: &Ask) -> String {
    if ask.detail.is_empty() { plain(&ask.title) } else { format!("{}\n\n{}", plain(&ask.title), code(&ask.detail)) }
}

/// Looks for what was posted under the marker.
pub(crate) async fn find(linear: &Workspace, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
    let id = marker::id(context.marker.as_str(), REPLY);
    let is_there = match Place::of(&context.thread)? {
        Place::Session { .. } => linear.api.has_activity(&id).await?,
        Place::Comments { .. } => linear.api.find_comment(&id).await?.is_some(),
    };
    Ok(is_there.then(|| receipt(id)))
}

/// Puts a reaction on a comment, or on the issue itself.
pub(crate) async fn react(
    linear: &Workspace,
    thread: &ThreadRef,
    message: &str,
    emoji: &str,
) -> Result<(), ReplyError> {
    if !crate::payload::is_id(message) {
        return Err(ReplyError::Refused("that is no message's id".to_owned()));
    }
    let is_emoji = (1..=64).contains(&emoji.len())
        && emoji.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'));
    if !is_emoji {
        return Err(ReplyError::Refused(format!("Linear has no reaction {emoji:?}")));
    }
    let is_issue = crate::place::issue_of(thread) == Some(message);
    linear.api.add_reaction((if is_issue { "issueId" } else { "commentId" }, message), emoji).await
}
