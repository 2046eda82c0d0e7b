//! The records of an instance's journal: the only truth. Everything else is a projection of them.

use reveille_channel::{Actor, Ask, Event, EventId, Marker, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the bodies this build writes. A body from a newer one stops the instance with a clear error.
pub const BODY_VERSION: u32 = 1;

/// The position of a record in its instance's journal; the first is 0.
pub type Offset = u64;

/// A turn's number inside its instance; the first is 1.
pub type Turn = u64;

/// A model call's number inside its turn; the first is 1. Tool calls belong to the step that asked for them.
pub type Step = u32;

/// One entry of an instance's journal, as committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its position.
    pub offset: Offset,
    /// The epoch of the lease it was written under; for an `event`, the instance's epoch then.
    pub epoch: u64,
    /// When it was written, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What it says.
    pub body: Body,
}

/// What a record says. On disk: JSON with `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Something happened on a platform. Written by `admit`, in the transaction that dedupes it.
    Event {
        /// What.
        event: Box<Event>,
    },
    /// An event that is not acted upon. Decided before any model call.
    Refused {
        /// Which.
        event: EventId,
        /// The number it takes among the instance's turns: its notice is a reply like any other.
        turn: Turn,
        /// The rule that refused it, such as `access.default`.
        rule: String,
        /// What the person is told in the thread, if anything.
        notice: Option<String>,
    },
    /// The instance begins to act on events.
    TurnStarted {
        /// Its number.
        turn: Turn,
        /// The events, in the order of the thread.
        events: Vec<EventId>,
        /// SHA-256 of the agent definition the turn keeps to its end, hexadecimal.
        definition: String,
        /// What it may use.
        limits: Limits,
    },
    /// Events that came while the turn ran join it here.
    Steered {
        /// The running turn.
        turn: Turn,
        /// The events.
        events: Vec<EventId>,
    },
    /// The oldest tool output was shortened so that the request fits the model's window.
    ContextShortened {
        /// The running turn.
        turn: Turn,
        /// The calls whose output the model no longer sees whole.
        calls: Vec<String>,
        /// How many of the oldest messages were left out entirely.
        dropped_messages: usize,
    },
    /// A request is about to leave for the model.
    ModelCalled {
        /// The running turn.
        turn: Turn,
        /// The call's number.
        step: Step,
        /// 1 for the first try.
        attempt: u32,
        /// `TABLE/MODEL`.
        model: String,
        /// Hash of the request, hexadecimal.
        request: String,
    },
    /// Text that streamed in.
    ModelText {
        /// The running turn.
        turn: Turn,
        /// The call.
        step: Step,
        /// The try.
        attempt: u32,
        /// Counts the chunks of this try from 0.
        chunk: u32,
        /// The text that is new.
        text: String,
    },
    /// The model's answer is complete.
    ModelAnswered {
        /// The running turn.
        turn: Turn,
        /// The call.
        step: Step,
        /// The try.
        attempt: u32,
        /// The whole text.
        text: String,
        /// The tool calls it asks for.
        tool_calls: Vec<ToolCall>,
        /// Why it stopped.
        stop: StopReason,
        /// What it used.
        usage: Usage,
    },
    /// A try to reach the model failed.
    ModelFailed {
        /// The running turn.
        turn: Turn,
        /// The call.
        step: Step,
        /// The try.
        attempt: u32,
        /// What happened, without credentials.
        error: String,
        /// No further try is useful.
        fatal: bool,
    },
    /// A tool is about to run. Durable before a tool of effect `idempotent` or `once` does.
    ToolCalled {
        /// The running turn.
        turn: Turn,
        /// The model call that asked.
        step: Step,
        /// The call.
        call: ToolCall,
        /// What it may do to the world.
        effect: Effect,
        /// The idempotency key: hash(instance, turn, step, call), hexadecimal.
        key: String,
        /// 1 for the first run; counted on after a crash.
        attempt: u32,
    },
    /// A tool's result.
    ToolReturned {
        /// The running turn.
        turn: Turn,
        /// The model call that asked.
        step: Step,
        /// The call's id.
        call: String,
        /// What came of it.
        outcome: ToolOutcome,
    },
    /// A program begins, or begins again after the process that ran it ended: from its last snapshot, else from its start.
    /// Host calls that it made after that are forgotten; they only read.
    CodeStarted {
        /// The running turn.
        turn: Turn,
        /// The model call that asked.
        step: Step,
        /// The call of the tool `code`.
        call: String,
        /// 1 for the first run.
        attempt: u32,
        /// What its randomness comes from.
        seed: u64,
    },
    /// A program waits for host calls. Durable before any of them acts, and before the instance waits itself.
    CodeSuspended {
        /// The running turn.
        turn: Turn,
        /// The model call that asked.
        step: Step,
        /// The call of the tool `code`.
        call: String,
        /// The host calls that are new. Their ids are the program's own, `/` and a number.
        requests: Vec<ToolCall>,
        /// The numbers of all host calls that it waits for.
        waiting: Vec<u32>,
        /// What it wrote to the console meanwhile.
        console: Vec<ConsoleLine>,
        /// The program as it is now is kept in this commit: the hash of the image that it stands on.
        snapshot: Option<String>,
    },
    /// People are asked whether calls may be made. None of these is made before they agree.
    ApprovalAsked {
        /// The running turn.
        turn: Turn,
        /// Its id, a pure function of what is asked.
        approval: String,
        /// The calls.
        calls: Vec<String>,
        /// Everything that a yes binds, as canonical JSON.
        request: String,
        /// What people see, rendered by code from the same bytes.
        ask: Box<Ask>,
        /// From then on it counts as a no, milliseconds since the Unix epoch.
        expires_at_ms: i64,
        /// Whoever asked for the turn may not answer.
        four_eyes: bool,
    },
    /// What people said to it. Exactly one per approval.
    ApprovalDecided {
        /// The running turn.
        turn: Turn,
        /// Which.
        approval: String,
        /// What.
        verdict: Verdict,
        /// Who said so.
        by: Option<Actor>,
        /// The event that said so: it joins the turn.
        event: Option<EventId>,
    },
    /// The question is about to be posted.
    QuestionOpened {
        /// The turn.
        turn: Turn,
        /// The approval.
        approval: String,
    },
    /// The question is visible.
    QuestionShown {
        /// The turn.
        turn: Turn,
        /// The approval.
        approval: String,
        /// The platform's id of it.
        receipt: Receipt,
    },
    /// Nothing more will be done to the question: its answer stands in its place, or it could not be brought there.
    QuestionClosed {
        /// The turn.
        turn: Turn,
        /// The approval.
        approval: String,
        /// Why it could not be brought there, without credentials.
        failure: Option<String>,
    },
    /// A message of ours is about to be posted.
    ReplyOpened {
        /// The turn it answers for.
        turn: Turn,
        /// Its number in the turn's reply; the first is 0.
        segment: u32,
        /// The byte of the reply's text with which it begins.
        start: usize,
        /// What makes it recognisable.
        marker: Marker,
    },
    /// A message of ours is visible in this state.
    ReplyShown {
        /// The turn it answers for.
        turn: Turn,
        /// The segment.
        segment: u32,
        /// Counts what was shown of this reply from 0.
        sequence: u32,
        /// The platform's id of it and how it grows.
        receipt: Receipt,
        /// The byte of the reply's text with which what is visible ends.
        end: usize,
        /// Hash of the visible part of the text, hexadecimal.
        hash: String,
        /// Nothing more will be done to it.
        complete: bool,
    },
    /// A reply could not be brought to its final state.
    ReplyFailed {
        /// The turn it answers for.
        turn: Turn,
        /// The segment.
        segment: u32,
        /// Whether it may be visible: an operator has to look.
        ambiguous: bool,
        /// Why, without credentials.
        reason: String,
    },
    /// A wake-up is wanted.
    AlarmSet {
        /// Its name; a second one of the same name replaces the first.
        name: String,
        /// When, milliseconds since the Unix epoch.
        due_at_ms: i64,
    },
    /// A wake-up came.
    AlarmFired {
        /// Its name.
        name: String,
    },
    /// The turn is over. Exactly one per turn.
    TurnEnded {
        /// The turn.
        turn: Turn,
        /// How.
        outcome: Outcome,
        /// Why, where it is not `completed`; shown in the thread.
        reason: Option<String>,
        /// What the turn used in all.
        usage: Usage,
    },
}

impl Body {
    /// The kind's name, as it stands in the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Refused { .. } => "refused",
            Self::TurnStarted { .. } => "turn_started",
            Self::Steered { .. } => "steered",
            Self::ContextShortened { .. } => "context_shortened",
            Self::ModelCalled { .. } => "model_called",
            Self::ModelText { .. } => "model_text",
            Self::ModelAnswered { .. } => "model_answered",
            Self::ModelFailed { .. } => "model_failed",
            Self::ToolCalled { .. } => "tool_called",
            Self::ToolReturned { .. } => "tool_returned",
            Self::CodeStarted { .. } => "code_started",
            Self::CodeSuspended { .. } => "code_suspended",
            Self::ApprovalAsked { .. } => "approval_asked",
            Self::ApprovalDecided { .. } => "approval_decided",
            Self::QuestionOpened { .. } => "question_opened",
            Self::QuestionShown { .. } => "question_shown",
            Self::QuestionClosed { .. } => "question_closed",
            Self::ReplyOpened { .. } => "reply_opened",
            Self::ReplyShown { .. } => "reply_shown",
            Self::ReplyFailed { .. } => "reply_failed",
            Self::AlarmSet { .. } => "alarm_set",
            Self::AlarmFired { .. } => "alarm_fired",
            Self::TurnEnded { .. } => "turn_ended",
        }
    }
}

/// A tool call as the model asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's id, unique in its turn.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments; checked against the tool's schema before it runs.
    pub arguments: Value,
}

/// A line that a program wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLine {
    /// `debug`, `log`, `info`, `warn` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// What came of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The calls may be made, once.
    Approved,
    /// They may not.
    Denied,
    /// Nobody said anything in time, which is a no.
    Expired,
    /// Nobody needs an answer any more.
    Withdrawn,
    /// The question could not be put to people, which is a no.
    Unasked,
}

/// What a tool may do to the world: it decides what happens after a crash in the middle of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks only. Run again after a crash; may run ahead of the fsync.
    Read,
    /// Doing it twice is as doing it once. Run again with the same key.
    Idempotent,
    /// Must not happen twice. Looked up after a crash; never blindly run again.
    Once,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was done.
    End,
    /// It wants tools to be run.
    ToolCalls,
    /// It reached the most tokens.
    Length,
    /// The provider refused the content.
    Refused,
}

/// What was used, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read by the model, from its cache included.
    pub input_tokens: u64,
    /// Written by the model.
    pub output_tokens: u64,
    /// Of the input, those from the provider's cache.
    #[serde(default)]
    pub cached_tokens: u64,
}

impl Usage {
    /// The sum; it does not overflow, whatever a provider reports.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
        }
    }

    /// Input and output together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// What came of a tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolOutcome {
    /// It did what was asked.
    Ok {
        /// The result, as text for the model.
        content: String,
        /// The output was longer and was cut.
        truncated: bool,
    },
    /// It did not; the model is told why.
    Error {
        /// What happened and what to do instead.
        message: String,
    },
    /// It may or may not have acted, and cannot find out.
    Unknown {
        /// What is known.
        message: String,
    },
}

/// What a turn may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time, milliseconds.
    pub wall_ms: u64,
    /// Model tokens, in and out.
    pub tokens: u64,
    /// Tool calls.
    pub tool_calls: u32,
    /// Model calls.
    pub model_calls: u32,
    /// Tries of one model call, and of one tool run after crashes.
    pub attempts: u32,
    /// The model's window, tokens.
    pub window_tokens: u64,
    /// What happens to messages that arrive while the turn runs.
    pub concurrency: Concurrency,
}

/// What happens to messages that arrive while a turn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// They join it at the next step.
    #[default]
    Steer,
    /// They wait for the next turn.
    Queue,
    /// The turn is aborted and the next one takes them.
    Interrupt,
    /// They are refused.
    Drop,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model came to rest.
    Completed,
    /// It could not go on, or passed a budget.
    Failed,
    /// It was stopped from outside.
    Aborted,
}

#[cfg(test)]
mod tests {
    use reveille_channel::Mode;

    use super::*;

    #[test]
    fn the_kind_in_the_log_is_the_kind_in_the_json() {
        let bodies = [
            Body::AlarmFired { name: "a".into() },
            Body::ModelFailed { turn: 1, step: 1, attempt: 1, error: String::new(), fatal: true },
            Body::ReplyShown {
                turn: 1,
                segment: 0,
                sequence: 0,
                receipt: Receipt { id: "1".into(), mode: Mode::Edit },
                end: 0,
                hash: String::new(),
                complete: false,
            },
        ];
        for body in bodies {
            let json = serde_json::to_value(&body).unwrap();
            assert_eq!(json["kind"], body.kind());
            assert_eq!(serde_json::from_value::<Body>(json).unwrap(), body);
        }
    }
}
