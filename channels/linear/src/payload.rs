//! The bodies of webhooks: what is read of them, and survived when it is missing, null or new.
//!
//! Shapes after the types `...WebhookPayload` of Linear's public schema, and its developer pages "Webhooks" and
//! "Developing the agent interaction".

use reveille_channel::{Malformed, Verified};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Deeper bodies are refused. Linear's own stay below ten, but for rich text that is not read.
const MOST_DEPTH: usize = 64;

/// The longest id that is believed: a UUID has 36 characters.
const LONGEST_ID: usize = 64;

/// The JSON of a delivery.
pub(crate) fn json(verified: &Verified) -> Result<&[u8], Malformed> {
    let headers = verified.headers();
    if headers.contains_key("content-encoding") {
        return Err(Malformed::new("the body is compressed, which Linear never does"));
    }
    let mut types = headers.get_all("content-type").iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(Malformed::new("there is not exactly one Content-Type"));
    };
    let media_type = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Malformed::new("the Content-Type is not JSON"));
    }
    let body = verified.body().as_ref();
    if is_deeper_than(body, MOST_DEPTH) {
        return Err(Malformed::new("the JSON is nested too deeply"));
    }
    Ok(body)
}

/// Whether brackets are nested deeper than `most`, without parsing.
fn is_deeper_than(json: &[u8], most: usize) -> bool {
    let mut depth = 0usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'[' | b'{' if depth == most => return true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads a body as one of the types below.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(json).map_err(|error| Malformed::json(&error))
}

/// Whether a word can be an id of Linear's, and a part of a thread's key.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What every body says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Top {
    /// The kind of thing that changed, such as `Comment`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What was done to it.
    #[serde(default)]
    pub(crate) action: Option<String>,
    /// The workspace.
    #[serde(default, rename = "organizationId")]
    pub(crate) organization: Option<String>,
    /// When it happened.
    #[serde(default, rename = "createdAt")]
    pub(crate) created_at: Option<String>,
}

/// The workspace that a delivery is of, before anything else of it is read.
pub(crate) fn organization_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Of {
        #[serde(default, rename = "organizationId")]
        organization: Option<String>,
    }
    serde_json::from_slice::<Of>(body).ok()?.organization
}

/// A person or an app, as bodies carry them.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Person {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Of an actor: `user`, `OauthClient`, `Integration` or an external user.
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
}

/// A team, a label, a state: something with an id and a name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Of a team: what its issues' identifiers begin with.
    #[serde(default)]
    pub(crate) key: Option<String>,
}

/// The issue that something belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) identifier: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) team: Option<Named>,
    #[serde(default)]
    pub(crate) team_id: Option<String>,
    #[serde(default)]
    pub(crate) state: Option<Named>,
    #[serde(default)]
    pub(crate) project: Option<Named>,
    #[serde(default)]
    pub(crate) labels: Option<Vec<Named>>,
    #[serde(default)]
    pub(crate) creator_id: Option<String>,
    #[serde(default)]
    pub(crate) assignee_id: Option<String>,
    #[serde(default)]
    pub(crate) delegate_id: Option<String>,
    #[serde(default)]
    pub(crate) bot_actor: Option<Value>,
    #[serde(default)]
    pub(crate) updated_at: Option<String>,
}

/// A comment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommentObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<Person>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    #[serde(default)]
    pub(crate) external_user: Option<Person>,
    #[serde(default)]
    pub(crate) bot_actor: Option<Value>,
    #[serde(default)]
    pub(crate) issue_id: Option<String>,
    #[serde(default)]
    pub(crate) issue: Option<IssueObject>,
    #[serde(default)]
    pub(crate) parent_id: Option<String>,
    #[serde(default)]
    pub(crate) updated_at: Option<String>,
}

/// A reaction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReactionObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) emoji: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<Person>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    #[serde(default)]
    pub(crate) issue_id: Option<String>,
    #[serde(default)]
    pub(crate) issue: Option<IssueObject>,
    #[serde(default)]
    pub(crate) comment_id: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<CommentObject>,
}

/// A label or a project: things without a conversation of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlainObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) updated_at: Option<String>,
}

/// A change of data.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change<T> {
    pub(crate) data: T,
    #[serde(default)]
    pub(crate) actor: Option<Person>,
    /// Of an update: what the changed fields were before.
    #[serde(default)]
    pub(crate) updated_from: Option<Map<String, Value>>,
}

/// An agent session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionObject {
    pub(crate) id: String,
    /// The person who is responsible for it; nobody when an automation or another agent began it.
    #[serde(default)]
    pub(crate) creator: Option<Person>,
    #[serde(default)]
    pub(crate) creator_id: Option<String>,
    #[serde(default)]
    pub(crate) issue: Option<IssueObject>,
    #[serde(default)]
    pub(crate) issue_id: Option<String>,
    /// The root comment of its thread.
    #[serde(default)]
    pub(crate) comment: Option<CommentObject>,
    /// The comment it was begun from, when that is in another thread.
    #[serde(default)]
    pub(crate) source_comment_id: Option<String>,
}

/// Something a person said in a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityObject {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<Person>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    #[serde(default)]
    pub(crate) content: Option<ContentObject>,
    /// The developer pages show the text here, the schema in `content`.
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) signal: Option<String>,
    #[serde(default)]
    pub(crate) source_comment_id: Option<String>,
}

/// What was said.
#[derive(Debug, Deserialize)]
pub(crate) struct ContentObject {
    #[serde(default)]
    pub(crate) body: Option<String>,
}

/// The body of `AgentSessionEvent`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionEvent {
    pub(crate) agent_session: SessionObject,
    #[serde(default)]
    pub(crate) agent_activity: Option<ActivityObject>,
    /// The issue, its comments and the workspace's guidance, put together by Linear for a model.
    #[serde(default)]
    pub(crate) prompt_context: Option<String>,
}

/// The body of `AppUserNotification`.
#[derive(Debug, Deserialize)]
pub(crate) struct NotificationEvent {
    pub(crate) notification: Notification,
}

/// What a notification is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) actor: Option<Person>,
    #[serde(default)]
    pub(crate) actor_id: Option<String>,
    #[serde(default)]
    pub(crate) issue: Option<IssueObject>,
    #[serde(default)]
    pub(crate) comment: Option<CommentObject>,
    #[serde(default)]
    pub(crate) parent_comment_id: Option<String>,
}

/// The body of `PermissionChange`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionEvent {
    #[serde(default)]
    pub(crate) added_team_ids: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) removed_team_ids: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings() {
        assert!(is_deeper_than(br#"{"a":[{"b":"[[[\"[["}]}"#, 2));
        assert!(!is_deeper_than(br#"{"a":[{"b":"[[[\"[["}]}"#, 3));
        assert!(is_deeper_than("[".repeat(100_000).as_bytes(), 64));
    }

    #[test]
    fn ids_hold_nothing_that_ends_a_part_of_an_address() {
        for id in ["2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9", "session_1"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "a/b", "a:b", "a b", "é", &"x".repeat(65)] {
            assert!(!is_id(id), "{id}");
        }
    }
}
