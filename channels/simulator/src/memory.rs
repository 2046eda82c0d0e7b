//! What the platforms hold, for a process that goes on where another one ended.
//!
//! That is what people would still see on the real platforms, and what ids and times continue from. Deliveries that were under way,
//! connections, limits and what only tests look at are not part of it.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{Discord, Github, Linear, Shared, Slack, lock};

/// The form that is written. What has another one is not read.
const VERSION: u64 = 1;

/// The memory of a simulator.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(crate) slack: Slack,
    pub(crate) github: Github,
    pub(crate) linear: Linear,
    pub(crate) discord: Discord,
    pub(crate) shared: Shared,
}

/// Why the platforms do not hold what was remembered. They are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// Another build wrote it.
    #[error("it has the version {found}, and this build reads {VERSION}")]
    Version {
        /// What stands there.
        found: Value,
    },
    /// A part is missing or of another form.
    #[error("what it says of {platform} cannot be read: {error}")]
    Form {
        /// Whose part.
        platform: &'static str,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl Memory {
    /// What the platforms hold now.
    ///
    /// # Errors
    /// It cannot be told as JSON.
    pub fn remembered(&self) -> serde_json::Result<Value> {
        Ok(json!({
            "version": VERSION,
            "slack": told(&self.slack.state)?,
            "github": told(&self.github.state)?,
            "linear": told(&self.linear.state)?,
            "discord": told(&self.discord.state)?,
        }))
    }

    /// The platforms hold what was remembered, in place of what they held. For platforms that have just started: what is not part of
    /// the memory, such as tokens that were given out, is as at the start.
    ///
    /// # Errors
    /// See [`RecallError`].
    pub fn recall(&self, remembered: &Value) -> Result<(), RecallError> {
        let found = remembered.get("version").unwrap_or(&Value::Null);
        if found != VERSION {
            return Err(RecallError::Version { found: found.clone() });
        }
        // All of it or nothing.
        let slack = read(remembered, "slack")?;
        let github = read(remembered, "github")?;
        let linear = read(remembered, "linear")?;
        let discord = read(remembered, "discord")?;
        *lock(&self.slack.state) = slack;
        *lock(&self.github.state) = github;
        lock(&self.linear.state).recall(linear);
        *lock(&self.discord.state) = discord;
        self.shared.touch();
        Ok(())
    }

    /// Changes each time that what the platforms hold may have changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }
}

fn told<T: Serialize>(state: &Mutex<T>) -> serde_json::Result<Value> {
    serde_json::to_value(&*lock(state))
}

fn read<'a, T: Deserialize<'a>>(remembered: &'a Value, platform: &'static str) -> Result<T, RecallError> {
    let part = remembered.get(platform).unwrap_or(&Value::Null);
    T::deserialize(part).map_err(|error| RecallError::Form { platform, error })
}

#[cfg(test)]
mod tests;
