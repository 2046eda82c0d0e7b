//! Replacing an exact text in a text.

use super::error::WorkspaceError;

/// How many lines of matches an error names.
const LINES_NAMED: usize = 5;

/// `text` with `old` replaced by `new`, and how often that was. Unless `all` are meant, `old` must stand there exactly once.
pub(super) fn replace(
    path: &str,
    text: &str,
    old: &str,
    new: &str,
    all: bool,
) -> Result<(String, u64), WorkspaceError> {
    if old == new {
        return Err(WorkspaceError::NothingToDo);
    }
    if old.is_empty() {
        return Err(WorkspaceError::NoMatch { path: path.to_owned(), hint: ": it is empty".to_owned() });
    }
    let starts: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    match (starts.len(), all) {
        (0, _) => Err(WorkspaceError::NoMatch { path: path.to_owned(), hint: hint(text, old) }),
        (1, _) | (_, true) => {
            let count = u64::try_from(starts.len()).unwrap_or(u64::MAX);
            Ok((text.replace(old, new), count))
        }
        (count, false) => {
            let mut lines: Vec<_> = starts.iter().take(LINES_NAMED).map(|at| line_of(text, *at)).collect();
            lines.dedup();
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            Err(WorkspaceError::ManyMatches { path: path.to_owned(), count, lines: lines.join(", ") })
        }
    }
}

/// The number of the line in which the byte stands, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// What differs, where that can be told: models write from memory, and mostly white space is what they get wrong.
fn hint(text: &str, old: &str) -> String {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = squeezed(old);
    if text.contains("\r\n") && !old.contains('\r') && text.replace("\r\n", "\n").contains(old) {
        return ": its lines end with CR LF".to_owned();
    }
    if !wanted.is_empty() && squeezed(text).contains(&wanted) {
        return ": it is there with other white space. Read the file and copy it exactly".to_owned();
    }
    let first = old.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match text.lines().position(|line| !first.is_empty() && line.trim() == first) {
        Some(index) => format!(": its first line stands at line {}, and what follows differs", index + 1),
        None => ". Read the file first".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, old: &str) -> String {
        replace("a.md", text, old, "!", false).unwrap_err().to_string()
    }

    #[test]
    fn a_text_is_replaced_when_it_stands_there_exactly_once() {
        assert_eq!(replace("a", "one two", "two", "2", false).unwrap(), ("one 2".to_owned(), 1));
        assert_eq!(replace("a", "one two", "two", "", false).unwrap(), ("one ".to_owned(), 1));
        assert_eq!(replace("a", "aXbXc", "X", "-", true).unwrap(), ("a-b-c".to_owned(), 2));
        assert_eq!(
            said("x\ny\nx\n", "x"),
            "the text to be replaced stands 2 times in `a.md`, first at line 1, 3: say more of what is around it, or replace all"
        );
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        assert_eq!(said("abc", "x"), "the text to be replaced is not in `a.md`. Read the file first");
        assert!(said("a\r\nb\r\n", "a\nb").ends_with("its lines end with CR LF"));
        assert!(said("  fn a() {\n", "fn  a()").contains("other white space"));
        assert!(said("x\n  begin\n  end\n", "begin\nfinish").ends_with("stands at line 2, and what follows differs"));
        assert!(said("abc", "").ends_with(": it is empty"));
        assert!(matches!(replace("a", "x", "x", "x", false), Err(WorkspaceError::NothingToDo)));
    }
}
