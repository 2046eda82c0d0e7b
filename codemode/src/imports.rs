//! All that the engine can ask of its host: twelve functions, of which four do something.
//!
//! The clock tells the time of the command that is being carried out and stands still meanwhile; randomness comes from a
//! seed. So the same program with the same answers does the same, and a snapshot holds everything. Modules, host
//! functions and files are not there: a call to their imports is answered with an error.

use std::time::{Duration, Instant};

use wasmer::{AsStoreRef, Function, FunctionEnv, FunctionEnvMut, Imports, Memory, Store, imports};

use crate::limits::Limit;
use crate::usage::thread_cpu_time;

const ENV: &str = "env";
const WASI: &str = "wasi_snapshot_preview1";

/// Every function that the engine may import. One that is not in this list is refused.
pub(crate) const IMPORTS: [(&str, &str); 12] = [
    (ENV, "host_call"),
    (ENV, "host_interrupt"),
    (ENV, "host_promise_rejection"),
    (ENV, "host_module_normalize"),
    (ENV, "host_module_load"),
    (ENV, "host_get_timezone_offset"),
    (WASI, "clock_time_get"),
    (WASI, "random_get"),
    (WASI, "fd_write"),
    (WASI, "fd_close"),
    (WASI, "fd_seek"),
    (WASI, "fd_fdstat_get"),
];

/// Error numbers of WASI preview 1.
const SUCCESS: i32 = 0;
const BAD_FILE: i32 = 8;
const BAD_ADDRESS: i32 = 21;
const NOT_THERE: i32 = 52;

/// What the host functions know.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) memory: Option<Memory>,
    /// Milliseconds since 1970, as the command that is carried out says.
    pub(crate) now_ms: u64,
    /// The state of the generator behind `random_get`.
    pub(crate) random: u64,
    pub(crate) budget: Budget,
    /// Set when the interrupt handler stopped the program.
    pub(crate) stopped: Option<Limit>,
}

/// Until when the present command may run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// By the clock of this thread's processor time.
    pub(crate) cpu_until: Duration,
    pub(crate) wall_until: Instant,
    pub(crate) cpu_limit: Duration,
    pub(crate) wall_limit: Duration,
}

impl Budget {
    /// The limit that is over, if one is.
    pub(crate) fn spent(&self) -> Option<Limit> {
        if thread_cpu_time() >= self.cpu_until {
            return Some(Limit::CpuTime { limit_ms: millis(self.cpu_limit) });
        }
        (Instant::now() >= self.wall_until).then(|| Limit::WallTime { limit_ms: millis(self.wall_limit) })
    }
}

/// Whole milliseconds, which fit for half a billion years.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The functions, for one store.
pub(crate) fn link(store: &mut Store, host: &FunctionEnv<Host>) -> Imports {
    imports! {
        ENV => {
            // The door is a queue that the host empties (prelude.js), so the engine never calls out in the middle.
            "host_call" => Function::new_typed(store, |_: i32, _: i32, _: i32, _: i32, _: i32| -> i32 { 0 }),
            "host_interrupt" => Function::new_typed_with_env(store, host, interrupt),
            "host_promise_rejection" => Function::new_typed(store, |_: i32, _: i32, _: i32| {}),
            "host_module_normalize" => Function::new_typed(store, |_: i32, _: i32| -> i32 { 0 }),
            "host_module_load" => Function::new_typed(store, |_: i32, _: i32| -> i32 { 0 }),
            // UTC, on every node.
            "host_get_timezone_offset" => Function::new_typed(store, |_: i32, _: i32| -> i32 { 0 }),
        },
        WASI => {
            "clock_time_get" => Function::new_typed_with_env(store, host, clock),
            "random_get" => Function::new_typed_with_env(store, host, random),
            "fd_write" => Function::new_typed_with_env(store, host, write),
            "fd_close" => Function::new_typed(store, |_: i32| -> i32 { BAD_FILE }),
            "fd_seek" => Function::new_typed(store, |_: i32, _: i64, _: i32, _: i32| -> i32 { BAD_FILE }),
            "fd_fdstat_get" => Function::new_typed(store, |_: i32, _: i32| -> i32 { BAD_FILE }),
        },
    }
}

/// Asked by the engine every some thousand steps; 1 ends the program, and no `catch` of it sees that.
fn interrupt(mut env: FunctionEnvMut<Host>) -> i32 {
    let host = env.data_mut();
    if host.stopped.is_none() {
        host.stopped = host.budget.spent();
    }
    i32::from(host.stopped.is_some())
}

fn clock(mut env: FunctionEnvMut<Host>, id: i32, _precision: i64, out: i32) -> i32 {
    // 0 is the time of day and 1 the monotonic clock; the others count processor time.
    if !(0..=1).contains(&id) {
        return NOT_THERE;
    }
    let (host, store) = env.data_and_store_mut();
    let nanos = host.now_ms.saturating_mul(1_000_000);
    put(host, &store, out, &nanos.to_le_bytes())
}

fn random(mut env: FunctionEnvMut<Host>, out: i32, len: i32) -> i32 {
    let (host, store) = env.data_and_store_mut();
    let mut bytes = Vec::new();
    // The engine asks for a few bytes; a length beyond that is not its own.
    let Some(len) = usize::try_from(len).ok().filter(|len| *len <= 65_536) else { return BAD_ADDRESS };
    while bytes.len() < len {
        bytes.extend_from_slice(&next_random(&mut host.random).to_le_bytes());
    }
    bytes.truncate(len);
    put(host, &store, out, &bytes)
}

/// SplitMix64, by Steele, Lea and Flood ("Fast splittable pseudorandom number generators", 2014). Not for secrets.
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What the C library prints goes nowhere; it is told that all of it was written.
fn write(mut env: FunctionEnvMut<Host>, file: i32, vectors: i32, count: i32, out: i32) -> i32 {
    if !(1..=2).contains(&file) {
        return BAD_FILE;
    }
    let (host, store) = env.data_and_store_mut();
    let Some(memory) = &host.memory else { return BAD_ADDRESS };
    let mut total = 0_u32;
    for index in 0..u64::from(count.cast_unsigned()).min(1024) {
        let mut len = [0; 4];
        let at = u64::from(vectors.cast_unsigned()).saturating_add(index * 8 + 4);
        if memory.view(&store).read(at, &mut len).is_err() {
            return BAD_ADDRESS;
        }
        total = total.saturating_add(u32::from_le_bytes(len));
    }
    put(host, &store, out, &total.to_le_bytes())
}

fn put(host: &Host, store: &impl AsStoreRef, at: i32, bytes: &[u8]) -> i32 {
    let Some(memory) = &host.memory else { return BAD_ADDRESS };
    match memory.view(store).write(u64::from(at.cast_unsigned()), bytes) {
        Ok(()) => SUCCESS,
        Err(_) => BAD_ADDRESS,
    }
}
