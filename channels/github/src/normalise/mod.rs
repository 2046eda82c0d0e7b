//! What a verified delivery says, in the words all platforms share. Pure: it reads the delivery and who we are.
//!
//! GitHub signs the body alone. So the event's kind is what the body's shape says and `X-GitHub-Event` must agree with
//! it, and the event's id comes from the body: a captured body under a fresh `X-GitHub-Delivery` is still the same event.

mod checks;
mod discussions;
mod installations;
mod issues;
mod pulls;
mod text;

use std::collections::BTreeMap;

use reveille_channel::{Actor, ActorKind, Event, EventId, Inbound, Kind, Malformed, ThreadRef, Verified};
use sha2::{Digest, Sha256};

use crate::model::{AppReference, User};
use crate::own::Own;
use crate::payload::{Payload, RepositoryObject, json};
use crate::place::{Message, Place};
use crate::shape::Shape;

/// The installation of a repository's own webhook, which names none.
pub(crate) const NO_INSTALLATION: &str = "token";

/// The one value of an unsigned header, when it is text.
fn unsigned_header<'a>(verified: &'a Verified, name: &str) -> Option<&'a str> {
    let mut values = verified.headers().get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a delivery's id has the documented form, 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_action(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether a name can stand in a path of the API: GitHub's own names all can.
pub(crate) fn is_path_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name != "."
        && name != ".."
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

pub use checks::{check_run_id, check_run_pull};

/// Turns a verified delivery into what it means.
pub(crate) fn normalise(connection: &str, own: &Own, verified: &Verified) -> Result<Inbound, Malformed> {
    let json = json(verified)?;
    let Some(event) = unsigned_header(verified, "x-github-event") else {
        return Err(Malformed::new("there is not exactly one X-GitHub-Event"));
    };
    let shape = Shape::of(&json)?;
    if Shape::promised_by(event) != shape {
        return Err(Malformed::new(format!("X-GitHub-Event does not agree with the body, which is {shape:?}")));
    }
    let read: Reader = match shape {
        Shape::Ping => return Ok(Inbound::Ignored { reason: "a ping: the webhook is set up" }),
        Shape::CommitComment => {
            return Ok(Inbound::Ignored { reason: "a comment on a commit has no thread to answer in" });
        }
        Shape::ReviewThread => {
            return Ok(Inbound::Ignored { reason: "a thread on a line was resolved or opened again" });
        }
        Shape::Other => return Ok(Inbound::Ignored { reason: "an event that is not used" }),
        Shape::Issues => issues::issue,
        Shape::IssueComment => issues::comment,
        Shape::PullRequest => pulls::pull_request,
        Shape::Review => pulls::review,
        Shape::ReviewComment => pulls::line_comment,
        Shape::Discussion => discussions::discussion,
        Shape::DiscussionComment => discussions::comment,
        Shape::CheckRun => checks::check_run,
        Shape::Installation => installations::installation,
        Shape::InstallationRepositories => installations::repositories,
    };
    let mut payload = Payload::of(&json)?;
    if !is_action(&payload.action) {
        return Err(Malformed::new("the action is not of the documented form"));
    }
    if let Some(RepositoryObject { name, owner, .. }) = &payload.repository
        && !(is_path_name(name) && is_path_name(&owner.login))
    {
        return Err(Malformed::new("the repository's name is not of the documented form"));
    }
    match read(own, &mut payload) {
        Ok(mut said) => {
            // Work that is given to our own account is told by its immutable id.
            let given_to = payload.assignee.as_ref().or(payload.requested_reviewer.as_ref());
            if said.kind == Kind::Assigned && given_to.is_some_and(|user| own.is_own_account(user)) {
                said.facts.push(("delegated", true.to_string()));
            }
            Ok(Inbound::Events(vec![said.into_event(payload, connection, verified)?]))
        }
        Err(Nothing::Ignored(reason)) => Ok(Inbound::Ignored { reason }),
        Err(Nothing::Malformed(what)) => Err(Malformed::new(what)),
    }
}

/// Reads one shape of body.
type Reader = fn(&Own, &mut Payload) -> Result<Said, Nothing>;

/// Why a body says nothing.
#[derive(Debug)]
enum Nothing {
    /// It asks for nothing.
    Ignored(&'static str),
    /// It is not what GitHub documents.
    Malformed(&'static str),
}

/// What a payload says, before it becomes an event.
struct Said {
    /// The event's name, such as `issues.opened`.
    name: String,
    kind: Kind,
    /// Where; nowhere for what is about an installation.
    place: Option<Place>,
    text: String,
    mentions: Vec<String>,
    message: Option<Message>,
    /// Who wrote the text: it may be somebody else than who did this to it.
    author: Option<User>,
    /// The app through which it was written.
    via: Option<AppReference>,
    facts: Vec<(&'static str, String)>,
    /// 0 when GitHub does not say.
    occurred_at_ms: i64,
}

impl Said {
    fn into_event(self, payload: Payload, connection: &str, verified: &Verified) -> Result<Event, Malformed> {
        let thread = thread(self.place.as_ref(), &payload)?;
        let mut facts: BTreeMap<String, String> =
            self.facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut fact = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                facts.insert(name.to_owned(), value);
            }
        };
        fact("repository", payload.repository.as_ref().map(RepositoryObject::full_name));
        fact("private", payload.repository.as_ref().map(|repository| repository.private.to_string()));
        fact("label", payload.label.map(|label| label.name));
        fact("assignee", payload.assignee.or(payload.requested_reviewer).map(|user| user.login));
        // The text may be somebody else's than the actor's: a maintainer labels what a stranger wrote.
        fact("author", self.author.map(|user| user.id.to_string()));
        let dedupe_keys = dedupe_keys(verified);
        Ok(Event {
            id: EventId::of(connection, dedupe_keys.first().map(String::as_str).unwrap_or_default()),
            connection: connection.to_owned(),
            platform: crate::PLATFORM.to_owned(),
            thread,
            actor: actor(&payload.sender, self.via),
            kind: self.kind,
            name: self.name,
            text: self.text,
            attachments: Vec::new(),
            mentions: self.mentions,
            message: self.message.map(|message| message.to_string()),
            facts,
            occurred_at_ms: if self.occurred_at_ms == 0 { verified.received_at_ms() } else { self.occurred_at_ms },
            received_at_ms: verified.received_at_ms(),
            dedupe_keys,
        })
    }
}

/// Only the first key is signed, so it alone makes the id.
fn dedupe_keys(verified: &Verified) -> Vec<String> {
    let mut keys = vec![format!("body:{}", hex::encode(Sha256::digest(verified.body())))];
    keys.extend(
        unsigned_header(verified, "x-github-delivery")
            .filter(|delivery| is_guid(delivery))
            .map(|delivery| format!("delivery:{}", delivery.to_ascii_lowercase())),
    );
    keys
}

/// Who did it. What a person's app did for them is a program's act: the text is not the person's own.
fn actor(sender: &User, via: Option<AppReference>) -> Actor {
    let kind = if sender.is_bot() || via.is_some() { ActorKind::Bot } else { ActorKind::Human };
    Actor { id: sender.id.to_string(), name: sender.login.clone(), kind }
}

fn thread(place: Option<&Place>, payload: &Payload) -> Result<ThreadRef, Malformed> {
    let installation = payload.installation.as_ref().map_or_else(|| NO_INSTALLATION.to_owned(), |it| it.id.to_string());
    match (place, &payload.repository) {
        (Some(place), Some(repository)) => {
            Ok(place.thread(&installation, repository.id, &repository.owner.login, &repository.name))
        }
        (Some(_), None) => Err(Malformed::new("there is no repository")),
        (None, _) => {
            let account = payload.installation.as_ref().and_then(|it| it.account.as_ref()).map(|it| it.login.clone());
            Ok(ThreadRef {
                location: BTreeMap::from([("installation".to_owned(), installation.clone())]),
                display: account.unwrap_or_else(|| format!("installation {installation}")),
                key: "installation".to_owned(),
                installation,
            })
        }
    }
}
