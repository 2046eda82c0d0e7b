//! The operator's answer to what is asked: an event like any other, for exactly the instance that asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reveille_channel::{Event, EventId, Kind};
use reveille_local::{NAME, operator, terminal};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};

use super::Ledger;
use super::asked::Asked;
use crate::actor::Directory;
use crate::approval::{APPROVE, DENY, REFERENCE_PREFIX};
use crate::clock::Clock;
use crate::journal::{Admission, Admitted, Body, Engine, JournalError, Record, Target, Verdict};

/// The name of the operator's events.
const EVENT: &str = "approvals";

/// How long an answer may take to be found, taken and decided about. Less than a gateway that stops waits for requests.
const DEADLINE: Duration = Duration::from_secs(8);

/// The pauses between two looks at what the instance made of the answer: the first, and the longest.
const LOOK_AGAIN_LEAST: Duration = Duration::from_millis(10);
const LOOK_AGAIN_MOST: Duration = Duration::from_millis(250);

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The calls may be made, once.
    Approve,
    /// They may not.
    Deny,
}

impl Answer {
    /// The choice of the question that says so.
    #[must_use]
    pub fn choice(self) -> &'static str {
        match self {
            Self::Approve => APPROVE,
            Self::Deny => DENY,
        }
    }
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It decided, and that is durable.
    Decided(Asked),
    /// It is durable, and its instance has not come to it yet.
    Taken(Asked),
}

/// Why an answer decided nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotSettled {
    /// Nothing of that id was ever asked.
    #[error("there is no such approval")]
    Unknown,
    /// It is not open any more.
    #[error("it is not open any more")]
    Closed(Box<Asked>),
    /// The operator may not answer it. The rule that says so.
    #[error("the operator may not answer it ({0})")]
    Refused(String),
    /// The journal did not take it, or could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal is too slow: nothing is known to be taken.
    #[error("the journal did not answer in time")]
    Late,
}

/// Where the operator's answers are handed in.
#[derive(Debug)]
pub struct Desk {
    ledger: Arc<Ledger>,
    engine: Arc<dyn Engine>,
    directory: Directory,
    clock: Arc<dyn Clock>,
}

impl Desk {
    /// A desk of a running gateway.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, engine: Arc<dyn Engine>, directory: Directory, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, engine, directory, clock }
    }

    /// What waits for an answer, the oldest first.
    ///
    /// # Errors
    /// See [`NotSettled`].
    pub async fn pending(&self) -> Result<Vec<Asked>, NotSettled> {
        let pending = timeout_at(Instant::now() + DEADLINE, self.ledger.pending(self.clock.now_ms())).await;
        Ok(pending.map_err(|_| NotSettled::Late)??)
    }

    /// Hands an answer in, and waits for what comes of it. Giving the same one again is as giving it once.
    ///
    /// # Errors
    /// See [`NotSettled`].
    ///
    /// # Cancel safety
    /// The answer may be durable, and is decided about then; nobody hears of it here.
    pub async fn decide(&self, id: &str, answer: Answer, raw: Bytes) -> Result<Settled, NotSettled> {
        let until = Instant::now() + DEADLINE;
        let found = timeout_at(until, self.find(id)).await.map_err(|_| NotSettled::Late)??;
        let (asked, records) = found.ok_or(NotSettled::Unknown)?;
        if asked.verdict.is_some() {
            return Err(NotSettled::Closed(Box::new(asked)));
        }
        let event = event_of(&asked.id, answer, &records, self.clock.now_ms());
        let id = event.id;
        let target = Target { address: asked.address.clone(), only_if_known: true };
        let admission = Admission { event, raw, targets: vec![target] };
        let admitted = timeout_at(until, self.engine.admit(admission)).await.map_err(|_| NotSettled::Late)??;
        if *admitted.get() == Admitted::New(Vec::new()) {
            return Err(NotSettled::Unknown);
        }
        tracing::info!(approval = asked.id, choice = answer.choice(), event = %id, "the operator answered");
        self.directory.wake(asked.instance);
        match timeout_at(until, self.outcome(&asked, answer, id)).await {
            Ok(settled) => settled,
            Err(_) => Ok(Settled::Taken(asked)),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<(Asked, Vec<Record>)>, JournalError> {
        let now_ms = self.clock.now_ms();
        match self.ledger.find(id, now_ms).await?.as_slice() {
            [asked] => self.ledger.look(asked, now_ms).await,
            _ => Ok(None),
        }
    }

    /// Looks into the journal until the instance has decided about the answer.
    async fn outcome(&self, asked: &Asked, answer: Answer, id: EventId) -> Result<Settled, NotSettled> {
        let mut pause = LOOK_AGAIN_LEAST;
        loop {
            let looked = self.ledger.look(asked, self.clock.now_ms()).await?;
            let (asked, records) = looked.ok_or(NotSettled::Unknown)?;
            if asked.event == Some(id) && asked.verdict == Some(verdict_of(answer)) {
                return Ok(Settled::Decided(asked));
            }
            // What has run out is not closed before the journal says so: the answer may have come in time.
            if asked.decided_at_ms.is_some() {
                return Err(NotSettled::Closed(Box::new(asked)));
            }
            let refused = records.iter().find_map(|record| match &record.body {
                Body::Refused { event, rule, .. } if *event == id => Some(rule.clone()),
                _ => None,
            });
            if let Some(rule) = refused {
                return Err(NotSettled::Refused(rule));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK_AGAIN_MOST);
        }
    }
}

fn verdict_of(answer: Answer) -> Verdict {
    match answer {
        Answer::Approve => Verdict::Approved,
        Answer::Deny => Verdict::Denied,
    }
}

/// The answer as the terminal's own event. Its key is a pure function of what the journal has: an answer that is given twice is one event,
/// and only after a refusal of the first a second one.
pub(super) fn event_of(approval: &str, answer: Answer, records: &[Record], now_ms: i64) -> Event {
    let reference = format!("{REFERENCE_PREFIX}{approval}");
    let kind = Kind::Action { reference: reference.clone(), choice: answer.choice().to_owned() };
    let earlier: Vec<EventId> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Event { event } if event.connection == NAME && event.kind == kind => Some(event.id),
            _ => None,
        })
        .collect();
    let is_refusal = |record: &&Record| matches!(&record.body, Body::Refused { event, .. } if earlier.contains(event));
    let refusals = records.iter().filter(is_refusal).count();
    let key = format!("{reference}/{}/{refusals}", answer.choice());
    Event {
        id: EventId::of(NAME, &key),
        connection: NAME.to_owned(),
        platform: NAME.to_owned(),
        thread: terminal(approval),
        actor: operator(),
        kind,
        name: EVENT.to_owned(),
        text: String::new(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: BTreeMap::new(),
        occurred_at_ms: now_ms,
        received_at_ms: now_ms,
        dedupe_keys: vec![key],
    }
}
