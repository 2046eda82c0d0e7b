//! From what a delivery means to durable events of awake instances: the same for webhooks and for sockets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::{Event, Inbound, Kind, NotTaken, ReplyError};

use crate::actor::Directory;
use crate::agent::Catalogue;
use crate::connection::Connection;
use crate::dispatch::route;
use crate::journal::{Admission, Admitted, Engine, JournalError, Target};

/// How long it may take to tell somebody that nobody listens: the platform waits for our acknowledgement meanwhile.
const TELL_DEADLINE: Duration = Duration::from_secs(2);

/// Why a delivery was not taken: the platform has to bring it again.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is not durable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The platform does not say now which thread an event is of.
    #[error("it is not known which thread it is of: {0}")]
    Locate(ReplyError),
}

/// Whether what was taken is for any agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// An agent wakes on it.
    ForSomebody,
    /// No agent does, and nothing will follow.
    ForNobody,
}

/// Routes events and makes them durable.
#[derive(Debug, Clone)]
pub struct Intake {
    catalogue: Arc<Catalogue>,
    engine: Arc<dyn Engine>,
    directory: Directory,
}

impl Intake {
    /// Into this journal, for these agents.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>, engine: Arc<dyn Engine>, directory: Directory) -> Self {
        Self { catalogue, engine, directory }
    }

    /// Makes everything durable that a delivery holds, and wakes whom it is for.
    ///
    /// # Errors
    /// [`TakeError`]: not all of it is durable, and the platform has to bring it again. What is durable already is known
    /// by its dedupe keys then.
    pub async fn take(&self, connection: &Connection, inbound: Inbound, raw: &Bytes) -> Result<Taken, TakeError> {
        let mut taken = Taken::ForNobody;
        match inbound {
            Inbound::Handshake { .. } => {}
            Inbound::Ignored { reason } => {
                tracing::debug!(reason, "ignored");
                metrics::counter!("events_ignored_total", "reason" => reason).increment(1);
            }
            Inbound::Events(events) | Inbound::Answered { events, .. } => {
                for event in events {
                    let event = connection.channel().locate(event).await.map_err(TakeError::Locate)?;
                    if self.admit(connection, event, raw.clone()).await? == Taken::ForSomebody {
                        taken = Taken::ForSomebody;
                    }
                }
            }
        }
        Ok(taken)
    }

    async fn admit(&self, connection: &Connection, event: Event, raw: Bytes) -> Result<Taken, TakeError> {
        let id = event.id;
        if let (Kind::Lifecycle { .. }, Some(installer)) = (&event.kind, connection.channel().installer()) {
            // Before it is acknowledged: what a crash leaves undone comes again.
            installer.changed(&event).await.map_err(|error| JournalError::Storage(error.to_string()))?;
        }
        let targets: Vec<Target> = match route(&event, connection.handle().as_deref(), &self.catalogue.agents()) {
            Ok(routed) => {
                for one in &routed {
                    tracing::debug!(event = %id, agent = one.agent, because = ?one.because, "routed");
                }
                routed.into_iter().map(|one| one.target).collect()
            }
            Err(unrouted) => {
                tracing::info!(event = %id, name = event.name, reason = %unrouted, "for no agent");
                metrics::counter!("events_ignored_total", "reason" => "unrouted").increment(1);
                tell_nobody(connection, &event).await;
                return Ok(Taken::ForNobody);
            }
        };
        // Only where everything depends on instances that are known may it come out that it is for nobody.
        let may_be_nobodys = targets.iter().all(|target| target.only_if_known).then(|| event.clone());
        match self.engine.admit(Admission { event, raw, targets }).await?.into_inner() {
            Admitted::Duplicate => {
                tracing::debug!(event = %id, "seen before");
                metrics::counter!("events_duplicate_total").increment(1);
                // Whoever delivered it first may have hung up between the commit and the wake-up.
                self.directory.look();
                Ok(Taken::ForSomebody)
            }
            Admitted::New(instances) => {
                tracing::info!(event = %id, instances = instances.len(), "admitted");
                metrics::counter!("events_admitted_total").increment(1);
                // What was meant for an instance that nobody knows here is known, and nothing will follow.
                let taken = if instances.is_empty() { Taken::ForNobody } else { Taken::ForSomebody };
                if let Some(event) = may_be_nobodys.filter(|_| taken == Taken::ForNobody) {
                    tell_nobody(connection, &event).await;
                }
                for instance in instances {
                    self.directory.wake(instance);
                }
                Ok(taken)
            }
        }
    }
}

async fn tell_nobody(connection: &Connection, event: &Event) {
    let told = tokio::time::timeout(TELL_DEADLINE, connection.channel().tell_nobody(event)).await;
    if !matches!(told, Ok(Ok(()))) {
        tracing::debug!(event = %event.id, ?told, "nobody was told");
    }
}

/// The intake of one connection, as its adapter sees it.
#[derive(Debug)]
pub struct ConnectionIntake {
    /// The connection.
    pub connection: Arc<Connection>,
    /// Where it goes.
    pub intake: Intake,
}

#[async_trait]
impl reveille_channel::Intake for ConnectionIntake {
    async fn take(&self, inbound: Inbound, raw: Bytes) -> Result<(), NotTaken> {
        self.take_wanted(inbound, raw).await.map(drop)
    }

    async fn take_wanted(&self, inbound: Inbound, raw: Bytes) -> Result<bool, NotTaken> {
        let taken = self.intake.take(&self.connection, inbound, &raw).await.map_err(|error| {
            tracing::error!(connection = self.connection.name, %error, "an event was not taken; it is not acknowledged");
            NotTaken
        })?;
        Ok(taken == Taken::ForSomebody)
    }
}
