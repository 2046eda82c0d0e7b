//! Half a surrogate pair is a text in JavaScript and none anywhere else.
//!
//! The engine writes one as an escape (`"\ud800"`), also in names of properties, which the prelude does not see. Most readers
//! of JSON refuse it, among them the one that the host will use; so each becomes U+FFFD, as `toWellFormed` would do it.

/// The same JSON without halves of pairs.
pub(crate) fn mended(json: String) -> String {
    let mut mended = String::new();
    let mut rest = json.as_str();
    let mut is_changed = false;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        mended.push_str(before);
        let unit = unit(escape);
        let len = match unit {
            // Text that was given as JSON may have a pair in escapes.
            Some(0xd800..=0xdbff) if escape.get(UNIT..).and_then(self::unit).is_some_and(is_second) => UNIT * 2,
            Some(_) => UNIT,
            None => 2,
        };
        let (escape, after) = escape.split_at_checked(len).unwrap_or((escape, ""));
        if len == UNIT && unit.is_some_and(|unit| (0xd800..=0xdfff).contains(&unit)) {
            mended.push('\u{fffd}');
            is_changed = true;
        } else {
            mended.push_str(escape);
        }
        rest = after;
    }
    if !is_changed {
        return json;
    }
    mended.push_str(rest);
    mended
}

/// The bytes of `\uXXXX`.
const UNIT: usize = 6;

/// The number in the `\uXXXX` that a text begins with.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn is_second(unit: u16) -> bool {
    (0xdc00..=0xdfff).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs_go_and_all_else_stays() {
        for (json, wanted) in [
            (r#""\ud800""#, "\"\u{fffd}\""),
            (r#"{"a\udfff":1}"#, "{\"a\u{fffd}\":1}"),
            (r#""\uD800\uDBFFx\udc00""#, "\"\u{fffd}\u{fffd}x\u{fffd}\""),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud800\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\""),
            // A backslash and what looks like an escape.
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800\n\"""#, "\"\\\\\u{fffd}\\n\\\"\""),
            ("[1,\"ä\u{1f600}\",\"\\u0000\"]", "[1,\"ä\u{1f600}\",\"\\u0000\"]"),
            ("\\", "\\"),
            ("\\u", "\\u"),
            ("\\ud8", "\\ud8"),
        ] {
            assert_eq!(mended(json.to_owned()), wanted, "{json}");
        }
    }
}
