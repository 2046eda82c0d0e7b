//! What comes over a socket and what goes back ("Using Socket Mode": hello, envelopes, acknowledgements, disconnect).

use serde::Deserialize;
use serde_json::{Value, json};

/// One text frame.
#[derive(Debug, Deserialize)]
pub(super) struct Frame {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) envelope_id: Option<String>,
    pub(super) accepts_response_payload: Option<bool>,
    pub(super) payload: Option<Value>,
    pub(super) num_connections: Option<u32>,
    /// Of `disconnect`.
    pub(super) reason: Option<String>,
}

/// The acknowledgement of an envelope, with an answer where there is one and Slack takes it.
pub(super) fn acknowledgement(envelope_id: &str, answer: Option<Value>) -> String {
    match answer {
        None => json!({ "envelope_id": envelope_id }),
        Some(answer) => json!({ "envelope_id": envelope_id, "payload": answer }),
    }
    .to_string()
}
