//! Linear's GraphQL endpoint and its token endpoint ("GraphQL", "Rate limiting", "OAuth 2.0 authentication").

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use axum::Router;
use axum::extract::{RawQuery, Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Linear;
use super::graph::{Node, TEAM, What, schema};
use super::rules::{Refusal, perform};
use super::state::{State, now_ms};
use crate::fault::Fault;
use crate::{Call, lock};

/// The largest request that is read, bytes.
const REQUEST_MAX: usize = 1024 * 1024;

/// "Client credentials": valid for 30 days.
const TOKEN_LIFE_S: u64 = 2_591_999;

/// Of an installation: valid for 24 hours.
const INSTALLED_LIFE_S: u64 = 86_399;

pub(crate) fn router(linear: Linear) -> Router {
    Router::new()
        .route("/graphql", post(graphql))
        .route("/oauth/authorize", get(authorize))
        .route("/oauth/token", post(token))
        .with_state(linear)
}

/// An error answer.
fn refused(status: StatusCode, refusal: &Refusal, path: Option<&str>) -> Response {
    let body = json!({ "errors": [{
        "message": refusal.message, "path": path.map(|path| vec![path]),
        "extensions": { "code": refusal.code, "type": refusal.kind, "userError": true,
            "userPresentableMessage": refusal.shown, "statusCode": status.as_u16() },
    }], "data": null });
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn plain(message: &str, code: &'static str, kind: &'static str) -> Refusal {
    Refusal { message: message.to_owned(), code, kind, shown: message.to_owned() }
}

/// What of a request names a fault: the first field that it asks for.
fn first_field(document: &ExecutableDocument) -> String {
    let operation = document.operations.iter().next();
    let field = operation.and_then(|operation| operation.root_fields(document).next());
    field.map(|field| field.name.to_string()).unwrap_or_default()
}

async fn read(body: axum::body::Body) -> Option<Bytes> {
    let whole = http_body_util::Limited::new(body, REQUEST_MAX).collect().await;
    whole.ok().map(http_body_util::Collected::to_bytes)
}

async fn graphql(Extract(linear): Extract<Linear>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = authorization.map(|value| value.strip_prefix("Bearer ").unwrap_or(value)).unwrap_or_default();
    if given.is_empty() || *lock(&linear.token) != given {
        let refusal =
            plain("Authentication required, not authenticated", "AUTHENTICATION_ERROR", "authentication error");
        return refused(StatusCode::UNAUTHORIZED, &refusal, None);
    }
    let asked = read(body).await.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
    let (Some(asked), Some(schema)) = (asked, schema()) else {
        return refused(StatusCode::BAD_REQUEST, &plain("POST body missing", "BAD_REQUEST", "graphql error"), None);
    };
    let query = asked.get("query").and_then(Value::as_str).unwrap_or_default();
    let document = match ExecutableDocument::parse_and_validate(schema, query, "query.graphql") {
        Ok(document) => document,
        Err(error) => {
            let refusal = plain(&error.errors.to_string(), "GRAPHQL_VALIDATION_FAILED", "graphql error");
            return refused(StatusCode::BAD_REQUEST, &refusal, None);
        }
    };
    let field = first_field(&document);
    let fault = linear.faults.take(&field);
    match &fault {
        Some(Fault::Error500) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::RateLimit(seconds)) => return limited(*seconds),
        Some(Fault::RefuseToken) => {
            let refusal =
                plain("Authentication required, not authenticated", "AUTHENTICATION_ERROR", "authentication error");
            return refused(StatusCode::UNAUTHORIZED, &refusal, None);
        }
        Some(Fault::Delay(wait)) => tokio::time::sleep(*wait).await,
        _ => {}
    }
    let variables: JsonMap =
        serde_json::from_value(asked.get("variables").cloned().unwrap_or_default()).unwrap_or_default();
    let root = Root {
        linear: linear.clone(),
        is_mutation: document.operations.iter().any(|operation| operation.is_mutation()),
        refusal: Mutex::new(None),
    };
    let execution = Execution::new(schema, &document).raw_variable_values(&variables);
    let answer = execution.execute_sync(&root);
    linear.shared.touch();
    if fault == Some(Fault::DropAnswer) {
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    let refusal = lock(&root.refusal).take();
    match (answer, refusal) {
        // Errors of input are answered with 200.
        (_, Some(refusal)) => refused(StatusCode::OK, &refusal, Some(&field)),
        (Err(error), None) => {
            let refusal = plain(&error.message().to_string(), "INVALID_INPUT", "graphql error");
            refused(StatusCode::BAD_REQUEST, &refusal, Some(&field))
        }
        (Ok(answer), None) => {
            let headers = [
                ("content-type", "application/json; charset=utf-8"),
                ("x-complexity", "1"),
                ("x-ratelimit-requests-limit", "5000"),
                ("x-ratelimit-requests-remaining", "4999"),
                ("x-ratelimit-complexity-limit", "2000000"),
                ("x-ratelimit-complexity-remaining", "1999999"),
            ];
            (headers, serde_json::to_string(&answer).unwrap_or_default()).into_response()
        }
    }
}

/// "Rate limiting": 400, `RATELIMITED`, and when the budget is full again in the headers.
fn limited(seconds: u64) -> Response {
    let refusal = plain("Rate limit exceeded", "RATELIMITED", "ratelimited");
    let mut answer = refused(StatusCode::BAD_REQUEST, &refusal, None);
    let reset = (now_ms() + seconds * 1_000).to_string();
    for (name, value) in [("x-ratelimit-requests-remaining", "0".to_owned()), ("x-ratelimit-requests-reset", reset)] {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// Where an answer begins.
struct Root {
    linear: Linear,
    is_mutation: bool,
    refusal: Mutex<Option<Refusal>>,
}

impl ObjectValue for Root {
    fn type_name(&self) -> &str {
        if self.is_mutation { "Mutation" } else { "Query" }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        let arguments = serde_json::to_value(info.arguments()).unwrap_or_default();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let done = if self.is_mutation {
            self.linear.change(name, &arguments)
        } else {
            let state = Arc::new(lock(&self.linear.state).clone());
            find(&state, name, &arguments, info.arguments()).map(|what| Node { state, what })
        };
        match done {
            Ok(node) => Ok(ResolvedValue::object(node)),
            Err(refusal) => {
                let message = refusal.message.clone();
                *lock(&self.refusal) = Some(refusal);
                Err(FieldError { message })
            }
        }
    }
}

impl Linear {
    /// Does a mutation as the app.
    fn change(&self, name: &str, arguments: &Map<String, Value>) -> Result<Node, Refusal> {
        let (node, hooks) = {
            let mut state = lock(&self.state);
            *lock(&self.actor) = state.app().id;
            let (what, hooks) = perform(&mut state, name, arguments).ok_or_else(|| Refusal::missing("Mutation"))??;
            state.calls.push(Call { method: name.to_owned(), arguments: Value::Object(arguments.clone()) });
            (Node { state: Arc::new(state.clone()), what }, hooks)
        };
        self.tell(hooks);
        Ok(node)
    }
}

/// What a query asks for.
fn find(state: &State, name: &str, arguments: &Map<String, Value>, raw: &JsonMap) -> Result<What, Refusal> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = text("id");
    match name {
        "viewer" => Ok(What::User(state.app().id)),
        "user" => state.user(id).map(|user| What::User(user.id.clone())).ok_or_else(|| Refusal::missing("User")),
        "agentActivity" => {
            let found = state.activity(id).map(|(_, activity)| What::Activity(activity.id.clone()));
            found.ok_or_else(|| Refusal::missing("AgentActivity"))
        }
        "agentSession" => {
            state.session(id).map(|one| What::Session(one.id.clone())).ok_or_else(|| Refusal::missing("AgentSession"))
        }
        "comment" => {
            state.comment(id).map(|(_, one)| What::Comment(one.id.clone())).ok_or_else(|| Refusal::missing("Comment"))
        }
        "issue" => state.issue(id).map(|one| What::Issue(one.id.clone())).ok_or_else(|| Refusal::missing("Issue")),
        "team" if id == TEAM => Ok(What::Team),
        "team" => Err(Refusal::missing("Team")),
        "issues" | "searchIssues" => {
            let at =
                |path: &str| arguments.get("filter").and_then(|filter| filter.pointer(path)).and_then(Value::as_str);
            let kind = at("/state/type/eq");
            let is_in = |issue: &&super::LinearIssue| {
                let kind_of = state.states.iter().find(|one| one.name == issue.state).map(|one| one.kind);
                let words = format!("{} {} {}", issue.identifier, issue.title, issue.description).to_lowercase();
                at("/team/id/eq").is_none_or(|team| team == TEAM)
                    && kind.is_none_or(|kind| kind_of == Some(kind))
                    && words.contains(&text("term").to_lowercase())
            };
            let mut found: Vec<_> = state.issues.iter().filter(is_in).collect();
            found.sort_by_key(|issue| std::cmp::Reverse((issue.changed_ms, issue.number)));
            let found = found.into_iter().map(|issue| issue.id.clone());
            Ok(if name == "issues" {
                Node::page("IssueConnection", found.map(What::Issue).collect(), raw)
            } else {
                Node::page("IssueSearchPayload", found.map(What::Found).collect(), raw)
            })
        }
        "issueLabels" => {
            let all = state.labels.iter().map(|label| What::Label(label.id.clone())).collect();
            Ok(Node::page("IssueLabelConnection", all, raw))
        }
        _ => Err(Refusal::missing("Query")),
    }
}

/// The application, as its settings and its workspace have it.
#[derive(Debug, Default)]
pub(super) struct App {
    pub(super) is_installed_only: bool,
    pub(super) installed: usize,
    pub(super) refreshed: usize,
    /// The code that is good, with its redirect address and challenge.
    code: Option<(String, String, String)>,
    /// The refresh token that is good, once.
    pub(super) refresh: Option<String>,
}

/// The page: whoever sees it agrees at once ("OAuth 2.0 authentication": redirect user access requests).
async fn authorize(Extract(linear): Extract<Linear>, RawQuery(query): RawQuery) -> Response {
    let given: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let is = |name: &str, value: &str| given.get(name).is_some_and(|given| given == value);
    let back = given.get("redirect_uri").and_then(|url| url.parse::<url::Url>().ok());
    let challenge = given.get("code_challenge").cloned().unwrap_or_default();
    let (true, Some(mut back), false) = (
        is("client_id", &linear.options.client.0)
            && is("response_type", "code")
            && is("actor", "app")
            && is("code_challenge_method", "S256"),
        back,
        challenge.is_empty(),
    ) else {
        return (StatusCode::BAD_REQUEST, "invalid_request").into_response();
    };
    let code = format!("code-{}", lock(&linear.state).new_id(0xc0));
    lock(&linear.app).code = Some((code.clone(), back.to_string(), challenge));
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", given.get("state").map(String::as_str).unwrap_or_default());
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

/// The token endpoint: client credentials, codes with PKCE, refresh tokens that are good once. One token is good at a time.
async fn token(Extract(linear): Extract<Linear>, request: Request) -> Response {
    let body = read(request.into_body()).await.unwrap_or_default();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field =
        |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let denied = |status: StatusCode, error: &str| (status, json!({ "error": error }).to_string()).into_response();
    if linear.faults.take("oauth/token") == Some(Fault::Error500) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let (id, secret) = &linear.options.client;
    if field("client_id") != id || field("client_secret") != secret || id.is_empty() {
        return denied(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut app = lock(&linear.app);
    let fresh = lock(&linear.state).new_id(0xf);
    let refresh = match field("grant_type") {
        "client_credentials" if app.is_installed_only => return denied(StatusCode::BAD_REQUEST, "unauthorized_client"),
        "client_credentials" if field("scope").is_empty() => return denied(StatusCode::BAD_REQUEST, "invalid_scope"),
        "client_credentials" => None,
        "authorization_code" => {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
            let expected = (field("code").to_owned(), field("redirect_uri").to_owned(), hash);
            if app.code.take().is_none_or(|code| code != expected) {
                return denied(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            app.installed += 1;
            Some(format!("lin_refresh_{fresh}"))
        }
        "refresh_token" => {
            if app.refresh.take().is_none_or(|refresh| refresh != field("refresh_token")) {
                return denied(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            app.refreshed += 1;
            Some(format!("lin_refresh_{fresh}"))
        }
        _ => return denied(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    let fresh = format!("lin_oauth_{fresh}");
    lock(&linear.token).clone_from(&fresh);
    let life_s = if refresh.is_some() { INSTALLED_LIFE_S } else { TOKEN_LIFE_S };
    let mut body =
        json!({ "access_token": fresh, "token_type": "Bearer", "expires_in": life_s, "scope": field("scope") });
    if let (Some(refresh), Some(body)) = (&refresh, body.as_object_mut()) {
        body.insert("refresh_token".into(), json!(refresh));
        app.refresh = Some(refresh.clone());
    }
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
