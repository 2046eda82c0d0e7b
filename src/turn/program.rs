//! Programs of a model: how far one is, as far as the journal knows, and which host calls it waits for.

use serde::{Deserialize, Serialize};

use super::state::{Call, InstanceState, Running};
use crate::journal::{ConsoleLine, Corrupt, Step, ToolCall, ToolOutcome, Turn};

/// A program that has begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// How often it was begun.
    pub attempts: u32,
    /// What its randomness comes from.
    pub seed: u64,
    /// The numbers of the host calls that it waits for; empty: it is at its start.
    pub waiting: Vec<u32>,
    /// The highest number so far.
    pub requests: u32,
    /// What it wrote to the console.
    pub console: Vec<ConsoleLine>,
    /// Where it can go on.
    pub snapshot: Option<Kept>,
}

/// What is known of a program's snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Hash of the image that it stands on.
    pub image: String,
    /// The host calls that it waits for.
    pub waiting: Vec<u32>,
    /// The highest number then.
    pub requests: u32,
    /// Lines on the console then.
    pub lines: usize,
}

/// The id of a program's host call.
#[must_use]
pub fn host_call_id(program: &str, number: u32) -> String {
    format!("{program}/{number}")
}

/// The name of the alarm that ends a call that only waits.
#[must_use]
pub fn alarm_of(call: &str) -> String {
    format!("call {call}")
}

impl Call {
    /// Where its own program could go on; `None`: nothing that it asked for can have acted.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        self.program.as_ref()?.snapshot.as_ref()
    }
}

impl Running {
    /// The call of this id: one of the last answer, or of a program.
    #[must_use]
    pub fn find_call(&self, id: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.call.id == id)
    }

    /// The host calls that a program has made and that are remembered.
    pub fn host_calls<'a>(&'a self, program: &'a str) -> impl Iterator<Item = (u32, &'a Call)> + 'a {
        self.calls.iter().filter_map(move |call| {
            let (of, number) = call.parent.as_ref()?;
            (of == program).then_some((*number, call))
        })
    }
}

impl InstanceState {
    /// Whether an open call can go on now, as far as the journal knows.
    pub(super) fn can_go_on(&self, running: &Running, call: &Call) -> bool {
        if running.waits_for_people(&call.call.id) || self.alarms.contains_key(&alarm_of(&call.call.id)) {
            return false;
        }
        let Some(program) = &call.program else { return true };
        let is_answered =
            |(number, host_call): (u32, &Call)| program.waiting.contains(&number) && host_call.outcome.is_some();
        program.waiting.is_empty() || running.host_calls(&call.call.id).any(is_answered)
    }

    /// Whether everything that a program waits for waits itself, for people or for a time.
    #[must_use]
    pub fn only_waits(&self, program: &str) -> bool {
        self.running.as_ref().is_some_and(|running| {
            let calls = running.calls.iter().filter(|call| call.parent.as_ref().is_some_and(|(of, _)| of == program));
            calls.clone().all(|call| call.outcome.is_none() && !self.can_go_on(running, call)) && calls.count() > 0
        })
    }

    pub(super) fn code_started(
        &mut self,
        turn: Turn,
        step: Step,
        id: &str,
        attempt: u32,
        seed: u64,
    ) -> Result<(), Corrupt> {
        let call = self.call(turn, step, id)?;
        let program = call.program.get_or_insert_default();
        if call.outcome.is_some() || attempt != program.attempts.saturating_add(1) {
            return Err(Corrupt(format!("program {id} is begun out of order")));
        }
        program.attempts = attempt;
        program.seed = seed;
        let (waiting, requests, lines) = match &program.snapshot {
            Some(kept) => (kept.waiting.clone(), kept.requests, kept.lines),
            None => (Vec::new(), 0, 0),
        };
        program.console.truncate(lines);
        program.waiting.clone_from(&waiting);
        program.requests = requests;
        let is_kept = |call: &Call| match &call.parent {
            Some((of, number)) if of == id => *number <= requests && waiting.contains(number),
            _ => true,
        };
        self.forget_calls(turn, is_kept)
    }

    #[expect(clippy::too_many_arguments, reason = "the record's fields")]
    pub(super) fn code_suspended(
        &mut self,
        turn: Turn,
        step: Step,
        id: &str,
        requests: &[ToolCall],
        waiting: &[u32],
        console: &[ConsoleLine],
        snapshot: Option<&str>,
    ) -> Result<(), Corrupt> {
        let out_of_order = || Corrupt(format!("program {id} does not wait now"));
        let call = self.call(turn, step, id)?;
        let is_over = call.outcome.is_some();
        let program = call.program.as_mut().filter(|_| !is_over).ok_or_else(out_of_order)?;
        let mut made = Vec::with_capacity(requests.len());
        for request in requests {
            program.requests = program.requests.saturating_add(1);
            if request.id != host_call_id(id, program.requests) {
                return Err(out_of_order());
            }
            let parent = Some((id.to_owned(), program.requests));
            made.push(Call { parent, ..Call::new(request.clone()) });
        }
        program.waiting = waiting.to_vec();
        program.console.extend(console.iter().cloned());
        if let Some(image) = snapshot {
            let (image, waiting) = (image.to_owned(), waiting.to_vec());
            program.snapshot = Some(Kept { image, waiting, requests: program.requests, lines: program.console.len() });
        }
        program.attempts = 0;
        let running = self.running(turn)?;
        running.calls.extend(made);
        running.has_kept |= snapshot.is_some();
        // What came of a call is needed until it is inside of the snapshot that the program would go on from.
        let needed: Vec<u32> = match running.find_call(id).and_then(Call::kept) {
            Some(kept) => waiting.iter().chain(&kept.waiting).copied().collect(),
            None => waiting.to_vec(),
        };
        self.forget_calls(turn, |call| match &call.parent {
            Some((of, number)) if of == id => needed.contains(number),
            _ => true,
        })
    }

    /// Forgets host calls that nobody waits for, and what they wait for themselves.
    pub(super) fn forget_calls(&mut self, turn: Turn, is_kept: impl Fn(&Call) -> bool) -> Result<(), Corrupt> {
        let running = self.running(turn)?;
        let forgotten: Vec<String> =
            running.calls.iter().filter(|call| !is_kept(call)).map(|call| call.call.id.clone()).collect();
        running.calls.retain(is_kept);
        for id in forgotten {
            self.alarms.remove(&alarm_of(&id));
        }
        Ok(())
    }

    /// An alarm that ends the waiting of a call.
    pub(super) fn call_woken(&mut self, alarm: &str, at_ms: i64) -> Result<(), Corrupt> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let turn = running.turn;
        let is_it = |call: &&mut Call| alarm_of(&call.call.id) == alarm && call.outcome.is_none();
        let Some(call) = running.calls.iter_mut().find(is_it) else { return Ok(()) };
        call.outcome = Some(ToolOutcome::Ok { content: "null".into(), truncated: false });
        self.go_on(turn, at_ms)
    }

    /// The turn's own time stands still from here on, until [`InstanceState::go_on`].
    pub(super) fn pause(&mut self, turn: Turn, at_ms: i64) -> Result<(), Corrupt> {
        let deadline = super::apply::deadline(turn);
        let due = self.alarms.get(&deadline).copied();
        let running = self.running(turn)?;
        if let (None, Some(due)) = (running.paused_ms, due) {
            running.paused_ms = Some(due.saturating_sub(at_ms).max(0));
            self.alarms.remove(&deadline);
        }
        Ok(())
    }

    /// The turn's own time goes on, unless something else is still waited for.
    pub(super) fn go_on(&mut self, turn: Turn, at_ms: i64) -> Result<(), Corrupt> {
        let alarms = &self.alarms;
        let still = self.running.as_ref().is_some_and(|running| {
            let sleeps = |call: &Call| alarms.contains_key(&alarm_of(&call.call.id));
            running.approvals.iter().any(|approval| approval.verdict.is_none()) || running.calls.iter().any(sleeps)
        });
        let running = self.running(turn)?;
        if !still && let Some(left) = running.paused_ms.take() {
            self.alarms.insert(super::apply::deadline(turn), at_ms.saturating_add(left));
        }
        Ok(())
    }
}
