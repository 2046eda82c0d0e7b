//! What an owner's children hand back.

use reveille_channel::{EventId, Receipt, ReplyError};

use crate::dispatch::Decision;
use crate::journal::{Effect, JournalError, Step, StopReason, ToolCall, ToolOutcome, Turn, Usage};
use crate::model::ModelError;
use crate::outbox::{Action, QuestionAction};

/// What a child did.
#[derive(Debug)]
pub(super) enum Done {
    /// Access was decided, the platform having been asked where that was needed; `None`: it refuses our credentials.
    Considered(Option<Vec<(EventId, Decision)>>),
    /// A model call ended.
    Model {
        turn: Turn,
        step: Step,
        attempt: u32,
        /// Position of the model in the agent's list.
        model: usize,
        answer: Result<Answer, ModelError>,
    },
    /// A tool call ended.
    Tool { turn: Turn, step: Step, call: ToolCall, effect: Effect, outcome: ToolOutcome },
    /// There is room for one more program in memory; `None`: the gateway stops.
    Place(Option<tokio::sync::OwnedSemaphorePermit>),
    /// A program waits, or is over.
    Program { turn: Turn, step: Step, call: String, left: Box<Left> },
    /// A platform was called for a question.
    Asked { approval: String, action: QuestionAction, result: Result<Found, ReplyError> },
    /// A platform was called for a reply.
    Posted(Posted),
    /// A sign was shown, or not.
    Signed,
    /// The child did nothing because the journal did not take what it rests on; the owner hears of that itself.
    NotDurable(JournalError),
}

/// What a program did, and where it stands.
#[derive(Debug)]
pub(super) struct Left {
    /// In order.
    pub(super) events: Vec<reveille_codemode::Event>,
    /// What goes on later; nothing for one that is over.
    pub(super) run: Option<reveille_codemode::Run>,
    /// The hash of its image and the program as it is now, sealed; where one is needed.
    pub(super) snapshot: Option<(String, Vec<u8>)>,
    /// Why it cannot go on, though it did not come to an end.
    pub(super) lost: Option<ToolOutcome>,
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) stop: StopReason,
    pub(super) usage: Usage,
}

/// One operation of a reply.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) turn: Turn,
    pub(super) action: Action,
    /// Hash of the text that is visible if it succeeded.
    pub(super) hash: String,
    pub(super) result: Result<Found, ReplyError>,
}

/// What a platform said.
#[derive(Debug)]
pub(super) enum Found {
    /// The operation succeeded, or the message was found.
    Shown(Receipt),
    /// The message is certainly not there.
    Absent,
    /// Nothing is to be recorded.
    Nothing,
}

/// Text of a model call that streams.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) turn: Turn,
    pub(super) step: Step,
    pub(super) attempt: u32,
    pub(super) text: String,
}
