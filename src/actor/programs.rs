//! Running programs: each pump is a child of the owner, each host call is a tool call like any other.
//!
//! A program is kept, sealed, in the commit that records what it waits for, whenever that is more than reading. After a
//! crash it goes on from there with the results that were recorded since; what it read after that is read again. It is
//! never run again from its start once anything of it acted.

use std::collections::HashSet;
use std::sync::Arc;

use reveille_codemode::{Answer, CallOutcome, Event, Given, Run};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::OwnedSemaphorePermit;

use super::children::{Done, Left};
use super::model::{ARGUMENT_DEPTH, is_deeper, too_deep};
use super::owner::{Halt, Owner};
use super::pump::{Begin, begin_in, go_on, unsigned};
use super::tools::key;
use crate::agent::Agent;
use crate::codemode;
use crate::dispatch::needs_approval;
use crate::journal::{Body, ConsoleLine, Effect, SnapshotChange, Step, ToolCall, ToolOutcome, Turn};
use crate::turn::{Call, host_call_id};

/// A program in memory.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// What goes on with the next answers; nothing while it runs.
    run: Option<Run>,
    /// The host calls whose answers it has.
    told: HashSet<u32>,
    /// Its room in memory.
    place: Option<OwnedSemaphorePermit>,
    /// It is over; what came of it waits until its last calls have ended.
    over: Option<ToolOutcome>,
}

impl Owner {
    /// Goes on with a program, as far as there is something to go on with. Whether the state changed.
    pub(super) fn run_program(
        &mut self,
        turn: Turn,
        step: Step,
        call: &Call,
        kept: &Agent,
        current: Option<&Agent>,
    ) -> Result<bool, Halt> {
        let id = call.call.id.clone();
        let Some(running) = &self.state.running else { return Ok(false) };
        // Its calls that run: what came of them nobody would know after its end, and in another life of it they would answer for
        // other calls of the same numbers.
        let runs = |(_, host_call): (u32, &Call)| self.tools_running.contains(&host_call.call.id);
        let has_running = running.host_calls(&id).any(runs);
        let Some(live) = self.programs.get_mut(&id) else {
            return if has_running { Ok(false) } else { self.begin_program(turn, step, call, kept, current) };
        };
        if live.over.is_some() {
            if has_running {
                return Ok(false);
            }
            let Some(live) = self.programs.remove(&id) else { return Ok(false) };
            let Some(mut outcome) = live.over else { return Ok(false) };
            // What it did not hear of any more, somebody has to.
            let untold = |(number, host_call): (u32, &Call)| {
                let is_unknown = matches!(host_call.outcome, Some(ToolOutcome::Unknown { .. }));
                (is_unknown && !live.told.contains(&number)).then(|| host_call.call.name.clone())
            };
            let unknown: Vec<String> = running.host_calls(&id).filter_map(untold).collect();
            if let (false, ToolOutcome::Ok { content: text, .. } | ToolOutcome::Error { message: text }) =
                (unknown.is_empty(), &mut outcome)
            {
                text.push_str(&format!("\n\nIt is unknown whether these were carried out: {}.", unknown.join(", ")));
            }
            if call.kept().is_some() {
                self.append();
                self.unkept.push(SnapshotChange::Drop { turn, call: id.clone() });
            }
            self.write(vec![Body::ToolReturned { turn, step, call: id, outcome }])?;
            return Ok(true);
        }
        let waiting = call.program.as_ref().map(|program| program.waiting.as_slice()).unwrap_or_default();
        let is_new = |number: &u32| waiting.contains(number) && !live.told.contains(number);
        let answers: Vec<Answer> = running
            .host_calls(&id)
            .filter(|(number, _)| is_new(number))
            .filter_map(|(id, host_call)| Some(Answer { id, outcome: answer_of(host_call.outcome.as_ref()?) }))
            .collect();
        if answers.is_empty() {
            return Ok(false);
        }
        let Some(run) = live.run.take() else { return Ok(false) };
        live.told.extend(answers.iter().map(|answer| answer.id));
        let now_ms = self.services.clock.now_ms();
        let quiet = self.quiet(kept, current);
        let (services, instance) = (Arc::clone(&self.services), self.id);
        self.children.spawn(async move {
            let left = go_on(&services, instance, turn, &id, run, answers, now_ms, &quiet).await;
            Done::Program { turn, step, call: id, left: Box::new(left) }
        });
        Ok(false)
    }

    /// Begins a program, or begins it again where it was kept.
    fn begin_program(
        &mut self,
        turn: Turn,
        step: Step,
        call: &Call,
        agent: &Agent,
        current: Option<&Agent>,
    ) -> Result<bool, Halt> {
        let id = call.call.id.clone();
        let (attempts, kept) = (call.program.as_ref().map_or(0, |program| program.attempts), call.kept().cloned());
        let most = self.state.running.as_ref().map_or(1, |running| running.limits.attempts.max(1));
        if attempts >= most {
            let message = format!("the program was begun {attempts} times and never came as far as its first call");
            let outcome =
                if kept.is_some() { ToolOutcome::Unknown { message } } else { ToolOutcome::Error { message } };
            self.write(vec![Body::ToolReturned { turn, step, call: id, outcome }])?;
            return Ok(true);
        }
        let Some(source) = source_of(&call.call) else {
            let message = "`code` takes one argument: {\"source\": \"...\"}, a program in TypeScript.".to_owned();
            let outcome = ToolOutcome::Error { message };
            self.write(vec![Body::ToolReturned { turn, step, call: id, outcome }])?;
            return Ok(true);
        };
        let Some(place) = self.places.pop() else {
            self.wait_for_place();
            return Ok(false);
        };
        let seed = seed_of(&key(self.id, turn, step, &id));
        let attempt = attempts.saturating_add(1);
        tracing::debug!(instance = %self.id, turn, step, attempt, resumed = kept.is_some(), "program");
        self.write(vec![Body::CodeStarted { turn, step, call: id.clone(), attempt, seed }])?;
        self.programs.insert(id.clone(), Live { place: Some(place), ..Live::default() });
        let given = Given { now_ms: unsigned(self.services.clock.now_ms()), seed };
        let begin =
            Begin { instance: self.id, turn, call: id.clone(), source, given, kept, quiet: self.quiet(agent, current) };
        // That it was begun is durable before it runs: one that takes the process down is not begun for ever.
        let durable = self.written();
        let services = Arc::clone(&self.services);
        self.children.spawn(async move {
            if let Err(error) = durable.await {
                return Done::NotDurable(error);
            }
            let left = begin_in(&services, begin).await;
            Done::Program { turn, step, call: id, left: Box::new(left) }
        });
        Ok(true)
    }

    /// Records what a program did.
    pub(super) fn program_left(&mut self, turn: Turn, step: Step, id: &str, left: Left) -> Result<(), Halt> {
        let Left { events, run, snapshot, lost } = left;
        let Some(running) = self.state.running.as_ref().filter(|running| running.turn == turn) else { return Ok(()) };
        let Some(call) = running.calls.iter().find(|call| call.call.id == id) else { return Ok(()) };
        let Some(program) = &call.program else { return Ok(()) };
        let Some(live) = self.programs.get_mut(id) else { return Ok(()) };
        let (mut console, mut requests, mut finished) = (Vec::new(), Vec::new(), None);
        let mut number = program.requests;
        for event in events {
            match event {
                Event::Console(line) => console.push(ConsoleLine { level: line.level, text: line.text }),
                Event::Call(request) => {
                    number = number.saturating_add(1);
                    let arguments = arguments_of(&request.args);
                    requests.push(ToolCall { id: host_call_id(id, number), name: request.name, arguments });
                }
                Event::Finished(end) => finished = Some(end),
            }
        }
        if let Some(outcome) = lost {
            live.place = None;
            live.over = Some(outcome);
            return Ok(());
        }
        if let Some(end) = finished {
            let lines: Vec<ConsoleLine> = program.console.iter().chain(&console).cloned().collect();
            let tag = key(self.id, turn, step, id);
            let fenced = |what: &str, text: &str| crate::tool::fenced(&tag, &[("what", what)], text);
            tracing::debug!(instance = %self.id, turn, step, usage = ?end.usage, "program ended");
            metrics::counter!("programs_total", "outcome" => if end.result.is_ok() { "ok" } else { "error" })
                .increment(1);
            live.place = None;
            live.over = Some(codemode::returned(&end, &lines, fenced));
            return Ok(());
        }
        let Some(run) = run else { return Ok(()) };
        let waiting = run.waiting().to_vec();
        let is_restored = requests.is_empty() && console.is_empty() && waiting == program.waiting;
        live.run = Some(run);
        if is_restored {
            return Ok(());
        }
        // It is kept in the commit of the record that tells of it, and in no earlier one.
        self.append();
        let snapshot = snapshot.map(|(image, sealed)| {
            self.unkept.push(SnapshotChange::Keep { turn, call: id.to_owned(), sealed });
            image
        });
        let call = id.to_owned();
        self.write(vec![Body::CodeSuspended { turn, step, call, requests, waiting, console, snapshot }])
    }

    /// Asks for room for one more program in memory.
    fn wait_for_place(&mut self) {
        if std::mem::replace(&mut self.waits_for_place, true) {
            return;
        }
        let codemode = self.services.codemode.clone();
        self.children.spawn(async move { Done::Place(codemode.place().await.ok()) });
    }

    /// There is room.
    pub(super) fn placed(&mut self, place: Option<OwnedSemaphorePermit>) {
        self.waits_for_place = false;
        self.places.extend(place);
    }

    /// Lets programs go from memory that wait for people or for a time alone, and are kept as they are.
    pub(super) fn let_programs_go(&mut self) {
        let Some(running) = &self.state.running else { return };
        let is_kept = |id: &str| {
            let program = running.find_call(id).and_then(|call| call.program.as_ref());
            program.is_some_and(|program| {
                let kept = program.snapshot.as_ref();
                kept.is_some_and(|kept| (kept.requests, &kept.waiting) == (program.requests, &program.waiting))
            })
        };
        self.programs.retain(|id, live| live.run.is_none() || !is_kept(id) || !self.state.only_waits(id));
    }

    /// Whether a host call's program is kept where it waits for this call.
    pub(super) fn is_kept_at(&self, call: &Call) -> bool {
        let Some((program, number)) = &call.parent else { return true };
        let program = self.state.running.as_ref().and_then(|running| running.find_call(program));
        program.and_then(Call::kept).is_some_and(|kept| kept.waiting.contains(number))
    }

    /// Whether a host call's program is over and will not hear what comes of it.
    pub(super) fn is_forsaken(&self, call: &Call) -> bool {
        let program = call.parent.as_ref().and_then(|(program, _)| self.programs.get(program));
        program.is_some_and(|live| live.over.is_some())
    }

    /// The host calls that need no snapshot: they only look, and nobody is asked first.
    fn quiet(&self, agent: &Agent, current: Option<&Agent>) -> HashSet<String> {
        let tools = self.services.tools.names().filter_map(|name| self.services.tools.get(name));
        tools
            .filter(|tool| tool.spec().effect == Effect::Read && !needs_approval(agent, current, tool.spec()))
            .map(|tool| tool.spec().name.to_owned())
            .chain([codemode::SEARCH.to_owned(), codemode::DESCRIBE.to_owned()])
            .collect()
    }
}

fn source_of(call: &ToolCall) -> Option<String> {
    let arguments = call.arguments.as_object()?;
    let source = arguments.get("source")?.as_str()?;
    (arguments.len() == 1).then(|| source.to_owned())
}

/// A tool takes one object, and a record nests what is in it further. What else stands in the brackets is for the tool to refuse.
fn arguments_of(args: &RawValue) -> Value {
    let Ok(Value::Array(mut args)) = serde_json::from_str(args.get()) else { return too_deep() };
    let arguments = match args.len() {
        0 => Value::Object(serde_json::Map::new()),
        1 => args.remove(0),
        _ => Value::Array(args),
    };
    if is_deeper(&arguments, ARGUMENT_DEPTH) { too_deep() } else { arguments }
}

/// What the program gets. The content of a host call's outcome is JSON.
fn answer_of(outcome: &ToolOutcome) -> CallOutcome {
    let error = |name: &str, message: &str| CallOutcome::Error { name: name.to_owned(), message: message.to_owned() };
    match outcome {
        ToolOutcome::Ok { content, .. } => match RawValue::from_string(content.clone()) {
            Ok(value) => CallOutcome::Value(value),
            Err(_) => error("ToolError", "the tool gave what is no JSON"),
        },
        ToolOutcome::Error { message } => error("ToolError", message),
        ToolOutcome::Unknown { message } => {
            error("UnknownOutcome", &format!("It is unknown whether this was carried out: {message}"))
        }
    }
}

/// A call's key is a hash: its first bytes are as good as random, and the same after a crash.
fn seed_of(key: &str) -> u64 {
    u64::from_str_radix(key.get(..16).unwrap_or_default(), 16).unwrap_or(0)
}
