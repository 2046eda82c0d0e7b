//! Questions with buttons ("Component Reference": Action Row, Button).

use reveille_channel::{Ask, ReplyError, Style};
use serde_json::{Value, json};

use crate::custom_id;
use crate::render::{CONTENT_MAX, length};

/// Buttons in a row.
const CHOICES_MAX: usize = 5;

/// "Button": characters of a label.
const LABEL_MAX: usize = 80;

/// "Button Styles".
const SECONDARY: u64 = 2;
const PRIMARY: u64 = 1;
const DANGER: u64 = 4;

/// The question as text: what it is about stands there to the letter.
pub(crate) fn content(ask: &Ask) -> String {
    with_end(ask, "")
}

/// The question with what came of it.
pub(crate) fn settled(ask: &Ask, outcome: &str) -> String {
    with_end(ask, &format!("\n{}", plain(outcome)))
}

fn with_end(ask: &Ask, end: &str) -> String {
    let title = plain(&ask.title);
    if ask.detail.is_empty() {
        return format!("**{title}**{end}");
    }
    let whole = format!("**{title}**\n{}{end}", code(&ask.detail));
    if length(&whole) <= CONTENT_MAX {
        return whole;
    }
    // Nobody decides about what is not shown: that something is missing is said, and how much.
    let mut room = CONTENT_MAX.saturating_sub(length(&title) + length(end) + 80);
    let kept: String = ask
        .detail
        .chars()
        .take_while(|c| {
            // A tick may bring a sign that nobody sees.
            let units = if *c == '`' { 2 } else { c.len_utf16() };
            let fits = room >= units;
            room = room.saturating_sub(units);
            fits
        })
        .collect();
    let missing = ask.detail.chars().count().saturating_sub(kept.chars().count());
    format!("**{title}**\n{}\n({missing} more characters are not shown){end}", code(&kept))
}

/// Plain text to the letter: three ticks in it do not end it, and look the same.
fn code(text: &str) -> String {
    format!("```\n{}\n```", text.replace("```", "`\u{200b}`\u{200b}`").trim_end_matches('\n'))
}

/// One line in which nothing is markup.
fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars().take(300) {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if c.is_control() => {}
            '*' | '_' | '~' | '`' | '|' | '\\' | '<' | '>' | '#' | '[' | ']' => line.extend(['\\', c]),
            ':' => line.extend([':', '\u{200b}']),
            c => line.push(c),
        }
    }
    line
}

pub(crate) fn buttons(ask: &Ask) -> Result<Value, ReplyError> {
    if ask.choices.is_empty() || ask.choices.len() > CHOICES_MAX {
        return Err(ReplyError::Refused(format!("a question has one to {CHOICES_MAX} choices")));
    }
    let mut buttons = Vec::new();
    for choice in &ask.choices {
        let Some(id) = custom_id::write(&ask.reference, &choice.id) else {
            return Err(ReplyError::Refused("the question's reference does not fit into a button".into()));
        };
        let style = match choice.style {
            Style::Plain => SECONDARY,
            Style::Primary => PRIMARY,
            Style::Danger => DANGER,
        };
        let label: String = choice.label.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect();
        buttons.push(json!({"type": 2, "style": style, "label": label, "custom_id": id}));
    }
    Ok(json!([{"type": 1, "components": buttons}]))
}

pub(crate) fn no_buttons() -> Value {
    json!([])
}

#[cfg(test)]
mod tests {
    use reveille_channel::Choice;

    use super::*;

    fn ask(detail: &str) -> Ask {
        let choice = |id: &str, label: &str, style| Choice { id: id.into(), label: label.into(), style };
        Ask {
            reference: "01hx.abc".into(),
            title: "May I close **#1** https://x.example?".into(),
            detail: detail.into(),
            choices: vec![choice("approve", "Approve", Style::Primary), choice("deny", "Deny", Style::Danger)],
        }
    }

    #[test]
    fn a_question_is_shown_to_the_letter_with_a_button_for_each_answer() {
        insta::assert_snapshot!(content(&ask("{\"text\": \"```\\n<@1> **x**\"}")));
        insta::assert_json_snapshot!(buttons(&ask("")).unwrap());
        assert!(settled(&ask("x"), "Approved by @bob").ends_with("```\nApproved by @bob"));
    }

    #[test]
    fn what_does_not_fit_is_said_to_be_missing() {
        for sign in ["🦀", "`", "x"] {
            let shown = settled(&ask(&sign.repeat(3_000)), "Denied by bob");
            assert!(length(&shown) <= CONTENT_MAX, "{}", length(&shown));
            assert!(shown.contains("more characters are not shown"));
            assert!(shown.ends_with("Denied by bob"));
        }
    }
}
