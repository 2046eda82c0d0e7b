//! "REST API endpoints for issues", "... for issue comments", "... for labels", "... for reactions".

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::api::Asked;
use super::state::{Issue, State};
use super::{Answer, Github, NOT_FOUND, PEOPLE, Refusal, UNPROCESSABLE, objects};
use crate::lock;

/// The longest text, characters.
const BODY_MAX: usize = 65_536;

impl Github {
    pub(super) fn issues_api(&self, asked: &Asked<'_>) -> Answer {
        let read = [("issues", "read"), ("pull_requests", "read")];
        let write = [("issues", "write"), ("pull_requests", "write")];
        asked.caller.may(if asked.method == "GET" { &read } else { &write })?;
        let mut state = lock(&self.state);
        let arguments = asked.arguments;
        let via = self.via();
        match (asked.method.as_str(), asked.rest) {
            ("GET", ["issues"]) => {
                let wants =
                    |name: &str| asked.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
                let is_wanted = |issue: &&Issue| match wants("state").unwrap_or("open") {
                    "all" => true,
                    state => issue.state() == state,
                };
                Ok((StatusCode::OK, state.issues.iter().rev().filter(is_wanted).map(objects::issue).collect()))
            }
            ("POST", ["issues"]) => {
                let title = arguments.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty());
                let body = arguments.get("body").and_then(Value::as_str).unwrap_or_default();
                let opened = state.open(&self.options.bot_login, true, title.ok_or(UNPROCESSABLE)?, body);
                let issue = state.issue_mut(opened.number).ok_or(NOT_FOUND)?;
                issue.labels = names(arguments.get("labels"));
                issue.assignees = names(arguments.get("assignees"));
                let shown = objects::issue(issue);
                drop(state);
                self.deliver("issues", json!({"action": "opened", "issue": shown}), &self.bot());
                Ok((StatusCode::CREATED, shown))
            }
            ("GET", ["issues", number]) => found(&state, number).map(|issue| (StatusCode::OK, objects::issue(issue))),
            ("PATCH", ["issues", number]) => {
                let issue = found_mut(&mut state, number)?;
                update(issue, arguments)?;
                Ok((StatusCode::OK, objects::issue(issue)))
            }
            ("GET", ["issues", number, "comments"]) => {
                let issue = found(&state, number)?;
                let shown = issue.comments.iter().map(|one| objects::comment(one, issue.number, via.as_ref()));
                Ok((StatusCode::OK, shown.collect()))
            }
            ("POST", ["issues", number, "comments"]) => {
                let body = body_of(arguments)?;
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let id = state.add_comment(number, &self.options.bot_login, true, body).ok_or(NOT_FOUND)?;
                let last = state.issue(number).and_then(|issue| issue.comments.last());
                let shown = last.map(|one| objects::comment(one, number, via.as_ref())).unwrap_or_default();
                drop(state);
                self.deliver_comment(number, id, "created", &self.bot());
                Ok((StatusCode::CREATED, shown))
            }
            ("GET", ["issues", "comments", id]) => {
                let (issue, one) = comment_of(&mut state, id)?;
                Ok((StatusCode::OK, objects::comment(one, issue, via.as_ref())))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let body = body_of(arguments)?.to_owned();
                let (issue, one) = comment_of(&mut state, id)?;
                if !one.is_bot {
                    return Err((StatusCode::FORBIDDEN, "Must have admin rights to Repository."));
                }
                let before = std::mem::replace(&mut one.body, body);
                one.history.push(before);
                Ok((StatusCode::OK, objects::comment(one, issue, via.as_ref())))
            }
            ("GET", ["labels"]) => Ok((StatusCode::OK, state.labels.iter().map(|name| objects::label(name)).collect())),
            ("POST", ["issues", number, "labels"]) => {
                let names = names(Some(arguments.get("labels").unwrap_or(arguments)));
                let issue = found_mut(&mut state, number)?;
                for name in &names {
                    if !issue.labels.contains(name) {
                        issue.labels.push(name.clone());
                    }
                }
                let shown = issue.labels.iter().map(|name| objects::label(name)).collect();
                // Labels that a repository does not have are made.
                let new: Vec<String> = names.into_iter().filter(|name| !state.labels.contains(name)).collect();
                state.labels.extend(new);
                Ok((StatusCode::OK, shown))
            }
            ("DELETE", ["issues", number, "labels", label]) => {
                let issue = found_mut(&mut state, number)?;
                let label = label.replace("%20", " ");
                if !issue.labels.contains(&label) {
                    return Err((StatusCode::NOT_FOUND, "Label does not exist"));
                }
                issue.labels.retain(|name| *name != label);
                Ok((StatusCode::OK, issue.labels.iter().map(|name| objects::label(name)).collect()))
            }
            (method @ ("POST" | "DELETE"), ["issues", number, "assignees"]) => {
                let named = names(arguments.get("assignees"));
                // Whoever cannot be made responsible is left out without a word.
                let may_be = |login: &String| PEOPLE.iter().any(|one| one.login == login && one.permission != "none");
                let issue = found_mut(&mut state, number)?;
                issue.assignees.retain(|login| !named.contains(login));
                if method == "POST" {
                    issue.assignees.extend(named.into_iter().filter(may_be));
                }
                let status = if method == "POST" { StatusCode::CREATED } else { StatusCode::OK };
                Ok((status, objects::issue(issue)))
            }
            ("POST", ["issues", "comments", id, "reactions"]) => {
                react(&mut comment_of(&mut state, id)?.1.reactions, arguments)
            }
            ("POST", ["issues", number, "reactions"]) => {
                react(&mut found_mut(&mut state, number)?.reactions, arguments)
            }
            _ => Err(NOT_FOUND),
        }
    }
}

fn found<'a>(state: &'a State, number: &str) -> Result<&'a Issue, Refusal> {
    number.parse().ok().and_then(|number| state.issue(number)).ok_or(NOT_FOUND)
}

fn found_mut<'a>(state: &'a mut State, number: &str) -> Result<&'a mut Issue, Refusal> {
    number.parse().ok().and_then(|number| state.issue_mut(number)).ok_or(NOT_FOUND)
}

fn comment_of<'a>(state: &'a mut State, id: &str) -> Result<(u64, &'a mut super::Comment), Refusal> {
    let id: u64 = id.parse().map_err(|_| NOT_FOUND)?;
    let mut all = state.issues.iter_mut().flat_map(|issue| {
        let number = issue.number;
        issue.comments.iter_mut().map(move |one| (number, one))
    });
    all.find(|(_, one)| one.id == id).ok_or(NOT_FOUND)
}

fn names(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn update(issue: &mut Issue, arguments: &Value) -> Result<(), Refusal> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    if let Some(title) = text("title") {
        issue.title = title.to_owned();
    }
    if let Some(body) = text("body") {
        issue.body = body.to_owned();
    }
    match text("state") {
        None => {}
        Some("closed") => issue.is_closed = true,
        Some("open") => issue.is_closed = false,
        Some(_) => return Err(UNPROCESSABLE),
    }
    if let Some(reason) = text("state_reason") {
        if !["completed", "not_planned", "duplicate", "reopened"].contains(&reason) {
            return Err(UNPROCESSABLE);
        }
        issue.state_reason = Some(reason.to_owned());
    }
    if arguments.get("labels").is_some() {
        issue.labels = names(arguments.get("labels"));
    }
    if arguments.get("assignees").is_some() {
        issue.assignees = names(arguments.get("assignees"));
    }
    issue.changes += 1;
    Ok(())
}

pub(super) fn body_of(arguments: &Value) -> Result<&str, Refusal> {
    let body = arguments.get("body").and_then(Value::as_str).filter(|body| !body.trim().is_empty());
    body.filter(|body| body.chars().count() <= BODY_MAX).ok_or(UNPROCESSABLE)
}

pub(super) fn react(reactions: &mut Vec<String>, arguments: &Value) -> Answer {
    let names = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];
    let name =
        arguments.get("content").and_then(Value::as_str).filter(|name| names.contains(name)).ok_or(UNPROCESSABLE)?;
    if reactions.iter().any(|one| one == name) {
        return Ok((StatusCode::OK, json!({"id": 1, "content": name})));
    }
    reactions.push(name.to_owned());
    Ok((StatusCode::CREATED, json!({"id": 1, "content": name})))
}
