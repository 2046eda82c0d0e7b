//! Places of conversation on Linear: an agent session, a comment thread, an issue.

use std::collections::BTreeMap;

use reveille_channel::{Malformed, ReplyError, ThreadRef};

use crate::payload::{IssueObject, is_id};

const SESSION: &str = "session";
const ISSUE: &str = "issue";
const COMMENT: &str = "comment";
const TEAM: &str = "team";
const IDENTIFIER: &str = "identifier";

/// Where a reply goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'t> {
    /// Into an agent session, as activities.
    Session {
        /// The session.
        session: &'t str,
    },
    /// Below an issue, as a comment: of its own, or in the thread of a root comment.
    Comments {
        /// The issue.
        issue: &'t str,
        /// The root comment.
        root: Option<&'t str>,
    },
}

impl<'t> Place<'t> {
    /// The place of a thread of this channel.
    ///
    /// # Errors
    /// [`ReplyError::Refused`] when nothing can be said there.
    pub(crate) fn of(thread: &'t ThreadRef) -> Result<Self, ReplyError> {
        let part = |name: &str| thread.location.get(name).map(String::as_str).filter(|id| is_id(id));
        match (part(SESSION), part(ISSUE)) {
            (Some(session), _) => Ok(Self::Session { session }),
            (None, Some(issue)) => Ok(Self::Comments { issue, root: part(COMMENT) }),
            (None, None) => Err(ReplyError::Refused(format!("{} has no conversation on Linear", thread.display))),
        }
    }
}

/// Whether the thread is an agent session.
pub(crate) fn is_session(thread: &ThreadRef) -> bool {
    thread.location.contains_key(SESSION)
}

/// The issue of a thread, if it belongs to one.
#[must_use]
pub fn issue_of(thread: &ThreadRef) -> Option<&str> {
    thread.location.get(ISSUE).map(String::as_str).filter(|id| is_id(id))
}

/// The agent session of a thread, if it is one.
#[must_use]
pub fn session_of(thread: &ThreadRef) -> Option<&str> {
    thread.location.get(SESSION).map(String::as_str).filter(|id| is_id(id))
}

/// A thread's parts, checked.
#[derive(Debug, Default)]
pub(crate) struct Parts<'p> {
    pub(crate) session: Option<&'p str>,
    pub(crate) issue: Option<&'p IssueObject>,
    /// The issue's id, where only that is known.
    pub(crate) issue_id: Option<&'p str>,
    /// The root comment.
    pub(crate) root: Option<&'p str>,
    /// What it is where it is neither: `label:ID`, `project:ID`, `installation`.
    pub(crate) other: Option<String>,
}

impl Parts<'_> {
    /// The thread of these parts in a workspace.
    ///
    /// # Errors
    /// [`Malformed`] when an id is none.
    pub(crate) fn thread(&self, organization: &str) -> Result<ThreadRef, Malformed> {
        let issue_id = self.issue.map(|issue| issue.id.as_str()).or(self.issue_id);
        for id in [Some(organization), self.session, issue_id, self.root].into_iter().flatten() {
            if !is_id(id) {
                return Err(Malformed::new("an id is not of the documented form"));
            }
        }
        let identifier = self.issue.and_then(|issue| issue.identifier.as_deref());
        let team = self.issue.and_then(|issue| {
            issue.team_id.as_deref().or(issue.team.as_ref().and_then(|team| team.id.as_deref())).filter(|id| is_id(id))
        });
        let location: BTreeMap<String, String> =
            [(SESSION, self.session), (ISSUE, issue_id), (COMMENT, self.root), (TEAM, team), (IDENTIFIER, identifier)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect();
        let key = match (self.session, issue_id, self.root, &self.other) {
            (Some(session), ..) => session.to_owned(),
            (None, Some(issue), Some(root), _) => format!("{issue}:{root}"),
            (None, Some(issue), None, _) => issue.to_owned(),
            (None, None, _, Some(other)) => other.clone(),
            (None, None, _, None) => return Err(Malformed::new("it belongs to no issue")),
        };
        let display = identifier.map_or_else(|| issue_id.unwrap_or(&key).to_owned(), ToOwned::to_owned);
        Ok(ThreadRef { installation: organization.to_owned(), key, location, display })
    }
}
