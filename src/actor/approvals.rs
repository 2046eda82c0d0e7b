//! Asking people before calls are made, and taking their answers. There is no other way past `needs_approval`.

use reveille_channel::{Event, EventId};

use super::owner::{Halt, Owner};
use crate::agent::Agent;
use crate::approval::{APPROVE, DENY, Item, MOST_ITEMS, Request, binds, is_about};
use crate::codemode::APPROVAL;
use crate::dispatch::decide_reach;
use crate::journal::{Body, Step, ToolCall, ToolOutcome, Turn, Verdict};
use crate::tool::ToolSpec;
use crate::turn::{Approval, answer_to};

/// How many questions of a turn may be open at once: more of them are clicked away unread.
const OPEN_MAX: usize = 3;

/// How many questions a turn may put to people in all.
const ASKED_MAX: usize = 20;

/// The longest arguments that people are asked about, bytes of JSON.
const ASKED_BYTES: usize = 32 * 1024;

/// What a call's approval says about it.
pub(super) enum Leave {
    /// Nobody needs to be asked, or people agreed to exactly this.
    Given,
    /// People have to be asked.
    Ask,
    /// They were, and this came of it.
    Refused(ToolOutcome),
    /// They were, and have not said anything yet.
    Waits,
}

impl Owner {
    /// Whether a call that people have to agree to may be made.
    pub(super) fn leave_of(&self, call: &ToolCall) -> Leave {
        let Some(running) = &self.state.running else { return Leave::Waits };
        let Some(approval) = running.approval_for(&call.id) else { return self.may_ask(call) };
        if let Some(refusal) = approval.refusal() {
            return Leave::Refused(refusal);
        }
        if approval.verdict.is_none() {
            return Leave::Waits;
        }
        let is_begun = running.find_call(&call.id).is_some_and(|known| known.attempts > 0);
        if !is_begun && self.services.clock.now_ms() >= approval.expires_at_ms {
            let message =
                "People agreed to this, but their yes ran out before it could be carried out. Nothing was done.";
            return Leave::Refused(ToolOutcome::Error { message: message.into() });
        }
        // What they agreed to is what would be done now, to the byte; else they are asked again.
        if binds(&approval.request, &self.item(call)) { Leave::Given } else { self.may_ask(call) }
    }

    /// Whether people can be asked about it at all: not again about what they refused, and not for ever.
    pub(super) fn may_ask(&self, call: &ToolCall) -> Leave {
        let approvals = self.state.running.as_ref().map(|running| running.approvals.as_slice()).unwrap_or_default();
        let refused = |message: &str| Leave::Refused(ToolOutcome::Error { message: message.to_owned() });
        let is_no = |approval: &&Approval| matches!(approval.verdict, Some(Verdict::Denied | Verdict::Expired));
        if approvals.iter().filter(is_no).any(|approval| is_about(&approval.request, &call.name, &call.arguments)) {
            return refused(
                "People were asked for exactly this before, and it was not agreed to. They are not asked again.",
            );
        }
        if call.arguments.to_string().len() > ASKED_BYTES {
            return refused("People have to agree to this, and it is too long for anybody to read. Pass less.");
        }
        if approvals.len() >= ASKED_MAX {
            return refused("People were asked so often in this turn that they are not asked again.");
        }
        Leave::Ask
    }

    /// Puts the question. Calls beyond what may be asked at once wait for their turn. Whether the state changed.
    pub(super) fn ask_for(&mut self, agent: &Agent, turn: Turn, step: Step, calls: &[ToolCall]) -> Result<bool, Halt> {
        let mut changed = false;
        for batch in calls.chunks(MOST_ITEMS) {
            let Some(running) = &self.state.running else { break };
            let open = running.approvals.iter().filter(|approval| approval.verdict.is_none()).count();
            if open >= OPEN_MAX {
                self.held_back = !changed;
                break;
            }
            let now_ms = self.services.clock.now_ms();
            let minutes = i64::from(agent.approval.minutes);
            let expires_at_ms = now_ms.saturating_add(minutes.saturating_mul(60_000));
            let four_eyes = agent.approval.four_eyes;
            let request = Request {
                instance: self.id,
                agent: agent.name.clone(),
                definition: agent.hash.clone(),
                turn,
                step,
                requester: running.requesters().join(", "),
                four_eyes,
                expires_at_ms,
                items: batch.iter().map(|call| self.item(call)).collect(),
            };
            let (approval, ask) = (request.id(), Box::new(request.ask(now_ms)));
            tracing::info!(instance = %self.id, turn, approval, calls = batch.len(), "people are asked");
            metrics::counter!("approvals_asked_total").increment(1);
            let request = request.canonical();
            let calls = batch.iter().map(|call| call.id.clone()).collect();
            self.write(vec![Body::ApprovalAsked { turn, approval, calls, request, ask, expires_at_ms, four_eyes }])?;
            changed = true;
        }
        Ok(changed)
    }

    fn item(&self, call: &ToolCall) -> Item {
        let spec: Option<&ToolSpec> = self.services.tools.get(&call.name).map(|tool| tool.spec());
        let (description, parameters) = match spec {
            Some(spec) => (spec.description.to_owned(), spec.parameters.clone()),
            // The one host call that is no tool and asks people.
            None => {
                ("The program asks for a yes to this, in the agent's own words.".to_owned(), serde_json::Value::Null)
            }
        };
        let (id, tool, arguments) = (call.id.clone(), call.name.clone(), call.arguments.clone());
        Item { call: id, tool, description, parameters, arguments, place: self.place() }
    }

    /// Where a call acts that does not say: the thread's own place, and what the agent may reach beside it now.
    fn place(&self) -> String {
        let thread = self.state.running.as_ref().and_then(|running| running.events.first());
        let mut place = thread.map(|event| event.thread.display.clone()).unwrap_or_default();
        if let (Some(kept), current) = (&self.definition, self.services.catalogue.get(&self.agent)) {
            for reach in decide_reach(kept, current.as_ref()) {
                place.push_str(&format!(", {}: {}", reach.on, reach.places.join(", ")));
            }
        }
        place
    }

    /// Takes an answer whose giver may give it. `false`: it answers nothing that is open here.
    pub(super) fn answer(&mut self, id: EventId, event: &Event) -> Result<bool, Halt> {
        let Some((_, choice)) = answer_to(&event.kind) else { return Ok(false) };
        let Some(approval) = self.state.open_approval(&event.kind).cloned() else { return Ok(false) };
        let Some(turn) = self.state.running.as_ref().map(|running| running.turn) else { return Ok(false) };
        let is_late = self.services.clock.now_ms() >= approval.expires_at_ms;
        let verdict = match choice {
            _ if is_late => Verdict::Expired,
            APPROVE => Verdict::Approved,
            DENY => Verdict::Denied,
            _ => return Ok(false),
        };
        tracing::info!(instance = %self.id, turn, approval = approval.id, ?verdict, by = event.actor.id, "people answered");
        metrics::counter!("approvals_decided_total", "verdict" => format!("{verdict:?}").to_lowercase()).increment(1);
        let by = Some(event.actor.clone());
        self.write(vec![Body::ApprovalDecided { turn, approval: approval.id, verdict, by, event: Some(id) }])?;
        Ok(true)
    }

    /// What a program's own question came to: a yes or anything else, which is a no.
    pub(super) fn own_question(&self, call: &ToolCall) -> Option<ToolOutcome> {
        let running = self.state.running.as_ref()?;
        let approval = running.approval_for(&call.id)?;
        let is_yes = approval.verdict? == Verdict::Approved && binds(&approval.request, &self.item(call));
        let content = is_yes.to_string();
        (call.name == APPROVAL).then_some(ToolOutcome::Ok { content, truncated: false })
    }
}
