//! A terminal on which an answer grows: what was printed stays, so what is corrected is printed again.

use std::collections::VecDeque;
use std::io;

use reveille_local::Shown;

use super::output::Output;
use super::records::brief;
use crate::journal::{Body, ToolCall, ToolOutcome};
use crate::local::Happened;

/// The widest status line: one that wraps could not be taken away.
const STATUS_CHARS: usize = 70;

/// What is going on beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doing {
    /// The model is asked; its text is about to come.
    Thinking(&'static str),
    /// Tools run: no text comes meanwhile.
    Using(String),
}

/// What stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// The message whose text stands at the end.
    open: Option<String>,
    /// How much of the turn's text was printed, bytes.
    printed: usize,
    /// Something stands on the last line.
    is_mid_line: bool,
    /// That is the status.
    has_status: bool,
    /// The text of the message was interrupted by a line of its own.
    is_broken: bool,
    doing: Option<Doing>,
    /// The tool calls that have no result.
    calls: Vec<ToolCall>,
    /// Lines that wait until so much of the text is printed.
    held: VecDeque<(usize, String)>,
}

impl Screen {
    /// Prints what happened. `text_bytes` is how long the turn's text is so far: what is recorded now stands behind it.
    pub(super) fn take(&mut self, output: &mut Output, happened: &Happened, text_bytes: usize) -> io::Result<()> {
        match happened {
            Happened::Shown(shown) => self.show(output, shown)?,
            Happened::Recorded(record) => self.record(&record.body, text_bytes),
        }
        self.tell(output)?;
        if self.printed < text_bytes {
            return Ok(());
        }
        match self.doing.clone() {
            None => Ok(()),
            // It would cut a sentence in two.
            Some(Doing::Thinking(_)) if self.is_mid_line && !self.has_status => Ok(()),
            Some(Doing::Thinking(what)) => self.status(output, what),
            Some(Doing::Using(what)) => self.status(output, &what),
        }
    }

    fn record(&mut self, body: &Body, text_bytes: usize) {
        match body {
            Body::TurnStarted { .. } => self.printed = 0,
            Body::ModelCalled { .. } => self.doing = Some(Doing::Thinking("Thinking")),
            Body::ModelFailed { .. } => {
                self.doing = Some(Doing::Thinking("The model did not answer; trying again"));
            }
            Body::ModelAnswered { tool_calls, .. } => {
                let names: Vec<_> = tool_calls.iter().map(|call| call.name.as_str()).collect();
                self.doing = (!names.is_empty()).then(|| Doing::Using(format!("Using {}", names.join(", "))));
                self.calls.clone_from(tool_calls);
            }
            Body::ToolReturned { call, outcome, .. } => {
                if let Some(at) = self.calls.iter().position(|one| one.id == *call) {
                    self.doing = self.doing.take().filter(|_| self.calls.len() > 1);
                    self.held.push_back((text_bytes, line(&self.calls.swap_remove(at), outcome)));
                }
            }
            // Nothing is used before somebody agrees.
            Body::ApprovalAsked { .. } | Body::TurnEnded { .. } => self.doing = None,
            _ => {}
        }
    }

    /// Prints what became visible.
    fn show(&mut self, output: &mut Output, shown: &Shown) -> io::Result<()> {
        match shown {
            Shown::Status(_) => Ok(()),
            Shown::Begun { id, text } => {
                self.break_line(output)?;
                self.open = Some(id.clone());
                self.write(output, text)
            }
            Shown::Grew { id, text } => {
                if self.open.as_ref() != Some(id) {
                    self.note(output, "(an earlier message goes on)")?;
                    self.open = Some(id.clone());
                }
                self.write(output, text)
            }
            Shown::Rewritten { id, text } => {
                self.note(output, "(corrected)")?;
                self.open = Some(id.clone());
                self.printed = 0;
                self.write(output, text)
            }
            Shown::Asked { text, .. } => {
                self.break_line(output)?;
                self.open = None;
                output.line(text)?;
                output.flush()
            }
            Shown::Settled { outcome, .. } => self.note(output, outcome),
            Shown::Reacted { emoji } => self.note(output, &format!(":{emoji}:")),
        }
    }

    /// Prints text, and the lines that wait in their places in it.
    fn write(&mut self, output: &mut Output, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, _)) = self.held.front().filter(|(at, _)| at.saturating_sub(self.printed) < rest.len()) {
            let (before, after) = rest.split_at(rest.floor_char_boundary(at.saturating_sub(self.printed)));
            self.print(output, before)?;
            rest = after;
            self.tell(output)?;
        }
        self.print(output, rest)
    }

    fn print(&mut self, output: &mut Output, text: &str) -> io::Result<()> {
        self.printed = self.printed.saturating_add(text.len());
        let text = if self.is_broken { text.trim_start_matches('\n') } else { text };
        if text.is_empty() {
            return Ok(());
        }
        self.clear(output)?;
        output.prose(text)?;
        self.is_mid_line = !text.ends_with('\n');
        self.is_broken = false;
        Ok(())
    }

    /// Prints the lines whose place has come.
    fn tell(&mut self, output: &mut Output) -> io::Result<()> {
        while let Some((_, line)) = self.held.pop_front_if(|(at, _)| *at <= self.printed) {
            self.note(output, &line)?;
        }
        Ok(())
    }

    /// Prints a quiet line of its own.
    pub(super) fn note(&mut self, output: &mut Output, text: &str) -> io::Result<()> {
        self.break_line(output)?;
        output.aside(text)?;
        output.line("")?;
        output.flush()
    }

    /// Shows what is going on until something else is printed.
    fn status(&mut self, output: &mut Output, text: &str) -> io::Result<()> {
        self.break_line(output)?;
        let text: String = text.chars().take(STATUS_CHARS).collect();
        output.aside(&text)?;
        (self.has_status, self.is_mid_line) = (true, true);
        Ok(())
    }

    /// The answer waits for somebody.
    pub(super) fn pause(&mut self, output: &mut Output) -> io::Result<()> {
        self.break_line(output)?;
        self.open = None;
        self.doing = None;
        output.flush()
    }

    /// The answer is complete.
    pub(super) fn end(&mut self, output: &mut Output) -> io::Result<()> {
        self.printed = usize::MAX;
        self.tell(output)?;
        self.break_line(output)?;
        self.open = None;
        self.doing = None;
        output.flush()
    }

    fn break_line(&mut self, output: &mut Output) -> io::Result<()> {
        self.clear(output)?;
        if self.is_mid_line {
            output.line("")?;
        }
        (self.is_mid_line, self.is_broken) = (false, true);
        Ok(())
    }

    fn clear(&mut self, output: &mut Output) -> io::Result<()> {
        if self.has_status {
            output.clear_line()?;
            (self.has_status, self.is_mid_line) = (false, false);
        }
        Ok(())
    }
}

/// A tool call that is over, in a line.
fn line(call: &ToolCall, outcome: &ToolOutcome) -> String {
    let arguments = match &call.arguments {
        serde_json::Value::Object(none) if none.is_empty() => String::new(),
        some => format!(" {}", brief(&some.to_string())),
    };
    match outcome {
        ToolOutcome::Ok { .. } => format!("used {}{arguments}", call.name),
        ToolOutcome::Error { message } => format!("{}{arguments} failed: {}", call.name, brief(message)),
        ToolOutcome::Unknown { message } => {
            format!("{}{arguments} may or may not have been done: {}", call.name, brief(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::journal::{Record, StopReason, Usage};

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn recorded(body: Body) -> Happened {
        Happened::Recorded(Box::new(Record { offset: 0, epoch: 1, at_ms: 0, body }))
    }

    fn answered(tool_calls: Vec<ToolCall>) -> Happened {
        let (stop, usage, text) = (StopReason::End, Usage::default(), String::new());
        recorded(Body::ModelAnswered { turn: 1, step: 1, attempt: 1, text, tool_calls, stop, usage })
    }

    #[test]
    fn an_answer_grows_around_notes_and_a_status_leaves_no_trace() {
        let paper = Paper::default();
        let mut output = Output::terminal(paper.clone());
        let mut screen = Screen::default();
        let begun = |id: &str, text: &str| Happened::Shown(Shown::Begun { id: id.into(), text: text.into() });
        let grew = |id: &str, text: &str| Happened::Shown(Shown::Grew { id: id.into(), text: text.into() });
        let (model, request) = (String::new(), String::new());
        let thinking = recorded(Body::ModelCalled { turn: 1, step: 1, attempt: 1, model, request });
        let call = ToolCall { id: "c".into(), name: "clock.now".into(), arguments: serde_json::json!({}) };
        let outcome = ToolOutcome::Ok { content: "noon".into(), truncated: false };
        let returned = recorded(Body::ToolReturned { turn: 1, step: 1, call: "c".into(), outcome });
        let story = [
            (thinking.clone(), 0),
            (begun("a", "Looking at "), 11),
            // A status would cut the sentence in two.
            (thinking.clone(), 11),
            // The call and its result are on record before the text in front of them is visible.
            (answered(vec![call]), 21),
            (returned, 21),
            (grew("a", "the clock.\n\nIt is \u{1b}[2Jnoon."), 36),
            (answered(Vec::new()), 36),
            (Happened::Shown(Shown::Rewritten { id: "a".into(), text: "It is one.\n".into() }), 36),
            (Happened::Shown(Shown::Reacted { emoji: "tada".into() }), 36),
        ];
        for (happened, text_bytes) in story {
            screen.take(&mut output, &happened, text_bytes).unwrap();
        }
        screen.end(&mut output).unwrap();
        let printed = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            printed,
            "Thinking\r\u{1b}[2KLooking at the clock.\nused clock.now\nIt is \\u{1b}[2Jnoon.\n(corrected)\nIt is one.\n:tada:\n"
        );
    }
}
