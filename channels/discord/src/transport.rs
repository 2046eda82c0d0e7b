//! One call of Discord's REST API, once: no repeats, no redirects, a deadline, and limits obeyed before and learnt after.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, redirect};
use reveille_channel::{ReplyError, Secret};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::limits::{Held, Limits, Route, Told};
use crate::refusal::Refusal;
use crate::settings::SettingsError;

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The largest answer that is read, bytes: a hundred long messages are a quarter of it.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// A limit that passes this soon is waited for here.
const WAIT_HERE: Duration = Duration::from_secs(2);

/// The wait where a limit names none.
const WAIT: Duration = Duration::from_secs(5);

/// A wait that is longer is not believed: a reply that sleeps for days is lost.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// "Reference: User Agent" wants this form.
const USER_AGENT: &str = concat!("DiscordBot (https://reveille.invalid, ", env!("CARGO_PKG_VERSION"), ")");

/// What a second call of the same would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing more: reads, and changes to a given state.
    Harmless,
    /// Post again.
    Doubles,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    verb: Method,
    segments: Vec<String>,
    route: Route,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) repeat: Repeat,
}

impl Call {
    /// A call of `template`: a verb and a path with `{}` for each of `ids`. What it did last holds.
    pub(crate) fn new(template: &'static str, ids: &[&str]) -> Self {
        let (verb, path) = template.split_once(' ').unwrap_or(("GET", template));
        let mut given = ids.iter();
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| if segment == "{}" { given.next().copied().unwrap_or_default() } else { segment }.to_owned())
            .collect();
        let is_interaction = path.starts_with("/webhooks/") || path.starts_with("/interactions/");
        // "Top-level resources": a webhook's limit is counted by its id and token.
        let major = ids.iter().take(if is_interaction { 2 } else { 1 }).copied().collect::<Vec<_>>().join(":");
        Self {
            verb: Method::from_bytes(verb.as_bytes()).unwrap_or(Method::GET),
            segments,
            route: Route { template, major, is_interaction },
            query: Vec::new(),
            body: None,
            repeat: Repeat::Harmless,
        }
    }

    pub(crate) fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Doing it twice is not the same as doing it once.
    pub(crate) fn that_doubles(mut self) -> Self {
        self.repeat = Repeat::Doubles;
        self
    }
}

/// Why a call was not done, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Discord refused it.
    Refused(Refusal),
    /// It was not made, or there is no answer.
    Other(ReplyError),
}

impl From<Failure> for ReplyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Other(error) => error,
        }
    }
}

/// The API with one bot's token.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    token: Secret,
    limits: Limits,
}

impl Transport {
    pub(crate) fn new(base: Url, token: Secret) -> Result<Self, SettingsError> {
        let client = Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(CALL_DEADLINE)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent(USER_AGENT)
            .build()
            .map_err(|_| SettingsError::new("api_base_url", "no HTTP client can be made for it"))?;
        Ok(Self { client, base, token, limits: Limits::default() })
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// Makes the call. An answer without a body is `Null`.
    pub(crate) async fn call(&self, call: Call) -> Result<Value, Failure> {
        let Call { verb, segments, route, query, body, repeat } = call;
        let name = route.template;
        self.wait_for(&route).await.map_err(Failure::Other)?;
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| {
                Failure::Other(ReplyError::Refused(format!("{name}: api_base_url is no base of an address")))
            })?
            .pop_if_empty()
            .extend(&segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(verb, url);
        // An interaction's token stands in the path and is all that is needed.
        if !route.is_interaction {
            request = request.header(AUTHORIZATION, format!("Bot {}", self.token.expose()));
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let lost = |what: &str| {
            let said = format!("{name}: {what}");
            Failure::Other(match repeat {
                Repeat::Harmless => ReplyError::Retry { after_ms: 1_000, reason: said },
                Repeat::Doubles => ReplyError::Unknown(said),
            })
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            // It never left.
            Err(error) if error.is_connect() => {
                let reason = format!("{name}: Discord cannot be reached: {}", error.without_url());
                return Err(Failure::Other(ReplyError::Retry { after_ms: 1_000, reason }));
            }
            Err(error) if error.is_timeout() => return Err(lost("no answer in time")),
            Err(error) => return Err(lost(&error.without_url().to_string())),
        };
        let status = answer.status().as_u16();
        let mut told = told(status, answer.headers());
        let read = read(answer).await;
        let parsed: Option<Value> = match &read {
            Ok(bytes) if bytes.is_empty() => Some(Value::Null),
            Ok(bytes) => serde_json::from_slice(bytes).ok(),
            Err(_) => None,
        };
        if status == 429 {
            let body = parsed.as_ref().and_then(|body| body.get("retry_after")).and_then(Value::as_f64);
            told.retry_after = body.and_then(seconds).or(told.retry_after).or(Some(WAIT));
            let global = parsed.as_ref().and_then(|body| body.get("global")).and_then(Value::as_bool);
            told.is_global |= global.unwrap_or(false);
        }
        self.limits.learn(&route, &told, Instant::now());
        match status {
            200..300 => {
                if let Err(what) = &read {
                    return Err(lost(what));
                }
                parsed.ok_or_else(|| lost(&format!("the answer (HTTP {status}) is no JSON")))
            }
            429 => {
                let wait = told.retry_after.unwrap_or(WAIT);
                let reason = format!("{name}: rate limited{}", if told.is_global { " over all calls" } else { "" });
                Err(Failure::Other(ReplyError::Retry { after_ms: millis(wait), reason }))
            }
            408 | 500.. => Err(lost(&format!("HTTP {status}"))),
            _ => Err(Failure::Refused(Refusal::read(name, status, parsed.as_ref().unwrap_or(&Value::Null)))),
        }
    }

    async fn wait_for(&self, route: &Route) -> Result<(), ReplyError> {
        let name = route.template;
        let mut waited = Duration::ZERO;
        loop {
            match self.limits.take(route, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(Held::Refused) => {
                    let said =
                        format!("{name}: the bot's token was refused a moment ago; it is not tried again at once");
                    return Err(ReplyError::Credentials(said));
                }
                Err(Held::Until { wait, .. }) if waited + wait <= WAIT_HERE => {
                    tokio::time::sleep(wait).await;
                    waited += wait.max(Duration::from_millis(1));
                }
                Err(Held::Until { wait, why }) => {
                    return Err(ReplyError::Retry { after_ms: millis(wait), reason: format!("{name}: {why}") });
                }
            }
        }
    }
}

fn told(status: u16, headers: &HeaderMap) -> Told {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let number = |name: &str| text(name).and_then(|text| text.trim().parse::<f64>().ok());
    let scope = text("x-ratelimit-scope");
    Told {
        status,
        bucket: text("x-ratelimit-bucket").map(ToOwned::to_owned),
        remaining: text("x-ratelimit-remaining").and_then(|text| text.trim().parse().ok()),
        reset_after: number("x-ratelimit-reset-after").and_then(seconds),
        retry_after: number(RETRY_AFTER.as_str()).and_then(seconds),
        is_global: scope == Some("global") || text("x-ratelimit-global").is_some(),
        is_shared: scope == Some("shared"),
    }
}

/// A wait in seconds, with its fraction; nothing that is negative, endless or no number.
fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(WAIT_MAX))
}

fn millis(wait: Duration) -> u64 {
    // Rounded up: a moment too early is an invalid request.
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(format!("the answer broke off: {}", error.without_url())),
        }
        if body.len() > ANSWER_MAX {
            return Err("the answer is too long".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_limit_is_counted_by_its_resource() {
        let call = Call::new("PATCH /channels/{}/messages/{}", &["1", "2"]);
        assert_eq!(call.segments, ["channels", "1", "messages", "2"]);
        assert_eq!((call.route.major.as_str(), call.route.is_interaction), ("1", false));
        let call = Call::new("PATCH /webhooks/{}/{}/messages/@original", &["1", "to/ken"]);
        assert_eq!((call.route.major.as_str(), call.route.is_interaction), ("1:to/ken", true));
        assert_eq!(Call::new("GET /users/@me", &[]).route.major, "");
    }

    #[test]
    fn odd_waits_are_no_waits() {
        assert_eq!(seconds(64.57), Some(Duration::from_millis(64_570)));
        assert_eq!(seconds(1e300), None);
        assert_eq!(seconds(1e9), Some(WAIT_MAX));
        for odd in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(seconds(odd), None);
        }
    }
}
