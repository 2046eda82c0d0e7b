//! What Slack's error codes mean for what to do next ("Web API: common errors", and each method's page).

use reveille_channel::ReplyError;

/// The code of a method that the server does not have. The real platform has all of those called here.
pub(crate) const UNKNOWN_METHOD: &str = "unknown_method";

/// The wait where Slack names none, milliseconds.
const WAIT_MS: u64 = 5_000;

pub(crate) fn too_fast(method: &str, after_ms: Option<u64>) -> ReplyError {
    ReplyError::Retry { after_ms: after_ms.unwrap_or(WAIT_MS), reason: format!("{method}: rate limited") }
}

pub(crate) fn of(method: &str, code: &str) -> ReplyError {
    // Codes are words; whatever else a server sends is not repeated in logs.
    let word: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
    let said = format!("{method}: {word}");
    match word.as_str() {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "not_allowed_token_type"
        | "org_login_required"
        | "ekm_access_denied" => ReplyError::Credentials(said),
        "message_not_in_streaming_state" | "streaming_state_conflict" => ReplyError::StreamClosed(said),
        "msg_too_long" if method.ends_with("Stream") => ReplyError::StreamClosed(said),
        "channel_not_found" | "is_archived" | "thread_not_found" | "message_not_found" | "user_not_found" => {
            ReplyError::Gone(said)
        }
        "not_in_channel" => ReplyError::Refused(format!("{said}; invite the app into the channel")),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            if matches!(method, "chat.postMessage" | "chat.startStream" | "chat.appendStream") {
                ReplyError::Unknown(said)
            } else {
                ReplyError::Retry { after_ms: WAIT_MS, reason: said }
            }
        }
        _ => ReplyError::Refused(said),
    }
}

/// Whether the server said that it does not have the method.
pub(crate) fn is_unknown_method(error: &ReplyError) -> bool {
    matches!(error, ReplyError::Refused(said) if said.ends_with(UNKNOWN_METHOD))
}
