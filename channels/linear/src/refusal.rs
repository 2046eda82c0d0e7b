//! What an answer that is no success means: the one place where Linear's errors become [`ReplyError`]s.
//!
//! Linear answers errors of GraphQL with 200 or 400 and says in `extensions` what they are (developer pages "GraphQL" and
//! "Rate limiting", and the error types of `@linear/sdk`).

use http::HeaderMap;
use jiff::Timestamp;
use reveille_channel::ReplyError;
use serde::Deserialize;

use crate::transport::Answer;

/// The wait after a limit that names no time.
const LIMIT_MS: u64 = 60_000;
/// Between attempts at a server that has trouble.
const TROUBLE_MS: u64 = 3_000;
/// Budgets are of an hour; a header that says more is not believed.
const MOST_WAIT_MS: u64 = 3_600_000;

/// One error of an answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct GraphError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    #[serde(default, deserialize_with = "word")]
    code: String,
    #[serde(default, rename = "type", deserialize_with = "word")]
    kind: String,
    #[serde(default)]
    user_presentable_message: Option<String>,
}

/// A word, or nothing where it is something else.
fn word<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_str().unwrap_or_default().to_ascii_lowercase())
}

/// What a server said, cut and without control characters.
pub(crate) fn said(words: &str) -> String {
    words.chars().filter(|character| !character.is_control()).take(200).collect()
}

impl GraphError {
    fn said(&self) -> String {
        match &self.extensions.user_presentable_message {
            Some(shown) if !shown.is_empty() && *shown != self.message => said(&format!("{}: {shown}", self.message)),
            _ => said(&self.message),
        }
    }

    fn is(&self, code: &str, kind: &str) -> bool {
        self.extensions.code == code || self.extensions.kind == kind
    }

    /// Something with the id that we chose is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.message.to_ascii_lowercase().starts_with("conflict on insert")
    }

    /// What it speaks of is not there, or not for us.
    fn is_missing(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        let shown = self.extensions.user_presentable_message.as_deref().unwrap_or_default().to_ascii_lowercase();
        message.starts_with("entity not found")
            || self.extensions.code == "entity_not_found"
            || shown.starts_with("could not find referenced")
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| format!("{:.0}", text.parse::<f64>().ok()?).parse().ok())
}

/// How long a limit asks to wait: `Retry-After`, else until those budgets are full again that are used up.
fn limit_wait_ms(headers: &HeaderMap, now: Timestamp) -> u64 {
    if let Some(seconds) = number(headers, "retry-after") {
        return u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000).clamp(1_000, MOST_WAIT_MS);
    }
    let waits = ["requests", "complexity", "endpoint-requests"].into_iter().filter_map(|budget| {
        let left = number(headers, &format!("x-ratelimit-{budget}-remaining"))?;
        let reset_ms = number(headers, &format!("x-ratelimit-{budget}-reset"))?;
        (left <= 0).then(|| u64::try_from(reset_ms.saturating_sub(now.as_millisecond())).unwrap_or(0))
    });
    waits.max().map_or(LIMIT_MS, |wait| wait.clamp(1_000, MOST_WAIT_MS))
}

/// What to do next after an answer that holds nothing that was asked for.
pub(crate) fn refusal(answer: &Answer, errors: &[GraphError], is_repeatable: bool, now: Timestamp) -> ReplyError {
    let status = answer.status.as_u16();
    let first = errors.first().cloned().unwrap_or_default();
    let told = first.said();
    let told = if told.is_empty() { format!("status {status}") } else { format!("{told} (status {status})") };
    if status == 429 || errors.iter().any(|error| error.is("ratelimited", "ratelimited")) {
        return ReplyError::Retry { after_ms: limit_wait_ms(&answer.headers, now), reason: told };
    }
    let is_any = |code: &str, kind: &str| errors.iter().any(|error| error.is(code, kind));
    if status == 401 || is_any("authentication_error", "authentication error") {
        return ReplyError::Credentials(told);
    }
    if errors.iter().any(GraphError::is_missing) || status == 404 {
        return ReplyError::Gone(told);
    }
    if status == 403 || is_any("forbidden", "forbidden") || is_any("feature_not_accessible", "feature not accessible") {
        return ReplyError::Credentials(told);
    }
    if is_any("lock_timeout", "lock timeout") {
        return ReplyError::Retry { after_ms: TROUBLE_MS, reason: told };
    }
    let is_trouble = status >= 500
        || status == 408
        || is_any("internal_server_error", "internal error")
        || is_any("network_error", "network error")
        || (answer.status.is_success() && errors.is_empty());
    match (is_trouble, is_repeatable) {
        (true, true) => ReplyError::Retry { after_ms: TROUBLE_MS, reason: told },
        (true, false) => ReplyError::Unknown(told),
        (false, _) => ReplyError::Refused(told),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::*;

    fn refused(status: u16, headers: &[(&'static str, String)], errors: Value) -> (String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body: bytes::Bytes::new() };
        let errors: Vec<GraphError> = serde_json::from_value(errors).unwrap();
        let now = Timestamp::from_millisecond(1_000_000).unwrap();
        let short = |error: ReplyError| match error {
            ReplyError::Retry { after_ms, .. } => format!("retry {after_ms}"),
            ReplyError::Unknown(_) => "unknown".to_owned(),
            ReplyError::Credentials(_) => "credentials".to_owned(),
            ReplyError::StreamClosed(_) => "closed".to_owned(),
            ReplyError::Stopped(_) => "stopped".to_owned(),
            ReplyError::Gone(_) => "gone".to_owned(),
            ReplyError::Refused(_) => "refused".to_owned(),
        };
        (short(refusal(&answer, &errors, false, now)), short(refusal(&answer, &errors, true, now)))
    }

    #[test]
    fn each_refusal_says_what_to_do_next() {
        let error = |message: &str, code: &str, kind: &str| json!([{ "message": message, "extensions": { "code": code, "type": kind, "userError": true } }]);
        let used_up = [
            ("x-ratelimit-requests-remaining", "0".to_owned()),
            ("x-ratelimit-requests-reset", "1005000".to_owned()),
            ("x-ratelimit-complexity-remaining", "0".to_owned()),
            ("x-ratelimit-complexity-reset", "1022000".to_owned()),
        ];
        let requests_alone = [
            ("x-ratelimit-requests-remaining", "0".to_owned()),
            ("x-ratelimit-requests-reset", "1005000.5".to_owned()),
            ("x-ratelimit-complexity-remaining", "200000".to_owned()),
            ("x-ratelimit-complexity-reset", "4600000".to_owned()),
        ];
        let limited = || error("Rate limit exceeded", "RATELIMITED", "ratelimited");
        let same = |what: &str| (what.to_owned(), what.to_owned());
        assert_eq!(refused(400, &used_up, limited()), same("retry 22000"));
        assert_eq!(refused(200, &requests_alone, limited()), same("retry 5000"));
        assert_eq!(refused(400, &[("retry-after", "7".into())], limited()), same("retry 7000"));
        assert_eq!(refused(429, &[], json!([])), same("retry 60000"));
        let unauthenticated = error("Authentication required", "AUTHENTICATION_ERROR", "authentication error");
        assert_eq!(refused(400, &[], unauthenticated), same("credentials"));
        assert_eq!(refused(401, &[], json!([])), same("credentials"));
        assert_eq!(refused(200, &[], error("no", "FORBIDDEN", "forbidden")), same("credentials"));
        assert_eq!(refused(200, &[], error("Entity not found: Issue", "INPUT_ERROR", "invalid input")), same("gone"));
        assert_eq!(
            refused(200, &[], error("Argument Validation Error", "INVALID_INPUT", "invalid input")),
            same("refused")
        );
        assert_eq!(
            refused(400, &[], error("Cannot query field", "GRAPHQL_VALIDATION_FAILED", "graphql error")),
            same("refused")
        );
        assert_eq!(refused(200, &[], error("lock", "LOCK_TIMEOUT", "lock timeout")), same("retry 3000"));
        for (status, errors) in [
            (500, json!([])),
            (502, json!([])),
            (200, error("x", "INTERNAL_SERVER_ERROR", "internal error")),
            (200, json!([])),
        ] {
            assert_eq!(refused(status, &[], errors), ("unknown".to_owned(), "retry 3000".to_owned()));
        }
        // What is new or of another kind is survived.
        assert_eq!(refused(400, &[], json!([{ "extensions": { "code": 7, "type": null } }])), same("refused"));
    }
}
