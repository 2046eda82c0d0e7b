//! What came of a turn at the terminal: gathered from what became visible and from the turn's records.

use reveille_local::Shown;
use serde::Serialize;
use serde_json::Value;

use super::records;
use crate::journal::{Body, Outcome, ToolOutcome, Turn, Usage};
use crate::local::Happened;

/// An answer, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The messages that are visible, by id, in order.
    messages: Vec<(String, String)>,
    reactions: Vec<String>,
    turn: Option<Turn>,
    model: Option<String>,
    tool_calls: Vec<ToolUse>,
    ended: Option<(Outcome, Option<String>, Usage)>,
    refused_by: Option<String>,
}

/// A tool call in `--json`. The names stay.
#[derive(Debug, Serialize)]
struct ToolUse {
    id: String,
    name: String,
    arguments: Value,
    /// `ok`, `error` or `unknown`; `null` if it never came to an end.
    outcome: Option<&'static str>,
}

/// An answer in `--json`. The names stay.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    outcome: &'static str,
    reason: Option<String>,
    text: String,
    agent: &'a str,
    model: Option<&'a str>,
    rehearsal: bool,
    instance: &'a str,
    turn: Option<Turn>,
    usage: Usage,
    tool_calls: &'a [ToolUse],
    reactions: &'a [String],
}

impl Answer {
    /// Takes in what happened.
    pub(super) fn take(&mut self, happened: &Happened) {
        match happened {
            Happened::Shown(shown) => self.show(shown),
            Happened::Recorded(record) => self.record(&record.body),
        }
    }

    fn show(&mut self, shown: &Shown) {
        match shown {
            // What is asked, and what became of it, is no part of the answer.
            Shown::Status(_) | Shown::Asked { .. } | Shown::Settled { .. } => {}
            Shown::Begun { id, text } => self.messages.push((id.clone(), text.clone())),
            Shown::Grew { id, text } => {
                if let Some((_, whole)) = self.messages.iter_mut().find(|(one, _)| one == id) {
                    whole.push_str(text);
                }
            }
            Shown::Rewritten { id, text } => match self.messages.iter_mut().find(|(one, _)| one == id) {
                Some((_, whole)) => whole.clone_from(text),
                None => self.messages.push((id.clone(), text.clone())),
            },
            Shown::Reacted { emoji } => self.reactions.push(emoji.clone()),
        }
    }

    fn record(&mut self, body: &Body) {
        match body {
            Body::TurnStarted { turn, .. } => self.turn = Some(*turn),
            // Something that was said, and no answer to a question: those are refused beside the turn.
            Body::Refused { turn, rule, .. } if !is_of_a_question(rule) => {
                (self.turn, self.refused_by) = (Some(*turn), Some(rule.clone()));
            }
            Body::ModelCalled { model, .. } => self.model = Some(model.clone()),
            Body::ModelAnswered { tool_calls, .. } => {
                self.tool_calls.extend(tool_calls.iter().map(|call| ToolUse {
                    id: call.id.clone(),
                    name: call.name.clone(),
                    arguments: call.arguments.clone(),
                    outcome: None,
                }));
            }
            Body::ToolReturned { call, outcome, .. } => {
                // The latest of this id: ids are unique in a step, and steps follow each other.
                if let Some(found) = self.tool_calls.iter_mut().rev().find(|one| one.id == *call) {
                    found.outcome = Some(word(outcome));
                }
            }
            Body::TurnEnded { outcome, reason, usage, .. } => self.ended = Some((*outcome, reason.clone(), *usage)),
            _ => {}
        }
    }

    /// A signal came before its end.
    pub(super) fn interrupt(&mut self) {
        self.ended.get_or_insert_with(|| {
            (Outcome::Aborted, Some("a signal came before it ended".to_owned()), Usage::default())
        });
    }

    /// The text, as it would stand in a thread.
    pub(super) fn text(&self) -> String {
        self.messages.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n\n")
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Outcome {
        self.ended.as_ref().map_or(Outcome::Failed, |(outcome, ..)| *outcome)
    }

    /// The turn's number, once it has begun.
    pub(super) fn turn(&self) -> Option<Turn> {
        self.turn
    }

    /// Why it did not complete, if so.
    pub(super) fn reason(&self) -> Option<String> {
        match (&self.ended, &self.refused_by) {
            (Some((_, reason, _)), _) => reason.clone(),
            (None, Some(rule)) => Some(format!("refused by the rule {rule}")),
            (None, None) => Some("it did not come to an end".to_owned()),
        }
    }

    /// The answer as an object.
    pub(super) fn report<'a>(&'a self, agent: &'a str, instance: &'a str, rehearsal: bool) -> Report<'a> {
        Report {
            outcome: records::outcome(self.outcome()),
            reason: self.reason(),
            text: self.text(),
            agent,
            model: self.model.as_deref(),
            rehearsal,
            instance,
            turn: self.turn,
            usage: self.ended.as_ref().map_or(Usage::default(), |(.., usage)| *usage),
            tool_calls: &self.tool_calls,
            reactions: &self.reactions,
        }
    }
}

/// Whether the rule refuses answers to questions.
fn is_of_a_question(rule: &str) -> bool {
    rule.starts_with("approval.") || rule == "action.stray"
}

/// What came of a tool call, as a word.
pub(super) fn word(outcome: &ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Ok { .. } => "ok",
        ToolOutcome::Error { .. } => "error",
        ToolOutcome::Unknown { .. } => "unknown",
    }
}
