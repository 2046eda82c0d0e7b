//! The journal: one log, many small databases.
//!
//! The log is the durability point: nothing is acknowledged, sent or run twice on the strength of something
//! that is not in it. It holds each instance's [`Record`]s, the inbox that dedupes deliveries, and which
//! instances have work. An instance's own database is a projection of its records and can be rebuilt.
//!
//! Data comes from `ingress` (through [`Engine::admit`]) and from an instance's owner task in `actor` (through
//! [`Engine::append`]), and from nobody else.

pub mod embedded;
mod record;

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use reveille_channel::{Event, InstanceId};
use serde::{Deserialize, Serialize};

pub use record::{
    BODY_VERSION, Body, Concurrency, ConsoleLine, Effect, Limits, Offset, Outcome, Record, Step, StopReason, ToolCall,
    ToolOutcome, Turn, Usage, Verdict,
};

/// A value whose records are committed and fsynced. What the world can see is done with nothing else.
///
/// Only an [`Engine`]'s commit makes one (the field is private to this module's tree).
#[derive(Debug, Clone)]
pub struct Durable<T>(T);

impl<T> Durable<T> {
    /// Called by engines after the commit that holds `value`.
    fn committed(value: T) -> Self {
        Self(value)
    }

    /// For unit tests of what takes a proof.
    #[cfg(test)]
    pub(crate) fn pretended(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Something that rests on this value, and is therefore as durable.
    pub fn and<U>(&self, value: U) -> Durable<U> {
        Durable(value)
    }
}

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The event; its `dedupe_keys` are looked up under its connection.
    pub event: Event,
    /// The body it came in, kept beside the event.
    pub raw: Bytes,
    /// The instances it is for; more than one agent may be woken by one event.
    pub targets: Vec<Target>,
}

/// An instance that an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `agent/connection/installation/thread`.
    pub address: String,
    /// The event counts only if the instance already exists (a further message in a thread it takes part in).
    pub only_if_known: bool,
}

impl Target {
    /// The instance's id.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        InstanceId::of(&self.address)
    }
}

/// What came of an admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// New: these instances have work. Empty when every target was `only_if_known` and unknown; then nothing was written.
    New(Vec<InstanceId>),
    /// One of its dedupe keys was seen before. Acknowledged just the same.
    Duplicate,
}

/// The right of one owner task to write to an instance.
///
/// `written` counts the records that owners have ever appended to the instance (events are appended by `admit` and
/// do not count). A writer whose count or epoch is not the log's has missed something and is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The instance.
    pub instance: InstanceId,
    /// The epoch of its claim.
    pub epoch: u64,
    /// Records appended by owners so far, this writer's included.
    pub written: u64,
}

/// A claimed instance.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Where to append.
    pub fence: Fence,
    /// `agent/connection/installation/thread`.
    pub address: String,
    /// The state at the last checkpoint, as `turn` wrote it; `None` for one that never had any.
    pub checkpoint: Option<Checkpoint>,
    /// The records after the checkpoint, in order.
    pub tail: Vec<Record>,
    /// How often it was claimed, this time included, since it last came to rest: more than a few, and its work takes the process down.
    pub attempts: u32,
}

/// An instance's state at one offset: what its own database holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How many records went into it: the offset of the next one.
    pub next_offset: Offset,
    /// The state, serialised by `turn`.
    pub state: String,
}

/// One line of an instance's conversation, for the readable part of its own database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Counts the instance's lines from 1.
    pub number: u64,
    /// The turn.
    pub turn: Turn,
    /// `user`, `assistant` or `tool`.
    pub role: String,
    /// Who said it.
    pub author: String,
    /// The text as CommonMark.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A change of what is kept of an instance's programs that wait; it holds with the records it is appended with, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotChange {
    /// Keep this one, in place of the program's last one.
    Keep {
        /// The running turn.
        turn: Turn,
        /// The call of the tool `code`.
        call: String,
        /// Sealed.
        sealed: Vec<u8>,
    },
    /// Keep none of this program any more.
    Drop {
        /// The turn.
        turn: Turn,
        /// The call of the tool `code`.
        call: String,
    },
    /// Keep none of a turn.
    Forget {
        /// The turn.
        turn: Turn,
    },
}

/// What [`Engine::release`] leaves behind.
#[derive(Debug, Clone)]
pub struct Release {
    /// Where the owner stood. The instance sleeps only if no event came in since `next_offset`.
    pub fence: Fence,
    /// The offset after the last record the owner has folded.
    pub next_offset: Offset,
    /// When to wake it though nothing happens, milliseconds since the Unix epoch.
    pub wake_at_ms: Option<i64>,
    /// Bring the instance's own database up to this state before it sleeps, and let the log forget what it holds.
    pub checkpoint: Option<Box<(Checkpoint, Vec<MessageRow>)>>,
}

/// What came of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It sleeps.
    Asleep,
    /// An event came in meanwhile: the owner goes on.
    Busy,
}

/// An instance, as listings show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// `agent/connection/installation/thread`.
    pub address: String,
    /// `asleep`, `ready`, `running` or `quarantined`.
    pub state: String,
    /// How many records it has had.
    pub next_offset: Offset,
    /// How many of them its own database holds.
    pub applied_offset: Offset,
    /// When it wakes by itself, milliseconds since the Unix epoch.
    pub wake_at_ms: Option<i64>,
    /// How often it was started without coming to rest.
    pub attempts: u32,
}

/// What is kept of one installation of an app. The journal does not know what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// The connection.
    pub connection: String,
    /// The tenant.
    pub installation: String,
    /// Sealed.
    pub data: Vec<u8>,
    /// When it was written, milliseconds since the Unix epoch.
    pub updated_ms: i64,
}

/// Why the journal did not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The disk or the database refused: nothing was written.
    #[error("the journal could not be written: {0}")]
    Storage(String),
    /// Another owner has claimed the instance, or this one missed a record: stop, and start again from the log.
    #[error("instance {instance} is no longer owned by this writer (epoch {epoch})")]
    Fenced {
        /// The instance.
        instance: InstanceId,
        /// The writer's epoch.
        epoch: u64,
    },
    /// The queue in front of the writer is full: answer `503`.
    #[error("the journal has too much waiting")]
    Overloaded,
    /// No such instance.
    #[error("there is no instance {0}")]
    Unknown(InstanceId),
    /// A record or database cannot be read: the instance is set aside.
    #[error("instance {instance} cannot be read: {reason}")]
    Corrupt {
        /// The instance.
        instance: InstanceId,
        /// What is wrong.
        reason: String,
    },
    /// The data folder is in use by another process.
    #[error("{} is in use by another process (lock file {})", folder.display(), lock.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// The linked SQLite is too old to be trusted.
    #[error("SQLite {found} is linked, at least {wanted} is needed: older ones can lose committed pages")]
    OldSqlite {
        /// The linked version.
        found: String,
        /// The least version.
        wanted: &'static str,
    },
}

/// A sequence of records that cannot have been written by one owner after another: the instance is set aside, never guessed at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal contradicts itself: {0}")]
pub struct Corrupt(pub String);

/// A durable log of records with dedupe, claims and wake-ups.
///
/// # Implementing one
///
/// 1. `admit` does dedupe keys, event record and wake in one transaction and answers after its fsync.
/// 2. `append` refuses a stale epoch and a stale count with [`JournalError::Fenced`] and writes nothing then. Appends of one
///    owner are committed in the order they were made, and it may make the next before the last is answered.
/// 3. Nothing is made [`Durable`] before the fsync that holds it.
/// 4. An error leaves the log as it was.
#[async_trait]
pub trait Engine: Send + Sync + std::fmt::Debug {
    /// Takes an event in, once.
    ///
    /// # Errors
    /// [`JournalError::Storage`] or [`JournalError::Overloaded`]: nothing was written, the platform must try again.
    async fn admit(&self, admission: Admission) -> Result<Durable<Admitted>, JournalError>;

    /// Claims an instance for an owner task: raises its epoch and its attempts, and reads what it needs to start.
    ///
    /// # Errors
    /// [`JournalError::Unknown`], [`JournalError::Corrupt`], [`JournalError::Storage`].
    async fn claim(&self, instance: InstanceId) -> Result<Durable<Claim>, JournalError>;

    /// Appends records, and changes what is kept of programs with them. The order is fixed when this is called; the future is only the waiting for the commit, and
    /// dropping it does not take the records back.
    ///
    /// # Errors
    /// [`JournalError::Fenced`], [`JournalError::Storage`]: none of them was written.
    fn append(
        &self,
        fence: Fence,
        at_ms: i64,
        bodies: Vec<Body>,
        snapshots: Vec<SnapshotChange>,
    ) -> BoxFuture<'static, Result<Durable<()>, JournalError>>;

    /// The snapshot that is kept of a program, sealed.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn snapshot(&self, instance: InstanceId, turn: Turn, call: &str) -> Result<Option<Vec<u8>>, JournalError>;

    /// The records of a claimed instance from an offset on, in order, at most `limit`: how an owner learns of events that
    /// were admitted while it runs.
    ///
    /// # Errors
    /// [`JournalError::Storage`], [`JournalError::Corrupt`].
    async fn read(&self, instance: InstanceId, from: Offset, limit: usize) -> Result<Vec<Record>, JournalError>;

    /// The instance came to rest without taking the process down: its attempts are 0 again.
    ///
    /// # Errors
    /// As [`Engine::append`].
    async fn settle(&self, fence: Fence) -> Result<(), JournalError>;

    /// Lets an instance sleep.
    ///
    /// # Errors
    /// As [`Engine::append`]; the instance stays claimed.
    async fn release(&self, release: Release) -> Result<Released, JournalError>;

    /// Sets an instance aside: it is not woken again until somebody asks for it.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn quarantine(&self, instance: InstanceId, reason: &str) -> Result<(), JournalError>;

    /// Instances that have work and no owner, longest waiting first, with those whose `wake_at_ms` is due.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn ready(&self, now_ms: i64, limit: usize) -> Result<Vec<InstanceId>, JournalError>;

    /// Sleeping instances whose own databases do not hold all of their records: to be woken, so that they write them.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn unprojected(&self, limit: usize) -> Result<Vec<InstanceId>, JournalError>;

    /// When the next sleeping instance wants to wake by itself.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn next_wake(&self) -> Result<Option<i64>, JournalError>;

    /// Keeps an agent definition under its hash, so that a turn can go on with the one it started with. Repeats are free.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn put_definition(&self, hash: &str, source: &str) -> Result<(), JournalError>;

    /// The definition of that hash.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn definition(&self, hash: &str) -> Result<Option<String>, JournalError>;

    /// Keeps an installation, in place of what was kept of it. It is durable when this returns.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn put_installation(&self, row: InstallationRow) -> Result<(), JournalError>;

    /// Keeps nothing of an installation any more.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn remove_installation(&self, connection: &str, installation: &str) -> Result<(), JournalError>;

    /// The installations of a connection, by tenant.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn installations(&self, connection: &str) -> Result<Vec<InstallationRow>, JournalError>;

    /// Whether a commit can be made now: for readiness.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    async fn probe(&self) -> Result<(), JournalError>;

    /// Commits what is waiting and stops. Later calls fail.
    async fn close(&self);
}
