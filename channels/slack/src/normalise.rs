//! From a verified delivery to events: which reader a body goes to, and what all of them share.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{Actor, Event, EventId, Inbound, Kind, Malformed, Route, ThreadRef, Verified};

use crate::PLATFORM;
use crate::api::Api;
use crate::courtesy::{Courtesies, Courtesy};
use crate::memory::Memory;
use crate::own::Own;
use crate::payload::Envelope;
use crate::{commands, events, interactivity};

/// What reading needs to know besides the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) connection: &'a str,
    pub(crate) api: &'a Api,
    pub(crate) own: &'a Own,
    pub(crate) memory: &'a Memory,
    pub(crate) courtesies: &'a Courtesies,
    pub(crate) received_at_ms: i64,
    /// The installation by OAuth that the delivery is for; empty: the one of `bot_token`.
    pub(crate) workspace: &'a str,
    /// The workspace, where the installation says it better than the delivery.
    pub(crate) team: Option<&'a str>,
}

impl<'a> Reader<'a> {
    pub(crate) fn normalise(self, verified: &Verified) -> Result<Inbound, Malformed> {
        match verified.route() {
            Route::Commands => commands::form(self, verified.body()),
            Route::Interactivity => interactivity::form(self, verified.body()),
            Route::Events | Route::Webhook | Route::Interactions => self.delivery(verified.body()),
        }
    }

    /// Queues a courtesy in the workspace.
    pub(crate) fn offer(self, courtesy: Courtesy) {
        self.courtesies.offer(self.workspace, courtesy);
    }

    /// A body of the Events API.
    fn delivery(self, body: &[u8]) -> Result<Inbound, Malformed> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|error| Malformed::json(&error))?;
        self.envelope(envelope)
    }

    pub(crate) fn envelope(self, envelope: Envelope) -> Result<Inbound, Malformed> {
        match envelope.kind.as_deref() {
            Some("url_verification") => {
                let challenge =
                    envelope.challenge.ok_or_else(|| Malformed::new("url_verification has no challenge"))?;
                Ok(Inbound::Handshake { content_type: "text/plain; charset=utf-8", body: Bytes::from(challenge) })
            }
            Some("event_callback") => events::read(self, envelope),
            Some("app_rate_limited") => {
                tracing::warn!(
                    connection = self.connection,
                    "Slack delivers fewer events than there are (app_rate_limited)"
                );
                Ok(Inbound::Ignored { reason: "app_rate_limited" })
            }
            Some(_) => Ok(Inbound::Ignored { reason: "a type of delivery that is not acted upon" }),
            None => Err(Malformed::new("the delivery has no type")),
        }
    }

    /// The thread of a message: its root's, or its own where it begins one. One that we opened has the name it was opened by.
    pub(crate) fn thread(self, team: &str, channel: &str, thread_ts: &str) -> ThreadRef {
        let opened = self.memory.opened(channel, thread_ts);
        let location = [("channel", channel), ("thread_ts", thread_ts), ("team", team)];
        ThreadRef {
            installation: team.to_owned(),
            key: opened.unwrap_or_else(|| format!("{channel}:{thread_ts}")),
            location: owned(location),
            display: if is_direct(channel) { "a direct message".to_owned() } else { format!("#{channel}") },
        }
    }

    /// An event with what every event has. The first key makes its id.
    pub(crate) fn event(
        self,
        name: &str,
        kind: Kind,
        thread: ThreadRef,
        actor: Actor,
        dedupe_keys: Vec<String>,
    ) -> Result<Event, Malformed> {
        let id = dedupe_keys.first().map(|key| EventId::of(self.connection, key));
        let channel = thread.location.get("channel").cloned();
        Ok(Event {
            id: id.ok_or_else(|| Malformed::new("nothing tells it from another delivery"))?,
            connection: self.connection.to_owned(),
            platform: PLATFORM.to_owned(),
            thread,
            actor,
            kind,
            name: name.to_owned(),
            text: String::new(),
            attachments: Vec::new(),
            mentions: Vec::new(),
            message: None,
            facts: channel.map(|channel| ("channel".to_owned(), channel)).into_iter().collect(),
            occurred_at_ms: self.received_at_ms,
            received_at_ms: self.received_at_ms,
            dedupe_keys,
        })
    }
}

/// What begins a thread only with its answer: a slash command, a form. `key` tells it from others.
pub(crate) fn open_thread(team: &str, channel: &str, key: &str) -> ThreadRef {
    ThreadRef {
        installation: team.to_owned(),
        key: format!("{channel}:{key}"),
        location: owned([("channel", channel), ("opens", key), ("team", team)]),
        display: if is_direct(channel) { "a direct message".to_owned() } else { format!("#{channel}") },
    }
}

/// Whether a channel's id is that of a direct message.
pub(crate) fn is_direct(channel: &str) -> bool {
    channel.starts_with('D')
}

pub(crate) fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A message's `ts`, `seconds.microseconds`, in milliseconds.
pub(crate) fn time_ms(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    let thousandths: i64 = fraction.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(thousandths)
}
