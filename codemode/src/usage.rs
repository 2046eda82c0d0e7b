//! What a run has used so far, and the clocks that say so.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What a run has used, over all its commands. Kept in snapshots, so that sleeping resets no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time inside the sandbox.
    pub cpu: Duration,
    /// Time inside the sandbox. Waiting for host calls is not in it.
    pub wall: Duration,
    /// Host calls asked for.
    pub host_calls: u32,
    /// Bytes written to the console.
    pub console_bytes: u64,
    /// The size of its memory at the end of the last command.
    pub memory_bytes: u64,
}

/// Processor time that this thread has used.
pub(crate) fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
