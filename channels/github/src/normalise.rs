//! What a verified delivery says, in the words all platforms share. Pure: it reads the delivery and who we are.
//!
//! GitHub signs the body alone. So the event's kind is what the body's shape says and `X-GitHub-Event` must agree with
//! it, and the event's id comes from the body: a captured body under a fresh `X-GitHub-Delivery` is still the same event.

use std::collections::BTreeMap;

use reveille_channel::{Actor, ActorKind, Event, EventId, Inbound, Kind, Malformed, ThreadRef, Verified};
use sha2::{Digest, Sha256};

use crate::call::calls;
use crate::model::{AppReference, User};
use crate::own::{Own, split_marker};
use crate::payload::{Payload, RepositoryObject, Shape, json};

/// The installation of a repository's own webhook, which names none.
pub(crate) const NO_INSTALLATION: &str = "token";

/// What [`Event::message`] is when the text is the issue's own.
pub(crate) const ISSUE_ITSELF: &str = "issue";

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
    match shape {
        Shape::Ping => Ok(Inbound::Ignored { reason: "a ping: the webhook is set up" }),
        Shape::Other => Ok(Inbound::Ignored { reason: "an event that is not used" }),
        Shape::Issues | Shape::IssueComment => {
            let payload = Payload::of(&json)?;
            if !is_action(&payload.action) {
                return Err(Malformed::new("the action is not of the documented form"));
            }
            for name in [&payload.repository.owner.login, &payload.repository.name] {
                if !is_path_name(name) {
                    return Err(Malformed::new("the repository's name is not of the documented form"));
                }
            }
            match said(own, payload) {
                Ok(said) => Ok(Inbound::Events(vec![said.into_event(connection, verified)])),
                Err(reason) => Ok(Inbound::Ignored { reason }),
            }
        }
    }
}

/// What a payload says, before it becomes an event.
struct Said {
    payload: Payload,
    kind: Kind,
    name: String,
    text: String,
    mentions: Vec<String>,
    message: String,
    author: Option<User>,
    via: Option<AppReference>,
    occurred_at_ms: i64,
}

/// Reads a payload, or says why there is nothing to do.
fn said(own: &Own, mut payload: Payload) -> Result<Said, &'static str> {
    if own.is_own_account(&payload.sender) {
        return Err("our own act");
    }
    match payload.comment.take() {
        Some(comment) => {
            let is_new = payload.action == "created";
            if is_new && own.is_own_comment(&comment) {
                return Err("our own comment");
            }
            // Until we know who we are, a loop is worse than a comment that ends with a marker.
            if is_new && own.is_unknown() && split_marker(&comment.body).is_some() {
                return Err("a comment with a marker, before it is known who we are");
            }
            let called = calls(&comment.body);
            let (kind, occurred_at_ms) = match payload.action.as_str() {
                "created" => {
                    let kind = match called.command {
                        Some((name, args)) => Kind::Command { name, args },
                        None if !called.mentions.is_empty() => Kind::Mention,
                        None => Kind::Message { direct: false, in_thread: true },
                    };
                    (kind, comment.created_at_ms)
                }
                "edited" => (Kind::Edited, comment.updated_at_ms),
                "deleted" => (Kind::Deleted, 0),
                _ => return Err("an action on a comment that is not used"),
            };
            Ok(Said {
                name: format!("issue_comment.{}", payload.action),
                kind,
                text: comment.body,
                mentions: called.mentions,
                message: comment.id.to_string(),
                author: comment.user,
                via: if is_new { comment.performed_via_github_app } else { None },
                occurred_at_ms,
                payload,
            })
        }
        None => {
            let issue = &payload.issue;
            let is_new = payload.action == "opened";
            if is_new && own.is_own_app(issue.performed_via_github_app) {
                return Err("our own issue");
            }
            let kind = match payload.action.as_str() {
                "opened" => Kind::Opened,
                "edited" => Kind::Edited,
                "labeled" => match &payload.label {
                    Some(label) => Kind::Labelled { label: label.name.clone() },
                    None => return Err("a label that is gone"),
                },
                "assigned" => Kind::Assigned,
                "closed" | "reopened" => Kind::Other,
                _ => return Err("an action on an issue that is not used"),
            };
            Ok(Said {
                name: format!("issues.{}", payload.action),
                kind,
                text: format!("{}\n\n{}", issue.title, issue.body).trim_end().to_owned(),
                mentions: if is_new { calls(&issue.body).mentions } else { Vec::new() },
                message: ISSUE_ITSELF.to_owned(),
                author: issue.user.clone(),
                via: if is_new { issue.performed_via_github_app } else { None },
                occurred_at_ms: if is_new { issue.created_at_ms } else { issue.updated_at_ms },
                payload,
            })
        }
    }
}

impl Said {
    fn into_event(self, connection: &str, verified: &Verified) -> Event {
        let thread = thread(&self.payload);
        let mut facts = BTreeMap::from([
            ("repository".to_owned(), self.payload.repository.full_name()),
            ("private".to_owned(), self.payload.repository.private.to_string()),
        ]);
        let mut fact = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                facts.insert(name.to_owned(), value);
            }
        };
        fact("label", self.payload.label.map(|label| label.name));
        fact("assignee", self.payload.assignee.map(|user| user.login));
        // The text may be somebody else's than the actor's: a maintainer labels what a stranger wrote.
        fact("author", self.author.map(|user| user.id.to_string()));
        let dedupe_keys = dedupe_keys(verified);
        Event {
            id: EventId::of(connection, dedupe_keys.first().map(String::as_str).unwrap_or_default()),
            connection: connection.to_owned(),
            platform: crate::PLATFORM.to_owned(),
            thread,
            actor: actor(&self.payload.sender, self.via),
            kind: self.kind,
            name: self.name,
            text: self.text,
            attachments: Vec::new(),
            mentions: self.mentions,
            message: Some(self.message),
            facts,
            occurred_at_ms: if self.occurred_at_ms == 0 { verified.received_at_ms() } else { self.occurred_at_ms },
            received_at_ms: verified.received_at_ms(),
            dedupe_keys,
        }
    }
}

impl RepositoryObject {
    fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
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

fn thread(payload: &Payload) -> ThreadRef {
    let repository = &payload.repository;
    let number = payload.issue.number;
    let installation = match &payload.installation {
        Some(installation) => installation.id.to_string(),
        None => NO_INSTALLATION.to_owned(),
    };
    let location = [
        ("owner", repository.owner.login.clone()),
        ("repo", repository.name.clone()),
        ("number", number.to_string()),
        ("installation", installation.clone()),
        ("kind", if payload.issue.is_pull_request { "pull" } else { "issue" }.to_owned()),
    ];
    ThreadRef {
        installation,
        key: format!("{}:{number}", repository.id),
        location: location.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        display: format!("{}#{number}", repository.full_name()),
    }
}
