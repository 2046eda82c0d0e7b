//! Signs beside the message that is being answered: best effort, and nobody waits for them.

use std::time::Duration;

use reveille_channel::{Marker, Progress};

use super::children::Done;
use super::owner::Owner;
use crate::journal::{Outcome, Turn};

/// How long a sign may take.
const SIGN_DEADLINE: Duration = Duration::from_secs(5);

impl Owner {
    /// Shows how far turns are, once everything that was recorded so far is durable.
    pub(super) fn show_signs(&mut self) {
        for (turn, progress) in std::mem::take(&mut self.signs) {
            self.sign(turn, progress);
        }
    }

    fn sign(&mut self, turn: Turn, progress: Progress) {
        let Some(reply) = self.state.reply(turn) else {
            return;
        };
        let Some(connection) = self.services.connections.get(&reply.connection).cloned() else {
            return;
        };
        let context = reply.context(Marker::of(self.id, turn, 0));
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
}

/// What the end of a turn looks like.
pub(super) fn sign_of(outcome: Outcome) -> Progress {
    match outcome {
        Outcome::Completed => Progress::Done,
        Outcome::Failed | Outcome::Aborted => Progress::Failed,
    }
}
