//! The bodies of webhooks: which event a body is by its own shape, and the parts that are read.

use std::borrow::Cow;

use reveille_channel::{Malformed, Verified};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Comment, Issue, Label, User};

/// Deeper bodies are refused. GitHub's own stay below ten.
const MOST_DEPTH: usize = 64;

/// The JSON of a delivery: the body itself, or the field `payload` of a form.
///
/// GitHub sends either, as the webhook's setting "Content type" says; the signature is over the body in both.
pub(crate) fn json(verified: &Verified) -> Result<Cow<'_, [u8]>, Malformed> {
    let headers = verified.headers();
    if headers.get_all("content-encoding").iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Malformed::new("the body is compressed, which GitHub never does"));
    }
    let mut types = headers.get_all("content-type").iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(Malformed::new("there is not exactly one Content-Type"));
    };
    let media_type = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = if media_type.eq_ignore_ascii_case("application/json") {
        Cow::Borrowed(verified.body().as_ref())
    } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let mut payloads = url::form_urlencoded::parse(verified.body()).filter(|(name, _)| name == "payload");
        match (payloads.next(), payloads.next()) {
            (Some((_, payload)), None) => Cow::Owned(payload.into_owned().into_bytes()),
            _ => return Err(Malformed::new("the form has not exactly one field `payload`")),
        }
    } else {
        return Err(Malformed::new("the Content-Type is neither JSON nor a form"));
    };
    if depth(&json) > MOST_DEPTH { Err(Malformed::new("the JSON is nested too deeply")) } else { Ok(json) }
}

/// How deeply brackets are nested, without parsing.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match (in_string, *byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The events that are told by the shape of their body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `ping`
    Ping,
    /// `issues`
    Issues,
    /// `issue_comment`
    IssueComment,
    /// Another event.
    Other,
}

/// What stands at the top of a body.
#[derive(Deserialize)]
struct Top {
    #[serde(default)]
    action: Option<IgnoredAny>,
    #[serde(default)]
    issue: Option<IgnoredAny>,
    #[serde(default)]
    comment: Option<IgnoredAny>,
    #[serde(default)]
    zen: Option<IgnoredAny>,
    #[serde(default)]
    hook: Option<IgnoredAny>,
}

impl Shape {
    /// The shape of a body.
    pub(crate) fn of(json: &[u8]) -> Result<Self, Malformed> {
        let top: Top = serde_json::from_slice(json).map_err(|error| Malformed::json(&error))?;
        Ok(match top {
            Top { issue: Some(_), comment: Some(_), action: Some(_), .. } => Self::IssueComment,
            Top { issue: Some(_), comment: None, action: Some(_), .. } => Self::Issues,
            Top { zen: Some(_), hook: Some(_), .. } => Self::Ping,
            _ => Self::Other,
        })
    }

    /// The shape that an event's name promises.
    pub(crate) fn promised_by(event: &str) -> Self {
        match event {
            "ping" => Self::Ping,
            "issues" => Self::Issues,
            "issue_comment" => Self::IssueComment,
            _ => Self::Other,
        }
    }
}

/// A repository.
#[derive(Debug, Deserialize)]
pub(crate) struct RepositoryObject {
    /// Its immutable id.
    pub(crate) id: u64,
    /// Its name.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) owner: Owner,
    /// Whether strangers cannot see it; taken as private when GitHub does not say.
    #[serde(default = "yes")]
    pub(crate) private: bool,
}

fn yes() -> bool {
    true
}

/// The owner of a repository.
#[derive(Debug, Deserialize)]
pub(crate) struct Owner {
    /// Its name.
    pub(crate) login: String,
}

/// The app's installation that a delivery is for.
#[derive(Debug, Deserialize)]
pub(crate) struct Installation {
    /// Its immutable id.
    pub(crate) id: u64,
}

/// The body of `issues` and `issue_comment`.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    /// What was done.
    pub(crate) action: String,
    /// To which issue.
    pub(crate) issue: Issue,
    /// The comment, of `issue_comment`.
    #[serde(default)]
    pub(crate) comment: Option<Comment>,
    /// Where.
    pub(crate) repository: RepositoryObject,
    /// Who did it.
    pub(crate) sender: User,
    /// For which installation; absent for a repository's own webhook.
    #[serde(default)]
    pub(crate) installation: Option<Installation>,
    /// The label, of `labeled`.
    #[serde(default)]
    pub(crate) label: Option<Label>,
    /// The account, of `assigned`.
    #[serde(default)]
    pub(crate) assignee: Option<User>,
}

impl Payload {
    /// Reads a body.
    pub(crate) fn of(json: &[u8]) -> Result<Self, Malformed> {
        serde_json::from_slice(json).map_err(|error| Malformed::json(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings() {
        assert_eq!(depth(br#"{"a":[{"b":"[[[\"[["}]}"#), 3);
        assert_eq!(depth("[".repeat(100_000).as_bytes()), 100_000);
    }
}
