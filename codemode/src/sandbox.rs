//! Where programs run: threads of their own, so that none of them ever holds up the async ones.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use crate::api::Api;
use crate::engine::EngineError;
use crate::image::Image;
use crate::limits::Limits;
use crate::machine::{AnswerError, Machine};
use crate::program::{Program, ProgramError};
use crate::protocol::{Answer, Event, Given};
use crate::snapshot::SnapshotError;
use crate::watchdog::Watchdog;
use crate::worker::{Gone, Left, Machines, Worker, keep};

/// Runs programs. Clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    image: Arc<Image>,
    watchdog: Arc<Watchdog>,
    workers: Vec<Worker>,
    /// The number of the next machine.
    next: AtomicU64,
}

/// A program that was started. Dropping it ends it, without a word to the program.
pub struct Run {
    inner: Arc<Inner>,
    worker: usize,
    machine: u64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Waiting(Vec<u32>),
    Over,
    /// A command was dropped in the middle, or went down with its thread.
    Lost,
}

/// Why a sandbox did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Threads could not be started.
    #[error("code mode: the system gives no thread: {0}")]
    Threads(#[source] std::io::Error),
    /// The text is no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Answers that nobody asked for.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A snapshot that could not be made or taken.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The run is over.
    #[error("code mode: the program is over and takes no more commands")]
    Over,
    /// A command was dropped before it ended, or the sandbox has a flaw that it hit.
    #[error("code mode: the run was lost and cannot go on; what it did until then is in its events")]
    Lost,
}

impl From<Gone> for SandboxError {
    fn from(Gone: Gone) -> Self {
        Self::Lost
    }
}

impl Sandbox {
    /// Compiles the engine, unless this process has done so, and prepares an image for `api`.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Engine`] and [`SandboxError::Threads`].
    ///
    /// # Cancel safety
    ///
    /// Dropped in the middle, the work goes on in its thread and comes to nothing.
    pub async fn open(api: Api, threads: NonZero<usize>) -> Result<Self, SandboxError> {
        let (tell, told) = oneshot::channel();
        let prepare = move || {
            // Nobody listens any more: then there is nothing to do.
            let _ = tell.send(Inner::open(api, threads.get()));
        };
        std::thread::Builder::new().name("codemode-open".to_owned()).spawn(prepare).map_err(SandboxError::Threads)?;
        let inner = told.await.map_err(|_| SandboxError::Lost)??;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The image that programs begin with.
    pub fn image(&self) -> &Image {
        &self.inner.image
    }

    /// Reads a program, on a thread for what blocks.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Program`]: the text is for the model.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn read(&self, source: String) -> Result<Arc<Program>, SandboxError> {
        let read = tokio::task::spawn_blocking(move || Program::read(source)).await;
        Ok(read.map_err(|_| SandboxError::Lost)?.map(Arc::new)?)
    }

    /// Starts a program and waits until it waits itself or is over.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Lost`]. That the program fails is no error but an event.
    ///
    /// # Cancel safety
    ///
    /// Dropped in the middle, the program runs until it waits or meets a limit, and is thrown away.
    pub async fn start(
        &self,
        program: Arc<Program>,
        limits: Limits,
        given: Given,
    ) -> Result<(Vec<Event>, Run), SandboxError> {
        let watchdog = Arc::clone(&self.inner.watchdog);
        let machine = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let (index, worker) = self.inner.idlest()?;
        let start = move |machines: &mut Machines| {
            let stepped = Machine::start(&mut machines.spare, &program, &limits, &given, &watchdog);
            keep(stepped, machine, machines)
        };
        let left = worker.perform(start, move |_, machines| drop(machines.remove(machine))).await?;
        let mut run = Run { inner: Arc::clone(&self.inner), worker: index, machine, state: State::Lost };
        let events = run.settle(left);
        Ok((events, run))
    }

    /// Wakes a program. It waits for the same host calls as when it was put to sleep, and does nothing until it gets an
    /// answer.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Snapshot`]; then the program is not run again either.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the snapshot is where it was.
    pub async fn restore(&self, program: Arc<Program>, snapshot: Vec<u8>) -> Result<Run, SandboxError> {
        let machine = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let (index, worker) = self.inner.idlest()?;
        let restore = move |machines: &mut Machines| {
            let restored = Machine::restore(&mut machines.spare, &program, &snapshot)?;
            Ok(keep(restored.unchanged(), machine, machines))
        };
        let restored: Result<Left, SnapshotError> =
            worker.perform(restore, move |_, machines| drop(machines.remove(machine))).await?;
        let mut run = Run { inner: Arc::clone(&self.inner), worker: index, machine, state: State::Lost };
        run.settle(restored?);
        Ok(run)
    }
}

impl Run {
    /// The host calls it waits for.
    pub fn waiting(&self) -> &[u32] {
        match &self.state {
            State::Waiting(waiting) => waiting,
            State::Over | State::Lost => &[],
        }
    }

    /// Whether its last event was its end.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Gives the program answers and waits until it waits again or is over.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Answer`]: no answer was taken, and the program waits as before.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: dropped in the middle, the run is lost.
    pub async fn answer(&mut self, answers: Vec<Answer>, now_ms: u64) -> Result<Vec<Event>, SandboxError> {
        let number = self.machine;
        let watchdog = Arc::clone(&self.inner.watchdog);
        let answer = move |machines: &mut Machines| {
            let machine = machines.remove(number)?;
            Some(match machine.answer(&answers, now_ms, &watchdog) {
                Ok(stepped) => Ok(keep(stepped, number, machines)),
                Err((error, machine)) => Err((error, keep(machine.unchanged(), number, machines))),
            })
        };
        let answered = self.command(answer).await?;
        match answered.ok_or(SandboxError::Lost)? {
            Ok(left) => Ok(self.settle(left)),
            Err((error, left)) => {
                self.settle(left);
                Err(error.into())
            }
        }
    }

    /// The program as bytes. The run stays as it is; dropped after this, it sleeps.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Snapshot`]; the run goes on all the same.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: dropped in the middle, the run is lost.
    pub async fn snapshot(&mut self) -> Result<Vec<u8>, SandboxError> {
        let number = self.machine;
        let waiting = self.waiting().to_vec();
        let made = self
            .command(move |machines| machines.get_mut(number).map(Machine::snapshot))
            .await?
            .ok_or(SandboxError::Lost)?;
        self.state = State::Waiting(waiting);
        Ok(made?)
    }

    /// Has a command carried out where the machine lives. The run is lost unless the caller says what is left of it.
    async fn command<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Machines) -> T + Send + 'static,
    ) -> Result<T, SandboxError> {
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Waiting(_) => {}
            State::Over => {
                self.state = State::Over;
                return Err(SandboxError::Over);
            }
            State::Lost => return Err(SandboxError::Lost),
        }
        let worker = self.inner.workers.get(self.worker).ok_or(SandboxError::Lost)?;
        Ok(worker.perform(job, |_, _| ()).await?)
    }

    fn settle(&mut self, left: Left) -> Vec<Event> {
        self.state = left.waiting.map_or(State::Over, State::Waiting);
        left.events
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let (false, Some(worker)) = (self.is_over(), self.inner.workers.get(self.worker)) {
            worker.forget(self.machine);
        }
    }
}

impl Inner {
    fn open(api: Api, threads: usize) -> Result<Self, SandboxError> {
        let image = Image::prepare(api)?;
        let watchdog = Arc::new(Watchdog::start().map_err(SandboxError::Threads)?);
        let workers: Result<Vec<_>, _> = (0..threads).map(|index| Worker::start(index, Arc::clone(&image))).collect();
        let workers = workers.map_err(SandboxError::Threads)?;
        Ok(Self { image, watchdog, workers, next: AtomicU64::new(0) })
    }

    /// The thread with the least to do.
    fn idlest(&self) -> Result<(usize, &Worker), SandboxError> {
        self.workers.iter().enumerate().min_by_key(|(_, worker)| worker.load()).ok_or(SandboxError::Lost)
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("image", &self.inner.image).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("state", &self.state).finish_non_exhaustive()
    }
}
