//! A normalised event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::EventId;

/// What happened on a platform, in the words that all platforms share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same on every redelivery.
    pub id: EventId,
    /// The connection's name: its table under `[channels]`.
    pub connection: String,
    /// The platform: `slack`, `github`, `local`, ...
    pub platform: String,
    /// Where it happened and where the reply goes.
    pub thread: ThreadRef,
    /// Who did it, by the platform's signed word.
    pub actor: Actor,
    /// What it is.
    pub kind: Kind,
    /// The platform's own name of it, such as `app_mention` or `issues.opened`.
    pub name: String,
    /// The text as CommonMark, without the mention that called us; for an opened issue, title and body.
    pub text: String,
    /// Files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Handles that the text mentions, lower case, without `@`: they help to choose among agents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// The platform's id of the message itself (a Slack `ts`, a GitHub comment id), for reactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Facts that wake rules match on: `repository`, `channel`, `label`, ...
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// When the platform says it happened, milliseconds since the Unix epoch.
    pub occurred_at_ms: i64,
    /// When it reached us, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
    /// Every key under which the platform might deliver the same thing again; at least one, the first made [`Event::id`].
    pub dedupe_keys: Vec<String>,
}

/// The kinds of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// Our bot, or a handle that may be an agent's, was called by name.
    Mention,
    /// A message without a mention: `direct` in a conversation with the bot alone, else in a thread or channel it can see.
    Message {
        /// In a direct message to the bot.
        direct: bool,
        /// Below the root message of a thread.
        in_thread: bool,
    },
    /// A slash command, or `/name ...` at the start of a line.
    Command {
        /// Its name without the slash.
        name: String,
        /// What stood behind it.
        args: String,
    },
    /// An issue, ticket or pull request was opened.
    Opened,
    /// The text of a message or issue was changed.
    Edited,
    /// A message was deleted.
    Deleted,
    /// An emoji reaction was put on a message.
    Reaction {
        /// The emoji's name without colons.
        emoji: String,
    },
    /// A label was put on an issue.
    Labelled {
        /// Its name.
        label: String,
    },
    /// An issue was assigned to somebody.
    Assigned,
    /// Something we showed was answered: a button pressed, an option chosen, `/approve` written.
    Action {
        /// The reference that the control carried, as [`crate::Ask::reference`] had it.
        reference: String,
        /// The [`crate::Choice::id`] that was chosen; for an open question, the words.
        choice: String,
    },
    /// Somebody said what an answer of ours was worth, with a control of the platform's own.
    Feedback {
        /// It helped.
        positive: bool,
    },
    /// A form was filled in.
    Form {
        /// Its name.
        name: String,
        /// What was filled in, by the field's name.
        fields: BTreeMap<String, String>,
    },
    /// A pull request was reviewed.
    Review {
        /// The platform's word for the verdict, lower case: `approved`, `changes_requested`, `commented`.
        state: String,
    },
    /// A person asks for what is running to be stopped.
    Stop,
    /// The app was installed, removed or had its tokens revoked.
    Lifecycle {
        /// What became of it.
        change: Change,
    },
    /// Anything else; `Event::name` says what.
    Other,
}

/// What became of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was installed, or given more.
    Installed,
    /// It was removed: nothing of it may be used any more.
    Removed,
    /// It may not be used for now.
    Suspended,
    /// It may be used again.
    Restored,
    /// Its credentials do not hold any more.
    Revoked,
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The platform's immutable id. Access is decided on this and never on a name.
    pub id: String,
    /// What people call them; for display alone.
    pub name: String,
    /// Person or program.
    pub kind: ActorKind,
}

/// Person or program, ours or a stranger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person of the installation.
    Human,
    /// A program.
    Bot,
    /// Somebody of another organisation (Slack Connect and the like).
    External,
}

/// What the platform says somebody may do where the thread is. Ordered: a later one may do all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Unknown, or known to have none.
    None,
    /// From another organisation.
    External,
    /// A guest, or somebody with read access.
    Guest,
    /// A full member, or somebody with write access.
    Member,
    /// An administrator or owner.
    Admin,
}

/// The place of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRef {
    /// The tenant: a Slack team, a GitHub App installation (or `token`).
    pub installation: String,
    /// The thread's key within the installation. It stays the same when things are renamed, and holds no `/`.
    pub key: String,
    /// What the adapter needs to reply here: `channel` and `thread_ts`, or `owner`, `repo` and `number`.
    pub location: BTreeMap<String, String>,
    /// How people name the place, such as `#general` or `acme/app#7`; for display.
    pub display: String,
}

/// A file that came with a message. It is not fetched until somebody needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, for display.
    pub name: String,
    /// Media type as the platform says.
    pub media_type: String,
    /// Size in bytes as the platform says.
    pub size: u64,
    /// Where the platform keeps it.
    pub url: String,
}
