//! A question to people, as a message of its own: asked once, and settled where it stands.

use reveille_channel::{Actor, Ask, Event, Op, Receipt, ReplyContext, Sought, ThreadRef};
use serde::{Deserialize, Serialize};

use crate::journal::Turn;

/// A question that is not brought to its end yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The turn that asks.
    pub turn: Turn,
    /// The approval it is about.
    pub approval: String,
    /// The connection it goes through.
    pub connection: String,
    /// Where it is asked: the turn's own thread.
    pub thread: ThreadRef,
    /// Whose message the turn answers.
    pub recipient: Actor,
    /// The platform's id of that message.
    pub message: Option<String>,
    /// When the turn began, milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// When it was asked, milliseconds since the Unix epoch.
    pub asked_at_ms: i64,
    /// What is asked.
    pub ask: Ask,
    /// It was about to be posted: from then on somebody may see it.
    pub opened: bool,
    /// The platform's word for it; `None`: not known to be posted.
    pub receipt: Option<Receipt>,
    /// It may be posted though there is no receipt: look before posting. Not recorded, so nothing but the next operation rests on it.
    pub in_doubt: bool,
    /// What came of it, for its place.
    pub outcome: Option<String>,
}

/// What is to be done next for a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionAction {
    /// Record that it is about to be posted; then ask again what is next.
    Open,
    /// Record that nothing more is to be done: it was decided, and nobody saw it.
    Close,
    /// Ask the platform whether it is there already.
    Find,
    /// Let the channel do this.
    Perform(Op),
}

impl Question {
    /// A question that nobody has seen yet.
    #[must_use]
    pub fn new(turn: Turn, approval: &str, ask: &Ask, first: &Event, since_ms: i64, asked_at_ms: i64) -> Self {
        Self {
            turn,
            approval: approval.to_owned(),
            connection: first.connection.clone(),
            thread: first.thread.clone(),
            recipient: first.actor.clone(),
            message: first.message.clone(),
            since_ms,
            asked_at_ms,
            ask: ask.clone(),
            opened: false,
            receipt: None,
            in_doubt: false,
            outcome: None,
        }
    }

    /// What is to be done next. Pure.
    #[must_use]
    pub fn next(&self) -> Option<QuestionAction> {
        match (&self.receipt, &self.outcome) {
            (None, _) if self.in_doubt => Some(QuestionAction::Find),
            (None, None) if !self.opened => Some(QuestionAction::Open),
            (None, None) => Some(QuestionAction::Perform(Op::Ask(self.ask.clone()))),
            (None, Some(_)) => self.opened.then_some(QuestionAction::Close),
            (Some(_), None) => None,
            (Some(receipt), Some(outcome)) => {
                let (id, ask, outcome) = (receipt.id.clone(), self.ask.clone(), outcome.clone());
                Some(QuestionAction::Perform(Op::Settle { id, ask, outcome }))
            }
        }
    }

    /// Whether it was answered before anybody saw it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.opened && self.outcome.is_some()
    }

    /// After a restart: what was under way then may or may not have been done.
    pub fn doubt(&mut self) {
        self.in_doubt |= self.opened && self.receipt.is_none();
    }

    /// What is known of it while it may or may not be posted.
    #[must_use]
    pub fn sought(&self, others: Vec<String>) -> Sought {
        Sought { opened_at_ms: self.asked_at_ms, text: None, others }
    }

    /// Where and for whom its operations are done.
    #[must_use]
    pub fn context(&self, marker: reveille_channel::Marker) -> ReplyContext {
        ReplyContext {
            thread: self.thread.clone(),
            recipient: self.recipient.clone(),
            message: self.message.clone(),
            marker,
            since_ms: self.since_ms,
            has_failed: false,
        }
    }
}
