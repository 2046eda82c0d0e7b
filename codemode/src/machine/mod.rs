//! One run: an instance, its program, and what it waits for.
//!
//! A machine is between two commands, or carrying one out on the thread that called. A command ends when the engine's
//! queue of jobs is empty; then nothing of the guest is on any stack, and its memory is all there is of it. That is when
//! requests are taken out, and when a snapshot can be made.

mod output;
mod sleep;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::guest::{Guest, Promise, Value};
use crate::image::Image;
use crate::imports::{Budget, Host, millis, next_random};
use crate::limits::{Limit, Limits, STACK_BYTES_MAXIMUM};
use crate::program::Program;
use crate::protocol::{Answer, Event, Finished, Given};
use crate::spare::Spare;
use crate::usage::{Usage, thread_cpu_time};
use crate::watchdog::{Interrupter, Watchdog};

/// How many jobs are run between two looks at the clock. A job that is long is stopped by the interrupt handler.
const JOBS_PER_LOOK: u32 = 64;

/// A run between two commands.
pub(crate) struct Machine {
    guest: Guest,
    interrupter: Interrupter,
    image: Arc<Image>,
    program: Arc<Program>,
    limits: Limits,
    usage: Usage,
    /// The promise of the program's value, once it has begun.
    promise: Option<Value>,
    /// Host calls without an answer.
    waiting: BTreeSet<u32>,
}

/// What a command did.
pub(crate) struct Stepped {
    pub(crate) events: Vec<Event>,
    /// The machine, if it waits for more.
    pub(crate) machine: Option<Machine>,
    /// The instance of one that is over. Giving its memory back takes as long as a short run.
    pub(crate) remains: Option<Guest>,
}

/// Why answers were not taken. The machine is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It was answered before, or never asked.
    #[error("the program does not wait for a host call {0}")]
    NotAsked(u32),
}

impl Machine {
    /// Starts a program and runs it until it waits or is over.
    pub(crate) fn start(
        spare: &mut Spare,
        program: &Arc<Program>,
        limits: &Limits,
        given: &Given,
        watchdog: &Watchdog,
    ) -> Stepped {
        let mut limits = limits.clone();
        limits.stack_bytes = limits.stack_bytes.min(STACK_BYTES_MAXIMUM);
        let mut seed = given.seed;
        let words: [u64; 2] = [next_random(&mut seed), next_random(&mut seed)];
        let host = host(given.now_ms, seed, Usage::default(), &limits);
        let guest = match spare.take(host) {
            Ok(guest) => guest,
            Err(fault) => {
                let events = vec![over(Failure::from_fault(fault, &limits))];
                return Stepped { events, machine: None, remains: None };
            }
        };
        let machine = Self {
            interrupter: guest.interrupter(),
            guest,
            image: Arc::clone(spare.image()),
            program: Arc::clone(program),
            limits,
            usage: Usage::default(),
            promise: None,
            waiting: BTreeSet::new(),
        };
        machine.command(given.now_ms, watchdog, |machine| machine.begin(words))
    }

    /// The host calls it waits for.
    pub(crate) fn waiting(&self) -> Vec<u32> {
        self.waiting.iter().copied().collect()
    }

    /// The machine after a command that did nothing.
    pub(crate) fn unchanged(self) -> Stepped {
        Stepped { events: Vec::new(), machine: Some(self), remains: None }
    }

    /// Gives it answers, and runs it until it waits again or is over.
    ///
    /// # Errors
    ///
    /// One of them was not asked for; then none is taken.
    pub(crate) fn answer(
        mut self,
        answers: &[Answer],
        now_ms: u64,
        watchdog: &Watchdog,
    ) -> Result<Stepped, (AnswerError, Box<Self>)> {
        let mut left = self.waiting.clone();
        for answer in answers {
            if !left.remove(&answer.id) {
                return Err((AnswerError::NotAsked(answer.id), Box::new(self)));
            }
        }
        self.waiting = left;
        Ok(self.command(now_ms, watchdog, |machine| machine.settle(answers)))
    }

    /// Carries a command out under the limits, and says what came of it.
    fn command(
        mut self,
        now_ms: u64,
        watchdog: &Watchdog,
        action: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Stepped {
        let started = Instant::now();
        let cpu_started = thread_cpu_time();
        let budget = budget(self.usage, &self.limits);
        let host = self.guest.host();
        host.now_ms = now_ms;
        host.budget = budget;
        host.stopped = None;
        let watch = watchdog.watch(self.interrupter.clone(), budget);
        let mut events = Vec::new();
        let outcome = action(&mut self).and_then(|()| self.pump(&mut events));
        let is_interrupted = watch.was_interrupted();
        drop(watch);
        self.usage.cpu += thread_cpu_time().saturating_sub(cpu_started);
        self.usage.wall += started.elapsed();
        self.usage.memory_bytes = self.guest.memory_bytes();

        let result = match outcome {
            Ok(None) => return Stepped { events, machine: Some(self), remains: None },
            Ok(Some(value)) => Ok(value),
            // What the handler stopped ends in some error of the engine; the reason is the limit.
            Err(failure) => Err(match self.guest.host().stopped.take() {
                Some(limit) => Failure::Limit(limit),
                None if is_interrupted => Failure::Limit(self.time_limit()),
                None => failure,
            }),
        };
        events.push(Event::Finished(Finished { result, unanswered: self.waiting(), usage: self.usage }));
        Stepped { events, machine: None, remains: Some(self.guest) }
    }

    /// Puts the limits and the program in place and calls it.
    fn begin(&mut self, seed: [u64; 2]) -> Result<(), Failure> {
        let roots = self.image.roots;
        let limits = self.limits.clone();
        let failed = |fault| Failure::from_fault(fault, &limits);
        self.guest.set("qjs_set_memory_limit", limits.memory_bytes).map_err(failed)?;
        self.guest.set("qjs_set_max_stack_size", limits.stack_bytes).map_err(failed)?;
        let program = Arc::clone(&self.program);
        let function = match self.guest.evaluate(program.code(), PROGRAM_NAME).map_err(failed)? {
            Ok(function) => function,
            Err(thrown) => return Err(self.threw(thrown)),
        };
        let seed = seed.map(|word| [word & 0xffff_ffff, word >> 32]);
        let settings = serde_json::json!({ "seed": seed.as_flattened(), "limits": self.limits });
        let settings = self.guest.new_text(&settings.to_string()).map_err(failed)?;
        let begun = self.guest.call(roots.start, roots.undefined, &[function, settings], roots.scratch);
        match begun.map_err(failed)? {
            Ok(promise) => self.promise = Some(promise),
            Err(thrown) => return Err(self.threw(thrown)),
        }
        self.guest.release(settings).map_err(failed)?;
        self.guest.release(function).map_err(failed)
    }

    fn settle(&mut self, answers: &[Answer]) -> Result<(), Failure> {
        let roots = self.image.roots;
        let limits = self.limits.clone();
        let failed = |fault| Failure::from_fault(fault, &limits);
        let json = serde_json::to_string(answers).map_err(|error| Failure::Broken { reason: error.to_string() })?;
        let json = self.guest.new_text(&json).map_err(failed)?;
        let settled = self.guest.call(roots.settle, roots.undefined, &[json], roots.scratch).map_err(failed)?;
        self.guest.release(json).map_err(failed)?;
        match settled {
            Ok(nothing) => self.guest.release(nothing).map_err(failed),
            Err(thrown) => Err(self.threw(thrown)),
        }
    }

    /// Runs jobs until there are none, and looks at what they left: nothing yet, or the program's value.
    fn pump(&mut self, events: &mut Vec<Event>) -> Result<Option<Option<Box<RawValue>>>, Failure> {
        let limits = self.limits.clone();
        let failed = |fault| Failure::from_fault(fault, &limits);
        let mut jobs = 0_u32;
        while self.guest.run_job().map_err(failed)? {
            jobs = jobs.wrapping_add(1);
            self.check_stopped(jobs.is_multiple_of(JOBS_PER_LOOK))?;
        }
        self.check_stopped(false)?;
        self.take(events, true)?;
        let Some(promise) = self.promise else { return Err(Failure::Stalled) };
        match self.guest.promise(promise).map_err(failed)? {
            Promise::Pending if self.waiting.is_empty() => Err(Failure::Stalled),
            Promise::Pending => Ok(None),
            Promise::Rejected(reason) => Err(self.threw(reason)),
            // Calls that were not awaited: as in other places, the program is over when its work is.
            Promise::Fulfilled(value) if !self.waiting.is_empty() => {
                self.guest.release(value).map_err(failed)?;
                Ok(None)
            }
            Promise::Fulfilled(value) => {
                let value = self.encode(value)?;
                self.take(events, false)?;
                Ok(Some(value))
            }
        }
    }

    /// The clock that ran out when the watchdog stopped the guest.
    fn time_limit(&self) -> Limit {
        if self.usage.cpu < self.limits.cpu && self.usage.wall >= self.limits.wall {
            Limit::WallTime { limit_ms: millis(self.limits.wall) }
        } else {
            Limit::CpuTime { limit_ms: millis(self.limits.cpu) }
        }
    }

    /// The limit that the interrupt handler met, or that is over now.
    fn check_stopped(&mut self, is_looking: bool) -> Result<(), Failure> {
        let host = self.guest.host();
        if is_looking && host.stopped.is_none() {
            host.stopped = host.budget.spent();
        }
        host.stopped.clone().map_or(Ok(()), |limit| Err(Failure::Limit(limit)))
    }
}

/// The file name in the engine's stack traces.
pub(crate) const PROGRAM_NAME: &str = "program";

fn over(failure: Failure) -> Event {
    Event::Finished(Finished { result: Err(failure), unanswered: Vec::new(), usage: Usage::default() })
}

fn host(now_ms: u64, random: u64, usage: Usage, limits: &Limits) -> Host {
    Host { memory: None, now_ms, random, budget: budget(usage, limits), stopped: None }
}

/// What is left for this thread, from now on.
fn budget(usage: Usage, limits: &Limits) -> Budget {
    let left = |limit: Duration, used: Duration| limit.saturating_sub(used);
    Budget {
        cpu_until: thread_cpu_time().saturating_add(left(limits.cpu, usage.cpu)),
        wall_until: Instant::now() + left(limits.wall, usage.wall),
        cpu_limit: limits.cpu,
        wall_limit: limits.wall,
    }
}
