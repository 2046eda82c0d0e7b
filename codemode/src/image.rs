//! The prepared image: the engine's memory after it has started and read the prelude.
//!
//! Every run begins as a copy of it, which is quicker than starting the engine, and every snapshot is what differs from
//! it. An image is known by a hash of the engine, the prelude, the API and the memory itself. It comes out the same on
//! every node: the clock and the randomness it is made with are fixed.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::engine::{Engine, EngineError};
use crate::guest::{ARGUMENTS, Fault, Guest, Value};
use crate::imports::{Budget, Host};

/// What memory is compared and copied in: what the system gives it in.
pub(crate) const BLOCK_BYTES: usize = 4096;

const PRELUDE: &str = include_str!("prelude.js");

/// A memory to begin with.
pub struct Image {
    engine: &'static Engine,
    pub(crate) api: Api,
    /// Of everything a snapshot stands on.
    pub(crate) hash: [u8; 32],
    pub(crate) memory: Vec<u8>,
    /// Where the memory begins that means anything between two commands. Below it is the engine's stack, which is empty then.
    pub(crate) live_from: usize,
    /// The parts that a new instance does not have by itself.
    parts: Vec<Range<usize>>,
    pub(crate) roots: Roots,
}

/// Where in the image's memory the things lie that are called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Roots {
    pub(crate) undefined: Value,
    pub(crate) start: Value,
    pub(crate) settle: Value,
    pub(crate) take: Value,
    pub(crate) encode: Value,
    pub(crate) describe: Value,
    /// Room for the addresses of arguments, and for lengths.
    pub(crate) scratch: i32,
    stack_pointer: i32,
    pub(crate) runtime: i32,
    pub(crate) context: i32,
}

impl Image {
    /// Starts the engine of this process and reads the prelude for `api`. Waits for both.
    ///
    /// # Errors
    ///
    /// As in [`EngineError`].
    pub fn prepare(api: Api) -> Result<Arc<Self>, EngineError> {
        let engine = Engine::shared()?;
        Self::prepare_with(engine, api).map(Arc::new).map_err(|fault| EngineError::Start(fault.to_string()))
    }

    /// What snapshots name it by.
    pub fn hash(&self) -> String {
        hex::encode(self.hash)
    }

    /// How much of it is copied at each start.
    pub fn copied_bytes(&self) -> usize {
        self.parts.iter().map(ExactSizeIterator::len).sum()
    }

    fn prepare_with(engine: &'static Engine, api: Api) -> Result<Self, Fault> {
        let names = serde_json::to_string(&api).map_err(|error| Fault::Broken(error.to_string()))?;
        let literal = serde_json::to_string(&names).map_err(|error| Fault::Broken(error.to_string()))?;
        // Behind the last `$API`: the comment at the top names it too.
        let (before, after) = PRELUDE.rsplit_once("$API").unwrap_or((PRELUDE, ""));
        let prelude = format!("{before}{literal}{after}");

        let mut guest = bare(engine)?;
        let blank = guest.with_memory(<[u8]>::to_vec)?;
        guest.invoke("_initialize", (), |function: &wasmer::TypedFunction<(), ()>, store, ()| function.call(store))?;
        if guest.get("qjs_init")? != 0 {
            return Err(Fault::Broken("qjs_init failed".to_owned()));
        }
        guest.set("qjs_set_interrupt_handler", 1)?;
        let scratch = guest.allocate(ARGUMENTS * 4)?;
        let door = match guest.evaluate(&prelude, "prelude")? {
            Ok(door) => door,
            Err(thrown) => {
                let message = guest.text(thrown, scratch, 4096)?.unwrap_or_default();
                return Err(Fault::Broken(format!("the prelude: {message}")));
            }
        };
        let mut root = |name: &str| guest.property(door, name);
        let (start, settle, take) = (root("start")?, root("settle")?, root("take")?);
        let (encode, describe) = (root("encode")?, root("describe")?);
        let undefined = Value(guest.get("qjs_get_undefined")?);
        guest.invoke("qjs_run_gc", (), |function: &wasmer::TypedFunction<(), ()>, store, ()| function.call(store))?;
        let stack_pointer = guest.stack_pointer()?;
        let roots = Roots {
            undefined,
            start,
            settle,
            take,
            encode,
            describe,
            scratch,
            stack_pointer,
            runtime: guest.get("qjs_get_runtime_ptr")?,
            context: guest.get("qjs_get_context_ptr")?,
        };
        let mut memory = guest.with_memory(<[u8]>::to_vec)?;
        let live_from = live_from(&blank, stack_pointer);
        memory.get_mut(..live_from).unwrap_or_default().fill(0);

        let mut digest = Sha256::new();
        digest.update(engine.hash);
        digest.update(Sha256::digest(&prelude));
        digest.update(Sha256::digest(&memory));
        let parts = differing(&memory, &blank, live_from, BLOCK_BYTES);
        Ok(Self { engine, api, hash: digest.finalize().into(), memory, live_from, parts, roots })
    }

    /// A new instance with this memory, at an instant that never passes.
    pub(crate) fn instantiate(&self) -> Result<Guest, Fault> {
        let mut guest = bare(self.engine)?;
        guest.grow_to(u64::try_from(self.memory.len()).unwrap_or(u64::MAX))?;
        for part in &self.parts {
            let bytes = self.memory.get(part.clone()).unwrap_or_default();
            guest.write(u64::try_from(part.start).unwrap_or(u64::MAX), bytes)?;
        }
        guest.set_stack_pointer(self.roots.stack_pointer)?;
        guest.adopt(self.roots.runtime, self.roots.context)?;
        Ok(guest)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").field("hash", &self.hash()).field("bytes", &self.memory.len()).finish_non_exhaustive()
    }
}

/// An instance as the module has it.
pub(crate) fn bare(engine: &Engine) -> Result<Guest, Fault> {
    Guest::new(engine, still_host())
}

/// A host of an instant that never passes, for what must come out the same everywhere.
pub(crate) fn still_host() -> Host {
    let long = Duration::from_secs(3600);
    let budget =
        Budget { cpu_until: Duration::MAX, wall_until: Instant::now() + long, cpu_limit: long, wall_limit: long };
    Host { memory: None, now_ms: 0, random: 0, budget, stopped: None }
}

/// Where the stack ends, for a module that has it before all else. In `blank`, its memory as it comes, there is then nothing
/// below the stack pointer; otherwise all of the memory counts.
fn live_from(blank: &[u8], stack_pointer: i32) -> usize {
    let pointer = usize::try_from(stack_pointer).unwrap_or_default() / BLOCK_BYTES * BLOCK_BYTES;
    let is_stack = blank.get(..pointer).is_some_and(|below| below.iter().all(|byte| *byte == 0));
    if is_stack { pointer } else { 0 }
}

/// The pieces of `memory` from `from` on that are not as in `base`, neighbours together. Behind the end of `base` stand zeros.
/// A piece is at most a block.
pub(crate) fn differing(memory: &[u8], base: &[u8], from: usize, piece_bytes: usize) -> Vec<Range<usize>> {
    const ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut at = from;
    for piece in memory.get(from..).unwrap_or_default().chunks(piece_bytes) {
        let end = at + piece.len();
        let known = base.get(at..end).or_else(|| ZEROS.get(..piece.len()));
        if known != Some(piece) {
            match parts.last_mut() {
                Some(last) if last.end == at => last.end = end,
                _ => parts.push(at..end),
            }
        }
        at = end;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_differ_are_found_also_behind_the_end() {
        let base = vec![0; BLOCK_BYTES * 4];
        let mut memory = vec![0; BLOCK_BYTES * 6];
        assert!(differing(&memory, &base, 0, BLOCK_BYTES).is_empty());
        memory[BLOCK_BYTES] = 1;
        memory[BLOCK_BYTES * 3 - 1] = 1;
        memory[BLOCK_BYTES * 5] = 1;
        let wanted = [BLOCK_BYTES..BLOCK_BYTES * 3, BLOCK_BYTES * 5..BLOCK_BYTES * 6];
        assert_eq!(differing(&memory, &base, 0, BLOCK_BYTES), wanted);
        let after = [BLOCK_BYTES * 2..BLOCK_BYTES * 3, BLOCK_BYTES * 5..BLOCK_BYTES * 6];
        assert_eq!(differing(&memory, &base, BLOCK_BYTES * 2, BLOCK_BYTES), after);
        let small = [BLOCK_BYTES..BLOCK_BYTES + 64, BLOCK_BYTES * 3 - 64..BLOCK_BYTES * 3];
        assert_eq!(differing(&memory, &base, 0, 64)[..2], small);
    }

    #[test]
    fn an_image_comes_out_the_same_each_time_and_another_api_is_another_image() {
        let api = || Api::default().namespace("workspace", ["readFile"]).unwrap();
        let first = Image::prepare(api()).unwrap();
        assert_eq!(first.hash, Image::prepare(api()).unwrap().hash);
        let other = Api::default().namespace("workspace", ["writeFile"]).unwrap();
        assert_ne!(first.hash, Image::prepare(other).unwrap().hash);
    }
}
