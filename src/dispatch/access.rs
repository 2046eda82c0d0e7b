//! Who may do what. The only policy there is.

use reveille_channel::{ActorKind, Event, Kind, Role};

use super::route::is_called;
use crate::agent::{Agent, Allow, Reach};
use crate::config::AccessDefault;

/// What is known of the actor's role in the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleAnswer {
    /// The platform was not asked yet.
    NotAsked,
    /// It did not tell: as if there were no role.
    Failed,
    /// It said this, just now.
    Known(Role),
}

/// May this actor wake this agent with this event?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The agent.
    pub agent: &'a Agent,
    /// The event, with its signed actor.
    pub event: &'a Event,
    /// The name under which people mention the bot, where it is known.
    pub own_handle: Option<&'a str>,
    /// What the platform says of the actor.
    pub role: RoleAnswer,
    /// What holds where the agent says nothing.
    pub default: AccessDefault,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allow {
        /// The rule that says so.
        rule: &'static str,
    },
    /// No.
    Deny {
        /// The rule that says so, for the journal and the log.
        rule: &'static str,
        /// What the person is told. It says nothing about rules: that would be a map for those who look for a way in.
        notice: Option<String>,
    },
    /// It depends on the actor's role: ask [`reveille_channel::Channel::permission`], then ask again.
    AskRole,
}

const REFUSAL: &str = "Sorry, I can't help with that here.";
const NOT_THEIRS: &str = "Sorry, this question is not yours to answer. It is still open.";
const TRY_LATER: &str =
    "Sorry, I can't check right now whether I may help you here. Please try again in a few minutes.";

/// Decides whether an event may wake an agent. Pure, and asked for every kind of event; it denies what nothing allows.
///
/// The person at the terminal runs the process and owns its files: no list of an agent's could keep them out. Everywhere
/// else identity is the platform's immutable id. A list for the connection comes before one for the platform, and either
/// before `[access] default`. Programs have to be named; strangers have to be named or covered by `everyone`.
#[must_use]
pub fn decide(question: &Question<'_>) -> Decision {
    let Question { agent, event, role, default, .. } = *question;
    if is_operators(event) {
        return Decision::Allow { rule: "local.operator" };
    }
    let answers = matches!(event.kind, Kind::Action { .. });
    let deny = |rule, notice: &str| Decision::Deny {
        rule,
        // Answering programs makes loops; answering those who did not call makes noise.
        notice: (event.actor.kind != ActorKind::Bot && (is_called(event, question.own_handle, agent) || answers))
            .then(|| if answers && notice == REFUSAL { NOT_THEIRS } else { notice }.to_owned()),
    };
    let allow = list_for(agent, event);
    if is_named(agent, event) {
        return Decision::Allow { rule: "allow.users" };
    }
    if event.actor.kind == ActorKind::Bot {
        return deny("actor.bot", REFUSAL);
    }
    let (everyone, least, rule) = match allow {
        Some(allow) if allow.everyone => (true, None, "allow.everyone"),
        Some(allow) if allow.role.is_some() => (false, allow.role, "allow.role"),
        Some(_) => (false, None, "allow.users"),
        None => (
            default == AccessDefault::Everyone,
            (default == AccessDefault::Members).then_some(Role::Member),
            "access.default",
        ),
    };
    if everyone {
        return Decision::Allow { rule };
    }
    if event.actor.kind == ActorKind::External {
        return deny("actor.external", REFUSAL);
    }
    match (least, role) {
        (None, _) => deny(rule, REFUSAL),
        (Some(_), RoleAnswer::NotAsked) => Decision::AskRole,
        (Some(_), RoleAnswer::Failed) => deny("role.unknown", TRY_LATER),
        (Some(least), RoleAnswer::Known(role)) if role >= least => Decision::Allow { rule },
        (Some(_), RoleAnswer::Known(_)) => deny(rule, REFUSAL),
    }
}

/// Decides whether an agent's turn may use a tool. `kept` is the definition the turn started with, `current` the one that
/// holds now: both have to say so, so that what is taken away is away at the next call, and what is added waits for the
/// next turn.
#[must_use]
pub fn decide_tool(kept: &Agent, current: Option<&Agent>, tool: &str) -> Decision {
    match current {
        None => Decision::Deny { rule: "agent.removed", notice: None },
        Some(current) if kept.may_use(tool) && current.may_use(tool) => Decision::Allow { rule: "tools" },
        Some(_) => Decision::Deny { rule: "tools", notice: None },
    }
}

/// Where a turn's tools may act beside the place of its own thread: what the definition it started with and the one that
/// holds now both name. What is taken away is away at the next call.
#[must_use]
pub fn decide_reach(kept: &Agent, current: Option<&Agent>) -> Vec<Reach> {
    let now = |on: &str, place: &str| {
        current.is_some_and(|current| {
            current.reach.iter().any(|reach| reach.on == on && reach.places.iter().any(|it| it.eq_ignore_ascii_case(place)))
        })
    };
    let still = |reach: &Reach| {
        let places: Vec<String> = reach.places.iter().filter(|place| now(&reach.on, place)).cloned().collect();
        (!places.is_empty()).then(|| Reach { on: reach.on.clone(), places })
    };
    kept.reach.iter().filter_map(still).collect()
}

/// Whether it is the word of the person at the terminal. Only the terminal's own adapter makes such events: no connection
/// of the configuration can be called `local`, and no platform's adapter says so of itself.
pub(super) fn is_operators(event: &Event) -> bool {
    [event.platform.as_str(), &event.connection] == ["local"; 2] && event.thread.installation == "terminal"
}

/// Whether the agent's list for this place names the actor by id.
pub(super) fn is_named(agent: &Agent, event: &Event) -> bool {
    list_for(agent, event).is_some_and(|allow| allow.users.contains(&event.actor.id))
}

/// The list that holds: the connection's own, else the platform's.
fn list_for<'a>(agent: &'a Agent, event: &Event) -> Option<&'a Allow> {
    let on = |name: &str| agent.allow.iter().find(|allow| allow.on == name);
    on(&event.connection).or_else(|| on(&event.platform))
}
