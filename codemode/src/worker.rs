//! A thread that runs programs, and the machines that live on it.
//!
//! A store of wasmer cannot change its thread, so a machine stays where it was started until it is over, dropped, or asleep
//! as bytes. Commands go to its thread one at a time: a command has the thread's one permit or waits for it where it was
//! given, so nothing queues up here but the order to drop a machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::guest::Guest;
use crate::image::Image;
use crate::machine::{Machine, Stepped};
use crate::protocol::Event;
use crate::spare::Spare;

/// How long a thread has nothing to do before it makes an instance ahead: a program that waits for a quick answer gets it
/// first.
const QUIET: Duration = Duration::from_millis(1);

/// The machines of a thread.
pub(crate) struct Machines {
    by_number: HashMap<u64, Machine>,
    pub(crate) spare: Spare,
    /// Of machines that were over. They go once the outcome was told.
    remains: Vec<Guest>,
}

impl Machines {
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Machine> {
        self.by_number.get_mut(&number)
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Machine> {
        self.by_number.remove(&number)
    }
}

type Job = Box<dyn FnOnce(&mut Machines) + Send>;

/// The thread is gone. It ends with the sandbox alone.
#[derive(Debug)]
pub(crate) struct Gone;

/// A thread.
pub(crate) struct Worker {
    /// Nothing once it is being dropped, which is how the thread learns of it.
    jobs: Option<mpsc::Sender<Job>>,
    permit: Arc<Semaphore>,
    /// Commands that it carries out or that wait for it.
    load: AtomicUsize,
    thread: Option<JoinHandle<()>>,
}

/// What a command left behind.
pub(crate) struct Left {
    pub(crate) events: Vec<Event>,
    /// The host calls that the machine waits for; nothing when it is over.
    pub(crate) waiting: Option<Vec<u32>>,
}

impl Worker {
    pub(crate) fn start(index: usize, image: Arc<Image>) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let run = move || {
            // Here, as a store cannot change its thread.
            let mut machines = Machines { by_number: HashMap::new(), spare: Spare::new(image), remains: Vec::new() };
            while let Some(job) = next(&waiting, &mut machines.spare) {
                // A flaw of ours in one run must not take the thread from the others. A machine is out of the table while
                // it works, so it is gone with the flaw.
                let work = std::panic::AssertUnwindSafe(|| {
                    job(&mut machines);
                    machines.remains.clear();
                });
                let _ = std::panic::catch_unwind(work);
            }
        };
        let thread = std::thread::Builder::new().name(format!("codemode-{index}")).spawn(run)?;
        let permit = Arc::new(Semaphore::new(1));
        Ok(Self { jobs: Some(jobs), permit, load: AtomicUsize::new(0), thread: Some(thread) })
    }

    /// How much it has to do.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Has `job` done by the thread. When nobody waits for the outcome any more, `dropped` gets it, on the thread.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Machines) -> T + Send + 'static,
        dropped: impl FnOnce(T, &mut Machines) + Send + 'static,
    ) -> Result<T, Gone> {
        let _counted = Counted::new(&self.load);
        let permit = Arc::clone(&self.permit).acquire_owned().await.map_err(|_| Gone)?;
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |machines| {
            let outcome = job(machines);
            drop(permit);
            if let Err(outcome) = tell.send(outcome) {
                dropped(outcome, machines);
            }
        });
        self.jobs.as_ref().ok_or(Gone)?.send(job).map_err(|_| Gone)?;
        told.await.map_err(|_| Gone)
    }

    /// Drops a machine, when the thread comes to it.
    pub(crate) fn forget(&self, machine: u64) {
        if let Some(jobs) = &self.jobs {
            // A thread that is gone has no machines.
            let _ = jobs.send(Box::new(move |machines| drop(machines.remove(machine))));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The next job; nothing when there will be none any more.
fn next(waiting: &mpsc::Receiver<Job>, spare: &mut Spare) -> Option<Job> {
    if !spare.is_ready() {
        match waiting.recv_timeout(QUIET) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                // As with jobs: a flaw leaves the thread without a spare, and no more.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| spare.prepare()));
            }
        }
    }
    waiting.recv().ok()
}

/// Keeps the machine if it waits, and says what it did.
pub(crate) fn keep(stepped: Stepped, number: u64, machines: &mut Machines) -> Left {
    machines.remains.extend(stepped.remains);
    let waiting = stepped.machine.map(|machine| {
        let waiting = machine.waiting();
        machines.by_number.insert(number, machine);
        waiting
    });
    Left { events: stepped.events, waiting }
}

/// One more, as long as this lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
