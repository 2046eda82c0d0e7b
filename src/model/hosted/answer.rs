//! The answer as it streams in. It counts only with its end: tool calls are held back until then.

use std::collections::{HashSet, VecDeque};

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use genai::chat::{self, ChatStream, ChatStreamEvent, StreamEnd};
use serde_json::{Map, Value};
use tracing::Span;

use super::faults::{self, Faults};
use super::names::Names;
use super::{Delta, ModelError, Protocol};
use crate::journal::{StopReason, ToolCall, Usage};

/// The most tool calls in one answer.
const CALLS_MAX: usize = 64;

/// One answer under way.
pub(super) struct Answer {
    stream: ChatStream,
    protocol: Protocol,
    names: Names,
    faults: Faults,
    model: String,
    span: Span,
    ready: VecDeque<Delta>,
    is_over: bool,
}

/// What became of a call, for the metrics.
pub(super) fn outcome(error: &ModelError) -> &'static str {
    match error {
        ModelError::Retry { .. } => "retry",
        ModelError::Fatal { .. } => "fatal",
    }
}

pub(super) fn count(table: &str, outcome: &'static str) {
    metrics::counter!("model_calls_total", "table" => table.to_owned(), "outcome" => outcome).increment(1);
}

impl Answer {
    pub(super) fn new(
        stream: ChatStream,
        protocol: Protocol,
        names: Names,
        faults: Faults,
        model: String,
        span: Span,
    ) -> Self {
        Self { stream, protocol, names, faults, model, span, ready: VecDeque::new(), is_over: false }
    }

    pub(super) fn deltas(self) -> BoxStream<'static, Result<Delta, ModelError>> {
        stream::unfold(self, |mut answer| async move { answer.next().await.map(|delta| (delta, answer)) }).boxed()
    }

    async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Some(Ok(delta));
            }
            if self.is_over {
                return None;
            }
            let event = match self.stream.next().await {
                Some(Ok(event)) => event,
                Some(Err(error)) => return Some(Err(self.fail(self.faults.of(error, &self.model)))),
                None => return Some(Err(self.fail(faults::cut()))),
            };
            match event {
                ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => {
                    return Some(Ok(Delta::Text(chunk.content)));
                }
                ChatStreamEvent::End(end) => {
                    if let Err(error) = self.finish(end) {
                        return Some(Err(self.fail(error)));
                    }
                }
                _ => {}
            }
        }
    }

    fn fail(&mut self, error: ModelError) -> ModelError {
        self.is_over = true;
        count(self.faults.table(), outcome(&error));
        error
    }

    fn finish(&mut self, end: StreamEnd) -> Result<(), ModelError> {
        // For these two genai makes up an end when the connection ends; only a real one carries these.
        let is_made_up = match self.protocol {
            Protocol::Gemini => end.captured_stop_reason.is_none(),
            Protocol::Ollama => end.captured_usage.is_none(),
            Protocol::Anthropic | Protocol::OpenAi => false,
        };
        if is_made_up {
            return Err(faults::cut());
        }
        let used = usage(end.captured_usage.as_ref());
        let reason = end.captured_stop_reason;
        let made = end.captured_content.map(chat::MessageContent::into_tool_calls).unwrap_or_default();
        let is_short = matches!(reason, Some(chat::StopReason::MaxTokens(_)));
        let calls = self.calls(made, is_short);
        if calls.len() > CALLS_MAX {
            let text =
                format!("the model `{}` called {} tools at once; {CALLS_MAX} is the most", self.model, calls.len());
            return Err(self.faults.fatal(&text));
        }
        let stop = match reason {
            Some(chat::StopReason::MaxTokens(_)) => StopReason::Length,
            Some(chat::StopReason::ContentFilter(_)) => StopReason::Refused,
            // Gemini and Ollama call it an ordinary end.
            _ if !calls.is_empty() => StopReason::ToolCalls,
            _ => StopReason::End,
        };
        self.ready.extend(calls.into_iter().map(Delta::ToolCall));
        self.ready.push_back(Delta::Done { stop, usage: used });
        self.is_over = true;
        self.record(used);
        Ok(())
    }

    fn calls(&self, made: Vec<chat::ToolCall>, is_short: bool) -> Vec<ToolCall> {
        let mut calls: Vec<ToolCall> = Vec::new();
        let mut ids = HashSet::new();
        for call in made {
            let arguments = match call.fn_arguments {
                // genai parses what it can: text is what it could not. At the token limit that is half a call.
                Value::String(_) if is_short => continue,
                Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
                Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                Value::Null => Value::Object(Map::new()),
                other => other,
            };
            let mut id = call.call_id.clone();
            let mut count = 2_usize;
            while id.is_empty() || !ids.insert(id.clone()) {
                id = format!("{}_{count}", call.call_id);
                count = count.saturating_add(1);
            }
            calls.push(ToolCall { id, name: self.names.dotted(&call.fn_name), arguments });
        }
        calls
    }

    fn record(&self, usage: Usage) {
        self.span.record("gen_ai.usage.input_tokens", usage.input_tokens);
        self.span.record("gen_ai.usage.output_tokens", usage.output_tokens);
        let table = self.faults.table();
        count(table, "ok");
        let kinds = [("input", usage.input_tokens), ("output", usage.output_tokens), ("cached", usage.cached_tokens)];
        for (kind, tokens) in kinds {
            metrics::counter!("model_tokens_total", "table" => table.to_owned(), "kind" => kind).increment(tokens);
        }
    }
}

fn usage(told: Option<&chat::Usage>) -> Usage {
    let tokens = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let cached = told.and_then(|usage| usage.prompt_tokens_details.as_ref()).and_then(|details| details.cached_tokens);
    Usage {
        input_tokens: tokens(told.and_then(|usage| usage.prompt_tokens)),
        output_tokens: tokens(told.and_then(|usage| usage.completion_tokens)),
        cached_tokens: tokens(cached),
    }
}
