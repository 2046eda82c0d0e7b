//! Where credentials of installations are kept: in the journal's database, sealed with a key that is not there.
//!
//! It owns the sealing and the way between an adapter's [`Installations`] and the journal, and knows no platform. Whoever has
//! the database, a backup of it or its write-ahead log alone has nothing; rows that were moved from one tenant or connection
//! to another do not open (see `docs/decisions/0040-what-installations-give-us-is-sealed-in-the-journal.md`).

pub(crate) mod file;
mod seal;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use reveille_channel::{Installations, NotKept, Secret};

use crate::clock::Clock;
use crate::journal::{Engine, InstallationRow};

pub use seal::{BadKey, Key};
pub(crate) use seal::{Broken, open, seal};

/// The keys that are in use.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Seals and opens.
    pub key: Key,
    /// Opens what was sealed before the key was changed; it is sealed anew then.
    pub previous: Option<Key>,
}

/// What seals where nobody configured a key: one of the folder's own. It keeps what is sealed in its place and whole, and from
/// whoever has the database alone; whoever has the folder has both.
const KEY_FILE: &str = "seal.key";

impl Keys {
    /// The key of a storage folder, made when there is none yet. Only its owner can read it.
    ///
    /// # Errors
    /// The file cannot be made or read, or holds no key: what to do about it.
    pub fn of_folder(folder: &Path) -> Result<Self, String> {
        let path = folder.join(KEY_FILE);
        let text = file::of_folder(folder, KEY_FILE)
            .map_err(|error| format!("the key {} cannot be used: {error}", path.display()))?;
        let key = Key::parse(&text).map_err(|error| {
            format!(
                "{} holds no key ({error}); restore it from a backup: without it, programs that wait cannot go on",
                path.display()
            )
        })?;
        Ok(Self { key, previous: None })
    }
}

/// The vault of one gateway.
#[derive(Debug)]
pub struct Vault {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    keys: Keys,
}

impl Vault {
    /// A vault in this journal.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, keys: Keys) -> Arc<Self> {
        Arc::new(Self { engine, clock, keys })
    }

    /// The part of one connection.
    #[must_use]
    pub fn of(self: &Arc<Self>, connection: &str) -> Arc<dyn Installations> {
        Arc::new(Shelf { vault: Arc::clone(self), connection: connection.to_owned() })
    }
}

/// What is kept for one connection.
#[derive(Debug)]
struct Shelf {
    vault: Arc<Vault>,
    connection: String,
}

impl Shelf {
    /// What a row holds, and whether it was sealed with the previous key.
    fn open(&self, row: &InstallationRow) -> Result<(Secret, bool), NotKept> {
        let place = [self.connection.as_str(), &row.installation];
        let Keys { key, previous } = &self.vault.keys;
        let open = |key: &Key| {
            let opened = open(key, &place, &row.data)?;
            String::from_utf8(opened).map(Secret::new).map_err(|_| Broken::Changed)
        };
        match open(key) {
            Ok(data) => Ok((data, false)),
            Err(Broken::OtherKey) => match previous.as_ref().map(open) {
                Some(Ok(data)) => Ok((data, true)),
                _ => Err(NotKept(format!(
                    "what was kept of {} for {} is sealed with another key; name that one as `storage.previous_key`",
                    row.installation, self.connection
                ))),
            },
            Err(Broken::Changed) => Err(NotKept(format!(
                "what was kept of {} for {} was changed since it was sealed; take its row out of the table `installation` \
                 of log.db, and install the app there again",
                row.installation, self.connection
            ))),
        }
    }
}

#[async_trait]
impl Installations for Shelf {
    async fn all(&self) -> Result<Vec<(String, Secret)>, NotKept> {
        let rows =
            self.vault.engine.installations(&self.connection).await.map_err(|error| NotKept(error.to_string()))?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let (data, is_old) = self.open(&row)?;
            if is_old {
                self.keep(&row.installation, &data).await?;
            }
            all.push((row.installation, data));
        }
        Ok(all)
    }

    async fn keep(&self, installation: &str, data: &Secret) -> Result<(), NotKept> {
        let place = [self.connection.as_str(), installation];
        let sealed = seal(&self.vault.keys.key, &place, data.expose().as_bytes())
            .ok_or_else(|| NotKept("it cannot be sealed".into()))?;
        let row = InstallationRow {
            connection: self.connection.clone(),
            installation: installation.to_owned(),
            data: sealed,
            updated_ms: self.vault.clock.now_ms(),
        };
        self.vault.engine.put_installation(row).await.map_err(|error| NotKept(error.to_string()))
    }

    async fn forget(&self, installation: &str) -> Result<(), NotKept> {
        let done = self.vault.engine.remove_installation(&self.connection, installation).await;
        done.map_err(|error| NotKept(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::journal::embedded::{Embedded, Options};

    async fn vault(folder: &std::path::Path, key: &str, previous: Option<&str>) -> Arc<Vault> {
        let engine: Arc<dyn Engine> = Arc::new(Embedded::open(folder, Options::default()).await.unwrap());
        let key_of = |text: &str| Key::parse(&Secret::new(text)).unwrap();
        Vault::new(engine, Arc::new(SystemClock), Keys { key: key_of(key), previous: previous.map(key_of) })
    }

    fn key(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    async fn exposed(vault: &Arc<Vault>, connection: &str) -> Result<Vec<(String, String)>, NotKept> {
        let all = vault.of(connection).all().await?;
        Ok(all.into_iter().map(|(id, data)| (id, data.expose().to_owned())).collect())
    }

    #[tokio::test]
    async fn what_is_kept_is_there_after_a_restart_and_cannot_be_read_from_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let first = vault(folder.path(), &key('a'), None).await;
        first.of("slack").keep("T1", &Secret::new("xoxb-canary-1")).await.unwrap();
        first.of("slack").keep("T2", &Secret::new("xoxb-canary-2")).await.unwrap();
        first.of("other").keep("T1", &Secret::new("xoxb-canary-3")).await.unwrap();
        first.of("slack").keep("T1", &Secret::new("xoxb-canary-4")).await.unwrap();
        first.of("slack").forget("T2").await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
            assert!(!bytes.windows(6).any(|some| some == b"canary"));
        }
        first.engine.close().await;
        drop(first);
        let again = vault(folder.path(), &key('a'), None).await;
        assert_eq!(exposed(&again, "slack").await.unwrap(), [("T1".to_owned(), "xoxb-canary-4".to_owned())]);
        assert_eq!(exposed(&again, "other").await.unwrap(), [("T1".to_owned(), "xoxb-canary-3".to_owned())]);
    }

    #[tokio::test]
    async fn a_row_that_was_moved_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path(), &key('a'), None).await;
        vault.of("slack").keep("T1", &Secret::new("one")).await.unwrap();
        let row = vault.engine.installations("slack").await.unwrap().remove(0);
        vault.engine.put_installation(InstallationRow { installation: "T2".into(), ..row }).await.unwrap();
        let refused = exposed(&vault, "slack").await.unwrap_err();
        assert!(refused.to_string().contains("T2"), "{refused}");
    }

    #[tokio::test]
    async fn a_new_key_takes_over_what_the_previous_one_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let before = vault(folder.path(), &key('a'), None).await;
        before.of("slack").keep("T1", &Secret::new("one")).await.unwrap();
        before.engine.close().await;
        drop(before);
        let without = vault(folder.path(), &key('b'), None).await;
        let refused = exposed(&without, "slack").await.unwrap_err();
        assert!(refused.to_string().contains("storage.previous_key"), "{refused}");
        without.engine.close().await;
        drop(without);
        let changed = vault(folder.path(), &key('b'), Some(&key('a'))).await;
        assert_eq!(exposed(&changed, "slack").await.unwrap().len(), 1);
        changed.engine.close().await;
        drop(changed);
        let after = vault(folder.path(), &key('b'), None).await;
        assert_eq!(exposed(&after, "slack").await.unwrap(), [("T1".to_owned(), "one".to_owned())]);
    }
}
