//! What an agent asks at the terminal: which question an answer is for, why one does not count, and what is said where nobody can be
//! asked.

use std::collections::HashSet;

use super::context::Context;
use super::failure::Failure;
use super::screen::Screen;
use crate::agent::{BUILT_IN_TOOLS, matches_pattern};
use crate::approval::{APPROVE, DENY, REFERENCE_PREFIX};
use crate::config::schema::nearest;
use crate::journal::Body;
use crate::local::{Happened, Open, Session};

/// What is said once to somebody who goes on talking.
pub(super) const STILL_OPEN: &str = "the agent waits for an answer to its question: /approve or /deny";

/// The open question that is meant: by its reference or the beginning of its id, or the only one.
///
/// # Errors
/// Why it is none, for people.
pub(super) fn pick<'a>(open: &'a [Open], which: Option<&str>) -> Result<&'a Open, String> {
    let names = |open: &[&Open]| open.iter().map(|one| one.ask.reference.as_str()).collect::<Vec<_>>().join(", ");
    let id = which.map(|which| which.strip_prefix(REFERENCE_PREFIX).unwrap_or(which));
    let meant: Vec<&Open> = open.iter().filter(|one| id.is_none_or(|id| one.approval.starts_with(id))).collect();
    match (meant.as_slice(), which) {
        ([one], _) => Ok(one),
        ([], _) if open.is_empty() => Err("no question is open: there is nothing to answer".to_owned()),
        ([], which) => {
            let (which, all) = (which.unwrap_or_default(), names(&open.iter().collect::<Vec<_>>()));
            Err(format!("no open question is called `{which}`; open: {all}"))
        }
        (several, None) => Err(format!("several questions are open; name one of {}", names(several))),
        (several, Some(which)) => Err(format!("`{which}` may be each of {}", names(several))),
    }
}

/// Why an answer does not count, if that is what happened.
pub(super) fn refusal(happened: &Happened) -> Option<&'static str> {
    let Happened::Recorded(record) = happened else { return None };
    let Body::Refused { rule, .. } = &record.body else { return None };
    match rule.as_str() {
        "approval.four_eyes" => Some(
            "that does not count: this agent's `four_eyes` needs somebody else than whoever asked, which is you, and \
             nobody else is at this terminal. Ask it in a thread of a platform, where others can answer",
        ),
        "approval.not_open" | "action.stray" => Some("that does not count: the question is not open any more"),
        _ => None,
    }
}

/// What answers where nobody can be asked: what the operator agreed to beforehand, else no.
#[derive(Debug)]
pub(super) struct Beforehand<'a> {
    agreed: &'a [String],
    /// How it is told, and what to do instead.
    why: &'static str,
    answered: HashSet<String>,
    is_stopped: bool,
}

impl<'a> Beforehand<'a> {
    /// With these names and `prefix.*` patterns of tools.
    pub(super) fn new(agreed: &'a [String], why: &'static str) -> Self {
        Self { agreed, why, answered: HashSet::new(), is_stopped: false }
    }

    /// Answers all that is open. Where no answer of the operator's counts, the turn is stopped; `false`: that did not help either.
    pub(super) async fn answer(
        &mut self,
        context: &mut Context,
        screen: Option<&mut Screen>,
        session: &mut Session,
    ) -> Result<bool, Failure> {
        if let Some(screen) = screen {
            screen.pause(&mut context.output)?;
        }
        for open in session.open() {
            let tools = open.tools.join(", ");
            if open.four_eyes || !self.answered.insert(open.approval.clone()) {
                if std::mem::replace(&mut self.is_stopped, true) {
                    return Ok(false);
                }
                let whose = if open.four_eyes { "somebody else than whoever asked" } else { "people" };
                context.note(&format!(
                    "{whose} would have to agree to {tools}, and no answer from here counts: the turn is stopped. \
                     Ask it in a thread of a platform, where others can answer"
                ));
                session.stop_turn().await?;
                return Ok(true);
            }
            if self.agrees(&open) {
                context.note(&format!("agreed to {tools}, as --approve says"));
                session.answer(&open, APPROVE).await?;
            } else {
                context.note(&format!("people would have to agree to {tools}, and {}", self.why));
                session.answer(&open, DENY).await?;
            }
        }
        Ok(true)
    }

    /// Whether every call of a question was agreed to.
    fn agrees(&self, open: &Open) -> bool {
        let is_agreed = |tool: &String| self.agreed.iter().any(|pattern| matches_pattern(pattern, tool));
        !open.own_words && !open.tools.is_empty() && open.tools.iter().all(is_agreed)
    }
}

/// Reads a pattern of `--approve` from the command line.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    if BUILT_IN_TOOLS.iter().any(|tool| matches_pattern(text, tool)) {
        return Ok(text.to_owned());
    }
    if text == "*" {
        return Err("what is agreed to beforehand is said tool by tool: `github.close_issue`, or `github.*`".to_owned());
    }
    let near = nearest(text, BUILT_IN_TOOLS.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(format!("there is no such tool{near}"))
}

#[cfg(test)]
mod tests {
    use reveille_channel::Ask;

    use super::*;

    fn open(id: &str) -> Open {
        let reference = format!("approval.{id}");
        let ask = Ask { reference, title: String::new(), detail: String::new(), choices: Vec::new() };
        Open { approval: id.to_owned(), ask, tools: Vec::new(), own_words: false, four_eyes: false }
    }

    #[test]
    fn an_answer_is_for_the_only_question_or_for_one_that_is_named() {
        let both = [open("ab12"), open("ab34")];
        let meant = |open: &[Open], which| pick(open, which).map(|one| one.approval.clone());
        assert_eq!(meant(&both[..1], None).unwrap(), "ab12");
        assert_eq!(meant(&both, Some("ab3")).unwrap(), "ab34");
        assert_eq!(meant(&both, Some("approval.ab12")).unwrap(), "ab12");
        let complaints = [
            meant(&[], None),
            meant(&[], Some("ab")),
            meant(&both, None),
            meant(&both, Some("ab")),
            meant(&both[..1], Some("cd")),
        ];
        let complaints: Vec<_> = complaints.map(Result::unwrap_err).into();
        assert_eq!(
            complaints,
            [
                "no question is open: there is nothing to answer",
                "no question is open: there is nothing to answer",
                "several questions are open; name one of approval.ab12, approval.ab34",
                "`ab` may be each of approval.ab12, approval.ab34",
                "no open question is called `cd`; open: approval.ab12",
            ]
        );
    }

    #[test]
    fn only_a_question_whose_every_call_was_agreed_to_has_a_yes() {
        let agreed = ["github.*".to_owned(), "clock.now".to_owned()];
        let beforehand = Beforehand::new(&agreed, "");
        let agrees = |tools: &[&str], own_words| {
            let tools = tools.iter().map(|&tool| tool.to_owned()).collect();
            beforehand.agrees(&Open { tools, own_words, ..open("ab12") })
        };
        assert!(agrees(&["github.close_issue"], false) && agrees(&["clock.now", "github.add_labels"], false));
        assert!(
            !agrees(&[], false) && !agrees(&["clock.now", "thread.react"], false) && !agrees(&["githubs.x"], false)
        );
        assert!(!agrees(&["clock.now"], true));
    }

    #[test]
    fn a_pattern_of_everything_or_of_nothing_is_a_mistake() {
        assert_eq!(pattern("github.*").unwrap(), "github.*");
        assert!(pattern("*").unwrap_err().contains("tool by tool"));
        assert!(pattern("github.close_isue").unwrap_err().contains("`github.close_issue`"));
        for text in ["", ".*", "github.close_*", "approval", "git*"] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }
}
