//! What was learnt and may be forgotten at any time: nothing here has to survive a restart.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reveille_channel::Role;
use tokio::time::Instant;

use crate::pace::Pace;
use crate::place::Place;

/// How long a method that a server does not have, or a place in which it does not work, is remembered.
const ABSENT_FOR: Duration = Duration::from_secs(3600);

/// How long somebody's role is remembered.
const ROLE_FOR: Duration = Duration::from_secs(60);

/// How long a channel's name is remembered: it can be changed.
const NAME_FOR: Duration = Duration::from_secs(600);

/// Entries of each kind at once.
const MOST: usize = 10_000;

/// Open streams whose text is remembered at once: each is as long as a message.
const STREAMS_MOST: usize = 1_000;

/// What was learnt.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    absent: Mutex<HashMap<(&'static str, String), Instant>>,
    roles: Mutex<HashMap<(String, String), (Role, Instant)>>,
    /// Names of channels; `None`: Slack does not tell.
    names: Mutex<HashMap<String, (Option<String>, Instant)>>,
    streams: Mutex<HashMap<String, Streamed>>,
    roots: Mutex<HashMap<String, Place>>,
    /// The threads that we opened, by where they are.
    opened: Mutex<HashMap<Place, String>>,
    /// Threads of which we know that we did not open them.
    plain: Mutex<HashMap<Place, ()>>,
    /// Answers that wait until they are whole, by marker.
    deferred: Mutex<HashMap<String, ()>>,
    pub(crate) pace: Pace,
}

/// What is visible of an open stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Streamed {
    /// The text, as it was given.
    pub(crate) shown: String,
    /// Blanks that wait for a word: Slack refuses a piece without any.
    pub(crate) held: String,
    /// Whether it is the message's whole text: not where the stream was begun before a restart.
    pub(crate) is_whole: bool,
}

impl Memory {
    /// Whether a method is known not to work on this server, or in this place.
    pub(crate) fn is_absent(&self, method: &'static str, place: &str) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is = |place: &str| absent.get(&(method, place.to_owned())).is_some_and(|until| *until > now);
        is("") || is(place)
    }

    /// It does not work there; an empty place is the whole server.
    pub(crate) fn set_absent(&self, method: &'static str, place: &str) {
        insert(&self.absent, MOST, (method, place.to_owned()), Instant::now() + ABSENT_FOR);
    }

    /// Somebody's role, if it was asked for lately.
    pub(crate) fn role(&self, team: &str, user: &str) -> Option<Role> {
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let (role, until) = roles.get(&(team.to_owned(), user.to_owned()))?;
        (*until > Instant::now()).then_some(*role)
    }

    pub(crate) fn set_role(&self, team: &str, user: &str, role: Role) {
        insert(&self.roles, MOST, (team.to_owned(), user.to_owned()), (role, Instant::now() + ROLE_FOR));
    }

    /// A channel's name, or that Slack does not tell, if it was asked for lately.
    pub(crate) fn channel_name(&self, channel: &str) -> Option<Option<String>> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, until) = names.get(channel)?;
        (*until > Instant::now()).then(|| name.clone())
    }

    pub(crate) fn set_channel_name(&self, channel: &str, name: Option<String>) {
        insert(&self.names, MOST, channel.to_owned(), (name, Instant::now() + NAME_FOR));
    }

    /// What is visible of a stream. Of one that was begun before a restart nothing is known.
    pub(crate) fn streamed(&self, ts: &str) -> Streamed {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(ts).cloned().unwrap_or_default()
    }

    pub(crate) fn set_streamed(&self, ts: &str, streamed: Streamed) {
        insert(&self.streams, STREAMS_MOST, ts.to_owned(), streamed);
    }

    /// Where a thread is that we opened.
    pub(crate) fn root(&self, thread: &str) -> Option<Place> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner).get(thread).cloned()
    }

    pub(crate) fn set_root(&self, thread: &str, place: Place) {
        insert(&self.opened, MOST, place.clone(), thread.to_owned());
        insert(&self.roots, MOST, thread.to_owned(), place);
    }

    /// The key of the thread that is there, if we opened it.
    pub(crate) fn opened(&self, channel: &str, thread_ts: &str) -> Option<String> {
        let place = Place { channel: channel.to_owned(), thread_ts: Some(thread_ts.to_owned()) };
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    /// Whether the thread that is there is known not to be opened by us.
    pub(crate) fn is_plain(&self, place: &Place) -> bool {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner).contains_key(place)
    }

    pub(crate) fn set_plain(&self, place: Place) {
        insert(&self.plain, MOST, place, ());
    }

    /// An answer waits until it is whole.
    pub(crate) fn defer(&self, marker: &str) {
        insert(&self.deferred, MOST, marker.to_owned(), ());
    }

    /// Whether it waited; it does not any more.
    pub(crate) fn take_deferred(&self, marker: &str) -> bool {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).remove(marker).is_some()
    }

    pub(crate) fn forget_stream(&self, ts: &str) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(ts);
    }
}

/// Inserts, and forgets everything before where there is too much: it is learnt again.
fn insert<K: Hash + Eq, V>(map: &Mutex<HashMap<K, V>>, most: usize, key: K, value: V) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= most && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_cannot_does_not_speak_for_others_and_a_server_does() {
        let memory = Memory::default();
        memory.set_absent("chat.startStream", "C1");
        assert!(memory.is_absent("chat.startStream", "C1"));
        assert!(!memory.is_absent("chat.startStream", "C2"));
        assert!(!memory.is_absent("chat.update", "C1"));
        memory.set_absent("chat.startStream", "");
        assert!(memory.is_absent("chat.startStream", "C2"));
    }

    #[test]
    fn a_stream_is_remembered_while_it_is_open() {
        let memory = Memory::default();
        let streamed = Streamed { shown: "one two".into(), held: " ".into(), is_whole: true };
        memory.set_streamed("1.2", streamed.clone());
        assert_eq!(memory.streamed("1.2"), streamed);
        memory.forget_stream("1.2");
        assert_eq!(memory.streamed("1.2"), Streamed::default());
    }
}
