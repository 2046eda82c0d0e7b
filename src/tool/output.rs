//! The length of what a tool gives back.

/// `text` in at most `most` bytes: cut at a character's end, with a line that says so. The flag says whether it was cut.
#[must_use]
pub fn cut(mut text: String, most: usize) -> (String, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let mark = format!("\n[cut: {} bytes in all]", text.len());
    text.truncate(text.floor_char_boundary(most.saturating_sub(mark.len())));
    if text.len() + mark.len() <= most {
        text.push_str(&mark);
    }
    (text, true)
}

/// The pieces, in their order, as many as fit into `most` bytes with blank lines between, beginning with the first.
/// Also how many were left out.
pub(super) fn fitting(pieces: Vec<String>, most: usize) -> (String, usize) {
    let count = pieces.len();
    let mut text = String::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        if text.len() + piece.len() + 2 > most {
            return (text, count - index);
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&piece);
    }
    (text, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn output_never_is_longer_than_its_limit_and_says_when_it_was_cut(text in "[a\u{e9}\u{1f980}\n]{0,60}", most in 0usize..80) {
            let (shown, was_cut) = cut(text.clone(), most);
            prop_assert!(shown.len() <= most);
            prop_assert_eq!(was_cut, text.len() > most);
            if !was_cut {
                prop_assert_eq!(shown, text);
            } else if most >= 40 {
                prop_assert!(shown.contains("[cut: "));
            }
        }
    }

    #[test]
    fn pieces_are_left_out_whole() {
        let pieces = || vec!["aaaa".to_owned(), "bbbb".to_owned(), "cccc".to_owned()];
        assert_eq!(fitting(pieces(), 100), ("aaaa\n\nbbbb\n\ncccc".to_owned(), 0));
        assert_eq!(fitting(pieces(), 13), ("aaaa\n\nbbbb".to_owned(), 1));
        assert_eq!(fitting(pieces(), 3), (String::new(), 3));
    }
}
