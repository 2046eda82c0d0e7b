//! "REST API endpoints for pull requests", "... for pull request reviews", "... for pull request review comments".

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::api::Asked;
use super::issues::{body_of, react};
use super::state::{LineComment, Pull, Review, State};
use super::{Answer, Github, NOT_FOUND, Refusal, UNPROCESSABLE, objects};
use crate::deliver::now;
use crate::lock;

impl Github {
    pub(super) fn pulls(&self, asked: &Asked<'_>) -> Answer {
        asked.caller.may(&[("pull_requests", if asked.method == "GET" { "read" } else { "write" })])?;
        let mut state = lock(&self.state);
        let bot = &self.options.bot_login;
        match (asked.method.as_str(), asked.rest) {
            ("GET", ["pulls"]) => {
                let open = state.issues.iter().rev().filter(|issue| !issue.is_closed);
                let shown = open.filter_map(|issue| Some(objects::pull(issue, issue.pull.as_ref()?)));
                Ok((StatusCode::OK, shown.collect()))
            }
            ("POST", ["pulls"]) => {
                let text = |name: &str| asked.arguments.get(name).and_then(Value::as_str).ok_or(UNPROCESSABLE);
                let (title, head, base) = (text("title")?, text("head")?, text("base")?);
                let is_open = |pull: &Pull| pull.head == head;
                if state.issues.iter().any(|issue| !issue.is_closed && issue.pull.as_ref().is_some_and(is_open)) {
                    return Err((StatusCode::UNPROCESSABLE_ENTITY, "A pull request already exists for acme."));
                }
                let body = asked.arguments.get("body").and_then(Value::as_str).unwrap_or_default();
                let number = state.open(bot, true, title, body).number;
                let issue = state.issue_mut(number).ok_or(NOT_FOUND)?;
                let draft = asked.arguments.get("draft").and_then(Value::as_bool).unwrap_or(false);
                let (head, base) = (head.to_owned(), base.to_owned());
                let pull = Pull { head, base, head_sha: "c".repeat(40), draft, ..Pull::default() };
                let shown = objects::pull(issue, &pull);
                issue.pull = Some(pull);
                Ok((StatusCode::CREATED, shown))
            }
            ("GET", ["pulls", number]) => {
                let issue = number.parse().ok().and_then(|number| state.issue(number)).ok_or(NOT_FOUND)?;
                let pull = issue.pull.as_ref().ok_or(NOT_FOUND)?;
                if asked.accept.contains("diff") {
                    let file = |(path, patch): &(String, String)| {
                        format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{patch}\n")
                    };
                    return Ok((StatusCode::OK, Value::String(pull.files.iter().map(file).collect())));
                }
                Ok((StatusCode::OK, objects::pull(issue, pull)))
            }
            ("GET", ["pulls", number, "files"]) => {
                let pull = pull_of(&mut state, number)?;
                let shown = pull.files.iter().map(|(path, patch)| {
                    json!({"sha": "d".repeat(40), "filename": path, "status": "modified", "additions": 1, "deletions": 1,
                        "changes": 2, "patch": patch})
                });
                Ok((StatusCode::OK, shown.collect()))
            }
            ("GET", ["pulls", number, "comments"]) => {
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let pull = pull_of(&mut state, &number.to_string())?;
                let shown = pull.line_comments.iter().map(|one| objects::line_comment(one, number, &pull.head_sha));
                Ok((StatusCode::OK, shown.collect()))
            }
            ("POST", ["pulls", number, "comments", first, "replies"]) => {
                let body = body_of(asked.arguments)?.to_owned();
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let id = state.next_id();
                let pull = pull_of(&mut state, &number.to_string())?;
                let of = |one: &&LineComment| one.id.to_string() == **first && one.in_reply_to.is_none();
                let first = pull.line_comments.iter().find(of).ok_or(NOT_FOUND)?;
                let reply = LineComment {
                    id,
                    author: bot.clone(),
                    is_bot: true,
                    body,
                    in_reply_to: Some(first.id),
                    history: Vec::new(),
                    reactions: Vec::new(),
                    at_s: now().0,
                    ..first.clone()
                };
                let shown = objects::line_comment(&reply, number, &pull.head_sha);
                pull.line_comments.push(reply);
                Ok((StatusCode::CREATED, shown))
            }
            ("PATCH", ["pulls", "comments", id]) => {
                let body = body_of(asked.arguments)?.to_owned();
                let (number, head_sha, one) = line_comment_of(&mut state, id)?;
                if !one.is_bot {
                    return Err((StatusCode::FORBIDDEN, "Must have admin rights to Repository."));
                }
                let before = std::mem::replace(&mut one.body, body);
                one.history.push(before);
                Ok((StatusCode::OK, objects::line_comment(one, number, &head_sha)))
            }
            ("POST", ["pulls", "comments", id, "reactions"]) => {
                react(&mut line_comment_of(&mut state, id)?.2.reactions, asked.arguments)
            }
            ("GET", ["pulls", number, "reviews"]) => {
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let pull = pull_of(&mut state, &number.to_string())?;
                Ok((StatusCode::OK, pull.reviews.iter().map(|review| objects::review(review, number)).collect()))
            }
            ("POST", ["pulls", number, "reviews"]) => review(&mut state, number, asked.arguments, bot),
            _ => Err(NOT_FOUND),
        }
    }
}

fn pull_of<'a>(state: &'a mut State, number: &str) -> Result<&'a mut Pull, Refusal> {
    let issue = number.parse().ok().and_then(|number| state.issue_mut(number)).ok_or(NOT_FOUND)?;
    issue.pull.as_mut().ok_or(NOT_FOUND)
}

fn line_comment_of<'a>(state: &'a mut State, id: &str) -> Result<(u64, String, &'a mut LineComment), Refusal> {
    let id: u64 = id.parse().map_err(|_| NOT_FOUND)?;
    state
        .issues
        .iter_mut()
        .find_map(|issue| {
            let number = issue.number;
            let pull = issue.pull.as_mut()?;
            let head_sha = pull.head_sha.clone();
            pull.line_comments.iter_mut().find(|one| one.id == id).map(|one| (number, head_sha, one))
        })
        .ok_or(NOT_FOUND)
}

/// One call with any number of remarks.
fn review(state: &mut State, number: &str, arguments: &Value, bot: &str) -> Answer {
    let body = arguments.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let state_of = match arguments.get("event").and_then(Value::as_str) {
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        Some("COMMENT") => "COMMENTED",
        None => "PENDING",
        Some(_) => return Err(UNPROCESSABLE),
    };
    let remarks = arguments.get("comments").and_then(Value::as_array).cloned().unwrap_or_default();
    if body.is_empty() && (state_of == "CHANGES_REQUESTED" || (state_of == "COMMENTED" && remarks.is_empty())) {
        return Err(UNPROCESSABLE);
    }
    let ids: Vec<u64> = remarks.iter().map(|_| state.next_id()).collect();
    let id = state.next_id();
    let pull = pull_of(state, number)?;
    for (id_of_remark, remark) in ids.into_iter().zip(&remarks) {
        let path = remark.get("path").and_then(Value::as_str).unwrap_or_default();
        let line = remark.get("line").and_then(Value::as_u64).ok_or(UNPROCESSABLE)?;
        let (_, patch) = pull
            .files
            .iter()
            .find(|(known, _)| known == path)
            .ok_or((StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Entity: Path could not be resolved"))?;
        pull.line_comments.push(LineComment {
            id: id_of_remark,
            author: bot.to_owned(),
            is_bot: true,
            body: body_of(remark)?.to_owned(),
            path: path.to_owned(),
            line,
            in_reply_to: None,
            review: Some(id),
            history: Vec::new(),
            reactions: Vec::new(),
            diff_hunk: patch.clone(),
            at_s: now().0,
        });
    }
    let review = Review {
        id,
        author: bot.to_owned(),
        is_bot: true,
        body,
        state: state_of.to_owned(),
        commit_id: pull.head_sha.clone(),
        at_s: now().0,
    };
    let shown = objects::review(&review, number.parse().unwrap_or_default());
    pull.reviews.push(review);
    Ok((StatusCode::OK, shown))
}
