//! A sleeping program as bytes: what of its memory differs from the prepared image, and a few numbers.
//!
//! ```text
//! "RVCM" | version, 1 byte | hash of the image, 32 bytes | length of what follows when unpacked, 4 bytes
//! zstd frame with a checksum: length of the numbers, 4 bytes | the numbers, JSON
//!                             | for each part: offset, 4 bytes | length, 4 bytes | bytes
//! ```
//!
//! All lengths are little-endian. A snapshot holds what the program knows, so whoever stores it seals it; the checksum finds
//! accidents, not forgers. A forged one could do what a program can do, and no more: it is memory of a guest.

use serde::{Deserialize, Serialize};

use crate::compression::{compress, decompress};
use crate::engine::MEMORY_MAXIMUM_PAGES;
use crate::guest::{PAGE_BYTES, Value};
use crate::image::{BLOCK_BYTES, Image, differing};
use crate::limits::{Limit, Limits};
use crate::usage::Usage;

const MAGIC: [u8; 4] = *b"RVCM";
const VERSION: u8 = 1;
const HASH_BYTES: usize = 32;

/// What is stored of a changed block: the engine changes a few words here and there in most of them (counts of references,
/// marks of its collector), so that most of a block is as it was. Smaller pieces than this cost more than they save.
const GRAIN_BYTES: usize = 32;

/// Why a snapshot was not made or not taken. The program is then neither run again nor guessed at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It would be too large to keep.
    #[error("{0}")]
    TooLarge(Limit),
    /// It stands on another image, so on another engine, prelude or API.
    #[error(
        "the sleeping program stands on the image {wanted}, and this node has {found}: it can go on only where the same version runs"
    )]
    OtherImage {
        /// The image it was made with.
        wanted: String,
        /// The image it was to be put on.
        found: String,
    },
    /// The source beside it is not the source it was started with.
    #[error("the sleeping program belongs to another source than the one it was to go on with")]
    OtherProgram,
    /// A later version of this crate wrote it, or it is no snapshot.
    #[error("these bytes are no snapshot that this version can read")]
    Unknown,
    /// It was cut or changed.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
    /// It could not be put in place, or made.
    #[error("the sandbox failed: {0}")]
    Sandbox(String),
}

/// The state of a machine beside its memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Numbers {
    /// Of the program's source.
    pub(crate) program: String,
    pub(crate) limits: Limits,
    pub(crate) usage: Usage,
    /// The host calls that have no answer.
    pub(crate) waiting: Vec<u32>,
    /// The promise of the program's value.
    pub(crate) promise: Value,
    pub(crate) random: u64,
    pub(crate) stack_pointer: i32,
    pub(crate) memory_bytes: u64,
}

/// A snapshot that was read.
#[derive(Debug)]
pub(crate) struct Unpacked<'a> {
    pub(crate) numbers: Numbers,
    /// Offsets and bytes.
    pub(crate) parts: Vec<(u64, &'a [u8])>,
}

/// Writes a snapshot of `memory`.
pub(crate) fn pack(image: &Image, memory: &[u8], numbers: &Numbers) -> Result<Vec<u8>, SnapshotError> {
    let broken = |error: &dyn std::fmt::Display| SnapshotError::Sandbox(error.to_string());
    let json = serde_json::to_vec(numbers).map_err(|error| broken(&error))?;
    let mut raw = Vec::new();
    put(&mut raw, json.len())?;
    raw.extend_from_slice(&json);
    // A stack that is not empty is kept whole.
    let pointer = usize::try_from(numbers.stack_pointer).unwrap_or_default() / BLOCK_BYTES * BLOCK_BYTES;
    for block in differing(memory, &image.memory, image.live_from.min(pointer), BLOCK_BYTES) {
        let until = memory.get(..block.end).unwrap_or_default();
        for part in differing(until, &image.memory, block.start, GRAIN_BYTES) {
            put(&mut raw, part.start)?;
            put(&mut raw, part.len())?;
            raw.extend_from_slice(until.get(part).unwrap_or_default());
        }
    }
    let packed = compress(&raw).map_err(|error| broken(&error))?;

    let mut snapshot = MAGIC.to_vec();
    snapshot.push(VERSION);
    snapshot.extend_from_slice(&image.hash);
    put(&mut snapshot, raw.len())?;
    snapshot.extend_from_slice(&packed);
    let bytes = u64::try_from(snapshot.len()).unwrap_or(u64::MAX);
    let limit_bytes = numbers.limits.snapshot_bytes;
    if bytes > u64::from(limit_bytes) {
        return Err(SnapshotError::TooLarge(Limit::SnapshotBytes { bytes, limit_bytes }));
    }
    Ok(snapshot)
}

/// Opens a snapshot that stands on `image`: what is in it, for [`read`].
pub(crate) fn unpack(image: &Image, snapshot: &[u8]) -> Result<Vec<u8>, SnapshotError> {
    let rest = snapshot.strip_prefix(&MAGIC).and_then(|rest| rest.strip_prefix(&[VERSION]));
    let (hash, rest) = rest.and_then(|rest| rest.split_at_checked(HASH_BYTES)).ok_or(SnapshotError::Unknown)?;
    if hash != image.hash {
        return Err(SnapshotError::OtherImage { wanted: hex::encode(hash), found: image.hash() });
    }
    let (raw_bytes, packed) = take(rest)?;
    let most = u64::from(MEMORY_MAXIMUM_PAGES) * PAGE_BYTES * 2;
    if u64::try_from(raw_bytes).unwrap_or(u64::MAX) > most {
        return Err(SnapshotError::Damaged("it says that it is larger than any can be".to_owned()));
    }
    let raw = decompress(packed, raw_bytes).map_err(|error| SnapshotError::Damaged(error.to_string()))?;
    if raw.len() != raw_bytes {
        return Err(SnapshotError::Damaged("its length is another than it says".to_owned()));
    }
    Ok(raw)
}

/// Reads what [`unpack`] gave.
pub(crate) fn read(raw: &[u8]) -> Result<Unpacked<'_>, SnapshotError> {
    let (json_bytes, rest) = take(raw)?;
    let (json, mut rest) = rest.split_at_checked(json_bytes).ok_or_else(cut)?;
    let numbers: Numbers = serde_json::from_slice(json).map_err(|error| SnapshotError::Damaged(error.to_string()))?;
    if numbers.memory_bytes > u64::from(MEMORY_MAXIMUM_PAGES) * PAGE_BYTES {
        return Err(SnapshotError::Damaged("its memory is larger than any can be".to_owned()));
    }
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (at, after) = take(rest)?;
        let (len, after) = take(after)?;
        let (bytes, after) = after.split_at_checked(len).ok_or_else(cut)?;
        parts.push((u64::try_from(at).unwrap_or(u64::MAX), bytes));
        rest = after;
    }
    Ok(Unpacked { numbers, parts })
}

fn put(out: &mut Vec<u8>, number: usize) -> Result<(), SnapshotError> {
    let number = u32::try_from(number).map_err(|error| SnapshotError::Sandbox(error.to_string()))?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn take(bytes: &[u8]) -> Result<(usize, &[u8]), SnapshotError> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    Ok((usize::try_from(u32::from_le_bytes(*number)).map_err(|_| cut())?, rest))
}

fn cut() -> SnapshotError {
    SnapshotError::Damaged("it ends in the middle".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::value::to_raw_value;

    use super::*;
    use crate::api::Api;
    use crate::imports::next_random;
    use crate::machine::Machine;
    use crate::program::Program;
    use crate::protocol::{Answer, CallOutcome, Given};
    use crate::spare::Spare;
    use crate::watchdog::Watchdog;

    /// What is inside of a snapshot, as a forger with the right checksum would have it.
    fn repacked(snapshot: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let (head, packed) = snapshot.split_at(MAGIC.len() + 1 + HASH_BYTES);
        let mut raw = zstd::bulk::decompress(&packed[4..], 64 << 20).unwrap();
        change(&mut raw);
        let mut forged = head.to_vec();
        put(&mut forged, raw.len()).unwrap();
        forged.extend(zstd::bulk::compress(&raw, 1).unwrap());
        forged
    }

    /// Where in the unpacked bytes those of the parts are.
    fn places_of_memory(raw: &[u8]) -> Vec<usize> {
        let start = raw.as_ptr().addr();
        let parts = read(raw).unwrap().parts;
        parts.iter().flat_map(|(_, part)| (part.as_ptr().addr() - start..).take(part.len())).collect()
    }

    #[test]
    fn a_forged_snapshot_is_refused_or_runs_as_a_program_and_takes_nothing_with_it() {
        let image = Image::prepare(Api::default().namespace("host", ["echo"]).unwrap()).unwrap();
        let mut spare = Spare::new(image);
        let program = Program::read("const a = [1, { b: 'c' }]; await host.echo(a); a.length").map(Arc::new).unwrap();
        let watchdog = Watchdog::start().unwrap();
        let limits = Limits { cpu: Duration::from_millis(50), memory_bytes: 8 << 20, ..Limits::default() };
        let given = Given { now_ms: 0, seed: 1 };
        let started = Machine::start(&mut spare, &program, &limits, &given, &watchdog);
        let snapshot = started.machine.unwrap().snapshot().unwrap();
        let answer = |machine: Machine| {
            let outcome = CallOutcome::Value(to_raw_value(&1).unwrap());
            machine.answer(&[Answer { id: 1, outcome }], 0, &watchdog)
        };
        let memory = places_of_memory(&unpack(spare.image(), &snapshot).unwrap());
        let mut random = 7;
        let mut woken = 0;
        for round in 0..300 {
            let forged = repacked(&snapshot, |raw| {
                for _ in 0..=next_random(&mut random) % 64 {
                    let at = usize::try_from(next_random(&mut random)).unwrap();
                    // Anywhere, or in what becomes memory alone, which is always taken.
                    let at = if round % 2 == 0 { at % raw.len() } else { memory[at % memory.len()] };
                    let [byte, ..] = next_random(&mut random).to_le_bytes();
                    raw[at] = byte;
                }
            });
            if let Ok(machine) = Machine::restore(&mut spare, &program, &forged) {
                woken += 1;
                // Any end will do: it was the forger's program.
                let _ = answer(machine);
            }
        }
        assert!(woken > 150, "only {woken} of the forged ones were taken");
        let whole = Machine::restore(&mut spare, &program, &snapshot).unwrap();
        let answered = answer(whole).ok().unwrap();
        assert!(answered.events.last().unwrap().finished().unwrap().result.is_ok());
    }

    #[test]
    fn a_snapshot_has_nothing_of_the_empty_stack_and_no_more_of_a_block_than_changed() {
        let image = Image::prepare(Api::default().namespace("host", ["echo"]).unwrap()).unwrap();
        assert!(image.live_from > 0, "the engine no longer has its stack first");
        let deep = "const f = (n: number): number => (n ? f(n - 1) + 1 : 0); const n = f(200); await host.echo(n); n";
        let program = Program::read(deep).map(Arc::new).unwrap();
        let watchdog = Watchdog::start().unwrap();
        let given = Given { now_ms: 0, seed: 1 };
        let mut spare = Spare::new(Arc::clone(&image));
        let started = Machine::start(&mut spare, &program, &Limits::default(), &given, &watchdog);
        let mut machine = started.machine.unwrap();
        let is_used = machine.with_memory(|memory| memory[..image.live_from].iter().any(|byte| *byte != 0));
        assert!(is_used, "nothing was on the stack that could have been kept");
        let raw = unpack(&image, &machine.snapshot().unwrap()).unwrap();
        let parts = read(&raw).unwrap().parts;
        assert!(parts.iter().all(|(at, _)| usize::try_from(*at).unwrap() >= image.live_from));
        let (kept, blocks) = machine.with_memory(|memory| {
            let blocks = differing(memory, &image.memory, image.live_from, BLOCK_BYTES);
            (
                parts.iter().map(|(_, part)| part.len()).sum::<usize>(),
                blocks.into_iter().map(|one| one.len()).sum::<usize>(),
            )
        });
        assert!(kept * 2 < blocks, "{kept} of {blocks} bytes");
    }

    #[test]
    fn parts_outside_of_the_memory_are_refused() {
        let image = Image::prepare(Api::default()).unwrap();
        let mut spare = Spare::new(Arc::clone(&image));
        let program = Program::read("1").map(Arc::new).unwrap();
        let numbers = Numbers {
            program: program.hash().to_owned(),
            limits: Limits::default(),
            usage: Usage::default(),
            waiting: Vec::new(),
            promise: Value(0),
            random: 0,
            stack_pointer: 0,
            memory_bytes: 0,
        };
        let empty = pack(&image, &image.memory, &numbers).unwrap();
        assert!(Machine::restore(&mut spare, &program, &empty).is_ok());
        let outside = repacked(&empty, |raw| {
            put(raw, image.memory.len() * 2).unwrap();
            put(raw, 1).unwrap();
            raw.push(1);
        });
        assert!(matches!(Machine::restore(&mut spare, &program, &outside), Err(SnapshotError::Sandbox(_))));
        let huge = Numbers { memory_bytes: u64::MAX, ..numbers };
        let huge = pack(&image, &image.memory, &huge).unwrap();
        assert!(matches!(Machine::restore(&mut spare, &program, &huge), Err(SnapshotError::Damaged(_))));
    }
}
