//! GitHub's REST API: what a bot that answers issues needs ("REST API endpoints for issues", "... for issue comments",
//! "... for labels", "... for reactions", "... for collaborators", "Getting started: rate limits").

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{BOT_ID, Github, PEOPLE, REPOSITORY, REPOSITORY_ID, State, comment_of, issue_json, repository_json, user};
use crate::fault::Fault;
use crate::{Call, lock};

/// The longest comment, characters.
const BODY_MAX: usize = 65_536;

/// The largest request that is read, bytes.
const REQUEST_MAX: usize = 1024 * 1024;

type Answer = Result<(StatusCode, Value), (StatusCode, &'static str)>;

const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "Not Found");
const UNPROCESSABLE: (StatusCode, &str) = (StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");

pub(crate) fn router(github: Github) -> Router {
    Router::new().fallback(call).with_state(github)
}

async fn call(Extract(github): Extract<Github>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_start_matches("/github").to_owned();
    let last = path.rsplit('/').find(|word| word.parse::<u64>().is_err()).unwrap_or_default();
    let fault = github.faults.take(&format!("{} {last}", head.method));
    match &fault {
        Some(Fault::Error500) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::RateLimit(seconds)) => {
            let body = json!({"message": "You have exceeded a secondary rate limit."}).to_string();
            return (StatusCode::FORBIDDEN, [(header::RETRY_AFTER, seconds.to_string())], body).into_response();
        }
        Some(Fault::RefuseToken) => return refused((StatusCode::UNAUTHORIZED, "Bad credentials")),
        Some(Fault::UnknownMethod | Fault::Refuse(_)) => return refused(NOT_FOUND),
        Some(Fault::Delay(wait)) => tokio::time::sleep(*wait).await,
        Some(Fault::DropAnswer) | None => {}
    }
    let authorization =
        head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = authorization.strip_prefix("Bearer ").or_else(|| authorization.strip_prefix("token "));
    if token != Some(github.options.token.as_str()) {
        return refused((StatusCode::UNAUTHORIZED, "Bad credentials"));
    }
    let whole = http_body_util::Limited::new(body, REQUEST_MAX).collect().await;
    let Ok(body) = whole.map(http_body_util::Collected::to_bytes) else {
        return refused((StatusCode::PAYLOAD_TOO_LARGE, "Too large"));
    };
    let arguments: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let answer = github.perform(&head.method, &path, &arguments, &query);
    github.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    match answer {
        Ok((status, value)) => (status, limits(), value.to_string()).into_response(),
        Err(error) => refused(error),
    }
}

impl Github {
    fn perform(&self, method: &Method, path: &str, arguments: &Value, query: &[(String, String)]) -> Answer {
        let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        let mut state = lock(&self.state);
        let own = user(BOT_ID, &self.options.bot_login, "Bot");
        let mut commented = None;
        let repository_id = REPOSITORY_ID.to_string();
        let rest = match words.as_slice() {
            ["user"] => return Ok((StatusCode::OK, own)),
            ["users", login] => return find_user(login, &self.options.bot_login, own),
            ["repos", owner, name, rest @ ..] if format!("{owner}/{name}") == REPOSITORY => rest,
            ["repositories", id, rest @ ..] if *id == repository_id => rest,
            _ => return Err(NOT_FOUND),
        };
        let answer = match (method.as_str(), rest) {
            ("GET", []) => Ok((StatusCode::OK, repository_json())),
            ("GET", ["issues"]) => {
                let all: Vec<Value> = state.issues.iter().rev().map(issue_json).collect();
                Ok((StatusCode::OK, page(all, query)))
            }
            ("GET", ["issues", number]) => issue(&state, number).map(|issue| (StatusCode::OK, issue_json(issue))),
            ("GET", ["issues", number, "comments"]) => {
                let all = issue(&state, number)?.comments.iter().map(comment_of).collect();
                Ok((StatusCode::OK, page(all, query)))
            }
            ("POST", ["issues", number, "comments"]) => {
                let body = body_of(arguments)?;
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let id = state.add_comment(number, &self.options.bot_login, true, body).ok_or(NOT_FOUND)?;
                commented = Some((number, id));
                let comment = state.issue(number).and_then(|issue| issue.comments.last()).map(comment_of);
                Ok((StatusCode::CREATED, comment.unwrap_or_default()))
            }
            ("GET", ["issues", "comments", id]) => {
                let id: u64 = id.parse().map_err(|_| NOT_FOUND)?;
                let found = state.issues.iter().flat_map(|issue| &issue.comments).find(|one| one.id == id);
                found.map(|one| (StatusCode::OK, comment_of(one))).ok_or(NOT_FOUND)
            }
            ("PATCH", ["issues", "comments", id]) => {
                let id: u64 = id.parse().map_err(|_| NOT_FOUND)?;
                let body = body_of(arguments)?.to_owned();
                let found = state.issues.iter_mut().flat_map(|issue| &mut issue.comments).find(|one| one.id == id);
                let found = found.ok_or(NOT_FOUND)?;
                if !found.is_bot {
                    return Err((StatusCode::FORBIDDEN, "Must have admin rights to Repository."));
                }
                let before = std::mem::replace(&mut found.body, body);
                found.history.push(before);
                Ok((StatusCode::OK, comment_of(found)))
            }
            ("GET", ["labels"]) => {
                Ok((StatusCode::OK, state.labels.iter().map(|name| json!({"name": name, "description": ""})).collect()))
            }
            ("POST", ["issues", number, "labels"]) => {
                let names = arguments.get("labels").unwrap_or(arguments).as_array().ok_or(UNPROCESSABLE)?;
                let names: Vec<String> = names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                let issue = state.issue_mut(number).ok_or(NOT_FOUND)?;
                for name in &names {
                    if !issue.labels.contains(name) {
                        issue.labels.push(name.clone());
                    }
                }
                let shown = issue.labels.iter().map(|name| json!({"id": 1, "name": name})).collect();
                // Labels that a repository does not have are made.
                let new: Vec<String> = names.into_iter().filter(|name| !state.labels.contains(name)).collect();
                state.labels.extend(new);
                Ok((StatusCode::OK, shown))
            }
            ("POST", ["issues", "comments", id, "reactions"]) => {
                let id: u64 = id.parse().map_err(|_| NOT_FOUND)?;
                let found = state.issues.iter_mut().flat_map(|issue| &mut issue.comments).find(|one| one.id == id);
                react(&mut found.ok_or(NOT_FOUND)?.reactions, arguments)
            }
            ("POST", ["issues", number, "reactions"]) => {
                let number: u64 = number.parse().map_err(|_| NOT_FOUND)?;
                react(&mut state.issue_mut(number).ok_or(NOT_FOUND)?.reactions, arguments)
            }
            ("GET", ["collaborators", login, "permission"]) => permission(login),
            _ => Err(NOT_FOUND),
        };
        if answer.is_ok() {
            state.calls.push(Call { method: format!("{method} {path}"), arguments: arguments.clone() });
        }
        let issue = commented.and_then(|(number, id)| state.issue(number).cloned().map(|issue| (issue, id)));
        drop(state);
        if let Some((issue, id)) = issue {
            self.deliver_comment(&issue, id, &own);
        }
        answer
    }
}

fn issue<'a>(state: &'a State, number: &str) -> Result<&'a super::Issue, (StatusCode, &'static str)> {
    number.parse().ok().and_then(|number| state.issue(number)).ok_or(NOT_FOUND)
}

fn body_of(arguments: &Value) -> Result<&str, (StatusCode, &'static str)> {
    let body = arguments.get("body").and_then(Value::as_str).filter(|body| !body.trim().is_empty());
    body.filter(|body| body.chars().count() <= BODY_MAX).ok_or(UNPROCESSABLE)
}

fn react(reactions: &mut Vec<String>, arguments: &Value) -> Answer {
    let names = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];
    let name =
        arguments.get("content").and_then(Value::as_str).filter(|name| names.contains(name)).ok_or(UNPROCESSABLE)?;
    if reactions.iter().any(|one| one == name) {
        return Ok((StatusCode::OK, json!({"id": 1, "content": name})));
    }
    reactions.push(name.to_owned());
    Ok((StatusCode::CREATED, json!({"id": 1, "content": name})))
}

fn permission(login: &str) -> Answer {
    let person = PEOPLE.iter().find(|one| one.login == login).ok_or(NOT_FOUND)?;
    let user = user(person.id, person.login, "User");
    Ok((StatusCode::OK, json!({"permission": person.permission, "role_name": person.permission, "user": user})))
}

fn find_user(login: &str, bot_login: &str, own: Value) -> Answer {
    if login == bot_login {
        return Ok((StatusCode::OK, own));
    }
    let person = PEOPLE.iter().find(|one| one.login == login).ok_or(NOT_FOUND)?;
    Ok((StatusCode::OK, user(person.id, person.login, "User")))
}

fn page(all: Vec<Value>, query: &[(String, String)]) -> Value {
    let number = |name: &str, otherwise: usize| {
        query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(otherwise)
    };
    let size = number("per_page", 30).clamp(1, 100);
    let first = number("page", 1).max(1).saturating_sub(1).saturating_mul(size);
    all.into_iter().skip(first).take(size).collect()
}

fn limits() -> [(&'static str, &'static str); 3] {
    [
        ("content-type", "application/json; charset=utf-8"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
    ]
}

fn refused((status, message): (StatusCode, &str)) -> Response {
    (status, limits(), json!({"message": message, "documentation_url": "https://docs.github.com/rest"}).to_string())
        .into_response()
}
