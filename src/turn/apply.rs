//! Folding a record in. Total: whatever the sequence, the answer is a new state or [`Corrupt`], never a panic.

use reveille_channel::EventId;

use super::next::{NO_ANSWER, SHORTENED_BYTES};
use super::program::alarm_of;
use super::prompt::event_text;
use super::state::{Call, Ended, Entry, InstanceState, ModelCall, Pending, Running};
use crate::journal::{
    Body, Corrupt, Effect, MessageRow, Outcome, Record, Step, StopReason, ToolCall, ToolOutcome, Turn, Usage,
};
use crate::model::{Message, inside};
use crate::outbox::Reply;

/// How many people an instance remembers to have refused.
const TOLD_MAX: usize = 64;

/// Rules that refuse for the moment: somebody who was told so may be told again.
const PASSING: [&str; 3] = ["concurrency.drop", "role.unknown", "attempts"];

/// What a result says that never came because its turn was ended.
const NEVER_RAN: &str = "The turn ended before this call had a result.";

/// The same of a call that acts and had begun.
const CUT_OFF: &str = "The turn ended while it was under way.";

impl InstanceState {
    /// Folds a record in.
    ///
    /// # Errors
    /// [`Corrupt`] when no owner can have written it after those before; the state is then of no use.
    pub fn apply(&mut self, body: &Body, at_ms: i64) -> Result<(), Corrupt> {
        match body {
            Body::Event { event } => {
                if self.event(event.id).is_some() {
                    return Err(Corrupt(format!("event {} is there twice", event.id)));
                }
                self.pending.push(Pending { event: (**event).clone() });
                Ok(())
            }
            Body::Refused { event, turn, rule, notice } => self.refused(*event, *turn, rule, notice.as_deref(), at_ms),
            Body::TurnStarted { turn, events, definition, limits } => {
                if self.running.is_some() || *turn != self.turns.saturating_add(1) {
                    return Err(Corrupt(format!("turn {turn} cannot start now")));
                }
                self.turns = *turn;
                self.running = Some(Running {
                    turn: *turn,
                    events: Vec::new(),
                    definition: definition.clone(),
                    limits: *limits,
                    started_at_ms: at_ms,
                    step: 0,
                    model: None,
                    calls: Vec::new(),
                    at_rest: false,
                    stop: None,
                    tool_calls: 0,
                    usage: Usage::default(),
                    overdue: false,
                    approvals: Vec::new(),
                    has_kept: false,
                    paused_ms: None,
                });
                let due = at_ms.saturating_add(i64::try_from(limits.wall_ms).unwrap_or(i64::MAX));
                self.alarms.insert(deadline(*turn), due);
                self.join(*turn, events, at_ms)
            }
            Body::Steered { turn, events } => {
                self.running(*turn)?;
                self.join(*turn, events, at_ms)
            }
            Body::ContextShortened { turn, calls, dropped_messages } => {
                self.running(*turn)?;
                self.shorten_by(calls, *dropped_messages);
                Ok(())
            }
            Body::ModelCalled { turn, step, attempt, .. } => self.model_called(*turn, *step, *attempt),
            Body::ModelText { turn, step, attempt, chunk, text } => {
                let call = self.model_call(*turn, *step, *attempt)?;
                if call.chunks != *chunk {
                    return Err(Corrupt(format!("chunk {chunk} of turn {turn} step {step} is out of order")));
                }
                call.chunks = call.chunks.saturating_add(1);
                if let Some(reply) = self.reply_mut(*turn) {
                    reply.status = None;
                    reply.live.push_str(text);
                }
                Ok(())
            }
            Body::ModelAnswered { turn, step, attempt, text, tool_calls, stop, usage } => {
                self.model_call(*turn, *step, *attempt)?;
                let running = self.running(*turn)?;
                running.model = None;
                running.usage = running.usage.plus(*usage);
                running.tool_calls =
                    running.tool_calls.saturating_add(u32::try_from(tool_calls.len()).unwrap_or(u32::MAX));
                running.at_rest = tool_calls.is_empty();
                running.stop = Some(*stop);
                running.calls = tool_calls.iter().cloned().map(Call::new).collect();
                self.say(*turn, Message::Assistant { text: text.clone(), tool_calls: tool_calls.clone() }, "", at_ms);
                if let Some(reply) = self.reply_mut(*turn) {
                    reply.settle(text);
                    reply.status = working_on(tool_calls);
                    reply.begin_tasks(tool_calls);
                }
                Ok(())
            }
            Body::ModelFailed { turn, step, attempt, error, fatal } => {
                let call = self.model_call(*turn, *step, *attempt)?;
                call.failed = Some(error.clone());
                call.fatal = *fatal;
                if let Some(reply) = self.reply_mut(*turn) {
                    reply.status = Some("The model did not answer; trying again".into());
                }
                Ok(())
            }
            Body::ToolCalled { turn, step, call, effect, attempt, .. } => {
                let known = self.call(*turn, *step, &call.id)?;
                if known.outcome.is_some() || *attempt != known.attempts.saturating_add(1) {
                    return Err(Corrupt(format!("tool call {} is begun out of order", call.id)));
                }
                known.attempts = *attempt;
                known.effect = Some(*effect);
                Ok(())
            }
            Body::ToolReturned { turn, step, call, outcome } => self.tool_returned(*turn, *step, call, outcome, at_ms),
            Body::CodeStarted { turn, step, call, attempt, seed } => {
                self.code_started(*turn, *step, call, *attempt, *seed)
            }
            Body::CodeSuspended { turn, step, call, requests, waiting, console, snapshot } => {
                self.code_suspended(*turn, *step, call, requests, waiting, console, snapshot.as_deref())
            }
            Body::ApprovalAsked { turn, approval, calls, request, ask, expires_at_ms, four_eyes } => {
                self.approval_asked(*turn, approval, calls, request, ask, *expires_at_ms, *four_eyes, at_ms)
            }
            Body::ApprovalDecided { turn, approval, verdict, by, event } => {
                self.approval_decided(*turn, approval, *verdict, by.as_ref(), *event, at_ms)
            }
            Body::QuestionOpened { approval, .. } => {
                let question = self.question_mut(approval)?;
                if std::mem::replace(&mut question.opened, true) {
                    return Err(Corrupt(format!("the question of approval {approval} is opened twice")));
                }
                Ok(())
            }
            Body::QuestionShown { approval, receipt, .. } => {
                let question = self.question_mut(approval)?;
                if question.receipt.is_some() || !question.opened {
                    return Err(Corrupt(format!("the question of approval {approval} is shown out of order")));
                }
                question.receipt = Some(receipt.clone());
                question.in_doubt = false;
                Ok(())
            }
            Body::QuestionClosed { approval, .. } => {
                self.question_mut(approval)?;
                self.questions.retain(|question| question.approval != *approval);
                Ok(())
            }
            Body::ReplyOpened { turn, .. } | Body::ReplyShown { turn, .. } => {
                let reply =
                    self.reply_mut(*turn).ok_or_else(|| Corrupt(format!("turn {turn} has no reply to be shown")))?;
                reply.apply(body, at_ms)?;
                self.forget_done(*turn);
                Ok(())
            }
            Body::ReplyFailed { turn, .. } => {
                let before = self.replies.len();
                self.replies.retain(|reply| reply.turn != *turn);
                if before == self.replies.len() {
                    return Err(Corrupt(format!("turn {turn} has no reply that could fail")));
                }
                Ok(())
            }
            Body::AlarmSet { name, due_at_ms } => {
                self.alarms.insert(name.clone(), *due_at_ms);
                match self.running.as_ref().map(|running| running.turn) {
                    Some(turn) if name.starts_with("call ") => self.pause(turn, at_ms),
                    _ => Ok(()),
                }
            }
            Body::AlarmFired { name } => {
                self.alarms.remove(name).ok_or_else(|| Corrupt(format!("alarm {name} was not set")))?;
                if let Some(running) = &mut self.running {
                    running.overdue |= *name == deadline(running.turn);
                }
                self.approval_expired(name, at_ms)?;
                self.call_woken(name, at_ms)
            }
            Body::TurnEnded { turn, outcome, reason, .. } => self.turn_ended(*turn, *outcome, reason.as_deref(), at_ms),
        }
    }

    /// Folds records of a log in, in order.
    ///
    /// # Errors
    /// As [`InstanceState::apply`], naming the offset.
    pub fn replay(&mut self, records: &[Record]) -> Result<(), Corrupt> {
        for record in records {
            self.apply(&record.body, record.at_ms)
                .map_err(|Corrupt(what)| Corrupt(format!("at offset {}: {what}", record.offset)))?;
        }
        Ok(())
    }

    pub(super) fn running(&mut self, turn: Turn) -> Result<&mut Running, Corrupt> {
        self.running
            .as_mut()
            .filter(|running| running.turn == turn)
            .ok_or_else(|| Corrupt(format!("turn {turn} does not run")))
    }

    fn model_call(&mut self, turn: Turn, step: Step, attempt: u32) -> Result<&mut ModelCall, Corrupt> {
        let running = self.running(turn)?;
        let at = running.step;
        running
            .model
            .as_mut()
            .filter(|call| at == step && call.attempt == attempt && call.failed.is_none())
            .ok_or_else(|| Corrupt(format!("turn {turn} has no model call {step}, try {attempt}, under way")))
    }

    pub(super) fn call(&mut self, turn: Turn, step: Step, id: &str) -> Result<&mut Call, Corrupt> {
        let running = self.running(turn)?;
        if running.step != step {
            return Err(Corrupt(format!("turn {turn} is not at step {step}")));
        }
        running
            .calls
            .iter_mut()
            .find(|call| call.call.id == id)
            .ok_or_else(|| Corrupt(format!("turn {turn} step {step} asked for no tool call {id}")))
    }

    fn model_called(&mut self, turn: Turn, step: Step, attempt: u32) -> Result<(), Corrupt> {
        let running = self.running(turn)?;
        let expected = match &running.model {
            Some(call) => (running.step, call.attempt.saturating_add(1)),
            None => (running.step.saturating_add(1), 1),
        };
        let tools_open = running.calls.iter().any(|call| call.outcome.is_none());
        if (step, attempt) != expected || tools_open {
            return Err(Corrupt(format!("model call {step}, try {attempt}, of turn {turn} is out of order")));
        }
        running.step = step;
        running.calls.clear();
        running.at_rest = false;
        running.model = Some(ModelCall { attempt, chunks: 0, failed: None, fatal: false });
        if let Some(reply) = self.reply_mut(turn) {
            reply.live.clear();
            reply.status = Some("Thinking".into());
        }
        Ok(())
    }

    fn tool_returned(
        &mut self,
        turn: Turn,
        step: Step,
        id: &str,
        outcome: &ToolOutcome,
        at_ms: i64,
    ) -> Result<(), Corrupt> {
        let call = self.call(turn, step, id)?;
        if call.outcome.is_some() {
            return Err(Corrupt(format!("tool call {id} returned twice")));
        }
        call.outcome = Some(outcome.clone());
        if call.parent.is_some() {
            return Ok(());
        }
        if let Some(reply) = self.reply_mut(turn) {
            reply.end_task(id, matches!(outcome, ToolOutcome::Ok { .. }));
        }
        // What a program asked for and did not wait for ends with it.
        self.forget_calls(turn, |call| call.parent.as_ref().is_none_or(|(of, _)| of != id))?;
        self.withdraw_forgotten(turn, at_ms)?;
        let running = self.running(turn)?;
        if running.calls.iter().all(|call| call.outcome.is_some()) {
            // Results stand in the order the calls were asked for, however they came in.
            let results: Vec<_> = running.calls.iter().map(result).collect();
            for message in results {
                self.say(turn, message, "", at_ms);
            }
        }
        Ok(())
    }

    fn refused(
        &mut self,
        event: EventId,
        turn: Turn,
        rule: &str,
        notice: Option<&str>,
        at_ms: i64,
    ) -> Result<(), Corrupt> {
        let at = self.pending.iter().position(|pending| pending.event.id == event);
        let Some(at) = at.filter(|_| turn == self.turns.saturating_add(1)) else {
            return Err(Corrupt(format!("event {event} cannot be refused now")));
        };
        // A refusal takes a number of its own, but a running turn keeps its own.
        self.turns = turn;
        let event = self.pending.remove(at).event;
        if let Some(notice) = notice {
            if !PASSING.contains(&rule) && !self.told.contains(&event.actor.id) {
                self.told.push(event.actor.id.clone());
                let surplus = self.told.len().saturating_sub(TOLD_MAX);
                self.told.drain(..surplus);
            }
            let mut reply = new_reply(turn, &event, at_ms);
            reply.add(notice);
            reply.finished = true;
            self.replies.push_back(reply);
        }
        Ok(())
    }

    /// Moves pending events into the running turn.
    fn join(&mut self, turn: Turn, events: &[EventId], at_ms: i64) -> Result<(), Corrupt> {
        if events.is_empty() {
            return Err(Corrupt(format!("turn {turn} is joined by no event")));
        }
        for id in events {
            let at = self
                .pending
                .iter()
                .position(|pending| pending.event.id == *id)
                .ok_or_else(|| Corrupt(format!("event {id} does not wait for a turn")))?;
            let event = self.pending.remove(at).event;
            self.say(turn, Message::User { text: event_text(&event) }, &event.actor.name, at_ms);
            let running = self.running(turn)?;
            running.at_rest = false;
            if running.events.is_empty() {
                let mut reply = new_reply(turn, &event, at_ms);
                reply.status = Some("Thinking".into());
                running.events.push(event);
                self.replies.push_back(reply);
            } else {
                running.events.push(event);
            }
        }
        Ok(())
    }

    fn turn_ended(&mut self, turn: Turn, outcome: Outcome, reason: Option<&str>, at_ms: i64) -> Result<(), Corrupt> {
        self.running(turn)?;
        let Some(running) = self.running.take() else {
            return Err(Corrupt(format!("turn {turn} does not run")));
        };
        self.alarms.remove(&deadline(turn));
        for call in &running.calls {
            self.alarms.remove(&alarm_of(&call.call.id));
        }
        self.withdraw(&running.approvals, at_ms);
        let (stop, used_tools) = (running.stop, running.tool_calls > 0);
        let mut unknown = Vec::new();
        if running.calls.iter().any(|call| call.outcome.is_none()) {
            // A model wants a result for each call it made, in later turns too.
            for mut call in running.calls {
                // What was begun and acts may have acted, and nobody may say that it did not.
                let acts = call.kept().is_some() || matches!(call.effect, Some(Effect::Idempotent | Effect::Once));
                let is_open = call.outcome.is_none();
                call.outcome.get_or_insert_with(|| match acts {
                    true => ToolOutcome::Unknown { message: CUT_OFF.into() },
                    false => ToolOutcome::Error { message: NEVER_RAN.into() },
                });
                if is_open && acts {
                    unknown.push(call.call.name.clone());
                }
                if call.parent.is_none() {
                    self.say(turn, result(&call), "", at_ms);
                }
            }
        }
        if let Some(reply) = self.reply_mut(turn) {
            let live = std::mem::take(&mut reply.live);
            reply.add(&live);
            for name in unknown {
                reply.add(&format!(
                    "It is not known whether `{name}` was carried out: it was under way when this ended."
                ));
            }
            match (outcome, reason) {
                (Outcome::Completed, _) => {
                    if let Some(notice) = about_the_end(stop, reply.settled.is_empty(), used_tools) {
                        reply.add(notice);
                    }
                }
                (Outcome::Failed, reason) => {
                    reply.has_failed = true;
                    let reason = for_people(reason.unwrap_or("something went wrong")).trim_end_matches('.');
                    reply.add(&format!("I could not finish this: {reason}."));
                }
                (Outcome::Aborted, reason) => reply.add(&format!("Stopped: {}.", reason.unwrap_or("on request"))),
            }
            if reply.settled.is_empty() && !reply.segments.is_empty() {
                reply.add("(no answer)");
            }
            reply.status = None;
            reply.end_tasks();
            reply.finished = true;
            self.ended = Some(Ended {
                turn,
                outcome,
                connection: reply.connection.clone(),
                thread: reply.thread.clone(),
                recipient: reply.recipient.clone(),
                message: reply.message.clone(),
                since_ms: reply.since_ms,
            });
        }
        self.forget_done(turn);
        Ok(())
    }

    fn shorten_by(&mut self, calls: &[String], dropped_messages: usize) {
        self.conversation.drain(..dropped_messages.min(self.conversation.len()));
        for entry in &mut self.conversation {
            if let Message::Tool { call, text, .. } = &mut entry.message
                && calls.contains(call)
                && text.len() > SHORTENED_BYTES
            {
                let was = text.len();
                text.truncate(text.floor_char_boundary(SHORTENED_BYTES));
                text.push_str(&format!("\n[shortened: {was} bytes in all]"));
            }
        }
    }

    fn say(&mut self, turn: Turn, message: Message, author: &str, at_ms: i64) {
        let (role, author, text) = match &message {
            // People read these lines: the fence is for models.
            Message::User { text } => ("user", author.to_owned(), inside(text).to_owned()),
            Message::Assistant { text, .. } => ("assistant", "assistant".to_owned(), text.clone()),
            Message::Tool { name, text, .. } => ("tool", name.clone(), text.clone()),
        };
        self.lines = self.lines.saturating_add(1);
        self.unsaved.push(MessageRow { number: self.lines, turn, role: role.into(), author, text, at_ms });
        self.conversation.push(Entry { turn, message });
    }

    /// Forgets the reply of a turn that is over and visible in full.
    fn forget_done(&mut self, turn: Turn) {
        let runs = self.running.as_ref().is_some_and(|running| running.turn == turn);
        self.replies.retain(|reply| runs || reply.turn != turn || !reply.is_done());
    }
}

/// What people in a thread read of a reason. The words of a model's server are for whoever runs the gateway, in its log and journal:
/// they can hold names of its configuration, and parts of a key.
fn for_people(reason: &str) -> &str {
    if reason.starts_with(NO_ANSWER) { NO_ANSWER } else { reason }
}

/// The status line while tools run. Their names are the model's words: only what can be a name is shown, and not much of it.
fn working_on(calls: &[ToolCall]) -> Option<String> {
    const SHOWN: usize = 3;
    let is_name = |name: &&str| {
        name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    let mut names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).filter(is_name).collect();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (calls.is_empty(), names.is_empty(), more) {
        (true, ..) => None,
        (false, true, _) => Some("Using tools".into()),
        (false, false, 0) => Some(format!("Using {}", names.join(", "))),
        (false, false, more) => Some(format!("Using {} and {more} more", names.join(", "))),
    }
}

/// What is said of an answer that is not what a person expects of one. A turn that used tools may have nothing to say.
fn about_the_end(stop: Option<StopReason>, is_empty: bool, used_tools: bool) -> Option<&'static str> {
    match (stop, is_empty) {
        (Some(StopReason::Length), false) => Some("*(The answer ends here: it reached the most the model may write.)*"),
        (Some(StopReason::Length), true) => Some("The model reached the most it may write before it said anything."),
        (Some(StopReason::Refused), _) => Some("The model's provider declined to answer this."),
        (_, true) if !used_tools => Some("The model had no answer."),
        _ => None,
    }
}

/// The name of the alarm that ends a turn.
pub(super) fn deadline(turn: Turn) -> String {
    format!("turn {turn} deadline")
}

fn new_reply(turn: Turn, event: &reveille_channel::Event, at_ms: i64) -> Reply {
    Reply {
        turn,
        connection: event.connection.clone(),
        thread: event.thread.clone(),
        recipient: event.actor.clone(),
        message: event.message.clone(),
        since_ms: at_ms,
        settled: String::new(),
        live: String::new(),
        status: None,
        tasks: Vec::new(),
        finished: false,
        has_failed: false,
        segments: Vec::new(),
        sequence: 0,
    }
}

fn result(call: &Call) -> Message {
    let (text, is_error) = match &call.outcome {
        Some(ToolOutcome::Ok { content, .. }) => (content.clone(), false),
        Some(ToolOutcome::Error { message }) => (message.clone(), true),
        Some(ToolOutcome::Unknown { message }) => {
            (format!("It is unknown whether this call was carried out: {message}"), true)
        }
        None => (NEVER_RAN.to_owned(), true),
    };
    Message::Tool { call: call.call.id.clone(), name: call.call.name.clone(), text, is_error }
}
