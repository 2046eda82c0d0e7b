//! GitHub: one repository with issues, labels and people.

pub(crate) mod api;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::deliver::{Delivered, Log, Rules, hmac_hex, now};
use crate::fault::Faults;
use crate::{Call, Shared, Unknown, lock};

pub(crate) const REPOSITORY: &str = "acme/app";
pub(crate) const REPOSITORY_ID: u64 = 4_200_001;
pub(crate) const BOT_ID: u64 = 9_000_001;

/// "Webhooks: handling failed deliveries": an answer is waited for ten seconds, and nothing is tried again.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a simulated GitHub needs to know.
#[derive(Debug, Clone)]
pub struct GithubOptions {
    /// The gateway's connection that deliveries go to.
    pub connection: String,
    /// The webhook's secret.
    pub webhook_secret: String,
    /// The token of the bot's account.
    pub token: String,
    /// The bot's login.
    pub bot_login: String,
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

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Who opened it.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// Reactions on it.
    pub reactions: Vec<String>,
    pub(crate) at_s: u64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) issues: Vec<Issue>,
    pub(crate) labels: Vec<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) next_comment: u64,
    deliveries: u64,
}

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
        let mut state = State { next_comment: 5_000_001, ..State::default() };
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
            state.open(author, title, body);
        }
        Self {
            options: Arc::new(options),
            state: Arc::new(Mutex::new(state)),
            shared,
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// A person comments on an issue.
    ///
    /// # Errors
    /// [`Unknown`] for a person or an issue that is not there.
    pub fn comment(&self, person: &str, repository: &str, number: u64, text: &str) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        check(repository)?;
        let (id, issue) = {
            let mut state = lock(&self.state);
            let id = state.add_comment(number, person.login, false, text).ok_or_else(|| Unknown {
                what: format!("issue {repository}#{number}"),
                known: state.issues.iter().map(|issue| format!("{REPOSITORY}#{}", issue.number)).collect(),
            })?;
            (id, state.issue(number).cloned())
        };
        if let Some(issue) = issue {
            self.deliver_comment(&issue, id, &user(person.id, person.login, "User"));
        }
        self.shared.touch();
        Ok(id)
    }

    /// A person opens an issue.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a repository that is not there.
    pub fn open_issue(&self, person: &str, repository: &str, title: &str, body: &str) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        check(repository)?;
        let issue = lock(&self.state).open(person.login, title, body);
        let sender = user(person.id, person.login, "User");
        let number = issue.number;
        let body =
            json!({"action": "opened", "issue": issue_json(&issue), "repository": repository_json(), "sender": sender});
        self.deliver("issues", &body);
        self.shared.touch();
        Ok(number)
    }

    /// An issue as it stands.
    #[must_use]
    pub fn issue(&self, number: u64) -> Option<Issue> {
        lock(&self.state).issue(number).cloned()
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

    pub(crate) fn deliver_comment(&self, issue: &Issue, comment: u64, sender: &Value) {
        let Some(comment) = issue.comments.iter().find(|one| one.id == comment) else {
            return;
        };
        let body = json!({
            "action": "created", "issue": issue_json(issue), "comment": comment_json(comment, sender),
            "repository": repository_json(), "sender": sender,
        });
        self.deliver("issue_comment", &body);
    }

    fn deliver(&self, event: &str, body: &Value) {
        let number = {
            let mut state = lock(&self.state);
            state.deliveries += 1;
            state.deliveries
        };
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

impl State {
    pub(crate) fn issue(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    pub(crate) fn issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| issue.number == number)
    }

    fn open(&mut self, author: &str, title: &str, body: &str) -> Issue {
        let number = self.issues.iter().map(|issue| issue.number).max().unwrap_or(0) + 1;
        let issue = Issue {
            number,
            author: author.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            labels: Vec::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            at_s: now().0,
        };
        self.issues.push(issue.clone());
        issue
    }

    pub(crate) fn add_comment(&mut self, number: u64, author: &str, is_bot: bool, body: &str) -> Option<u64> {
        let id = self.next_comment;
        let issue = self.issue_mut(number)?;
        issue.comments.push(Comment {
            id,
            author: author.to_owned(),
            is_bot,
            body: body.to_owned(),
            history: Vec::new(),
            reactions: Vec::new(),
            at_s: now().0,
        });
        self.next_comment += 1;
        Some(id)
    }
}

fn person_of(name: &str) -> Result<&'static Person, Unknown> {
    static ALL: [Person; 4] = PEOPLE;
    ALL.iter().find(|one| one.login == name).ok_or_else(|| Unknown {
        what: format!("person {name}"),
        known: ALL.iter().map(|one| one.login.to_owned()).collect(),
    })
}

fn check(repository: &str) -> Result<(), Unknown> {
    if repository == REPOSITORY {
        return Ok(());
    }
    Err(Unknown { what: format!("repository {repository}"), known: vec![REPOSITORY.to_owned()] })
}

/// A time as the API writes it.
fn time(seconds: u64) -> String {
    // Days since the epoch to a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

pub(crate) fn user(id: u64, login: &str, kind: &str) -> Value {
    json!({"login": login, "id": id, "node_id": format!("U_{id}"), "type": kind, "site_admin": false})
}

fn user_named(login: &str, is_bot: bool) -> Value {
    let id = PEOPLE.iter().find(|one| one.login == login).map_or(BOT_ID, |one| one.id);
    user(id, login, if is_bot { "Bot" } else { "User" })
}

pub(crate) fn repository_json() -> Value {
    json!({"id": REPOSITORY_ID, "node_id": "R_1", "name": "app", "full_name": REPOSITORY, "private": false,
        "owner": {"login": "acme", "id": 77, "type": "Organization"}, "html_url": "https://github.com/acme/app",
        "default_branch": "main"})
}

pub(crate) fn issue_json(issue: &Issue) -> Value {
    let labels: Vec<Value> =
        issue.labels.iter().map(|name| json!({"id": 1, "name": name, "color": "ededed"})).collect();
    json!({"id": 700_000 + issue.number, "node_id": format!("I_{}", issue.number), "number": issue.number, "title": issue.title,
        "body": issue.body, "state": "open", "locked": false, "labels": labels, "assignees": [], "comments": issue.comments.len(),
        "user": user_named(&issue.author, false), "author_association": "NONE",
        "html_url": format!("https://github.com/{REPOSITORY}/issues/{}", issue.number),
        "created_at": time(issue.at_s), "updated_at": time(issue.at_s)})
}

pub(crate) fn comment_json(comment: &Comment, author: &Value) -> Value {
    json!({"id": comment.id, "node_id": format!("IC_{}", comment.id), "body": comment.body, "user": author,
        "author_association": "NONE", "created_at": time(comment.at_s), "updated_at": time(comment.at_s + u64::try_from(comment.history.len()).unwrap_or(0)),
        "html_url": format!("https://github.com/{REPOSITORY}/issues/1#issuecomment-{}", comment.id)})
}

/// A comment as its author's.
pub(crate) fn comment_of(comment: &Comment) -> Value {
    comment_json(comment, &user_named(&comment.author, comment.is_bot))
}
