//! What Slack's error codes mean for what to do next ("Web API: common errors", and each method's page).

use std::time::Duration;

use reveille_channel::ReplyError;
use serde_json::{Map, Value};

/// The code of a method that the server does not have. The real platform has all of those called here.
pub(crate) const UNKNOWN_METHOD: &str = "unknown_method";

/// The wait where Slack names none, milliseconds.
const WAIT_MS: u64 = 5_000;

/// The wait for what does not pass in a moment, milliseconds.
const LONG_WAIT_MS: u64 = 60_000;

/// How far it reaches that something cannot be streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// No stream anywhere.
    Server,
    /// None in this channel.
    Place,
    /// Not this one.
    Once,
}

pub(crate) fn too_fast(method: &str, after_ms: Option<u64>) -> ReplyError {
    ReplyError::Retry { after_ms: after_ms.unwrap_or(WAIT_MS), reason: format!("{method}: rate limited") }
}

/// We wait so that Slack need not say so.
pub(crate) fn own_pace(method: &str, wait: Duration) -> ReplyError {
    let after_ms = u64::try_from(wait.as_millis()).unwrap_or(WAIT_MS);
    ReplyError::Retry { after_ms, reason: format!("{method}: its tier is used up for the moment") }
}

/// The meaning of an answer that is not ok.
pub(crate) fn of_answer(method: &str, code: &str, answer: &Map<String, Value>) -> ReplyError {
    let error = of(method, code);
    match (error, answer.get("needed").and_then(Value::as_str)) {
        (ReplyError::Credentials(said), Some(needed)) if said.ends_with("missing_scope") => {
            ReplyError::Credentials(format!("{said}; the app needs the scope {}", word(needed)))
        }
        (error, _) => error,
    }
}

pub(crate) fn of(method: &str, code: &str) -> ReplyError {
    let word = word(code);
    let said = format!("{method}: {word}");
    let retry = |after_ms| ReplyError::Retry { after_ms, reason: said.clone() };
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
        | "ekm_access_denied"
        | "access_denied"
        | "accesslimited"
        | "enterprise_is_restricted"
        | "team_access_not_granted"
        | "app_access_restricted"
        | "two_factor_setup_required" => ReplyError::Credentials(said),
        "message_not_in_streaming_state" | "streaming_state_conflict" => ReplyError::StreamClosed(said),
        // Somebody pressed Slack's own stop button ("chat.appendStream", "chat.stopStream": errors).
        "stopped_by_user" => ReplyError::Stopped(said),
        // A stream holds about as much as one call; what is too long for it is no error of the text.
        "msg_too_long" | "msg_blocks_too_long" | "msg_blocks_too_many" | "no_text"
            if matches!(method, "chat.appendStream" | "chat.stopStream") =>
        {
            ReplyError::StreamClosed(said)
        }
        "channel_not_found"
        | "is_archived"
        | "is_inactive"
        | "thread_not_found"
        | "message_not_found"
        | "cannot_reply_to_message"
        | "restricted_action"
        | "restricted_action_thread_locked"
        | "restricted_action_read_only_channel"
        | "restricted_action_non_threadable_channel"
        | "restricted_action_thread_only_channel" => ReplyError::Gone(said),
        "not_in_channel" => ReplyError::Refused(format!("{said}; invite the app into the channel")),
        "messages_tab_disabled" => {
            ReplyError::Refused(format!("{said}; switch on \"Messages Tab\" under \"App Home\" of the app"))
        }
        "message_limit_exceeded" | "team_added_to_org" | "external_channel_migrating" => retry(LONG_WAIT_MS),
        // The data did not arrive: nothing was done.
        "request_timeout" => retry(WAIT_MS),
        // "It's possible some aspect of the operation succeeded before the error was raised."
        "internal_error" | "fatal_error" | "service_unavailable" | "messaging_processing_failed" => {
            if matches!(method, "chat.postMessage" | "chat.startStream" | "chat.appendStream") {
                ReplyError::Unknown(said)
            } else {
                retry(WAIT_MS)
            }
        }
        "update_failed" => retry(WAIT_MS),
        _ => ReplyError::Refused(said),
    }
}

/// Codes are words; whatever else a server sends is not repeated in logs.
fn word(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | ',')).take(60).collect()
}

/// Whether the token ran out, and another one of the installation would do.
pub(crate) fn is_expired(error: &ReplyError) -> bool {
    matches!(error, ReplyError::Credentials(said) if said.ends_with("token_expired"))
}

/// Whether the server said that it does not have the method.
pub(crate) fn is_unknown_method(error: &ReplyError) -> bool {
    matches!(error, ReplyError::Refused(said) if said.ends_with(UNKNOWN_METHOD))
}

/// How far a refusal of `chat.startStream` reaches; `None` where an ordinary message would be refused as well, or where it
/// is not known whether the stream was begun.
pub(crate) fn reach_of(error: &ReplyError) -> Option<Reach> {
    let ReplyError::Refused(said) = error else {
        return None;
    };
    let of_the_place = [
        "channel_type_not_supported",
        "method_not_supported_for_channel_type",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "feature_not_enabled",
        "not_allowed",
    ];
    if is_unknown_method(error) || said.ends_with("method_deprecated") || said.ends_with("deprecated_endpoint") {
        Some(Reach::Server)
    } else if of_the_place.iter().any(|code| said.ends_with(code)) {
        Some(Reach::Place)
    } else {
        // "user_not_found", "msg_too_long", "invalid_arguments": an ordinary message may do.
        Some(Reach::Once)
    }
}
