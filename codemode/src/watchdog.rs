//! Stops a guest that does not ask whether it should stop.
//!
//! The engine asks its interrupt handler between steps of a program, but some single steps are long: filling an array of
//! a hundred million, sorting it, multiplying huge numbers. And an engine with a flaw may ask no more at all. So one
//! thread looks at all runs every [`INTERVAL`] and, when one is over its limit by more than the grace it has, interrupts its
//! WebAssembly by a signal (`SIGUSR1`), until it is gone. The trap ends the guest; its thread goes on.
//!
//! Wasmer calls this experimental. It was chosen over counting instructions, which costs every program some tenths of its
//! speed; what stays is that a signal in the middle of one of wasmer's own functions unwinds out of it, so it is the
//! last resort and not the usual way.

use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::imports::Budget;

/// How often runs are looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// How much later than the interrupt handler the watchdog comes: this, and a tenth of the limit.
const GRACE: Duration = Duration::from_millis(20);

/// Stops the WebAssembly of one store, from any thread.
#[derive(Clone)]
pub(crate) struct Interrupter(Arc<dyn Fn() + Send + Sync>);

impl Interrupter {
    pub(crate) fn new(interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(interrupt))
    }
}

/// The thread that watches. Ends when this is dropped.
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when there is something to watch again, or nothing ever more.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    watched: Vec<Watched>,
    is_over: bool,
}

struct Watched {
    id: u64,
    interrupter: Interrupter,
    clock: ThreadClock,
    cpu_until: Duration,
    wall_until: Instant,
    is_interrupted: bool,
}

impl Watchdog {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let watching = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("codemode-dog".to_owned()).spawn(move || watching.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Watches this thread's run until what is returned is dropped.
    pub(crate) fn watch(&self, interrupter: Interrupter, budget: Budget) -> Watch {
        let later = |limit: Duration| GRACE.saturating_add(limit / 10);
        let mut state = self.shared.lock();
        let id = state.next;
        state.next += 1;
        let is_first = state.watched.is_empty();
        state.watched.push(Watched {
            id,
            interrupter,
            clock: ThreadClock::of_this_thread(),
            cpu_until: budget.cpu_until.saturating_add(later(budget.cpu_limit)),
            wall_until: budget.wall_until + later(budget.wall_limit),
            is_interrupted: false,
        });
        drop(state);
        if is_first {
            self.shared.changed.notify_one();
        }
        Watch { shared: Arc::clone(&self.shared), id }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It holds nothing that could be lost.
            let _ = thread.join();
        }
    }
}

/// A run that is being watched.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    id: u64,
}

impl Watch {
    /// Whether it came to that. The runtime does not always say so: a signal at an instruction that can fail by itself looks
    /// like that failure.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.shared.lock().watched.iter().any(|watched| watched.id == self.id && watched.is_interrupted)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().watched.retain(|watched| watched.id != self.id);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.is_over {
            if state.watched.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // Not woken by new runs: the first look at a run may come an interval late, which the grace is for.
            drop(state);
            std::thread::sleep(INTERVAL);
            state = self.lock();
            for watched in &mut state.watched {
                // Again and again: a signal that comes between two of its calls is lost.
                if watched.is_interrupted || watched.is_over() {
                    watched.is_interrupted = true;
                    (watched.interrupter.0)();
                }
            }
        }
    }
}

impl Watched {
    fn is_over(&self) -> bool {
        Instant::now() >= self.wall_until || self.clock.now().is_some_and(|used| used >= self.cpu_until)
    }
}

/// The processor time of a thread, read from another: Linux tells it in `/proc` (`proc_pid_schedstat(5)`, first number,
/// nanoseconds). Where it does not, the limit of wall time stands alone.
struct ThreadClock(PathBuf);

impl ThreadClock {
    fn of_this_thread() -> Self {
        let id: NonZero<i32> = rustix::thread::gettid().as_raw_nonzero();
        Self(PathBuf::from(format!("/proc/self/task/{id}/schedstat")))
    }

    fn now(&self) -> Option<Duration> {
        let line = fs::read_to_string(&self.0).ok()?;
        line.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_runs_over_its_time_is_interrupted_again_and_again_and_what_is_gone_is_not() {
        let dog = Watchdog::start().unwrap();
        let (told, heard) = mpsc::channel();
        let interrupter = Interrupter::new(move || told.send(()).unwrap());
        let now = Instant::now();
        let limit = Duration::from_millis(1);
        let budget = Budget { cpu_until: Duration::MAX, wall_until: now + limit, cpu_limit: limit, wall_limit: limit };
        let watch = dog.watch(interrupter, budget);
        heard.recv().unwrap();
        heard.recv().unwrap();
        drop(watch);
        // The other end goes with the run.
        while heard.recv().is_ok() {}
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_processor_time_of_a_thread_is_seen_from_another() {
        let clock = ThreadClock::of_this_thread();
        while crate::usage::thread_cpu_time() < Duration::from_millis(30) {}
        let seen = std::thread::spawn(move || clock.now()).join().unwrap();
        assert!(seen.is_some_and(|seen| seen >= Duration::from_millis(1)), "{seen:?}");
    }
}
