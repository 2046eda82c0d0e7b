//! Deciding about events: refused, a new turn, or part of the running one.

use std::time::Duration;

use reveille_channel::{Event, EventId};

use super::children::Done;
use super::owner::{Halt, Owner};
use crate::dispatch::{Decision, Question, RoleAnswer, decide};
use crate::journal::{Body, Concurrency, Outcome};

/// How long a platform may take to say what somebody may do.
const ROLE_DEADLINE: Duration = Duration::from_secs(10);

impl Owner {
    /// Decides about these events, asking the platform where that is needed. Whether the state changed.
    pub(super) async fn consider(&mut self, ids: Vec<EventId>) -> Result<bool, Halt> {
        if self.considering {
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
        let ask = |event: &Event, own_handle: Option<&str>, role| {
            decide(&Question { agent: &agent, event, own_handle, role, default })
        };
        let decisions: Vec<Decision> = events
            .iter()
            .zip(&handles)
            .map(|(event, handle)| ask(event, handle.as_deref(), RoleAnswer::NotAsked))
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
                    Decision::AskRole => {
                        let role = match services.connections.get(&event.connection) {
                            None => RoleAnswer::Failed,
                            Some(connection) => {
                                let asked = connection.channel().permission(&event.actor, &event.thread);
                                match tokio::time::timeout(ROLE_DEADLINE, asked).await {
                                    Ok(Ok(role)) => RoleAnswer::Known(role),
                                    Ok(Err(error)) => {
                                        tracing::warn!(connection = event.connection, actor = event.actor.id, %error, "the platform does not tell what somebody may do; refused");
                                        RoleAnswer::Failed
                                    }
                                    Err(_) => RoleAnswer::Failed,
                                }
                            }
                        };
                        decide(&Question { agent: &agent, event, own_handle: handle.as_deref(), role, default })
                    }
                    decided => decided,
                };
                decided.push((event.id, decision));
            }
            Done::Considered(decided)
        });
        Ok(false)
    }

    /// Records what was decided.
    pub(super) fn considered(&mut self, decisions: Vec<(EventId, Decision)>) -> Result<(), Halt> {
        self.considering = false;
        self.decided = Some(decisions);
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
                    allowed.push(event);
                }
                Decision::Deny { rule, notice } => self.refuse(event, rule, notice)?,
                Decision::AskRole => self.refuse(event, "role.unknown", None)?,
            }
        }
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
        Ok(())
    }

    fn refuse(&mut self, event: EventId, rule: &str, notice: Option<String>) -> Result<(), Halt> {
        let actor = self.state.event(event).map(|event| event.actor.id.clone()).unwrap_or_default();
        // Said once to each person; after that, silence.
        let notice = notice.filter(|_| !self.state.told.contains(&actor));
        tracing::info!(instance = %self.id, %event, rule, told = notice.is_some(), "refused");
        metrics::counter!("events_refused_total", "rule" => rule.to_owned()).increment(1);
        let turn = self.state.turns.saturating_add(1);
        self.write(vec![Body::Refused { event, turn, rule: rule.to_owned(), notice }])?;
        Ok(())
    }
}
