//! Questions that are open in agent sessions, and how an answer is told from anything else that is said there.
//!
//! Linear brings the answer as a prompt like any other, whose text is the chosen option's value (developer page "Signals",
//! `select`). So the value names the question and the choice; it says enough after a restart. A text that is exactly a
//! choice's label counts too, while its question is known to be open. Nothing else does: "ok, go ahead" chooses nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reveille_channel::{Ask, Choice};

/// Questions remembered at once.
const MOST_OPEN: usize = 4_096;

/// The open questions by session.
#[derive(Debug, Default)]
pub(crate) struct Asks(Mutex<HashMap<String, Ask>>);

/// The value of an option: what people see of it once it is chosen, and what it refers to.
pub(crate) fn value(ask: &Ask, choice: &Choice) -> String {
    format!("{} #{}@{}", choice.label, choice.id, ask.reference)
}

impl Asks {
    pub(crate) fn open(&self, session: &str, ask: &Ask) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_OPEN {
            // Answers by value do not need it.
            open.clear();
        }
        open.insert(session.to_owned(), ask.clone());
    }

    pub(crate) fn settle(&self, session: &str, ask: &Ask) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(session).is_some_and(|known| known.reference == ask.reference) {
            open.remove(session);
        }
    }

    /// The question's reference and the choice that a prompt in the session answers with.
    pub(crate) fn answer(&self, session: &str, text: &str) -> Option<(String, String)> {
        let text = text.trim();
        if let Some(answer) = by_value(text) {
            return Some(answer);
        }
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = open.get(session)?;
        let choice = ask.choices.iter().find(|choice| choice.label.eq_ignore_ascii_case(text))?;
        Some((ask.reference.clone(), choice.id.clone()))
    }
}

fn by_value(text: &str) -> Option<(String, String)> {
    let last = text.split_whitespace().next_back()?;
    let (choice, reference) = last.strip_prefix('#')?.split_once('@')?;
    let is_choice = (1..=24).contains(&choice.len())
        && choice.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    let is_reference = (1..=64).contains(&reference.len())
        && reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (is_choice && is_reference).then(|| (reference.to_owned(), choice.to_owned()))
}

#[cfg(test)]
mod tests {
    use reveille_channel::Style;

    use super::*;

    fn ask() -> Ask {
        let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), style: Style::Plain };
        Ask {
            reference: "r1.abc".into(),
            title: "Go?".into(),
            detail: String::new(),
            choices: vec![choice("yes", "Approve"), choice("no", "Reject")],
        }
    }

    #[test]
    fn an_answer_is_told_by_its_value_and_by_its_label_while_the_question_is_open() {
        let asks = Asks::default();
        let yes = Some(("r1.abc".to_owned(), "yes".to_owned()));
        assert_eq!(asks.answer("s", &value(&ask(), &ask().choices[0])), yes);
        assert_eq!(asks.answer("s", "approve"), None);
        asks.open("s", &ask());
        assert_eq!(asks.answer("s", " approve\n"), yes);
        assert_eq!(asks.answer("other", "approve"), None);
        for text in ["yes", "approve it", "#yes", "fixes #12", "mail #a@b c", ""] {
            assert_eq!(asks.answer("s", text), None, "{text}");
        }
        asks.settle("s", &ask());
        assert_eq!(asks.answer("s", "approve"), None);
    }
}
