//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Color, ContentArrangement, Table};

use super::output::escape;

/// How a cell is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Like any other.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Doubtful,
    /// Wrong.
    Bad,
    /// Less important.
    Quiet,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table: a header and rows.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    header: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Listing {
    /// A table with these columns; without a header where there are none.
    #[must_use]
    pub fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. The text may be from outside.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text: fitted to the terminal, or as wide as it is elsewhere.
    pub(super) fn render(&self, is_terminal: bool, has_colours: bool) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if is_terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty().set_content_arrangement(ContentArrangement::Disabled);
        }
        if has_colours {
            table.enforce_styling();
        }
        if !self.header.is_empty() {
            table.set_header(self.header.iter().map(|name| {
                let cell = comfy_table::Cell::new(name);
                if has_colours { cell.add_attribute(Attribute::Bold) } else { cell }
            }));
        }
        table.add_rows(self.rows.iter().map(|row| {
            row.iter().map(|cell| {
                let shown = comfy_table::Cell::new(escape(&cell.text));
                match cell.tone {
                    _ if !has_colours => shown,
                    Tone::Plain => shown,
                    Tone::Good => shown.fg(Color::Green),
                    Tone::Doubtful => shown.fg(Color::Yellow),
                    Tone::Bad => shown.fg(Color::Red),
                    Tone::Quiet => shown.add_attribute(Attribute::Dim),
                }
            })
        }));
        let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }
}
