//! Who is awake: one supervisor task that starts owners, wakes them, and starts them again when they fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reveille_channel::InstanceId;
use tokio::sync::{Notify, mpsc};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Services;
use super::owner::{self, Exit};

/// Wake-ups that may wait for the supervisor; more are found in the journal by its sweep.
const WAKES_MAX: usize = 4096;

/// The supervisor looks for work in the journal at least this often, whatever it was told.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Owners at work from which on databases of those that rest are written later.
const WORKING_BUSY: usize = 16;

/// How many sleepers whose databases are behind are woken at once to write them, and how often.
const PROJECT_AT_ONCE: usize = 16;
const PROJECT_EVERY: Duration = Duration::from_millis(500);

/// How soon the journal is looked into when something may have been missed; many such hints are one look.
const LOOK_AFTER: Duration = Duration::from_millis(200);

/// How long after a failure an owner is started again; doubled for each further one, up to a minute.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// A bell: that something is new for an instance. What it is stands in the journal.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pub(super) notify: Notify,
    /// Rung, and the owner has not looked since.
    pub(super) rung: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.notify.notify_one();
    }
}

/// The awake instances.
#[derive(Debug, Clone)]
pub struct Directory {
    wakes: mpsc::Sender<InstanceId>,
    missed: Arc<AtomicBool>,
    awake: Arc<AtomicUsize>,
    looks: Arc<Notify>,
}

impl Directory {
    /// A directory and the task that runs it until `stop` is cancelled and all owners have ended. The caller owns the task.
    #[must_use]
    pub fn start(services: Arc<Services>, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let (wakes, inbox) = mpsc::channel(WAKES_MAX);
        let directory = Self { wakes, missed: Arc::default(), awake: Arc::default(), looks: Arc::default() };
        let supervisor = Supervisor {
            services,
            inbox,
            missed: Arc::clone(&directory.missed),
            awake: Arc::clone(&directory.awake),
            looks: Arc::clone(&directory.looks),
            working: Arc::default(),
            behind: Vec::new(),
            entries: HashMap::new(),
            tasks: HashMap::new(),
            owners: JoinSet::new(),
            retries: JoinSet::new(),
            failures: HashMap::new(),
            stop,
        };
        (directory, tokio::spawn(supervisor.run()))
    }

    /// Tells that an instance has work. Never blocks; a wake-up that finds no room is found in the journal.
    pub fn wake(&self, instance: InstanceId) {
        if self.wakes.try_send(instance).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }

    /// Tells that some instance may have work: the supervisor looks into the journal soon.
    pub fn look(&self) {
        self.looks.notify_one();
    }

    /// How many instances are awake.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.awake.load(Ordering::Relaxed)
    }
}

struct Supervisor {
    services: Arc<Services>,
    inbox: mpsc::Receiver<InstanceId>,
    missed: Arc<AtomicBool>,
    awake: Arc<AtomicUsize>,
    looks: Arc<Notify>,
    working: Arc<AtomicUsize>,
    /// Whom it woke last to bring their databases up to date.
    behind: Vec<InstanceId>,
    entries: HashMap<InstanceId, Arc<Bell>>,
    tasks: HashMap<Id, InstanceId>,
    owners: JoinSet<Exit>,
    retries: JoinSet<InstanceId>,
    failures: HashMap<InstanceId, Failures>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(mut self) {
        let mut sweep_at = tokio::time::Instant::now();
        let looks = Arc::clone(&self.looks);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(ended) = self.owners.join_next_with_id() => {
                    let full = self.entries.len() >= self.services.limits.awake;
                    match ended {
                        Ok((id, exit)) => self.ended(id, Some(exit)),
                        Err(error) => {
                            tracing::error!(%error, "an instance's owner panicked; it is started again from the journal");
                            self.ended(error.id(), None);
                        }
                    }
                    if full {
                        sweep_at = tokio::time::Instant::now();
                    }
                }
                Some(Ok(instance)) = self.retries.join_next(), if !self.retries.is_empty() => self.retry(instance),
                Some(instance) = self.inbox.recv() => {
                    self.wake(instance);
                    if self.missed.swap(false, Ordering::AcqRel) {
                        sweep_at = tokio::time::Instant::now();
                    }
                }
                () = looks.notified() => sweep_at = sweep_at.min(tokio::time::Instant::now() + LOOK_AFTER),
                () = tokio::time::sleep_until(sweep_at) => sweep_at = tokio::time::Instant::now() + self.sweep().await,
            }
        }
        while self.owners.join_next().await.is_some() {}
        self.awake.store(0, Ordering::Relaxed);
    }

    /// Wakes what has work in the journal; how long to wait before the next look.
    async fn sweep(&mut self) -> Duration {
        let now_ms = self.services.clock.now_ms();
        let room = self.services.limits.awake.saturating_sub(self.entries.len());
        if room > 0 {
            match self.services.engine.ready(now_ms, room).await {
                Ok(ready) => ready.into_iter().for_each(|instance| self.wake(instance)),
                Err(error) => {
                    tracing::error!(%error, "the journal does not tell which instances have work");
                    return Duration::from_secs(1);
                }
            }
        }
        let most = if self.project().await { PROJECT_EVERY } else { SWEEP_EVERY };
        match self.services.engine.next_wake().await {
            Ok(Some(due_ms)) => {
                let wait = u64::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(0);
                Duration::from_millis(wait).clamp(Duration::from_millis(50), most)
            }
            Ok(None) | Err(_) => most,
        }
    }

    /// Wakes some that went to sleep without writing their databases: they do it now, and the log forgets what it held for
    /// them. Whether there may be more.
    async fn project(&mut self) -> bool {
        let count = if self.working.load(Ordering::Relaxed) > WORKING_BUSY { 1 } else { PROJECT_AT_ONCE };
        match self.services.engine.unprojected(count).await {
            Ok(behind) => {
                // The same again: their databases cannot be written, and hurrying does not help.
                let is_new = behind.iter().any(|instance| !self.behind.contains(instance));
                behind.iter().for_each(|instance| self.start(*instance, true));
                self.behind = behind;
                is_new
            }
            Err(error) => {
                tracing::warn!(%error, "the journal does not tell whose databases are behind");
                false
            }
        }
    }

    fn wake(&mut self, instance: InstanceId) {
        self.start(instance, false);
    }

    fn start(&mut self, instance: InstanceId, for_its_database: bool) {
        if let Some(bell) = self.entries.get(&instance) {
            bell.ring();
            return;
        }
        if self.entries.len() >= self.services.limits.awake {
            // It is `ready` in the journal: the next owner that ends makes room and a sweep finds it.
            return;
        }
        let bell = Arc::new(Bell::default());
        let panics = self.failures.get(&instance).map_or(0, |failures| failures.panics);
        let crowded = Crowd {
            awake: Arc::clone(&self.awake),
            most: self.services.limits.awake,
            working: Arc::clone(&self.working),
            for_its_database,
        };
        let owner = owner::run(
            Arc::clone(&self.services),
            instance,
            panics,
            Arc::clone(&bell),
            crowded,
            self.stop.child_token(),
        );
        let task = self.owners.spawn(owner);
        self.tasks.insert(task.id(), instance);
        self.entries.insert(instance, bell);
        self.awake.store(self.entries.len(), Ordering::Relaxed);
        metrics::gauge!("instances_awake").set(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
    }

    /// Starts an owner again that failed. To the journal the instance is still running, so no sweep would find it: it is kept
    /// here until there is room.
    fn retry(&mut self, instance: InstanceId) {
        if self.entries.len() >= self.services.limits.awake && !self.entries.contains_key(&instance) {
            self.wake_after(instance, FIRST_RETRY);
        } else {
            self.wake(instance);
        }
    }

    fn wake_after(&mut self, instance: InstanceId, wait: Duration) {
        self.retries.spawn(async move {
            tokio::time::sleep(wait).await;
            instance
        });
    }

    fn ended(&mut self, task: Id, exit: Option<Exit>) {
        let Some(instance) = self.tasks.remove(&task) else {
            return;
        };
        let bell = self.entries.remove(&instance);
        self.awake.store(self.entries.len(), Ordering::Relaxed);
        metrics::gauge!("instances_awake").set(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        match exit {
            Some(Exit::Asleep) => {
                self.failures.remove(&instance);
                if bell.is_some_and(|bell| bell.rung.load(Ordering::Acquire)) {
                    self.wake(instance);
                }
            }
            Some(Exit::SetAside) => {
                self.failures.remove(&instance);
            }
            Some(exit @ (Exit::Failed | Exit::Panicked)) => self.failed(instance, exit == Exit::Panicked),
            None => self.failed(instance, true),
        }
    }

    fn failed(&mut self, instance: InstanceId, has_panicked: bool) {
        let failures = self.failures.entry(instance).or_default();
        failures.count = failures.count.saturating_add(1);
        failures.panics = failures.panics.saturating_add(u32::from(has_panicked));
        let wait = FIRST_RETRY.saturating_mul(1 << failures.count.min(6)).min(Duration::from_secs(60));
        self.wake_after(instance, wait);
    }
}

/// Failures of an owner in a row.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    /// Those among them that would fail the same way again.
    panics: u32,
}

/// How crowded and how busy it is: owners that rest leave sooner, or leave their databases for later.
#[derive(Debug)]
pub(super) struct Crowd {
    awake: Arc<AtomicUsize>,
    most: usize,
    working: Arc<AtomicUsize>,
    /// Nothing is new for this one: it wakes to bring its database up to date, and goes back to sleep.
    pub(super) for_its_database: bool,
}

/// An owner that works, for as long as this lives.
#[derive(Debug)]
pub(super) struct Shift(Arc<AtomicUsize>);

impl Drop for Shift {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crowd {
    /// More than half of the places are taken.
    pub(super) fn is_dense(&self) -> bool {
        self.awake.load(Ordering::Relaxed) > self.most / 2
    }

    /// So many work that the disk is theirs: writing an instance's own database costs more than a short turn.
    pub(super) fn is_busy(&self) -> bool {
        self.working.load(Ordering::Relaxed) > WORKING_BUSY
    }

    /// Counts an owner as one that works.
    pub(super) fn work(&self) -> Shift {
        self.working.fetch_add(1, Ordering::Relaxed);
        Shift(Arc::clone(&self.working))
    }
}
