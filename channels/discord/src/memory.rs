//! What was learnt and may be forgotten at any time: asking again costs a call, and no more.

use std::time::Duration;

use tokio::time::Instant;

use crate::recent::Recent;

/// Conversations and messages that are remembered; half of them at least.
const HALF: usize = 4_096;

/// How long a channel in which no thread could be started is not asked again: each try would be an invalid request.
const THREADLESS_FOR: Duration = Duration::from_secs(600);

/// An interaction's token answers "unknown" for a moment after our own answer went out over HTTP; after this it is gone.
const TOKEN_SETTLES_IN: Duration = Duration::from_secs(3);

/// What is remembered of replies.
#[derive(Debug)]
pub(crate) struct Memory {
    /// By interaction: the marker of the message that is its own answer.
    originals: Recent<String>,
    /// By interaction: the thread that was started from its answer.
    answer_threads: Recent<String>,
    /// By interaction: when its token was first answered with "unknown".
    unknown_tokens: Recent<Instant>,
    /// By interaction: its token is of no use any more.
    dead_tokens: Recent<()>,
    /// By message: its thread is there.
    threads: Recent<()>,
    /// By channel: until when no thread is tried.
    threadless: Recent<Instant>,
    /// By marker: the message may have been posted before, with another text.
    doubted: Recent<()>,
    /// By marker: the message, as the gateway showed it to us.
    posted: Recent<String>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            originals: Recent::new(HALF),
            answer_threads: Recent::new(HALF),
            unknown_tokens: Recent::new(HALF),
            dead_tokens: Recent::new(HALF),
            threads: Recent::new(HALF),
            threadless: Recent::new(HALF),
            doubted: Recent::new(HALF),
            posted: Recent::new(HALF),
        }
    }
}

impl Memory {
    pub(crate) fn original(&self, interaction: &str) -> Option<String> {
        self.originals.get(interaction)
    }

    /// Whose the interaction's own answer is: this marker's, if nobody had it before.
    pub(crate) fn claim_original(&self, interaction: &str, marker: &str) -> String {
        self.originals.get_or_set(interaction, marker.to_owned())
    }

    pub(crate) fn answer_thread(&self, interaction: &str) -> Option<String> {
        self.answer_threads.get(interaction)
    }

    pub(crate) fn set_answer_thread(&self, interaction: &str, thread: &str) {
        self.answer_threads.set(interaction, thread.to_owned());
    }

    pub(crate) fn is_dead(&self, interaction: &str) -> bool {
        self.dead_tokens.get(interaction).is_some()
    }

    pub(crate) fn set_dead(&self, interaction: &str) {
        self.dead_tokens.set(interaction, ());
    }

    /// A token was answered with "unknown": whether that is final. If not, it may be known in a moment.
    pub(crate) fn is_unknown_for_good(&self, interaction: &str, now: Instant) -> bool {
        let first = self.unknown_tokens.get_or_set(interaction, now);
        now.saturating_duration_since(first) >= TOKEN_SETTLES_IN
    }

    pub(crate) fn has_thread(&self, message: &str) -> bool {
        self.threads.get(message).is_some()
    }

    pub(crate) fn set_thread(&self, message: &str) {
        self.threads.set(message, ());
    }

    pub(crate) fn is_threadless(&self, channel: &str, now: Instant) -> bool {
        self.threadless.get(channel).is_some_and(|until| until > now)
    }

    pub(crate) fn set_threadless(&self, channel: &str, now: Instant) {
        self.threadless.set(channel, now + THREADLESS_FOR);
    }

    pub(crate) fn doubt(&self, marker: &str) {
        self.doubted.set(marker, ());
    }

    /// Whether the message may have been posted before; asked once.
    pub(crate) fn was_doubted(&self, marker: &str) -> bool {
        self.doubted.remove(marker).is_some()
    }

    pub(crate) fn posted(&self, marker: &str) -> Option<String> {
        self.posted.get(marker)
    }

    pub(crate) fn set_posted(&self, marker: &str, id: &str) {
        self.posted.set(marker, id.to_owned());
    }
}
