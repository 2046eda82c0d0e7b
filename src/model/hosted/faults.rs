//! What a provider's error means: try again, or look at something first. Nothing of a credential gets through.

use genai::webc;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reveille_channel::Secret;
use serde_json::Value;

use super::ModelError;

/// The longest text of an error, characters.
const TEXT_MAX: usize = 300;

/// The longest wait that is passed on, milliseconds.
const AFTER_MAX_MS: u64 = 300_000;

/// The kinds of error that end the same way whenever they are tried, as providers name them in a stream.
const LASTING: [&str; 6] = [
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "invalid_api_key",
];

/// A stream that came to no proper end.
pub(super) fn cut() -> ModelError {
    ModelError::Retry { reason: "the model's stream was cut".into(), after_ms: None }
}

/// Puts errors into our terms, for one table.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    table: String,
    key: Option<Secret>,
}

impl Faults {
    pub(super) fn new(table: String, key: Option<Secret>) -> Self {
        Self { table, key }
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    pub(super) fn retry(&self, text: &str, after_ms: Option<u64>) -> ModelError {
        ModelError::Retry { reason: self.clean(text), after_ms }
    }

    pub(super) fn fatal(&self, text: &str) -> ModelError {
        ModelError::Fatal { reason: self.clean(text) }
    }

    /// What an error of genai's means. `model` is empty where none was asked.
    pub(super) fn of(&self, error: genai::Error, model: &str) -> ModelError {
        match error {
            genai::Error::HttpError { status, body, headers, .. } => {
                self.status(status.as_u16(), &body, &headers, model)
            }
            genai::Error::WebModelCall { webc_error, .. } | genai::Error::WebAdapterCall { webc_error, .. } => {
                self.web(webc_error, model)
            }
            genai::Error::WebStream { error, .. } => self.transport(error, model),
            genai::Error::ChatResponse { body, .. } => self.in_stream(&body),
            genai::Error::StreamParse { .. } | genai::Error::JsonValueExt(_) | genai::Error::SerdeJson(_) => cut(),
            genai::Error::InvalidJsonResponseElement { .. } | genai::Error::NoChatResponse { .. } => cut(),
            // Their texts can carry whole requests.
            _ => self.fatal(&format!("models.{}: the request cannot be put to the model `{model}`", self.table)),
        }
    }

    fn web(&self, error: webc::Error, model: &str) -> ModelError {
        let table = &self.table;
        match error {
            webc::Error::ResponseFailedStatus { status, body, headers } => {
                self.status(status.as_u16(), &body, &headers, model)
            }
            webc::Error::Reqwest(error) => self.connection(error),
            webc::Error::ResponseFailedNotJson { .. }
            | webc::Error::ResponseFailedInvalidJson { .. }
            | webc::Error::JsonValueExt(_) => self.fatal(&format!(
                "models.{table} answers something else than its protocol; look at models.{table}.base_url"
            )),
        }
    }

    fn transport(&self, error: genai::BoxError, model: &str) -> ModelError {
        let error = match error.downcast::<genai::Error>() {
            Ok(error) => return self.of(*error, model),
            Err(error) => error,
        };
        match error.downcast::<reqwest::Error>() {
            Ok(error) => self.connection(*error),
            Err(_) => cut(),
        }
    }

    fn connection(&self, error: reqwest::Error) -> ModelError {
        if error.is_body() || error.is_decode() {
            return cut();
        }
        if error.is_builder() {
            let table = &self.table;
            return self.fatal(&format!(
                "models.{table}: the request cannot be sent; look at models.{table}.api_key and models.{table}.base_url"
            ));
        }
        let what = if error.is_timeout() {
            "did not answer in time"
        } else if error.is_connect() {
            "cannot be reached"
        } else {
            "broke the connection"
        };
        self.retry(&format!("models.{} {what}: {}", self.table, error.without_url()), None)
    }

    fn status(&self, status: u16, body: &str, headers: &HeaderMap, model: &str) -> ModelError {
        let table = &self.table;
        let said = match serde_json::from_str::<Value>(body) {
            Ok(body) => said(&body),
            Err(_) => body.to_owned(),
        };
        let is_about_the_key = body.contains("API_KEY_INVALID") || body.contains("invalid_api_key");
        let asked = if model.is_empty() { String::new() } else { format!(" and the model `{model}`") };
        let look_at = match status {
            408 | 409 | 425 | 429 | 500..=599 => {
                return self.retry(&format!("models.{table} answered {status}: {said}"), after_ms(headers));
            }
            401..=403 => format!("models.{table}.api_key"),
            400 if is_about_the_key => format!("models.{table}.api_key"),
            400 | 422 if !model.is_empty() => format!("the model `{model}`, whether it takes such a request"),
            _ => format!("models.{table}.base_url{asked}"),
        };
        self.fatal(&format!("models.{table} answered {status}; look at {look_at}: {said}"))
    }

    /// An error that came after the answer had begun.
    fn in_stream(&self, body: &Value) -> ModelError {
        let text = format!("models.{} broke off: {}", self.table, said(body));
        let kinds = ["/error/type", "/type", "/error/code", "/code"];
        let lasting = kinds.iter().filter_map(|at| body.pointer(at)).filter_map(Value::as_str);
        if lasting.into_iter().any(|kind| LASTING.contains(&kind)) {
            self.fatal(&format!("{text}; look at models.{}.api_key and the model", self.table))
        } else {
            self.retry(&text, None)
        }
    }

    /// Fit to be seen: one line, short, without the key and without what addresses carry behind `?`.
    fn clean(&self, text: &str) -> String {
        let mut text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        text.retain(|c| !c.is_control());
        if let Some(key) = self.key.as_ref().map(Secret::expose).filter(|key| !key.is_empty()) {
            text = text.replace(key, "[redacted]");
        }
        let words = text.split(' ').map(|word| match word.split_once('?') {
            Some((address, _)) if address.contains("://") => address,
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ").chars().take(TEXT_MAX).collect()
    }
}

/// The provider's own words in an error's body.
fn said(body: &Value) -> String {
    let words = ["/error/message", "/message", "/error", "/0/error/message"];
    let found = words.iter().filter_map(|at| body.pointer(at)).find_map(Value::as_str);
    found.or_else(|| body.as_str()).map_or_else(|| body.to_string(), str::to_owned)
}

/// `Retry-After`: seconds, or a date.
fn after_ms(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match value.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => {
            let until = rfc2822::parse(value).ok()?.timestamp();
            u64::try_from(until.as_millisecond().saturating_sub(Timestamp::now().as_millisecond())).unwrap_or(0)
        }
    };
    Some(asked.min(AFTER_MAX_MS))
}
