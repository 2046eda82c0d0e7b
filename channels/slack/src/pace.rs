//! How fast a method may be called in one workspace ("Rate limits": tiers are per method, per workspace and per minute).
//!
//! Slack answers `429` beyond a tier, and everything of the workspace waits then. Spacing the calls that come in swarms, pieces
//! of streams and edits on the way, keeps room for those that end an answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Workspaces and methods remembered at once.
const MOST: usize = 4_096;

/// A method's tier, as far as it is kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tier {
    method: &'static str,
    per_minute: u32,
    /// How many may come at once after a silence.
    burst: u32,
}

/// "chat.startStream": tier 2, 20 a minute.
pub(crate) const START_STREAM: Tier = Tier { method: "chat.startStream", per_minute: 20, burst: 10 };

/// "chat.appendStream": tier 4, 100 a minute.
pub(crate) const APPEND_STREAM: Tier = Tier { method: "chat.appendStream", per_minute: 100, burst: 20 };

/// "chat.postMessage": "one message per second per channel, while allowing short bursts". Kept by channel.
pub(crate) const POST_MESSAGE: Tier = Tier { method: "chat.postMessage", per_minute: 60, burst: 3 };

/// The longest that a post waits for its second; beyond, it is to come again. Long, for that would hold the whole workspace.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// "chat.update": tier 3, 50 a minute, of which edits on the way leave ten to those that end an answer.
pub(crate) const UPDATE_ON_THE_WAY: Tier = Tier { method: "chat.update", per_minute: 40, burst: 10 };

/// When the next call is due, by workspace and method: the generic cell rate algorithm.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<(String, &'static str), Instant>>);

impl Pace {
    /// Takes a place for one call, or says how long to wait before asking again.
    pub(crate) fn take(&self, installation: &str, tier: Tier, now: Instant) -> Result<(), Duration> {
        let apart = Duration::from_secs(60) / tier.per_minute.max(1);
        let ahead = apart * tier.burst.saturating_sub(1);
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= MOST {
            due.retain(|_, at| *at > now);
        }
        let at = due.entry((installation.to_owned(), tier.method)).or_insert(now);
        let wait = at.saturating_duration_since(now).saturating_sub(ahead);
        if !wait.is_zero() {
            return Err(wait);
        }
        *at = (*at).max(now) + apart;
        Ok(())
    }

    /// Takes a place for one call that waits its turn, and says how long that is; or, where that were longer than
    /// [`LONGEST_WAIT`], takes none and says when to ask again.
    pub(crate) fn queue(&self, place: &str, tier: Tier, now: Instant) -> Result<Duration, Duration> {
        let apart = Duration::from_secs(60) / tier.per_minute.max(1);
        let ahead = apart * tier.burst.saturating_sub(1);
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= MOST {
            due.retain(|_, at| *at > now);
        }
        let at = due.entry((place.to_owned(), tier.method)).or_insert(now);
        let wait = at.saturating_duration_since(now).saturating_sub(ahead);
        if wait > LONGEST_WAIT {
            return Err(wait - LONGEST_WAIT + apart);
        }
        *at = (*at).max(now) + apart;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_holds_no_more_than_the_tier_and_one_burst() {
        let pace = Pace::default();
        let start = Instant::now();
        let mut now = start;
        let mut made = Vec::new();
        while now < start + Duration::from_secs(300) {
            match pace.take("T1", START_STREAM, now) {
                Ok(()) => made.push(now),
                Err(wait) => {
                    assert!(wait <= Duration::from_secs(3), "{wait:?}");
                    now += wait;
                }
            }
        }
        assert_eq!(made.iter().filter(|at| **at == start).count(), 10, "the burst");
        let in_minute =
            |from: Instant| made.iter().filter(|at| **at >= from && **at < from + Duration::from_secs(60)).count();
        assert!(made.iter().skip(10).all(|at| in_minute(*at) <= 20));
        assert!(pace.take("T2", START_STREAM, start).is_ok(), "another workspace has its own");
        assert!(pace.take("T1", APPEND_STREAM, start).is_ok(), "and so has another method");
    }

    #[test]
    fn posts_of_one_channel_stand_in_a_queue_and_go_out_a_second_apart() {
        let pace = Pace::default();
        let now = Instant::now();
        let waits: Vec<_> = (0..70).map(|_| pace.queue("C1", POST_MESSAGE, now)).collect();
        let seconds: Vec<u64> = waits.iter().flatten().map(Duration::as_secs).collect();
        let expected: Vec<u64> = [0, 0].into_iter().chain(0..=60).collect();
        assert_eq!(seconds, expected);
        assert!(waits[63..].iter().all(|wait| *wait == Err(Duration::from_secs(2))), "{waits:?}");
        assert_eq!(pace.queue("C2", POST_MESSAGE, now), Ok(Duration::ZERO), "another channel has its own");
        // Whoever comes again later finds room.
        let later = now + Duration::from_secs(5);
        assert_eq!(pace.queue("C1", POST_MESSAGE, later), Ok(Duration::from_secs(56)));
    }

    #[test]
    fn workspaces_that_are_silent_are_forgotten() {
        let pace = Pace::default();
        let start = Instant::now();
        for team in 0..10_000u32 {
            let now = start + Duration::from_secs(60) * team;
            assert_eq!(pace.take(&team.to_string(), UPDATE_ON_THE_WAY, now), Ok(()));
        }
        assert!(pace.0.lock().unwrap().len() <= MOST);
    }
}
