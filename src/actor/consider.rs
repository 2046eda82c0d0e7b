//! Deciding about events: refused, a new turn, or part of the running one.

use std::collections::HashMap;
use std::time::Duration;

use reveille_channel::{Event, EventId, Progress, ReplyError};

use super::Services;
use super::children::Done;
use super::owner::{Halt, Owner};
use crate::agent::Agent;
use crate::dispatch::{ApprovalQuestion, Decision, Meaning, Question, RoleAnswer, decide, decide_approval, meaning};
use crate::journal::{Body, Concurrency, Outcome};
use crate::turn::{InstanceState, Pending, answer_to};

/// How long a platform may take to say what somebody may do.
const ROLE_DEADLINE: Duration = Duration::from_secs(10);

/// How often a platform that could not be asked is asked again before the person is told to try later, and the first pause.
const ROLE_TRIES: u32 = 3;
const ROLE_PAUSE: Duration = Duration::from_millis(500);

/// How long events wait before a platform that refuses our credentials is asked again about their actors.
const CREDENTIALS_WAIT_MS: i64 = 60_000;

/// The platform refuses our credentials: the events wait until somebody has mended that.
struct Wait;

/// What the platform says that the event's actor may do.
async fn role_of(services: &Services, event: &Event) -> Result<RoleAnswer, Wait> {
    let Some(connection) = services.connections.get(&event.connection) else {
        return Ok(RoleAnswer::Failed);
    };
    let mut pause = ROLE_PAUSE;
    for left in (0..ROLE_TRIES).rev() {
        let asked = connection.channel().permission(&event.actor, &event.thread);
        let error = match tokio::time::timeout(ROLE_DEADLINE, asked).await {
            Ok(Ok(role)) => return Ok(RoleAnswer::Known(role)),
            Ok(Err(error)) => error,
            Err(_) => ReplyError::Unknown("no answer in time".into()),
        };
        if let ReplyError::Credentials(_) = error {
            tracing::error!(connection = event.connection, %error, "an event waits until the credential is right; `reveille doctor` says what to do");
            metrics::counter!("credentials_refused_total").increment(1);
            return Err(Wait);
        }
        tracing::warn!(connection = event.connection, actor = event.actor.id, %error, left, "the platform does not tell what somebody may do");
        let passes = matches!(error, ReplyError::Retry { .. } | ReplyError::Unknown(_));
        if !passes || left == 0 {
            break;
        }
        let asked_ms = if let ReplyError::Retry { after_ms, .. } = error { after_ms.min(5_000) } else { 0 };
        tokio::time::sleep(pause.max(Duration::from_millis(asked_ms))).await;
        pause *= 2;
    }
    // What cannot be asked is denied.
    Ok(RoleAnswer::Failed)
}

impl Owner {
    /// Decides about these events, asking the platform where that is needed. Whether the state changed.
    pub(super) async fn consider(&mut self, ids: Vec<EventId>) -> Result<bool, Halt> {
        if self.considering || self.consider_at_ms > self.services.clock.now_ms() {
            return Ok(false);
        }
        let events: Vec<Event> = ids.iter().filter_map(|id| self.state.event(*id)).cloned().collect();
        let Some(agent) = self.services.catalogue.get(&self.agent) else {
            let gone = Decision::Deny { rule: "agent.removed", notice: None };
            self.settle_access(ids.into_iter().map(|id| (id, gone.clone())).collect()).await?;
            return Ok(true);
        };
        let default = self.services.access;
        let handles: Vec<Option<String>> = events
            .iter()
            .map(|event| self.services.connections.get(&event.connection).and_then(|connection| connection.handle()))
            .collect();
        let requesters = self.state.running.as_ref().map(crate::turn::Running::requesters).unwrap_or_default();
        // Whoever answers a question may be somebody else than whoever may ask for work.
        let open: HashMap<EventId, bool> = events
            .iter()
            .filter_map(|event| Some((event.id, self.state.open_approval(&event.kind)?.four_eyes)))
            .collect();
        let ask = move |agent: &Agent, event: &Event, own_handle: Option<&str>, role| match open.get(&event.id) {
            Some(&four_eyes) => {
                let requesters = &requesters;
                decide_approval(&ApprovalQuestion { agent, event, requesters, four_eyes, role, default })
            }
            // Of a question that is not open here; perhaps of another agent in the same thread.
            None if answer_to(&event.kind).is_some() => Decision::Deny { rule: "approval.not_open", notice: None },
            None => decide(&Question { agent, event, own_handle, role, default }),
        };
        let decisions: Vec<Decision> = events
            .iter()
            .zip(&handles)
            .map(|(event, handle)| ask(&agent, event, handle.as_deref(), RoleAnswer::NotAsked))
            .collect();
        if !decisions.contains(&Decision::AskRole) {
            self.settle_access(ids.into_iter().zip(decisions).collect()).await?;
            return Ok(true);
        }
        self.considering = true;
        let services = std::sync::Arc::clone(&self.services);
        self.children.spawn(async move {
            let mut decided = Vec::with_capacity(events.len());
            for ((event, handle), decision) in events.iter().zip(&handles).zip(decisions) {
                let decision = match decision {
                    Decision::AskRole => match role_of(&services, event).await {
                        Ok(role) => ask(&agent, event, handle.as_deref(), role),
                        Err(Wait) => return Done::Considered(None),
                    },
                    decided => decided,
                };
                decided.push((event.id, decision));
            }
            Done::Considered(Some(decided))
        });
        Ok(false)
    }

    /// Records what was decided, or that it has to wait.
    pub(super) fn considered(&mut self, decisions: Option<Vec<(EventId, Decision)>>) -> Result<(), Halt> {
        self.considering = false;
        if decisions.is_none() {
            self.consider_at_ms = self.services.clock.now_ms().saturating_add(CREDENTIALS_WAIT_MS);
        }
        self.decided = decisions;
        Ok(())
    }

    /// Records the decisions: refusals one by one, what is allowed as one turn or one joining.
    pub(super) async fn settle_access(&mut self, decisions: Vec<(EventId, Decision)>) -> Result<(), Halt> {
        let mut allowed = Vec::new();
        for (event, decision) in decisions {
            // Decided while a turn was ended or interrupted: it is no longer waiting.
            if !self.state.pending.iter().any(|pending| pending.event.id == event) {
                continue;
            }
            match decision {
                Decision::Allow { rule } => {
                    tracing::debug!(instance = %self.id, %event, rule, "allowed");
                    if self.is_work(event)? {
                        allowed.push(event);
                    }
                }
                Decision::Deny { rule, notice } => self.refuse(event, rule, notice)?,
                Decision::AskRole => self.refuse(event, "role.unknown", None)?,
            }
        }
        // An edit or a deletion may have taken away what was decided before it.
        allowed.retain(|event| self.state.pending.iter().any(|pending| pending.event.id == *event));
        if allowed.is_empty() {
            return Ok(());
        }
        if let Some(running) = &self.state.running {
            let turn = running.turn;
            match running.limits.concurrency {
                Concurrency::Steer | Concurrency::Queue => {
                    self.write(vec![Body::Steered { turn, events: allowed }])?;
                    return Ok(());
                }
                Concurrency::Drop => {
                    for event in allowed {
                        let notice = "I am still busy with an earlier message here. Please ask again when I am done.";
                        self.refuse(event, "concurrency.drop", Some(notice.into()))?;
                    }
                    return Ok(());
                }
                Concurrency::Interrupt => {
                    self.end(turn, Outcome::Aborted, Some("a newer message came in".into()))?;
                }
            }
        }
        let Some(agent) = self.services.catalogue.get(&self.agent) else {
            return Ok(());
        };
        self.services.engine.put_definition(&agent.hash, &agent.bundle()).await?;
        let turn = self.state.turns.saturating_add(1);
        tracing::info!(instance = %self.id, turn, agent = agent.name, events = allowed.len(), "turn started");
        let body = Body::TurnStarted { turn, events: allowed, definition: agent.hash.clone(), limits: agent.limits };
        self.definition = Some(std::sync::Arc::new(agent));
        self.write(vec![body])?;
        self.signs.push((turn, Progress::Began));
        Ok(())
    }

    /// Whether an allowed event is to be worked on. What is about an earlier message is settled here.
    fn is_work(&mut self, id: EventId) -> Result<bool, Halt> {
        let Some(agent) = self.services.catalogue.get(&self.agent) else {
            return Ok(true);
        };
        let Some(event) = self.state.event(id).cloned() else {
            return Ok(false);
        };
        let waits = |message: &str, state: &InstanceState| {
            let is_it =
                |pending: &&Pending| pending.event.id != id && pending.event.message.as_deref() == Some(message);
            state.pending.iter().find(is_it).map(|pending| pending.event.id)
        };
        if self.answer(id, &event)? {
            return Ok(false);
        }
        if answer_to(&event.kind).is_some() {
            // It answers what is not asked any more: no work, whatever the agent wakes on.
            self.refuse(id, "action.stray", None)?;
            return Ok(false);
        }
        let (rule, reason) = match meaning(&event, &agent) {
            Meaning::Work => return Ok(true),
            Meaning::Stray => ("action.stray", None),
            Meaning::Feedback { positive } => {
                let rating = if positive { "positive" } else { "negative" };
                metrics::counter!("feedback_total", "agent" => agent.name.clone(), "rating" => rating).increment(1);
                ("feedback", None)
            }
            Meaning::Stop => ("stop.idle", Some("on request")),
            Meaning::Edited(message) => match waits(message, &self.state) {
                // The new words take the place of the old ones, which no turn has seen.
                Some(original) => {
                    self.refuse(original, "message.edited", None)?;
                    return Ok(true);
                }
                None => ("edited.late", None),
            },
            Meaning::Deleted(message) => {
                if let Some(original) = waits(message, &self.state) {
                    self.refuse(original, "message.deleted", None)?;
                }
                let running = self.state.running.as_ref();
                let is_its = running.is_some_and(|running| {
                    running.events.first().and_then(|event| event.message.as_deref()) == Some(message)
                });
                ("message.deleted", is_its.then_some("the message was deleted"))
            }
        };
        match (reason, self.state.running.as_ref().map(|running| running.turn)) {
            (Some(reason), Some(turn)) => {
                self.write(vec![Body::Steered { turn, events: vec![id] }])?;
                self.end(turn, Outcome::Aborted, Some(reason.into()))?;
            }
            _ => self.refuse(id, rule, None)?,
        }
        Ok(false)
    }

    fn refuse(&mut self, id: EventId, rule: &str, notice: Option<String>) -> Result<(), Halt> {
        let event = self.state.event(id);
        let actor = event.map(|event| event.actor.id.clone()).unwrap_or_default();
        // Nothing is said to whoever is not on a platform: the operator, who reads the record.
        let can_be_told = event.is_some_and(|event| self.services.connections.get(&event.connection).is_some());
        // Said once to each person; after that, silence.
        let notice = notice.filter(|_| can_be_told && !self.state.told.contains(&actor));
        tracing::info!(instance = %self.id, event = %id, rule, told = notice.is_some(), "refused");
        metrics::counter!("events_refused_total", "rule" => rule.to_owned()).increment(1);
        let turn = self.state.turns.saturating_add(1);
        self.write(vec![Body::Refused { event: id, turn, rule: rule.to_owned(), notice }])?;
        Ok(())
    }
}
