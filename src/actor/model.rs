//! Calling a model: the request leaves after its intent is in the journal's queue, text streams back to the owner.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::children::{Answer, Chunk, Done};
use super::owner::{Halt, Owner};
use crate::agent::{Agent, ModelRef};
use crate::journal::{Body, Outcome, Step, StopReason, ToolCall, Turn, Usage};
use crate::model::{Delta, Failure, ModelError, Provider, Request, Try, next_try};
use crate::turn;

/// The most text of one answer, bytes.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// How deep a call's arguments may nest: records wrap them further, and readers of JSON stop at 128 levels.
pub(super) const ARGUMENT_DEPTH: usize = 32;

/// How long a model may say nothing, before its first word and between two.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// Failures of the model call that is under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Failures {
    step: Step,
    list: Vec<Failure>,
}

impl Owner {
    /// Makes the next try of a model call, if none is under way. Whether the state changed.
    pub(super) async fn call_model(&mut self, turn: Turn, step: Step, attempt: u32) -> Result<bool, Halt> {
        if self.calling.is_some() {
            return Ok(false);
        }
        let Some(agent) = self.turn_definition().await? else {
            self.end(turn, Outcome::Failed, Some("its agent's definition is no longer in the journal".into()))?;
            return Ok(true);
        };
        if self.model_failures.step != step {
            self.model_failures = Failures { step, list: Vec::new() };
        }
        let models: Vec<ModelRef> = if agent.models.is_empty() {
            self.services.default_model.iter().cloned().collect()
        } else {
            agent.models.clone()
        };
        let tries = agent.limits.attempts.max(1);
        // Tries that ended with the process are in the journal alone; they count too.
        let most = tries.saturating_mul(u32::try_from(models.len().max(1)).unwrap_or(u32::MAX)).saturating_add(tries);
        let next = next_try(&self.model_failures.list, models.len(), tries, rand::random::<f64>());
        let (index, wait_ms) = match next {
            Try::Call { model, wait_ms } if attempt <= most => (model, wait_ms),
            Try::Call { .. } | Try::GiveUp => {
                let said = self.state.running.as_ref().and_then(|running| running.model.as_ref());
                let reason = match said.and_then(|call| call.failed.clone()) {
                    Some(reason) => reason,
                    None if models.is_empty() => {
                        "no model is configured; add a table under [models] or a `model:` line to the agent".into()
                    }
                    None => "the call was cut off too often".into(),
                };
                self.end(turn, Outcome::Failed, Some(format!("{}: {reason}", turn::NO_ANSWER)))?;
                return Ok(true);
            }
        };
        let Some(model) = models.get(index).cloned() else {
            return Ok(false);
        };
        let (tools, platform) = (&self.services.tools, self.platform());
        let tools = match agent.codemode {
            true => vec![self.services.codemode.schema(tools, &agent, &platform)],
            false => tools.schemas(&agent.tools, &platform, &agent.reach),
        };
        let request = turn::request(&self.state, &agent, &model.model, tools);
        let digest = Sha256::digest(serde_json::to_vec(&request).unwrap_or_default());
        let name = format!("{}/{}", model.table, model.model);
        tracing::debug!(instance = %self.id, turn, step, attempt, model = name, wait_ms, "model call");
        self.write(vec![Body::ModelCalled { turn, step, attempt, model: name, request: hex::encode(digest) }])?;
        self.calling = Some((turn, step, attempt));
        let provider = self.services.models.get(&model.table);
        let chunks = self.chunks.clone();
        let table = model.table;
        self.children.spawn(async move {
            if wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            let answer = match provider {
                None => Err(ModelError::Fatal { reason: format!("there is no table [models.{table}]") }),
                Some(provider) => stream(provider, request, chunks, (turn, step, attempt)).await,
            };
            Done::Model { turn, step, attempt, model: index, answer }
        });
        Ok(true)
    }

    /// Records what came of a model call.
    pub(super) fn answered(
        &mut self,
        turn: Turn,
        step: Step,
        attempt: u32,
        model: usize,
        answer: Result<Answer, ModelError>,
    ) -> Result<(), Halt> {
        if self.calling != Some((turn, step, attempt)) {
            return Ok(());
        }
        match answer {
            Ok(Answer { text, tool_calls, stop, usage }) => {
                self.drop_unflushed();
                self.calling = None;
                let tool_calls = tidied(tool_calls, turn, step);
                self.write(vec![Body::ModelAnswered { turn, step, attempt, text, tool_calls, stop, usage }])?;
            }
            Err(error) => {
                self.flush()?;
                self.calling = None;
                tracing::warn!(instance = %self.id, turn, step, attempt, %error, "model call failed");
                let failure = match &error {
                    ModelError::Retry { after_ms, .. } => Failure { model, retry: true, after_ms: *after_ms },
                    ModelError::Fatal { .. } => Failure { model, retry: false, after_ms: None },
                };
                self.model_failures.list.push(failure);
                self.write(vec![Body::ModelFailed { turn, step, attempt, error: error.to_string(), fatal: false }])?;
            }
        }
        Ok(())
    }

    /// The platform of the running turn's thread.
    fn platform(&self) -> String {
        let trigger = self.state.running.as_ref().and_then(|running| running.events.first());
        trigger.map(|event| event.platform.clone()).unwrap_or_default()
    }

    /// The definition the running turn started with.
    pub(super) async fn turn_definition(&mut self) -> Result<Option<Arc<Agent>>, Halt> {
        let Some(hash) = self.state.running.as_ref().map(|running| running.definition.clone()) else {
            return Ok(None);
        };
        if let Some(kept) = self.definition.as_ref().filter(|agent| agent.hash == hash) {
            return Ok(Some(Arc::clone(kept)));
        }
        let current = self.services.catalogue.get(&self.agent).filter(|agent| agent.hash == hash);
        let found = match current {
            Some(agent) => Some(agent),
            None => match self.services.engine.definition(&hash).await? {
                None => None,
                Some(bundle) => Agent::from_bundle(&bundle)
                    .inspect_err(
                        |error| tracing::error!(instance = %self.id, %error, "a kept definition cannot be read"),
                    )
                    .ok(),
            },
        };
        self.definition = found.map(Arc::new);
        Ok(self.definition.clone())
    }
}

/// The calls with ids of our own, which are unique in the conversation and take nobody's alphabet for granted, and with
/// arguments that every reader of the journal can read again.
fn tidied(mut calls: Vec<ToolCall>, turn: Turn, step: Step) -> Vec<ToolCall> {
    for (index, call) in calls.iter_mut().enumerate() {
        call.id = format!("call_{turn}_{step}_{index}");
        if is_deeper(&call.arguments, ARGUMENT_DEPTH) {
            call.arguments = too_deep();
        }
    }
    calls
}

/// What stands in the place of arguments that nest too deeply: no tool takes it.
pub(super) fn too_deep() -> Value {
    Value::String(format!("(nested deeper than {ARGUMENT_DEPTH} levels, and left out)"))
}

pub(super) fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else {
        return true;
    };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, left)),
        Value::Object(fields) => fields.values().any(|item| is_deeper(item, left)),
        _ => false,
    }
}

/// One try, from the request to the end of the stream.
async fn stream(
    provider: Arc<dyn Provider>,
    request: Request,
    chunks: mpsc::Sender<Chunk>,
    (turn, step, attempt): (Turn, Step, u32),
) -> Result<Answer, ModelError> {
    let silent = |_| ModelError::Retry { reason: "the model said nothing for two minutes".into(), after_ms: None };
    let mut deltas = tokio::time::timeout(SILENCE_MAX, provider.stream(&request)).await.map_err(silent)??;
    let mut text = String::new();
    let mut tool_calls = Vec::new();
    let mut end: Option<(StopReason, Usage)> = None;
    while let Some(delta) = tokio::time::timeout(SILENCE_MAX, deltas.next()).await.map_err(silent)? {
        match delta? {
            Delta::Text(more) => {
                text.push_str(&more);
                if text.len() > ANSWER_MAX {
                    return Err(ModelError::Fatal { reason: "the answer is longer than 4 MiB".into() });
                }
                // The owner is gone: nobody wants the rest.
                if chunks.send(Chunk { turn, step, attempt, text: more }).await.is_err() {
                    break;
                }
            }
            Delta::ToolCall(call) => tool_calls.push(call),
            Delta::Done { stop, usage } => end = Some((stop, usage)),
        }
    }
    match end {
        Some((stop, usage)) => Ok(Answer { text, tool_calls, stop, usage }),
        None => Err(ModelError::Retry { reason: "the model's stream was cut".into(), after_ms: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Message, Script};

    /// Public issue threads tell of bots that sat for twenty minutes on a stream that had stopped: hermes-agent #72016.
    #[tokio::test(start_paused = true)]
    async fn a_model_that_falls_silent_is_given_up_and_asked_again() {
        for after_chunks in [0, 1] {
            let script = format!(
                "rules:\n  - stream: [\"One. \", \"Two.\"]\n    fail: {{ kind: stall, after_chunks: {after_chunks} }}\n"
            );
            let provider = Arc::new(Script::parse("stalls", &script).unwrap());
            let request = Request {
                model: "m".into(),
                system: String::new(),
                messages: vec![Message::User { text: "Hello".into() }],
                tools: Vec::new(),
                max_tokens: 100,
                temperature: None,
            };
            let (sender, mut chunks) = mpsc::channel(8);
            let began = tokio::time::Instant::now();
            let answer = stream(provider, request, sender, (1, 1, 1)).await;
            assert!(matches!(&answer, Err(ModelError::Retry { reason, .. }) if reason.contains("said nothing")));
            assert_eq!(began.elapsed().as_secs(), SILENCE_MAX.as_secs());
            assert_eq!(chunks.recv().await.is_some(), after_chunks == 1, "what came until then is shown");
        }
    }
}
