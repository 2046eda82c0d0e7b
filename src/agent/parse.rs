//! From an agent file's text to an [`Agent`], or to every mistake in it.
//!
//! Keys whose feature this version lacks are refused, so that nobody believes in a safeguard that is not there.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::error::{AgentError, Problems};
use super::front_matter::{self, Uncut};
use super::names::{self, BUILT_IN_TOOLS, LATER_TOOLS};
use super::node::{Key, Node, Value};
use super::{Agent, ApprovalRules, ModelRef, Scope, Skills, reach, wake};
use crate::journal::{Concurrency, Limits};

/// What a turn may use where the agent's file says nothing: 15 minutes, 400,000 tokens, 64 tool calls, 32 model calls,
/// 3 tries, a window of 150,000 tokens, and messages that arrive meanwhile join in.
pub const DEFAULT_LIMITS: Limits = Limits {
    wall_ms: 15 * MINUTE_MS,
    tokens: 400_000,
    tool_calls: 64,
    model_calls: 32,
    attempts: 3,
    window_tokens: 150_000,
    concurrency: Concurrency::Steer,
};

/// The most tokens of one answer where the agent's file says nothing.
pub const DEFAULT_MAX_TOKENS: u32 = 8_192;

const MINUTE_MS: u64 = 60_000;

/// Thirty days.
const MOST_APPROVAL_MINUTES: u32 = 43_200;

/// The most bytes of an agent's file: far above any prompt, far below what could hurt.
pub(super) const FILE_BYTES: usize = 512 * 1024;

/// What is offered where a key is unknown.
const KEYS: &[&str] = &[
    "name",
    "description",
    "model",
    "fallbacks",
    "instance",
    "wake",
    "skills",
    "tools",
    "codemode",
    "approve",
    "approvers",
    "approval",
    "allow",
    "reach",
    "budget",
    "concurrency",
    "max_tokens",
    "temperature",
    "window_tokens",
];

const APPROVAL_KEYS: &[&str] = &["minutes", "four_eyes"];

const BUDGET_KEYS: &[&str] = &["turn_minutes", "turn_tokens", "turn_tool_calls", "turn_model_calls", "attempts"];

/// Reads an agent's file. `name` is that of its folder, `skills` what it can choose from.
///
/// # Errors
/// Every mistake in the file, in its order.
pub fn parse(name: &str, path: &Path, source: &str, skills: &Skills) -> Result<Agent, Vec<AgentError>> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut problems = Problems::new(name, path, source);
    if !names::is_name(name) {
        let message = format!("`{name}` cannot name an agent");
        problems.add(0..0, message, Some("rename the folder: 1 to 64 of a-z, 0-9 and -".to_owned()));
    }
    let Some((node, body)) = open(source, "an agent", &mut problems) else { return Err(problems.into_errors()) };
    let agent = read(name, &node, body, skills, &mut problems);
    if problems.is_empty() { Ok(agent.sealed()) } else { Err(problems.into_errors()) }
}

/// Cuts a file and reads its front matter; notes what is wrong with either, and an empty body.
pub(super) fn open<'a>(source: &'a str, what: &str, problems: &mut Problems<'_>) -> Option<(Node, &'a str)> {
    if source.len() > FILE_BYTES {
        let advice = Some("move know-how that is not always needed into skills".to_owned());
        problems.add(0..0, format!("the file is larger than {FILE_BYTES} bytes"), advice);
        return None;
    }
    let parts = match front_matter::split(source) {
        Ok(parts) => parts,
        Err(Uncut::Unopened) => {
            let advice = Some("the first line is `---`, then YAML, then another `---`, then the text".to_owned());
            problems.add(0..0, format!("{what} begins with front matter, and there is none"), advice);
            return None;
        }
        Err(Uncut::Unclosed(at)) => {
            problems.add(at, "the front matter has no end", Some("close it with a line `---`".to_owned()));
            return None;
        }
    };
    let body = source.get(parts.body.clone()).unwrap_or_default().trim();
    if body.is_empty() {
        let start = parts.body.start;
        problems.add(start..start, "there is no text below the front matter", Some(format!("{what} needs some")));
    }
    let yaml = source.get(parts.yaml).unwrap_or_default();
    Some((super::node::read(yaml, problems)?, body))
}

fn read(name: &str, node: &Node, body: &str, skills: &Skills, problems: &mut Problems<'_>) -> Agent {
    let mut agent = Agent {
        name: name.to_owned(),
        description: String::new(),
        models: Vec::new(),
        scope: Scope::Thread,
        wake: Vec::new(),
        skills: Arc::new(skills.own.clone()),
        tools: Vec::new(),
        allow: Vec::new(),
        codemode: false,
        approve: Vec::new(),
        approvers: Vec::new(),
        approval: ApprovalRules::default(),
        reach: Vec::new(),
        limits: DEFAULT_LIMITS,
        max_tokens: DEFAULT_MAX_TOKENS,
        temperature: None,
        instructions: body.to_owned(),
        hash: String::new(),
    };
    let entries = match &node.value {
        // Only comments, or nothing at all: the missing key below says enough.
        Value::Null => &[],
        _ => node.entries(problems),
    };
    let mut fallbacks: Option<(Range<usize>, Vec<ModelRef>)> = None;
    let mut approve = Vec::new();
    let mut is_described = false;
    for (key, value) in entries {
        match key.text.as_str() {
            "name" => check_name(name, value, problems),
            "description" => {
                is_described = true;
                agent.description = value.text(problems).unwrap_or_default().trim().to_owned();
            }
            "model" => agent.models = models(value, problems),
            "fallbacks" => fallbacks = Some((key.at.clone(), models(value, problems))),
            "instance" => agent.scope = scope(value, problems).unwrap_or(agent.scope),
            "wake" => agent.wake = wake::rules(value, is_per_thread(entries), problems),
            "skills" => agent.skills = Arc::new(chosen_skills(value, skills, problems)),
            "tools" => agent.tools = tools(value, problems),
            "allow" => agent.allow = wake::allowances(value, problems),
            "reach" => agent.reach = reach::reach(value, problems),
            "budget" => budget(value, &mut agent.limits, problems),
            "concurrency" => {
                agent.limits.concurrency = concurrency(value, problems).unwrap_or(agent.limits.concurrency);
            }
            "max_tokens" => agent.max_tokens = value.integer(1..=1_000_000, problems).unwrap_or(agent.max_tokens),
            "temperature" => agent.temperature = value.number(0.0..=2.0, problems),
            "window_tokens" => {
                let window = value.integer(4_000..=10_000_000, problems);
                agent.limits.window_tokens = window.map_or(agent.limits.window_tokens, u64::from);
            }
            "codemode" => agent.codemode = value.flag(problems).unwrap_or(false),
            "approve" => approve = value.texts(problems),
            "approvers" => agent.approvers = wake::allowances(value, problems),
            "approval" => agent.approval = approval(value, problems),
            other => problems.add_unknown(key.at.clone(), "key", other, KEYS),
        }
    }
    if !is_described {
        let advice = Some("add `description: ...`: what the agent is for, in a sentence".to_owned());
        problems.add(0..3, "the key `description` is missing", advice);
    }
    agent.approve = approved(&agent, approve, problems);
    if let Some((at, fallbacks)) = fallbacks {
        if agent.models.is_empty() {
            problems.add(at, "there are `fallbacks` and no `model`", Some("add `model: TABLE/MODEL`".to_owned()));
        }
        agent.models.extend(fallbacks);
    }
    if u64::from(agent.max_tokens) >= agent.limits.window_tokens {
        let message = format!(
            "an answer of {} tokens leaves no room in a window of {}",
            agent.max_tokens, agent.limits.window_tokens
        );
        let at = entries.iter().find(|(key, _)| key.text == "max_tokens" || key.text == "window_tokens");
        problems.add(at.map_or(0..3, |(key, _)| key.at.clone()), message, None);
    }
    agent
}

/// Whether the agent has an instance per thread, wherever in the file that is said.
fn is_per_thread(entries: &[(Key, Node)]) -> bool {
    let said = entries.iter().find(|(key, _)| key.text == "instance").map(|(_, node)| &node.value);
    said.is_none_or(|value| matches!(value, Value::Text(text) if text == "thread"))
}

/// Notes that a key asks for something this version lacks.
pub(super) fn refuse_later(key: &Key, what: &str, problems: &mut Problems<'_>) {
    problems.add(key.at.clone(), format!("{what} is not in this version"), Some("take this key out".to_owned()));
}

fn check_name(folder: &str, node: &Node, problems: &mut Problems<'_>) {
    let Some(name) = node.text(problems) else { return };
    if name != folder {
        let advice = Some("rename one of them, or leave the key out".to_owned());
        problems.add(node.at.clone(), format!("the name `{name}` is not that of the folder, `{folder}`"), advice);
    }
}

fn models(node: &Node, problems: &mut Problems<'_>) -> Vec<ModelRef> {
    let mut models = Vec::new();
    for (text, at) in node.texts(problems) {
        match text.split_once('/') {
            Some((table, model)) if !table.trim().is_empty() && !model.trim().is_empty() => {
                models.push(ModelRef { table: table.to_owned(), model: model.to_owned() });
            }
            _ => {
                let advice = Some("for example `anthropic/claude-sonnet-4-6`: a table under [models], then its model");
                problems.add(at, format!("`{text}` is not TABLE/MODEL"), advice.map(str::to_owned));
            }
        }
    }
    models
}

fn scope(node: &Node, problems: &mut Problems<'_>) -> Option<Scope> {
    let words = [("thread", Scope::Thread), ("user", Scope::User), ("installation", Scope::Installation)];
    node.one_of("kind of instance", &words, problems)
}

fn concurrency(node: &Node, problems: &mut Problems<'_>) -> Option<Concurrency> {
    let words = [
        ("steer", Concurrency::Steer),
        ("queue", Concurrency::Queue),
        ("interrupt", Concurrency::Interrupt),
        ("drop", Concurrency::Drop),
    ];
    node.one_of("concurrency", &words, problems)
}

fn chosen_skills(node: &Node, skills: &Skills, problems: &mut Problems<'_>) -> Vec<super::Skill> {
    let mut chosen = Vec::new();
    for (name, at) in node.texts(problems) {
        // The agent's own folder first: a shared skill of the same name is another one.
        match skills.own.iter().chain(&skills.shared).find(|skill| skill.name == name) {
            Some(skill) => chosen.push(skill.clone()),
            None if skills.broken.contains(&name) => {
                let advice = Some("correct it first; its own message says where".to_owned());
                problems.add(at, format!("the skill `{name}` has a mistake"), advice);
            }
            None => {
                let mut known: Vec<_> =
                    skills.own.iter().chain(&skills.shared).map(|skill| skill.name.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                problems.add_unknown(at, "skill", &name, &known);
            }
        }
    }
    chosen
}

fn tools(node: &Node, problems: &mut Problems<'_>) -> Vec<String> {
    let texts = node.texts(problems);
    let advice = "an agent does not get every tool there is";
    texts
        .into_iter()
        .filter(|(pattern, at)| is_of_a_tool(pattern, at, advice, problems))
        .map(|(text, _)| text)
        .collect()
}

/// The patterns of `approve:`, wherever `tools:` stands. One that no tool of the agent matches is a safeguard in name alone.
fn approved(agent: &Agent, texts: Vec<(String, Range<usize>)>, problems: &mut Problems<'_>) -> Vec<String> {
    let own: Vec<&str> = BUILT_IN_TOOLS.iter().copied().filter(|tool| agent.may_use(tool)).collect();
    let mut patterns = Vec::new();
    for (pattern, at) in texts {
        if own.iter().any(|tool| names::matches_pattern(&pattern, tool)) {
            patterns.push(pattern);
        } else if is_of_a_tool(&pattern, &at, "which tools wait for a person is said tool by tool", problems) {
            let advice = match names::nearest(&pattern, own.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? Else add it to `tools`, or take it out here"),
                None => "add it to `tools`, or take it out here".to_owned(),
            };
            problems.add(at, format!("`{pattern}` is none of this agent's tools"), advice);
        }
    }
    patterns
}

fn approval(node: &Node, problems: &mut Problems<'_>) -> ApprovalRules {
    let mut rules = ApprovalRules::default();
    for (key, value) in node.entries(problems) {
        match key.text.as_str() {
            "minutes" => rules.minutes = value.integer(1..=MOST_APPROVAL_MINUTES, problems).unwrap_or(rules.minutes),
            "four_eyes" => rules.four_eyes = value.flag(problems).unwrap_or(rules.four_eyes),
            other => problems.add_unknown(key.at.clone(), "rule of approval", other, APPROVAL_KEYS),
        }
    }
    rules
}

/// Whether the pattern means a tool of this version; if not, says what is meant.
fn is_of_a_tool(pattern: &str, at: &Range<usize>, why_not_all: &str, problems: &mut Problems<'_>) -> bool {
    if BUILT_IN_TOOLS.iter().any(|tool| names::matches_pattern(pattern, tool)) {
        return true;
    }
    let at = at.clone();
    let family = pattern.split('.').next().unwrap_or_default();
    if pattern == "*" {
        let advice = Some("name them: `github.get_issue`, or a family: `github.*`".to_owned());
        problems.add(at, why_not_all, advice);
    } else if LATER_TOOLS.contains(&family) {
        let message = format!("the tools `{family}.*` are not in this version");
        problems.add(at, message, Some("take this line out".to_owned()));
    } else {
        let mut families: Vec<_> = BUILT_IN_TOOLS
            .iter()
            .filter_map(|tool| tool.split('.').next())
            .map(|family| format!("{family}.*"))
            .collect();
        families.dedup();
        let candidates: Vec<&str> = match pattern.ends_with(".*") {
            true => families.iter().map(String::as_str).collect(),
            false => BUILT_IN_TOOLS.to_vec(),
        };
        problems.add_unknown(at, "tool", pattern, &candidates);
    }
    false
}

fn budget(node: &Node, limits: &mut Limits, problems: &mut Problems<'_>) {
    for (key, value) in node.entries(problems) {
        match key.text.as_str() {
            "turn_minutes" => {
                let minutes = value.integer(1..=1_440, problems);
                limits.wall_ms = minutes.map_or(limits.wall_ms, |minutes| u64::from(minutes) * MINUTE_MS);
            }
            "turn_tokens" => {
                limits.tokens = value.integer(1..=u32::MAX, problems).map_or(limits.tokens, u64::from);
            }
            "turn_tool_calls" => {
                limits.tool_calls = value.integer(0..=10_000, problems).unwrap_or(limits.tool_calls);
            }
            "turn_model_calls" => {
                limits.model_calls = value.integer(1..=10_000, problems).unwrap_or(limits.model_calls);
            }
            "attempts" => limits.attempts = value.integer(1..=20, problems).unwrap_or(limits.attempts),
            "day_usd" => refuse_later(key, "a budget of money", problems),
            other => problems.add_unknown(key.at.clone(), "budget", other, BUDGET_KEYS),
        }
    }
}
