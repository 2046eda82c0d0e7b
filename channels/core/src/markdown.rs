//! CommonMark pieces: cutting a reply's text so that no message breaks a code fence, a link, a line of a table or a character.
//!
//! Positions are byte offsets into the reply's whole text, so a cut that was recorded stays right while the text grows.

/// An open code fence.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fence {
    /// Its opening line, such as "```rust".
    opening: String,
    /// What closes it, such as "```".
    closing: String,
}

/// The fence that is open at byte `at`, if any (CommonMark 0.31, section 4.5).
fn fence_at(text: &str, at: usize) -> Option<Fence> {
    let mut open: Option<Fence> = None;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        position += line.len();
        if position > at {
            break;
        }
        let trimmed = line.trim_end_matches(['\n', '\r']);
        let indent = trimmed.len() - trimmed.trim_start_matches(' ').len();
        let content = trimmed.trim_start_matches(' ');
        match &open {
            None => {
                if indent > 3 {
                    continue;
                }
                let run: String =
                    content.chars().take_while(|c| content.starts_with(*c) && matches!(c, '`' | '~')).collect();
                let info = content.strip_prefix(run.as_str()).unwrap_or_default();
                if run.len() >= 3 && !(run.starts_with('`') && info.contains('`')) {
                    open = Some(Fence { opening: content.to_owned(), closing: run });
                }
            }
            Some(fence) => {
                let closes = indent <= 3
                    && content.trim_end().len() >= fence.closing.len()
                    && content.trim_end().chars().all(|c| fence.closing.starts_with(c));
                if closes {
                    open = None;
                }
            }
        }
    }
    open
}

/// The part of `text` between two byte offsets as a message of its own: a fence that is open at its beginning is opened
/// again, and one that is open at its end is closed.
///
/// Offsets that are no character boundaries, or out of range, give an empty piece.
#[must_use]
pub fn piece(text: &str, start: usize, end: usize) -> String {
    let mut piece = open_piece(text, start, end);
    if !piece.is_empty() {
        piece.push_str(&closing(text, end));
    }
    piece
}

/// As [`piece`], but a fence that is open at the end stays open: more text will be appended.
#[must_use]
pub fn open_piece(text: &str, start: usize, end: usize) -> String {
    let Some(middle) = text.get(start..end) else {
        return String::new();
    };
    let mut piece = String::with_capacity(middle.len() + 16);
    if let Some(fence) = fence_at(text, start) {
        piece.push_str(&fence.opening);
        piece.push('\n');
    }
    piece.push_str(middle);
    piece
}

/// What closes the fence that is open at `end`; empty when there is none.
#[must_use]
pub fn closing(text: &str, end: usize) -> String {
    let Some(before) = text.get(..end) else {
        return String::new();
    };
    match fence_at(text, end) {
        None => String::new(),
        Some(fence) if before.ends_with('\n') => fence.closing,
        Some(fence) => format!("\n{}", fence.closing),
    }
}

/// Where a message that begins at byte `start` has to end so that the piece holds at most `limit` bytes: `None` when all
/// of the text fits. The end is at least `at_least` (what is visible already and cannot be taken back) where that is possible.
///
/// Preferred in this order: a blank line, a line's end, a space, a character; the first three never inside an inline link.
#[must_use]
pub fn cut(text: &str, start: usize, limit: usize, at_least: usize) -> Option<usize> {
    let reopened = fence_at(text, start).map_or(0, |fence| fence.opening.len() + 1);
    // Room for a closing fence.
    let room = limit.saturating_sub(reopened + 8).max(16);
    let rest = text.get(start..)?;
    if rest.len() <= room {
        return None;
    }
    let mut most = room;
    while !rest.is_char_boundary(most) {
        most -= 1;
    }
    let window = rest.get(..most)?;
    let least = at_least.saturating_sub(start).max(most / 3);
    let usable = |at: &usize| *at >= least && *at > 0 && !in_link(window, *at);
    let blank = window.rmatch_indices("\n\n").map(|(at, found)| at + found.len()).find(usable);
    let blank = blank.filter(|at| fence_at(text, start + at).is_none());
    let line = || window.rmatch_indices('\n').map(|(at, found)| at + found.len()).find(usable);
    let space = || window.rmatch_indices(' ').map(|(at, found)| at + found.len()).find(usable);
    let end = blank.or_else(line).or_else(space).unwrap_or(most);
    Some(start + end)
}

/// Whether byte `at` lies inside an inline link or a code span of its line.
fn in_link(window: &str, at: usize) -> bool {
    let Some(before) = window.get(..at) else {
        return true;
    };
    let line = before.rsplit('\n').next().unwrap_or_default();
    let open_target = line.rfind("](").is_some_and(|open| line.get(open..).is_some_and(|tail| !tail.contains(')')));
    let open_text = line.rfind('[').is_some_and(|open| line.get(open..).is_some_and(|tail| !tail.contains(']')));
    open_target || open_text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All messages of a text, as a reply would be cut.
    fn pieces(text: &str, limit: usize) -> Vec<String> {
        let mut start = 0;
        let mut all = Vec::new();
        while let Some(end) = cut(text, start, limit, 0) {
            all.push(piece(text, start, end));
            start = end;
        }
        all.push(piece(text, start, text.len()));
        all
    }

    #[test]
    fn a_text_that_fits_is_one_piece_and_unchanged() {
        assert_eq!(pieces("one\n\n```\ntwo\n```\n", 100), ["one\n\n```\ntwo\n```\n"]);
    }

    #[test]
    fn a_fence_is_closed_and_opened_again() {
        let text = format!("Intro.\n\n```rust\n{}```\nEnd.", "let x = 1;\n".repeat(20));
        let all = pieces(&text, 120);
        assert!(all.len() > 2, "{all:?}");
        for one in &all {
            assert!(one.len() <= 120, "{} bytes", one.len());
            assert_eq!(one.matches("```").count() % 2, 0, "{one}");
        }
        assert!(all[1].starts_with("```rust\nlet x"));
    }

    #[test]
    fn paragraphs_are_kept_whole_and_links_are_not_cut() {
        let text = format!("{}\n\n{}", "a ".repeat(30).trim(), "b ".repeat(30).trim());
        assert_eq!(pieces(&text, 100)[0].trim_end(), "a ".repeat(30).trim());
        let text = format!("{} [the words of a link](https://example.com/a/long/path) end", "word ".repeat(12));
        for one in pieces(&text, 90) {
            assert_eq!(one.matches("](").count(), one.matches("path)").count(), "{one}");
        }
    }

    #[test]
    fn what_is_visible_is_never_cut_off() {
        let text = "word ".repeat(100);
        let end = cut(&text, 0, 200, 190).unwrap();
        assert!(end >= 190);
    }

    proptest! {
        #[test]
        fn cutting_loses_nothing_keeps_the_limit_and_does_not_depend_on_what_follows(text in "(\\PC|\n|`{3}\n| ){0,400}", limit in 60usize..200) {
            let mut start = 0;
            let mut joined = String::new();
            while let Some(end) = cut(&text, start, limit, 0) {
                prop_assert!(end > start);
                prop_assert!(piece(&text, start, end).len() <= limit + 200);
                joined.push_str(text.get(start..end).unwrap());
                start = end;
            }
            joined.push_str(text.get(start..).unwrap());
            prop_assert_eq!(joined, text);
        }
    }
}
