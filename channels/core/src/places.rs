//! The places in which an app is installed: what is kept of each and what is in use agree, whatever comes at the same time.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tokio::sync::Semaphore;

use crate::{Grant, Installations, NotKept};

/// The fact about an installation that says when it was made, milliseconds since the Unix epoch.
pub const INSTALLED_AT: &str = "installed_at_ms";

/// The installations of one app. `W` is what an adapter has for each.
#[derive(Debug)]
pub struct Places<W> {
    kept: OnceLock<Arc<dyn Installations>>,
    all: RwLock<HashMap<String, Place<W>>>,
    /// One change at a time.
    changes: Semaphore,
}

/// One of them.
#[derive(Debug)]
pub struct Place<W> {
    /// Its tokens.
    pub grant: Arc<Grant>,
    /// What the adapter has for it.
    pub workspace: Arc<W>,
}

impl<W> Clone for Place<W> {
    fn clone(&self) -> Self {
        Self { grant: Arc::clone(&self.grant), workspace: Arc::clone(&self.workspace) }
    }
}

impl<W> Default for Places<W> {
    fn default() -> Self {
        Self { kept: OnceLock::new(), all: RwLock::default(), changes: Semaphore::new(1) }
    }
}

impl<W> Places<W> {
    /// Takes over what was kept.
    ///
    /// # Errors
    /// [`NotKept`] when it cannot be read.
    pub async fn restore(&self, kept: Arc<dyn Installations>, make: impl Fn(&Arc<Grant>) -> W) -> Result<(), NotKept> {
        for (installation, data) in kept.all().await? {
            match Grant::restored(&installation, &data, Arc::clone(&kept)) {
                Some(grant) => self.put(grant, &make),
                None => {
                    tracing::error!(installation, "what was kept of an installation cannot be read; install it again");
                }
            }
        }
        // It is set once: whoever came first keeps in the same place.
        let _ = self.kept.set(kept);
        Ok(())
    }

    /// Where installations are kept.
    ///
    /// # Errors
    /// [`NotKept`] before [`Places::restore`].
    pub fn kept(&self) -> Result<Arc<dyn Installations>, NotKept> {
        self.kept.get().cloned().ok_or_else(|| NotKept("there is no place to keep them in".into()))
    }

    /// The one of this tenant.
    #[must_use]
    pub fn get(&self, installation: &str) -> Option<Place<W>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(installation).cloned()
    }

    /// All of them, by tenant.
    #[must_use]
    pub fn list(&self) -> Vec<Place<W>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = all.values().cloned().collect();
        list.sort_by(|a, b| a.grant.installation().cmp(b.grant.installation()));
        list
    }

    /// Keeps an installation and uses it from then on, in place of an earlier one of the same tenant.
    ///
    /// # Errors
    /// [`NotKept`]: nothing changed.
    pub async fn install(&self, grant: Arc<Grant>, make: impl Fn(&Arc<Grant>) -> W) -> Result<(), NotKept> {
        let _one_at_a_time = self.changes.acquire().await.map_err(|_| NotKept("it ends".into()))?;
        // Whoever waits here may hang up at any await: then the earlier one goes on.
        let mut before = MakesRoom(self.get(grant.installation()).map(|place| place.grant));
        if let Some(before) = &before.0 {
            before.make_room().await;
        }
        grant.keep().await?;
        self.put(grant, &make);
        before.0 = None;
        Ok(())
    }

    /// The installation ended at this time, by the platform's word: its tokens are removed. Whether they were: an end that is
    /// older than the installation is of the one before. The platforms say when in whole seconds.
    ///
    /// # Errors
    /// [`NotKept`]: they are not used any more, and are still kept.
    pub async fn end(&self, installation: &str, ended_at_ms: i64) -> Result<bool, NotKept> {
        let _one_at_a_time = self.changes.acquire().await.map_err(|_| NotKept("it ends".into()))?;
        let Some(place) = self.get(installation) else {
            return Ok(false);
        };
        let since_ms = place.grant.about(INSTALLED_AT).and_then(|at| at.parse::<i64>().ok());
        if since_ms.is_some_and(|since_ms| ended_at_ms.saturating_add(1_000) <= since_ms) {
            return Ok(false);
        }
        place.grant.end().await;
        self.kept()?.forget(installation).await?;
        self.all.write().unwrap_or_else(PoisonError::into_inner).remove(installation);
        Ok(true)
    }

    /// Waits until no token is being exchanged.
    pub async fn rest(&self) {
        for place in self.list() {
            place.grant.rest().await;
        }
    }

    fn put(&self, grant: Arc<Grant>, make: &impl Fn(&Arc<Grant>) -> W) {
        let key = grant.installation().to_owned();
        let workspace = Arc::new(make(&grant));
        self.all.write().unwrap_or_else(PoisonError::into_inner).insert(key, Place { grant, workspace });
    }
}

/// The installation that makes room for another one of its tenant. It goes on where that one does not come to be.
struct MakesRoom(Option<Arc<Grant>>);

impl Drop for MakesRoom {
    fn drop(&mut self) {
        if let Some(grant) = &self.0 {
            grant.resume();
        }
    }
}
