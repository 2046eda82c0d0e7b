//! Approvals as the records of an instance tell them.

use jiff::Timestamp;
use reveille_channel::{Actor, EventId, InstanceId};
use serde::Serialize;

use crate::approval::Bound;
use crate::journal::{Body, Corrupt, InstanceRow, JournalError, Record, Turn, Verdict};
use crate::turn::InstanceState;

/// What was asked of people, and what came of it. As JSON, the names stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// The instance that asks.
    pub instance: InstanceId,
    /// `agent/connection/installation/thread`.
    pub address: String,
    /// Its turn.
    pub turn: Turn,
    /// The tools of the calls that wait, in their order.
    pub tools: Vec<String>,
    /// The platform's id of the person whose message is being answered.
    pub requester: String,
    /// Somebody else than the requester has to agree.
    pub four_eyes: bool,
    /// When, milliseconds since the Unix epoch.
    pub asked_at_ms: i64,
    /// From then on no answer counts, milliseconds since the Unix epoch.
    pub expires_at_ms: i64,
    /// What came of it; `None`: it is open.
    pub verdict: Option<Verdict>,
    /// Who said so.
    pub by: Option<Actor>,
    /// When the journal says so, milliseconds since the Unix epoch.
    pub decided_at_ms: Option<i64>,
    /// Everything that a yes binds, as canonical JSON.
    #[serde(skip)]
    pub request: String,
    /// The event that decided it.
    #[serde(skip)]
    pub event: Option<EventId>,
}

impl Asked {
    /// The same, as it is to be seen at that time: what has run out is not open, whether or not its instance has noticed.
    #[must_use]
    pub fn at(mut self, now_ms: i64) -> Self {
        if self.verdict.is_none() && now_ms >= self.expires_at_ms {
            self.verdict = Some(Verdict::Expired);
        }
        self
    }

    /// What came of it, in a sentence: by whom and when.
    #[must_use]
    pub fn outcome(&self) -> String {
        let by = self.by.as_ref().map_or_else(String::new, |actor| format!(" by {}", actor.name));
        let at = |at_ms: i64| match Timestamp::from_millisecond(at_ms) {
            Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            Err(_) => format!("{at_ms} ms after 1970-01-01"),
        };
        let when = self.decided_at_ms.map_or_else(String::new, |at_ms| format!(", {}", at(at_ms)));
        match self.verdict {
            None => format!("it is open until {}", at(self.expires_at_ms)),
            Some(Verdict::Approved) => format!("it was approved{by}{when}"),
            Some(Verdict::Denied) => format!("it was denied{by}{when}"),
            Some(Verdict::Expired) => format!("nobody answered in time: it ran out, {}", at(self.expires_at_ms)),
            Some(Verdict::Withdrawn) => format!("it is no longer asked, because the work ended{when}"),
            Some(Verdict::Unasked) => format!("the question could not be brought to anybody, which is a no{when}"),
        }
    }
}

/// Every approval that these records tell of, which are all of the instance's, in the order in which they were asked for.
///
/// What came of one is not always a record of its own: time runs out, turns end and programs begin anew. So the records are
/// folded, and the state is asked.
///
/// # Errors
/// [`JournalError::Corrupt`].
pub(super) fn history(instance: &InstanceRow, records: &[Record]) -> Result<Vec<Asked>, JournalError> {
    let mut state = InstanceState::default();
    let mut all: Vec<Asked> = Vec::new();
    for record in records {
        state
            .apply(&record.body, record.at_ms)
            .map_err(|Corrupt(reason)| JournalError::Corrupt { instance: instance.id, reason })?;
        if let Body::ApprovalAsked { turn, approval, request, expires_at_ms, four_eyes, .. } = &record.body {
            let Bound { tools, requester } = Bound::of(request);
            all.push(Asked {
                id: approval.clone(),
                instance: instance.id,
                address: instance.address.clone(),
                turn: *turn,
                tools,
                requester,
                four_eyes: *four_eyes,
                asked_at_ms: record.at_ms,
                expires_at_ms: *expires_at_ms,
                verdict: None,
                by: None,
                decided_at_ms: None,
                request: request.clone(),
                event: None,
            });
        }
        for asked in all.iter_mut().filter(|asked| asked.verdict.is_none()) {
            let running = state.running.iter().filter(|running| running.turn == asked.turn);
            let known = running.flat_map(|running| &running.approvals).find(|approval| approval.id == asked.id);
            // Its turn has ended, and with it the question.
            let (verdict, by) =
                known.map_or((Some(Verdict::Withdrawn), None), |known| (known.verdict, known.by.clone()));
            if verdict.is_some() {
                (asked.verdict, asked.by, asked.decided_at_ms) = (verdict, by, Some(record.at_ms));
                asked.event = match &record.body {
                    Body::ApprovalDecided { event, .. } => *event,
                    _ => None,
                };
            }
        }
    }
    Ok(all)
}
