//! The owner task: the only writer of one instance.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, Shared};
use futures::stream::FuturesUnordered;
use reveille_channel::{EventId, InstanceId, Progress};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Services;
use super::children::{Chunk, Done};
use super::directory::{Bell, Crowd};
use super::sign::sign_of;
use crate::agent::Agent;
use crate::dispatch::Decision;
use crate::journal::{
    Body, Checkpoint, Corrupt, Durable, Fence, JournalError, Offset, Outcome, Release, Released, SnapshotChange, Turn,
    Usage,
};
use crate::turn::{InstanceState, Next, Todo};

/// A commit that several children may wait for.
pub(super) type Commit = Shared<BoxFuture<'static, Result<Durable<()>, JournalError>>>;

/// Text that streams in becomes a record when this much has come, or after [`FLUSH_AFTER`].
const FLUSH_BYTES: usize = 1024;

/// How long text that streams in may wait for its record.
const FLUSH_AFTER: Duration = Duration::from_millis(250);

/// Chunks of model text that may wait for the owner.
const CHUNKS_MAX: usize = 64;

/// Appends of one owner that may wait for their commit before it takes more of a model's text.
const COMMITS_MAX: usize = 8;

/// Starts without coming to rest after which an instance's work is given up: it takes the process down.
const ATTEMPTS_MAX: u32 = 3;

/// Records read at once.
const READ_MAX: usize = 256;

/// How an owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The instance sleeps.
    Asleep,
    /// It cannot be used: an operator has to look.
    SetAside,
    /// To be started again from the journal.
    Failed,
    /// The same, and something in it panicked: that is not done for ever.
    Panicked,
}

/// Why an owner cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

/// One owner's memory.
pub(super) struct Owner {
    pub(super) services: Arc<Services>,
    pub(super) id: InstanceId,
    /// The agent's name, from the instance's address.
    pub(super) agent: String,
    pub(super) state: InstanceState,
    fence: Fence,
    /// The offset after the last record folded.
    folded: Offset,
    /// The offset from which on events are looked for.
    read_from: Offset,
    attempts: u32,
    commits: FuturesUnordered<Commit>,
    /// The last append, or what was read when it woke: what rests on everything so far waits for it.
    last_commit: Commit,
    /// Records that were folded in and not appended yet, with their time.
    unsent: (i64, Vec<Body>),
    /// What changes with them of the programs that are kept.
    pub(super) unkept: Vec<SnapshotChange>,
    /// All that is left to do waits until people have answered some of what they were asked.
    pub(super) held_back: bool,
    /// Room for programs in memory that are about to begin.
    pub(super) places: Vec<tokio::sync::OwnedSemaphorePermit>,
    pub(super) waits_for_place: bool,
    /// Programs that are in memory, by call.
    pub(super) programs: HashMap<String, super::programs::Live>,
    /// Model streams, tool calls, questions about roles: what ends with the turn.
    pub(super) children: JoinSet<Done>,
    /// The call to a platform that is under way for a reply: it ends by itself, whatever becomes of the turn.
    pub(super) posts: JoinSet<Done>,
    pub(super) chunks: mpsc::Sender<Chunk>,
    pub(super) considering: bool,
    /// No event is considered before this time, milliseconds since the Unix epoch: the platform refuses our credentials.
    pub(super) consider_at_ms: i64,
    /// What was decided about events and is not recorded yet.
    pub(super) decided: Option<Vec<(EventId, Decision)>>,
    /// The model call that is under way.
    pub(super) calling: Option<(Turn, u32, u32)>,
    /// The tool calls that are under way, by id.
    pub(super) tools_running: HashSet<String>,
    pub(super) posting: bool,
    /// No reply operation before this time, milliseconds since the Unix epoch.
    pub(super) post_at_ms: i64,
    /// Operations in a row of which it is not known whether they were done.
    pub(super) trouble: u32,
    /// Operations in a row that certainly were not done.
    pub(super) refusals: u32,
    pub(super) status_shown: Option<super::publish::StatusShown>,
    pub(super) tasks_shown: Option<super::publish::TasksShown>,
    /// The definition of the running turn, by hash.
    pub(super) definition: Option<Arc<Agent>>,
    pub(super) model_failures: super::model::Failures,
    unflushed: Option<(Chunk, Instant)>,
    /// How far turns are, to be shown once that is on its way to the journal.
    pub(super) signs: Vec<(Turn, Progress)>,
}

/// Runs an instance until it sleeps, fails or the process stops.
pub(super) async fn run(
    services: Arc<Services>,
    id: InstanceId,
    panics: u32,
    bell: Arc<Bell>,
    crowd: Crowd,
    stop: CancellationToken,
) -> Exit {
    let engine = Arc::clone(&services.engine);
    let outcome = async {
        let (chunks, inbox) = mpsc::channel(CHUNKS_MAX);
        let mut owner = Owner::wake(services, id, chunks).await?;
        owner.attempts = owner.attempts.saturating_add(panics);
        owner.run(inbox, &bell, &crowd, &stop).await
    };
    match outcome.await {
        Ok(exit) => exit,
        Err(Halt::Corrupt(Corrupt(reason)) | Halt::Journal(JournalError::Corrupt { reason, .. })) => {
            tracing::error!(instance = %id, reason, "the instance is set aside");
            metrics::counter!("instances_quarantined_total").increment(1);
            match engine.quarantine(id, &reason).await {
                Ok(()) => Exit::SetAside,
                Err(error) => {
                    tracing::error!(instance = %id, %error, "it could not be marked as such");
                    Exit::Failed
                }
            }
        }
        Err(Halt::Journal(JournalError::Unknown(_))) => Exit::SetAside,
        Err(Halt::Journal(error)) => {
            tracing::warn!(instance = %id, %error, "the instance is started again from the journal");
            Exit::Failed
        }
    }
}

impl Owner {
    async fn wake(services: Arc<Services>, id: InstanceId, chunks: mpsc::Sender<Chunk>) -> Result<Self, Halt> {
        let claim = services.engine.claim(id).await?;
        let last_commit = futures::future::ready(Ok(claim.and(()))).boxed().shared();
        let claim = claim.into_inner();
        let (mut state, start) = match claim.checkpoint {
            None => (InstanceState::default(), 0),
            Some(Checkpoint { next_offset, state }) => {
                let state = serde_json::from_str(&state)
                    .map_err(|error| Corrupt(format!("its checkpoint is not of this version: {error}")))?;
                (state, next_offset)
            }
        };
        state.replay(&claim.tail)?;
        state.doubt();
        let folded = start.saturating_add(u64::try_from(claim.tail.len()).unwrap_or(u64::MAX));
        tracing::debug!(instance = %id, address = claim.address, epoch = claim.fence.epoch, folded, "awake");
        Ok(Self {
            agent: claim.address.split('/').next().unwrap_or_default().to_owned(),
            services,
            id,
            state,
            fence: claim.fence,
            folded,
            read_from: folded,
            attempts: claim.attempts,
            commits: FuturesUnordered::new(),
            last_commit,
            unsent: (0, Vec::new()),
            unkept: Vec::new(),
            held_back: false,
            places: Vec::new(),
            waits_for_place: false,
            programs: HashMap::new(),
            children: JoinSet::new(),
            posts: JoinSet::new(),
            chunks,
            considering: false,
            consider_at_ms: 0,
            decided: None,
            calling: None,
            tools_running: HashSet::new(),
            posting: false,
            post_at_ms: 0,
            trouble: 0,
            refusals: 0,
            status_shown: None,
            tasks_shown: None,
            definition: None,
            model_failures: super::model::Failures::default(),
            unflushed: None,
            signs: Vec::new(),
        })
    }

    async fn run(
        &mut self,
        mut inbox: mpsc::Receiver<Chunk>,
        bell: &Bell,
        crowd: &Crowd,
        stop: &CancellationToken,
    ) -> Result<Exit, Halt> {
        if self.attempts > ATTEMPTS_MAX {
            self.give_up()?;
        }
        if self.attempts > 1 {
            self.doubt_signs();
        }
        let mut rested_at: Option<Instant> = None;
        let mut shift = None;
        let turns_before = self.state.turns;
        loop {
            let wake_at = self.advance().await?;
            // What one round of the loop wrote is one append; nothing waits below with records unsent.
            self.append();
            self.show_signs();
            let rests = self.rests(wake_at);
            if rests {
                shift = None;
            } else if shift.is_none() {
                shift = Some(crowd.work());
            }
            if !rests {
                rested_at = None;
            } else if rested_at.is_none() {
                rested_at = Some(Instant::now());
                if self.attempts > 1 {
                    self.services.engine.settle(self.fence).await?;
                    self.attempts = 0;
                }
            }
            let hurries = crowd.is_dense() || crowd.for_its_database && self.state.turns == turns_before;
            let idle = if hurries { Duration::ZERO } else { self.services.limits.idle };
            let sleep_at = rested_at.map(|at| at + idle);
            let flush_at = self.unflushed.as_ref().map(|(_, since)| *since + FLUSH_AFTER);
            let due_at = wake_at.map(|due_ms| self.instant_of(due_ms));
            let timer = [sleep_at, flush_at, due_at].into_iter().flatten().min();
            // Every arm is cancel-safe: what a lost race leaves behind is still in its queue, its set or its bell.
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.drain().await;
                    return Ok(Exit::Asleep);
                }
                Some(committed) = self.commits.next() => {
                    committed?;
                }
                Some(done) = self.posts.join_next() => match done {
                    Ok(done) => self.done(done)?,
                    Err(error) => return Ok(self.panicked(&error)),
                },
                Some(done) = self.children.join_next() => match done {
                    Ok(done) => self.done(done)?,
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => return Ok(self.panicked(&error)),
                },
                // Text waits while the journal is slow, and the model's stream behind it.
                Some(chunk) = inbox.recv(), if self.commits.len() < COMMITS_MAX => self.receive(chunk)?,
                () = bell.notify.notified() => {
                    bell.rung.store(false, Ordering::Release);
                    self.read_events().await?;
                }
                () = tokio::time::sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => {
                    let now = Instant::now();
                    if flush_at.is_some_and(|at| at <= now) {
                        self.flush()?;
                    } else if sleep_at.is_some_and(|at| at <= now)
                        && self.release(wake_at, crowd.is_busy() && !crowd.for_its_database).await?
                    {
                        return Ok(Exit::Asleep);
                    }
                }
            }
        }
    }

    /// Does what is to be done and is not under way. When to look again though nothing happens, milliseconds since the Unix epoch.
    async fn advance(&mut self) -> Result<Option<i64>, Halt> {
        if let Some(decisions) = self.decided.take() {
            self.settle_access(decisions).await?;
        }
        self.held_back = false;
        let until = loop {
            let now_ms = self.services.clock.now_ms();
            if let Some((name, due_ms)) = self.state.next_alarm()
                && due_ms <= now_ms
            {
                let name = name.to_owned();
                self.write(vec![Body::AlarmFired { name }])?;
                continue;
            }
            let went_on = match self.state.next() {
                Next::Rest { until } => {
                    self.let_programs_go();
                    break until;
                }
                Next::Do(Todo::Consider { events }) => self.consider(events).await?,
                Next::Do(Todo::Shorten { turn, calls, dropped_messages }) => {
                    self.write(vec![Body::ContextShortened { turn, calls, dropped_messages }])?;
                    true
                }
                Next::Do(Todo::CallModel { turn, step, attempt }) => self.call_model(turn, step, attempt).await?,
                Next::Do(Todo::CallTools { turn, step, calls }) => self.call_tools(turn, step, &calls).await?,
                Next::Do(Todo::End { turn, outcome, reason }) => {
                    self.end(turn, outcome, reason)?;
                    true
                }
            };
            if !went_on {
                self.let_programs_go();
                let consider_at = (self.consider_at_ms > now_ms).then_some(self.consider_at_ms);
                let alarm = self.state.next_alarm().map(|(_, due_ms)| due_ms);
                break [consider_at, alarm].into_iter().flatten().min();
            }
        };
        let post_at = self.publish()?;
        Ok([until, post_at].into_iter().flatten().min())
    }

    /// Nothing is under way and nothing is to be done before `wake_at`, which is far enough to sleep till then.
    fn rests(&self, wake_at: Option<i64>) -> bool {
        let soon = |due_ms: i64| due_ms.saturating_sub(self.services.clock.now_ms()) < 5_000;
        let must_wait = || wake_at.is_some() && self.consider_at_ms > self.services.clock.now_ms();
        let is_idle = match &self.state.running {
            None => self.state.pending.is_empty() || must_wait(),
            // It waits for people, or for a time: what is said meanwhile waits with it.
            Some(_) => match self.state.next() {
                Next::Rest { .. } => true,
                Next::Do(Todo::Consider { .. }) => must_wait(),
                Next::Do(_) => self.held_back,
            },
        };
        // A platform that leaves a question without an answer is asked again within a minute, and not for ever.
        let in_trouble = self.trouble > 0 && !self.state.questions.is_empty();
        is_idle
            && !in_trouble
            && self.children.is_empty()
            && self.posts.is_empty()
            && self.commits.is_empty()
            && !wake_at.is_some_and(soon)
    }

    /// Folds records in and puts them with those that are appended next. Their order is fixed here.
    pub(super) fn write(&mut self, bodies: Vec<Body>) -> Result<(), Halt> {
        let at_ms = self.services.clock.now_ms();
        for body in &bodies {
            self.state.apply(body, at_ms)?;
            tracing::debug!(instance = %self.id, kind = body.kind(), "record");
        }
        self.folded = self.folded.saturating_add(u64::try_from(bodies.len()).unwrap_or(u64::MAX));
        // Records of one append have one time: what was folded in at another begins the next.
        if self.unsent.0 != at_ms {
            self.append();
        }
        self.unsent.0 = at_ms;
        self.unsent.1.extend(bodies);
        Ok(())
    }

    /// Sends what was written to the journal. The commit comes later.
    pub(super) fn append(&mut self) {
        let (at_ms, bodies) = (self.unsent.0, std::mem::take(&mut self.unsent.1));
        if bodies.is_empty() {
            return;
        }
        let count = u64::try_from(bodies.len()).unwrap_or(u64::MAX);
        let snapshots = std::mem::take(&mut self.unkept);
        let commit = self.services.engine.append(self.fence, at_ms, bodies, snapshots).shared();
        self.fence.written = self.fence.written.saturating_add(count);
        self.commits.push(commit.clone());
        self.last_commit = commit;
    }

    /// The commit of everything written so far: what rests on it waits for it.
    pub(super) fn written(&mut self) -> Commit {
        self.append();
        self.last_commit.clone()
    }

    /// Ends the running turn, and whatever it has under way.
    pub(super) fn end(&mut self, turn: Turn, outcome: Outcome, reason: Option<String>) -> Result<(), Halt> {
        self.flush()?;
        let usage = self.state.running.as_ref().map_or(Usage::default(), |running| running.usage);
        if self.calling.take().is_some()
            || !self.tools_running.is_empty()
            || !self.programs.is_empty()
            || self.waits_for_place
        {
            self.abort_children();
        }
        tracing::info!(instance = %self.id, turn, ?outcome, reason, tokens = usage.total(), "turn ended");
        metrics::counter!("turns_total", "outcome" => format!("{outcome:?}").to_lowercase()).increment(1);
        if self.state.running.as_ref().is_some_and(|running| running.has_kept) {
            // Gone with the record of the end, and not with one before it.
            self.append();
            self.unkept.push(SnapshotChange::Forget { turn });
        }
        self.write(vec![Body::TurnEnded { turn, outcome, reason, usage }])?;
        self.signs.push((turn, sign_of(outcome)));
        self.definition = None;
        self.model_failures = super::model::Failures::default();
        Ok(())
    }

    /// Stops model streams and tool calls. A post that is under way goes on: stopping it would not take it back.
    fn abort_children(&mut self) {
        self.children = JoinSet::new();
        self.tools_running.clear();
        self.programs.clear();
        self.places.clear();
        self.waits_for_place = false;
        self.considering = false;
    }

    fn panicked(&self, error: &tokio::task::JoinError) -> Exit {
        tracing::error!(instance = %self.id, %error, "a child panicked");
        Exit::Panicked
    }

    /// The work took the process down too often: it ends here, visibly, and others go on.
    fn give_up(&mut self) -> Result<(), Halt> {
        let running = self.state.running.as_ref().map(|running| running.turn);
        let shown: Vec<Turn> =
            self.state.replies.iter().map(|reply| reply.turn).filter(|turn| Some(*turn) != running).collect();
        let reason = format!("the gateway went down {} times while it worked on this", self.attempts.max(1) - 1);
        tracing::error!(instance = %self.id, reason, "its work is given up");
        metrics::counter!("events_dead_total").increment(1);
        if let Some(turn) = running {
            self.end(turn, Outcome::Failed, Some(reason.clone()))?;
        }
        let waiting: Vec<_> = self.state.pending.iter().map(|pending| pending.event.id).collect();
        for event in waiting {
            let turn = self.state.turns.saturating_add(1);
            let notice = Some(format!("I could not work on this: {reason}."));
            self.write(vec![Body::Refused { event, turn, rule: "attempts".into(), notice }])?;
        }
        // A question may itself be what takes the process down.
        let questions: Vec<_> = self.state.questions.iter().map(|one| (one.turn, one.approval.clone())).collect();
        for (turn, approval) in questions {
            self.write(vec![Body::QuestionClosed { turn, approval, failure: Some(reason.clone()) }])?;
        }
        // An answer that was being shown may itself be what takes the process down: it is not shown again.
        for turn in shown {
            self.write(vec![Body::ReplyFailed { turn, segment: 0, ambiguous: true, reason: reason.clone() }])?;
        }
        Ok(())
    }

    /// Folds in the events that were admitted since it last looked.
    async fn read_events(&mut self) -> Result<(), Halt> {
        loop {
            let records = self.services.engine.read(self.id, self.read_from, READ_MAX).await?;
            let count = records.len();
            for record in records {
                self.read_from = record.offset.saturating_add(1);
                if matches!(record.body, Body::Event { .. }) {
                    self.state.apply(&record.body, record.at_ms)?;
                    self.folded = self.folded.saturating_add(1);
                }
            }
            if count < READ_MAX {
                return Ok(());
            }
        }
    }

    fn receive(&mut self, chunk: Chunk) -> Result<(), Halt> {
        if self.calling != Some((chunk.turn, chunk.step, chunk.attempt)) {
            return Ok(());
        }
        match &mut self.unflushed {
            Some((held, _)) => held.text.push_str(&chunk.text),
            None => self.unflushed = Some((chunk, Instant::now())),
        }
        if self.unflushed.as_ref().is_some_and(|(held, _)| held.text.len() >= FLUSH_BYTES) {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes streamed text a record.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        let Some((Chunk { turn, step, attempt, text }, _)) = self.unflushed.take() else {
            return Ok(());
        };
        if self.calling != Some((turn, step, attempt)) {
            return Ok(());
        }
        let chunk =
            self.state.running.as_ref().and_then(|running| running.model.as_ref()).map_or(0, |call| call.chunks);
        self.write(vec![Body::ModelText { turn, step, attempt, chunk, text }])?;
        Ok(())
    }

    /// Forgets streamed text that a complete answer holds as well.
    pub(super) fn drop_unflushed(&mut self) {
        self.unflushed = None;
    }

    /// Lets the instance sleep; `false` when an event came in meanwhile.
    async fn release(&mut self, wake_at: Option<i64>, is_busy: bool) -> Result<bool, Halt> {
        let checkpoint = if is_busy {
            None
        } else {
            let rows = std::mem::take(&mut self.state.unsaved);
            let state = serde_json::to_string(&self.state)
                .map_err(|error| Corrupt(format!("its state cannot be written: {error}")))?;
            Some(Box::new((Checkpoint { next_offset: self.folded, state }, rows)))
        };
        let kept = checkpoint.as_ref().map(|both| both.1.clone());
        let release = Release { fence: self.fence, next_offset: self.folded, wake_at_ms: wake_at, checkpoint };
        match self.services.engine.release(release).await? {
            Released::Asleep => Ok(true),
            Released::Busy => {
                if let Some(rows) = kept {
                    self.state.unsaved = rows;
                }
                self.read_events().await?;
                Ok(false)
            }
        }
    }

    /// Before the process stops: what is under way at a platform may end, nothing new begins. The journal has the rest.
    async fn drain(&mut self) {
        let until = Instant::now() + self.services.limits.grace;
        while !self.posts.is_empty() || !self.tools_running.is_empty() {
            let ended = async {
                tokio::select! {
                    Some(done) = self.posts.join_next() => Some(done),
                    Some(done) = self.children.join_next() => Some(done),
                    else => None,
                }
            };
            let done = match tokio::time::timeout_at(until, ended).await {
                Ok(Some(Ok(done))) => done,
                Ok(Some(Err(_))) => continue,
                Ok(None) | Err(_) => break,
            };
            let is_settling = matches!(done, Done::Posted(_) | Done::Asked { .. } | Done::Tool { .. });
            if is_settling && self.done(done).is_err() {
                break;
            }
        }
        if let Err(error) = self.flush() {
            tracing::warn!(instance = %self.id, %error, "the last text was not recorded");
        }
        // Failing here costs nothing: the work is done again from the journal. An orderly stop is no attempt that failed.
        let written = self.written();
        let settled = async {
            let _ = written.await;
            self.services.engine.settle(self.fence).await
        };
        if let Ok(Err(error)) = tokio::time::timeout_at(until + Duration::from_secs(2), settled).await {
            tracing::debug!(instance = %self.id, %error, "the stop counts as an attempt");
        }
    }

    fn instant_of(&self, due_ms: i64) -> Instant {
        let wait = u64::try_from(due_ms.saturating_sub(self.services.clock.now_ms())).unwrap_or(0);
        Instant::now() + Duration::from_millis(wait)
    }

    fn done(&mut self, done: Done) -> Result<(), Halt> {
        match done {
            Done::Considered(decisions) => self.considered(decisions),
            Done::Model { turn, step, attempt, model, answer } => self.answered(turn, step, attempt, model, answer),
            Done::Tool { turn, step, call, effect, outcome } => self.tool_returned(turn, step, &call, effect, outcome),
            Done::Program { turn, step, call, left } => self.program_left(turn, step, &call, *left),
            Done::Place(place) => {
                self.placed(place);
                Ok(())
            }
            Done::Asked { approval, action, result } => self.asked(&approval, &action, result),
            Done::Posted(posted) => self.posted(posted),
            Done::Signed => Ok(()),
            Done::NotDurable(error) => Err(error.into()),
        }
    }
}
