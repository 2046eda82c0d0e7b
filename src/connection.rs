//! Live connections: one per table under `[channels]`, an adapter and who we are there.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use std::time::Duration;

use reveille_channel::{Channel, Identity, Op, Progress, Receipt, ReplyContext, ReplyError, Task};
use tokio::sync::watch;

use crate::journal::Durable;

/// How long a delivery waits, right after the start, for the platform to say who we are.
const IDENTITY_WAIT: Duration = Duration::from_secs(2);

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Its name: the table's, and its path.
    pub name: String,
    channel: Arc<dyn Channel>,
    identity: RwLock<Option<Identity>>,
    /// The platform was asked once who we are, and answered or not.
    asked: watch::Sender<bool>,
}

impl Connection {
    /// A connection that does not know yet who we are there.
    #[must_use]
    pub fn new(name: impl Into<String>, channel: Arc<dyn Channel>) -> Self {
        Self { name: name.into(), channel, identity: RwLock::default(), asked: watch::Sender::new(false) }
    }

    /// Its adapter. Replies go through [`Connection::perform`], which takes a proof; a lint keeps it the only way.
    #[must_use]
    pub fn channel(&self) -> &Arc<dyn Channel> {
        &self.channel
    }

    /// Does one step of a reply plan: the only way to make something visible in a thread, and open to nothing but an
    /// operation whose records are durable.
    ///
    /// # Errors
    /// See [`Channel::perform`].
    pub async fn perform(&self, context: &ReplyContext, op: Durable<Op>) -> Result<Receipt, ReplyError> {
        #[expect(clippy::disallowed_methods, reason = "this is the gate that others have to take")]
        self.channel.perform(context, op.get()).await
    }

    /// Shows how far the work on a message is, once that is durable.
    ///
    /// # Errors
    /// See [`Channel::sign`].
    pub async fn sign(&self, context: &ReplyContext, progress: Durable<Progress>) -> Result<(), ReplyError> {
        #[expect(clippy::disallowed_methods, reason = "this is the gate that others have to take")]
        self.channel.sign(context, *progress.get()).await
    }

    /// Shows steps of the work in a message, once those are durable.
    ///
    /// # Errors
    /// See [`Channel::show_tasks`].
    pub async fn show_tasks(
        &self,
        context: &ReplyContext,
        message: &str,
        tasks: Durable<Vec<Task>>,
    ) -> Result<(), ReplyError> {
        #[expect(clippy::disallowed_methods, reason = "this is the gate that others have to take")]
        self.channel.show_tasks(context, message, tasks.get()).await
    }

    /// The handle people mention, without `@`, once it is known.
    #[must_use]
    pub fn handle(&self) -> Option<String> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|identity| identity.handle.clone())
    }

    /// Keeps what [`Channel::identify`] said, if it said anything.
    pub fn set_identity(&self, identity: Option<Identity>) {
        if identity.is_some() {
            *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        }
        self.asked.send_replace(true);
    }

    /// Waits until the platform was asked once who we are; not for long.
    pub async fn wait_until_identified(&self) {
        let mut asked = self.asked.subscribe();
        if *asked.borrow() {
            return;
        }
        // Without an answer the delivery goes on: what it means may be decided less well, but it is not lost.
        let _ = tokio::time::timeout(IDENTITY_WAIT, asked.wait_for(|asked| *asked)).await;
    }
}

/// All connections, by name.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<BTreeMap<String, Arc<Connection>>>);

impl Connections {
    /// These.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = Connection>) -> Self {
        Self(Arc::new(all.into_iter().map(|one| (one.name.clone(), Arc::new(one))).collect()))
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Connection>> {
        self.0.get(name)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.0.values()
    }
}
