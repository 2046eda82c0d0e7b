//! What the agent asks of the person at the terminal, and their answers.

use reveille_channel::{Ask, EventId, Kind};

use super::{Session, SessionError};
use crate::codemode::APPROVAL;
use crate::journal::{Body, Record};
use crate::turn::answer_to;

/// A question that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The approval's id.
    pub approval: String,
    /// The question, as it is shown.
    pub ask: Ask,
    /// The tools of the calls that it is about, in their order.
    pub tools: Vec<String>,
    /// A program asks something in the agent's own words: that is no tool, and nobody can know it beforehand.
    pub own_words: bool,
    /// Whoever asked for the turn may not answer: nobody at this terminal can.
    pub four_eyes: bool,
}

impl Session {
    /// The questions that are open and visible, the oldest first, as far as records were handed out.
    #[must_use]
    pub fn open(&self) -> Vec<Open> {
        let Some(running) = &self.state.running else { return Vec::new() };
        let open = running.approvals.iter().filter(|approval| approval.verdict.is_none());
        open.filter_map(|approval| {
            let question = self.state.questions.iter().find(|question| question.approval == approval.id)?;
            question.receipt.as_ref()?;
            let tools = approval.tools();
            Some(Open {
                approval: approval.id.clone(),
                ask: question.ask.clone(),
                own_words: tools.iter().any(|tool| tool == APPROVAL),
                tools,
                four_eyes: approval.four_eyes,
            })
        })
        .collect()
    }

    /// Whether a turn of this conversation has asked something that nobody has answered, as far as is known.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let is_open = |running: &crate::turn::Running| running.approvals.iter().any(|one| one.verdict.is_none());
        self.state.running.as_ref().is_some_and(is_open)
    }

    /// Answers a question: an event of the operator's, once it is durable. Whether it counts is decided where everything of the kind
    /// is.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn answer(&mut self, open: &Open, choice: &str) -> Result<EventId, SessionError> {
        let answered = self.local.answer(&open.ask.reference, choice, self.clock.now_ms()).await;
        let event = answered.map_err(|_| SessionError::NotTaken)?;
        self.expect(event).await?;
        Ok(event)
    }

    /// Reads the journal up to an event that was just admitted.
    pub(super) async fn expect(&mut self, event: EventId) -> Result<(), SessionError> {
        self.read().await?;
        let is_this = |record: &Record| matches!(&record.body, Body::Event { event: found } if found.id == event);
        if !self.unread.iter().any(is_this) {
            return Err(SessionError::Gone(self.agent.clone()));
        }
        Ok(())
    }

    /// Whether nothing comes before somebody answers, as far as was handed out: each open question is visible, and what
    /// was answered is decided.
    pub(super) fn is_waiting(&self) -> bool {
        let Some(running) = &self.state.running else { return false };
        let asked = running.approvals.iter().filter(|approval| approval.verdict.is_none()).count();
        let is_decisive = |kind: &Kind| matches!(kind, Kind::Stop) || answer_to(kind).is_some();
        self.is_told()
            && asked > 0
            && self.open().len() == asked
            && !self.state.pending.iter().any(|pending| is_decisive(&pending.event.kind))
            // A stop joins the turn first, and then ends it.
            && !running.events.iter().any(|event| event.kind == Kind::Stop)
            // A refusal has a reply of its own.
            && self.state.replies.iter().all(|reply| reply.turn == running.turn)
    }
}
