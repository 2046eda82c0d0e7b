//! Bringing questions into the thread, and what came of them: as replies are, after what was said before.

use std::sync::Arc;

use reveille_channel::{Marker, Op, ReplyError};

use super::children::{Done, Found};
use super::owner::{Halt, Owner};
use crate::journal::{Body, Verdict};
use crate::outbox::{QuestionAction, Reply};

/// Questions and the messages of a reply have their markers from one count. No reply has so many messages.
const FIRST_SEGMENT: u32 = 1 << 16;

/// Times in a row that a platform may leave us without an answer before nobody can be asked.
const TROUBLE_MAX: u32 = 8;

impl Owner {
    /// Starts the next operation of the oldest question that has one. When to ask again, milliseconds since the Unix epoch.
    pub(super) fn ask_people(&mut self) -> Result<Option<i64>, Halt> {
        let now_ms = self.services.clock.now_ms();
        let due = self.state.questions.iter().find_map(|question| Some((question.clone(), question.next()?)));
        let Some((question, action)) = due else { return Ok(None) };
        let (turn, approval) = (question.turn, question.approval.clone());
        if action == QuestionAction::Close {
            self.write(vec![Body::QuestionClosed { turn, approval, failure: None }])?;
            return Ok(Some(now_ms));
        }
        let Some(connection) = self.services.connections.get(&question.connection).cloned() else {
            self.question_failed(&question.approval, "its connection is no longer configured".into())?;
            return Ok(Some(now_ms));
        };
        let free_ms = self.services.pace.free_at(&question.connection, &question.thread.installation);
        let free_ms = free_ms.max(self.post_at_ms);
        if free_ms > now_ms {
            return Ok(Some(free_ms));
        }
        if action == QuestionAction::Open {
            self.write(vec![Body::QuestionOpened { turn, approval }])?;
            return Ok(Some(now_ms));
        }
        let interval_ms = connection.channel().capabilities_in(&question.thread).edit_interval_ms;
        self.post_at_ms = now_ms.saturating_add(i64::try_from(interval_ms).unwrap_or(i64::MAX));
        let context = question.context(Marker::of(self.id, question.turn, segment_of(&question.approval)));
        let shown = self.state.questions.iter().filter_map(|other| other.receipt.as_ref());
        let shown = shown.map(|receipt| receipt.id.as_str());
        let others = self.state.replies.iter().flat_map(Reply::shown).chain(shown).map(ToOwned::to_owned).collect();
        let sought = question.sought(others);
        self.posting = true;
        let durable = self.written();
        let approval = question.approval;
        self.posts.spawn(async move {
            let durable = match durable.await {
                Ok(durable) => durable,
                Err(error) => return Done::NotDurable(error),
            };
            let result = match &action {
                QuestionAction::Perform(op) => {
                    connection.perform(&context, durable.and(op.clone())).await.map(Found::Shown)
                }
                QuestionAction::Find | QuestionAction::Open | QuestionAction::Close => {
                    let found = Arc::clone(connection.channel()).look_for(&context, &sought).await;
                    found.map(|found| found.map_or(Found::Absent, Found::Shown))
                }
            };
            Done::Asked { approval, action, result }
        });
        Ok(None)
    }

    /// Records what a platform said to a question.
    pub(super) fn asked(
        &mut self,
        approval: &str,
        action: &QuestionAction,
        result: Result<Found, ReplyError>,
    ) -> Result<(), Halt> {
        self.posting = false;
        let Some(question) = self.state.questions.iter().find(|question| question.approval == approval) else {
            return Ok(());
        };
        let turn = question.turn;
        let is_settling = matches!(action, QuestionAction::Perform(Op::Settle { .. }));
        match result {
            Ok(Found::Shown(_)) if is_settling => {
                (self.trouble, self.refusals) = (0, 0);
                self.write(vec![Body::QuestionClosed { turn, approval: approval.to_owned(), failure: None }])
            }
            Ok(Found::Shown(receipt)) => {
                (self.trouble, self.refusals) = (0, 0);
                self.write(vec![Body::QuestionShown { turn, approval: approval.to_owned(), receipt }])
            }
            Ok(Found::Absent) => {
                (self.trouble, self.refusals) = (0, 0);
                self.state.doubt_question(approval, false);
                Ok(())
            }
            Ok(Found::Nothing) => Ok(()),
            Err(error) => self.ask_failed(approval, error, matches!(action, QuestionAction::Perform(Op::Ask(_)))),
        }
    }

    fn ask_failed(&mut self, approval: &str, error: ReplyError, is_asking: bool) -> Result<(), Halt> {
        tracing::warn!(instance = %self.id, approval, %error, "the platform did not take a question");
        let now_ms = self.services.clock.now_ms();
        match error {
            ReplyError::Retry { after_ms, .. } => {
                self.refusals = self.refusals.saturating_add(1);
                let after_ms = i64::try_from(after_ms).unwrap_or(i64::MAX).clamp(100, 3_600_000);
                self.hold_for(approval, now_ms.saturating_add(after_ms), now_ms);
                let grown_ms = 250i64.saturating_mul(1 << self.refusals.saturating_sub(4).min(7));
                self.post_at_ms = self.post_at_ms.max(now_ms.saturating_add(grown_ms));
                Ok(())
            }
            ReplyError::Credentials(_) => {
                metrics::counter!("credentials_refused_total").increment(1);
                self.hold_for(approval, now_ms.saturating_add(super::publish::CREDENTIALS_WAIT_MS), now_ms);
                Ok(())
            }
            ReplyError::Unknown(reason) => {
                self.trouble = self.trouble.saturating_add(1);
                if self.trouble > TROUBLE_MAX {
                    return self.question_failed(approval, reason);
                }
                self.post_at_ms = now_ms.saturating_add(1_000i64.saturating_mul(1 << self.trouble.min(6)));
                if is_asking {
                    self.state.doubt_question(approval, true);
                }
                Ok(())
            }
            ReplyError::StreamClosed(reason)
            | ReplyError::Stopped(reason)
            | ReplyError::Gone(reason)
            | ReplyError::Refused(reason) => self.question_failed(approval, reason),
        }
    }

    /// Nobody of the question's installation calls its platform before that time.
    fn hold_for(&mut self, approval: &str, until_ms: i64, now_ms: i64) {
        self.post_at_ms = until_ms;
        if let Some(question) = self.state.questions.iter().find(|question| question.approval == approval) {
            self.services.pace.hold(&question.connection, &question.thread.installation, until_ms, now_ms);
        }
    }

    /// The question cannot be brought to anybody, or its answer not into its place. Nobody has agreed then.
    fn question_failed(&mut self, approval: &str, reason: String) -> Result<(), Halt> {
        tracing::error!(instance = %self.id, approval, reason, "a question could not be brought into its thread");
        self.trouble = 0;
        let Some(question) = self.state.questions.iter().find(|question| question.approval == approval) else {
            return Ok(());
        };
        let turn = question.turn;
        let is_open = self
            .state
            .running
            .as_ref()
            .is_some_and(|running| running.approvals.iter().any(|one| one.id == approval && one.verdict.is_none()));
        let approval = approval.to_owned();
        let mut bodies = Vec::with_capacity(2);
        if is_open {
            let (verdict, by, event) = (Verdict::Unasked, None, None);
            bodies.push(Body::ApprovalDecided { turn, approval: approval.clone(), verdict, by, event });
        }
        if question.opened {
            bodies.push(Body::QuestionClosed { turn, approval, failure: Some(reason) });
        }
        self.write(bodies)
    }
}

/// A pure function of the approval's id, so that the marker is the same after a crash.
fn segment_of(approval: &str) -> u32 {
    let hash = u32::from_str_radix(approval.get(..8).unwrap_or_default(), 16).unwrap_or(0);
    FIRST_SEGMENT | hash
}
