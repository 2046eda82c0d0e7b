//! A stand-in for Linear's GraphQL endpoint: it answers what a test told it to and remembers what it was asked.
//!
//! It knows an operation by its name alone; that the documents are right is shown by `documents_fit_the_schema`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The operation's name, or the path of what is not GraphQL.
    pub(crate) operation: String,
    pub(crate) authorization: String,
    pub(crate) variables: Value,
    /// The body of what is not GraphQL.
    pub(crate) form: String,
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

/// An error as Linear writes it.
pub(crate) fn error(message: &str, code: &str, shown: &str) -> Value {
    json!({ "errors": [{
        "message": message, "path": ["x"],
        "extensions": { "code": code, "type": "invalid input", "userError": true, "userPresentableMessage": shown },
    }], "data": null })
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/graphql", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, script, task }
    }

    /// Answers an operation with this data. Told several times it answers in that order, the last answer from then on.
    pub(crate) fn on(&self, operation: &str, data: Value) -> &Self {
        self.on_with(operation, 200, &[], Value::from_iter([("data".to_owned(), data)]))
    }

    pub(crate) fn on_with(&self, operation: &str, status: u16, headers: &[(&'static str, &str)], body: Value) -> &Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer = Answer { status, headers, body };
        self.script.lock().unwrap().answers.entry(operation.to_owned()).or_default().push_back(answer);
        self
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.seen().iter().filter(|seen| seen.operation == operation).count()
    }

    pub(crate) fn last(&self, operation: &str) -> Seen {
        let last = self.seen().into_iter().rfind(|seen| seen.operation == operation);
        last.unwrap_or_else(|| panic!("{operation} was not asked"))
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let seen = Seen {
        operation: json["operationName"].as_str().unwrap_or(parts.uri.path()).to_owned(),
        authorization: parts.headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned(),
        variables: json["variables"].clone(),
        form: if json.is_null() { String::from_utf8_lossy(&body).into_owned() } else { String::new() },
    };
    let mut script = script.lock().unwrap();
    let answer = script
        .answers
        .get_mut(&seen.operation)
        .and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    script.seen.push(seen);
    let answer = answer.unwrap_or_else(|| {
        let body = error("Entity not found", "INPUT_ERROR", "Could not find referenced entity.");
        Answer { status: 200, headers: Vec::new(), body }
    });
    let mut response =
        (StatusCode::from_u16(answer.status).unwrap(), serde_json::to_vec(&answer.body).unwrap()).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    response
}
