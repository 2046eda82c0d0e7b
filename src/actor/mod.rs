//! Instances as actors: who owns one, when it wakes, what it is doing, when it sleeps.
//!
//! The [`Directory`] holds one owner task per awake instance and nothing at all for a sleeping one. An owner claims its
//! instance, folds its records (`turn`), performs what the fold says, appends what came of it, and brings its replies
//! into the thread (`outbox`). It is the only writer of its instance; model streams, tool calls and posts are its children
//! and end with it. Whatever happens, the log has the truth: an owner that stops is started again from there.

mod approvals;
mod children;
mod consider;
mod directory;
mod model;
mod owner;
mod pace;
mod programs;
mod publish;
mod pump;
mod questions;
mod sign;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Catalogue, ModelRef};
use crate::clock::Clock;
use crate::codemode::CodeMode;
use crate::connection::Connections;
use crate::dispatch::AccessDefault;
use crate::journal::Engine;
use crate::model::Models;
use crate::tool::Registry;

pub use directory::Directory;
pub use pace::Pace;

/// What owner tasks work with.
#[derive(Debug)]
pub struct Services {
    /// The journal.
    pub engine: Arc<dyn Engine>,
    /// The agents as they are now.
    pub catalogue: Arc<Catalogue>,
    /// The models.
    pub models: Models,
    /// The model of agents that name none.
    pub default_model: Option<ModelRef>,
    /// The tools.
    pub tools: Registry,
    /// What runs programs.
    pub codemode: CodeMode,
    /// The platforms.
    pub connections: Connections,
    /// Who may wake an agent that does not say.
    pub access: AccessDefault,
    /// The date.
    pub clock: Arc<dyn Clock>,
    /// Which installations asked us to slow down.
    pub pace: Pace,
    /// Bounds.
    pub limits: ActorLimits,
}

/// Bounds on what is awake.
#[derive(Debug, Clone, Copy)]
pub struct ActorLimits {
    /// How many instances may be awake at once; the others wait in the journal.
    pub awake: usize,
    /// How long an instance that rests stays awake.
    pub idle: Duration,
    /// How long a stop waits for posts and tool calls that are under way.
    pub grace: Duration,
}

impl Default for ActorLimits {
    fn default() -> Self {
        Self { awake: 1024, idle: Duration::from_secs(10), grace: Duration::from_secs(15) }
    }
}
