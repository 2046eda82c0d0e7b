//! One HTTP exchange with the REST API, once: no repeats, no redirects, a deadline, and every status seen.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use octocrab::Octocrab;
use reveille_channel::ReplyError;
use tokio::sync::OnceCell;
use url::Url;

/// Connecting, sending and the whole answer.
const DEADLINE: Duration = Duration::from_secs(20);
/// Shorter than the deadline, so that a connection that never was is not taken for an answer that was lost.
const CONNECT_DEADLINE: Duration = Duration::from_secs(8);
/// A hundred comments of the greatest length are a third of this.
const MOST_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// The path that stands for the GraphQL API, wherever that is.
pub(crate) const GRAPHQL: &str = "/graphql";

/// A request.
pub(crate) struct Call<'c> {
    pub(crate) method: Method,
    /// From `/` on, with its query, below the base address.
    pub(crate) path: &'c str,
    pub(crate) body: Option<&'c serde_json::Value>,
    pub(crate) authorization: Option<HeaderValue>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, and may have been done.
    Unanswered(String),
}

impl Lost {
    /// What to do next, given whether doing the call twice is the same as doing it once.
    pub(crate) fn into_error(self, is_repeatable: bool) -> ReplyError {
        match self {
            Self::NotSent(reason) => ReplyError::Retry { after_ms: 2_000, reason },
            Self::Unanswered(reason) if is_repeatable => ReplyError::Retry { after_ms: 1_000, reason },
            Self::Unanswered(reason) => ReplyError::Unknown(reason),
        }
    }
}

/// The connection to one base address.
#[derive(Debug)]
pub(crate) struct Transport {
    /// Without a slash at its end.
    base: String,
    /// The GraphQL API: beside the REST API on GitHub Enterprise Server, below it elsewhere ("Forming calls with GraphQL").
    graphql: String,
    /// The server alone: addresses are whole when octocrab gets them, and its joining of paths guesses.
    origin: String,
    /// The client starts a task of its own, so it is made on the first call and not before there is a runtime.
    client: OnceCell<Octocrab>,
    deadline: Duration,
}

impl Transport {
    pub(crate) fn new(url: &Url) -> Self {
        let base = url.as_str().trim_end_matches('/').to_owned();
        let graphql = match base.strip_suffix("/api/v3") {
            Some(host) => format!("{host}/api/graphql"),
            None => format!("{base}{GRAPHQL}"),
        };
        let mut origin = url.clone();
        origin.set_path("/");
        Self { base, graphql, origin: origin.into(), client: OnceCell::new(), deadline: DEADLINE }
    }

    /// The path of an address below the base; `None` for any other place.
    pub(crate) fn path_below<'a>(&self, address: &'a str) -> Option<&'a str> {
        address.strip_prefix(&self.base).filter(|path| path.starts_with('/'))
    }

    async fn client(&self) -> Result<&Octocrab, Lost> {
        let make = || async {
            Octocrab::builder()
                .base_uri(self.origin.as_str())
                .and_then(|builder| builder.set_connect_timeout(Some(CONNECT_DEADLINE)).build())
                .map_err(|error| Lost::NotSent(format!("the HTTPS client cannot be made: {}", causes(&error))))
        };
        self.client.get_or_try_init(make).await
    }

    /// Sends one request and waits for the whole answer.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, Lost> {
        let client = self.client().await?;
        let not_sent = |error: &dyn Error| Lost::NotSent(format!("the request cannot be built: {}", causes(error)));
        let address = if call.path == GRAPHQL { self.graphql.clone() } else { format!("{}{}", self.base, call.path) };
        let uri: Uri = address.parse().map_err(|error| not_sent(&error))?;
        let mut builder = Request::builder().method(call.method).uri(uri).header(ACCEPT, "application/vnd.github+json");
        if let Some(authorization) = call.authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        let request = client.build_request(builder, call.body).map_err(|error| not_sent(&error))?;
        let exchange = async {
            let response = client.send(request).await.map_err(|error| lost(&error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MOST_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| Lost::Unanswered(format!("the answer broke off: {}", causes(error.as_ref()))))?;
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        };
        match tokio::time::timeout(self.deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost::Unanswered(format!("no answer in {} s", self.deadline.as_secs()))),
        }
    }
}

/// Tells a connection that never was from an answer that never came.
fn lost(error: &octocrab::Error) -> Lost {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(client) = current.downcast_ref::<hyper_util::client::legacy::Error>() {
            let reason = causes(client);
            return if client.is_connect() { Lost::NotSent(reason) } else { Lost::Unanswered(reason) };
        }
        cause = current.source();
    }
    Lost::Unanswered(causes(error))
}

/// An error and its causes in one line. Snafu's errors print a backtrace when asked for more than their text.
fn causes(error: &dyn Error) -> String {
    let mut text = first_line(&error.to_string());
    let mut cause = error.source();
    while let Some(current) = cause {
        let line = first_line(&current.to_string());
        if !text.contains(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = current.source();
    }
    text
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
