//! Where on GitHub a thread is, and how that is written into a [`ThreadRef`] and read back.

use std::collections::BTreeMap;

use reveille_channel::{ReplyError, ThreadRef};

use crate::api::Repository;

/// What [`reveille_channel::Event::message`] is when the text is the issue's, pull request's or discussion's own.
pub(crate) const ITSELF: &str = "issue";

/// The place of a conversation within a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// An issue.
    Issue { number: u64 },
    /// The conversation of a pull request.
    Pull { number: u64 },
    /// A thread on a line of a pull request. Its first comment stands for it: GitHub takes answers to no other.
    Line {
        pull: u64,
        first: u64,
        /// The file and the line, for people.
        at: Option<String>,
    },
    /// A discussion. Its comments have one level of answers.
    Discussion {
        number: u64,
        /// Its id in the GraphQL API.
        node: String,
        /// The comment that is being answered.
        answers: Option<Answers>,
    },
}

/// A comment of a discussion that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Its id in the GraphQL API.
    pub(crate) node: String,
    /// It is an answer itself, so the answer goes beside it.
    pub(crate) is_nested: bool,
}

impl Place {
    /// The number of the issue, pull request or discussion.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Issue { number } | Self::Pull { number } | Self::Discussion { number, .. } => *number,
            Self::Line { pull, .. } => *pull,
        }
    }

    /// The thread's key: of immutable ids, so that it stays when the repository is renamed.
    fn key(&self, repository_id: u64) -> String {
        match self {
            Self::Issue { number } | Self::Pull { number } => format!("{repository_id}:{number}"),
            Self::Line { pull, first, .. } => format!("{repository_id}:{pull}:r{first}"),
            Self::Discussion { number, .. } => format!("{repository_id}:d{number}"),
        }
    }

    /// The thread.
    pub(crate) fn thread(&self, installation: &str, repository_id: u64, owner: &str, repo: &str) -> ThreadRef {
        let mut location = BTreeMap::new();
        let mut say = |name: &str, value: &str| {
            location.insert(name.to_owned(), value.to_owned());
        };
        say("owner", owner);
        say("repo", repo);
        say("number", &self.number().to_string());
        say("installation", installation);
        let mut display = format!("{owner}/{repo}#{}", self.number());
        match self {
            Self::Issue { .. } => say("kind", "issue"),
            Self::Pull { .. } => say("kind", "pull"),
            Self::Line { first, at, .. } => {
                say("kind", "review");
                say("comment", &first.to_string());
                if let Some(at) = at {
                    display.push(' ');
                    display.push_str(at);
                }
            }
            Self::Discussion { node, answers, .. } => {
                say("kind", "discussion");
                say("node", node);
                if let Some(Answers { node, is_nested }) = answers {
                    say(if *is_nested { "beside" } else { "answers" }, node);
                }
            }
        }
        ThreadRef { installation: installation.to_owned(), key: self.key(repository_id), location, display }
    }

    /// The repository and the place of a thread of this channel.
    ///
    /// # Errors
    /// [`ReplyError::Refused`] when the thread is not one of GitHub's.
    pub(crate) fn of(thread: &ThreadRef) -> Result<(Repository, Self), ReplyError> {
        let (repository, number) = Repository::of(thread)?;
        let said = |name: &str| thread.location.get(name).cloned();
        let missing = || ReplyError::Refused(format!("{} is not a place on GitHub", thread.display));
        let place = match said("kind").as_deref() {
            Some("pull") => Self::Pull { number },
            Some("review") => {
                let first = said("comment").and_then(|id| id.parse().ok()).ok_or_else(missing)?;
                Self::Line { pull: number, first, at: None }
            }
            Some("discussion") => {
                let answers = said("answers").map(|node| Answers { node, is_nested: false });
                let beside = || said("beside").map(|node| Answers { node, is_nested: true });
                Self::Discussion { number, node: said("node").ok_or_else(missing)?, answers: answers.or_else(beside) }
            }
            _ => Self::Issue { number },
        };
        Ok((repository, place))
    }
}

/// What a message's id, as [`reveille_channel::Event::message`] has it, stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// The issue, pull request or discussion itself.
    Itself,
    /// A comment on an issue or in the conversation of a pull request.
    Comment(u64),
    /// A comment on a line of a pull request.
    LineComment(u64),
    /// A review.
    Review(u64),
    /// A comment of a discussion, by its id in the GraphQL API.
    DiscussionComment(String),
}

impl Message {
    pub(crate) fn parse(id: &str) -> Option<Self> {
        if id == ITSELF {
            return Some(Self::Itself);
        }
        Some(match id.split_once(':') {
            None => Self::Comment(id.parse().ok()?),
            Some(("line", id)) => Self::LineComment(id.parse().ok()?),
            Some(("review", id)) => Self::Review(id.parse().ok()?),
            Some(("node", id)) if is_node(id) => Self::DiscussionComment(id.to_owned()),
            Some(_) => return None,
        })
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Itself => f.write_str(ITSELF),
            Self::Comment(id) => write!(f, "{id}"),
            Self::LineComment(id) => write!(f, "line:{id}"),
            Self::Review(id) => write!(f, "review:{id}"),
            Self::DiscussionComment(id) => write!(f, "node:{id}"),
        }
    }
}

/// Whether this can be an id of the GraphQL API: opaque, and of the letters of base64.
pub(crate) fn is_node(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_thread() {
        let answers = |is_nested| Some(Answers { node: "DC_kw".to_owned(), is_nested });
        for (place, key) in [
            (Place::Issue { number: 7 }, "42:7"),
            (Place::Pull { number: 7 }, "42:7"),
            (Place::Line { pull: 7, first: 9, at: None }, "42:7:r9"),
            (Place::Discussion { number: 7, node: "D_kw".into(), answers: None }, "42:d7"),
            (Place::Discussion { number: 7, node: "D_kw".into(), answers: answers(false) }, "42:d7"),
            (Place::Discussion { number: 7, node: "D_kw".into(), answers: answers(true) }, "42:d7"),
        ] {
            let thread = place.thread("1", 42, "acme", "app");
            assert_eq!((thread.key.as_str(), thread.display.as_str()), (key, "acme/app#7"));
            let (repository, read) = Place::of(&thread).unwrap();
            assert_eq!((repository.id, read), (Some(42), place));
        }
    }

    #[test]
    fn a_messages_id_is_read_back() {
        for text in ["issue", "12", "line:12", "review:12", "node:DC_kw-=", "node:MDE3+/=="] {
            assert_eq!(Message::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "x", "-1", "line:x", "line:", "node:", "node:a b", "other:1", "12/../3"] {
            assert_eq!(Message::parse(text), None, "{text}");
        }
    }
}
