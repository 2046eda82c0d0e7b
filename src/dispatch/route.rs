//! Which agents an event is for.

use reveille_channel::{ActorKind, Event, Kind};

use super::access::{is_named, is_operators};
use super::address::address;
use super::place::is_here;
use crate::agent::{Agent, Scope, WakeRule};
use crate::journal::Target;

/// The agent that is meant where nobody is called by name, if it wakes there.
const FIRST_AGENT: &str = "assistant";

/// An instance that an event is for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The agent's name.
    pub agent: String,
    /// The instance.
    pub target: Target,
    /// What in the event and the agent's rules led here.
    pub because: Because,
}

/// Why an event is for an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The person at the terminal asked for this agent when they began.
    Chosen,
    /// The agent was called by its own name.
    Named,
    /// The bot was called, and the agent is the first that answers for it here.
    Mentioned,
    /// An issue was delegated to the bot, and the agent is the first that takes them.
    Delegated,
    /// It is a direct message to the bot, and the agent is the first that takes them.
    Direct,
    /// The command is the agent's.
    Command,
    /// The agent waits for this event of the platform.
    Event,
    /// It is a further message of a thread that the agent may take part in.
    FollowUp,
}

/// Why an event is for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrouted {
    /// The agent that was asked for at the terminal is not there, or no longer.
    #[error("there is no agent of that name")]
    Agent,
    /// No rule of any agent is for this place.
    #[error("no agent wakes in this place")]
    Place,
    /// The actor is a program that no agent here names in `allow`.
    #[error("the actor is a program that no agent here names")]
    Bot,
    /// It calls nobody and is outside of any thread that an agent could take part in.
    #[error("the message calls no agent")]
    NotCalled,
    /// No agent waits for this kind of event, or has this command.
    #[error("no agent wakes on this event")]
    Event,
}

/// Which instances an event is for. Pure; our own posts never get here.
///
/// `own_handle` is the name under which people mention the bot, as [`reveille_channel::Identity`] says. On GitHub a
/// mention may be anybody's: it counts when it is our handle or the name of an agent; else it is a further message of the
/// thread. Everywhere else a mention is one of the bot, and chooses among its agents by the names in it. The person at the
/// terminal names the agent when they begin: it needs no rule for that.
///
/// # Errors
/// [`Unrouted`] when it is for nobody: acknowledged, counted and not admitted.
pub fn route(event: &Event, own_handle: Option<&str>, agents: &[Agent]) -> Result<Vec<Routed>, Unrouted> {
    if is_operators(event) {
        let chosen = event.facts.get("agent").and_then(|name| agents.iter().find(|agent| agent.name == *name));
        return chosen.map(|agent| vec![to(agent, event, Because::Chosen)]).ok_or(Unrouted::Agent);
    }
    let mut here: Vec<(&Agent, Vec<&WakeRule>)> = agents
        .iter()
        .map(|agent| (agent, agent.wake.iter().filter(|rule| is_here(rule, event)).collect::<Vec<_>>()))
        .filter(|(_, rules)| !rules.is_empty())
        .collect();
    if here.is_empty() {
        return Err(Unrouted::Place);
    }
    if event.actor.kind == ActorKind::Bot {
        here.retain(|(agent, _)| is_named(agent, event));
        if here.is_empty() {
            return Err(Unrouted::Bot);
        }
    }
    here.sort_by(|(one, _), (other, _)| {
        (one.name != FIRST_AGENT, &one.name).cmp(&(other.name != FIRST_AGENT, &other.name))
    });

    let mut routed: Vec<Routed> = Vec::new();
    let add = |routed: &mut Vec<Routed>, agent: &Agent, because: Because| {
        if routed.iter().all(|other| other.agent != agent.name) {
            routed.push(to(agent, event, because));
        }
    };
    for agent in with(&here, |rule| rule.events.contains(&event.name)) {
        add(&mut routed, agent, Because::Event);
    }
    match &event.kind {
        Kind::Command { name, .. } => {
            for agent in with(&here, |rule| rule.command.as_ref() == Some(name)) {
                add(&mut routed, agent, Because::Command);
            }
        }
        _ if is_delegated(event) => {
            let takers: Vec<_> = with(&here, |rule| rule.delegate).collect();
            if let Some((agent, because)) = choose(event, &takers, Because::Delegated) {
                add(&mut routed, agent, because);
            }
        }
        Kind::Message { direct: true, .. } => {
            let takers: Vec<_> = with(&here, |rule| rule.direct).collect();
            if let Some((agent, because)) = choose(event, &takers, Because::Direct) {
                add(&mut routed, agent, because);
            }
        }
        _ => {}
    }
    // A line that looks like a command may stand in a comment that calls somebody.
    let may_mention = match event.kind {
        Kind::Mention | Kind::Opened => true,
        Kind::Command { .. } => has_commands_in_text(event) && routed.is_empty(),
        _ => false,
    };
    if may_mention {
        let takers: Vec<_> = with(&here, |rule| rule.mention).filter(|agent| calls(event, own_handle, agent)).collect();
        if let Some((agent, because)) = choose(event, &takers, Because::Mentioned) {
            add(&mut routed, agent, because);
        }
    }
    if !routed.is_empty() {
        return Ok(routed);
    }

    // What calls nobody may still go on with a conversation: text on GitHub that only looks like a mention of us, and there
    // and on Linear text that only looks like a command, is a comment like any other.
    let is_further_text = match &event.kind {
        Kind::Message { in_thread, direct } => *in_thread && !direct,
        Kind::Mention => event.platform == GITHUB,
        Kind::Command { .. } => has_commands_in_text(event),
        // They are about something said before: whoever heard that hears this.
        Kind::Edited | Kind::Deleted | Kind::Stop | Kind::Action { .. } | Kind::Feedback { .. } => {
            let heard: Vec<_> = with(&here, |_| true).map(|agent| to(agent, event, Because::FollowUp)).collect();
            return if heard.is_empty() { Err(Unrouted::Event) } else { Ok(heard) };
        }
        _ => return Err(Unrouted::Event),
    };
    if !is_further_text {
        let is_command = matches!(event.kind, Kind::Command { .. });
        return Err(if is_command { Unrouted::Event } else { Unrouted::NotCalled });
    }
    // An instance for more than a thread would hear every conversation there is.
    let routed: Vec<_> = with(&here, |rule| rule.follow_up)
        .filter(|agent| agent.scope == Scope::Thread)
        .map(|agent| to(agent, event, Because::FollowUp))
        .collect();
    if routed.is_empty() { Err(Unrouted::NotCalled) } else { Ok(routed) }
}

const GITHUB: &str = "github";
const LINEAR: &str = "linear";

/// Whether commands are lines of comments there, and no form of their own.
fn has_commands_in_text(event: &Event) -> bool {
    matches!(event.platform.as_str(), GITHUB | LINEAR)
}

/// Whether work was given to the app itself, as the adapter tells by immutable ids.
fn is_delegated(event: &Event) -> bool {
    event.facts.get("delegated").is_some_and(|told| told == "true")
}

/// Whether the event calls the agent: by its own name, by the bot's, by a command of the agent, by being said to the
/// bot alone, or by giving it work. A refusal is only said to somebody who called.
#[must_use]
pub fn is_called(event: &Event, own_handle: Option<&str>, agent: &Agent) -> bool {
    let takes_work = || agent.wake.iter().any(|rule| rule.delegate);
    calls(event, own_handle, agent) || (is_delegated(event) && takes_work())
}

/// Whether the words of the event call the agent.
fn calls(event: &Event, own_handle: Option<&str>, agent: &Agent) -> bool {
    match &event.kind {
        Kind::Message { direct, .. } => *direct,
        Kind::Mention if event.platform != GITHUB => true,
        Kind::Mention | Kind::Opened => is_mentioned(event, own_handle, agent),
        Kind::Command { name, .. } => {
            agent.wake.iter().any(|rule| rule.command.as_ref() == Some(name))
                || has_commands_in_text(event) && is_mentioned(event, own_handle, agent)
        }
        _ => false,
    }
}

fn is_mentioned(event: &Event, own_handle: Option<&str>, agent: &Agent) -> bool {
    // An app's login is its slug and `[bot]`; people write the slug.
    let own_handle = own_handle.map(|handle| handle.trim_end_matches("[bot]"));
    let mut names = [Some(agent.name.as_str()), own_handle].into_iter().flatten();
    names.any(|name| event.mentions.iter().any(|handle| handle.eq_ignore_ascii_case(name)))
}

/// The agents, in order, with a rule of this place that says so.
fn with<'a>(
    here: &'a [(&'a Agent, Vec<&'a WakeRule>)],
    says: impl Fn(&WakeRule) -> bool + 'a,
) -> impl Iterator<Item = &'a Agent> + 'a {
    here.iter().filter(move |(_, rules)| rules.iter().any(|rule| says(rule))).map(|(agent, _)| *agent)
}

/// The one of them that is called by name, by the first word before the other mentions; else the first.
fn choose<'a>(event: &Event, agents: &[&'a Agent], otherwise: Because) -> Option<(&'a Agent, Because)> {
    let first_word = event.text.split_whitespace().next().unwrap_or_default();
    let first_word = first_word.trim_start_matches('@').trim_end_matches([':', ',']);
    let named = std::iter::once(first_word)
        .chain(event.mentions.iter().map(String::as_str))
        .find_map(|name| agents.iter().find(|agent| agent.name.eq_ignore_ascii_case(name)));
    match named {
        Some(agent) => Some((agent, Because::Named)),
        None => agents.first().map(|agent| (*agent, otherwise)),
    }
}

fn to(agent: &Agent, event: &Event, because: Because) -> Routed {
    let target = Target { address: address(agent, event), only_if_known: because == Because::FollowUp };
    Routed { agent: agent.name.clone(), target, because }
}
