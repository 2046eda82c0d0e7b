//! What is seen of a simulated workspace.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::now_ms;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearComment {
    /// Its id.
    pub id: String,
    /// Who wrote it, by name.
    pub author: String,
    /// Written by the app.
    pub is_app: bool,
    /// Its text.
    pub body: String,
    /// The root comment of its thread.
    pub parent: Option<String>,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) author_id: String,
    pub(crate) at_ms: u64,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearIssue {
    /// Its id.
    pub id: String,
    /// Its identifier, such as `ENG-1`.
    pub identifier: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// The name of its state.
    pub state: String,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Who is responsible, by name.
    pub assignee: Option<String>,
    /// The app it is delegated to, by name.
    pub delegate: Option<String>,
    /// The identifier of the issue it is part of.
    pub parent: Option<String>,
    /// What it is linked to: title and address.
    pub links: Vec<(String, String)>,
    /// Its comments, oldest first.
    pub comments: Vec<LinearComment>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    pub priority: u8,
    pub(crate) number: u64,
    pub(crate) creator_id: String,
    pub(crate) project: Option<String>,
    pub(crate) at_ms: u64,
    pub(crate) changed_ms: u64,
}

/// Something said in an agent session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id.
    pub id: String,
    /// `thought`, `action`, `elicitation`, `response`, `error` or `prompt`.
    pub kind: String,
    /// Its content, as it was given.
    pub content: Value,
    /// It disappears with the next one.
    pub ephemeral: bool,
    /// It is ephemeral, and another one came.
    pub is_replaced: bool,
    /// `select`, `auth` or `stop`.
    pub signal: Option<String>,
    /// What belongs to the signal.
    pub signal_metadata: Option<Value>,
    /// Who said it, by name.
    pub author: String,
    pub(crate) author_id: String,
    pub(crate) at_ms: u64,
}

impl Activity {
    /// Its text, or what is done.
    #[must_use]
    pub fn text(&self) -> String {
        let field = |name: &str| self.content.get(name).and_then(Value::as_str).unwrap_or_default();
        if self.kind == "action" {
            format!("{} {}", field("action"), field("parameter"))
        } else {
            field("body").to_owned()
        }
    }
}

/// An agent session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The identifier of its issue.
    pub issue: String,
    /// The root comment of its thread.
    pub comment: String,
    /// `pending`, `active`, `awaitingInput`, `complete`, `error`.
    pub status: String,
    /// What was said in it, oldest first.
    pub activities: Vec<Activity>,
    /// Its plan, as it was given last.
    pub plan: Option<Value>,
    /// Addresses beside it: label and address.
    pub urls: Vec<(String, String)>,
    /// How long after its beginning the app said the first thing or set an address, milliseconds.
    pub first_sign_ms: Option<u64>,
    /// The person who began it, by name.
    pub creator: String,
    pub(crate) creator_id: String,
    pub(crate) at_ms: u64,
}

/// "The first response must be sent within 10 seconds" ("Interaction best practices").
const FIRST_SIGN_MS: u64 = 10_000;

impl Session {
    /// Linear shows that the agent does not respond.
    #[must_use]
    pub fn is_unresponsive(&self) -> bool {
        self.first_sign_ms.unwrap_or_else(|| now_ms().saturating_sub(self.at_ms)) > FIRST_SIGN_MS
    }

    /// What the app said for good.
    #[must_use]
    pub fn answers(&self) -> Vec<&Activity> {
        let is_answer = |one: &&Activity| matches!(one.kind.as_str(), "response" | "error" | "elicitation");
        self.activities.iter().filter(is_answer).collect()
    }
}
