//! What an event means for what was said before it.

use reveille_channel::{Event, Kind};

use crate::agent::{Agent, WakeRule};

/// What an event that may be acted upon asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// To be worked on.
    Work,
    /// The running turn is to be stopped.
    Stop,
    /// The message of this id says something else now.
    Edited(&'a str),
    /// The message of this id is gone.
    Deleted(&'a str),
    /// It answers a question that nobody here asked.
    Stray,
    /// It says what an answer was worth: kept, and nothing to work on.
    Feedback {
        /// It helped.
        positive: bool,
    },
}

/// What the event asks this agent for. Pure. An agent whose wake rules name the event itself is to work on it.
#[must_use]
pub fn meaning<'a>(event: &'a Event, agent: &Agent) -> Meaning<'a> {
    let names_it = |rule: &WakeRule| rule.events.contains(&event.name);
    if agent.wake.iter().any(names_it) {
        return Meaning::Work;
    }
    match (&event.kind, event.message.as_deref()) {
        (Kind::Stop, _) => Meaning::Stop,
        (Kind::Feedback { positive }, _) => Meaning::Feedback { positive: *positive },
        (Kind::Edited, Some(message)) => Meaning::Edited(message),
        (Kind::Deleted, Some(message)) => Meaning::Deleted(message),
        (Kind::Edited | Kind::Deleted | Kind::Action { .. }, _) => Meaning::Stray,
        _ => Meaning::Work,
    }
}
