//! What people do in the repository.

use serde_json::{Value, json};

use super::state::{DiscussionComment, Issue, LineComment};
use super::{Github, PEOPLE, Person, REPOSITORY, objects};
use crate::deliver::now;
use crate::{Unknown, lock};

impl Person {
    fn json(&self) -> Value {
        objects::user(self.id, self.login, "User")
    }
}

impl Github {
    /// A person comments on an issue or pull request.
    ///
    /// # Errors
    /// [`Unknown`] for a person or an issue that is not there.
    pub fn comment(&self, person: &str, repository: &str, number: u64, text: &str) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        check(repository)?;
        let id = lock(&self.state).add_comment(number, person.login, false, text);
        let id = id.ok_or_else(|| self.no_issue(number))?;
        self.deliver_comment(number, id, "created", &person.json());
        self.shared.touch();
        Ok(id)
    }

    /// A person changes a comment.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn edit_comment(&self, person: &str, number: u64, id: u64, text: &str) -> Result<(), Unknown> {
        let person = person_of(person)?;
        {
            let mut state = lock(&self.state);
            let comment = state.issue_mut(number).and_then(|it| it.comments.iter_mut().find(|one| one.id == id));
            let comment = comment.ok_or_else(|| Unknown { what: format!("comment {id}"), known: Vec::new() })?;
            let before = std::mem::replace(&mut comment.body, text.to_owned());
            comment.history.push(before);
        }
        self.deliver_comment(number, id, "edited", &person.json());
        self.shared.touch();
        Ok(())
    }

    /// A person deletes a comment.
    ///
    /// # Errors
    /// [`Unknown`] for a person that is not there.
    pub fn delete_comment(&self, person: &str, number: u64, id: u64) -> Result<(), Unknown> {
        let person = person_of(person)?;
        self.deliver_comment(number, id, "deleted", &person.json());
        if let Some(issue) = lock(&self.state).issue_mut(number) {
            issue.comments.retain(|one| one.id != id);
        }
        self.shared.touch();
        Ok(())
    }

    /// A person opens an issue.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a repository that is not there.
    pub fn open_issue(&self, person: &str, repository: &str, title: &str, body: &str) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        check(repository)?;
        let issue = lock(&self.state).open(person.login, false, title, body);
        self.deliver("issues", json!({"action": "opened", "issue": objects::issue(&issue)}), &person.json());
        self.shared.touch();
        Ok(issue.number)
    }

    /// A person puts a label on an issue or pull request.
    ///
    /// # Errors
    /// [`Unknown`] for a person or an issue that is not there.
    pub fn label(&self, person: &str, number: u64, label: &str) -> Result<(), Unknown> {
        let person = person_of(person)?;
        let issue = self.change(number, |issue| issue.labels.push(label.to_owned()))?;
        self.deliver_change(&issue, "labeled", ("label", objects::label(label)), person);
        Ok(())
    }

    /// A person assigns an issue or pull request to somebody.
    ///
    /// # Errors
    /// [`Unknown`] for a person or an issue that is not there.
    pub fn assign(&self, person: &str, number: u64, assignee: &str) -> Result<(), Unknown> {
        let person = person_of(person)?;
        let issue = self.change(number, |issue| issue.assignees.push(assignee.to_owned()))?;
        let account =
            if assignee == self.options.bot_login { self.bot() } else { objects::user_named(assignee, false) };
        self.deliver_change(&issue, "assigned", ("assignee", account), person);
        Ok(())
    }

    /// A person comments on a line of a pull request, or answers such a comment.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a pull request that is not there.
    pub fn comment_on_line(
        &self,
        person: &str,
        number: u64,
        path: &str,
        line: u64,
        text: &str,
        in_reply_to: Option<u64>,
    ) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        let id = lock(&self.state).next_id();
        let comment = LineComment {
            id,
            author: person.login.to_owned(),
            is_bot: false,
            body: text.to_owned(),
            path: path.to_owned(),
            line,
            in_reply_to,
            review: None,
            history: Vec::new(),
            reactions: Vec::new(),
            diff_hunk: "@@ -1,3 +1,3 @@\n fn main() {".to_owned(),
            at_s: now().0,
        };
        let issue = self.change(number, |issue| {
            if let Some(pull) = &mut issue.pull {
                pull.line_comments.push(comment.clone());
            }
        })?;
        let pull = issue.pull.as_ref().ok_or_else(|| self.no_issue(number))?;
        let body = json!({"action": "created", "pull_request": objects::pull(&issue, pull),
            "comment": objects::line_comment(&comment, number, &pull.head_sha)});
        self.deliver("pull_request_review_comment", body, &person.json());
        Ok(id)
    }

    /// A person comments in a discussion, or answers a comment of it.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a discussion that is not there.
    pub fn comment_in_discussion(
        &self,
        person: &str,
        number: u64,
        text: &str,
        answers: Option<u64>,
    ) -> Result<u64, Unknown> {
        let person = person_of(person)?;
        let added = lock(&self.state).add_discussion_comment(number, person.login, false, text, answers);
        let comment = added.ok_or_else(|| self.no_issue(number))?;
        self.deliver_discussion_comment(number, &comment, "created", &person.json());
        self.shared.touch();
        Ok(comment.id)
    }

    /// A person changes a comment of a discussion.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn edit_discussion_comment(&self, person: &str, number: u64, id: u64, text: &str) -> Result<(), Unknown> {
        let person = person_of(person)?;
        let changed = {
            let mut state = lock(&self.state);
            let comment = state.discussion_mut(number).and_then(|it| it.comments.iter_mut().find(|one| one.id == id));
            comment.map(|comment| {
                let before = std::mem::replace(&mut comment.body, text.to_owned());
                comment.history.push(before);
                comment.clone()
            })
        };
        let comment = changed.ok_or_else(|| Unknown { what: format!("comment {id}"), known: Vec::new() })?;
        self.deliver_discussion_comment(number, &comment, "edited", &person.json());
        self.shared.touch();
        Ok(())
    }

    /// A person deletes a comment of a discussion.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a comment that is not there.
    pub fn delete_discussion_comment(&self, person: &str, number: u64, id: u64) -> Result<(), Unknown> {
        let person = person_of(person)?;
        let comment = self.discussion(number).and_then(|it| it.comments.into_iter().find(|one| one.id == id));
        let comment = comment.ok_or_else(|| Unknown { what: format!("comment {id}"), known: Vec::new() })?;
        self.deliver_discussion_comment(number, &comment, "deleted", &person.json());
        if let Some(discussion) = lock(&self.state).discussion_mut(number) {
            discussion.comments.retain(|one| one.id != id);
        }
        self.shared.touch();
        Ok(())
    }

    /// A person presses "Re-run" on a check run.
    ///
    /// # Errors
    /// [`Unknown`] for a person or a check run that is not there.
    pub fn rerun_check(&self, person: &str, id: u64) -> Result<(), Unknown> {
        let person = person_of(person)?;
        let check = lock(&self.state).checks.iter().find(|check| check.id == id).cloned();
        let check = check.ok_or_else(|| Unknown { what: format!("check run {id}"), known: Vec::new() })?;
        let body = json!({"action": "rerequested", "check_run": check.json(self.via().as_ref())});
        self.deliver("check_run", body, &person.json());
        Ok(())
    }

    /// Changes an issue; a copy of what it is then.
    fn change(&self, number: u64, how: impl FnOnce(&mut Issue)) -> Result<Issue, Unknown> {
        let changed = {
            let mut state = lock(&self.state);
            state.issue_mut(number).map(|issue| {
                how(issue);
                issue.changes += 1;
                issue.clone()
            })
        };
        self.shared.touch();
        changed.ok_or_else(|| self.no_issue(number))
    }

    fn deliver_change(&self, issue: &Issue, action: &str, (name, value): (&str, Value), person: &Person) {
        let (event, mut body) = match &issue.pull {
            None => ("issues", json!({"action": action, "issue": objects::issue(issue)})),
            Some(pull) => {
                let body =
                    json!({"action": action, "number": issue.number, "pull_request": objects::pull(issue, pull)});
                ("pull_request", body)
            }
        };
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value);
        }
        self.deliver(event, body, &person.json());
    }

    pub(crate) fn deliver_comment(&self, number: u64, id: u64, action: &str, sender: &Value) {
        let Some(issue) = self.issue(number) else { return };
        let Some(comment) = issue.comments.iter().find(|one| one.id == id) else { return };
        let comment = objects::comment(comment, number, self.via().as_ref());
        let body = json!({"action": action, "issue": objects::issue(&issue), "comment": comment});
        self.deliver("issue_comment", body, sender);
    }

    pub(crate) fn deliver_discussion_comment(
        &self,
        number: u64,
        comment: &DiscussionComment,
        action: &str,
        sender: &Value,
    ) {
        let Some(discussion) = self.discussion(number) else { return };
        let body = json!({"action": action, "discussion": objects::discussion(&discussion),
            "comment": objects::discussion_comment(comment, &discussion)});
        self.deliver("discussion_comment", body, sender);
    }

    fn no_issue(&self, number: u64) -> Unknown {
        let known = self.issues().iter().map(|issue| format!("{REPOSITORY}#{}", issue.number)).collect();
        Unknown { what: format!("issue {REPOSITORY}#{number}"), known }
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
