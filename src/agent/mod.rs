//! Agents: Markdown files with front matter under `agents/`.
//!
//! `agents/NAME/AGENT.md` says who an agent is, what wakes it, what it may use and who may call it;
//! `agents/NAME/skills/SKILL/SKILL.md` is know-how it can load. Loaded at start, reloaded on change; a running turn
//! keeps the definition it started with (see [`Agent::bundle`]). This module reads files and decides nothing.

mod catalogue;
mod error;
mod front_matter;
mod names;
mod node;
mod offers;
mod parse;
mod reach;
mod skill;
#[cfg(test)]
mod tests;
mod wake;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::Limits;

pub use catalogue::{Catalogue, Loaded, load_all};
pub use error::AgentError;
pub(crate) use names::nearest;
pub use names::{BUILT_IN_TOOLS, is_name, matches_pattern};
pub use offers::offers;
pub use parse::{DEFAULT_LIMITS, DEFAULT_MAX_TOKENS, parse};
pub use skill::Skills;

/// One agent, as its file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name: that of its folder.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The model it uses, then those it falls back to; empty: the gateway's default model.
    pub models: Vec<ModelRef>,
    /// What one instance of it is for.
    pub scope: Scope,
    /// What wakes it.
    pub wake: Vec<WakeRule>,
    /// What it can load.
    #[serde(with = "shared")]
    pub skills: Arc<Vec<Skill>>,
    /// Names and `prefix.*` patterns of the tools it may use.
    pub tools: Vec<String>,
    /// Who may wake it, by platform; a platform that is not named follows `[access]`.
    pub allow: Vec<Allow>,
    /// Whether it writes programs in place of single tool calls.
    #[serde(default)]
    pub codemode: bool,
    /// Names and `prefix.*` patterns of tools that run only when a person has said yes.
    #[serde(default)]
    pub approve: Vec<String>,
    /// Who may say so, by platform; where a platform is not named, whoever may wake the agent there, but no strangers.
    #[serde(default)]
    pub approvers: Vec<Allow>,
    /// How long and how a yes is waited for.
    #[serde(default)]
    pub approval: ApprovalRules,
    /// Where it may act beside the place of its own thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<Reach>,
    /// What a turn may use.
    pub limits: Limits,
    /// The most tokens of one answer.
    pub max_tokens: u32,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Its instructions: the text below the front matter.
    pub instructions: String,
    /// SHA-256 of [`Agent::bundle`], hexadecimal.
    #[serde(skip)]
    pub hash: String,
}

/// What a bundle says about itself.
#[derive(Serialize, Deserialize)]
struct Bundle<A> {
    version: u32,
    agent: A,
}

/// The version of the bundles this build writes.
const BUNDLE_VERSION: u32 = 1;

/// A kept definition that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent definition kept with the turn cannot be read: {0}")]
pub struct BundleError(String);

impl Agent {
    /// The whole definition as JSON: instructions, rules and skills as they were understood when they were loaded.
    ///
    /// A turn that goes on after an upgrade must not be held to rules that came later; so this is the definition
    /// itself and not the files that it was read from.
    #[must_use]
    pub fn bundle(&self) -> String {
        // Strings, numbers and lists with string keys: nothing in an agent can fail to be JSON.
        serde_json::to_string(&Bundle { version: BUNDLE_VERSION, agent: self }).unwrap_or_default()
    }

    /// The definition that [`Agent::bundle`] wrote.
    ///
    /// # Errors
    /// [`BundleError`] when it is not one, or a newer build's.
    pub fn from_bundle(bundle: &str) -> Result<Self, BundleError> {
        let read: Bundle<Self> = serde_json::from_str(bundle).map_err(|error| BundleError(error.to_string()))?;
        if read.version != BUNDLE_VERSION {
            return Err(BundleError(format!("it is of version {}, this build reads {BUNDLE_VERSION}", read.version)));
        }
        Ok(Self { hash: hex::encode(Sha256::digest(bundle.as_bytes())), ..read.agent })
    }

    /// The same agent with the hash of what it now says.
    #[must_use]
    pub fn sealed(self) -> Self {
        let hash = hex::encode(Sha256::digest(self.bundle().as_bytes()));
        Self { hash, ..self }
    }

    /// Whether the agent may use the tool of this name.
    #[must_use]
    pub fn may_use(&self, tool: &str) -> bool {
        self.tools.iter().any(|pattern| matches_pattern(pattern, tool))
    }

    /// The names behind `wake:`, `allow:`, `approvers:` and `reach:` that are neither a platform nor a connection of this gateway, each with
    /// the nearest that is: such a rule never applies.
    #[must_use]
    pub fn unknown_connections(&self, connections: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let mut known: Vec<&str> = connections.iter().flat_map(|(name, platform)| [*name, *platform]).collect();
        known.extend(names::PLATFORMS);
        let lists = self.allow.iter().chain(&self.approvers).map(|allow| &allow.on);
        let named = self.wake.iter().map(|rule| &rule.on).chain(lists).chain(self.reach.iter().map(|reach| &reach.on));
        let mut unknown: Vec<_> = named
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| (name.clone(), names::nearest(name, known.iter().copied()).map(str::to_owned)))
            .collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }

    /// The names behind `reach:` that are connections to a platform on which nothing can be reached beside a thread's place.
    pub fn without_reach<'a>(&'a self, connections: &'a [(&str, &str)]) -> impl Iterator<Item = &'a str> {
        let is_elsewhere = |on: &&str| connections.iter().any(|(name, platform)| name == on && *platform != "github");
        self.reach.iter().map(|reach| reach.on.as_str()).filter(move |on| is_elsewhere(on))
    }
}

/// Skills are shared between the copies of an agent, and written like a plain list.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Skill;

    pub(super) fn serialize<S: Serializer>(skills: &Arc<Vec<Skill>>, to: S) -> Result<S::Ok, S::Error> {
        skills.as_ref().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Vec<Skill>>, D::Error> {
        Vec::deserialize(from).map(Arc::new)
    }
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

/// One line of `wake:`. Every condition that is there must hold; `mention`, `delegate`, `command`, `direct`, `events` are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeRule {
    /// A platform (`slack`) or a connection's name (`slack-eu`).
    pub on: String,
    /// When called by name.
    pub mention: bool,
    /// On direct messages.
    pub direct: bool,
    /// When an issue is delegated to the app; on GitHub, when our account is assigned or asked for a review.
    #[serde(default)]
    pub delegate: bool,
    /// On this command, without the slash.
    pub command: Option<String>,
    /// On these of the platform's own events, such as `issues.opened`.
    pub events: Vec<String>,
    /// Only in these channels (`#support`, or an id); empty: in all.
    pub channels: Vec<String>,
    /// Only in repositories that match one of these globs; empty: in all.
    pub repositories: Vec<String>,
    /// Only in these teams, by key (`ENG`) or id; empty: in all.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Only with this label.
    pub label: Option<String>,
    /// Whether further messages of a thread it takes part in wake it without a mention; only with [`Scope::Thread`].
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

/// How a person's yes is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApprovalRules {
    /// A question that is not answered after so many minutes has run out.
    pub minutes: u32,
    /// Whoever's message is being answered may not say yes to it.
    pub four_eyes: bool,
}

impl Default for ApprovalRules {
    fn default() -> Self {
        Self { minutes: 15, four_eyes: false }
    }
}

/// Places that the operator says an agent may act on from every thread, beside the thread's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// A platform (`github`) or a connection's name (`github-eu`).
    pub on: String,
    /// Repositories, as `owner/name`.
    pub places: Vec<String>,
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
