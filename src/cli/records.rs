//! Records in a line each, for people.

use super::journal::{count, wall_time};
use crate::journal::{Body, Outcome, ToolOutcome, Verdict};

/// The most characters of somebody's text that are shown.
const LONGEST: usize = 100;

/// What a record says, in a line without its kind.
pub(super) fn line(body: &Body) -> String {
    match body {
        Body::Event { event } => {
            format!("{} by {} in {}: {}", event.name, event.actor.name, event.thread.display, brief(&event.text))
        }
        Body::Refused { turn, rule, .. } => format!("turn {turn}: by {rule}"),
        Body::TurnStarted { turn, events, .. } => format!("turn {turn}: {}", count(events.len(), "event")),
        Body::Steered { turn, events } => format!("turn {turn}: {}", count(events.len(), "more event")),
        Body::ContextShortened { turn, calls, dropped_messages } => {
            let results = count(calls.len(), "tool result");
            format!("turn {turn}: {results} shortened, {} left out", count(*dropped_messages, "message"))
        }
        Body::ModelCalled { turn, step, attempt, model, .. } => {
            format!("turn {turn} step {step} try {attempt}: {model}")
        }
        Body::ModelText { turn, step, text, .. } => format!("turn {turn} step {step}: {}", brief(text)),
        Body::ModelAnswered { turn, step, text, tool_calls, usage, .. } => {
            let calls: Vec<_> = tool_calls.iter().map(|call| call.name.as_str()).collect();
            let calls = if calls.is_empty() { String::new() } else { format!(", calls {}", calls.join(", ")) };
            format!("turn {turn} step {step}: {} tokens{calls}: {}", usage.total(), brief(text))
        }
        Body::ModelFailed { turn, step, error, fatal, .. } => {
            format!("turn {turn} step {step}{}: {}", if *fatal { ", for good" } else { "" }, brief(error))
        }
        Body::ToolCalled { turn, step, call, attempt, .. } => {
            let arguments = brief(&call.arguments.to_string());
            format!("turn {turn} step {step} try {attempt}: {} {arguments}", call.name)
        }
        Body::ToolReturned { turn, step, outcome, .. } => {
            let (word, text) = match outcome {
                ToolOutcome::Ok { content, .. } => ("ok", content),
                ToolOutcome::Error { message } => ("error", message),
                ToolOutcome::Unknown { message } => ("unknown", message),
            };
            format!("turn {turn} step {step}: {word}: {}", brief(text))
        }
        Body::CodeStarted { turn, step, attempt, .. } => format!("turn {turn} step {step} try {attempt}: a program"),
        Body::CodeSuspended { turn, step, requests, waiting, snapshot, .. } => {
            let asks: Vec<_> = requests.iter().map(|call| call.name.as_str()).collect();
            let asks = if asks.is_empty() { String::new() } else { format!(", asks for {}", brief(&asks.join(", "))) };
            let kept = if snapshot.is_some() { ", kept" } else { "" };
            format!("turn {turn} step {step}: waits for {}{kept}{asks}", count(waiting.len(), "call"))
        }
        Body::ApprovalAsked { turn, approval, calls, expires_at_ms, .. } => {
            let until = wall_time(*expires_at_ms);
            format!("turn {turn}: {approval}, for {}, until {until}", count(calls.len(), "call"))
        }
        Body::ApprovalDecided { turn, approval, verdict, by, .. } => {
            let by = by.as_ref().map_or_else(String::new, |actor| format!(" by {}", actor.name));
            format!("turn {turn}: {approval} {}{by}", self::verdict(*verdict))
        }
        Body::QuestionOpened { turn, approval } => format!("turn {turn}: {approval}"),
        Body::QuestionShown { turn, approval, receipt } => format!("turn {turn}: {approval} as {}", receipt.id),
        Body::QuestionClosed { turn, approval, failure } => {
            let failure = failure.as_deref().map_or_else(String::new, |why| format!(": {}", brief(why)));
            format!("turn {turn}: {approval}{failure}")
        }
        Body::ReplyOpened { turn, segment, marker, .. } => format!("turn {turn} message {segment}: marker {marker}"),
        Body::ReplyShown { turn, segment, receipt, end, complete, .. } => {
            let complete = if *complete { ", complete" } else { "" };
            format!("turn {turn} message {segment}: {} up to byte {end}{complete}", receipt.id)
        }
        Body::ReplyFailed { turn, segment, ambiguous, reason } => {
            let ambiguous = if *ambiguous { ", may be visible" } else { "" };
            format!("turn {turn} message {segment}{ambiguous}: {}", brief(reason))
        }
        Body::AlarmSet { name, due_at_ms } => format!("{name} at {}", wall_time(*due_at_ms)),
        Body::AlarmFired { name } => name.clone(),
        Body::TurnEnded { turn, outcome, reason, usage } => {
            let reason = reason.as_deref().map_or_else(String::new, |reason| format!(": {}", brief(reason)));
            format!("turn {turn}: {}, {} tokens{reason}", self::outcome(*outcome), usage.total())
        }
    }
}

/// An outcome as a word.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::Failed => "failed",
        Outcome::Aborted => "aborted",
    }
}

/// What came of an approval, as a word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "approved",
        Verdict::Denied => "denied",
        Verdict::Expired => "expired",
        Verdict::Withdrawn => "withdrawn",
        Verdict::Unasked => "not asked",
    }
}

/// The beginning of a text on one line.
pub(super) fn brief(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LONGEST {
        return words;
    }
    words.chars().take(LONGEST).chain("...".chars()).collect()
}
