//! GitHub: one repository with issues, a pull request, a discussion, labels, files and people.

pub(crate) mod api;
mod auth;
mod checks;
mod graphql;
mod hooks;
mod issues;
mod objects;
mod people;
mod pulls;
mod repository;
mod state;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::deliver::{Delivered, Log, Rules, hmac_hex, now};
use crate::fault::Faults;
use crate::{Call, Shared, lock};

pub use auth::GithubApp;
pub use checks::CheckRun;
pub use state::{Comment, Discussion, DiscussionComment, Issue, LineComment, Pull, Review};

use auth::INSTALLATION_ID;
use state::State;

pub(crate) const REPOSITORY: &str = "acme/app";
pub(crate) const REPOSITORY_ID: u64 = 4_200_001;
pub(crate) const BOT_ID: u64 = 9_000_001;

/// "Webhooks: handling failed deliveries": an answer is waited for ten seconds, and nothing is tried again.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a call is answered with: a status and a body, or a status and a message.
type Answer = Result<(StatusCode, Value), Refusal>;
type Refusal = (StatusCode, &'static str);

const NOT_FOUND: Refusal = (StatusCode::NOT_FOUND, "Not Found");
const UNPROCESSABLE: Refusal = (StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");

/// What a simulated GitHub needs to know.
#[derive(Debug, Clone)]
pub struct GithubOptions {
    /// The gateway's connection that deliveries go to.
    pub connection: String,
    /// The webhook's secret.
    pub webhook_secret: String,
    /// The token of the bot's account; not taken where there is an app.
    pub token: String,
    /// The bot's login; for an app its slug and `[bot]`.
    pub bot_login: String,
    /// The app, in place of a token.
    pub app: Option<GithubApp>,
}

/// A person, with what they may do in the repository.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) login: &'static str,
    pub(crate) permission: &'static str,
}

pub(crate) const PEOPLE: [Person; 4] = [
    Person { id: 1_001, login: "alice", permission: "write" },
    Person { id: 1_002, login: "bob", permission: "admin" },
    Person { id: 1_003, login: "carol", permission: "read" },
    Person { id: 1_004, login: "mallory", permission: "none" },
];

/// The server and its repository.
#[derive(Debug, Clone)]
pub struct Github {
    pub(crate) options: Arc<GithubOptions>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) shared: Shared,
    /// Faults to come, by verb and last word of the path: `POST comments`, `PATCH comments`, `POST labels`, ...
    pub faults: Faults,
    log: Log,
}

impl Github {
    pub(crate) fn new(options: GithubOptions, shared: Shared) -> Self {
        Self {
            options: Arc::new(options),
            state: Arc::new(Mutex::new(State::new())),
            shared,
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// An issue or pull request as it stands.
    #[must_use]
    pub fn issue(&self, number: u64) -> Option<Issue> {
        lock(&self.state).issue(number).cloned()
    }

    /// The issues and pull requests, the oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        lock(&self.state).issues.clone()
    }

    /// A discussion as it stands.
    #[must_use]
    pub fn discussion(&self, number: u64) -> Option<Discussion> {
        lock(&self.state).discussion(number).cloned()
    }

    /// The check runs, the oldest first.
    #[must_use]
    pub fn checks(&self) -> Vec<CheckRun> {
        lock(&self.state).checks.clone()
    }

    /// The bot's comments on an issue.
    #[must_use]
    pub fn answers(&self, number: u64) -> Vec<Comment> {
        self.issue(number)
            .map(|issue| issue.comments.into_iter().filter(|one| one.is_bot).collect())
            .unwrap_or_default()
    }

    /// Every call that was accepted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// The most comments, reviews and issues that the bot made within any one second. GitHub limits content below one a second
    /// and says so without `Retry-After`; bots that posted dozens at once were blocked.
    #[must_use]
    pub fn densest_second(&self) -> usize {
        let made = lock(&self.state).made.clone();
        let within = |first: &Instant| {
            made.iter().filter(|one| **one >= *first && one.duration_since(*first) < Duration::from_secs(1)).count()
        };
        made.iter().map(within).max().unwrap_or(0)
    }

    /// Every delivery.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.log.all()
    }

    /// Delivers everything once more, under its old ids, as the button "Redeliver" does.
    pub fn redeliver_all(&self) {
        self.log.send_again(&self.shared, &self.rules());
    }

    /// Waits until something holds. Whether it came true in time.
    pub async fn wait_until(&self, deadline: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        self.shared.wait_until(deadline, || holds(self)).await
    }

    /// The bot's account.
    fn bot(&self) -> Value {
        objects::user(BOT_ID, &self.options.bot_login, "Bot")
    }

    /// What a comment of the bot says of how it was written.
    fn via(&self) -> Option<Value> {
        self.options.app.as_ref().map(GithubApp::json)
    }

    /// Delivers what somebody did: `what` with the repository and who did it.
    fn deliver(&self, event: &str, mut body: Value, sender: &Value) {
        let number = {
            let mut state = lock(&self.state);
            state.deliveries += 1;
            state.deliveries
        };
        if let Some(body) = body.as_object_mut() {
            body.insert("repository".into(), objects::repository());
            body.insert("sender".into(), sender.clone());
            if self.options.app.is_some() {
                body.insert("installation".into(), json!({"id": INSTALLATION_ID, "node_id": "I_1"}));
            }
        }
        let (seconds, micros) = now();
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-github-event".to_owned(), event.to_owned()),
            ("x-github-delivery".to_owned(), format!("{seconds:08x}-{:04x}-4000-8000-{number:012x}", micros & 0xffff)),
            ("user-agent".to_owned(), "GitHub-Hookshot/simulated".to_owned()),
        ];
        self.log.send(&self.shared, self.rules(), headers, Bytes::from(body.to_string()), false);
    }

    fn rules(&self) -> Rules {
        Rules {
            path: format!("channels/{}/webhook", self.options.connection),
            secret: self.options.webhook_secret.clone(),
            deadline: DEADLINE,
            retries: Vec::new(),
            sign: |secret, body| vec![("x-hub-signature-256".into(), format!("sha256={}", hmac_hex(secret, &[body])))],
            retry_headers: |_| Vec::new(),
        }
    }
}
