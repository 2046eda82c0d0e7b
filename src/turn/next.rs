//! What is to be done: a pure function of the state.

use reveille_channel::{EventId, Kind};

use super::state::{InstanceState, Pending, Running};
use crate::journal::{Concurrency, Outcome, Step, Turn};
use crate::model::Message;

/// How a reason begins that is of a model; what follows are its server's words.
pub const NO_ANSWER: &str = "the model did not answer";

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing, until something happens or this time comes (milliseconds since the Unix epoch).
    Rest {
        /// The next alarm.
        until: Option<i64>,
    },
    /// This.
    Do(Todo),
}

/// One step. It stays the next one until a record changes the state, so a performer has to know what it is doing already.
#[derive(Debug, Clone, PartialEq)]
pub enum Todo {
    /// Decide whether these events may wake the agent; then refuse them, start a turn or let them join the running one.
    Consider {
        /// The events, in the order of the thread.
        events: Vec<EventId>,
    },
    /// Shorten what the model sees, so that the request fits its window.
    Shorten {
        /// The running turn.
        turn: Turn,
        /// The calls whose output is shortened, oldest first.
        calls: Vec<String>,
        /// How many of the oldest messages are left out.
        dropped_messages: usize,
    },
    /// Call the model.
    CallModel {
        /// The running turn.
        turn: Turn,
        /// The call's number.
        step: Step,
        /// The next try.
        attempt: u32,
    },
    /// Run the tool calls that have no result.
    CallTools {
        /// The running turn.
        turn: Turn,
        /// The model call that asked.
        step: Step,
        /// The calls' ids.
        calls: Vec<String>,
    },
    /// End the turn.
    End {
        /// The running turn.
        turn: Turn,
        /// How.
        outcome: Outcome,
        /// Why, for the thread.
        reason: Option<String>,
    },
}

/// Output of a tool that stays when it is shortened, bytes.
pub(super) const SHORTENED_BYTES: usize = 400;

impl InstanceState {
    /// What is to be done next.
    #[must_use]
    pub fn next(&self) -> Next {
        let waiting = || self.pending.iter().map(|pending| pending.event.id).collect::<Vec<_>>();
        let Some(running) = &self.running else {
            if self.pending.is_empty() {
                return Next::Rest { until: self.next_alarm().map(|(_, due)| due) };
            }
            return Next::Do(Todo::Consider { events: waiting() });
        };
        let prompt = matches!(running.limits.concurrency, Concurrency::Interrupt | Concurrency::Drop);
        if prompt && !self.pending.is_empty() {
            return Next::Do(Todo::Consider { events: waiting() });
        }
        // What may end the turn does not wait for its next step. What else waits goes on waiting: a model that is being called
        // would not see it.
        let may_end = |pending: &&Pending| matches!(pending.event.kind, Kind::Stop | Kind::Deleted);
        let ending: Vec<EventId> = self.pending.iter().filter(may_end).map(|pending| pending.event.id).collect();
        if !ending.is_empty() {
            return Next::Do(Todo::Consider { events: ending });
        }
        if let Some(reason) = running.over() {
            // An answer that is there is not called unfinished for what it cost.
            return match running.at_rest && running.model.is_none() {
                true => end(running, Outcome::Completed, None),
                false => end(running, Outcome::Failed, Some(reason)),
            };
        }
        // Answers to what people were asked do not wait either.
        let answers = |pending: &&Pending| matches!(pending.event.kind, Kind::Action { .. });
        let answering: Vec<EventId> = self.pending.iter().filter(answers).map(|pending| pending.event.id).collect();
        if !answering.is_empty() {
            return Next::Do(Todo::Consider { events: answering });
        }
        let open = running.calls.iter().filter(|call| call.outcome.is_none());
        let ready: Vec<String> =
            open.clone().filter(|call| self.can_go_on(running, call)).map(|call| call.call.id.clone()).collect();
        if !ready.is_empty() {
            return Next::Do(Todo::CallTools { turn: running.turn, step: running.step, calls: ready });
        }
        if open.count() > 0 {
            return Next::Rest { until: self.next_alarm().map(|(_, due)| due) };
        }
        if let Some(model) = &running.model {
            return call_model(running, running.step, model.attempt.saturating_add(1));
        }
        if running.limits.concurrency == Concurrency::Steer && !self.pending.is_empty() {
            return Next::Do(Todo::Consider { events: waiting() });
        }
        if running.at_rest {
            return end(running, Outcome::Completed, None);
        }
        if running.step >= running.limits.model_calls {
            let reason = format!("it used its {} model calls without coming to an answer", running.limits.model_calls);
            return end(running, Outcome::Failed, Some(reason));
        }
        if let Some(shorten) = self.shorten(running) {
            return Next::Do(shorten);
        }
        call_model(running, running.step.saturating_add(1), 1)
    }

    /// What has to go so that the conversation fits the window: first old tool output, then the oldest messages.
    fn shorten(&self, running: &Running) -> Option<Todo> {
        let window = usize::try_from(running.limits.window_tokens.saturating_mul(4)).unwrap_or(usize::MAX);
        // A fifth is for the instructions, the tools and the answer.
        let budget = window / 5 * 4;
        let mut excess =
            self.conversation.iter().map(|entry| weight(&entry.message)).sum::<usize>().checked_sub(budget)?;
        if excess == 0 {
            return None;
        }
        let mut calls = Vec::new();
        for entry in &self.conversation {
            if let Message::Tool { call, text, .. } = &entry.message
                && text.len() > SHORTENED_BYTES.saturating_mul(2)
                && excess > 0
            {
                calls.push(call.clone());
                excess = excess.saturating_sub(text.len() - SHORTENED_BYTES);
            }
        }
        let mut dropped_messages = 0;
        if excess > 0 && calls.is_empty() {
            // Whole turns, so that no tool result loses its call; never the running turn.
            for entry in self.conversation.iter().take_while(|entry| entry.turn < running.turn) {
                dropped_messages += 1;
                excess = excess.saturating_sub(weight(&entry.message));
                let next_turn = self.conversation.get(dropped_messages).map(|next| next.turn);
                if excess == 0 && next_turn != Some(entry.turn) {
                    break;
                }
            }
        }
        let useful = !calls.is_empty() || dropped_messages > 0;
        useful.then_some(Todo::Shorten { turn: running.turn, calls, dropped_messages })
    }
}

impl Running {
    /// Why the turn cannot go on, if so.
    fn over(&self) -> Option<String> {
        if self.overdue {
            return Some(format!("it took longer than {} minutes", self.limits.wall_ms / 60_000));
        }
        if self.usage.total() > self.limits.tokens {
            return Some(format!("it used more than its {} model tokens", self.limits.tokens));
        }
        if self.tool_calls > self.limits.tool_calls {
            return Some(format!("it asked for more than its {} tool calls", self.limits.tool_calls));
        }
        let model = self.model.as_ref()?;
        if model.fatal {
            return Some(format!("{NO_ANSWER}: {}", model.failed.as_deref().unwrap_or("unknown reason")));
        }
        None
    }
}

fn call_model(running: &Running, step: Step, attempt: u32) -> Next {
    Next::Do(Todo::CallModel { turn: running.turn, step, attempt })
}

fn end(running: &Running, outcome: Outcome, reason: Option<String>) -> Next {
    Next::Do(Todo::End { turn: running.turn, outcome, reason })
}

/// What a message adds to a request, bytes; about four make a token.
fn weight(message: &Message) -> usize {
    match message {
        Message::User { text } | Message::Tool { text, .. } => text.len(),
        Message::Assistant { text, tool_calls } => {
            text.len() + tool_calls.iter().map(|call| call.name.len() + call.arguments.to_string().len()).sum::<usize>()
        }
    }
}
