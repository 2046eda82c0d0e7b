//! Places in a source, and how they are shown.

use serde::{Deserialize, Serialize};

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// The longest piece of a line that is shown.
const SHOWN_CHARACTERS: usize = 120;

impl Position {
    /// The place of a byte.
    pub(crate) fn of(source: &str, byte: usize) -> Self {
        let mut end = byte.min(source.len());
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        let before = source.get(..end).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        Self { line: small(line).saturating_add(1), column: small(column).saturating_add(1) }
    }

    /// The line with a caret under the place.
    ///
    /// ```text
    ///   --> program:2:11
    ///    |
    ///  2 | const x = ;
    ///    |           ^
    /// ```
    pub(crate) fn excerpt(self, source: &str) -> String {
        let index = usize::try_from(self.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let line = source.split('\n').nth(index).unwrap_or_default().trim_end();
        let at = usize::try_from(self.column.saturating_sub(1)).unwrap_or(usize::MAX).min(line.chars().count());
        // Of a long line the piece around the caret.
        let skipped = at.saturating_sub(SHOWN_CHARACTERS / 2);
        let shown: String = line.chars().skip(skipped).take(SHOWN_CHARACTERS).collect();
        // A tab stays one, so that the caret stands under its letter however wide it is shown.
        let indent: String = shown.chars().take(at - skipped).map(|one| if one == '\t' { '\t' } else { ' ' }).collect();
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        format!(
            "{margin} --> program:{}:{}\n{margin}  |\n{number}  | {shown}\n{margin}  | {indent}^",
            self.line, self.column
        )
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters_from_one() {
        let source = "let a;\nlet ä = ;";
        assert_eq!(Position::of(source, 0), Position { line: 1, column: 1 });
        let byte = source.rfind(';').unwrap();
        assert_eq!(Position::of(source, byte), Position { line: 2, column: 9 });
        // In the middle of a letter, and behind the end.
        assert_eq!(Position::of(source, 12), Position { line: 2, column: 5 });
        assert_eq!(Position::of(source, 900), Position { line: 2, column: 10 });
    }

    #[test]
    fn the_caret_stands_under_the_place_also_behind_tabs_and_in_long_lines() {
        let excerpt = Position { line: 2, column: 3 }.excerpt("x\n\ty z\n");
        assert_eq!(excerpt, "  --> program:2:3\n   |\n2  | \ty z\n   | \t ^");
        let long = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let excerpt = Position { line: 1, column: 501 }.excerpt(&long);
        let lines: Vec<_> = excerpt.lines().collect();
        assert_eq!(lines[2].find('!'), lines[3].find('^'));
        assert!(lines[2].len() < 140, "{excerpt}");
        // A place that is not there does no harm.
        assert!(Position { line: 9, column: 9 }.excerpt("x").ends_with("| ^"));
    }
}
