//! Questions as messages with buttons (Block Kit reference), and what their buttons mean.
//!
//! What a question shows is put together here from its parts and never from markup: texts are `plain_text`, and the detail is a
//! `rich_text_preformatted` element, which has no end that a text could contain.

use reveille_channel::{Ask, ReplyError, Style, ThreadRef};
use serde_json::{Value, json};

use crate::place::is_opened;

/// What the block of a question's buttons is called, before its reference.
const BLOCK: &str = "ask:";

/// What a button is called, before its choice: controls of one block need names of their own.
const CHOICE: &str = "choice:";

/// "Button element": the longest text of a button.
const LABEL_MAX: usize = 75;

/// "Section block": the longest text.
const TITLE_MAX: usize = 3_000;

/// All blocks of a message together hold about 13,000 characters (`msg_blocks_too_long`).
const DETAIL_MAX: usize = 10_000;

/// The blocks of an open question. Buttons of a thread that we opened carry its key: its place does not tell it after a restart.
pub(crate) fn open(ask: &Ask, thread: &ThreadRef) -> Result<Value, ReplyError> {
    let mut blocks = what(ask)?;
    let buttons: Vec<Value> = ask
        .choices
        .iter()
        .map(|choice| {
            let mut button = json!({
                "type": "button",
                "text": {"type": "plain_text", "text": cut(&visible(&choice.label), LABEL_MAX), "emoji": false},
                "action_id": format!("{CHOICE}{}", choice.id),
                "value": if is_opened(thread) { &thread.key } else { &choice.id },
            });
            let style = match choice.style {
                Style::Plain => None,
                Style::Primary => Some("primary"),
                Style::Danger => Some("danger"),
            };
            if let (Some(button), Some(style)) = (button.as_object_mut(), style) {
                button.insert("style".into(), style.into());
            }
            button
        })
        .collect();
    blocks.push(json!({"type": "actions", "block_id": format!("{BLOCK}{}", ask.reference), "elements": buttons}));
    Ok(Value::Array(blocks))
}

/// The blocks of a question that was answered or ran out: what it was, and what came of it.
pub(crate) fn settled(ask: &Ask, outcome: &str) -> Result<Value, ReplyError> {
    let mut blocks = what(ask)?;
    let outcome = cut(&visible(outcome), TITLE_MAX);
    blocks.push(json!({"type": "context", "elements": [{"type": "plain_text", "text": outcome, "emoji": false}]}));
    Ok(Value::Array(blocks))
}

/// For notifications, and where blocks are not shown.
pub(crate) fn fallback(ask: &Ask, outcome: Option<&str>) -> String {
    let text = match outcome {
        None => visible(&ask.title),
        Some(outcome) => format!("{}\n{}", visible(&ask.title), visible(outcome)),
    };
    crate::render::escape(&text)
}

/// A detail that cannot be shown whole is not asked about: nobody may agree to what they cannot read.
fn what(ask: &Ask) -> Result<Vec<Value>, ReplyError> {
    let detail = visible(&ask.detail);
    if detail.chars().count() > DETAIL_MAX {
        return Err(ReplyError::Refused(format!("the question's detail has more than {DETAIL_MAX} characters")));
    }
    let title = cut(&visible(&ask.title), TITLE_MAX);
    let mut blocks = vec![json!({"type": "section", "text": {"type": "plain_text", "text": title, "emoji": false}})];
    if !detail.is_empty() {
        let text = json!({"type": "text", "text": detail});
        blocks.push(json!({
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [text]}],
        }));
    }
    Ok(blocks)
}

/// What a pressed control answers: for a button of a question its reference and choice, and the key of the thread if that was
/// opened by us; for any other control its own name and what was chosen.
pub(crate) fn answer(block: &str, control: &str, chosen: &str) -> (String, String, Option<String>) {
    match (block.strip_prefix(BLOCK), control.strip_prefix(CHOICE)) {
        (Some(reference), Some(choice)) => {
            let thread = Some(chosen).filter(|chosen| *chosen != choice && !chosen.is_empty());
            (reference.to_owned(), choice.to_owned(), thread.map(ToOwned::to_owned))
        }
        _ => (control.to_owned(), chosen.to_owned(), None),
    }
}

/// Characters that are not seen, or turn the order of others around, are spelled out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_hidden = (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(u32::from(c), 0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F);
        if is_hidden {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use reveille_channel::Choice;

    use super::*;

    fn thread() -> ThreadRef {
        ThreadRef {
            installation: "T1".into(),
            key: "C1:1.2".into(),
            location: [("channel", "C1"), ("thread_ts", "1.2")].map(|(name, at)| (name.into(), at.into())).into(),
            display: "#C1".into(),
        }
    }

    fn question(detail: &str) -> Ask {
        let choice = |id: &str, style| Choice { id: id.into(), label: "Yes, <do> it".into(), style };
        Ask {
            reference: "r.1-a_b".into(),
            title: "Restart *web*? <!channel>".into(),
            detail: detail.into(),
            choices: vec![choice("yes", Style::Danger), choice("no", Style::Plain)],
        }
    }

    #[test]
    fn a_question_shows_its_detail_to_the_letter_and_nothing_in_it_acts() {
        let blocks = open(&question("rm -rf /\n```\n<!here> *Approved* ✅\u{202e}x"), &thread()).unwrap();
        // The order of an object's fields depends on what else is built.
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(blocks) });
        assert_eq!(fallback(&question(""), None), "Restart *web*? &lt;!channel&gt;");
    }

    #[test]
    fn a_settled_question_has_no_buttons() {
        let blocks = settled(&question("d"), "Approved by alice at 10:00").unwrap().to_string();
        assert!(blocks.contains("Approved by alice at 10:00"));
        assert!(!blocks.contains("button"));
    }

    #[test]
    fn what_cannot_be_shown_whole_is_not_asked() {
        assert!(matches!(open(&question(&"x".repeat(DETAIL_MAX + 1)), &thread()), Err(ReplyError::Refused(_))));
        assert!(open(&question(&"x".repeat(DETAIL_MAX)), &thread()).is_ok());
    }

    #[test]
    fn a_button_answers_with_reference_and_choice() {
        assert_eq!(answer("ask:r.1", "choice:yes", "yes"), ("r.1".into(), "yes".into(), None));
        let opened = Some("C1:command:1.2".to_owned());
        assert_eq!(answer("ask:r.1", "choice:yes", "C1:command:1.2"), ("r.1".into(), "yes".into(), opened));
        assert_eq!(answer("b1", "menu", "x"), ("menu".into(), "x".into(), None));
    }
}
