//! What comes out of a machine: lines of the console, requests, its value, and what it threw. All of it is looked at as what a
//! stranger says, since a program can break whatever is in its memory.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Machine;
use crate::failure::{Failure, Thrown};
use crate::guest::{Fault, Value};
use crate::limits::Limit;
use crate::protocol::{Event, Line, Request};
use crate::surrogates::mended;

/// What the allocator may hand out beyond the limit while the host asks what happened.
const LAST_WORDS_BYTES: u32 = 1 << 20;

/// The most that is read of an error's description.
const DESCRIPTION_BYTES: u32 = 1 << 20;

/// What the prelude's `take` gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Taken {
    lines: Vec<(String, String)>,
    requests: Vec<Request>,
    over: String,
}

/// What the prelude's `describe` gives.
#[derive(Debug, Default, Deserialize)]
struct Description {
    name: String,
    message: String,
    stack: String,
    call: String,
}

impl Machine {
    /// Takes console lines and requests out. What comes is what a program could have forged.
    pub(super) fn take(&mut self, events: &mut Vec<Event>, is_asking: bool) -> Result<(), Failure> {
        let roots = self.image.roots;
        let text = match self.call_for_text(roots.take, &[], self.limits.memory_bytes)? {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return Err(Failure::Limit(Limit::Memory { limit_bytes: self.limits.memory_bytes })),
            Err(thrown) => return Err(self.threw(thrown)),
        };
        let forged = |reason: String| Failure::Broken { reason: format!("the door is out of order: {reason}") };
        let taken: Taken = serde_json::from_str(&text).map_err(|error| forged(error.to_string()))?;
        for (level, text) in taken.lines {
            self.usage.console_bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
            if self.usage.console_bytes > u64::from(self.limits.console_bytes) {
                return Err(self.over("console_bytes"));
            }
            events.push(Event::Console(Line { level, text }));
        }
        if !taken.over.is_empty() {
            return Err(self.over(&taken.over));
        }
        if !is_asking {
            return Ok(());
        }
        for request in taken.requests {
            self.usage.host_calls = self.usage.host_calls.saturating_add(1);
            if self.usage.host_calls > self.limits.host_calls {
                return Err(self.over("host_calls"));
            }
            if request.id != self.usage.host_calls || !self.image.api.has(&request.name) {
                return Err(forged(format!("call {} of `{}`", request.id, request.name)));
            }
            if !request.args.get().starts_with('[') {
                return Err(forged(format!("the arguments of `{}` are no list", request.name)));
            }
            let bytes = u64::try_from(request.args.get().len()).unwrap_or(u64::MAX);
            let limit_bytes = self.limits.call_bytes;
            if bytes > u64::from(limit_bytes) {
                return Err(Failure::Limit(Limit::CallBytes { name: request.name, bytes, limit_bytes }));
            }
            self.waiting.insert(request.id);
            if self.waiting.len() > usize::try_from(self.limits.parallel_calls).unwrap_or(usize::MAX) {
                return Err(self.over("parallel_calls"));
            }
            events.push(Event::Call(request));
        }
        Ok(())
    }

    /// A limit by the name that the prelude has for it.
    fn over(&self, name: &str) -> Failure {
        Failure::Limit(match name {
            "console_bytes" => Limit::ConsoleBytes { limit_bytes: self.limits.console_bytes },
            "parallel_calls" => Limit::ParallelCalls { limit: self.limits.parallel_calls },
            _ => Limit::HostCalls { limit: self.limits.host_calls },
        })
    }

    /// The JSON of the program's value; nothing for `undefined`.
    pub(super) fn encode(&mut self, value: Value) -> Result<Option<Box<RawValue>>, Failure> {
        let limit_bytes = self.limits.output_bytes;
        let text = match self.call_for_text(self.image.roots.encode, &[value], limit_bytes)? {
            Ok(Ok(text)) => text,
            Ok(Err(bytes)) => {
                return Err(Failure::Limit(Limit::OutputBytes { bytes: u64::from(bytes), limit_bytes }));
            }
            Err(thrown) => {
                return Err(match self.threw(thrown) {
                    Failure::Threw(thrown) => Failure::NoJson { reason: thrown.message },
                    other => other,
                });
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        RawValue::from_string(text).map(Some).map_err(|error| Failure::NoJson { reason: error.to_string() })
    }

    /// What was thrown, in the words of the model's own source.
    pub(super) fn threw(&mut self, thrown: Value) -> Failure {
        // After the memory ran out there would be none left to say so.
        let more = self.limits.memory_bytes.saturating_add(LAST_WORDS_BYTES);
        if let Err(fault) = self.guest.set("qjs_set_memory_limit", more) {
            return Failure::from_fault(fault, &self.limits);
        }
        // Where there is no room for the error of an allocation either, the engine throws `null` in its place.
        if self.guest.memory_bytes() >= u64::from(self.limits.memory_bytes) {
            match self.guest.is_null(thrown) {
                Ok(false) => {}
                Ok(true) => return Failure::from_fault(Fault::OutOfMemory, &self.limits),
                Err(fault) => return Failure::from_fault(fault, &self.limits),
            }
        }
        let description = match self.call_for_text(self.image.roots.describe, &[thrown], DESCRIPTION_BYTES) {
            Ok(Ok(Ok(text))) => serde_json::from_str(&text).unwrap_or_default(),
            Ok(Ok(Err(_))) => {
                let message = "an error whose text is too long to be shown".to_owned();
                Description { message, ..Description::default() }
            }
            // What it threw throws when it is looked at.
            Ok(Err(_)) => Description { message: "something that cannot be read".to_owned(), ..Description::default() },
            Err(failure) => return failure,
        };
        let Description { name, message, stack, call } = description;
        let frames = self.program.frames(&stack);
        let excerpt = frames.first().map(|frame| self.program.excerpt(frame.position));
        let (name, call) = (Some(name).filter(|name| !name.is_empty()), Some(call).filter(|call| !call.is_empty()));
        Failure::from_thrown(Thrown { name, message, call, frames, excerpt }, &self.limits)
    }

    /// Calls a function of the prelude that gives JSON. The text itself, or its length when it is over `limit`.
    fn call_for_text(
        &mut self,
        function: Value,
        arguments: &[Value],
        limit: u32,
    ) -> Result<Result<Result<String, u32>, Value>, Failure> {
        let roots = self.image.roots;
        let limits = self.limits.clone();
        let failed = |fault| Failure::from_fault(fault, &limits);
        let called = self.guest.call(function, roots.undefined, arguments, roots.scratch).map_err(failed)?;
        self.check_stopped(false)?;
        let text = match called {
            Ok(text) => text,
            Err(thrown) => return Ok(Err(thrown)),
        };
        let read = self.guest.text(text, roots.scratch, limit).map_err(failed)?;
        self.guest.release(text).map_err(failed)?;
        Ok(Ok(read.map(mended)))
    }
}
