//! A server that answers as it was told and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reveille_channel::{Actor, ActorKind, InstanceId, Marker, ReplyContext, Secret, ThreadRef};
use reveille_slack::{Settings, Slack};
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) calls: Vec<(String, String)>,
    /// The token of each call.
    pub(crate) tokens: Vec<String>,
    pub(crate) answers: VecDeque<(u16, Option<&'static str>, Value)>,
}

pub(crate) type Shared = Arc<Mutex<Server>>;

async fn method(
    State(server): State<Shared>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut server = server.lock().unwrap();
    let token = headers.get("authorization").map(|value| value.to_str().unwrap().replace("Bearer ", ""));
    server.tokens.push(token.unwrap_or_default());
    server.calls.push((method, body));
    let (status, retry_after, answer) = server.answers.pop_front().unwrap_or((200, None, json!({"ok": true})));
    let mut response = (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.parse().unwrap());
    }
    response
}

/// A connection that receives over sockets, and its server.
pub(crate) async fn start_with_sockets(answers: Vec<(u16, Option<&'static str>, Value)>) -> (Slack, Shared) {
    let (_, shared) = start(answers).await;
    let api_base_url = shared.lock().unwrap().base.parse().unwrap();
    let settings = Settings {
        signing_secret: None,
        app_token: Some(Secret::new("xapp-test")),
        bot_token: Some(Secret::new("xoxb-test")),
        client: None,
        api_base_url,
        feedback: false,
    };
    (Slack::new("slack", settings).unwrap(), shared)
}

pub(crate) async fn start(answers: Vec<(u16, Option<&'static str>, Value)>) -> (Slack, Shared) {
    let shared = Shared::default();
    shared.lock().unwrap().answers.extend(answers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api", listener.local_addr().unwrap());
    shared.lock().unwrap().base.clone_from(&base);
    let router = Router::new().route("/api/{method}", axum::routing::post(method)).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Settings {
        signing_secret: Some(Secret::new("8f742231b10e8888abcd99yyyzzz85a5")),
        app_token: None,
        bot_token: Some(Secret::new("xoxb-test")),
        client: None,
        api_base_url: base.parse().unwrap(),
        feedback: false,
    };
    (Slack::new("slack", settings).unwrap(), shared)
}

pub(crate) fn context() -> ReplyContext {
    let location = [("channel", "C1"), ("thread_ts", "1700000000.000100"), ("team", "T1")];
    ReplyContext {
        thread: ThreadRef {
            installation: "T1".into(),
            key: "C1:1700000000.000100".into(),
            location: location
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<BTreeMap<_, _>>(),
            display: "#C1".into(),
        },
        recipient: Actor { id: "UALICE".into(), name: "alice".into(), kind: ActorKind::Human },
        message: None,
        marker: Marker::of(InstanceId::of("a"), 1, 0),
        since_ms: 1_700_000_000_000,
        has_failed: false,
    }
}

pub(crate) fn methods(server: &Shared) -> Vec<String> {
    server.lock().unwrap().calls.iter().map(|(method, _)| method.clone()).collect()
}

/// The arguments of the n-th call.
pub(crate) fn arguments(server: &Shared, index: usize) -> Value {
    serde_json::from_str(&server.lock().unwrap().calls[index].1).unwrap()
}

/// An answer that is no error.
pub(crate) fn ok(fields: Value) -> (u16, Option<&'static str>, Value) {
    let mut answer = fields;
    answer["ok"] = json!(true);
    (200, None, answer)
}

/// An answer that is one of Slack's errors.
pub(crate) fn refused(code: &str) -> (u16, Option<&'static str>, Value) {
    (200, None, json!({"ok": false, "error": code}))
}
