//! Who may do what. The only policy there is.

use reveille_channel::{ActorKind, Event, Kind, Role};

use super::route::is_called;
use crate::agent::{Agent, Allow, Reach, matches_pattern};
use crate::config::AccessDefault;
use crate::tool::{Class, ToolSpec};

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

/// May this actor answer the question whether an agent's calls may run?
#[derive(Debug, Clone, Copy)]
pub struct ApprovalQuestion<'a> {
    /// The agent, as it is defined now.
    pub agent: &'a Agent,
    /// The answer, with its signed actor.
    pub event: &'a Event,
    /// Whose message is being answered: the id that the platform of the thread has for them.
    pub requesters: &'a [String],
    /// Whether it has to be somebody else than the requester. As the request says: it was shown so.
    pub four_eyes: bool,
    /// What the platform says of the actor, now.
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
    if is_named(agent, event) {
        return Decision::Allow { rule: "allow.users" };
    }
    if event.actor.kind == ActorKind::Bot {
        return deny("actor.bot", REFUSAL);
    }
    let (demanded, rule) = demand(list_for(&agent.allow, event), default, &ALLOW);
    match judge(demanded, event.actor.kind, role) {
        Judgement::Met => Decision::Allow { rule },
        Judgement::Unmet => deny(rule, REFUSAL),
        Judgement::Stranger => deny("actor.external", REFUSAL),
        Judgement::Unknown => deny("role.unknown", TRY_LATER),
        Judgement::AskRole => Decision::AskRole,
    }
}

/// What somebody has to be who is not named by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Anybody, strangers included.
    Anybody,
    /// No stranger, and of this role at least.
    Role(Role),
    /// Nobody else is let in.
    Named,
}

/// What the rules of a list are called.
struct Rules {
    users: &'static str,
    everyone: &'static str,
    role: &'static str,
}

const ALLOW: Rules = Rules { users: "allow.users", everyone: "allow.everyone", role: "allow.role" };

const APPROVERS: Rules = Rules { users: "approvers.users", everyone: "approvers.everyone", role: "approvers.role" };

/// What a list demands, or where there is none the default; and the rule that says so.
fn demand(list: Option<&Allow>, default: AccessDefault, rules: &Rules) -> (Demand, &'static str) {
    match (list, default) {
        (Some(list), _) if list.everyone => (Demand::Anybody, rules.everyone),
        (Some(list), _) => list.role.map_or((Demand::Named, rules.users), |least| (Demand::Role(least), rules.role)),
        (None, AccessDefault::Everyone) => (Demand::Anybody, "access.default"),
        (None, AccessDefault::Members) => (Demand::Role(Role::Member), "access.default"),
        (None, AccessDefault::Nobody) => (Demand::Named, "access.default"),
    }
}

/// Whether somebody is what is demanded.
enum Judgement {
    Met,
    Unmet,
    /// From another organisation.
    Stranger,
    /// The platform did not tell.
    Unknown,
    AskRole,
}

fn judge(demand: Demand, actor: ActorKind, role: RoleAnswer) -> Judgement {
    match (demand, role) {
        (Demand::Anybody, _) => Judgement::Met,
        _ if actor == ActorKind::External => Judgement::Stranger,
        (Demand::Named, _) => Judgement::Unmet,
        (Demand::Role(_), RoleAnswer::NotAsked) => Judgement::AskRole,
        (Demand::Role(_), RoleAnswer::Failed) => Judgement::Unknown,
        (Demand::Role(least), RoleAnswer::Known(role)) if role >= least => Judgement::Met,
        (Demand::Role(_), RoleAnswer::Known(_)) => Judgement::Unmet,
    }
}

/// Decides whether an answer to a question about an approval counts. Pure, and asked again for each answer: who may is who
/// may now.
///
/// Only [`Kind::Action`] answers, which adapters make of nothing but a control of ours or a command that names the question; words and
/// reactions approve nothing. With four eyes the requester may not, wherever they answer from. No program may, named or not.
/// A list of `approvers` for the place decides alone. Without one it is whoever may wake the agent there, except that
/// `everyone` does not make a stranger an approver: where anybody may ask, members may agree.
#[must_use]
pub fn decide_approval(question: &ApprovalQuestion<'_>) -> Decision {
    let ApprovalQuestion { agent, event, requesters, four_eyes, role, default } = *question;
    if !matches!(event.kind, Kind::Action { .. }) {
        return Decision::Deny { rule: "approval.no_answer", notice: None };
    }
    let deny = |rule, notice: &str| Decision::Deny {
        rule,
        notice: (event.actor.kind != ActorKind::Bot).then(|| notice.to_owned()),
    };
    if four_eyes && requesters.contains(&event.actor.id) {
        return deny("approval.four_eyes", NOT_THEIRS);
    }
    if is_operators(event) {
        return Decision::Allow { rule: "local.operator" };
    }
    if event.actor.kind == ActorKind::Bot {
        return deny("actor.bot", NOT_THEIRS);
    }
    let (list, rules) = match list_for(&agent.approvers, event) {
        Some(approvers) => (Some(approvers), &APPROVERS),
        None => (list_for(&agent.allow, event), &ALLOW),
    };
    if list.is_some_and(|list| list.users.contains(&event.actor.id)) {
        return Decision::Allow { rule: rules.users };
    }
    let (demanded, rule) = match demand(list, default, rules) {
        (Demand::Anybody, rule) if rule != APPROVERS.everyone => (Demand::Role(Role::Member), rule),
        demanded => demanded,
    };
    match judge(demanded, event.actor.kind, role) {
        Judgement::Met => Decision::Allow { rule },
        Judgement::Unmet => deny(rule, NOT_THEIRS),
        Judgement::Stranger => deny("actor.external", NOT_THEIRS),
        Judgement::Unknown => deny("role.unknown", TRY_LATER),
        Judgement::AskRole => Decision::AskRole,
    }
}

/// Whether a person has to say yes before the tool runs: where either definition asks for it, so that an agent's file can be
/// made stricter for a turn that is under way and never laxer; and always where what it does cannot be taken back, which is
/// what is assumed of a tool that nobody classed.
#[must_use]
pub fn needs_approval(kept: &Agent, current: Option<&Agent>, tool: &ToolSpec) -> bool {
    let mut patterns = std::iter::once(kept).chain(current).flat_map(|agent| &agent.approve);
    tool.class == Class::Irreversible || patterns.any(|pattern| matches_pattern(pattern, tool.name))
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
            current
                .reach
                .iter()
                .any(|reach| reach.on == on && reach.places.iter().any(|it| it.eq_ignore_ascii_case(place)))
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
    list_for(&agent.allow, event).is_some_and(|allow| allow.users.contains(&event.actor.id))
}

/// The list that holds: the connection's own, else the platform's.
fn list_for<'a>(lists: &'a [Allow], event: &Event) -> Option<&'a Allow> {
    let on = |name: &str| lists.iter().find(|allow| allow.on == name);
    on(&event.connection).or_else(|| on(&event.platform))
}
