//! Agents: Markdown files with front matter under `agents/`.
//!
//! `agents/NAME/AGENT.md` says who an agent is, what wakes it, what it may use and who may call it;
//! `agents/NAME/skills/SKILL/SKILL.md` is know-how it can load. Loaded at start, reloaded on change; a running turn
//! keeps the definition it started with (see [`Agent::bundle`]). This module reads files and decides nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::journal::Limits;

/// One agent, as its file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its name: that of its folder.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The model it uses, then those it falls back to.
    pub models: Vec<ModelRef>,
    /// What one instance of it is for.
    pub scope: Scope,
    /// What wakes it.
    pub wake: Vec<WakeRule>,
    /// What it can load.
    pub skills: Arc<Vec<Skill>>,
    /// Names and `prefix.*` patterns of the tools it may use.
    pub tools: Vec<String>,
    /// Who may wake it, by platform; a platform that is not named follows `[access]`.
    pub allow: Vec<Allow>,
    /// What a turn may use.
    pub limits: Limits,
    /// The most tokens of one answer.
    pub max_tokens: u32,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Its instructions: the text below the front matter.
    pub instructions: String,
    /// SHA-256 of [`Agent::bundle`], hexadecimal.
    pub hash: String,
}

/// `TABLE/MODEL`: a table under `[models]` and a model's name at that provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// The table.
    pub table: String,
    /// The model.
    pub model: String,
}

/// What one instance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One per thread.
    Thread,
    /// One per person.
    User,
    /// One per installation.
    Installation,
}

/// One line of `wake:`. Every condition that is there must hold; `mention`, `command`, `direct`, `events` are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeRule {
    /// A platform (`slack`) or a connection's name (`slack-eu`).
    pub on: String,
    /// When called by name.
    pub mention: bool,
    /// On direct messages.
    pub direct: bool,
    /// On this command, without the slash.
    pub command: Option<String>,
    /// On these of the platform's own events, such as `issues.opened`.
    pub events: Vec<String>,
    /// Only in these channels (`#support`, or an id); empty: in all.
    pub channels: Vec<String>,
    /// Only in repositories that match one of these globs; empty: in all.
    pub repositories: Vec<String>,
    /// Only with this label.
    pub label: Option<String>,
    /// Whether further messages of a thread it takes part in wake it without a mention.
    pub follow_up: bool,
}

/// Who may wake an agent on one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    /// A platform or a connection's name.
    pub on: String,
    /// Anybody, strangers included.
    pub everyone: bool,
    /// At least this role there.
    pub role: Option<reveille_channel::Role>,
    /// These immutable ids.
    pub users: Vec<String>,
}

/// A Markdown package of know-how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Its name: that of its folder.
    pub name: String,
    /// When to load it, in a sentence; all the model sees until it loads it.
    pub description: String,
    /// The text below the front matter.
    pub body: String,
}
