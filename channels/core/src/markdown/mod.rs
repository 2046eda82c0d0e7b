//! CommonMark pieces: cutting a reply's text so that no message breaks a code fence, a table's row, a link, a span of code or a
//! character as people see it.
//!
//! Positions are byte offsets into the reply's whole text, so a cut that was recorded stays right while the text grows. A message
//! that begins inside of a fence opens it again, and one that begins inside of a table has its header again: every platform
//! reads each message for itself.

mod outline;
mod solid;

use unicode_segmentation::GraphemeCursor;

use outline::Outline;

/// A text that is cut into messages, looked through once.
#[derive(Debug)]
pub struct Cuts<'t> {
    text: &'t str,
    outline: Outline,
}

/// What closes the fence that is open at `end`; empty when there is none.
#[must_use]
pub fn closing(text: &str, end: usize) -> String {
    Cuts::of(text).closing(end)
}

impl<'t> Cuts<'t> {
    /// Looks through a text. It takes one pass; what is asked of it afterwards looks at one message's length.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        Self { text, outline: Outline::of(text) }
    }

    /// The part between two byte offsets as a message of its own: a fence that is open at its beginning is opened again, a table
    /// has its header again, and a fence that is open at its end is closed.
    ///
    /// Offsets that are no character boundaries, or out of range, give an empty piece.
    #[must_use]
    pub fn piece(&self, start: usize, end: usize) -> String {
        let mut piece = self.open_piece(start, end);
        if !piece.is_empty() {
            piece.push_str(&self.closing(end));
        }
        piece
    }

    /// As [`Cuts::piece`], but a fence that is open at the end stays open: more text will be appended.
    #[must_use]
    pub fn open_piece(&self, start: usize, end: usize) -> String {
        let Some(middle) = self.text.get(start..end) else {
            return String::new();
        };
        let mut piece = String::with_capacity(middle.len() + 16);
        if let Some(carried) = self.outline.at(start).filter(|carried| !carried.opening.is_empty()) {
            piece.push_str(&carried.opening);
            piece.push('\n');
        }
        piece.push_str(middle);
        piece
    }

    /// What closes the fence that is open at `end`; empty when there is none.
    #[must_use]
    pub fn closing(&self, end: usize) -> String {
        let Some(before) = self.text.get(..end) else {
            return String::new();
        };
        match self.outline.at(end).filter(|carried| !carried.is_table()) {
            None => String::new(),
            Some(fence) if before.ends_with('\n') => fence.closing.clone(),
            Some(fence) => format!("\n{}", fence.closing),
        }
    }

    /// Where a message that begins at byte `start` has to end so that the piece holds at most `limit` bytes: `None` when all
    /// of the text fits. The end is at least `at_least` (what is visible already and cannot be taken back) where that is possible.
    ///
    /// Preferred in this order, in the last two thirds of what fits and then before: a blank line, a line's end, a space; never
    /// inside of a table's row or before its first, a link or a span of code. What has no such place is cut between characters.
    #[must_use]
    pub fn cut(&self, start: usize, limit: usize, at_least: usize) -> Option<usize> {
        let reopened = self.outline.at(start).map_or(0, |carried| carried.opening.len() + 1);
        // Room for a closing fence.
        let room = limit.saturating_sub(reopened + 8).max(16);
        let rest = self.text.get(start..)?;
        if rest.len() <= room {
            return None;
        }
        let most = rest.floor_char_boundary(room);
        let window = rest.get(..most)?;
        let visible = at_least.saturating_sub(start);
        let is_whole = |at: usize| GraphemeCursor::new(at, rest.len(), true).is_boundary(rest, 0).unwrap_or(true);
        let place = Places { cuts: self, start, window, solid: solid::solid(window), is_whole: &is_whole };
        let end = place
            .best(visible.max(most / 3))
            .or_else(|| place.best(visible.max(1)))
            .or_else(|| (visible.max(1)..=most).rev().find(|at| rest.is_char_boundary(*at) && is_whole(*at)))
            // One character of many parts is longer than a message.
            .unwrap_or(most);
        Some(start + end)
    }
}

/// The places in a window where a message may end.
struct Places<'c> {
    cuts: &'c Cuts<'c>,
    start: usize,
    window: &'c str,
    solid: Vec<std::ops::Range<usize>>,
    is_whole: &'c dyn Fn(usize) -> bool,
}

impl Places<'_> {
    /// The best one at or behind `least`.
    fn best(&self, least: usize) -> Option<usize> {
        let outline = &self.cuts.outline;
        let is_no_table = |at: &usize| outline.around(self.start + at).is_none_or(|one| !one.is_table());
        let blank = || self.behind("\n\n", least).find(|at| outline.at(self.start + at).is_none());
        let line = || self.behind("\n", least).find(|at| self.is_between_rows(*at));
        let space = || self.behind(" ", least).find(is_no_table);
        let before_solid = || {
            let starts = self.solid.iter().rev().map(|span| span.start).take_while(|at| *at >= least);
            starts.filter(|at| self.is_between(*at)).find(is_no_table)
        };
        blank().or_else(line).or_else(space).or_else(before_solid)
    }

    /// The places behind a sign, the last one first.
    fn behind<'s>(&'s self, sign: &'static str, least: usize) -> impl Iterator<Item = usize> + 's {
        let all = self.window.rmatch_indices(sign).map(|(at, found)| at + found.len());
        all.take_while(move |at| *at >= least).filter(move |at| self.is_between(*at))
    }

    /// Whether nothing is broken there that has no lines.
    fn is_between(&self, at: usize) -> bool {
        let before = self.solid.partition_point(|span| span.start < at);
        let span = before.checked_sub(1).and_then(|index| self.solid.get(index));
        let is_in_code = || self.cuts.outline.at(self.start + at).is_some_and(|carried| !carried.is_table());
        // In a fence, brackets and backticks are what is shown.
        at > 0 && (span.is_none_or(|span| span.end <= at) || is_in_code()) && (self.is_whole)(at)
    }

    /// Whether a line's end is none inside of a table's header, and does not leave a table without rows.
    fn is_between_rows(&self, at: usize) -> bool {
        self.cuts.outline.around(self.start + at).is_none_or(|one| !one.is_table() || self.start + at > one.body)
    }
}

#[cfg(test)]
mod tests {
    use comrak::nodes::NodeValue;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    use super::*;

    /// Where a reply would be cut.
    fn ends(text: &str, limit: usize) -> Vec<usize> {
        let cuts = Cuts::of(text);
        let mut ends = vec![0];
        while let Some(end) = cuts.cut(ends[ends.len() - 1], limit, 0) {
            ends.push(end);
        }
        ends.push(text.len());
        ends
    }

    /// All messages of a text, as a reply would be cut.
    fn pieces(text: &str, limit: usize) -> Vec<String> {
        let cuts = Cuts::of(text);
        ends(text, limit).windows(2).map(|pair| cuts.piece(pair[0], pair[1])).collect()
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
        let end = Cuts::of(&text).cut(0, 200, 190).unwrap();
        assert!(end >= 190);
    }

    #[test]
    fn a_table_has_its_header_in_every_message_and_no_row_is_cut() {
        let rows: String = (0..20).map(|n| format!("| {n} | some words of a row |\n")).collect();
        let text = format!("Before.\n\n| n | words |\n|---|:-:|\n{rows}\nAfter.");
        let all = pieces(&text, 200);
        assert!(all.len() > 3, "{all:#?}");
        assert!(all[0].starts_with("Before.\n\n| n | words |\n|---|:-:|\n| 0 |"), "{}", all[0]);
        for one in &all[1..] {
            assert!(one.len() <= 200 && one.starts_with("| n | words |\n|---|:-:|\n| "), "{one}");
        }
        // A table that would leave its header behind goes to the next message whole.
        let text =
            format!("{}\n| n | words |\n|---|---|\n| {} |\n", "word ".repeat(20).trim(), "cell ".repeat(12).trim());
        let all = pieces(&text, 160);
        assert!(all[1].starts_with("| n | words |\n|---|---|\n| cell"), "{all:#?}");
    }

    #[test]
    fn a_fence_in_a_quotation_is_opened_again_in_one() {
        let text = format!("> Said:\n>\n> ```sh\n{}> ```\n", "> echo word\n".repeat(20));
        let all = pieces(&text, 120);
        assert!(all.len() > 2 && all[1].starts_with("> ```sh\n> echo"), "{all:#?}");
        assert!(all[1].ends_with("> echo word\n> ```"), "{}", all[1]);
        assert_eq!(closing("> ```\n> x\nnot quoted any more", 34), "");
    }

    #[test]
    fn code_and_links_are_kept_whole_wherever_a_message_is_full() {
        for solid in [
            "`some words of code`",
            "``a ` b``",
            "[the words](https://example.com/a b)",
            "[the words][the reference]",
            "<https://example.com/x>",
        ] {
            for before in 60..95 {
                let text = format!("{} {solid} and {}", "w".repeat(before), "more words ".repeat(6));
                let all = pieces(&text, 108);
                assert_eq!(all.iter().filter(|one| one.contains(solid)).count(), 1, "{before}: {all:#?}");
            }
        }
        let all = pieces(&format!("a ` b {}", "word ".repeat(200)), 100);
        assert!(all[..all.len() - 1].iter().all(|one| one.len() > 50), "a stray backtick holds nothing up: {all:#?}");
    }

    #[test]
    fn characters_as_people_see_them_are_kept_whole() {
        for one in [
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "e\u{301}",
            "\u{1f1e9}\u{1f1ea}",
            "\u{1f44d}\u{1f3fd}",
            "न्दी",
        ] {
            for all in [one.repeat(60), format!("x{}", one.repeat(60)), format!("{} ", one.repeat(60))] {
                let shown = pieces(&all, 100).concat();
                assert_eq!(shown, all);
                for piece in pieces(&all, 100) {
                    assert_eq!(
                        piece.replace(one, "").trim(),
                        if piece.starts_with('x') { "x" } else { "" },
                        "{piece:?}"
                    );
                }
            }
        }
        let endless = format!("a{}", "\u{301}".repeat(400));
        assert_eq!(
            pieces(&endless, 100).concat(),
            endless,
            "one character that is longer than a message is cut all the same"
        );
    }

    /// What people see of a text: its code, its cells, its links.
    fn seen(texts: &[String]) -> (String, Vec<String>, Vec<String>) {
        let mut options = comrak::Options::default();
        options.extension.table = true;
        let (mut code, mut cells, mut links) = (String::new(), Vec::new(), Vec::new());
        for text in texts {
            let arena = comrak::Arena::new();
            for node in comrak::parse_document(&arena, text, &options).descendants() {
                let words = || {
                    node.descendants().filter_map(|below| match &below.data().value {
                        NodeValue::Text(text) => Some(text.to_string()),
                        _ => None,
                    })
                };
                match &node.data().value {
                    NodeValue::CodeBlock(block) => code.push_str(&block.literal),
                    NodeValue::TableRow(false) => cells.push(words().collect::<Vec<_>>().join("|")),
                    NodeValue::Link(link) => links.push(link.url.clone()),
                    _ => {}
                }
            }
        }
        (code, cells, links)
    }

    fn document() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            4 => "[a-z]{1,9}",
            1 => Just("[the words](https://example.com/path)".to_owned()),
            1 => Just("`a b c`".to_owned()),
            1 => Just("\u{1f468}\u{200d}\u{1f469}".to_owned()),
        ];
        let words = |most| proptest::collection::vec(word.clone(), 1..most).prop_map(|words| words.join(" "));
        let lines = proptest::collection::vec("[a-z(){}= ]{1,30}", 1..12);
        let rows = proptest::collection::vec(("[a-z]{1,9}", "[a-z ]{0,20}x"), 1..12);
        let block = prop_oneof![
            words(40),
            lines.prop_map(|lines| format!("```rust\n{}\n```", lines.join("\n"))),
            rows.prop_map(|rows| {
                let rows: Vec<String> = rows.iter().map(|(one, other)| format!("| {one} | {other} |")).collect();
                format!("| a | b |\n|---|---|\n{}", rows.join("\n"))
            }),
            words(10).prop_map(|words| format!("> {words}")),
            words(10).prop_map(|words| format!("## {words}")),
        ];
        proptest::collection::vec(block, 1..10).prop_map(|blocks| blocks.join("\n\n"))
    }

    proptest! {
        #[test]
        fn cutting_loses_nothing_keeps_the_limit_and_does_not_depend_on_what_follows(text in "(\\PC|\n|`{3}\n| ){0,400}", limit in 60usize..200) {
            let cuts = Cuts::of(&text);
            let mut joined = String::new();
            for pair in ends(&text, limit).windows(2) {
                prop_assert!(pair[1] > pair[0] || text.is_empty());
                prop_assert!(cuts.piece(pair[0], pair[1]).len() <= limit + 200);
                joined.push_str(text.get(pair[0]..pair[1]).unwrap());
            }
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn what_people_see_is_the_same_in_pieces(text in document(), limit in 140usize..400) {
            let all = pieces(&text, limit);
            for one in &all {
                prop_assert!(one.len() <= limit, "{} bytes: {}", one.len(), one);
            }
            prop_assert_eq!(seen(&all), seen(&[text]), "{:#?}", all);
        }

        #[test]
        fn every_cut_is_between_characters_as_people_see_them(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "a", " ", "\n", "e\u{301}", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f1e9}\u{1f1ea}", "\u{1f44d}\u{1f3fd}", "\r\n", "| a |\n", "[x](y)", "`",
            ]), 0..200),
            limit in 100usize..160,
        ) {
            let text = parts.concat();
            let whole: std::collections::BTreeSet<usize> =
                text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
            for end in ends(&text, limit) {
                prop_assert!(whole.contains(&end), "{} in {:?}", end, text);
            }
        }
    }
}
