//! Text in which every character can be seen.

/// The text with every character spelled out, as `\u{202e}`, that is not seen, turns the order of others around, or passes for a
/// blank: controls (line breaks too), bidirectional marks, zero-width characters, fillers, selectors of variants, tags.
///
/// It covers what the adapters spell out by themselves, so that a question has the same length everywhere.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            // Blanks that are not the blank.
            0xA0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x2800
            // Of no width, or without ink.
            | 0xAD | 0x34F | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200D | 0x2060..=0x2065
            | 0x206A..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A
            // They turn the order around.
            | 0x61C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069
            // They break the line.
            | 0x2028 | 0x2029
            // Tags, and further selectors of variants.
            | 0xE0000..=0xE0FFF
            // Of private use: they look like whatever a font says.
            | 0xE000..=0xF8FF | 0xF0000..=0x10_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_spelled_out_and_what_is_seen_stays() {
        assert_eq!(visible("a\u{202e}b\u{200b}\n\u{7f}\u{e0041}"), "a\\u{202e}b\\u{200b}\\u{a}\\u{7f}\\u{e0041}");
        for text in ["", "plain {\"a\": 1}", "Grüße, 日本語\u{3000}です", "Привет 👍🏽"] {
            assert_eq!(visible(text), text);
        }
    }
}
