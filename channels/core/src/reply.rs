//! What the gateway asks an adapter to make visible, and what it learns from it.

use serde::{Deserialize, Serialize};

use crate::{Actor, Marker, ThreadRef};

/// What a channel can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// How text grows in a thread.
    pub streaming: Streaming,
    /// The most CommonMark, in bytes, that one message takes after rendering, with room kept for markers.
    pub message_bytes: usize,
    /// The least time between two changes of what is visible in one thread, milliseconds.
    pub edit_interval_ms: u64,
    /// A native stream is closed and a new message begun when it has been open this long, milliseconds.
    pub stream_lifetime_ms: u64,
    /// Whether the platform shows a status line while we work.
    pub status: bool,
    /// Whether the platform has controls of its own for a question ([`Op::Ask`]); elsewhere it is answered with words.
    pub controls: bool,
}

/// How text grows in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// The platform has calls for it: start, append, finish. The adapter may fall back to edits by itself and says so in the [`Receipt`].
    Native,
    /// One message that is edited.
    Edit,
    /// The answer is posted whole when it is complete.
    None,
}

/// How one visible message grows: decided by the adapter when it starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By appending to a native stream. Nothing that is visible can be taken back before the stream is finished.
    Native,
    /// By replacing its text.
    Edit,
}

/// One step of the reply plan. Texts are CommonMark; the adapter renders them in its dialect and makes mentions inert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Put a new message into the thread. `complete`: nothing will follow, so it is posted in one call and final.
    Start {
        /// Its text so far.
        text: String,
        /// Nothing will follow.
        complete: bool,
    },
    /// Add to a native stream ([`Mode::Native`]). Not idempotent.
    Append {
        /// The message.
        id: String,
        /// What is new.
        text: String,
    },
    /// End a native stream, adding the rest. The message can be edited afterwards.
    Finish {
        /// The message.
        id: String,
        /// What is new; may be empty.
        text: String,
        /// Nothing of the answer follows, in this message or another.
        last: bool,
    },
    /// Replace a message's text ([`Mode::Edit`], or a finished stream). Idempotent.
    Edit {
        /// The message.
        id: String,
        /// Its whole text.
        text: String,
        /// Nothing will follow.
        complete: bool,
    },
    /// Put a question into the thread as a message of its own.
    Ask(Ask),
    /// The question is answered or has run out: take its controls away and say so in its place. Idempotent.
    Settle {
        /// The message of the question.
        id: String,
        /// The question.
        ask: Ask,
        /// What came of it, with who and when: one line of plain text.
        outcome: String,
    },
    /// Show what is going on while there is no text, or take that away. Best effort: its failure is nobody's failure.
    Status {
        /// A short line; `None` takes it away.
        text: Option<String>,
    },
}

/// A step of the work on an answer, such as a tool call. It is put together by code, never by a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What tells it from the other steps of the same answer.
    pub id: String,
    /// What people read, a few words of plain text.
    pub title: String,
    /// How far it is.
    pub state: TaskState,
}

/// How far a step of the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It is under way.
    Running,
    /// It came to its end.
    Done,
    /// It failed, or was ended before.
    Failed,
}

/// A question to people, with answers to choose from. It is put together by code, never by a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What the answer refers to. It comes back in [`crate::Kind::Action`]: at most 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`.
    pub reference: String,
    /// What is asked, one line of plain text.
    pub title: String,
    /// What exactly it is about: plain text that is shown to the letter and does nothing.
    pub detail: String,
    /// The answers, one to five.
    pub choices: Vec<Choice>,
}

/// An answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What comes back: at most 24 of `a-z`, `0-9`, `_` and `-`.
    pub id: String,
    /// What people read, plain text.
    pub label: String,
    /// How it looks.
    pub style: Style,
}

/// How a choice looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// As any other.
    #[default]
    Plain,
    /// What is suggested.
    Primary,
    /// What cannot be taken back.
    Danger,
}

/// Where and for whom an operation is done.
#[derive(Debug, Clone)]
pub struct ReplyContext {
    /// The thread.
    pub thread: ThreadRef,
    /// Whose message is being answered.
    pub recipient: Actor,
    /// The platform's id of the message that is being answered.
    pub message: Option<String>,
    /// What makes this segment recognisable.
    pub marker: Marker,
    /// When the turn began, milliseconds since the Unix epoch: nothing of ours is older.
    pub since_ms: i64,
    /// The text is complete and tells of a failure: a platform that tells those from answers can show it so.
    pub has_failed: bool,
}

/// What the journal knows of a message that may or may not have been posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// When it was begun, milliseconds since the Unix epoch: it is not older.
    pub opened_at_ms: i64,
    /// Its text as it should be by now, CommonMark; what is visible may be less of it. `None`: it is a question.
    pub text: Option<String>,
    /// The platform's ids of messages of this conversation that are known to be others.
    pub others: Vec<String>,
}

/// What the platform said to a successful operation, or what reading back found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The platform's id of the message (a Slack `ts`, a GitHub comment id).
    pub id: String,
    /// How it grows from here on.
    pub mode: Mode,
}

/// Why an operation did not succeed, in terms of what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Certainly not done; may be tried again after the wait.
    #[error("{reason}; to be tried again in {after_ms} ms")]
    Retry {
        /// The wait: the platform's `Retry-After`, else the adapter's advice.
        after_ms: u64,
        /// What the platform said.
        reason: String,
    },
    /// The request left and no answer came: it may or may not have been done.
    #[error("no answer from the platform: {0}")]
    Unknown(String),
    /// The platform does not accept our credentials or lacks a permission; a person must act, the reply waits.
    #[error("the platform refuses our credentials: {0}")]
    Credentials(String),
    /// The native stream is closed: go on in a new message.
    #[error("the stream is closed: {0}")]
    StreamClosed(String),
    /// A person stopped the message on the platform: what is running for it is to end. The message can be edited.
    #[error("somebody stopped it there: {0}")]
    Stopped(String),
    /// The thread or message is gone or locked for good.
    #[error("the place is gone: {0}")]
    Gone(String),
    /// The platform will never accept this.
    #[error("the platform refuses it: {0}")]
    Refused(String),
}
