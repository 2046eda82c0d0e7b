//! A session of the gateway: what has to be known to go on with it in another connection ("Resuming").

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

/// "Rate Limiting": one IDENTIFY in five seconds.
pub(super) const IDENTIFY_EVERY: Duration = Duration::from_secs(5);

/// How long a connection that a person must mend first is not tried: a thousand IDENTIFYs a day end in a reset of the token.
const REST: Duration = Duration::from_secs(600);

/// Failures in a row to reach the address of a session after which it is given up.
const FAILURES_MAX: u32 = 5;

/// What to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) resume_url: Option<Url>,
    /// The last event that is durable: what came after it is to come again.
    pub(super) sequence: u64,
}

#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    failures: u32,
    identify_at: Option<Instant>,
    rest_until: Option<(Instant, &'static str)>,
    /// Servers we are known to be in.
    guilds: HashSet<String>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn current(&self) -> Option<Session> {
        self.lock().session.clone()
    }

    pub(super) fn begin(&self, session: Session, guilds: impl Iterator<Item = String>) {
        let mut state = self.lock();
        state.session = Some(session);
        state.failures = 0;
        state.guilds = guilds.collect();
    }

    pub(super) fn end(&self) {
        self.lock().session = None;
    }

    /// Everything up to this event is durable.
    pub(super) fn advance(&self, sequence: u64) {
        if let Some(session) = &mut self.lock().session {
            session.sequence = session.sequence.max(sequence);
        }
    }

    /// The session's own address could not be reached.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            state.session = None;
            state.failures = 0;
        }
    }

    pub(super) fn went_on(&self) {
        self.lock().failures = 0;
    }

    /// When an IDENTIFY may be sent, and that it will be: the next one is later. `Err`: why not for a while.
    pub(super) fn take_identify(&self, now: Instant) -> Result<Instant, &'static str> {
        let mut state = self.lock();
        if let Some((_, why)) = state.rest_until.filter(|(until, _)| *until > now) {
            return Err(why);
        }
        let at = state.identify_at.map_or(now, |at| at.max(now));
        state.identify_at = Some(at + IDENTIFY_EVERY);
        Ok(at)
    }

    /// No IDENTIFY before this.
    pub(super) fn identify_not_before(&self, at: Instant) {
        let mut state = self.lock();
        state.identify_at = Some(state.identify_at.map_or(at, |before| before.max(at)));
    }

    /// A person must act first.
    pub(super) fn rest(&self, why: &'static str, now: Instant) {
        let mut state = self.lock();
        state.session = None;
        state.rest_until = Some((now + REST, why));
    }

    /// Whether we were not in the server before.
    pub(super) fn is_new_guild(&self, guild: &str) -> bool {
        self.lock().guilds.insert(guild.to_owned())
    }

    pub(super) fn forget_guild(&self, guild: &str) {
        self.lock().guilds.remove(guild);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifies_are_apart_and_rest_when_a_person_must_act() {
        let sessions = Sessions::default();
        let now = Instant::now();
        assert_eq!(sessions.take_identify(now), Ok(now));
        assert_eq!(sessions.take_identify(now), Ok(now + IDENTIFY_EVERY));
        sessions.identify_not_before(now);
        assert_eq!(sessions.take_identify(now), Ok(now + 2 * IDENTIFY_EVERY), "it is never sooner than it was");
        sessions.identify_not_before(now + 4 * IDENTIFY_EVERY);
        assert_eq!(sessions.take_identify(now), Ok(now + 4 * IDENTIFY_EVERY));
        sessions.rest("the token", now);
        assert_eq!(sessions.take_identify(now + Duration::from_secs(300)), Err("the token"));
        assert!(sessions.take_identify(now + REST).is_ok());
    }

    #[test]
    fn a_session_goes_on_from_what_is_durable_and_is_given_up_at_last() {
        let sessions = Sessions::default();
        sessions.begin(Session { id: "s".into(), resume_url: None, sequence: 1 }, ["1".to_owned()].into_iter());
        sessions.advance(7);
        sessions.advance(5);
        assert_eq!(sessions.current().unwrap().sequence, 7);
        assert!(!sessions.is_new_guild("1"));
        assert!(sessions.is_new_guild("2"));
        for _ in 0..FAILURES_MAX {
            assert!(sessions.current().is_some());
            sessions.failed();
        }
        assert_eq!(sessions.current(), None);
    }
}
