//! Questions to the person at the terminal. What is secret is not shown while it is typed.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, Editor, Helper};

use crate::cli::failure::{Code, Failure};

/// Whether there is somebody who could answer. What is typed on a terminal that cannot be drawn on would be seen.
pub(super) fn somebody_is_there() -> bool {
    let can_draw = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    can_draw && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal.
pub(super) struct Terminal(Editor<Veil, DefaultHistory>);

/// Covers what is typed.
struct Veil {
    is_down: bool,
}

impl Completer for Veil {
    type Candidate = String;
}

impl Hinter for Veil {
    type Hint = String;
}

impl Validator for Veil {}

impl Highlighter for Veil {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if self.is_down { Cow::Owned("*".repeat(line.chars().count())) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, kind: CmdKind) -> bool {
        // Otherwise a letter is drawn as it comes.
        self.is_down && kind != CmdKind::MoveCursor
    }
}

impl Helper for Veil {}

impl Terminal {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut editor = Editor::new().map_err(|error| broken(&error))?;
        editor.set_helper(Some(Veil { is_down: false }));
        // Nothing is covered without it, whatever NO_COLOR says: a star has no colour.
        editor.set_color_mode(ColorMode::Forced);
        editor.set_auto_add_history(false);
        Ok(Self(editor))
    }

    /// A line; empty when the person goes on without.
    pub(super) fn line(&mut self, question: &str) -> Result<String, Failure> {
        self.read(question, false)
    }

    /// A line that nobody sees.
    pub(super) fn secret(&mut self, question: &str) -> Result<String, Failure> {
        self.read(question, true)
    }

    /// Yes, or anything else.
    pub(super) fn agrees(&mut self, question: &str) -> Result<bool, Failure> {
        let answer = self.line(&format!("{question} [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    fn read(&mut self, question: &str, is_down: bool) -> Result<String, Failure> {
        if let Some(veil) = self.0.helper_mut() {
            veil.is_down = is_down;
        }
        match self.0.readline(question) {
            Ok(line) => Ok(line.trim().to_owned()),
            Err(ReadlineError::Eof) => Ok(String::new()),
            Err(ReadlineError::Interrupted) => {
                let help = "run it again: what was written so far is kept, and nothing is asked twice";
                Err(Failure::new(Code::Addition, "stopped by you", help).exiting_with(1))
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

fn broken(error: &ReadlineError) -> Failure {
    let what = format!("the terminal does not work: {error}");
    Failure::new(Code::Addition, what, "use --yes: nothing is asked then").exiting_with(1)
}
