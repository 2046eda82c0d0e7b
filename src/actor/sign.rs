//! Signs beside the message that is being answered: best effort, and nobody waits for them.
//!
//! A sign is shown once the record it speaks of is durable. Whether it was shown is not recorded: signs are idempotent, so
//! after a crash the last ones are shown again.

use std::time::Duration;

use reveille_channel::{Marker, Progress, ReplyContext};

use super::children::Done;
use super::owner::Owner;
use crate::journal::{Outcome, Turn};

/// How long a sign may take.
const SIGN_DEADLINE: Duration = Duration::from_secs(5);

impl Owner {
    /// After a process that ended without coming to rest: the signs of which nobody knows whether they were shown.
    pub(super) fn doubt_signs(&mut self) {
        let ended = self.state.ended.as_ref().map(|ended| (ended.turn, sign_of(ended.outcome)));
        let began = self.state.running.as_ref().map(|running| (running.turn, Progress::Began));
        self.signs.extend([ended, began].into_iter().flatten());
    }

    /// Shows how far turns are, once everything that was recorded so far is durable.
    pub(super) fn show_signs(&mut self) {
        for (turn, progress) in std::mem::take(&mut self.signs) {
            self.sign(turn, progress);
        }
    }

    fn sign(&mut self, turn: Turn, progress: Progress) {
        let Some((connection, context)) = self.signed(turn) else {
            return;
        };
        let Some(connection) = self.services.connections.get(&connection).cloned() else {
            return;
        };
        let durable = self.written();
        let instance = self.id;
        self.posts.spawn(async move {
            let durable = match durable.await {
                Ok(durable) => durable,
                Err(error) => return Done::NotDurable(error),
            };
            let signed = tokio::time::timeout(SIGN_DEADLINE, connection.sign(&context, durable.and(progress))).await;
            if let Ok(Err(error)) = signed {
                tracing::debug!(%instance, turn, ?progress, %error, "no sign");
            }
            Done::Signed
        });
    }

    /// Where a turn's signs are put: the connection, and the message that it answers.
    fn signed(&self, turn: Turn) -> Option<(String, ReplyContext)> {
        let marker = Marker::of(self.id, turn, 0);
        if let Some(reply) = self.state.reply(turn) {
            return Some((reply.connection.clone(), reply.context(marker)));
        }
        let ended = self.state.ended.as_ref().filter(|ended| ended.turn == turn)?;
        let context = ReplyContext {
            thread: ended.thread.clone(),
            recipient: ended.recipient.clone(),
            message: ended.message.clone(),
            marker,
            since_ms: ended.since_ms,
            has_failed: ended.outcome == Outcome::Failed,
        };
        Some((ended.connection.clone(), context))
    }
}

/// What the end of a turn looks like.
pub(super) fn sign_of(outcome: Outcome) -> Progress {
    match outcome {
        Outcome::Completed => Progress::Done,
        Outcome::Failed | Outcome::Aborted => Progress::Failed,
    }
}
