//! Asking people before calls are made: what was asked, what they said, and what that means for the calls.

use reveille_channel::{Actor, Ask, EventId, Kind};
use serde::{Deserialize, Serialize};

use super::state::{Call, InstanceState, Running};
use crate::approval::{Bound, id_of};
use crate::journal::{Corrupt, ToolOutcome, Turn, Verdict};
use crate::outbox::Question;

/// What was asked of people in a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// The calls it is about.
    pub calls: Vec<String>,
    /// Everything that a yes binds, as canonical JSON.
    pub request: String,
    /// From then on it counts as a no, milliseconds since the Unix epoch.
    pub expires_at_ms: i64,
    /// Whoever asked for the turn may not answer.
    pub four_eyes: bool,
    /// What came of it; `None`: nobody has said anything yet.
    pub verdict: Option<Verdict>,
    /// Who said so.
    pub by: Option<Actor>,
}

/// The approval that an event answers, and the choice.
#[must_use]
pub fn answer_to(kind: &Kind) -> Option<(&str, &str)> {
    match kind {
        Kind::Action { reference, choice } => Some((id_of(reference)?, choice)),
        _ => None,
    }
}

/// The name of the alarm that ends an approval.
fn expiry(approval: &str) -> String {
    format!("approval {approval}")
}

impl Running {
    /// The approval that a call waits for or was given.
    #[must_use]
    pub fn approval_for(&self, call: &str) -> Option<&Approval> {
        // A program that began anew may have asked again for a call of the same id.
        self.approvals.iter().rfind(|approval| approval.calls.iter().any(|of| of == call))
    }

    /// Whose words the turn acts on, by id; those who only answered a question are none of them.
    #[must_use]
    pub fn requesters(&self) -> Vec<String> {
        let asks = self.events.iter().filter(|event| answer_to(&event.kind).is_none());
        let mut ids: Vec<String> = asks.map(|event| event.actor.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether people have to say something before the call goes on.
    pub(super) fn waits_for_people(&self, call: &str) -> bool {
        self.approval_for(call).is_some_and(|approval| approval.verdict.is_none())
    }
}

impl InstanceState {
    /// The open approval that an event answers.
    #[must_use]
    pub fn open_approval(&self, kind: &Kind) -> Option<&Approval> {
        let (id, _) = answer_to(kind)?;
        let running = self.running.as_ref()?;
        running.approvals.iter().find(|approval| approval.id == id && approval.verdict.is_none())
    }

    #[expect(clippy::too_many_arguments, reason = "the record's fields")]
    pub(super) fn approval_asked(
        &mut self,
        turn: Turn,
        id: &str,
        calls: &[String],
        request: &str,
        ask: &Ask,
        expires_at_ms: i64,
        four_eyes: bool,
        at_ms: i64,
    ) -> Result<(), Corrupt> {
        let running = self.running(turn)?;
        let is_open = |id: &String| running.calls.iter().any(|call| call.call.id == *id && call.outcome.is_none());
        if calls.is_empty() || !calls.iter().all(is_open) || running.approvals.iter().any(|one| one.id == id) {
            return Err(Corrupt(format!("approval {id} cannot be asked for now")));
        }
        running.approvals.push(Approval {
            id: id.to_owned(),
            calls: calls.to_vec(),
            request: request.to_owned(),
            expires_at_ms,
            four_eyes,
            verdict: None,
            by: None,
        });
        let Some(first) = running.events.first().cloned() else {
            return Err(Corrupt(format!("turn {turn} answers nobody")));
        };
        let since_ms = running.started_at_ms;
        self.alarms.insert(expiry(id), expires_at_ms);
        self.questions.push(Question::new(turn, id, ask, &first, since_ms, at_ms));
        if let Some(reply) = self.reply_mut(turn) {
            reply.status = Some("Waiting for somebody to agree".into());
        }
        self.pause(turn, at_ms)
    }

    pub(super) fn approval_decided(
        &mut self,
        turn: Turn,
        id: &str,
        verdict: Verdict,
        by: Option<&Actor>,
        event: Option<EventId>,
        at_ms: i64,
    ) -> Result<(), Corrupt> {
        let waits = event.map(|event| self.pending.iter().position(|pending| pending.event.id == event));
        if let Some(Some(at)) = waits {
            let event = self.pending.remove(at).event;
            self.running(turn)?.events.push(event);
        } else if waits.is_some() {
            return Err(Corrupt(format!("what decides approval {id} does not wait")));
        }
        let running = self.running(turn)?;
        let open = |approval: &&mut Approval| approval.id == id && approval.verdict.is_none();
        let Some(approval) = running.approvals.iter_mut().find(open) else {
            return Err(Corrupt(format!("approval {id} is not open")));
        };
        approval.verdict = Some(verdict);
        approval.by = by.cloned();
        self.alarms.remove(&expiry(id));
        self.settle_question(id, verdict, by, at_ms);
        self.go_on(turn, at_ms)
    }

    /// An alarm that is an approval's end: nobody said anything in time.
    pub(super) fn approval_expired(&mut self, alarm: &str, at_ms: i64) -> Result<(), Corrupt> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let turn = running.turn;
        let open = |approval: &&mut Approval| expiry(&approval.id) == alarm && approval.verdict.is_none();
        let Some(approval) = running.approvals.iter_mut().find(open) else { return Ok(()) };
        approval.verdict = Some(Verdict::Expired);
        let id = approval.id.clone();
        self.settle_question(&id, Verdict::Expired, None, at_ms);
        self.go_on(turn, at_ms)
    }

    /// What is still open when its turn ends is asked for no more.
    pub(super) fn withdraw(&mut self, approvals: &[Approval], at_ms: i64) {
        for approval in approvals.iter().filter(|approval| approval.verdict.is_none()) {
            self.alarms.remove(&expiry(&approval.id));
            self.settle_question(&approval.id, Verdict::Withdrawn, None, at_ms);
        }
    }

    /// Whose calls were all forgotten is asked for no more.
    pub(super) fn withdraw_forgotten(&mut self, turn: Turn, at_ms: i64) -> Result<(), Corrupt> {
        let running = self.running(turn)?;
        let has = |calls: &[Call], id: &String| calls.iter().any(|call| call.call.id == *id);
        let mut withdrawn = Vec::new();
        for approval in running.approvals.iter_mut().filter(|approval| approval.verdict.is_none()) {
            if !approval.calls.iter().any(|id| has(&running.calls, id)) {
                withdrawn.push(approval.clone());
                approval.verdict = Some(Verdict::Withdrawn);
            }
        }
        self.withdraw(&withdrawn, at_ms);
        self.go_on(turn, at_ms)
    }

    fn settle_question(&mut self, id: &str, verdict: Verdict, by: Option<&Actor>, at_ms: i64) {
        if let Some(question) = self.questions.iter_mut().find(|question| question.approval == id) {
            question.outcome = Some(told(verdict, by, at_ms));
        }
        self.questions.retain(|question| !question.is_done());
    }

    pub(super) fn question_mut(&mut self, approval: &str) -> Result<&mut Question, Corrupt> {
        let found = self.questions.iter_mut().find(|question| question.approval == approval);
        found.ok_or_else(|| Corrupt(format!("approval {approval} has no question")))
    }
}

/// What stands in the question's place then.
fn told(verdict: Verdict, by: Option<&Actor>, at_ms: i64) -> String {
    let when = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC");
    let who = by.map_or("the gateway", |actor| actor.name.as_str());
    match verdict {
        Verdict::Approved => format!("Approved by {who}, {when}"),
        Verdict::Denied => format!("Denied by {who}, {when}"),
        Verdict::Expired => format!("Nobody answered in time: not done, {when}"),
        Verdict::Withdrawn => format!("No longer asked: the work ended, {when}"),
        Verdict::Unasked => format!("Not done, {when}"),
    }
}

impl Approval {
    /// The tools of the calls that it is about, in their order.
    #[must_use]
    pub fn tools(&self) -> Vec<String> {
        Bound::of(&self.request).tools
    }

    /// What the caller of a call is told that was not approved; `None`: it was, or is not decided yet.
    #[must_use]
    pub fn refusal(&self) -> Option<ToolOutcome> {
        let message = match self.verdict? {
            Verdict::Approved => return None,
            Verdict::Denied => "People were asked and said no. Nothing was done. Do not ask for the same again.",
            Verdict::Expired => "People were asked, and nobody answered in time. Nothing was done.",
            Verdict::Withdrawn => "Nobody was asked in the end. Nothing was done.",
            Verdict::Unasked => {
                "A person has to agree to this, and the question could not be brought to anybody. Nothing was done."
            }
        };
        Some(ToolOutcome::Error { message: message.to_owned() })
    }
}
