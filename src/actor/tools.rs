//! Running tool calls: the intent of what the world can see is durable before it happens.

use std::sync::Arc;
use std::time::Duration;

use reveille_channel::Event;
use sha2::{Digest, Sha256};

use super::children::Done;
use super::owner::{Halt, Owner};
use crate::agent::Agent;
use crate::dispatch::{Decision, decide_reach, decide_tool};
use crate::journal::{Body, Effect, Step, ToolCall, ToolOutcome, Turn};
use crate::tool::{Form, Leave, ToolContext};

impl Owner {
    /// Runs the calls that have no result and do not run. Whether the state changed.
    pub(super) async fn call_tools(&mut self, turn: Turn, step: Step, ids: &[String]) -> Result<bool, Halt> {
        let Some(kept) = self.turn_definition().await? else {
            let reason = "its agent's definition is no longer in the journal".to_owned();
            self.end(turn, crate::journal::Outcome::Failed, Some(reason))?;
            return Ok(true);
        };
        let current = self.services.catalogue.get(&self.agent);
        let mut changed = false;
        for id in ids {
            if self.tools_running.contains(id) {
                continue;
            }
            let Some(running) = &self.state.running else {
                break;
            };
            let Some(call) = running.calls.iter().find(|call| call.call.id == *id).cloned() else {
                continue;
            };
            let trigger = running.events.first().cloned();
            let since_ms = running.started_at_ms;
            let most = running.limits.attempts;
            let refused = match decide_tool(&kept, current.as_ref(), &call.call.name) {
                Decision::Allow { .. } => None,
                Decision::Deny { .. } | Decision::AskRole => Some(self.refusal(&call.call.name, &kept)),
            };
            let connection =
                trigger.as_ref().and_then(|event| self.services.connections.get(&event.connection)).cloned();
            let (outcome, attempts) = match (refused, &trigger, &connection) {
                (Some(message), ..) => (Some(ToolOutcome::Error { message }), 0),
                (None, Some(_), Some(_)) if call.attempts < most.max(1) => (None, call.attempts),
                (None, Some(_), Some(_)) => {
                    let message = format!("it was begun {} times and never came to an end", call.attempts);
                    (Some(ToolOutcome::Unknown { message }), call.attempts)
                }
                _ => (Some(ToolOutcome::Error { message: "the connection it needs is not configured".into() }), 0),
            };
            if let Some(outcome) = outcome {
                self.write(vec![Body::ToolReturned { turn, step, call: id.clone(), outcome }])?;
                changed = true;
                continue;
            }
            let (Some(trigger), Some(connection)) = (trigger, connection) else {
                continue;
            };
            let attempt = attempts.saturating_add(1);
            let key = key(self.id, turn, step, id);
            // A tool that does not exist does nothing: the registry says so to the model.
            let effect = self.services.tools.get(&call.call.name).map_or(Effect::Read, |tool| tool.spec().effect);
            if effect != Effect::Read {
                let call = call.call.clone();
                self.write(vec![Body::ToolCalled { turn, step, call, effect, key: key.clone(), attempt }])?;
            }
            let mut context = self.tool_context(&kept, &trigger, Arc::clone(connection.channel()), key, since_ms);
            context.reach = Arc::new(decide_reach(&kept, current.as_ref()));
            self.spawn_tool(turn, step, call.call, effect, context, attempt > 1);
        }
        Ok(changed)
    }

    fn refusal(&self, name: &str, agent: &Agent) -> String {
        let available: Vec<_> = self.services.tools.matching(&agent.tools).map(|tool| tool.spec().name).collect();
        format!("The tool {name} is not available to you. Available: {}.", available.join(", "))
    }

    fn tool_context(
        &self,
        agent: &Agent,
        trigger: &Event,
        channel: Arc<dyn reveille_channel::Channel>,
        key: String,
        since_ms: i64,
    ) -> ToolContext {
        let events = self.state.running.iter().flat_map(|running| &running.events);
        let attachments = events.flat_map(|event| event.attachments.iter().cloned()).collect();
        ToolContext {
            instance: self.id,
            connection: trigger.connection.clone(),
            channel,
            thread: trigger.thread.clone(),
            actor: trigger.actor.clone(),
            message: trigger.message.clone(),
            attachments,
            key,
            skills: Arc::clone(&agent.skills),
            reach: Arc::default(),
            since_ms,
            now_ms: self.services.clock.now_ms(),
        }
    }

    fn spawn_tool(
        &mut self,
        turn: Turn,
        step: Step,
        call: ToolCall,
        effect: Effect,
        context: ToolContext,
        was_begun: bool,
    ) {
        tracing::debug!(instance = %self.id, turn, step, tool = call.name, ?effect, was_begun, "tool call");
        self.tools_running.insert(call.id.clone());
        let services = Arc::clone(&self.services);
        let left = self.state.next_alarm().map_or(i64::MAX, |(_, due_ms)| due_ms.saturating_sub(context.now_ms));
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        // What only looks may run ahead of the fsync; what acts may not.
        let durable = (effect != Effect::Read).then(|| self.written());
        self.children.spawn(async move {
            let leave = match durable {
                None => Leave::Look,
                Some(commit) => match commit.await {
                    Ok(durable) => Leave::Act(durable),
                    Err(error) => return Done::NotDurable(error),
                },
            };
            let outcome = if was_begun {
                services.tools.resume(&call.name, &context, &call.arguments, left, &leave, Form::Text).await
            } else {
                services.tools.run(&call.name, &context, &call.arguments, left, &leave, Form::Text).await
            };
            Done::Tool { turn, step, call, effect, outcome }
        });
    }

    /// Records a tool's result.
    pub(super) fn tool_returned(
        &mut self,
        turn: Turn,
        step: Step,
        call: &ToolCall,
        effect: Effect,
        outcome: ToolOutcome,
    ) -> Result<(), Halt> {
        if !self.tools_running.remove(&call.id) {
            return Ok(());
        }
        let kind = match &outcome {
            ToolOutcome::Ok { .. } => "ok",
            ToolOutcome::Error { .. } => "error",
            ToolOutcome::Unknown { .. } => "unknown",
        };
        // The name is the model's word: only those that exist become labels.
        let name = self.services.tools.get(&call.name).map_or("unknown", |tool| tool.spec().name);
        metrics::counter!("tool_calls_total", "tool" => name, "outcome" => kind).increment(1);
        let mut bodies = Vec::with_capacity(2);
        if effect == Effect::Read {
            let key = key(self.id, turn, step, &call.id);
            bodies.push(Body::ToolCalled { turn, step, call: call.clone(), effect, key, attempt: 1 });
        }
        bodies.push(Body::ToolReturned { turn, step, call: call.id.clone(), outcome });
        self.write(bodies)?;
        Ok(())
    }
}

/// The idempotency key of a call: the same on every try.
fn key(instance: reveille_channel::InstanceId, turn: Turn, step: Step, call: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(instance.as_bytes());
    hash.update(turn.to_be_bytes());
    hash.update(step.to_be_bytes());
    hash.update(call.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    hex::encode(hash.split_at(16).0)
}
