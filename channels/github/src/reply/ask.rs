//! Questions: a comment that shows to the letter what is asked about, and the lines that answer it.
//!
//! GitHub has no buttons in comments. A question is answered by a comment with `/approve REFERENCE`, `/deny REFERENCE` or, for
//! other choices, `/choose REFERENCE CHOICE`; `normalise` reads them. Nothing of a question comes from a model's markup.

use reveille_channel::{Ask, Choice, ReplyError};

use crate::GitHub;

/// A comment takes 65,536 characters; what is kept is for the marker.
const MOST_CHARACTERS: usize = 65_000;

/// The text of an open question.
///
/// # Errors
/// [`ReplyError::Refused`] when the detail cannot be shown whole: nobody may agree to what they cannot read.
pub(super) fn open(github: &GitHub, ask: &Ask) -> Result<String, ReplyError> {
    let mut text = about(github, ask);
    text.push_str("To answer, write a comment with one of these lines:\n");
    for choice in &ask.choices {
        let label = plain(github, &choice.label);
        text.push_str(&format!("\n* `{}` ({label})", line(ask, choice)));
    }
    whole(text)
}

/// The text of a question that was answered or has run out.
///
/// # Errors
/// As [`open`].
pub(super) fn settled(github: &GitHub, ask: &Ask, outcome: &str) -> Result<String, ReplyError> {
    let outcome = plain(github, outcome);
    whole(format!("{}**{outcome}**", about(github, ask)))
}

/// The line that chooses.
fn line(ask: &Ask, choice: &Choice) -> String {
    match choice.id.as_str() {
        word @ ("approve" | "deny") => format!("/{word} {}", ask.reference),
        other => format!("/choose {} {other}", ask.reference),
    }
}

fn about(github: &GitHub, ask: &Ask) -> String {
    let detail = visible(&ask.detail);
    let title = plain(github, &ask.title);
    if detail.is_empty() {
        return format!("**{title}**\n\n");
    }
    // A fence is closed by one that is at least as long, and none in the text is.
    let longest = detail.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("**{title}**\n\n{fence}text\n{detail}\n{fence}\n\n")
}

fn whole(text: String) -> Result<String, ReplyError> {
    if text.len() > MOST_CHARACTERS && text.chars().count() > MOST_CHARACTERS {
        return Err(ReplyError::Refused("the question is too long to be shown whole in a comment".to_owned()));
    }
    Ok(text)
}

/// One line of plain text as Markdown that shows just that, and calls nobody.
fn plain(github: &GitHub, text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        if c == '\n' || c == '\t' {
            escaped.push(' ');
            continue;
        }
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    github.render(escaped.trim())
}

/// Characters that are not seen, or turn the order of others around, are spelled out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_hidden = (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(u32::from(c), 0xAD | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180E | 0x200B..=0x200F
                | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF9..=0xFFFB
                | 0xE0000..=0xE0FFF);
        if is_hidden {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}
