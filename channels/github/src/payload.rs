//! The bodies of webhooks, and the parts of them that are read.

use std::borrow::Cow;

use reveille_channel::{Malformed, Verified};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{CheckAction, CheckRun, Comment, Discussion, Issue, Label, PullRequest, Review, User};

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

impl RepositoryObject {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
    }
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
    /// Where it is installed; only told by the events about installations.
    #[serde(default)]
    pub(crate) account: Option<Owner>,
    /// The app; only told by the events about installations.
    #[serde(default)]
    pub(crate) app_id: Option<u64>,
}

/// What is read of a body. Which of it there is depends on the event; the shape was told before.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    /// What was done.
    pub(crate) action: String,
    /// Who did it.
    pub(crate) sender: User,
    /// Where; nowhere for what is about an installation.
    #[serde(default)]
    pub(crate) repository: Option<RepositoryObject>,
    /// For which installation; absent for a repository's own webhook.
    #[serde(default)]
    pub(crate) installation: Option<Installation>,
    #[serde(default)]
    pub(crate) issue: Option<Issue>,
    #[serde(default)]
    pub(crate) pull_request: Option<PullRequest>,
    #[serde(default)]
    pub(crate) discussion: Option<Discussion>,
    #[serde(default)]
    pub(crate) comment: Option<Comment>,
    #[serde(default)]
    pub(crate) review: Option<Review>,
    #[serde(default)]
    pub(crate) check_run: Option<CheckRun>,
    /// Of `check_run.requested_action`.
    #[serde(default)]
    pub(crate) requested_action: Option<CheckAction>,
    /// Of `edited`.
    #[serde(default)]
    pub(crate) changes: Option<Changes>,
    /// Of `labeled` and `unlabeled`.
    #[serde(default)]
    pub(crate) label: Option<Label>,
    /// Of `assigned` and `unassigned`.
    #[serde(default)]
    pub(crate) assignee: Option<User>,
    /// Of `review_requested`; a team may be asked instead.
    #[serde(default)]
    pub(crate) requested_reviewer: Option<User>,
}

/// What an edit changed.
#[derive(Debug, Deserialize)]
pub(crate) struct Changes {
    /// The text.
    #[serde(default)]
    body: Option<IgnoredAny>,
}

impl Payload {
    /// Reads a body.
    pub(crate) fn of(json: &[u8]) -> Result<Self, Malformed> {
        serde_json::from_slice(json).map_err(|error| Malformed::json(&error))
    }

    /// Whether it is about a text that was written just now, which `written` begins: a title or a milestone can be edited too.
    pub(crate) fn is_of_text(&self, written: &str) -> bool {
        let has_new_text = || self.changes.as_ref().is_some_and(|changes| changes.body.is_some());
        self.action == written || (self.action == "edited" && has_new_text())
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
