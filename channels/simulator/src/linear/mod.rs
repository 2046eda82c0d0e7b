//! Linear: one workspace with a team, issues, people and an app that is one of its users.

pub(crate) mod api;
mod graph;
mod hooks;
mod issues;
mod objects;
mod payload;
mod people;
mod rules;
mod state;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::deliver::Delivered;
use crate::fault::Faults;
use crate::{Call, Shared, lock};

use hooks::Log;
use state::{Person, State};

pub use objects::{Activity, LinearComment, LinearIssue, Session};

/// What a simulated Linear needs to know.
#[derive(Debug, Clone)]
pub struct LinearOptions {
    /// The gateway's connection that deliveries go to.
    pub connection: String,
    /// The webhook's secret.
    pub webhook_secret: String,
    /// The app's access token, until it gets another one for itself.
    pub access_token: String,
    /// The app's client id and secret.
    pub client: (String, String),
    /// The app's name.
    pub app_name: String,
    /// Whether the app is told of agent sessions, which then begin when it is called or delegated to.
    pub sessions: bool,
    /// Whether it is told of comments, issues and reactions.
    pub data_changes: bool,
    /// The waits before further tries; Linear's own are a minute, an hour and six hours.
    pub retries: Vec<Duration>,
}

/// Where something that was said landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The issue's identifier.
    pub issue: String,
    /// The comment; empty where there is none.
    pub comment: String,
    /// The agent session that began with it, or in which it was said.
    pub session: Option<String>,
}

/// The server and its workspace.
#[derive(Debug, Clone)]
pub struct Linear {
    options: Arc<LinearOptions>,
    pub(crate) state: Arc<Mutex<State>>,
    people: Arc<Vec<Person>>,
    /// The token that is good.
    token: Arc<Mutex<String>>,
    /// Codes, refresh tokens and whether people agree.
    app: Arc<Mutex<api::App>>,
    /// Who changed something last, by id.
    actor: Arc<Mutex<String>>,
    shared: Shared,
    /// Faults to come, by the first field that a request asks for: `agentActivityCreate`, `commentCreate`, `viewer`, ...
    pub faults: Faults,
    log: Log,
}

impl Linear {
    pub(crate) fn new(options: LinearOptions, shared: Shared) -> Self {
        let state = State::new(&options.app_name, options.sessions);
        Self {
            people: Arc::new(state.people.clone()),
            token: Arc::new(Mutex::new(options.access_token.clone())),
            app: Arc::default(),
            actor: Arc::default(),
            options: Arc::new(options),
            state: Arc::new(Mutex::new(state)),
            shared,
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// An issue as it stands.
    #[must_use]
    pub fn issue(&self, issue: &str) -> Option<LinearIssue> {
        lock(&self.state).issue(issue).cloned()
    }

    /// The app's comments on an issue that are no copies of what it said in sessions.
    #[must_use]
    pub fn answers(&self, issue: &str) -> Vec<LinearComment> {
        let state = lock(&self.state);
        let in_session = |comment: &LinearComment| {
            state.sessions.iter().any(|session| comment.parent.as_ref() == Some(&session.comment))
        };
        let comments = state.issue(issue).into_iter().flat_map(|issue| &issue.comments);
        comments.filter(|one| one.is_app && !in_session(one)).cloned().collect()
    }

    /// A session as it stands.
    #[must_use]
    pub fn session(&self, session: &str) -> Option<Session> {
        lock(&self.state).session(session).cloned()
    }

    /// The session that began with a comment.
    #[must_use]
    pub fn session_of(&self, comment: &str) -> Option<Session> {
        lock(&self.state).sessions.iter().find(|session| session.comment == comment).cloned()
    }

    /// The session in which something was said.
    #[must_use]
    pub fn session_with(&self, activity: &str) -> Option<Session> {
        lock(&self.state).activity(activity).map(|(session, _)| session.clone())
    }

    /// Every call that was accepted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// Every delivery.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.log.all()
    }

    /// Delivers everything once more, under its old ids.
    pub fn redeliver_all(&self) {
        self.log.send_again(self);
    }

    /// The token that was good until now is not good any more.
    pub fn revoke_token(&self) {
        lock(&self.token).clear();
    }

    /// Client credentials are switched off: the application is where it was installed.
    pub fn install_only(&self) {
        lock(&self.app).is_installed_only = true;
    }

    /// How often a token was given for a code, and how often for a refresh token.
    #[must_use]
    pub fn exchanges(&self) -> (usize, usize) {
        let app = lock(&self.app);
        (app.installed, app.refreshed)
    }

    /// Somebody removes the application from the workspace ("OAuthApp revoked").
    pub fn uninstall(&self) {
        lock(&self.token).clear();
        lock(&self.app).refresh = None;
        self.tell(vec![hooks::Hook::Revoked]);
        self.shared.touch();
    }

    fn webhook_path(&self) -> String {
        format!("channels/{}/webhook", self.options.connection)
    }

    /// Waits until something holds. Whether it came true in time.
    pub async fn wait_until(&self, deadline: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        self.shared.wait_until(deadline, || holds(self)).await
    }
}
