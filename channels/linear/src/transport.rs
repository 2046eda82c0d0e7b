//! One HTTP exchange with Linear, once: no repeats, no redirects, a deadline, and every status seen.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, StatusCode};
use reqwest::Body;
use reveille_channel::ReplyError;
use url::Url;

use crate::settings::SettingsError;

/// Connecting, sending and the whole answer.
const DEADLINE: Duration = Duration::from_secs(20);
/// Shorter than the deadline, so that a connection that never was is not taken for an answer that was lost.
const CONNECT_DEADLINE: Duration = Duration::from_secs(8);
/// Far beyond a hundred comments of great length.
const MOST_ANSWER_BYTES: usize = 16 * 1024 * 1024;

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

/// The HTTP client of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
    deadline: Duration,
}

impl Transport {
    pub(crate) fn new() -> Result<Self, SettingsError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("reveille/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SettingsError::new("api_base_url", format!("no HTTPS client: {}", error.without_url())))?;
        Ok(Self { client, deadline: DEADLINE })
    }

    /// Sends a `POST` and waits for the whole answer.
    pub(crate) async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        authorization: Option<HeaderValue>,
        body: impl Into<Body>,
    ) -> Result<Answer, Lost> {
        let mut request = self.client.post(url.clone()).header(http::header::CONTENT_TYPE, content_type).body(body);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let exchange = async {
            let mut response = request.send().await.map_err(lost)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(lost)? {
                if body.len() + chunk.len() > MOST_ANSWER_BYTES {
                    return Err(Lost::Unanswered("the answer is too long".to_owned()));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status, headers, body: body.freeze() })
        };
        match tokio::time::timeout(self.deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost::Unanswered(format!("no answer in {} s", self.deadline.as_secs()))),
        }
    }
}

/// Tells a connection that never was from an answer that never came.
fn lost(error: reqwest::Error) -> Lost {
    let (is_connect, is_request) = (error.is_connect(), error.is_builder());
    let reason = causes(&error.without_url());
    if is_connect || is_request { Lost::NotSent(reason) } else { Lost::Unanswered(reason) }
}

/// An error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let line = current.to_string();
        if !text.contains(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = current.source();
    }
    text
}
