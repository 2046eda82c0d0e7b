//! GitHub's API: who calls, what is called, and how it is answered ("Getting started with the REST API": authentication,
//! pagination, rate limits).

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::auth::{Caller, INSTALLATION_ID};
use super::hooks::HOOK_ID;
use super::{Answer, Github, NOT_FOUND, PEOPLE, REPOSITORY, REPOSITORY_ID, Refusal};
use crate::fault::Fault;
use crate::{Call, lock};

/// The largest request that is read, bytes.
const REQUEST_MAX: usize = 1024 * 1024;

/// A request, once it is known who makes it.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    /// The words of the path below the repository.
    pub(super) rest: &'a [&'a str],
    pub(super) arguments: &'a Value,
    pub(super) query: &'a [(String, String)],
    pub(super) caller: &'a Caller,
    /// The media type asked for.
    pub(super) accept: &'a str,
}

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
    let caller = match github.caller(&head.headers) {
        Ok(caller) => caller,
        Err(refusal) => return refused(refusal),
    };
    if !head.headers.contains_key(header::USER_AGENT) {
        return refused((
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        ));
    }
    let whole = http_body_util::Limited::new(body, REQUEST_MAX).collect().await;
    let Ok(body) = whole.map(http_body_util::Collected::to_bytes) else {
        return refused((StatusCode::PAYLOAD_TOO_LARGE, "Too large"));
    };
    let arguments: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let accept = head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (answer, next) = github.perform(&head.method, &path, &arguments, &query, &caller, accept);
    github.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    match answer {
        Ok((status, value)) => {
            let link = next.map(|query| format!("<{}?{query}>; rel=\"next\"", here(&head.headers, &path)));
            let text = match value {
                // A diff is no JSON.
                Value::String(text) => text,
                value => value.to_string(),
            };
            let mut response = (status, limits(), text).into_response();
            if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
                response.headers_mut().insert(header::LINK, link);
            }
            response
        }
        Err(error) => refused(error),
    }
}

/// The whole address of a path of this server.
fn here(headers: &HeaderMap, path: &str) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("http://{host}/github{path}")
}

impl Github {
    /// Does what is asked. The query of the next page comes along.
    fn perform(
        &self,
        method: &Method,
        path: &str,
        arguments: &Value,
        query: &[(String, String)],
        caller: &Caller,
        accept: &str,
    ) -> (Answer, Option<String>) {
        let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
        let ok = |value: Value| Ok((StatusCode::OK, value));
        let as_app = |answer: &dyn Fn() -> Answer| match caller {
            Caller::App => answer(),
            _ => Err((StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded")),
        };
        let repository_id = REPOSITORY_ID.to_string();
        let answer = match (method.as_str(), words.as_slice()) {
            ("GET", ["app", "hook", "deliveries"]) if matches!(caller, Caller::App) => {
                let (list, next) = self.list_deliveries(query);
                return (ok(list), next);
            }
            ("POST", ["app", "hook", "deliveries", id, "attempts"]) => as_app(&|| self.deliver_again(id)),
            ("GET", ["app"]) => {
                as_app(&|| ok(self.options.app.as_ref().map(super::GithubApp::json).unwrap_or_default()))
            }
            ("GET", ["app", "installations"]) => as_app(&|| ok(json!([self.installation()]))),
            ("POST", ["app", "installations", id, "access_tokens"]) => as_app(&|| self.mint(id, arguments)),
            ("GET", ["user"]) => match caller {
                Caller::Token => ok(self.bot()),
                _ => Err((StatusCode::FORBIDDEN, "Resource not accessible by integration")),
            },
            ("GET", ["user", "repos"]) => match caller {
                Caller::Token => ok(json!([super::objects::repository()])),
                _ => Err((StatusCode::FORBIDDEN, "Resource not accessible by integration")),
            },
            ("GET", ["users", login]) => find_user(login, &self.options.bot_login, self.bot()),
            ("POST", ["graphql"]) => self.graphql(arguments, caller),
            ("GET", ["search", what]) => self.search(what, query, caller),
            ("GET", ["repos", owner, name, "installation"]) if format!("{owner}/{name}") == REPOSITORY => {
                as_app(&|| ok(self.installation()))
            }
            (_, ["repos", owner, name, rest @ ..]) if format!("{owner}/{name}") == REPOSITORY => {
                return self.in_repository(&Asked { method, rest, arguments, query, caller, accept }, path);
            }
            (_, ["repositories", id, rest @ ..]) if *id == repository_id => {
                return self.in_repository(&Asked { method, rest, arguments, query, caller, accept }, path);
            }
            _ => Err(NOT_FOUND),
        };
        self.note(method, path, arguments, &answer);
        (answer, None)
    }

    fn in_repository(&self, asked: &Asked<'_>, path: &str) -> (Answer, Option<String>) {
        let hook = HOOK_ID.to_string();
        let answer = match (asked.method.as_str(), asked.rest) {
            ("GET", ["hooks"]) => asked.caller.may(&[]).map(|()| (StatusCode::OK, self.list_hooks())),
            ("GET", ["hooks", id, "deliveries"]) if *id == hook && asked.caller.may(&[]).is_ok() => {
                let (list, next) = self.list_deliveries(asked.query);
                return (Ok((StatusCode::OK, list)), next);
            }
            ("POST", ["hooks", id, "deliveries", delivery, "attempts"]) if *id == hook => {
                asked.caller.may(&[]).and_then(|()| self.deliver_again(delivery))
            }
            (_, ["pulls", ..]) => self.pulls(asked),
            (_, ["issues" | "labels", ..]) => self.issues_api(asked),
            (_, ["check-runs", ..] | ["commits", ..]) => self.checks_api(asked),
            _ => self.repository(asked),
        };
        self.note(asked.method, path, asked.arguments, &answer);
        match answer {
            Ok((status, Value::Array(all))) if *asked.method == Method::GET => {
                let (page, next) = page(all, asked.query);
                (Ok((status, page)), next)
            }
            answer => (answer, None),
        }
    }

    fn note(&self, method: &Method, path: &str, arguments: &Value, answer: &Answer) {
        if answer.is_ok() {
            let last = path.rsplit('/').next().unwrap_or_default();
            let makes = ["comments", "replies", "reviews", "issues"].contains(&last);
            if *method == Method::POST && makes {
                lock(&self.state).made.push(std::time::Instant::now());
            }
            let call = Call { method: format!("{method} {path}"), arguments: arguments.clone() };
            lock(&self.state).calls.push(call);
        }
    }

    fn installation(&self) -> Value {
        json!({"id": INSTALLATION_ID, "account": {"login": "acme", "id": 77, "type": "Organization"},
            "app_id": self.options.app.as_ref().map(|app| app.id), "repository_selection": "selected",
            "permissions": self.options.app.as_ref().map(|app| &app.permissions), "suspended_at": null})
    }
}

fn find_user(login: &str, bot_login: &str, own: Value) -> Answer {
    // As it stands in the address.
    if login.replace("%5B", "[").replace("%5D", "]") == bot_login {
        return Ok((StatusCode::OK, own));
    }
    let person = PEOPLE.iter().find(|one| one.login == login).ok_or(NOT_FOUND)?;
    Ok((StatusCode::OK, super::objects::user(person.id, person.login, "User")))
}

/// A page of a list, and the query of the next one.
fn page(all: Vec<Value>, query: &[(String, String)]) -> (Value, Option<String>) {
    let number = |name: &str, otherwise: usize| {
        query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(otherwise)
    };
    let (size, page) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let first = page.saturating_sub(1).saturating_mul(size);
    let has_next = all.len() > first.saturating_add(size);
    let others = query.iter().filter(|(key, _)| !matches!(key.as_str(), "page" | "per_page"));
    let next = has_next.then(|| {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(others).append_pair("per_page", &size.to_string());
        next.append_pair("page", &(page + 1).to_string()).finish()
    });
    (all.into_iter().skip(first).take(size).collect(), next)
}

fn limits() -> [(&'static str, &'static str); 3] {
    [
        ("content-type", "application/json; charset=utf-8"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
    ]
}

fn refused((status, message): Refusal) -> Response {
    (status, limits(), json!({"message": message, "documentation_url": "https://docs.github.com/rest"}).to_string())
        .into_response()
}
