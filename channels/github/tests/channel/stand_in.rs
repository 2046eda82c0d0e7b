//! A stand-in for GitHub's REST API: it answers what a test told it to and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `METHOD /path`, without the query.
    pub(crate) call: String,
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

#[derive(Debug, Default)]
struct Script {
    answers: HashMap<String, VecDeque<Answer>>,
    seen: Vec<Seen>,
}

/// The stand-in; it stops when it is dropped.
pub(crate) struct StandIn {
    pub(crate) base: String,
    script: Arc<Mutex<Script>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, script, task }
    }

    /// Answers `METHOD /path`. Told several times it answers in that order, the last answer from then on.
    pub(crate) fn on(&self, call: &str, status: u16, body: Value) -> &Self {
        self.on_with(call, status, &[], body)
    }

    pub(crate) fn on_with(&self, call: &str, status: u16, headers: &[(&'static str, &str)], body: Value) -> &Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer = Answer { status, headers, body };
        self.script.lock().unwrap().answers.entry(call.to_owned()).or_default().push_back(answer);
        self
    }

    /// Installation tokens `ghs_1`, `ghs_2`, ... that end in an hour.
    pub(crate) fn mints(&self, installation: &str) -> &Self {
        let expires_at = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
        for number in 1..=3 {
            let body = json!({ "token": format!("ghs_{number}"), "expires_at": expires_at });
            self.on(&format!("POST /app/installations/{installation}/access_tokens"), 201, body);
        }
        self
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        self.seen().iter().filter(|seen| seen.call == call).count()
    }

    pub(crate) fn last(&self, call: &str) -> Seen {
        self.seen().into_iter().rfind(|seen| seen.call == call).unwrap_or_else(|| panic!("{call} was not asked"))
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen {
        call: format!("{} {}", parts.method, parts.uri.path()),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: parts.headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let mut script = script.lock().unwrap();
    let answer = script
        .answers
        .get_mut(&seen.call)
        .and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    script.seen.push(seen);
    let answer = answer.unwrap_or(Answer { status: 404, headers: Vec::new(), body: json!({ "message": "Not Found" }) });
    let mut response =
        (StatusCode::from_u16(answer.status).unwrap(), serde_json::to_vec(&answer.body).unwrap()).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    response
}
