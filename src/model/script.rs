//! A model that plays a file: offline demos, tests, the bench.
//!
//! The first rule whose `when` holds for a request answers it. The file's format is in `docs/guide.md`; `rehearsal.yaml`
//! beside this module is the one that `reveille dev` plays where no key is set.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::{Delta, Message, ModelError, Provider, Request, attribute, inside};
use crate::journal::{StopReason, ToolCall, Usage};

/// The most of a message that `{last}` and `{user}` stand for, bytes.
const QUOTE_MAX: usize = 2_000;

/// The script of `reveille dev` where no model is configured.
const REHEARSAL: &str = include_str!("rehearsal.yaml");

/// Why a script cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("the script {file} cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's word.
        error: std::io::Error,
    },
    /// It is not of the documented form.
    #[error("the script {file} is not of the form in docs/guide.md: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// Where and what.
        reason: String,
    },
}

/// A script.
#[derive(Debug)]
pub struct Script {
    name: String,
    rules: Vec<Rule>,
    /// How often each rule's failure was played.
    failed: Mutex<HashMap<usize, u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<RuleFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    when: WhenFile,
    #[serde(default)]
    stream: Vec<String>,
    #[serde(default)]
    pause_ms: u64,
    #[serde(default)]
    calls: Vec<CallFile>,
    fail: Option<Fail>,
    usage: Option<UsageFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenFile {
    role: Option<Role>,
    matches: Option<String>,
    event: Option<String>,
    tool: Option<String>,
    model: Option<String>,
    #[serde(default)]
    messages_at_least: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallFile {
    tool: String,
    #[serde(default = "no_arguments")]
    arguments: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    kind: FailKind,
    #[serde(default)]
    message: Option<String>,
    /// How many chunks stream before it.
    #[serde(default)]
    after_chunks: usize,
    /// The `Retry-After` of a `retry`.
    after_ms: Option<u64>,
    /// Only the first so many matching calls fail; absent: all.
    times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailKind {
    /// Overloaded.
    Retry,
    /// Refused for good.
    Fatal,
    /// The stream ends without an end.
    Cut,
    /// Nothing more comes.
    Stall,
    /// The answer makes no sense: a call of a tool that does not exist, with arguments that are not JSON.
    Garbage,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageFile {
    input: u64,
    output: u64,
}

#[derive(Debug)]
struct Rule {
    file: RuleFile,
    matches: Option<Regex>,
}

fn no_arguments() -> Value {
    Value::Object(serde_json::Map::new())
}

impl Script {
    /// Reads a script's file.
    ///
    /// # Errors
    /// See [`ScriptError`].
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let file = path.display().to_string();
        let yaml =
            std::fs::read_to_string(path).map_err(|error| ScriptError::Unreadable { file: file.clone(), error })?;
        Self::parse(&file, &yaml)
    }

    /// Reads a script; `name` is for messages.
    ///
    /// # Errors
    /// [`ScriptError::Malformed`].
    pub fn parse(name: &str, yaml: &str) -> Result<Self, ScriptError> {
        let malformed = |reason: String| ScriptError::Malformed { file: name.to_owned(), reason };
        let file: File = serde_saphyr::from_str(yaml).map_err(|error| malformed(error.to_string()))?;
        if file.rules.is_empty() {
            return Err(malformed("it has no rules".into()));
        }
        let mut rules = Vec::with_capacity(file.rules.len());
        for (index, rule) in file.rules.into_iter().enumerate() {
            let says_nothing = rule.stream.is_empty() && rule.calls.is_empty() && rule.fail.is_none();
            if says_nothing {
                return Err(malformed(format!("rule {} has none of stream, calls and fail", index + 1)));
            }
            let matches = match &rule.when.matches {
                None => None,
                Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
                    malformed(format!("rule {}: `matches` is no regular expression: {error}", index + 1))
                })?),
            };
            rules.push(Rule { file: rule, matches });
        }
        Ok(Self { name: name.to_owned(), rules, failed: Mutex::default() })
    }

    /// The script of `reveille dev`.
    ///
    /// # Errors
    /// Never with the file that ships; a test says so.
    pub fn rehearsal() -> Result<Self, ScriptError> {
        Self::parse("rehearsal.yaml", REHEARSAL)
    }

    fn rule(&self, request: &Request) -> Option<(usize, &Rule)> {
        let last = request.messages.last()?;
        self.rules.iter().enumerate().find(|(_, rule)| rule.holds(request, last))
    }

    /// The failure this call is to meet.
    fn failure(&self, index: usize, rule: &Rule) -> Option<Fail> {
        let fail = rule.file.fail.clone()?;
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failed.entry(index).or_insert(0);
        if fail.times.is_some_and(|times| *count >= times) {
            return None;
        }
        *count = count.saturating_add(1);
        Some(fail)
    }
}

impl Rule {
    fn holds(&self, request: &Request, last: &Message) -> bool {
        let when = &self.file.when;
        let (role, text, tool) = match last {
            Message::User { text } => (Role::User, text.as_str(), None),
            Message::Assistant { text, .. } => (Role::Assistant, text.as_str(), None),
            Message::Tool { text, name, .. } => (Role::Tool, text.as_str(), Some(name)),
        };
        when.role.is_none_or(|wanted| wanted == role)
            && when.tool.as_ref().is_none_or(|wanted| Some(wanted) == tool)
            && when.model.as_ref().is_none_or(|wanted| *wanted == request.model)
            && when.event.as_deref().is_none_or(|wanted| attribute(text, "event") == Some(wanted))
            && request.messages.len() >= when.messages_at_least
            && self.matches.as_ref().is_none_or(|pattern| pattern.is_match(inside(text)))
    }
}

/// `{last}` and `{user}` filled in.
fn filled(template: &str, request: &Request) -> String {
    let said = |message: &Message| match message {
        Message::User { text } | Message::Assistant { text, .. } | Message::Tool { text, .. } => {
            let text = inside(text);
            text.get(..text.floor_char_boundary(QUOTE_MAX)).unwrap_or_default().to_owned()
        }
    };
    let mut text = template.to_owned();
    if text.contains("{last}") {
        text = text.replace("{last}", &request.messages.last().map(said).unwrap_or_default());
    }
    if text.contains("{user}") {
        let user = request.messages.iter().rev().find(|message| matches!(message, Message::User { .. }));
        text = text.replace("{user}", &user.map(said).unwrap_or_default());
    }
    text
}

fn filled_value(value: &Value, request: &Request) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, request)),
        Value::Array(items) => items.iter().map(|item| filled_value(item, request)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, item)| (key.clone(), filled_value(item, request))).collect())
        }
        other => other.clone(),
    }
}

#[async_trait]
impl Provider for Script {
    async fn stream(&self, request: &Request) -> Result<BoxStream<'static, Result<Delta, ModelError>>, ModelError> {
        let Some((index, rule)) = self.rule(request) else {
            let role = match request.messages.last() {
                None => "no message",
                Some(Message::User { .. }) => "a user message",
                Some(Message::Assistant { .. }) => "an assistant message",
                Some(Message::Tool { .. }) => "a tool result",
            };
            return Err(ModelError::Fatal { reason: format!("no rule of the script {} answers {role}", self.name) });
        };
        let fail = self.failure(index, rule);
        let said = |fail: &Fail| fail.message.clone().unwrap_or_else(|| "the script says so".into());
        match &fail {
            Some(fail) if fail.kind == FailKind::Retry && fail.after_chunks == 0 => {
                return Err(ModelError::Retry { reason: said(fail), after_ms: fail.after_ms });
            }
            Some(fail) if fail.kind == FailKind::Fatal && fail.after_chunks == 0 => {
                return Err(ModelError::Fatal { reason: said(fail) });
            }
            _ => {}
        }
        let mut pieces: Vec<Piece> =
            rule.file.stream.iter().map(|chunk| Piece::Say(Ok(Delta::Text(filled(chunk, request))))).collect();
        let spoken: usize = rule.file.stream.iter().map(String::len).sum();
        if let Some(fail) = fail {
            pieces.truncate(fail.after_chunks);
            match fail.kind {
                FailKind::Retry => {
                    pieces.push(Piece::Say(Err(ModelError::Retry { reason: said(&fail), after_ms: fail.after_ms })));
                }
                FailKind::Fatal => pieces.push(Piece::Say(Err(ModelError::Fatal { reason: said(&fail) }))),
                FailKind::Cut => {}
                FailKind::Stall => pieces.push(Piece::Never),
                FailKind::Garbage => {
                    let call = ToolCall {
                        id: String::new(),
                        name: "no.such_tool".into(),
                        arguments: Value::String("{\"half\": ".into()),
                    };
                    pieces.push(Piece::Say(Ok(Delta::ToolCall(call))));
                    pieces.push(Piece::Say(Ok(done(StopReason::ToolCalls, Usage::default()))));
                }
            }
            return Ok(stream_of(pieces, Duration::from_millis(rule.file.pause_ms)));
        }
        let count = request.messages.len();
        for (at, call) in rule.file.calls.iter().enumerate() {
            let call = ToolCall {
                id: format!("call_{count}_{at}"),
                name: call.tool.clone(),
                arguments: filled_value(&call.arguments, request),
            };
            pieces.push(Piece::Say(Ok(Delta::ToolCall(call))));
        }
        let heard: usize = request.system.len() + request.messages.iter().map(filled_len).sum::<usize>();
        let usage = match rule.file.usage {
            Some(usage) => Usage { input_tokens: usage.input, output_tokens: usage.output, cached_tokens: 0 },
            None => Usage {
                input_tokens: u64::try_from(heard / 4).unwrap_or(0),
                output_tokens: u64::try_from(spoken / 4).unwrap_or(0),
                cached_tokens: 0,
            },
        };
        let stop = if rule.file.calls.is_empty() { StopReason::End } else { StopReason::ToolCalls };
        pieces.push(Piece::Say(Ok(done(stop, usage))));
        Ok(stream_of(pieces, Duration::from_millis(rule.file.pause_ms)))
    }

    async fn check(&self) -> Result<String, ModelError> {
        Ok(format!("plays {} ({} rules)", self.name, self.rules.len()))
    }
}

fn filled_len(message: &Message) -> usize {
    match message {
        Message::User { text } | Message::Assistant { text, .. } | Message::Tool { text, .. } => text.len(),
    }
}

fn done(stop: StopReason, usage: Usage) -> Delta {
    Delta::Done { stop, usage }
}

/// One step of a played answer.
#[derive(Debug)]
enum Piece {
    Say(Result<Delta, ModelError>),
    /// Nothing more comes, and no end either.
    Never,
}

/// The pieces one after another, with a pause before each text but the first.
fn stream_of(pieces: Vec<Piece>, pause: Duration) -> BoxStream<'static, Result<Delta, ModelError>> {
    stream::iter(pieces.into_iter().enumerate())
        .then(move |(index, piece)| async move {
            match piece {
                Piece::Never => std::future::pending().await,
                Piece::Say(said) => {
                    if index > 0 && !pause.is_zero() && matches!(said, Ok(Delta::Text(_))) {
                        tokio::time::sleep(pause).await;
                    }
                    said
                }
            }
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(messages: Vec<Message>) -> Request {
        Request {
            model: "m".into(),
            system: String::new(),
            messages,
            tools: Vec::new(),
            max_tokens: 100,
            temperature: None,
        }
    }

    fn user(text: &str) -> Request {
        request(vec![Message::User { text: super::super::fence("t", &[("event", "app_mention")], text) }])
    }

    async fn play(script: &Script, request: &Request) -> Result<Vec<Delta>, ModelError> {
        script.stream(request).await?.collect::<Vec<_>>().await.into_iter().collect()
    }

    const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "(?i)tool" }
    stream: ["one moment. "]
    calls: [{ tool: clock.now }, { tool: thread.react, arguments: { emoji: "{user}" } }]
  - when: { role: tool, tool: clock.now }
    stream: ["it is {last}"]
  - when: { event: issues.opened }
    stream: ["an issue"]
  - when: { matches: flaky }
    stream: ["a", "b"]
    fail: { kind: cut, after_chunks: 1, times: 1 }
  - when: { matches: down }
    fail: { kind: retry, message: overloaded, after_ms: 7 }
  - when: { role: user }
    stream: ["you said ", "{last}"]
    usage: { input: 3, output: 4 }
"#;

    #[tokio::test]
    async fn the_first_rule_that_holds_answers() {
        let script = Script::parse("test", SCRIPT).unwrap();
        let said = play(&script, &user("hello")).await.unwrap();
        let usage = Usage { input_tokens: 3, output_tokens: 4, cached_tokens: 0 };
        assert_eq!(said, [Delta::Text("you said ".into()), Delta::Text("hello".into()), done(StopReason::End, usage)]);
        let said = play(&script, &user("use a tool")).await.unwrap();
        let Delta::ToolCall(call) = &said[2] else { panic!("{said:?}") };
        assert_eq!((call.id.as_str(), call.arguments["emoji"].as_str()), ("call_1_1", Some("use a tool")));
        let answer = Message::Tool { call: "c".into(), name: "clock.now".into(), text: "noon".into(), is_error: false };
        assert_eq!(play(&script, &request(vec![answer])).await.unwrap()[0], Delta::Text("it is noon".into()));
        let opened = super::super::fence("t", &[("event", "issues.opened")], "It breaks");
        let opened = request(vec![Message::User { text: opened }]);
        assert_eq!(play(&script, &opened).await.unwrap()[0], Delta::Text("an issue".into()));
    }

    #[tokio::test]
    async fn it_fails_as_told_and_as_often() {
        let script = Script::parse("test", SCRIPT).unwrap();
        assert_eq!(play(&script, &user("flaky")).await.unwrap(), [Delta::Text("a".into())], "cut");
        assert_eq!(play(&script, &user("flaky")).await.unwrap().len(), 3, "once only");
        let down = play(&script, &user("down")).await.unwrap_err();
        assert_eq!(down, ModelError::Retry { reason: "overloaded".into(), after_ms: Some(7) });
        let mute = request(vec![Message::Assistant { text: String::new(), tool_calls: Vec::new() }]);
        let nobody = play(&script, &mute).await.unwrap_err();
        insta::assert_snapshot!(nobody.to_string(), @"no rule of the script test answers an assistant message");
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (yaml, expected) in [
            ("rules: []", "it has no rules"),
            ("rules:\n  - when: {}\n", "rule 1 has none of stream, calls and fail"),
            ("rules:\n  - when: { matches: '(' }\n    stream: [a]", "rule 1: `matches` is no regular expression"),
            ("rules:\n  - strem: [a]", "strem"),
            ("rules:\n  - stream: [a]\n    fail: { kind: explode }", "explode"),
        ] {
            let error = Script::parse("x.yaml", yaml).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_rehearsal_can_be_played() {
        Script::rehearsal().unwrap();
    }
}
