//! What a platform makes a link of by itself, in plain text.
//!
//! The rules are wider than any platform's: a word too many shown as code costs nothing, one too few is a link.

use std::ops::Range;

/// What a platform makes links of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Addresses with a scheme, `www.` names and mail addresses (GFM, "Autolinks (extension)").
    Addresses,
    /// Bare names of hosts besides.
    Names,
}

/// A word that a platform might make a link of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it may be a link.
    pub is_allowed: bool,
}

/// Schemes that are an address without `//` too.
const SCHEMES: [&str; 16] = [
    "http:",
    "https:",
    "ftp:",
    "mailto:",
    "xmpp:",
    "tel:",
    "sms:",
    "data:",
    "javascript:",
    "vbscript:",
    "file:",
    "blob:",
    "slack:",
    "discord:",
    "linear:",
    "intent:",
];

/// What names of files end with and names of hosts do not (IANA, "Root Zone Database"). `.md`, `.rs`, `.sh`, `.py`, `.zip` are not
/// here: they are domains.
const ENDINGS: [&str; 34] = [
    "js", "ts", "mjs", "cjs", "jsx", "tsx", "json", "jsonl", "toml", "yaml", "yml", "txt", "html", "css", "scss",
    "xml", "svg", "csv", "pdf", "png", "jpg", "jpeg", "gif", "lock", "log", "exe", "dll", "cfg", "conf", "ini", "sql",
    "cpp", "hpp", "wasm",
];

/// What may stand before a word without being part of it.
const OPENING: &[char] = &[
    '(', '[', '{', '<', '"', '\'', '`', '*', '_', '|', '!', '?', ',', ';', ':', '“', '‘', '«', '„', '「', '『', '（',
    '【',
];

/// What may stand behind one.
const CLOSING: &[char] = &[
    ')', ']', '}', '>', '"', '\'', '`', '*', '_', '|', '!', '?', ',', ';', ':', '.', '…', '”', '’', '»', '」', '』',
    '）', '】', '。', '，', '、', '；', '：', '！', '？', '．', '｡',
];

/// Every word of `text` that a platform of this reach might make a link of, in order; `may` says which may be one.
pub fn scan(text: &str, reach: Reach, may: &dyn Fn(&str) -> bool) -> Vec<Found> {
    // Most prose has none of the signs.
    if !text.contains([':', '@', '.', '。', '．', '｡']) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end_matches(char::is_whitespace);
        found.extend(
            of_word(bare, reach, may)
                .map(|one| Found { range: start + one.range.start..start + one.range.end, is_allowed: one.is_allowed }),
        );
        start += word.len();
    }
    found
}

/// The address in one word: the word itself without the signs around it, or the part of it that may be a link.
fn of_word(word: &str, reach: Reach, may: &dyn Fn(&str) -> bool) -> Option<Found> {
    if !word.contains([':', '@', '.', '。', '．', '｡']) {
        return None;
    }
    let opened = word.trim_start_matches(OPENING);
    let start = word.len() - opened.len();
    let trimmed = opened.trim_end_matches(CLOSING);
    let is_left_open =
        trimmed.matches('(').count() > trimmed.matches(')').count() && opened.get(trimmed.len()..)?.starts_with(')');
    let mut whole = start..start + trimmed.len() + usize::from(is_left_open);
    if !word.get(whole.clone()).is_some_and(|core| is_address(core, reach)) {
        // `www.` may go on in markup, and a sign before a word may be the word's own: `://`, `_@`.
        let from = if is_address(opened, reach) { start } else { 0 };
        if from == 0 && !is_address(word, reach) {
            return None;
        }
        whole = from..word.len();
    }
    let core = word.get(whole.clone())?;
    let is_allowed = if has_scheme(core) { may(core) } else { may(&format!("https://{core}")) };
    if is_allowed {
        return Some(Found { range: whole, is_allowed });
    }
    // "docs:https://host/path" and "见https://host/path。再": the signs and letters around are no part of it.
    let lower = core.to_ascii_lowercase();
    let at = ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min();
    let inner = at.and_then(|at| {
        let rest = core.get(at..)?;
        let before = word.get(..whole.start + at)?;
        let end = rest
            .find(|c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`' | '|'))
            .unwrap_or(rest.len());
        let address = rest.get(..end)?.trim_end_matches(CLOSING);
        let behind = word.get(whole.start + at + address.len()..)?;
        // Only a path ends the host's name for every reader.
        let has_path = address.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
        let is_apart = !before.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !is_address(before, Reach::Names)
            && !is_address(behind, Reach::Names);
        let is_ended = has_path || behind.trim_start_matches(CLOSING).is_empty();
        (is_apart && is_ended && may(address)).then(|| whole.start + at..whole.start + at + address.len())
    });
    Some(match inner {
        Some(range) => Found { range, is_allowed: true },
        None => Found { range: whole, is_allowed: false },
    })
}

fn has_scheme(word: &str) -> bool {
    word.contains("://")
}

/// Whether a word is, or holds, an address.
fn is_address(word: &str, reach: Reach) -> bool {
    // What nobody sees keeps nobody from reading a name across it.
    let seen: String = word.chars().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase).collect();
    let has_known_scheme = || {
        SCHEMES.iter().any(|scheme| {
            seen.match_indices(scheme).any(|(at, _)| {
                let is_apart =
                    !seen.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric()));
                // Within a word it is none, as in `profile:`; but no other word ends in this one.
                (is_apart || *scheme == "mailto:") && seen.get(at + scheme.len()..).is_some_and(|rest| !rest.is_empty())
            })
        })
    };
    seen.contains("://")
        || has_known_scheme()
        || seen.contains("www.")
        || is_mail(&seen)
        || (reach == Reach::Names && has_name(&seen))
}

/// Whether somebody's mail address is in it.
fn is_mail(word: &str) -> bool {
    word.match_indices('@').any(|(at, _)| {
        let before = word.get(..at).and_then(|before| before.chars().next_back());
        let domain = word.get(at + 1..).unwrap_or_default();
        let end = domain.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))).unwrap_or(domain.len());
        let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        before.is_some_and(is_of_a_name)
            && domain
                .get(..end)
                .is_some_and(|domain| domain.trim_end_matches('.').trim_start_matches('.').contains('.'))
    })
}

/// Whether the name of a host is in it: two parts or more, the last one of letters, or Punycode.
fn has_name(word: &str) -> bool {
    // UTS 46 reads these three as a dot.
    let is_dot = |c: char| matches!(c, '.' | '。' | '．' | '｡');
    word.split(|c: char| !(c.is_alphanumeric() || is_dot(c) || matches!(c, '-' | '_'))).any(|part| {
        let mut labels = part.split(is_dot);
        let mut before = labels.next().unwrap_or_default();
        labels.any(|label| {
            // A name that ends before a `-`, a `_` or a digit ends there for some.
            let end = label.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
            let is_letters = end.chars().count() > 1 && !ENDINGS.contains(&end);
            let is_end = is_letters || label.starts_with("xn--");
            let is_name = is_end && before.chars().any(char::is_alphanumeric);
            before = label;
            is_name
        })
    })
}

/// Characters that are not seen: format characters, joiners, selectors.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::{LinkHost, Links};

    fn found(text: &str, reach: Reach) -> Vec<String> {
        let links = Links::to([LinkHost::parse("docs.example.com").unwrap()]);
        scan(text, reach, &|address| links.allows(address))
            .into_iter()
            .map(|one| format!("{}{}", if one.is_allowed { "+" } else { "-" }, text.get(one.range).unwrap()))
            .collect()
    }

    #[test]
    fn addresses_are_found_in_every_spelling() {
        for (text, expected) in [
            ("see https://evil.example/x?q=1, then", vec!["-https://evil.example/x?q=1"]),
            ("(HTTPS://EVIL.EXAMPLE)", vec!["-HTTPS://EVIL.EXAMPLE"]),
            ("(https://evil.example/a_(b))", vec!["-https://evil.example/a_(b)"]),
            ("https:evil.example https:/evil.example", vec!["-https:evil.example", "-https:/evil.example"]),
            ("www.evil.example and WWW.evil.example", vec!["-www.evil.example", "-WWW.evil.example"]),
            ("me@evil.example <mailto:me@evil.example>", vec!["-me@evil.example", "-mailto:me@evil.example"]),
            ("slack://open data:text/html,x tel:+491", vec!["-slack://open", "-data:text/html,x", "-tel:+491"]),
            ("h\u{200b}ttps:\u{200b}//evil.example", vec!["-h\u{200b}ttps:\u{200b}//evil.example"]),
            ("https://docs.example.com/a, b", vec!["+https://docs.example.com/a"]),
            ("\"https://docs.example.com\".", vec!["+https://docs.example.com"]),
            ("https://docs.example.com。evil.example", vec!["-https://docs.example.com。evil.example"]),
            ("见https://docs.example.com/a。然后", vec!["+https://docs.example.com/a"]),
            ("docs:https://docs.example.com/a", vec!["+https://docs.example.com/a"]),
            ("[a](https://docs.example.com)", vec!["+https://docs.example.com"]),
            ("www. (www.)", vec!["-www.", "-www.)"]),
            (":// ://https://docs.example.com/a", vec!["-://", "-//https://docs.example.com/a"]),
            ("xmailto:me@", vec!["-xmailto:me@"]),
            ("https://docs.example.com/a<www.", vec!["-https://docs.example.com/a<www"]),
            ("xhttps://docs.example.com/a", vec!["-xhttps://docs.example.com/a"]),
            (
                "https://docs.example.com/a,https://evil.example",
                vec!["-https://docs.example.com/a,https://evil.example"],
            ),
            ("https://docs.example.com@evil.example", vec!["-https://docs.example.com@evil.example"]),
            (
                "https://docs.example.com/a\"https://evil.example",
                vec!["-https://docs.example.com/a\"https://evil.example"],
            ),
        ] {
            assert_eq!(found(text, Reach::Addresses), expected, "{text}");
            assert_eq!(found(text, Reach::Names), expected, "{text}");
        }
    }

    #[test]
    fn bare_names_are_found_where_a_platform_makes_links_of_them() {
        for (text, expected) in [
            ("evil.example", vec!["-evil.example"]),
            ("//evil.example/x", vec!["-//evil.example/x"]),
            ("evil.example-->", vec!["-evil.example--"]),
            ("EVIL.CO:80/x", vec!["-EVIL.CO:80/x"]),
            ("file.md and host.zip", vec!["-file.md", "-host.zip"]),
            ("evil.example0 evil.example\u{1e950}", vec!["-evil.example0", "-evil.example\u{1e950}"]),
            ("xn--e1afmkfd.xn--p1ai пример.рф", vec!["-xn--e1afmkfd.xn--p1ai", "-пример.рф"]),
            (
                "evil\u{200b}.example evil。example evil．example",
                vec!["-evil\u{200b}.example", "-evil。example", "-evil．example"],
            ),
            ("docs.example.com docs.example.com/a", vec!["+docs.example.com", "+docs.example.com/a"]),
            ("user:x@evil.example", vec!["-user:x@evil.example"]),
        ] {
            assert_eq!(found(text, Reach::Names), expected, "{text}");
        }
        assert_eq!(found("evil.example file.md", Reach::Addresses), Vec::<String>::new());
        assert_eq!(found("_@evil.example", Reach::Addresses), ["-_@evil.example"]);
    }

    #[test]
    fn prose_has_no_addresses() {
        let text = "E.g. i.e. the U.S. at 10:30, v1.2.3, 3.5GHz: see package.json and index.ts... a::b, a/b, @bob, #4, \
                    http: as such, C:\\x, key:value, 1.000,50 €, end.";
        assert_eq!(found(text, Reach::Names), Vec::<String>::new());
    }
}
