//! What a person is asked before something risky is done, and what exactly their answer binds.
//!
//! A [`Request`] lists tool calls to the letter. Its canonical text is hashed; the hash is what an answer approves and what
//! is compared again before a call runs, so one changed byte is another request. The question that people see
//! ([`Request::ask`]) is put together here, by code, out of the values that were hashed: no model has a word in it outside of
//! the arguments, and those are shown in a form in which nothing is hidden and nothing acts.
//!
//! All of it is pure. Who has to be asked and who may answer is policy (`dispatch`); when, and what becomes of the answer, is
//! the turn's.

mod bound;
mod canonical;
mod question;
#[cfg(test)]
mod tests;
mod visible;

use reveille_channel::InstanceId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::journal::{Step, Turn};

pub use bound::{Bound, hash_of, page_of};

/// What the references of questions about approvals begin with; the request's id follows.
pub const REFERENCE_PREFIX: &str = "approval.";

/// The choice that approves.
pub const APPROVE: &str = "approve";

/// The choice that denies.
pub const DENY: &str = "deny";

/// The most calls in one request: nobody reads more than that with care.
pub const MOST_ITEMS: usize = 10;

/// The version of the canonical form. It is part of it: no text of one version is a text of another.
const VERSION: u32 = 1;

/// One call that waits for a yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The call's id.
    pub call: String,
    /// The tool's name, as it is registered.
    pub tool: String,
    /// What the tool says it does.
    pub description: String,
    /// JSON Schema of the tool's arguments.
    pub parameters: Value,
    /// The arguments that it would run with.
    pub arguments: Value,
    /// Where it acts if the arguments do not say.
    pub place: String,
}

/// Calls of one step that a person is asked about together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Whose calls they are. Its address names agent, connection, tenant and thread.
    pub instance: InstanceId,
    /// The agent's name.
    pub agent: String,
    /// SHA-256 of the agent's definition that the turn keeps, hexadecimal.
    pub definition: String,
    /// The turn.
    pub turn: Turn,
    /// The step that asked for them.
    pub step: Step,
    /// The platform's id of the person whose message is being answered.
    pub requester: String,
    /// Somebody else than the requester has to agree.
    pub four_eyes: bool,
    /// From then on no answer counts, milliseconds since the Unix epoch.
    pub expires_at_ms: i64,
    /// The calls, one to [`MOST_ITEMS`].
    pub items: Vec<Item>,
}

/// Why nobody can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is nothing to ask about.
    #[error("no call waits for an approval")]
    Empty,
    /// Nobody reads so many with care.
    #[error("{0} calls wait for an approval at once; {MOST_ITEMS} is the most: make fewer at a time")]
    TooMany(usize),
}

impl Request {
    /// Whether somebody can be asked.
    ///
    /// # Errors
    /// [`RequestError`]: the calls are not to be run then.
    pub fn check(&self) -> Result<(), RequestError> {
        match self.items.len() {
            0 => Err(RequestError::Empty),
            count if count > MOST_ITEMS => Err(RequestError::TooMany(count)),
            _ => Ok(()),
        }
    }

    /// All that an answer binds, as canonical JSON.
    ///
    /// Keys are sorted and strings written as RFC 8785 (JSON Canonicalization Scheme) says; numbers are not, for there `1` and
    /// `1.0` are one number, and so are neighbouring integers above 2^53. Here every number that our values tell apart has a
    /// text of its own: a whole number its digits, a number with a point or an exponent the shortest text that reads back
    /// as it. So `1` is not `1.0`, while `1.0` and `1.00`, which no tool could tell apart either, are one.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical::compact(&self.bound())
    }

    /// SHA-256 of [`Request::canonical`], hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256(&self.canonical())
    }

    /// 128 bits, hexadecimal: the first half of [`Request::hash`]. It needs nothing but the request, so a restart
    /// computes the same again.
    #[must_use]
    pub fn id(&self) -> String {
        self.hash().chars().take(32).collect()
    }

    /// What the question's controls carry.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{REFERENCE_PREFIX}{}", self.id())
    }

    /// The whole of [`Request::canonical`] for people: the same values in the same order, on lines of their own, with every
    /// character that is not seen spelled out.
    #[must_use]
    pub fn page(&self) -> String {
        canonical::page(&self.bound())
    }

    fn bound(&self) -> Value {
        let items: Vec<Value> = self.items.iter().map(Item::bound).collect();
        json!({
            "version": VERSION,
            "instance": self.instance,
            "agent": self.agent,
            "definition": self.definition,
            "turn": self.turn,
            "step": self.step,
            "requester": self.requester,
            "four_eyes": self.four_eyes,
            "expires_at_ms": self.expires_at_ms,
            "items": items,
        })
    }
}

impl Item {
    fn bound(&self) -> Value {
        json!({
            "call": self.call,
            "tool": self.tool,
            "description": self.description,
            "schema": sha256(&canonical::compact(&self.parameters)),
            "arguments": self.arguments,
            "place": self.place,
        })
    }
}

/// Whether a yes to this request, in its canonical form, is one to this call as it would be made now: byte for byte, by the same
/// tool.
#[must_use]
pub fn binds(request: &str, item: &Item) -> bool {
    let Ok(request) = serde_json::from_str::<Value>(request) else { return false };
    let wanted = canonical::compact(&item.bound());
    let items = request.get("items").and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|bound| canonical::compact(bound) == wanted))
}

/// Whether a request, in its canonical form, is about this tool with these arguments, whoever called.
#[must_use]
pub fn is_about(request: &str, tool: &str, arguments: &Value) -> bool {
    let Ok(request) = serde_json::from_str::<Value>(request) else { return false };
    let items = request.get("items").and_then(Value::as_array);
    items.is_some_and(|items| {
        items
            .iter()
            .any(|item| item.get("tool").is_some_and(|of| of == tool) && item.get("arguments") == Some(arguments))
    })
}

/// The id of the request that an answer is for, by the reference that came back.
#[must_use]
pub fn id_of(reference: &str) -> Option<&str> {
    reference.strip_prefix(REFERENCE_PREFIX).filter(|id| is_id(id))
}

/// Whether a request can have this id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
