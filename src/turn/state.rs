//! What an instance knows: the fold's value.

use std::collections::{BTreeMap, VecDeque};

use reveille_channel::{Actor, Event, EventId, ThreadRef};
use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::program::Program;
use crate::journal::{Effect, Limits, MessageRow, Outcome, Step, StopReason, ToolCall, ToolOutcome, Turn, Usage};
use crate::model::Message;
use crate::outbox::{Question, Reply};

/// Everything an instance knows. Serialised, it is the instance's checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceState {
    /// Events that no turn has taken yet, in the order of the thread.
    pub pending: Vec<Pending>,
    /// The turn that runs.
    pub running: Option<Running>,
    /// The number of the last turn (or refusal).
    pub turns: Turn,
    /// The conversation as the model sees it.
    pub conversation: Vec<Entry>,
    /// Replies that are not visible in full yet, oldest first.
    pub replies: VecDeque<Reply>,
    /// Questions to people that are not brought to their end yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Wake-ups by name: when, milliseconds since the Unix epoch.
    pub alarms: BTreeMap<String, i64>,
    /// People who were told once that they may not call this agent, by id.
    pub told: Vec<String>,
    /// How many lines the conversation has had in all.
    pub lines: u64,
    /// Lines of the conversation that the instance's own database does not hold yet.
    pub unsaved: Vec<MessageRow>,
    /// The last turn that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// A turn that ended, and whom it answered: a sign of its end may be owed after its reply is visible, or where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its number.
    pub turn: Turn,
    /// How it ended.
    pub outcome: Outcome,
    /// The connection of the thread.
    pub connection: String,
    /// The thread.
    pub thread: ThreadRef,
    /// Whose message was answered.
    pub recipient: Actor,
    /// The platform's id of that message.
    pub message: Option<String>,
    /// When the turn began, milliseconds since the Unix epoch.
    pub since_ms: i64,
}

/// An event that no turn has taken yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The event.
    pub event: Event,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The turn it belongs to.
    pub turn: Turn,
    /// The message.
    pub message: Message,
}

/// A turn that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Its number.
    pub turn: Turn,
    /// The events it acts on, in the order they joined; the first is what it answers.
    pub events: Vec<Event>,
    /// Hash of the agent definition it keeps to its end.
    pub definition: String,
    /// What it may use.
    pub limits: Limits,
    /// When it began, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// The number of the last model call.
    pub step: Step,
    /// That call, until it is answered or given up.
    pub model: Option<ModelCall>,
    /// The tool calls of the last answer.
    pub calls: Vec<Call>,
    /// The last answer asked for nothing and no event has joined since.
    pub at_rest: bool,
    /// Why the model stopped there.
    #[serde(default)]
    pub stop: Option<StopReason>,
    /// Tool calls so far.
    pub tool_calls: u32,
    /// Tokens so far.
    pub usage: Usage,
    /// The turn's wake-up for its deadline came.
    pub overdue: bool,
    /// People that were asked, and what they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// A snapshot of one of its programs was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_kept: bool,
    /// While people are waited for, or a time: what is left of the turn's own, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_ms: Option<i64>,
}

/// A model call that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCall {
    /// The last try.
    pub attempt: u32,
    /// Chunks of text recorded of that try.
    pub chunks: u32,
    /// The last try failed, and this is why.
    pub failed: Option<String>,
    /// No further try is useful.
    pub fatal: bool,
}

/// A tool call of the last answer, or one that a program of it makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What the model asked for, or the program.
    pub call: ToolCall,
    /// The program that makes it, and its number there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<(String, u32)>,
    /// Its own program, once that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// How often it was begun.
    pub attempts: u32,
    /// What it may do to the world, once it was begun.
    pub effect: Option<Effect>,
    /// Its result.
    pub outcome: Option<ToolOutcome>,
}

impl Call {
    /// A call that nothing was done about yet.
    #[must_use]
    pub fn new(call: ToolCall) -> Self {
        Self { call, parent: None, program: None, attempts: 0, effect: None, outcome: None }
    }
}

impl InstanceState {
    /// The event of this id, if it is pending or of the running turn.
    #[must_use]
    pub fn event(&self, id: EventId) -> Option<&Event> {
        let pending = self.pending.iter().map(|pending| &pending.event);
        let running = self.running.iter().flat_map(|running| &running.events);
        pending.chain(running).find(|event| event.id == id)
    }

    /// The reply of this turn, while it is not visible in full.
    #[must_use]
    pub fn reply(&self, turn: Turn) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.turn == turn)
    }

    pub(super) fn reply_mut(&mut self, turn: Turn) -> Option<&mut Reply> {
        self.replies.iter_mut().find(|reply| reply.turn == turn)
    }

    /// To be called once after the records of a log were folded: operations that were under way when the process ended
    /// may or may not have been done.
    pub fn doubt(&mut self) {
        for reply in &mut self.replies {
            reply.doubt();
        }
        for question in &mut self.questions {
            question.doubt();
        }
    }

    /// Whether a message that has no receipt may be posted all the same. Not recorded: after a restart all of them are in doubt.
    pub fn set_doubt(&mut self, turn: Turn, segment: u32, in_doubt: bool) {
        let index = usize::try_from(segment).unwrap_or(usize::MAX);
        if let Some(segment) = self.reply_mut(turn).and_then(|reply| reply.segments.get_mut(index)) {
            segment.in_doubt = in_doubt;
        }
    }

    /// Whether a question that has no receipt may be posted all the same. Not recorded, as [`InstanceState::set_doubt`].
    pub fn doubt_question(&mut self, approval: &str, in_doubt: bool) {
        if let Some(question) = self.questions.iter_mut().find(|question| question.approval == approval) {
            question.in_doubt = in_doubt;
        }
    }

    /// When the turn's own time is over, milliseconds since the Unix epoch; `None` while it stands still.
    #[must_use]
    pub fn deadline(&self, turn: Turn) -> Option<i64> {
        self.alarms.get(&super::apply::deadline(turn)).copied()
    }

    /// When it wants to wake though nothing happens.
    #[must_use]
    pub fn next_alarm(&self) -> Option<(&str, i64)> {
        self.alarms.iter().min_by_key(|(_, due)| **due).map(|(name, due)| (name.as_str(), *due))
    }
}
