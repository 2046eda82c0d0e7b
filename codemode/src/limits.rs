//! How much a program may use, and the errors that say which limit it met.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one run may use. All of it is counted over the whole run, also when it slept in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Processor time inside the sandbox.
    pub cpu: Duration,
    /// Time inside the sandbox; waiting for host calls does not count.
    pub wall: Duration,
    /// What the engine's allocator may hand out. The runtime's own bound of 256 MiB stands above it.
    pub memory_bytes: u32,
    /// The engine's stack: at most 512 KiB, which is half of what it was linked with.
    pub stack_bytes: u32,
    /// The JSON of the program's value.
    pub output_bytes: u32,
    /// All lines of the console together.
    pub console_bytes: u32,
    /// Host calls in all.
    pub host_calls: u32,
    /// Host calls that wait at the same time.
    pub parallel_calls: u32,
    /// The JSON of one call's arguments.
    pub call_bytes: u32,
    /// One snapshot, compressed.
    pub snapshot_bytes: u32,
}

/// The longest source that is looked at. It bounds the depth of what the parser meets, so it is not a setting:
/// see [`crate::program`].
pub const SOURCE_BYTES: usize = 64 * 1024;

/// The largest stack the engine can be given.
pub(crate) const STACK_BYTES_MAXIMUM: u32 = 512 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(2),
            wall: Duration::from_secs(10),
            memory_bytes: 64 << 20,
            stack_bytes: 256 << 10,
            output_bytes: 256 << 10,
            console_bytes: 64 << 10,
            host_calls: 1000,
            parallel_calls: 64,
            call_bytes: 1 << 20,
            snapshot_bytes: 16 << 20,
        }
    }
}

/// A limit that a program met. The text is for the model that wrote it: what was met, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "met", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the text of each says what it is")]
pub enum Limit {
    #[error(
        "the program used its {limit_ms} ms of processor time; do less in one program, or look for a loop that does not end"
    )]
    CpuTime { limit_ms: u64 },
    #[error("the program ran for {limit_ms} ms without waiting for anything; do less in one program")]
    WallTime { limit_ms: u64 },
    #[error("the program needed more than {limit_bytes} bytes of memory; keep less at once")]
    Memory { limit_bytes: u32 },
    #[error(
        "the program called itself too deeply for a stack of {limit_bytes} bytes; use a loop, or look for a recursion that does not end"
    )]
    Stack { limit_bytes: u32 },
    #[error(
        "the program's value is {bytes} bytes of JSON, and {limit_bytes} are allowed; return less, or write it to a file"
    )]
    OutputBytes { bytes: u64, limit_bytes: u32 },
    #[error("the program wrote more than {limit_bytes} bytes to the console; log less, and return what matters")]
    ConsoleBytes { limit_bytes: u32 },
    #[error("the program made more than {limit} host calls; ask for several things in one call")]
    HostCalls { limit: u32 },
    #[error("the program made more than {limit} host calls at the same time; await some before the next ones")]
    ParallelCalls { limit: u32 },
    #[error("the arguments of `{name}` are {bytes} bytes of JSON, and {limit_bytes} are allowed; pass less")]
    CallBytes { name: String, bytes: u64, limit_bytes: u32 },
    #[error(
        "the program is {bytes} bytes long, and {limit_bytes} are allowed; split it, or read data with a host call"
    )]
    SourceBytes { bytes: u64, limit_bytes: u64 },
    #[error("the sleeping program would take {bytes} bytes, and {limit_bytes} are allowed; keep less while waiting")]
    SnapshotBytes { bytes: u64, limit_bytes: u32 },
}
