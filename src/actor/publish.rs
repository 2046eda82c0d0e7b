//! Bringing replies into the thread: plan, record, wait until it is durable, perform, record.

use std::sync::Arc;
use std::time::Duration;

use reveille_channel::{Marker, Mode, Op, Receipt, ReplyError, Sought, Task};

use super::children::{Done, Found, Posted};
use super::owner::{Halt, Owner};
use crate::connection::Connection;
use crate::journal::{Body, Outcome, Turn};
use crate::outbox::{Action, Reply, TasksDue, UNKNOWN_HASH, plan, plan_again_at, status_again_at, tasks_due};

/// How long a status line may take; nobody waits for it.
const STATUS_DEADLINE: Duration = Duration::from_secs(3);

/// How long before a refused credential is tried again.
pub(super) const CREDENTIALS_WAIT_MS: i64 = 60_000;

/// Times in a row that a platform may leave us without an answer before an operator has to look.
const TROUBLE_MAX: u32 = 8;

/// What a turn's stream was told of the steps of the work.
pub(super) type TasksShown = (Turn, Vec<Task>);

/// The status line that is visible.
pub(super) struct StatusShown {
    turn: Turn,
    text: String,
    /// When it was put there, milliseconds since the Unix epoch.
    at_ms: i64,
}

impl Owner {
    /// Starts the next operation of the oldest reply that is not visible in full. When to ask again, milliseconds since the Unix epoch.
    pub(super) fn publish(&mut self) -> Result<Option<i64>, Halt> {
        loop {
            if self.posting {
                return Ok(None);
            }
            // In the order of the thread; but a notice that is complete does not wait for an answer that is not.
            let replies = &self.state.replies;
            let Some(reply) = replies.iter().find(|reply| reply.finished).or(replies.front()) else {
                return self.ask_people();
            };
            let Some(connection) = self.services.connections.get(&reply.connection).cloned() else {
                let turn = reply.turn;
                tracing::error!(instance = %self.id, turn, connection = reply.connection, "the reply's connection is no longer configured");
                self.fail_reply(turn, 0, false, "its connection is no longer configured".into())?;
                continue;
            };
            let capabilities = connection.channel().capabilities_in(&reply.thread);
            let now_ms = self.services.clock.now_ms();
            let shown = self.status_shown.as_ref().filter(|shown| shown.turn == reply.turn);
            let again_at = shown.and_then(|shown| status_again_at(&capabilities, shown.at_ms));
            let shown = shown.filter(|_| again_at.is_none_or(|due_ms| due_ms > now_ms));
            let planned = plan(reply, &capabilities, now_ms, shown.map(|shown| shown.text.as_str()));
            let shown_tasks = self.tasks_shown.as_ref().filter(|(turn, _)| *turn == reply.turn);
            let shown_tasks = shown_tasks.map(|(_, tasks)| tasks.as_slice()).unwrap_or_default();
            let due =
                if connection.channel().shows_tasks() { tasks_due(reply, planned.as_ref(), shown_tasks) } else { None };
            let due = due.map(|TasksDue { segment, message, tasks }| Action::Tasks { segment, message, tasks });
            let Some(action) = due.or(planned) else {
                let due = [plan_again_at(reply, &capabilities), again_at].into_iter().flatten();
                let due = due.filter(|due_ms| *due_ms > now_ms).min();
                // What was said stands above what is asked.
                let ask_at = self.ask_people()?;
                return Ok([due, ask_at].into_iter().flatten().min());
            };
            let turn = reply.turn;
            match action {
                Action::Open { segment, start } => {
                    let marker = Marker::of(self.id, turn, segment);
                    self.write(vec![Body::ReplyOpened { turn, segment, start, marker }])?;
                }
                Action::Complete { segment } => self.complete(turn, segment)?,
                action => {
                    let free_ms =
                        self.post_at_ms.max(self.services.pace.free_at(&reply.connection, &reply.thread.installation));
                    if free_ms > now_ms {
                        return Ok(Some(free_ms));
                    }
                    self.perform(turn, action, connection, capabilities.edit_interval_ms, now_ms);
                    return Ok(None);
                }
            }
        }
    }

    /// Calls the platform, once everything that was recorded so far is durable.
    fn perform(&mut self, turn: Turn, action: Action, connection: Arc<Connection>, interval_ms: u64, now_ms: i64) {
        let Some(reply) = self.state.reply(turn) else {
            return;
        };
        let marker = |segment: u32| Marker::of(self.id, turn, segment);
        let (context, op, hash) = match &action {
            Action::Perform { segment, op, hash, .. } => {
                (reply.context(marker(*segment)), Some(op.clone()), hash.clone())
            }
            Action::Find { segment } => (reply.context(marker(*segment)), None, UNKNOWN_HASH.to_owned()),
            Action::Status { text } => {
                self.status_shown = text.clone().map(|text| StatusShown { turn, text, at_ms: now_ms });
                (reply.context(marker(0)), Some(Op::Status { text: text.clone() }), String::new())
            }
            Action::Tasks { segment, tasks, .. } => {
                let shown = self.tasks_shown.take().filter(|(of, _)| *of == turn).map(|(_, shown)| shown);
                let mut shown = shown.unwrap_or_default();
                shown.retain(|one| tasks.iter().all(|task| task.id != one.id));
                shown.extend(tasks.iter().cloned());
                self.tasks_shown = Some((turn, shown));
                (reply.context(marker(*segment)), None, String::new())
            }
            Action::Open { .. } | Action::Complete { .. } => return,
        };
        if !matches!(action, Action::Status { .. }) {
            self.post_at_ms = now_ms.saturating_add(i64::try_from(interval_ms).unwrap_or(i64::MAX));
        }
        let sought = match &action {
            Action::Find { segment } => reply.sought(*segment).map(|sought| {
                let others = self.state.replies.iter().flat_map(Reply::shown).map(ToOwned::to_owned).collect();
                Sought { others, ..sought }
            }),
            _ => None,
        };
        self.posting = true;
        let durable = self.written();
        let instance = self.id;
        self.posts.spawn(async move {
            let durable = match durable.await {
                Ok(durable) => durable,
                Err(error) => return Done::NotDurable(error),
            };
            let result = match (&action, op) {
                (Action::Status { .. }, Some(op)) => {
                    // Best effort: a status line that fails is nobody's failure.
                    let shown =
                        tokio::time::timeout(STATUS_DEADLINE, connection.perform(&context, durable.and(op))).await;
                    if let Ok(Err(error)) = shown {
                        tracing::debug!(%instance, %error, "no status line");
                    }
                    Ok(Found::Nothing)
                }
                (Action::Tasks { message, tasks, .. }, _) => {
                    let showing = connection.show_tasks(&context, message, durable.and(tasks.clone()));
                    // Nobody waits for it.
                    tokio::time::timeout(STATUS_DEADLINE, showing).await.unwrap_or(Ok(())).map(|()| Found::Nothing)
                }
                (_, Some(op)) => connection.perform(&context, durable.and(op)).await.map(Found::Shown),
                (_, None) => {
                    let looked = match &sought {
                        Some(sought) => connection.channel().look_for(&context, sought).await,
                        None => connection.channel().find(&context).await,
                    };
                    looked.map(|found| found.map_or(Found::Absent, Found::Shown))
                }
            };
            Done::Posted(Posted { turn, action, hash, result })
        });
    }

    /// Records what a platform said.
    pub(super) fn posted(&mut self, posted: Posted) -> Result<(), Halt> {
        self.posting = false;
        let Posted { turn, action, hash, result } = posted;
        let now_ms = self.services.clock.now_ms();
        let Some(reply) = self.state.reply(turn) else {
            return Ok(());
        };
        let (segment, end, complete, op) = match action {
            Action::Perform { segment, op, end, complete, .. } => (segment, end, complete, Some(op)),
            Action::Find { segment } => (segment, segment_start(reply, segment), false, None),
            Action::Tasks { segment, .. } => return self.tasks_told(turn, segment, result, now_ms),
            Action::Status { .. } | Action::Open { .. } | Action::Complete { .. } => return Ok(()),
        };
        metrics::counter!("replies_total", "outcome" => if result.is_ok() { "ok" } else { "error" }).increment(1);
        match result {
            Ok(Found::Shown(receipt)) => {
                (self.trouble, self.refusals) = (0, 0);
                let was_finished = matches!(op, Some(Op::Finish { .. } | Op::Edit { .. }));
                let mode = if was_finished { Mode::Edit } else { receipt.mode };
                let sequence = reply.sequence;
                let receipt = Receipt { id: receipt.id, mode };
                let shown = Body::ReplyShown { turn, segment, sequence, receipt, end, hash, complete };
                self.write(vec![shown])?;
                Ok(())
            }
            Ok(Found::Absent) => {
                (self.trouble, self.refusals) = (0, 0);
                self.state.set_doubt(turn, segment, false);
                Ok(())
            }
            Ok(Found::Nothing) => Ok(()),
            Err(error) => self.post_failed(turn, segment, op.as_ref(), error, now_ms),
        }
    }

    /// Steps of the work were shown, or not. That they were not is nobody's failure, but it may tell of the stream.
    fn tasks_told(
        &mut self,
        turn: u64,
        segment: u32,
        result: Result<Found, ReplyError>,
        now_ms: i64,
    ) -> Result<(), Halt> {
        match result {
            Ok(_) => Ok(()),
            Err(error @ (ReplyError::StreamClosed(_) | ReplyError::Stopped(_))) => {
                self.post_failed(turn, segment, None, error, now_ms)
            }
            Err(error) => {
                // The step is left out: the answer does not wait for it, and no other reply does.
                tracing::debug!(instance = %self.id, turn, segment, %error, "steps of the work are not shown");
                Ok(())
            }
        }
    }

    fn post_failed(
        &mut self,
        turn: u64,
        segment: u32,
        op: Option<&Op>,
        error: ReplyError,
        now_ms: i64,
    ) -> Result<(), Halt> {
        tracing::warn!(instance = %self.id, turn, segment, %error, "the platform did not take a reply");
        let backoff_ms = 1_000i64.saturating_mul(1 << self.trouble.min(6)).min(60_000);
        // What certainly was not done waits, for hours if need be. Only what may have been done, or cannot be looked up,
        // counts towards giving up.
        let is_refusal = matches!(error, ReplyError::Retry { .. } | ReplyError::Credentials(_));
        if is_refusal {
            self.refusals = self.refusals.saturating_add(1);
        } else {
            self.trouble = self.trouble.saturating_add(1);
        }
        match error {
            ReplyError::Retry { after_ms, .. } => {
                let after_ms = i64::try_from(after_ms).unwrap_or(i64::MAX).clamp(100, 3_600_000);
                self.hold(turn, now_ms.saturating_add(after_ms), now_ms);
                // A platform that is away is not asked every second for hours. That is this reply's patience alone: what
                // holds the others is what was asked for, or a burst of them would slow itself down.
                let grown_ms = 250i64.saturating_mul(1 << self.refusals.saturating_sub(4).min(7));
                self.post_at_ms = self.post_at_ms.max(now_ms.saturating_add(grown_ms));
                Ok(())
            }
            ReplyError::Credentials(_) => {
                metrics::counter!("credentials_refused_total").increment(1);
                self.hold(turn, now_ms.saturating_add(CREDENTIALS_WAIT_MS), now_ms);
                Ok(())
            }
            ReplyError::Unknown(reason) => {
                if self.trouble > TROUBLE_MAX {
                    return self.fail_reply(turn, segment, true, reason);
                }
                self.post_at_ms = now_ms.saturating_add(backoff_ms);
                match op {
                    Some(Op::Start { .. } | Op::Ask(_)) => self.state.set_doubt(turn, segment, true),
                    // What was appended may be visible or not: from here on the message is edited.
                    Some(Op::Append { .. }) => self.forget_visible(turn, segment, Mode::Native)?,
                    Some(Op::Finish { .. } | Op::Edit { .. } | Op::Settle { .. } | Op::Status { .. }) | None => {}
                }
                Ok(())
            }
            ReplyError::StreamClosed(reason) | ReplyError::Stopped(reason) if matches!(op, Some(Op::Start { .. })) => {
                // Nothing was begun that could be closed.
                if self.trouble > TROUBLE_MAX {
                    return self.fail_reply(turn, segment, false, reason);
                }
                self.post_at_ms = now_ms.saturating_add(backoff_ms);
                Ok(())
            }
            ReplyError::StreamClosed(_) => self.forget_visible(turn, segment, Mode::Edit),
            ReplyError::Stopped(_) => {
                self.forget_visible(turn, segment, Mode::Edit)?;
                // Its turn may be over, and another one run.
                if self.state.running.as_ref().is_some_and(|running| running.turn == turn) {
                    self.end(turn, Outcome::Aborted, Some("on request".into()))?;
                }
                Ok(())
            }
            ReplyError::Gone(reason) | ReplyError::Refused(reason) => match op {
                // The platform cannot tell whether it is there.
                None if self.trouble <= TROUBLE_MAX => {
                    self.post_at_ms = now_ms.saturating_add(backoff_ms);
                    Ok(())
                }
                None => self.fail_reply(turn, segment, true, reason),
                Some(_) => self.fail_reply(turn, segment, false, reason),
            },
        }
    }

    /// Nobody of this installation calls its platform before that time.
    fn hold(&mut self, turn: u64, until_ms: i64, now_ms: i64) {
        self.post_at_ms = until_ms;
        if let Some(reply) = self.state.reply(turn) {
            self.services.pace.hold(&reply.connection, &reply.thread.installation, until_ms, now_ms);
        }
    }

    /// Records that the message is complete as it stands.
    fn complete(&mut self, turn: u64, segment: u32) -> Result<(), Halt> {
        let Some((reply, at)) = self.segment(turn, segment) else {
            return Ok(());
        };
        let Some(receipt) = at.receipt.clone() else {
            return Ok(());
        };
        let (sequence, end, hash) = (reply.sequence, at.end, at.hash.clone());
        self.write(vec![Body::ReplyShown { turn, segment, sequence, receipt, end, hash, complete: true }])?;
        Ok(())
    }

    /// Records that it is not known what the message shows: its stream is finished, if it is open, and it is edited until it is right.
    fn forget_visible(&mut self, turn: u64, segment: u32, mode: Mode) -> Result<(), Halt> {
        let Some((reply, at)) = self.segment(turn, segment) else {
            return Ok(());
        };
        let Some(receipt) = at.receipt.clone() else {
            return Ok(());
        };
        let receipt = Receipt { mode, ..receipt };
        let (sequence, end, hash) = (reply.sequence, at.end, UNKNOWN_HASH.to_owned());
        self.write(vec![Body::ReplyShown { turn, segment, sequence, receipt, end, hash, complete: false }])?;
        Ok(())
    }

    fn fail_reply(&mut self, turn: u64, segment: u32, ambiguous: bool, reason: String) -> Result<(), Halt> {
        tracing::error!(instance = %self.id, turn, segment, ambiguous, reason, "a reply could not be brought into its thread");
        metrics::counter!("replies_failed_total", "ambiguous" => ambiguous.to_string()).increment(1);
        self.trouble = 0;
        self.write(vec![Body::ReplyFailed { turn, segment, ambiguous, reason }])?;
        Ok(())
    }

    fn segment(&self, turn: u64, segment: u32) -> Option<(&Reply, &crate::outbox::Segment)> {
        let reply = self.state.reply(turn)?;
        Some((reply, reply.segments.get(usize::try_from(segment).ok()?)?))
    }
}

fn segment_start(reply: &Reply, segment: u32) -> usize {
    usize::try_from(segment).ok().and_then(|index| reply.segments.get(index)).map_or(0, |segment| segment.start)
}
