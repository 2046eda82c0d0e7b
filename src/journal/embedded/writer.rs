//! The one task that writes the log: group commit.
//!
//! It takes everything that waits, decides on each command in order against the rows as they will be, writes it all in
//! one transaction, and answers after the commit. When the commit fails, everybody is told so and nothing of it holds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use reveille_channel::{EventId, InstanceId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::rows::{InstanceState, NewRecord};
use super::{signed, storage};
use crate::journal::{Admission, Admitted, BODY_VERSION, Fence, InstallationRow, JournalError, Offset, SnapshotChange};

/// The most commands of one commit.
const GROUP_MAX: usize = 2048;

/// The most bytes of records of one commit.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// The most rows kept of instances that wait for an owner; the others are read again when they have one.
const READY_KEPT: usize = 10_000;

/// Pages written after which the checkpointer is called.
const CHECKPOINT_PAGES: usize = 2000;

/// How often old dedupe keys and bodies are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// How many of each are deleted at once, and the pause before the next so many: admission goes on between.
const PURGE_BATCH: u64 = 1000;
const PURGE_PAUSE: Duration = Duration::from_millis(200);

/// The first look after a start, which may come after a long time off.
const PURGE_FIRST: Duration = Duration::from_secs(60);

pub(super) type Answer = oneshot::Sender<Result<InstanceState, JournalError>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    Admit {
        admission: Box<Admission>,
        record: NewRecord,
        answer: oneshot::Sender<Result<Admitted, JournalError>>,
    },
    Append {
        fence: Fence,
        at_ms: i64,
        records: Vec<NewRecord>,
        snapshots: Vec<SnapshotChange>,
        answer: oneshot::Sender<Result<(), JournalError>>,
    },
    Claim {
        instance: InstanceId,
        answer: Answer,
    },
    /// Answers with the row as it is.
    Look {
        fence: Fence,
        answer: Answer,
    },
    Settle {
        fence: Fence,
        answer: Answer,
    },
    /// `applied`: what the instance's own database holds now; the log forgets it.
    Release {
        fence: Fence,
        next_offset: Offset,
        wake_at_ms: Option<i64>,
        applied: Option<Offset>,
        answer: Answer,
    },
    Quarantine {
        instance: InstanceId,
        answer: Answer,
    },
    Define {
        hash: String,
        source: String,
        answer: Answer,
    },
    Keep {
        row: InstallationRow,
        answer: Answer,
    },
    Forget {
        connection: String,
        installation: String,
        answer: Answer,
    },
    Probe {
        answer: Answer,
    },
    Close {
        answer: Answer,
    },
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Admit { admission, record, .. } => admission.raw.len() + record.json.len(),
            Self::Keep { row, .. } => row.data.len(),
            Self::Append { records, snapshots, .. } => {
                let kept = |change: &SnapshotChange| match change {
                    SnapshotChange::Keep { sealed, .. } => sealed.len(),
                    SnapshotChange::Drop { .. } | SnapshotChange::Forget { .. } => 0,
                };
                records.iter().map(|record| record.json.len()).sum::<usize>()
                    + snapshots.iter().map(kept).sum::<usize>()
            }
            _ => 64,
        }
    }

    fn instances(&self) -> Vec<InstanceId> {
        match self {
            Self::Admit { admission, .. } => admission.targets.iter().map(crate::journal::Target::id).collect(),
            Self::Append { fence, .. }
            | Self::Look { fence, .. }
            | Self::Settle { fence, .. }
            | Self::Release { fence, .. } => vec![fence.instance],
            Self::Claim { instance, .. } | Self::Quarantine { instance, .. } => vec![*instance],
            Self::Define { .. } | Self::Keep { .. } | Self::Forget { .. } | Self::Probe { .. } | Self::Close { .. } => {
                Vec::new()
            }
        }
    }
}

/// An answer that waits for the commit.
enum Told {
    Admitted(oneshot::Sender<Result<Admitted, JournalError>>, Result<Admitted, JournalError>),
    Appended(oneshot::Sender<Result<(), JournalError>>, Result<(), JournalError>),
    Row(Answer, Result<InstanceState, JournalError>),
}

impl Told {
    /// Answers; with `failure`, what would have held does not. Somebody who stopped waiting is no concern.
    fn tell(self, failure: Option<&JournalError>) {
        match self {
            Self::Admitted(answer, told) => drop(answer.send(failed(told, failure))),
            Self::Appended(answer, told) => drop(answer.send(failed(told, failure))),
            Self::Row(answer, told) => drop(answer.send(failed(told, failure))),
        }
    }
}

fn failed<T>(told: Result<T, JournalError>, failure: Option<&JournalError>) -> Result<T, JournalError> {
    match failure {
        Some(error) => Err(error.clone()),
        None => told,
    }
}

/// A change of what is kept of installations; they are made in order.
enum Installation {
    Keep(InstallationRow),
    Forget { connection: String, installation: String },
}

/// What one commit writes.
#[derive(Default)]
struct Group {
    /// The rows of all instances it looks at, as they will be.
    rows: HashMap<InstanceId, InstanceState>,
    touched: HashSet<InstanceId>,
    seen: HashSet<EventId>,
    inbox: Vec<(EventId, EventId, i64)>,
    deliveries: Vec<(EventId, bytes::Bytes, i64)>,
    records: Vec<(InstanceId, Offset, u64, i64, NewRecord)>,
    trims: Vec<(InstanceId, Offset)>,
    definitions: Vec<(String, String)>,
    installations: Vec<Installation>,
    snapshots: Vec<(InstanceId, SnapshotChange)>,
    told: Vec<Told>,
    closing: bool,
    must_write: bool,
}

pub(super) struct Writer {
    connection: SqliteConnection,
    inbox: mpsc::Receiver<Command>,
    /// The rows of instances that have an owner, and of some that will have one soon. Nothing of a sleeping one is kept.
    awake: HashMap<InstanceId, InstanceState>,
    keep: Duration,
    purge_at: Instant,
    now_ms: i64,
    /// Rung when there is something to checkpoint.
    checkpoint: Arc<Notify>,
    /// About how many pages were written since it was rung.
    pages: usize,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        inbox: mpsc::Receiver<Command>,
        keep: Duration,
        checkpoint: Arc<Notify>,
    ) -> Self {
        let purge_at = Instant::now() + PURGE_FIRST;
        Self { connection, inbox, awake: HashMap::new(), keep, purge_at, now_ms: 0, checkpoint, pages: 0 }
    }

    pub(super) async fn run(mut self) {
        while let Some(first) = self.inbox.recv().await {
            let mut bytes = first.bytes();
            let mut commands = vec![first];
            while commands.len() < GROUP_MAX && bytes < GROUP_BYTES {
                let Ok(command) = self.inbox.try_recv() else {
                    break;
                };
                bytes += command.bytes();
                commands.push(command);
            }
            metrics::gauge!("journal_queue_depth").set(u32::try_from(self.inbox.len()).unwrap_or(u32::MAX));
            if self.commit(commands).await {
                return;
            }
        }
    }

    /// Carries the commands out in one transaction. Whether the journal is to be closed.
    async fn commit(&mut self, commands: Vec<Command>) -> bool {
        let started = Instant::now();
        let mut group = Group::default();
        let prepared = self.look_up(&commands, &mut group).await;
        for command in commands {
            self.decide(command, &mut group);
        }
        let written = match prepared {
            Err(error) => Err(error),
            Ok(()) => self.write(&group).await,
        };
        let failure = written.err();
        if let Some(error) = &failure {
            tracing::error!(%error, "the journal could not be written");
            metrics::counter!("journal_commit_failures_total").increment(1);
        } else {
            for id in &group.touched {
                match group.rows.remove(id) {
                    Some(row) if row.state == "running" || (row.state == "ready" && self.awake.len() < READY_KEPT) => {
                        drop(self.awake.insert(*id, row));
                    }
                    _ => drop(self.awake.remove(id)),
                }
            }
            self.pages += group.pages();
            if self.pages >= CHECKPOINT_PAGES {
                self.pages = 0;
                self.checkpoint.notify_one();
            }
            metrics::counter!("journal_commits_total").increment(1);
            metrics::counter!("journal_records_total").increment(u64::try_from(group.records.len()).unwrap_or(0));
            metrics::histogram!("journal_commit_seconds").record(started.elapsed().as_secs_f64());
        }
        for told in group.told {
            told.tell(failure.as_ref());
        }
        if self.purge_at <= Instant::now() {
            self.purge_at = match self.purge().await {
                // A full batch: there is more, and between two of them others have their turn.
                Ok(deleted) if deleted >= PURGE_BATCH => Instant::now() + PURGE_PAUSE,
                Ok(_) => Instant::now() + PURGE_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "old dedupe keys could not be deleted");
                    Instant::now() + PURGE_EVERY
                }
            };
        }
        group.closing
    }

    /// Reads what the decisions need: which dedupe keys were seen, and the rows of instances that have no owner.
    async fn look_up(&mut self, commands: &[Command], group: &mut Group) -> Result<(), JournalError> {
        let mut keys = Vec::new();
        for command in commands {
            if let Command::Admit { admission, .. } = command {
                self.now_ms = admission.event.received_at_ms;
                keys.extend(dedupe_keys(admission));
            }
            for id in command.instances() {
                if let Some(row) = self.awake.get(&id) {
                    group.rows.entry(id).or_insert_with(|| row.clone());
                }
            }
        }
        for some in keys.chunks(1000) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT key AS id FROM inbox WHERE key IN (");
            let mut list = query.separated(", ");
            for key in some {
                list.push_bind(key.as_bytes().to_vec());
            }
            query.push(")");
            for row in query.build().fetch_all(&mut self.connection).await.map_err(storage)? {
                let id = super::rows::instance_id(&row, "id")?;
                group.seen.insert(EventId::from_bytes(*id.as_bytes()));
            }
        }
        let unknown: HashSet<InstanceId> =
            commands.iter().flat_map(Command::instances).filter(|id| !group.rows.contains_key(id)).collect();
        let unknown: Vec<InstanceId> = unknown.into_iter().collect();
        for some in unknown.chunks(1000) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM instance WHERE id IN (");
            let mut list = query.separated(", ");
            for id in some {
                list.push_bind(id.as_bytes().to_vec());
            }
            query.push(")");
            for row in query.build().fetch_all(&mut self.connection).await.map_err(storage)? {
                let row = InstanceState::read(&row)?;
                group.rows.insert(row.id, row);
            }
        }
        Ok(())
    }

    fn decide(&mut self, command: Command, group: &mut Group) {
        match command {
            Command::Admit { admission, record, answer } => {
                let admitted = group.admit(&admission, &record);
                group.told.push(Told::Admitted(answer, Ok(admitted)));
            }
            Command::Append { fence, at_ms, records, snapshots, answer } => {
                let told = group.append(fence, at_ms, records);
                if told.is_ok() {
                    group.snapshots.extend(snapshots.into_iter().map(|change| (fence.instance, change)));
                }
                group.told.push(Told::Appended(answer, told));
            }
            Command::Claim { instance, answer } => {
                let told = group.change(instance, |row| {
                    if row.state == "quarantined" {
                        let reason = "it is set aside; look at it with `reveille instances show`".into();
                        return Err(JournalError::Corrupt { instance, reason });
                    }
                    row.epoch += 1;
                    // Claimed again in the same process, it took nothing down.
                    if row.state != "running" {
                        row.attempts = row.attempts.saturating_add(1);
                    }
                    row.wake_at_ms = None;
                    row.state = "running";
                    Ok(())
                });
                group.told.push(Told::Row(answer, told));
            }
            Command::Look { fence, answer } => {
                let told = group.owned(fence).cloned();
                group.told.push(Told::Row(answer, told));
            }
            Command::Settle { fence, answer } => {
                let told = group.owned(fence).map(drop).and_then(|()| {
                    group.change(fence.instance, |row| {
                        row.attempts = 0;
                        Ok(())
                    })
                });
                group.told.push(Told::Row(answer, told));
            }
            Command::Release { fence, next_offset, wake_at_ms, applied, answer } => {
                let told = group.release(fence, next_offset, wake_at_ms, applied);
                group.told.push(Told::Row(answer, told));
            }
            Command::Quarantine { instance, answer } => {
                let told = group.change(instance, |row| {
                    row.state = "quarantined";
                    row.epoch += 1;
                    Ok(())
                });
                group.told.push(Told::Row(answer, told));
            }
            Command::Define { hash, source, answer } => {
                group.definitions.push((hash, source));
                group.told.push(Told::Row(answer, Ok(nobody())));
            }
            Command::Keep { row, answer } => {
                group.installations.push(Installation::Keep(row));
                group.told.push(Told::Row(answer, Ok(nobody())));
            }
            Command::Forget { connection, installation, answer } => {
                group.installations.push(Installation::Forget { connection, installation });
                group.told.push(Told::Row(answer, Ok(nobody())));
            }
            Command::Probe { answer } => {
                group.must_write = true;
                group.told.push(Told::Row(answer, Ok(nobody())));
            }
            Command::Close { answer } => {
                group.closing = true;
                group.told.push(Told::Row(answer, Ok(nobody())));
            }
        }
    }

    async fn write(&mut self, group: &Group) -> Result<(), JournalError> {
        let nothing = group.touched.is_empty() && group.definitions.is_empty() && group.inbox.is_empty();
        if nothing && group.installations.is_empty() && !group.must_write {
            return Ok(());
        }
        fail::fail_point!("journal::commit_error", |_| Err(JournalError::Storage("a fault was injected".into())));
        let mut statements = statements(group);
        let written = match statements.build().persistent(false).execute(&mut self.connection).await {
            Ok(_) => {
                fail::fail_point!("journal::before_commit", |_| std::process::abort());
                sqlx::query("COMMIT").execute(&mut self.connection).await.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            // Without a transaction (a failed COMMIT may have ended it) this fails, and that is well.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            return Err(storage(error));
        }
        fail::fail_point!("journal::after_commit", |_| std::process::abort());
        Ok(())
    }

    /// Deletes a batch of dedupe keys and bodies that no platform delivers again; how many of the larger kind.
    async fn purge(&mut self) -> Result<u64, sqlx::Error> {
        let before_ms = self.now_ms.saturating_sub(i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX));
        let mut most = 0;
        for statement in [
            "DELETE FROM inbox WHERE key IN (SELECT key FROM inbox WHERE seen_at_ms < ?1 ORDER BY seen_at_ms LIMIT ?2)",
            "DELETE FROM delivery WHERE seq IN (SELECT seq FROM delivery ORDER BY seq LIMIT ?2) AND seen_at_ms < ?1",
        ] {
            let limit = i64::try_from(PURGE_BATCH).unwrap_or(i64::MAX);
            let deleted = sqlx::query(statement).bind(before_ms).bind(limit).execute(&mut self.connection).await?;
            most = most.max(deleted.rows_affected());
        }
        Ok(most)
    }
}

/// Everything a commit writes, from its BEGIN on, as one text: SQLite runs on a thread of its own, and each text is a way
/// there and back. `OR FAIL`: half a statement is undone with its transaction, so SQLite keeps no journal of its own for it.
fn statements(group: &Group) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new("BEGIN IMMEDIATE; ");
    for some in group.inbox.chunks(5000) {
        query.push("INSERT OR FAIL INTO inbox (key, event, seen_at_ms) ");
        query.push_values(some, |mut row, (key, event, at)| {
            row.push_bind(key.as_bytes().to_vec()).push_bind(event.as_bytes().to_vec()).push_bind(*at);
        });
        query.push("; ");
    }
    for some in group.deliveries.chunks(5000) {
        query.push("INSERT OR FAIL INTO delivery (event, raw, seen_at_ms) ");
        query.push_values(some, |mut row, (event, raw, at)| {
            row.push_bind(event.as_bytes().to_vec()).push_bind(raw.to_vec()).push_bind(*at);
        });
        query.push("; ");
    }
    for some in group.records.chunks(2000) {
        query.push("INSERT OR FAIL INTO record (instance, offset, epoch, kind, at_ms, v, body) ");
        query.push_values(some, |mut row, (instance, offset, epoch, at_ms, record)| {
            row.push_bind(instance.as_bytes().to_vec())
                .push_bind(signed(*offset))
                .push_bind(signed(*epoch))
                .push_bind(record.kind)
                .push_bind(*at_ms)
                .push_bind(i64::from(BODY_VERSION))
                .push_bind(Arc::clone(&record.json));
        });
        query.push("; ");
    }
    let touched: Vec<&InstanceState> = group.touched.iter().filter_map(|id| group.rows.get(id)).collect();
    for some in touched.chunks(2000) {
        query.push(
            "INSERT OR FAIL INTO instance (id, address, epoch, next_offset, written, applied_offset, wake_at_ms, attempts, state, ready_at_ms) ",
        );
        query.push_values(some, |mut values, row| {
            values
                .push_bind(row.id.as_bytes().to_vec())
                .push_bind(row.address.clone())
                .push_bind(signed(row.epoch))
                .push_bind(signed(row.next_offset))
                .push_bind(signed(row.written))
                .push_bind(signed(row.applied_offset))
                .push_bind(row.wake_at_ms)
                .push_bind(i64::from(row.attempts))
                .push_bind(row.state)
                .push_bind(row.ready_at_ms);
        });
        query.push(
            " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, next_offset = excluded.next_offset,
             written = excluded.written, applied_offset = excluded.applied_offset, wake_at_ms = excluded.wake_at_ms,
             attempts = excluded.attempts, state = excluded.state, ready_at_ms = excluded.ready_at_ms; ",
        );
    }
    for (instance, offset) in &group.trims {
        query.push("DELETE FROM record WHERE instance = ");
        query.push_bind(instance.as_bytes().to_vec());
        query.push(" AND offset < ");
        query.push_bind(signed(*offset));
        query.push("; ");
    }
    for (hash, source) in &group.definitions {
        query.push("INSERT OR IGNORE INTO definition (hash, source) VALUES (");
        query.push_bind(hash.clone());
        query.push(", ");
        query.push_bind(source.clone());
        query.push("); ");
    }
    for (instance, change) in &group.snapshots {
        match change {
            SnapshotChange::Keep { turn, call, sealed } => {
                query.push("INSERT OR REPLACE INTO snapshot (instance, turn, call, sealed) VALUES (");
                let mut list = query.separated(", ");
                list.push_bind(instance.as_bytes().to_vec())
                    .push_bind(signed(*turn))
                    .push_bind(call.clone())
                    .push_bind(sealed.clone());
            }
            SnapshotChange::Drop { turn, call } => {
                query.push("DELETE FROM snapshot WHERE (instance, turn, call) = (");
                let mut list = query.separated(", ");
                list.push_bind(instance.as_bytes().to_vec()).push_bind(signed(*turn)).push_bind(call.clone());
            }
            SnapshotChange::Forget { turn } => {
                query.push("DELETE FROM snapshot WHERE (instance, turn) = (");
                let mut list = query.separated(", ");
                list.push_bind(instance.as_bytes().to_vec()).push_bind(signed(*turn));
            }
        }
        query.push("); ");
    }
    for change in &group.installations {
        match change {
            Installation::Keep(row) => {
                query.push("INSERT OR REPLACE INTO installation (connection, installation, data, updated_ms) VALUES (");
                let mut list = query.separated(", ");
                list.push_bind(row.connection.clone())
                    .push_bind(row.installation.clone())
                    .push_bind(row.data.clone())
                    .push_bind(row.updated_ms);
            }
            Installation::Forget { connection, installation } => {
                query.push("DELETE FROM installation WHERE (connection, installation) = (");
                let mut list = query.separated(", ");
                list.push_bind(connection.clone()).push_bind(installation.clone());
            }
        }
        query.push("); ");
    }
    query
}

impl Group {
    /// About how many pages of the database it changes: rows that are keyed by a hash lie anywhere, bodies one behind the other.
    fn pages(&self) -> usize {
        let anywhere = self.inbox.len() + self.records.len() + self.touched.len();
        let records: usize = self.records.iter().map(|(.., record)| record.json.len()).sum();
        let raw: usize = self.deliveries.iter().map(|(_, raw, _)| raw.len()).sum();
        let kept = |(_, change): &(InstanceId, SnapshotChange)| match change {
            SnapshotChange::Keep { sealed, .. } => sealed.len(),
            SnapshotChange::Drop { .. } | SnapshotChange::Forget { .. } => 0,
        };
        let snapshots: usize = self.snapshots.iter().map(kept).sum();
        anywhere + (records + raw + snapshots) / 4096 + 1
    }

    fn admit(&mut self, admission: &Admission, record: &NewRecord) -> Admitted {
        let event = &admission.event;
        let keys: Vec<EventId> = dedupe_keys(admission).collect();
        if keys.iter().any(|key| self.seen.contains(key)) {
            return Admitted::Duplicate;
        }
        let targets: Vec<_> = admission
            .targets
            .iter()
            .filter(|target| !target.only_if_known || self.rows.contains_key(&target.id()))
            .collect();
        if targets.is_empty() {
            return Admitted::New(Vec::new());
        }
        let at_ms = event.received_at_ms;
        let mut woken = Vec::with_capacity(targets.len());
        for target in targets {
            let id = target.id();
            let row = self.rows.entry(id).or_insert_with(|| InstanceState::new(id, &target.address));
            let copy = NewRecord { kind: record.kind, json: Arc::clone(&record.json) };
            self.records.push((id, row.next_offset, row.epoch, at_ms, copy));
            row.next_offset += 1;
            if row.state == "asleep" {
                row.state = "ready";
                row.ready_at_ms = at_ms;
            }
            self.touched.insert(id);
            if !woken.contains(&id) {
                woken.push(id);
            }
        }
        for key in keys {
            if self.seen.insert(key) {
                self.inbox.push((key, event.id, at_ms));
            }
        }
        self.deliveries.push((event.id, admission.raw.clone(), at_ms));
        Admitted::New(woken)
    }

    fn append(&mut self, fence: Fence, at_ms: i64, records: Vec<NewRecord>) -> Result<(), JournalError> {
        let (mut offset, epoch) = {
            let row = self.owned(fence)?;
            (row.next_offset, row.epoch)
        };
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        for record in records {
            self.records.push((fence.instance, offset, epoch, at_ms, record));
            offset += 1;
        }
        self.change(fence.instance, |row| {
            row.next_offset = offset;
            row.written = row.written.saturating_add(count);
            Ok(())
        })
        .map(drop)
    }

    fn release(
        &mut self,
        fence: Fence,
        next_offset: Offset,
        wake_at_ms: Option<i64>,
        applied: Option<Offset>,
    ) -> Result<InstanceState, JournalError> {
        let stays = self.owned(fence)?.next_offset != next_offset;
        if let Some(applied) = applied {
            self.trims.push((fence.instance, applied));
        }
        self.change(fence.instance, |row| {
            if let Some(applied) = applied {
                row.applied_offset = applied;
            }
            if !stays {
                row.state = "asleep";
                row.wake_at_ms = wake_at_ms;
                row.attempts = 0;
            }
            Ok(())
        })
    }

    /// The row, if this fence is the log's.
    fn owned(&self, fence: Fence) -> Result<&InstanceState, JournalError> {
        let instance = fence.instance;
        let row = self.rows.get(&instance).ok_or(JournalError::Unknown(instance))?;
        if row.state != "running" || row.epoch != fence.epoch || row.written != fence.written {
            return Err(JournalError::Fenced { instance, epoch: fence.epoch });
        }
        Ok(row)
    }

    fn change(
        &mut self,
        instance: InstanceId,
        change: impl FnOnce(&mut InstanceState) -> Result<(), JournalError>,
    ) -> Result<InstanceState, JournalError> {
        let row = self.rows.get_mut(&instance).ok_or(JournalError::Unknown(instance))?;
        change(row)?;
        self.touched.insert(instance);
        Ok(row.clone())
    }
}

fn dedupe_keys(admission: &Admission) -> impl Iterator<Item = EventId> + '_ {
    let event = &admission.event;
    event.dedupe_keys.iter().map(|key| EventId::of(&event.connection, key))
}

/// The answer to commands that are about no instance.
fn nobody() -> InstanceState {
    InstanceState::new(InstanceId::from_bytes([0; 16]), "")
}
