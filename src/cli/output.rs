//! The standard output, safe for a terminal.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use owo_colors::{OwoColorize, Style};
use serde::Serialize;

use super::listing::Listing;
use crate::telemetry::is_unseen;

/// Where a command's results go.
pub struct Output {
    writer: Box<dyn Write + Send>,
    is_terminal: bool,
    has_colours: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("is_terminal", &self.is_terminal).finish_non_exhaustive()
    }
}

impl Output {
    /// The standard output of this process. Colours only on a terminal, and not with `NO_COLOR` (no-color.org).
    #[must_use]
    pub fn standard() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self {
            writer: Box::new(BufWriter::new(io::stdout())),
            is_terminal,
            has_colours: is_terminal && wants_colours(),
        }
    }

    /// An output into anything, as if it were no terminal.
    pub fn plain(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Box::new(writer), is_terminal: false, has_colours: false }
    }

    /// An output into anything, as if it were a terminal without colours.
    #[cfg(test)]
    pub(super) fn terminal(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Box::new(writer), is_terminal: true, has_colours: false }
    }

    /// Whether a person is looking: progress and redrawing make sense.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes lines of text.
    ///
    /// # Errors
    /// Those of the output.
    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.writer, "{}", escape(text.as_ref()))
    }

    /// Writes lines of text in a style, where there are colours.
    ///
    /// # Errors
    /// Those of the output.
    pub fn styled(&mut self, text: impl AsRef<str>, style: Style) -> io::Result<()> {
        if self.has_colours { writeln!(self.writer, "{}", escape(text.as_ref()).style(style)) } else { self.line(text) }
    }

    /// Writes text without a line's end and shows it at once: for text that streams.
    ///
    /// # Errors
    /// Those of the output.
    pub fn piece(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(escape(text).as_bytes())?;
        self.writer.flush()
    }

    /// Writes somebody's prose and shows it at once: on a terminal without what could do something to it, elsewhere to the
    /// letter, because a program may read it.
    ///
    /// # Errors
    /// Those of the output.
    pub(super) fn prose(&mut self, text: &str) -> io::Result<()> {
        let text = if self.is_terminal { escape_prose(text) } else { Cow::Borrowed(text) };
        self.writer.write_all(text.as_bytes())?;
        self.writer.flush()
    }

    /// Writes words about what goes on, less visible than the rest, without a line's end; nothing where nobody looks.
    ///
    /// # Errors
    /// Those of the output.
    pub(super) fn aside(&mut self, text: &str) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let text = escape(text);
        if self.has_colours {
            write!(self.writer, "{}", text.dimmed())?;
        } else {
            self.writer.write_all(text.as_bytes())?;
        }
        self.writer.flush()
    }

    /// Takes away what stands on the last line of a terminal.
    ///
    /// # Errors
    /// Those of the output.
    pub(super) fn clear_line(&mut self) -> io::Result<()> {
        if self.is_terminal { self.writer.write_all(b"\r\x1b[2K") } else { Ok(()) }
    }

    /// Writes a table.
    ///
    /// # Errors
    /// Those of the output.
    pub fn listing(&mut self, listing: &Listing) -> io::Result<()> {
        let text = listing.render(self.is_terminal, self.has_colours);
        writeln!(self.writer, "{text}")
    }

    /// Writes a value as JSON with indentation.
    ///
    /// # Errors
    /// Those of the output.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        writeln!(self.writer, "{}", escape_json(&text))
    }

    /// Writes a value as JSON on one line and shows it at once.
    ///
    /// # Errors
    /// Those of the output.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        writeln!(self.writer, "{}", escape_json(&text))?;
        self.writer.flush()
    }

    /// Shows what was written so far.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// The writer itself, for text that is all ours (a completion script).
    pub(super) fn raw(&mut self) -> &mut dyn Write {
        &mut self.writer
    }
}

/// Whether the environment has nothing against colours.
pub(super) fn wants_colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Text whose control characters are visible instead of obeyed. Line ends stay.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    escape_all_but(text, |c| c == '\n')
}

/// The same for prose, in which tabs and the joiners of many scripts and emoji have their place.
fn escape_prose(text: &str) -> Cow<'_, str> {
    escape_all_but(text, |c| matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}'))
}

fn escape_all_but(text: &str, is_good: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_bad = |c: char| is_unseen(c) && !is_good(c);
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_bad(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The same for JSON, whose own escapes take care of some.
fn escape_json(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' || !is_unseen(c) {
                return c.to_string();
            }
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_does_to_a_terminal_is_shown_and_not_done() {
        let name = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}ok";
        assert_eq!(escape(name), "\\u{1b}]0;x\\u{7}\\u{9b}2J\\u{202e}ok");
        assert_eq!(escape_prose("a\tb\u{1b}[2J"), "a\tb\\u{1b}[2J");
        let json = escape_json(&serde_json::to_string(name).unwrap());
        assert!(!json.contains(is_unseen), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), name);
    }
}
