//! Finding approvals in a journal, beside a gateway that may be running.

use std::cmp::Reverse;
use std::path::Path;

use super::asked::{Asked, history};
use crate::approval::{REFERENCE_PREFIX, is_id};
use crate::journal::embedded::reader::Reader;
use crate::journal::{InstanceRow, JournalError, Record};

/// The approvals of a journal.
#[derive(Debug)]
pub struct Ledger {
    reader: Reader,
}

impl Ledger {
    /// Those of the journal in this folder.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn open(folder: &Path) -> Result<Self, JournalError> {
        Ok(Self::new(Reader::open(folder).await?))
    }

    /// Those of an open journal.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Those that wait for an answer, the oldest first.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn pending(&self, now_ms: i64) -> Result<Vec<Asked>, JournalError> {
        // Whoever waits for people has the time at which the question runs out as a wake-up.
        let mut pending = self.of_all(&self.reader.unsettled().await?, now_ms).await?;
        pending.retain(|asked| asked.verdict.is_none());
        pending.sort_by_key(|asked| asked.asked_at_ms);
        Ok(pending)
    }

    /// All there ever were, the newest first.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn all(&self, now_ms: i64) -> Result<Vec<Asked>, JournalError> {
        let mut all = self.of_all(&self.reader.instances("", u32::MAX).await?, now_ms).await?;
        all.sort_by_key(|asked| Reverse(asked.asked_at_ms));
        Ok(all)
    }

    /// Those that may be meant by an id, the beginning of one, or the reference of a question. The beginning of an id means one
    /// that waits, and only where none of these begins so one that does not.
    ///
    /// # Errors
    /// [`JournalError::Storage`].
    pub async fn find(&self, name: &str, now_ms: i64) -> Result<Vec<Asked>, JournalError> {
        let name = name.strip_prefix(REFERENCE_PREFIX).unwrap_or(name);
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let of_name = |asked: &Asked| asked.id.starts_with(name);
        let pending: Vec<Asked> = self.pending(now_ms).await?.into_iter().filter(of_name).collect();
        if !pending.is_empty() {
            return Ok(pending);
        }
        if !is_id(name) {
            return Ok(self.all(now_ms).await?.into_iter().filter(of_name).collect());
        }
        // There is one of it at most: nothing is read that need not be.
        for instance in self.reader.instances("", u32::MAX).await? {
            if let Some(found) = self.of(&instance, now_ms).await?.into_iter().find(of_name) {
                return Ok(vec![found]);
            }
        }
        Ok(Vec::new())
    }

    /// The one of that id, as it is now, with the records that tell of it.
    ///
    /// # Errors
    /// [`JournalError::Storage`], [`JournalError::Corrupt`].
    pub(super) async fn look(&self, asked: &Asked, now_ms: i64) -> Result<Option<(Asked, Vec<Record>)>, JournalError> {
        let instance = self.reader.find(&asked.address).await?.into_iter().find(|row| row.id == asked.instance);
        let Some(instance) = instance else { return Ok(None) };
        let records = self.reader.records(instance.id, 0).await?;
        let found = history(&instance, &records)?.into_iter().find(|one| one.id == asked.id);
        Ok(found.map(|found| (found.at(now_ms), records)))
    }

    async fn of_all(&self, instances: &[InstanceRow], now_ms: i64) -> Result<Vec<Asked>, JournalError> {
        let mut all = Vec::new();
        for instance in instances {
            all.extend(self.of(instance, now_ms).await?);
        }
        Ok(all)
    }

    /// Those of one instance. One that cannot be read hides the others of nobody else.
    async fn of(&self, instance: &InstanceRow, now_ms: i64) -> Result<Vec<Asked>, JournalError> {
        let records = self.reader.records(instance.id, 0).await;
        match records.and_then(|records| history(instance, &records)) {
            Ok(all) => Ok(all.into_iter().map(|asked| asked.at(now_ms)).collect()),
            Err(error @ JournalError::Corrupt { .. }) => {
                tracing::warn!(instance = %instance.id, %error, "its approvals are left out");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}
