//! A journal in which nobody but one instance has work.
//!
//! A conversation at the terminal may lie in the journal of a gateway that is not running. What that gateway has left to do
//! is for it to go on with: its platforms are not connected here, and its replies would be given up. So this engine passes
//! everything on and wakes its own instance only. It also says when there is something new to read, and what went wrong.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use reveille_channel::InstanceId;
use tokio::sync::watch;

use crate::journal::{
    Admission, Admitted, Body, Claim, Durable, Engine, Fence, InstallationRow, JournalError, Offset, Record, Release,
    Released, SnapshotChange, Turn,
};

/// What has become of the journal.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    /// Counts commits.
    commits: u64,
    /// The instance cannot go on.
    pub(super) trouble: Option<JournalError>,
}

/// A journal for one instance.
#[derive(Debug)]
pub(super) struct Alone {
    inner: Arc<dyn Engine>,
    only: InstanceId,
    news: watch::Sender<News>,
}

impl Alone {
    /// This journal for this instance, and what becomes of it.
    pub(super) fn new(inner: Arc<dyn Engine>, only: InstanceId) -> (Self, watch::Receiver<News>) {
        let (news, told) = watch::channel(News::default());
        (Self { inner, only, news }, told)
    }

    fn told<T>(&self, result: Result<T, JournalError>) -> Result<T, JournalError> {
        tell(&self.news, &result);
        result
    }
}

fn tell<T>(news: &watch::Sender<News>, result: &Result<T, JournalError>) {
    news.send_modify(|news| match result {
        Ok(_) => news.commits = news.commits.wrapping_add(1),
        Err(error) => news.trouble = Some(error.clone()),
    });
}

#[async_trait]
impl Engine for Alone {
    async fn admit(&self, admission: Admission) -> Result<Durable<Admitted>, JournalError> {
        let admitted = self.inner.admit(admission).await;
        // Whoever said it hears of its own failure, and the instance goes on.
        if admitted.is_ok() {
            tell(&self.news, &admitted);
        }
        admitted
    }

    async fn claim(&self, instance: InstanceId) -> Result<Durable<Claim>, JournalError> {
        self.told(self.inner.claim(instance).await)
    }

    fn append(
        &self,
        fence: Fence,
        at_ms: i64,
        bodies: Vec<Body>,
        snapshots: Vec<SnapshotChange>,
    ) -> BoxFuture<'static, Result<Durable<()>, JournalError>> {
        let commit = self.inner.append(fence, at_ms, bodies, snapshots);
        let news = self.news.clone();
        commit.inspect(move |result| tell(&news, result)).boxed()
    }

    async fn snapshot(&self, instance: InstanceId, turn: Turn, call: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.told(self.inner.snapshot(instance, turn, call).await)
    }

    async fn read(&self, instance: InstanceId, from: Offset, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.inner.read(instance, from, limit).await
    }

    async fn settle(&self, fence: Fence) -> Result<(), JournalError> {
        self.told(self.inner.settle(fence).await)
    }

    async fn release(&self, release: Release) -> Result<Released, JournalError> {
        self.told(self.inner.release(release).await)
    }

    async fn quarantine(&self, instance: InstanceId, reason: &str) -> Result<(), JournalError> {
        let set_aside = self.inner.quarantine(instance, reason).await;
        tell::<()>(&self.news, &Err(JournalError::Corrupt { instance, reason: reason.to_owned() }));
        set_aside
    }

    async fn ready(&self, now_ms: i64, limit: usize) -> Result<Vec<InstanceId>, JournalError> {
        let ready = self.inner.ready(now_ms, limit).await?;
        Ok(ready.into_iter().filter(|instance| *instance == self.only).collect())
    }

    /// The sleep of the others is not ours to end.
    async fn unprojected(&self, _limit: usize) -> Result<Vec<InstanceId>, JournalError> {
        Ok(Vec::new())
    }

    /// The same.
    async fn next_wake(&self) -> Result<Option<i64>, JournalError> {
        Ok(None)
    }

    async fn put_definition(&self, hash: &str, source: &str) -> Result<(), JournalError> {
        self.inner.put_definition(hash, source).await
    }

    async fn definition(&self, hash: &str) -> Result<Option<String>, JournalError> {
        self.inner.definition(hash).await
    }

    async fn put_installation(&self, row: InstallationRow) -> Result<(), JournalError> {
        self.inner.put_installation(row).await
    }

    async fn remove_installation(&self, connection: &str, installation: &str) -> Result<(), JournalError> {
        self.inner.remove_installation(connection, installation).await
    }

    async fn installations(&self, connection: &str) -> Result<Vec<InstallationRow>, JournalError> {
        self.inner.installations(connection).await
    }

    async fn probe(&self) -> Result<(), JournalError> {
        self.inner.probe().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
