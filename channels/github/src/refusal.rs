//! What an answer that is no success means: the one place where GitHub's statuses become [`ReplyError`]s.

use http::StatusCode;
use jiff::Timestamp;
use reveille_channel::ReplyError;
use serde::Deserialize;

use crate::transport::Answer;

/// GitHub's advice for a secondary limit that names no time: "wait for at least one minute".
const SECONDARY_LIMIT_MS: u64 = 60_000;
/// Between attempts at a server that has trouble.
const SERVER_TROUBLE_MS: u64 = 3_000;
/// A header that says more is not believed: a reply that sleeps for days is lost.
const MOST_WAIT_MS: u64 = 3_600_000;

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message: String,
    /// Of a 422: objects with `message`, or texts.
    #[serde(default)]
    errors: serde_json::Value,
}

/// What GitHub said, cut and without control characters.
fn message(answer: &Answer) -> String {
    let body = serde_json::from_slice::<Message>(&answer.body).ok();
    let mut message = String::new();
    if let Some(body) = body {
        message = body.message;
        let details = body.errors.as_array().into_iter().flatten();
        let details = details.filter_map(|error| error.as_str().or_else(|| error.get("message")?.as_str()));
        for detail in details.filter(|detail| !detail.is_empty()).take(3) {
            message.push_str(": ");
            message.push_str(detail);
        }
    }
    let message = plain(&message);
    match (answer.status.as_u16(), message.is_empty()) {
        (status, true) => format!("status {status}"),
        (status, false) => format!("{message} (status {status})"),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Whether a refusal speaks of the pace. Limits on content come as 403, and as 422 too.
fn is_about_pace(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["secondary rate limit", "abuse detection", "rate limit exceeded", "submitted too quickly"]
        .iter()
        .any(|words| said.contains(words))
}

fn number(answer: &Answer, header: &str) -> Option<i64> {
    answer.headers.get(header)?.to_str().ok()?.trim().parse().ok()
}

/// How long a limit asks to wait (GitHub documentation, "Rate limits for the REST API").
fn limit_wait_ms(answer: &Answer, said: &str, now: Timestamp) -> Option<u64> {
    let seconds = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000).clamp(1_000, MOST_WAIT_MS);
    if let Some(wait) = number(answer, "retry-after") {
        return Some(seconds(wait));
    }
    if number(answer, "x-ratelimit-remaining") == Some(0) {
        // One second more, for the reset is told in whole ones.
        let wait = |reset: i64| seconds(reset.saturating_sub(now.as_second()).saturating_add(1));
        return Some(number(answer, "x-ratelimit-reset").map_or(SECONDARY_LIMIT_MS, wait));
    }
    is_about_pace(said).then_some(SECONDARY_LIMIT_MS)
}

/// What to do next after an answer that is no success.
pub(crate) fn refusal(answer: &Answer, is_repeatable: bool, now: Timestamp) -> ReplyError {
    let said = message(answer);
    let wait = limit_wait_ms(answer, &said, now);
    match answer.status {
        StatusCode::UNAUTHORIZED => ReplyError::Credentials(said),
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => match wait {
            Some(after_ms) => ReplyError::Retry { after_ms, reason: said },
            None if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                ReplyError::Retry { after_ms: SECONDARY_LIMIT_MS, reason: said }
            }
            None if said.to_ascii_lowercase().contains("locked") => ReplyError::Gone(said),
            None => ReplyError::Credentials(said),
        },
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::LOCKED | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            ReplyError::Gone(said)
        }
        StatusCode::UNPROCESSABLE_ENTITY if is_about_pace(&said) => {
            ReplyError::Retry { after_ms: SECONDARY_LIMIT_MS, reason: said }
        }
        status if status.is_redirection() => ReplyError::Gone(format!("moved to another place: {said}")),
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            if is_repeatable {
                ReplyError::Retry { after_ms: wait.unwrap_or(SERVER_TROUBLE_MS), reason: said }
            } else {
                ReplyError::Unknown(said)
            }
        }
        _ => ReplyError::Refused(said),
    }
}

/// What to do next after an error of the GraphQL API ("Rate limits and query limits for the GraphQL API", and the types that
/// its errors carry).
pub(crate) fn graphql_refusal(error: &serde_json::Value, is_repeatable: bool) -> ReplyError {
    let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let said = plain(text("message"));
    if is_about_pace(&said) {
        return ReplyError::Retry { after_ms: SECONDARY_LIMIT_MS, reason: said };
    }
    match text("type") {
        "NOT_FOUND" => ReplyError::Gone(said),
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => ReplyError::Credentials(said),
        "RATE_LIMITED" | "RATE_LIMIT" => ReplyError::Retry { after_ms: SECONDARY_LIMIT_MS, reason: said },
        // The server is too old to know what is asked for.
        "" if error.pointer("/extensions/code").is_some() => ReplyError::Refused(said),
        // Without a type something broke on the way.
        "" if is_repeatable => ReplyError::Retry { after_ms: SERVER_TROUBLE_MS, reason: said },
        "" => ReplyError::Unknown(said),
        _ => ReplyError::Refused(said),
    }
}
