//! What is known of channels, threads and roles: names for rules and people, and which conversation a thread belongs to.
//!
//! It is learnt from the gateway and may be forgotten: names then are ids, and conversations are asked for again.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reveille_channel::Actor;

use crate::payload::{Channel, Guild};
use crate::recent::Recent;

/// Channels that are remembered; further ones go by their ids. A server has five hundred at most.
const CHANNELS_MAX: usize = 50_000;

/// Threads that are remembered; half of them at least.
const THREADS_HALF: usize = 10_000;

/// Roles of ours that are remembered: one for each server.
const ROLES_MAX: usize = 10_000;

/// "Channel Types": of direct messages.
const DM: u64 = 1;
const GROUP_DM: u64 = 3;
/// A text channel and one for announcements: threads can be started from their messages.
const TEXT: u64 = 0;
const ANNOUNCEMENT: u64 = 5;
/// Threads of announcements, public and private ones.
const THREADS: std::ops::RangeInclusive<u64> = 10..=12;
/// Forum and media channels: they hold threads alone.
const FORUMS: std::ops::RangeInclusive<u64> = 15..=16;

/// Whether a channel of this type is a thread.
pub(crate) fn is_thread(kind: u64) -> bool {
    THREADS.contains(&kind)
}

/// Whether it is a conversation outside of any server.
pub(crate) fn is_direct(kind: u64) -> bool {
    kind == DM || kind == GROUP_DM
}

/// Whether the bot can post in it as such: in a group of people it is not part of, it can only answer interactions.
pub(crate) fn is_group(kind: u64) -> bool {
    kind == GROUP_DM
}

/// Whether threads can be started from messages there.
pub(crate) fn takes_threads(kind: u64) -> bool {
    kind == TEXT || kind == ANNOUNCEMENT
}

/// Whether its threads are posts in a forum.
pub(crate) fn is_forum(kind: u64) -> bool {
    FORUMS.contains(&kind)
}

/// What is known of a channel or thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<u64>,
    /// The channel that a thread is in.
    pub(crate) parent: Option<String>,
    /// Who started the thread.
    pub(crate) owner: Option<String>,
}

impl From<&Channel> for Place {
    fn from(channel: &Channel) -> Self {
        Self {
            name: channel.name.clone(),
            kind: channel.kind,
            parent: channel.parent_id.clone(),
            owner: channel.owner_id.clone(),
        }
    }
}

/// What is known of all of them.
#[derive(Debug)]
pub(crate) struct Places {
    channels: Mutex<HashMap<String, Place>>,
    own_roles: Mutex<HashSet<String>>,
    threads: Recent<Place>,
    /// The key of the conversation that a message began or a thread is the place of.
    conversations: Recent<String>,
    /// Who wrote a message: Discord does not say whose it was that is deleted.
    authors: Recent<Actor>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            channels: Mutex::default(),
            own_roles: Mutex::default(),
            threads: Recent::new(THREADS_HALF),
            conversations: Recent::new(THREADS_HALF),
            authors: Recent::new(THREADS_HALF),
        }
    }
}

impl Places {
    pub(crate) fn get(&self, id: &str) -> Option<Place> {
        lock(&self.channels).get(id).cloned().or_else(|| self.threads.get(id))
    }

    pub(crate) fn name(&self, id: &str) -> Option<String> {
        self.get(id).and_then(|place| place.name)
    }

    /// Takes over a channel or thread as the platform shows it.
    pub(crate) fn learn(&self, channel: &Channel) {
        if channel.id.is_empty() {
            return;
        }
        if channel.kind.is_some_and(is_thread) {
            self.threads.set(&channel.id, Place::from(channel));
            return;
        }
        let mut channels = lock(&self.channels);
        if channels.len() < CHANNELS_MAX || channels.contains_key(&channel.id) {
            channels.insert(channel.id.clone(), Place::from(channel));
        }
    }

    pub(crate) fn forget(&self, id: &str) {
        lock(&self.channels).remove(id);
        self.threads.remove(id);
    }

    /// Takes over what a server consists of.
    pub(crate) fn learn_guild(&self, guild: &Guild, own_user: Option<&str>) {
        guild.channels.iter().chain(&guild.threads).for_each(|channel| self.learn(channel));
        let mut roles = lock(&self.own_roles);
        for role in &guild.roles {
            let bot = role.tags.as_ref().and_then(|tags| tags.bot_id.as_deref());
            if bot.is_some() && bot == own_user && roles.len() < ROLES_MAX {
                roles.insert(role.id.clone());
            }
        }
    }

    /// Those of the roles that were made for us.
    pub(crate) fn own_roles(&self, roles: &[String]) -> Vec<String> {
        let own = lock(&self.own_roles);
        roles.iter().filter(|role| own.contains(*role)).cloned().collect()
    }

    pub(crate) fn author(&self, message: &str) -> Option<Actor> {
        self.authors.get(message)
    }

    pub(crate) fn set_author(&self, message: &str, author: Actor) {
        self.authors.set(message, author);
    }

    /// The key of the conversation that began with this message, or has this thread as its place, if that is known.
    pub(crate) fn conversation(&self, id: &str) -> Option<String> {
        self.conversations.get(id)
    }

    pub(crate) fn set_conversation(&self, id: &str, key: &str) {
        self.conversations.set(id, key.to_owned());
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_teaches_names_threads_and_the_role_that_is_ours() {
        let guild: Guild = serde_json::from_str(
            r#"{"id":"1","channels":[{"id":"2","type":0,"name":"general"}],
                "threads":[{"id":"3","type":11,"name":"a question","parent_id":"2","owner_id":"9"}],
                "roles":[{"id":"4","tags":{"bot_id":"9"}},{"id":"5","tags":{"bot_id":"8"}},{"id":"1"}]}"#,
        )
        .unwrap();
        let places = Places::default();
        places.learn_guild(&guild, Some("9"));
        assert_eq!(places.name("2").as_deref(), Some("general"));
        assert_eq!(places.get("3").unwrap().parent.as_deref(), Some("2"));
        assert_eq!(places.own_roles(&["1".into(), "4".into(), "5".into()]), ["4"]);
        places.forget("3");
        assert_eq!(places.get("3"), None);
    }
}
