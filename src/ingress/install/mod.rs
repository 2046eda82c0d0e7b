//! The browser's side of an installation by OAuth: out to the platform's page, back with a code, and a page that says what
//! came of it.
//!
//! Anybody may set out, as from an "Add to Slack" button: the platform asks whoever it is whether they may. What comes back
//! is looked at in one order: first whether this browser set out from here lately, and has not come back yet; then what the
//! platform says. The success page is shown when the installation is durable.

mod page;
mod state;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reveille_channel::{Authorization, Code, InstallError, Secret};
use tokio::sync::Semaphore;
use url::Url;

use super::Edge;
use super::deliver::come_back;
use page::{Page, guard};
use state::States;

/// Installations that may be made at once: each holds a call to a platform.
const AT_ONCE: usize = 8;

/// The longest query that is read, bytes.
const QUERY_MAX: usize = 4096;

/// The cookie that binds a state to its browser.
const COOKIE: &str = "reveille_install";

/// What installations need besides the edge.
#[derive(Debug)]
pub(super) struct Installing {
    public_url: Option<Url>,
    states: States,
    places: Semaphore,
}

impl Installing {
    pub(super) fn new(public_url: Option<Url>) -> Self {
        Self { public_url, states: States::new(), places: Semaphore::new(AT_ONCE) }
    }

    /// Where the platform sends browsers back to. It is configured, and never what a request says of its host.
    fn redirect(&self, connection: &str) -> Option<Url> {
        let mut url = self.public_url.clone()?;
        let path = format!("{}/channels/{connection}/oauth/callback", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Some(url)
    }

    /// Where to set out, for links.
    fn start(&self, connection: &str) -> String {
        let base = self.public_url.as_ref().map_or("", Url::path).trim_end_matches('/');
        format!("{base}/channels/{connection}/install")
    }
}

/// `GET /channels/{name}/install`: sends the browser to the platform's page. `?team=T...` says which tenant is meant.
pub(super) async fn begin(State(edge): State<Edge>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some(connection) = edge.connections.get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(installer) = connection.channel().installer() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_permit) = edge.requests.try_acquire() else {
        return come_back();
    };
    let Some(redirect) = edge.installing.redirect(&name) else {
        tracing::error!(connection = name, "nobody can install the app: server.public_url is not set");
        return Page {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "This gateway does not know its own address",
            text: &[
                "The app can be installed when the gateway's operator has set public_url in the table [server] of its configuration.",
            ],
            again: None,
        }
        .into_response();
    };
    let meant = parameters(query.as_deref()).and_then(|all| only(&all, "team").map(ToOwned::to_owned));
    if meant.as_deref().is_some_and(|meant| !state::is_installation(meant)) {
        return Page {
            status: StatusCode::BAD_REQUEST,
            title: "This link is not whole",
            text: &["What stands behind \"team=\" is not the id of a workspace. Ask whoever gave you the link for another one."],
            again: Some(&edge.installing.start(&name)),
        }
        .into_response();
    }
    let Some(begun) = edge.installing.states.begin(&name, meant.as_deref(), edge.clock.now_ms()) else {
        return come_back();
    };
    let page = installer.authorize(&Authorization {
        redirect: &redirect,
        state: &begun.state,
        challenge: &begun.challenge,
        installation: meant.as_deref(),
    });
    metrics::counter!("installations_begun_total", "connection" => name).increment(1);
    let cookie = cookie(&redirect, begun.nonce.expose(), state::LIFE_MS / 1000);
    let Ok(location) = HeaderValue::from_str(page.as_str()) else {
        return come_back();
    };
    let mut answer = (StatusCode::FOUND, [(header::LOCATION, location), (header::SET_COOKIE, cookie)]).into_response();
    guard(&mut answer);
    answer
}

/// `GET /channels/{name}/oauth/callback`: the browser comes back.
pub(super) async fn callback(
    State(edge): State<Edge>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(connection) = edge.connections.get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (Some(_), Some(redirect)) = (connection.channel().installer(), edge.installing.redirect(&name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_permit) = edge.requests.try_acquire() else {
        return come_back();
    };
    let (outcome, mut answer) = come(&edge, &name, &redirect, query.as_deref(), &headers).await;
    metrics::counter!("installations_total", "connection" => name, "outcome" => outcome).increment(1);
    // It did its work. One that somebody else's link was tried with may still be needed.
    if outcome != "state" {
        answer.headers_mut().insert(header::SET_COOKIE, cookie(&redirect, "", 0));
    }
    answer
}

async fn come(
    edge: &Edge,
    name: &str,
    redirect: &Url,
    query: Option<&str>,
    headers: &HeaderMap,
) -> (&'static str, Response) {
    let start = edge.installing.start(name);
    let page = |status, title, text: &[&str]| Page { status, title, text, again: Some(&start) }.into_response();
    let parameters = parameters(query).unwrap_or_default();
    // Before anything else.
    let back = only(&parameters, "state")
        .zip(nonce(headers))
        .and_then(|(state, nonce)| edge.installing.states.back(name, state, nonce, edge.clock.now_ms()));
    let Some(back) = back else {
        tracing::warn!(connection = name, "somebody came back from the platform who did not set out here");
        let text = [
            "It was not begun in this browser, took longer than ten minutes, or this page was opened twice.",
            "Nothing was installed by this page.",
        ];
        return ("state", page(StatusCode::BAD_REQUEST, "This installation cannot go on", &text));
    };
    if let Some(error) = only(&parameters, "error") {
        let is_denied = error == "access_denied";
        tracing::info!(connection = name, is_denied, "an installation was ended at the platform's page");
        let text: [&str; 2] = if is_denied {
            ["You did not agree, so nothing was installed.", "If you may not agree yourself, ask an administrator to."]
        } else {
            [
                "The platform did not let it go on, so nothing was installed.",
                "Ask the gateway's operator to look at the app's settings there.",
            ]
        };
        return ("denied", page(StatusCode::FORBIDDEN, "The app was not installed", &text));
    }
    let Some(code) = only(&parameters, "code").filter(|code| !code.is_empty()).map(Secret::new) else {
        let text = ["The platform sent you back without a code, so nothing was installed."];
        return ("no_code", page(StatusCode::BAD_REQUEST, "This installation cannot go on", &text));
    };
    let Some(installer) = edge.connections.get(name).and_then(|connection| connection.channel().installer()) else {
        return ("gone", StatusCode::NOT_FOUND.into_response());
    };
    let Ok(_place) = edge.installing.places.try_acquire() else {
        let text = ["Too many people install it at once. Begin again in a minute."];
        return ("busy", page(StatusCode::SERVICE_UNAVAILABLE, "The app was not installed", &text));
    };
    let code = Code { code: &code, redirect, verifier: &back.verifier, installation: back.installation.as_deref() };
    match installer.install(&code).await {
        Ok(installed) => {
            let title = format!("Installed in {}", installed.name);
            let text = [
                format!("Call it there with @{}: it answers in the thread of your message.", installed.handle),
                "You can close this page.".to_owned(),
            ];
            let text: Vec<&str> = text.iter().map(String::as_str).collect();
            let page = Page { status: StatusCode::OK, title: &title, text: &text, again: None };
            ("installed", page.into_response())
        }
        Err(error) => {
            if matches!(error, InstallError::Refused(_)) {
                tracing::warn!(connection = name, %error, "an installation was not made");
            } else {
                tracing::error!(connection = name, %error, "an installation was not made");
            }
            let (outcome, status, text) = match error {
                InstallError::Refused(_) => (
                    "refused",
                    StatusCode::BAD_REQUEST,
                    "The platform does not give this gateway a token. Ask the gateway's operator to look at client_id, client_secret and the redirect address of the app.",
                ),
                InstallError::NotWanted(_) => (
                    "not_wanted",
                    StatusCode::FORBIDDEN,
                    "This gateway does not take the app's installation in that place, or by you. Ask its operator.",
                ),
                InstallError::Unreachable(_) => (
                    "unreachable",
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The platform does not answer. Begin again in a minute.",
                ),
                InstallError::NotKept(_) => (
                    "not_kept",
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The installation could not be stored. Begin again in a minute.",
                ),
            };
            (outcome, page(status, "The app was not installed", &[text]))
        }
    }
}

type Parameters = Vec<(String, String)>;

/// The query. `None`: there is none, or it is too long to be one of a platform.
fn parameters(query: Option<&str>) -> Option<Parameters> {
    let query = query.filter(|query| query.len() <= QUERY_MAX)?;
    Some(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// A parameter that is there once.
fn only<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let mut found = parameters.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// What the cookie holds, if it is there once.
fn nonce(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// A cookie for the callback alone. `Lax`: it comes along when the platform sends the browser back.
fn cookie(redirect: &Url, value: &str, seconds: i64) -> HeaderValue {
    let secure = if redirect.scheme() == "https" { "; Secure" } else { "" };
    let path = redirect.path();
    let text = format!("{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // A path of an address has no character that a header has not.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("reveille_install=; Max-Age=0"))
}
