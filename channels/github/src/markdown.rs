//! Reading Markdown as GitHub does, with the place of each piece in the source. Both directions stand on it: what a
//! person's comment calls by name, and what in our own text would act on GitHub.

use std::ops::Range;

use comrak::nodes::{AstNode, NodeValue, Sourcepos};
use comrak::{Arena, Options};

/// GitHub's dialect. Autolinks stay text: `scan` looks at bare addresses itself.
pub(crate) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // A footnote nobody refers to is text all the same.
    options.parse.leave_footnote_definitions = true;
    options
}

/// Parses `text` and hands the root to `read`.
pub(crate) fn parsed<T>(text: &str, read: impl for<'a> FnOnce(&'a AstNode<'a>) -> T) -> T {
    let arena = Arena::new();
    read(comrak::parse_document(&arena, text, &options()))
}

/// As [`parsed`], with the links that GitHub makes of bare addresses (GFM, "Autolinks (extension)"), and some that it does not:
/// addresses in brackets, and of any scheme.
pub(crate) fn parsed_with_autolinks<T>(text: &str, read: impl for<'a> FnOnce(&'a AstNode<'a>) -> T) -> T {
    let arena = Arena::new();
    let mut options = options();
    options.extension.autolink = true;
    options.parse.relaxed_autolinks = true;
    read(comrak::parse_document(&arena, text, &options))
}

/// Where the lines of a text begin, to turn comrak's positions into byte ranges.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        // CommonMark ends a line at LF, CR LF or CR.
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')) {
                starts.push(index + 1);
            }
        }
        Self { text, starts }
    }

    /// Where a node begins.
    pub(crate) fn start(&self, position: Sourcepos) -> Option<usize> {
        let start = self.starts.get(position.start.line.checked_sub(1)?)? + position.start.column.checked_sub(1)?;
        self.text.is_char_boundary(start).then_some(start)
    }

    /// The bytes a node covers; `None` when its position is not one of this text.
    pub(crate) fn range(&self, position: Sourcepos) -> Option<Range<usize>> {
        let start = self.start(position)?;
        let end = self.starts.get(position.end.line.checked_sub(1)?)? + position.end.column;
        self.text.get(start..end).map(|_| start..end)
    }

    /// Whether nothing but blanks stands before `at` on its line.
    pub(crate) fn is_line_start(&self, at: usize) -> bool {
        let line = self.starts.partition_point(|start| *start <= at).checked_sub(1);
        let Some(start) = line.and_then(|line| self.starts.get(line)) else { return false };
        self.text.get(*start..at).is_some_and(|before| before.chars().all(char::is_whitespace))
    }
}

/// Whether a node lies in a quotation.
pub(crate) fn is_quoted<'a>(node: &'a AstNode<'a>) -> bool {
    node.ancestors().any(|ancestor| matches!(ancestor.data().value, NodeValue::BlockQuote))
}
