//! Slack's Web API, over our own transport.
//!
//! Requests and answers are JSON objects of which only what is needed is read: an answer to a post that was accepted must
//! never become a failure because a field of it is missing (see `docs/decisions/0004-slack-calls-over-our-own-transport.md`).
//! Nothing is ever tried again here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, StatusCode, header, redirect};
use reveille_channel::{Grant, Refresh, ReplyError, Secret};
use serde_json::{Map, Value};
use url::Url;

use crate::clock;
use crate::refusal;
use crate::settings::SettingsError;

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The largest answer that is read, bytes.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// Methods that take form arguments alone.
const READS: [&str; 11] = [
    "apps.connections.open",
    "auth.revoke",
    "auth.test",
    "bookmarks.list",
    "conversations.history",
    "conversations.info",
    "conversations.list",
    "conversations.replies",
    "oauth.v2.access",
    "pins.list",
    "users.info",
];

/// What a second call of the same would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing more: reads, and edits to a given text.
    Harmless,
    /// Post or append again.
    Doubles,
}

/// Whose token goes with calls.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// Nobody's: what is called names its own.
    Missing,
    /// One that stays.
    Given(Secret),
    /// That of an installation, which may be replaced from call to call.
    Installed(Renewed),
}

/// The token of an installation, and who renews it.
#[derive(Clone)]
pub(crate) struct Renewed {
    pub(crate) grant: Arc<Grant>,
    pub(crate) with: Arc<dyn Refresh>,
}

impl std::fmt::Debug for Renewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.grant.fmt(f)
    }
}

/// The Web API with one token.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: Url,
    credential: Credential,
}

impl Api {
    pub(crate) fn new(base: Url, credential: Credential) -> Result<Self, SettingsError> {
        let client = Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(CALL_DEADLINE)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent(concat!("reveille/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| SettingsError { key: "api_base_url", reason: "no HTTP client can be made for it".into() })?;
        let mut base = base;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { client, base, credential })
    }

    /// The same server, called with another token.
    pub(crate) fn with(&self, credential: Credential) -> Self {
        Self { credential, ..self.clone() }
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Whether calls are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Calls a method with JSON arguments. Reads take form arguments: not all of them accept JSON ("Web API: POST bodies").
    pub(crate) async fn call(
        &self,
        method: &'static str,
        arguments: Map<String, Value>,
        repeat: Repeat,
    ) -> Result<Map<String, Value>, ReplyError> {
        let token = self.token().await?;
        match (self.call_as(method, &token, arguments.clone(), repeat).await, &self.credential) {
            // Nothing was done: Slack looks at the token first.
            (Err(error), Credential::Installed(Renewed { grant, with })) if refusal::is_expired(&error) => {
                match grant.instead_of(&token, with).await? {
                    Some(token) => self.call_as(method, &token, arguments, repeat).await,
                    None => Err(error),
                }
            }
            (answer, _) => answer,
        }
    }

    async fn token(&self) -> Result<Secret, ReplyError> {
        match &self.credential {
            Credential::Given(token) => Ok(token.clone()),
            Credential::Installed(Renewed { grant, with }) => grant.token(with, clock::now_ms()).await,
            Credential::Missing => Err(ReplyError::Credentials("the app is installed in no workspace yet".into())),
        }
    }

    /// Calls a method that takes no token: its arguments say who we are.
    pub(crate) async fn call_unsigned(
        &self,
        method: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, ReplyError> {
        self.send(method, None, arguments, Repeat::Harmless).await.map(|(answer, _)| answer)
    }

    /// Calls a method with another token than the bot's.
    pub(crate) async fn call_as(
        &self,
        method: &'static str,
        token: &Secret,
        arguments: Map<String, Value>,
        repeat: Repeat,
    ) -> Result<Map<String, Value>, ReplyError> {
        self.send(method, Some(token), arguments, repeat).await.map(|(answer, _)| answer)
    }

    /// "auth.test", with the scopes of the token where Slack tells them (`X-OAuth-Scopes`).
    pub(crate) async fn who(&self) -> Result<(Map<String, Value>, Option<String>), ReplyError> {
        let token = self.token().await?;
        self.send("auth.test", Some(&token), Map::new(), Repeat::Harmless).await
    }

    async fn send(
        &self,
        method: &'static str,
        token: Option<&Secret>,
        arguments: Map<String, Value>,
        repeat: Repeat,
    ) -> Result<(Map<String, Value>, Option<String>), ReplyError> {
        let lost = |what: &str| match repeat {
            Repeat::Harmless => ReplyError::Retry { after_ms: 1_000, reason: format!("{method}: {what}") },
            Repeat::Doubles => ReplyError::Unknown(format!("{method}: {what}")),
        };
        let url = self
            .base
            .join(method)
            .map_err(|_| ReplyError::Refused(format!("{method}: api_base_url is no base of an address")))?;
        let request = self.client.post(url);
        let request = match token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose())),
            None => request,
        };
        let is_read = READS.contains(&method);
        let request = if is_read {
            let form: Vec<(String, String)> =
                arguments.into_iter().map(|(name, value)| (name, plain(&value))).collect();
            request.form(&form)
        } else {
            request
                .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
                .body(Value::Object(arguments).to_string())
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            // It never left.
            Err(error) if error.is_connect() => {
                let reason = format!("{method}: Slack cannot be reached: {}", error.without_url());
                return Err(ReplyError::Retry { after_ms: 1_000, reason });
            }
            Err(error) if error.is_timeout() => return Err(lost("no answer in time")),
            Err(error) => return Err(lost(&error.without_url().to_string())),
        };
        let status = answer.status();
        let after_ms = retry_after_ms(&answer);
        let scopes =
            answer.headers().get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refusal::too_fast(method, after_ms));
        }
        if status == StatusCode::NOT_FOUND {
            return Err(refusal::of(method, refusal::UNKNOWN_METHOD));
        }
        if status.is_server_error() {
            return Err(lost(&format!("HTTP {}", status.as_u16())));
        }
        if status.is_redirection() {
            return Err(ReplyError::Refused(format!(
                "{method}: api_base_url leads elsewhere (HTTP {})",
                status.as_u16()
            )));
        }
        let body = read(answer).await.map_err(|what| lost(&what))?;
        let Ok(Value::Object(body)) = serde_json::from_slice(&body) else {
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Err(ReplyError::Credentials(format!("{method}: HTTP {}", status.as_u16())));
            }
            if status.is_client_error() {
                return Err(ReplyError::Refused(format!("{method}: HTTP {}", status.as_u16())));
            }
            return Err(lost(&format!("the answer (HTTP {}) is no JSON object", status.as_u16())));
        };
        if body.get("ok") == Some(&Value::Bool(true)) {
            return Ok((body, scopes));
        }
        match body.get("error").and_then(Value::as_str) {
            Some("ratelimited" | "rate_limited") => Err(refusal::too_fast(method, after_ms)),
            Some(code) => Err(refusal::of_answer(method, code, &body)),
            None => Err(lost(&format!("the answer (HTTP {}) is neither ok nor an error", status.as_u16()))),
        }
    }

    /// Whether an address is on the server whose API this is.
    pub(crate) fn is_same_server(&self, url: &Url) -> bool {
        same_server(url, &self.base) && url.username().is_empty()
    }

    /// A file from an address that the caller knows to be Slack's, with our token: its media type as sent, and its bytes.
    pub(crate) async fn get(&self, url: Url, most: usize) -> Result<(Option<String>, Bytes), ReplyError> {
        const WHAT: &str = "the file";
        let lost = |what: &str| ReplyError::Retry { after_ms: 1_000, reason: format!("{WHAT}: {what}") };
        let token = self.token().await?;
        let request = self.client.get(url).header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        let answer = request.send().await.map_err(|error| lost(&error.without_url().to_string()))?;
        let status = answer.status();
        match status.as_u16() {
            200 => {}
            429 => return Err(refusal::too_fast(WHAT, retry_after_ms(&answer))),
            401 | 403 => return Err(ReplyError::Credentials(format!("{WHAT}: HTTP {}", status.as_u16()))),
            404 | 410 => return Err(ReplyError::Gone(format!("{WHAT}: HTTP {}", status.as_u16()))),
            500.. => return Err(lost(&format!("HTTP {}", status.as_u16()))),
            _ => return Err(ReplyError::Refused(format!("{WHAT}: HTTP {}", status.as_u16()))),
        }
        let media_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.map(ToOwned::to_owned);
        if answer.content_length().is_some_and(|length| u64::try_from(most).is_ok_and(|most| length > most)) {
            return Err(ReplyError::Refused(format!("{WHAT} is longer than {most} bytes")));
        }
        let body = read_most(answer, most).await.map_err(|what| ReplyError::Refused(format!("{WHAT}: {what}")))?;
        Ok((media_type, Bytes::from(body)))
    }

    /// Posts to a `response_url` ("Handling user interaction": message responses). Our token is not sent along; a second
    /// call would post again.
    pub(crate) async fn respond(&self, url: &str, body: &Value) -> Result<(), ReplyError> {
        const WHAT: &str = "response_url";
        let url = Url::parse(url).map_err(|_| ReplyError::Refused(format!("{WHAT}: it is no address")))?;
        if url.scheme() != "https" && !same_server(&url, &self.base) {
            return Err(ReplyError::Refused(format!("{WHAT}: it is not one of Slack's")));
        }
        let request = self.client.post(url).header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        let answer = match request.body(body.to_string()).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => {
                return Err(ReplyError::Retry { after_ms: 1_000, reason: format!("{WHAT}: Slack cannot be reached") });
            }
            Err(_) => return Err(ReplyError::Unknown(format!("{WHAT}: no answer"))),
        };
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refusal::too_fast(WHAT, retry_after_ms(&answer)));
        }
        if status.is_server_error() {
            return Err(ReplyError::Unknown(format!("{WHAT}: HTTP {}", status.as_u16())));
        }
        let said = read(answer).await.unwrap_or_default();
        let code = serde_json::from_slice::<Value>(&said).ok();
        let code = code.as_ref().filter(|said| said.get("ok") != Some(&Value::Bool(true)));
        match code.and_then(|said| said.get("error")).and_then(Value::as_str) {
            Some(code) => Err(refusal::of(WHAT, code)),
            None if status.is_success() => Ok(()),
            None => Err(ReplyError::Refused(format!("{WHAT}: HTTP {}", status.as_u16()))),
        }
    }
}

/// "Rate limits": whole seconds.
fn retry_after_ms(answer: &reqwest::Response) -> Option<u64> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000))
}

/// Whether two addresses are of the same server.
fn same_server(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

async fn read(answer: reqwest::Response) -> Result<Vec<u8>, String> {
    read_most(answer, ANSWER_MAX).await
}

async fn read_most(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(format!("the answer broke off: {}", error.without_url())),
        }
        if body.len() > most {
            return Err("the answer is too long".into());
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
