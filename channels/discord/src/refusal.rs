//! What Discord's statuses and error codes mean for what to do next ("Opcodes and Status Codes": JSON).

use reveille_channel::ReplyError;
use serde_json::Value;

/// The wait where Discord names none, milliseconds.
const WAIT_MS: u64 = 5_000;

/// A channel of that id.
pub(crate) const UNKNOWN_CHANNEL: u64 = 10_003;
pub(crate) const UNKNOWN_GUILD: u64 = 10_004;
pub(crate) const UNKNOWN_MEMBER: u64 = 10_007;
pub(crate) const UNKNOWN_MESSAGE: u64 = 10_008;
pub(crate) const UNKNOWN_USER: u64 = 10_013;
pub(crate) const ARCHIVED_THREAD: u64 = 50_083;
pub(crate) const HAS_A_THREAD: u64 = 160_004;

/// A call that Discord refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Discord's own code; 0 where there is none.
    pub(crate) code: u64,
    /// The call and what was said, for people.
    pub(crate) said: String,
}

impl Refusal {
    /// From an answer's body.
    pub(crate) fn read(call: &str, status: u16, body: &Value) -> Self {
        let code = body.get("code").and_then(Value::as_u64).unwrap_or(0);
        let message = body.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let field = first_error(body.get("errors"), 8).map(|error| format!(": {error}")).unwrap_or_default();
        let message: String = format!("{message}{field}").chars().filter(|c| !c.is_control()).take(200).collect();
        Self { status, code, said: format!("{call}: {message} (HTTP {status}, code {code})") }
    }

    /// Whether it speaks of an interaction's token and not of what was asked: it never existed, is too old, or Discord has
    /// lost it (discord-api-docs #6851).
    pub(crate) fn is_of_the_token(&self) -> bool {
        matches!(self.code, 10_015 | 10_062 | 50_027) || self.status == 401 || (self.status == 404 && self.code == 0)
    }

    /// Whether it speaks of what the bot may do in a place, and not of what was asked.
    pub(crate) fn is_of_the_place(&self) -> bool {
        matches!(self.code, 50_001 | 50_013 | UNKNOWN_CHANNEL | UNKNOWN_GUILD)
    }
}

/// The first of the errors that "Error Messages" nests by field.
fn first_error(errors: Option<&Value>, depth: u8) -> Option<String> {
    let errors = errors?.as_object()?;
    if let Some(first) = errors.get("_errors").and_then(|list| list.get(0)) {
        return first.get("message").and_then(Value::as_str).map(ToOwned::to_owned);
    }
    let (field, inner) = errors.iter().next()?;
    let inner = first_error(Some(inner), depth.checked_sub(1)?)?;
    Some(format!("{field}: {inner}"))
}

impl From<Refusal> for ReplyError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, said } = refusal;
        match (status, code) {
            (401, _) => Self::Credentials(said),
            // The place lets us not.
            (_, 50_001 | 50_013) => Self::Refused(format!(
                "{said}; give the bot \"View Channel\", \"Send Messages\", \"Send Messages in Threads\" and \"Read Message History\" there"
            )),
            (_, 50_007 | 50_278) => Self::Gone(format!("{said}; the person does not take messages of this bot")),
            (_, UNKNOWN_CHANNEL | UNKNOWN_GUILD | UNKNOWN_MESSAGE | UNKNOWN_USER | 160_005) => Self::Gone(said),
            (_, 20_016 | 20_022 | 20_028 | 20_029 | 40_004 | 40_006 | 130_000) => {
                Self::Retry { after_ms: WAIT_MS, reason: said }
            }
            (_, 30_046) => Self::Retry { after_ms: 60_000, reason: said },
            (404, _) => Self::Gone(said),
            _ => Self::Refused(said),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_say_what_to_do_next() {
        let error = |status: u16, code: u64| {
            ReplyError::from(Refusal::read("POST x", status, &json!({"message": "No\u{7}pe", "code": code})))
        };
        assert_eq!(error(401, 0), ReplyError::Credentials("POST x: Nope (HTTP 401, code 0)".into()));
        assert!(matches!(error(403, 50_013), ReplyError::Refused(said) if said.contains("Send Messages in Threads")));
        assert!(matches!(error(404, UNKNOWN_CHANNEL), ReplyError::Gone(_)));
        assert!(matches!(error(400, 160_005), ReplyError::Gone(_)));
        assert!(matches!(error(400, 20_028), ReplyError::Retry { .. }));
        assert!(matches!(error(400, 50_035), ReplyError::Refused(_)));
        assert!(matches!(error(418, 0), ReplyError::Refused(_)));
    }

    /// The example of "Reference: Error Messages".
    #[test]
    fn the_field_that_is_wrong_is_named() {
        let body = json!({"code": 50035, "message": "Invalid Form Body", "errors": {"activities": {"0": {"platform": {
            "_errors": [{"code": "BASE_TYPE_CHOICES", "message": "Value must be one of ('desktop')."}]}}}}});
        let refusal = Refusal::read("PUT x", 400, &body);
        assert!(refusal.said.contains("activities: 0: platform: Value must be one of"), "{}", refusal.said);
        let deep = (0..100).fold(json!({}), |inner, _| json!({"a": inner}));
        assert_eq!(first_error(Some(&deep), 8), None);
    }
}
