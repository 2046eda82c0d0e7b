//! What people do in the workspace.

use serde_json::json;

use super::hooks::Hook;
use super::objects::{Activity, Session};
use super::state::{Person, Role, State, now_ms};
use super::{Linear, Said};
use crate::{Unknown, lock};

/// What Linear writes as the root comment of a session that no comment began.
const NOT_A_COMMENT: &str = "This thread is for an agent session with";

impl Linear {
    fn person(&self, name: &str) -> Result<Person, Unknown> {
        let person = self.people.iter().find(|person| person.name == name && *name != self.options.app_name);
        person.cloned().ok_or_else(|| Unknown {
            what: format!("person {name}"),
            known: self.people.iter().map(|person| person.name.clone()).collect(),
        })
    }

    fn unknown_issue(state: &State, issue: &str) -> Unknown {
        let known = state.issues.iter().map(|issue| issue.identifier.clone()).collect();
        Unknown { what: format!("issue {issue}"), known }
    }

    /// Whether the text calls the app.
    fn calls_app(&self, text: &str) -> bool {
        let handle = format!("@{}", self.options.app_name.to_lowercase());
        text.to_lowercase().split_whitespace().any(|word| word.trim_end_matches([',', ':', '.', '!', '?']) == handle)
    }

    /// A person comments on an issue, or in the thread of a comment. Calling the app begins an agent session.
    ///
    /// # Errors
    /// [`Unknown`] for a person, an issue or a thread that is not there.
    pub fn comment(&self, person: &str, issue: &str, text: &str, parent: Option<&str>) -> Result<Said, Unknown> {
        let person = self.person(person)?;
        let (said, hooks) = {
            let mut state = lock(&self.state);
            if state.issue(issue).is_none() {
                return Err(Self::unknown_issue(&state, issue));
            }
            if let Some(parent) = parent.filter(|parent| state.comment(parent).is_none()) {
                return Err(Unknown { what: format!("thread {parent}"), known: Vec::new() });
            }
            let made = state.add_comment(issue, &person, parent, text, None);
            let comment = made.ok_or_else(|| Self::unknown_issue(&state, issue))?.id;
            let mut hooks = vec![Hook::Comment { id: comment.clone(), action: "create" }];
            let mut session = None;
            if self.options.sessions && self.calls_app(text) {
                let id = Self::begin(&mut state, issue, &comment, &person);
                hooks.push(Hook::Created { session: id.clone() });
                session = Some(id);
            }
            (Said { issue: issue.to_owned(), comment, session }, hooks)
        };
        self.told(hooks, &person);
        Ok(said)
    }

    /// A person delegates an issue to the app.
    ///
    /// # Errors
    /// [`Unknown`] for a person or an issue that is not there.
    pub fn delegate(&self, person: &str, issue: &str) -> Result<Said, Unknown> {
        let person = self.person(person)?;
        let (said, hooks) = {
            let mut state = lock(&self.state);
            let app = state.app();
            let Some(found) = state.issue_mut(issue) else {
                return Err(Self::unknown_issue(&state, issue));
            };
            found.delegate = Some(app.name.clone());
            found.changed_ms = now_ms();
            let id = found.id.clone();
            let before = json!({ "delegateId": null, "updatedAt": "2024-01-01T00:00:00.000Z" });
            let mut hooks = vec![Hook::Issue { id, action: "update", before }];
            let mut said = Said { issue: issue.to_owned(), comment: String::new(), session: None };
            if self.options.sessions {
                let nobody = Person { id: String::new(), name: "Linear".into(), role: Role::Member };
                let text = format!("{NOT_A_COMMENT} {}.", app.name);
                let root = state.add_comment(issue, &nobody, None, &text, None).map(|comment| comment.id);
                said.comment = root.unwrap_or_default();
                let session = Self::begin(&mut state, issue, &said.comment, &person);
                hooks.push(Hook::Created { session: session.clone() });
                said.session = Some(session);
            }
            (said, hooks)
        };
        self.told(hooks, &person);
        Ok(said)
    }

    /// A person says something in an agent session.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a session that is not there.
    pub fn prompt(&self, person: &str, session: &str, text: &str) -> Result<Said, Unknown> {
        self.add_prompt(person, session, text, None)
    }

    /// A person asks the app to stop.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a session that is not there.
    pub fn stop(&self, person: &str, session: &str) -> Result<Said, Unknown> {
        self.add_prompt(person, session, "Stop", Some("stop"))
    }

    fn add_prompt(&self, person: &str, session: &str, text: &str, signal: Option<&str>) -> Result<Said, Unknown> {
        let person = self.person(person)?;
        let (said, hooks) = {
            let mut state = lock(&self.state);
            let id = state.new_id(7);
            let Some(found) = state.session_mut(session) else {
                let known = state.sessions.iter().map(|session| session.id.clone()).collect();
                return Err(Unknown { what: format!("session {session}"), known });
            };
            for activity in found.activities.iter_mut().filter(|activity| activity.ephemeral) {
                activity.is_replaced = true;
            }
            found.status = "active".to_owned();
            found.activities.push(Activity {
                id: id.clone(),
                kind: "prompt".to_owned(),
                content: json!({ "type": "prompt", "body": text }),
                ephemeral: false,
                is_replaced: false,
                signal: signal.map(ToOwned::to_owned),
                signal_metadata: None,
                author: person.name.clone(),
                author_id: person.id.clone(),
                at_ms: now_ms(),
            });
            let mut said =
                Said { issue: found.issue.clone(), comment: String::new(), session: Some(session.to_owned()) };
            let root = found.comment.clone();
            let mut hooks = vec![Hook::Prompted { session: session.to_owned(), activity: id }];
            // What is said in a session stands in its thread of comments too.
            if signal.is_none()
                && let Some(comment) = state.add_comment(&said.issue, &person, Some(&root), text, None)
            {
                hooks.push(Hook::Comment { id: comment.id.clone(), action: "create" });
                said.comment = comment.id;
            }
            (said, hooks)
        };
        self.told(hooks, &person);
        Ok(said)
    }

    /// A person chooses an option of the open question of a session.
    ///
    /// # Errors
    /// [`Unknown`] for a person, a session or an option that is not there.
    pub fn choose(&self, person: &str, session: &str, label: &str) -> Result<Said, Unknown> {
        let asked = self
            .session(session)
            .and_then(|session| session.activities.into_iter().rfind(|one| one.kind == "elicitation"));
        let options =
            asked.and_then(|asked| asked.signal_metadata).and_then(|metadata| metadata.get("options").cloned());
        let options = options.as_ref().and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let text = |option: &serde_json::Value, name: &str| {
            option.get(name).and_then(|one| one.as_str()).map(ToOwned::to_owned)
        };
        let chosen = options.iter().find(|option| text(option, "label").as_deref() == Some(label));
        let Some(value) = chosen.and_then(|option| text(option, "value")) else {
            let known = options.iter().filter_map(|option| text(option, "label")).collect();
            return Err(Unknown { what: format!("option {label}"), known });
        };
        self.prompt(person, session, &value)
    }

    /// A person opens an issue.
    ///
    /// # Errors
    /// [`Unknown`] for a person that is not there.
    pub fn open_issue(&self, person: &str, title: &str, description: &str) -> Result<String, Unknown> {
        let person = self.person(person)?;
        let issue = lock(&self.state).open(&person.name, title, description);
        self.told(vec![Hook::Issue { id: issue.id, action: "create", before: json!({}) }], &person);
        Ok(issue.identifier)
    }

    /// A person puts a label on an issue.
    ///
    /// # Errors
    /// [`Unknown`] for a person, an issue or a label that is not there.
    pub fn label(&self, person: &str, issue: &str, label: &str) -> Result<(), Unknown> {
        let person = self.person(person)?;
        let hook = {
            let mut state = lock(&self.state);
            let known: Vec<String> = state.labels.iter().map(|label| label.name.to_owned()).collect();
            if !known.iter().any(|name| name == label) {
                return Err(Unknown { what: format!("label {label}"), known });
            }
            let ids: Vec<(String, &str)> = state.labels.iter().map(|label| (label.id.clone(), label.name)).collect();
            let Some(found) = state.issue_mut(issue) else {
                return Err(Self::unknown_issue(&state, issue));
            };
            let had: Vec<&String> =
                ids.iter().filter(|(_, name)| found.labels.iter().any(|one| one == name)).map(|(id, _)| id).collect();
            let before = json!({ "labelIds": had });
            found.labels.push(label.to_owned());
            found.changed_ms = now_ms();
            Hook::Issue { id: found.id.clone(), action: "update", before }
        };
        self.told(vec![hook], &person);
        Ok(())
    }

    /// A person changes the text of a comment of theirs.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn edit(&self, person: &str, comment: &str, text: &str) -> Result<(), Unknown> {
        let person = self.person(person)?;
        {
            let mut state = lock(&self.state);
            let Some(found) = state.comment_mut(comment) else {
                return Err(Unknown { what: format!("comment {comment}"), known: Vec::new() });
            };
            let before = std::mem::replace(&mut found.body, text.to_owned());
            found.history.push(before);
        }
        self.told(vec![Hook::Comment { id: comment.to_owned(), action: "update" }], &person);
        Ok(())
    }

    /// A person deletes a comment of theirs.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn delete(&self, person: &str, comment: &str) -> Result<(), Unknown> {
        let person = self.person(person)?;
        if lock(&self.state).comment(comment).is_none() {
            return Err(Unknown { what: format!("comment {comment}"), known: Vec::new() });
        }
        // Told while it is there: the webhook carries it as it was.
        self.told(vec![Hook::Comment { id: comment.to_owned(), action: "remove" }], &person);
        for issue in &mut lock(&self.state).issues {
            issue.comments.retain(|one| one.id != comment);
        }
        self.shared.touch();
        Ok(())
    }

    /// A person reacts to a comment.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn react(&self, person: &str, comment: &str, emoji: &str) -> Result<(), Unknown> {
        let person = self.person(person)?;
        match lock(&self.state).comment_mut(comment) {
            None => return Err(Unknown { what: format!("comment {comment}"), known: Vec::new() }),
            Some(found) => found.reactions.push(emoji.to_owned()),
        }
        let hook = Hook::Reaction { comment: comment.to_owned(), emoji: emoji.to_owned(), person: person.name.clone() };
        self.told(vec![hook], &person);
        Ok(())
    }

    fn begin(state: &mut State, issue: &str, comment: &str, person: &Person) -> String {
        let id = state.new_id(8);
        let identifier = state.issue(issue).map(|issue| issue.identifier.clone()).unwrap_or_default();
        state.sessions.push(Session {
            id: id.clone(),
            issue: identifier,
            comment: comment.to_owned(),
            status: "pending".to_owned(),
            activities: Vec::new(),
            plan: None,
            urls: Vec::new(),
            first_sign_ms: None,
            creator: person.name.clone(),
            creator_id: person.id.clone(),
            at_ms: now_ms(),
        });
        id
    }

    fn told(&self, hooks: Vec<Hook>, person: &Person) {
        lock(&self.actor).clone_from(&person.id);
        self.tell(hooks);
        self.shared.touch();
    }
}
