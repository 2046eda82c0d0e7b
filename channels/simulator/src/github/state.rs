//! What the simulated repository holds.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::auth::Tokens;
use super::checks::CheckRun;
use crate::Call;
use crate::deliver::now;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text.
    pub body: String,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) at_s: u64,
}

/// An issue, or a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Who opened it.
    pub author: String,
    /// Opened by the bot.
    pub is_bot: bool,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who it is assigned to.
    pub assignees: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    /// Whether it is closed.
    pub is_closed: bool,
    /// Why it is closed.
    pub state_reason: Option<String>,
    /// What makes it a pull request.
    pub pull: Option<Pull>,
    pub(crate) at_s: u64,
    /// Seconds that its last change seems later: no two bodies of a webhook are the same.
    pub(crate) changes: u64,
}

impl Issue {
    pub(crate) fn state(&self) -> &'static str {
        if self.is_closed { "closed" } else { "open" }
    }
}

/// A pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The branch it would bring in.
    pub head: String,
    /// The branch it would bring it to.
    pub base: String,
    /// The newest commit of its branch.
    pub head_sha: String,
    /// From another repository.
    pub is_from_fork: bool,
    /// A draft.
    pub draft: bool,
    /// Merged.
    pub merged: bool,
    /// What it changes: file and patch.
    pub files: Vec<(String, String)>,
    /// Comments on its lines, oldest first.
    pub line_comments: Vec<LineComment>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
}

/// A comment on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineComment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text.
    pub body: String,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
    /// The first comment of its thread, when it is not that itself.
    pub in_reply_to: Option<u64>,
    /// The review it came with.
    pub review: Option<u64>,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) diff_hunk: String,
    pub(crate) at_s: u64,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: u64,
    /// Who reviewed.
    pub author: String,
    /// By the bot.
    pub is_bot: bool,
    /// Its text.
    pub body: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`.
    pub state: String,
    /// The commit.
    pub commit_id: String,
    pub(crate) at_s: u64,
}

/// A discussion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discussion {
    /// Its number.
    pub number: u64,
    /// Who began it.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its comments and the answers to them, as they were written.
    pub comments: Vec<DiscussionComment>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) at_s: u64,
}

impl Discussion {
    pub(crate) fn node(&self) -> String {
        format!("D_{}", self.number)
    }
}

/// A comment of a discussion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscussionComment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text.
    pub body: String,
    /// The comment it stands below.
    pub answers: Option<u64>,
    /// What was visible before, oldest first.
    pub history: Vec<String>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) at_s: u64,
}

impl DiscussionComment {
    pub(crate) fn node(&self) -> String {
        format!("DC_{}", self.id)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) issues: Vec<Issue>,
    pub(crate) discussions: Vec<Discussion>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) labels: Vec<String>,
    /// The files of the default branch.
    pub(crate) files: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) calls: Vec<Call>,
    #[serde(skip)]
    pub(crate) tokens: Tokens,
    pub(crate) deliveries: u64,
    /// When the bot made something that people see: what the limits on content are about.
    #[serde(skip)]
    pub(crate) made: Vec<Instant>,
    last_id: u64,
}

impl State {
    /// A repository with a few issues, a pull request and a discussion.
    pub(crate) fn new() -> Self {
        let mut state = Self { last_id: 5_000_000, ..Self::default() };
        state.labels = ["bug", "question", "duplicate", "needs-info"].map(ToOwned::to_owned).to_vec();
        for (author, title, body) in [
            (
                "carol",
                "Crash when the configuration file is empty",
                "It stops with `unexpected end of file`. Version 1.4 on Linux.",
            ),
            ("mallory", "Export to CSV loses umlauts", "Names with umlauts come out as question marks."),
            ("carol", "CSV export: special characters broken", "ä, ö and ü are shown as ? in the exported file."),
        ] {
            state.open(author, false, title, body);
        }
        let patch = "@@ -1,3 +1,3 @@\n fn main() {\n-    export(\"out.csv\");\n+    export_as(\"out.csv\", Encoding::Utf8);\n }";
        let pull = Pull {
            head: "utf-8".into(),
            base: "main".into(),
            head_sha: "a".repeat(40),
            files: vec![("src/main.rs".into(), patch.into())],
            ..Pull::default()
        };
        let number = state.open("alice", false, "Export as UTF-8", "Fixes the umlauts.").number;
        if let Some(issue) = state.issue_mut(number) {
            issue.pull = Some(pull);
        }
        state.begin_discussion("carol", "Which encodings should exports have?", "UTF-8 alone, or a choice?");
        state.files = [
            ("README.md", "# app\n\nExports tables.\n"),
            ("src/main.rs", "fn main() {\n    export(\"out.csv\");\n}\n"),
            ("src/export.rs", "/// Writes a table.\npub fn export(path: &str) {}\n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
        state
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn issue(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    pub(crate) fn issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| issue.number == number)
    }

    pub(crate) fn discussion(&self, number: u64) -> Option<&Discussion> {
        self.discussions.iter().find(|discussion| discussion.number == number)
    }

    pub(crate) fn discussion_mut(&mut self, number: u64) -> Option<&mut Discussion> {
        self.discussions.iter_mut().find(|discussion| discussion.number == number)
    }

    /// Issues, pull requests and discussions share their numbers.
    fn next_number(&self) -> u64 {
        let issues = self.issues.iter().map(|issue| issue.number);
        issues.chain(self.discussions.iter().map(|discussion| discussion.number)).max().unwrap_or(0) + 1
    }

    pub(crate) fn open(&mut self, author: &str, is_bot: bool, title: &str, body: &str) -> Issue {
        let issue = Issue {
            number: self.next_number(),
            author: author.to_owned(),
            is_bot,
            title: title.to_owned(),
            body: body.to_owned(),
            at_s: now().0,
            ..Issue::default()
        };
        self.issues.push(issue.clone());
        issue
    }

    pub(crate) fn begin_discussion(&mut self, author: &str, title: &str, body: &str) -> Discussion {
        let discussion = Discussion {
            number: self.next_number(),
            author: author.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            at_s: now().0,
            ..Discussion::default()
        };
        self.discussions.push(discussion.clone());
        discussion
    }

    pub(crate) fn add_comment(&mut self, number: u64, author: &str, is_bot: bool, body: &str) -> Option<u64> {
        self.issue(number)?;
        let id = self.next_id();
        self.issue_mut(number)?.comments.push(Comment {
            id,
            author: author.to_owned(),
            is_bot,
            body: body.to_owned(),
            history: Vec::new(),
            reactions: Vec::new(),
            at_s: now().0,
        });
        Some(id)
    }

    pub(crate) fn add_discussion_comment(
        &mut self,
        number: u64,
        author: &str,
        is_bot: bool,
        body: &str,
        answers: Option<u64>,
    ) -> Option<DiscussionComment> {
        let id = self.next_id();
        let comment = DiscussionComment {
            id,
            author: author.to_owned(),
            is_bot,
            body: body.to_owned(),
            answers,
            history: Vec::new(),
            reactions: Vec::new(),
            at_s: now().0,
        };
        self.discussion_mut(number)?.comments.push(comment.clone());
        Some(comment)
    }
}
