//! Running tool calls: the intent of what the world can see is durable before it happens.

use std::sync::Arc;
use std::time::Duration;

use reveille_channel::Event;
use sha2::{Digest, Sha256};

use super::approvals::Leave;
use super::children::Done;
use super::owner::{Halt, Owner};
use crate::agent::Agent;
use crate::codemode::{APPROVAL, CODE, DESCRIBE, SEARCH, SLEEP};
use crate::dispatch::{Decision, decide_reach, decide_tool, needs_approval};
use crate::journal::{Body, Effect, Step, ToolCall, ToolOutcome, Turn};
use crate::tool::{self, Form, ToolContext};
use crate::turn::{Call, alarm_of};

/// The longest that a program may sleep at once.
const SLEEP_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

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
        let mut to_ask = Vec::new();
        for id in ids {
            if self.tools_running.contains(id) {
                continue;
            }
            let found = self.state.running.as_ref().and_then(|running| running.find_call(id));
            let Some(call) = found.cloned() else { continue };
            if self.is_forsaken(&call) {
                continue;
            }
            let outcome = match self.step_of(turn, step, &call, &kept, current.as_ref())? {
                StepOf::Done(has_changed) => {
                    changed |= has_changed;
                    continue;
                }
                StepOf::Ask => {
                    to_ask.push(call.call);
                    continue;
                }
                StepOf::Outcome(outcome) => outcome,
            };
            self.write(vec![Body::ToolReturned { turn, step, call: id.clone(), outcome }])?;
            changed = true;
        }
        Ok(self.ask_for(&kept, turn, step, &to_ask)? || changed)
    }

    /// Takes the next step of one call.
    fn step_of(
        &mut self,
        turn: Turn,
        step: Step,
        call: &Call,
        kept: &Agent,
        current: Option<&Agent>,
    ) -> Result<StepOf, Halt> {
        let is_host_call = call.parent.is_some();
        let name = call.call.name.as_str();
        if name == CODE && kept.codemode && !is_host_call {
            if current.is_none_or(|current| !current.codemode) && !self.programs.contains_key(&call.call.id) {
                let message = "Code mode was switched off for this agent. The program does not run on.".into();
                return Ok(StepOf::Outcome(match call.kept() {
                    Some(_) => ToolOutcome::Unknown { message },
                    None => ToolOutcome::Error { message },
                }));
            }
            return self.run_program(turn, step, call, kept, current).map(StepOf::Done);
        }
        if is_host_call && let Some(taken) = self.host_call(&call.call, kept)? {
            return Ok(taken);
        }
        if !matches!(decide_tool(kept, current, name), Decision::Allow { .. }) {
            return Ok(StepOf::Outcome(ToolOutcome::Error { message: self.refusal(name, kept) }));
        }
        let spec = self.services.tools.get(name).map(|tool| tool.spec());
        let must_ask = spec.is_some_and(|spec| needs_approval(kept, current, spec));
        if must_ask {
            match self.leave_of(&call.call) {
                Leave::Given => {}
                // It may have been made before anybody had to be asked.
                Leave::Ask | Leave::Refused(_) if call.attempts > 0 => {
                    let message = "it was begun, and now people have to agree to it first".into();
                    return Ok(StepOf::Outcome(ToolOutcome::Unknown { message }));
                }
                Leave::Ask if is_host_call && !self.is_kept_at(call) => {
                    let message = "People have to agree to this since a moment ago. Run the program again.".into();
                    return Ok(StepOf::Outcome(ToolOutcome::Error { message }));
                }
                Leave::Ask => return Ok(StepOf::Ask),
                Leave::Refused(outcome) => return Ok(StepOf::Outcome(outcome)),
                Leave::Waits => return Ok(StepOf::Done(false)),
            }
        }
        // A tool that does not exist does nothing: the registry says so to the model.
        let effect = spec.map_or(Effect::Read, |spec| spec.effect);
        let Some(running) = &self.state.running else { return Ok(StepOf::Done(false)) };
        let Some(trigger) = running.events.first().cloned() else { return Ok(StepOf::Done(false)) };
        let (since_ms, most) = (running.started_at_ms, running.limits.attempts.max(1));
        let Some(connection) = self.services.connections.get(&trigger.connection).cloned() else {
            let message = "the connection it needs is not configured".into();
            return Ok(StepOf::Outcome(ToolOutcome::Error { message }));
        };
        if call.attempts >= most {
            let message = format!("it was begun {} times and never came to an end", call.attempts);
            return Ok(StepOf::Outcome(ToolOutcome::Unknown { message }));
        }
        let attempt = call.attempts.saturating_add(1);
        let key = key(self.id, turn, step, &call.call.id);
        // The yes of people is used up by this record: it is durable before the call leaves.
        let is_recorded = effect != Effect::Read || must_ask;
        if is_recorded {
            let call = call.call.clone();
            self.write(vec![Body::ToolCalled { turn, step, call, effect, key: key.clone(), attempt }])?;
        }
        let mut context = self.tool_context(kept, &trigger, Arc::clone(connection.channel()), key, since_ms);
        context.reach = Arc::new(decide_reach(kept, current));
        self.spawn_tool(turn, step, call, effect, context, is_recorded);
        Ok(StepOf::Done(false))
    }

    /// The host calls of a program that are no tools.
    fn host_call(&mut self, call: &ToolCall, agent: &Agent) -> Result<Option<StepOf>, Halt> {
        let error = |message: String| Some(StepOf::Outcome(ToolOutcome::Error { message }));
        match call.name.as_str() {
            APPROVAL => match (call.arguments.as_str(), self.own_question(call)) {
                (None, _) => Ok(error("`approval` takes one text: what people are asked to agree to.".to_owned())),
                (Some(_), Some(outcome)) => Ok(Some(StepOf::Outcome(outcome))),
                (Some(_), None) => Ok(Some(match self.may_ask(call) {
                    Leave::Refused(_) => StepOf::Outcome(ToolOutcome::Ok { content: "false".into(), truncated: false }),
                    _ => StepOf::Ask,
                })),
            },
            SLEEP => {
                let longest = SLEEP_MAX.as_millis();
                let Some(ms) = call.arguments.as_u64().filter(|ms| u128::from(*ms) <= longest) else {
                    return Ok(error(format!("`sleep` takes a number of milliseconds, {longest} at most.")));
                };
                let due_at_ms = self.services.clock.now_ms().saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
                self.write(vec![Body::AlarmSet { name: alarm_of(&call.id), due_at_ms }])?;
                Ok(Some(StepOf::Done(true)))
            }
            SEARCH | DESCRIBE => {
                Ok(Some(StepOf::Outcome(self.services.codemode.look_up(&self.services.tools, agent, call))))
            }
            _ => Ok(None),
        }
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
        call: &Call,
        effect: Effect,
        context: ToolContext,
        is_recorded: bool,
    ) {
        let was_begun = call.attempts > 0;
        let form = if call.parent.is_some() { Form::Value } else { Form::Text };
        let call = call.call.clone();
        tracing::debug!(instance = %self.id, turn, step, tool = call.name, ?effect, was_begun, "tool call");
        self.tools_running.insert(call.id.clone());
        let services = Arc::clone(&self.services);
        let left = self.state.deadline(turn).map_or(i64::MAX, |due_ms| due_ms.saturating_sub(context.now_ms));
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        // What only looks may run ahead of the fsync; what acts may not, nor what people were asked about.
        let durable = is_recorded.then(|| self.written());
        self.children.spawn(async move {
            let leave = match durable {
                None => tool::Leave::Look,
                Some(commit) => match commit.await {
                    Ok(durable) => tool::Leave::Act(durable),
                    Err(error) => return Done::NotDurable(error),
                },
            };
            let outcome = if was_begun {
                services.tools.resume(&call.name, &context, &call.arguments, left, &leave, form).await
            } else {
                services.tools.run(&call.name, &context, &call.arguments, left, &leave, form).await
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
        let calls = self.state.running.as_ref().map(|running| running.calls.as_slice()).unwrap_or_default();
        let Some(known) = calls.iter().find(|known| known.call == *call && known.outcome.is_none()) else {
            return Ok(());
        };
        if known.attempts == 0 {
            let key = key(self.id, turn, step, &call.id);
            bodies.push(Body::ToolCalled { turn, step, call: call.clone(), effect, key, attempt: 1 });
        }
        bodies.push(Body::ToolReturned { turn, step, call: call.id.clone(), outcome });
        self.write(bodies)?;
        Ok(())
    }
}

/// What one step of a call came to.
enum StepOf {
    /// It waits or runs; whether the state changed.
    Done(bool),
    /// People have to be asked first.
    Ask,
    /// It is over.
    Outcome(ToolOutcome),
}

/// The idempotency key of a call: the same on every try.
pub(super) fn key(instance: reveille_channel::InstanceId, turn: Turn, step: Step, call: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(instance.as_bytes());
    hash.update(turn.to_be_bytes());
    hash.update(step.to_be_bytes());
    hash.update(call.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    hex::encode(hash.split_at(16).0)
}
