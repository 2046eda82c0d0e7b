//! What a simulated workspace holds.

use serde::{Deserialize, Serialize};

use super::objects::{Activity, LinearComment, LinearIssue, Session};
use crate::Call;
use crate::deliver::now;

/// What `id` fields are made of: the form of a UUID of version 4.
pub(crate) fn uuid(kind: u16, number: u64) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

/// Whether an id has the form of a UUID of version 4 ("The identifier in UUID v4 format").
pub(crate) fn is_uuid(id: &str) -> bool {
    let groups: Vec<&str> = id.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        && groups.get(2).is_some_and(|group| group.starts_with('4'))
        && groups.get(3).is_some_and(|group| group.starts_with(['8', '9', 'a', 'b', 'A', 'B']))
}

/// Now, milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let (seconds, micros) = now();
    seconds * 1_000 + u64::from(micros / 1_000)
}

/// Somebody of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Member,
    Admin,
    Guest,
    Suspended,
    App,
}

/// A state of the workflow, a label or a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    /// Of a state: its type.
    pub(crate) kind: &'static str,
}

/// Everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(skip)]
    pub(crate) people: Vec<Person>,
    #[serde(skip)]
    pub(crate) states: Vec<Fixed>,
    #[serde(skip)]
    pub(crate) labels: Vec<Fixed>,
    #[serde(skip)]
    pub(crate) projects: Vec<Fixed>,
    pub(crate) issues: Vec<LinearIssue>,
    pub(crate) sessions: Vec<Session>,
    #[serde(skip)]
    pub(crate) calls: Vec<Call>,
    pub(crate) next: u64,
    /// Whether the app is told of agent sessions.
    #[serde(skip)]
    pub(crate) has_sessions: bool,
}

pub(crate) const APP: u16 = 0xa;

impl State {
    pub(crate) fn new(app_name: &str, has_sessions: bool) -> Self {
        let people = [
            ("alice", Role::Member),
            ("bob", Role::Admin),
            ("carol", Role::Guest),
            ("mallory", Role::Suspended),
            (app_name, Role::App),
        ];
        let fixed = |kind: u16, all: &[(&'static str, &'static str)]| -> Vec<Fixed> {
            let number = |index: usize| u64::try_from(index).unwrap_or(0) + 1;
            let one = |(index, (name, of)): (usize, &(&'static str, &'static str))| Fixed {
                id: uuid(kind, number(index)),
                name,
                kind: of,
            };
            all.iter().enumerate().map(one).collect()
        };
        let mut state = Self {
            people: people
                .iter()
                .zip(1..)
                .map(|((name, role), number)| {
                    let kind = if *role == Role::App { APP } else { 1 };
                    Person { id: uuid(kind, number), name: (*name).to_owned(), role: *role }
                })
                .collect(),
            states: fixed(
                2,
                &[
                    ("Backlog", "backlog"),
                    ("Todo", "unstarted"),
                    ("In Progress", "started"),
                    ("In Review", "started"),
                    ("Done", "completed"),
                    ("Canceled", "canceled"),
                ],
            ),
            labels: fixed(3, &[("bug", ""), ("feature", ""), ("login", ""), ("needs-triage", "")]),
            projects: fixed(4, &[("Sign-in", ""), ("Export", "")]),
            next: 1,
            has_sessions,
            ..Self::default()
        };
        for (author, title, description) in [
            ("carol", "Login fails for names with umlauts", "Type `Jürgen` as the name: *unknown user*."),
            ("alice", "Export to CSV", "Lists need a button that saves them as a file."),
            ("bob", "Sessions end too early", "People are signed out after ten minutes."),
        ] {
            state.open(author, title, description);
        }
        state
    }

    /// Holds what was remembered. What nobody can change is not part of that, and stays.
    pub(crate) fn recall(&mut self, remembered: Self) {
        let fresh = std::mem::replace(self, remembered);
        self.people = fresh.people;
        self.states = fresh.states;
        self.labels = fresh.labels;
        self.projects = fresh.projects;
        self.has_sessions = fresh.has_sessions;
    }

    /// A new id of a kind.
    pub(crate) fn new_id(&mut self, kind: u16) -> String {
        self.next += 1;
        uuid(kind, self.next)
    }

    pub(crate) fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    pub(crate) fn user(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// The app's own user.
    pub(crate) fn app(&self) -> Person {
        let app = self.people.iter().find(|person| person.role == Role::App).cloned();
        app.unwrap_or(Person { id: uuid(APP, 0), name: "assistant".into(), role: Role::App })
    }

    /// An issue by id or identifier.
    pub(crate) fn issue(&self, id: &str) -> Option<&LinearIssue> {
        self.issues.iter().find(|issue| issue.id == id || issue.identifier == id)
    }

    pub(crate) fn issue_mut(&mut self, id: &str) -> Option<&mut LinearIssue> {
        self.issues.iter_mut().find(|issue| issue.id == id || issue.identifier == id)
    }

    pub(crate) fn comment(&self, id: &str) -> Option<(&LinearIssue, &LinearComment)> {
        let comments = self.issues.iter().flat_map(|issue| issue.comments.iter().map(move |one| (issue, one)));
        comments.into_iter().find(|(_, comment)| comment.id == id)
    }

    pub(crate) fn comment_mut(&mut self, id: &str) -> Option<&mut LinearComment> {
        self.issues.iter_mut().flat_map(|issue| &mut issue.comments).find(|comment| comment.id == id)
    }

    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    pub(crate) fn session_mut(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    pub(crate) fn activity(&self, id: &str) -> Option<(&Session, &Activity)> {
        let all = self.sessions.iter().flat_map(|session| session.activities.iter().map(move |one| (session, one)));
        all.into_iter().find(|(_, activity)| activity.id == id)
    }

    /// Whether an id is taken by anything.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.issue(id).is_some() || self.comment(id).is_some() || self.activity(id).is_some()
    }

    pub(crate) fn open(&mut self, author: &str, title: &str, description: &str) -> LinearIssue {
        let id = self.new_id(5);
        let number = self.issues.iter().map(|issue| issue.number).max().unwrap_or(0) + 1;
        let at_ms = now_ms();
        let issue = LinearIssue {
            id,
            identifier: format!("ENG-{number}"),
            title: title.to_owned(),
            description: description.to_owned(),
            state: "Todo".to_owned(),
            labels: Vec::new(),
            assignee: None,
            delegate: None,
            parent: None,
            links: Vec::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            priority: 0,
            number,
            creator_id: self.person(author).map(|person| person.id.clone()).unwrap_or_default(),
            project: None,
            at_ms,
            changed_ms: at_ms,
        };
        self.issues.push(issue.clone());
        issue
    }

    /// Adds a comment; under `id`, or a new one.
    pub(crate) fn add_comment(
        &mut self,
        issue: &str,
        author: &Person,
        parent: Option<&str>,
        body: &str,
        id: Option<&str>,
    ) -> Option<LinearComment> {
        let id = id.map_or_else(|| self.new_id(6), ToOwned::to_owned);
        let issue = self.issue_mut(issue)?;
        let comment = LinearComment {
            id,
            author: author.name.clone(),
            is_app: author.role == Role::App,
            body: body.to_owned(),
            parent: parent.map(ToOwned::to_owned),
            history: Vec::new(),
            reactions: Vec::new(),
            author_id: author.id.clone(),
            at_ms: now_ms(),
        };
        issue.comments.push(comment.clone());
        Some(comment)
    }
}
