//! What a verified delivery says, in the words all platforms share. Pure: it reads the delivery, who we are and what we asked.
//!
//! Linear signs the body alone. So the kind of event is what the body says, `Linear-Event` must not contradict it, and the
//! event's id comes from the body.

mod change;
mod notice;
mod session;

use std::collections::BTreeMap;

use reveille_channel::{Actor, ActorKind, Event, EventId, Inbound, Kind, Malformed, ThreadRef, Verified};
use sha2::{Digest, Sha256};

use crate::asks::Asks;
use crate::own::Own;
use crate::payload::{IssueObject, Named, Person, Top, is_id, json, read};

/// What reading needs to know beside the delivery.
pub(crate) struct Known<'k> {
    pub(crate) connection: &'k str,
    pub(crate) own: &'k Own,
    pub(crate) asks: &'k Asks,
}

/// Turns a verified delivery into what it means.
pub(crate) fn normalise(known: &Known<'_>, verified: &Verified) -> Result<Inbound, Malformed> {
    let body = json(verified)?;
    let top: Top = read(body)?;
    if !is_word(&top.kind) || top.action.as_deref().is_some_and(|action| !is_word(action)) {
        return Err(Malformed::new("type and action are not of the documented form"));
    }
    let mut promised = verified.headers().get_all("linear-event").iter();
    if promised.any(|event| event.as_bytes() != top.kind.as_bytes()) {
        return Err(Malformed::new("Linear-Event does not agree with the body's type"));
    }
    let said = match top.kind.as_str() {
        "AgentSessionEvent" => session::read_session(known, &top, body),
        "Comment" => change::read_comment(known, &top, body),
        "Issue" => change::read_issue(known, &top, body),
        "Reaction" => change::read_reaction(known, &top, body),
        "IssueLabel" | "Project" => change::read_plain(known, &top, body),
        "AppUserNotification" => notice::read_notification(&top, body),
        "PermissionChange" => notice::read_permission(&top, body),
        "OAuthApp" => notice::read_app(&top),
        _ => Err(Not::Used("an event that is not used")),
    };
    let said = match said {
        Ok(said) => said,
        Err(Not::Used(reason)) => return Ok(Inbound::Ignored { reason }),
        Err(Not::Readable(malformed)) => return Err(malformed),
    };
    let organization = top.organization.as_deref().unwrap_or_default();
    // The application's secret is the same for every workspace that installed it; the token is of one.
    if known.own.me().and_then(|me| me.organization.clone()).is_some_and(|ours| ours != organization) {
        return Ok(Inbound::Ignored { reason: "another workspace than the credential's" });
    }
    Ok(Inbound::Events(said.into_iter().map(|said| said.into_event(known.connection, &top, verified)).collect()))
}

/// Why there is no event.
enum Not {
    /// There is nothing to do, and why.
    Used(&'static str),
    /// It is not what Linear documents.
    Readable(Malformed),
}

impl From<Malformed> for Not {
    fn from(malformed: Malformed) -> Self {
        Self::Readable(malformed)
    }
}

type Outcome = Result<Vec<Said>, Not>;

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The workspace: without it there is no place.
fn organization(top: &Top) -> Result<&str, Malformed> {
    let organization = top.organization.as_deref().filter(|id| is_id(id));
    organization.ok_or_else(|| Malformed::new("there is no organizationId of the documented form"))
}

/// What a body says, before it becomes an event.
struct Said {
    thread: ThreadRef,
    actor: Actor,
    kind: Kind,
    text: String,
    mentions: Vec<String>,
    message: Option<String>,
    facts: BTreeMap<String, String>,
    /// A signed key under which the same comes again, also in a body with another time in it.
    same: Option<String>,
    /// Tells several events of one delivery apart.
    part: Option<String>,
    /// What it is called where the body's type and action do not say it.
    name: Option<&'static str>,
}

impl Said {
    fn new(thread: ThreadRef, actor: Actor, kind: Kind) -> Self {
        Self {
            thread,
            actor,
            kind,
            text: String::new(),
            mentions: Vec::new(),
            message: None,
            facts: BTreeMap::new(),
            same: None,
            part: None,
            name: None,
        }
    }

    fn fact(&mut self, name: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.facts.insert(name.to_owned(), value.into());
        }
    }

    /// What rules match on and models want to know of an issue.
    fn issue_facts(&mut self, issue: &IssueObject) {
        let name = |named: &Option<Named>| named.as_ref().and_then(|named| named.name.clone());
        self.fact("issue", issue.identifier.clone());
        self.fact("url", issue.url.clone());
        self.fact("team", issue.team.as_ref().and_then(|team| team.key.clone()));
        let team_id = issue.team_id.clone().or_else(|| issue.team.as_ref().and_then(|team| team.id.clone()));
        self.fact("team_id", team_id);
        self.fact("state", name(&issue.state));
        self.fact("project", name(&issue.project));
        self.fact("assignee", issue.assignee_id.clone());
        self.fact("delegate", issue.delegate_id.clone());
        self.fact("author", issue.creator_id.clone());
        let labels: Vec<&str> = issue.labels.iter().flatten().filter_map(|label| label.name.as_deref()).collect();
        self.fact("labels", (!labels.is_empty()).then(|| labels.join(", ")));
    }

    fn into_event(self, connection: &str, top: &Top, verified: &Verified) -> Event {
        let dedupe_keys = dedupe_keys(self.same, self.part.as_deref(), verified);
        Event {
            id: EventId::of(connection, dedupe_keys.first().map(String::as_str).unwrap_or_default()),
            connection: connection.to_owned(),
            platform: crate::PLATFORM.to_owned(),
            thread: self.thread,
            actor: self.actor,
            kind: self.kind,
            name: match self.name {
                Some(name) => name.to_owned(),
                None => format!("{}.{}", top.kind, top.action.as_deref().unwrap_or_default()),
            },
            text: self.text,
            attachments: Vec::new(),
            mentions: self.mentions,
            message: self.message,
            facts: self.facts,
            occurred_at_ms: top.created_at.as_deref().and_then(time_ms).unwrap_or_else(|| verified.received_at_ms()),
            received_at_ms: verified.received_at_ms(),
            dedupe_keys,
        }
    }
}

/// A time nobody can read is no reason to lose the rest.
fn time_ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// The first makes the event's id, so it is a signed one: what happened where the body tells it, else the body itself.
/// `Linear-Delivery` is not signed, but it is the same on every further try, whose body has another time in it.
fn dedupe_keys(same: Option<String>, part: Option<&str>, verified: &Verified) -> Vec<String> {
    let with_part = |key: String| part.map_or(key.clone(), |part| format!("{key}:{part}"));
    let body = with_part(format!("body:{}", hex::encode(Sha256::digest(verified.body()))));
    let mut deliveries = verified.headers().get_all("linear-delivery").iter();
    let delivery = match (deliveries.next().and_then(|id| id.to_str().ok()), deliveries.next()) {
        (Some(id), None) if is_id(id) => Some(with_part(format!("delivery:{}", id.to_ascii_lowercase()))),
        _ => None,
    };
    same.map(with_part).into_iter().chain([body]).chain(delivery).collect()
}

/// Somebody, by the body's signed word.
fn actor(person: Option<&Person>, id: Option<&str>, kind: ActorKind) -> Option<Actor> {
    let id = id.or(person.and_then(|person| person.id.as_deref())).filter(|id| is_id(id))?;
    let name = person.and_then(|person| person.name.clone()).unwrap_or_else(|| id.to_owned());
    Some(Actor { id: id.to_owned(), name, kind })
}

/// What did it when it was nobody: an automation of the workspace. It is trusted as little as any program.
fn automation() -> Actor {
    Actor { id: "automation".to_owned(), name: "an automation".to_owned(), kind: ActorKind::Bot }
}

/// Who did a change of data: `actor` says it, and `user` where it is absent ("Webhooks": the actor of a data change).
fn doer(actor_object: Option<&Person>, user: Option<&Person>, user_id: Option<&str>, is_bot: bool) -> Actor {
    let kind = match actor_object.and_then(|one| one.kind.as_deref()) {
        Some("user" | "User") | None if is_bot => ActorKind::Bot,
        Some("user" | "User") | None => ActorKind::Human,
        Some(kind) if kind.eq_ignore_ascii_case("externalUser") => ActorKind::External,
        // `OauthClient`, `Integration` and whatever comes: programs.
        Some(_) => ActorKind::Bot,
    };
    let did = match actor_object {
        Some(_) => actor(actor_object, None, kind),
        None => actor(user, user_id, kind),
    };
    did.unwrap_or_else(automation)
}
