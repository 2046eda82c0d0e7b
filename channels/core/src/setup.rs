//! How an app of a connection is set up on its platform, as its adapter knows it: what to paste, what to click, what to copy.
//!
//! An adapter writes it beside the code that needs the scopes, permissions and events, so that both change together. What it
//! writes is shown as it is and holds no secret.

use std::collections::BTreeMap;

/// What stands for the gateway's address as long as nobody has said it.
const NO_HOST: &str = "https://YOUR-HOST";

/// The connection that an app is set up for.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The connection's name, which is part of its addresses.
    pub connection: String,
    /// How the platform reaches the gateway, where that is known.
    pub public_url: Option<String>,
    /// Where the platform's API is.
    pub api_base_url: String,
    /// What the app is called there, and people call it.
    pub app_name: String,
    /// The agents' commands on this connection: the name without its slash, and what it does.
    pub commands: Vec<(String, String)>,
    /// The platform's events that agents wake on.
    pub events: Vec<String>,
    /// What agents may use: names of tools and `prefix.*`.
    pub tools: Vec<String>,
    /// Keys of the connection that are set, each with where its value is kept, such as `SLACK_BOT_TOKEN in .env`.
    pub kept: BTreeMap<String, String>,
    /// Values of keys that are no secrets and stand in the configuration, such as an application's id.
    pub values: BTreeMap<String, String>,
}

impl Site {
    /// An address of the connection, `events` or `webhook`.
    #[must_use]
    pub fn url(&self, endpoint: &str) -> String {
        format!("{}/channels/{}/{endpoint}", self.base(), self.connection)
    }

    /// The gateway's address.
    #[must_use]
    pub fn base(&self) -> &str {
        self.public_url.as_deref().map_or(NO_HOST, |url| url.trim_end_matches('/'))
    }

    /// Whether a key is set.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.kept.contains_key(key)
    }

    /// Where the value of a key belongs, in Markdown.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        self.kept.get(key).map_or_else(|| format!("`{key}`"), Clone::clone)
    }
}

/// What a person or a coding agent needs.
#[derive(Debug, Clone, Default)]
pub struct Guide {
    /// What is pasted or opened, by what programs call it.
    pub papers: Vec<Paper>,
    /// What is to be done on the platform, in order.
    pub steps: Vec<Step>,
    /// Other ways to the same.
    pub other_ways: Vec<Step>,
    /// What can go wrong: what is seen, and what to do.
    pub troubles: Vec<(&'static str, String)>,
}

/// A text that is pasted, or an address that is opened.
#[derive(Debug, Clone)]
pub struct Paper {
    /// What programs call it: `manifest`, `invite_url`.
    pub id: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// The language of its text: `json`, or `text`.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is done, in a few words.
    pub title: &'static str,
    /// How, in Markdown.
    pub text: String,
}

impl Guide {
    /// Adds something to paste or open.
    pub fn paper(&mut self, id: &'static str, title: &'static str, language: &'static str, text: impl Into<String>) {
        self.papers.push(Paper { id, title, language, text: text.into() });
    }

    /// Adds a step.
    pub fn step(&mut self, title: &'static str, text: impl Into<String>) {
        self.steps.push(Step { title, text: text.into() });
    }

    /// Adds another way.
    pub fn other_way(&mut self, title: &'static str, text: impl Into<String>) {
        self.other_ways.push(Step { title, text: text.into() });
    }

    /// Adds what can go wrong.
    pub fn trouble(&mut self, seen: &'static str, remedy: impl Into<String>) {
        self.troubles.push((seen, remedy.into()));
    }
}
