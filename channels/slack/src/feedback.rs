//! Buttons below an answer that say what it was worth ("Context actions block", "Feedback buttons element"), and their presses.

use serde_json::{Value, json};

/// The block's name, and that of what a server does not know.
pub(crate) const BLOCK: &str = "reveille_feedback";

const CONTROL: &str = "reveille_feedback_buttons";
const POSITIVE: &str = "positive";
const NEGATIVE: &str = "negative";

/// The blocks at the end of an answer.
pub(crate) fn blocks() -> Value {
    let button = |value: &str, text: &str, label: &str| json!({"text": {"type": "plain_text", "text": text}, "value": value, "accessibility_label": label});
    json!([{
        "type": "context_actions",
        "block_id": BLOCK,
        "elements": [{
            "type": "feedback_buttons",
            "action_id": CONTROL,
            "positive_button": button(POSITIVE, "Good answer", "This answer helped"),
            "negative_button": button(NEGATIVE, "Bad answer", "This answer did not help"),
        }],
    }])
}

/// What a press says, if it is one of these buttons: whether the answer helped.
pub(crate) fn read(block: &str, control: &str, chosen: &str) -> Option<bool> {
    match (block, control, chosen) {
        (BLOCK, CONTROL, POSITIVE) => Some(true),
        (BLOCK, CONTROL, NEGATIVE) => Some(false),
        _ => None,
    }
}
