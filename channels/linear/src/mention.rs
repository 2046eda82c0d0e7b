//! Whom a text calls: read from prose alone, not from code or quotations.
//!
//! In Linear's Markdown a mention is `@` and a display name, or the address of a profile
//! (developer page "Developing the agent interaction": addresses of profiles become mentions).

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};

/// What stands between the workspace and the person in a profile's address.
const PROFILES: &str = "/profiles/";

/// What a text calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Called {
    /// Handles without `@`, lower case, in the order of the text.
    pub(crate) handles: Vec<String>,
    /// Whether one of them is ours.
    pub(crate) is_own: bool,
}

/// Linear's dialect.
pub(crate) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options
}

/// Whether a node lies in a quotation.
fn is_quoted<'a>(node: &'a AstNode<'a>) -> bool {
    node.ancestors().any(|ancestor| matches!(ancestor.data().value, NodeValue::BlockQuote))
}

/// Reads whom the text calls; `own` are our handles, lower case.
pub(crate) fn called(text: &str, own: &[String]) -> Called {
    // Most comments call nobody; they need no parse.
    if !text.contains(['@', '&']) && !text.contains(PROFILES) {
        return Called::default();
    }
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, text, &options());
    let mut called = Called::default();
    for node in root.descendants() {
        let data = node.data();
        let found = match &data.value {
            NodeValue::Text(content) => handles(content, own),
            NodeValue::Link(link) => profile(&link.url).into_iter().collect(),
            _ => continue,
        };
        if found.is_empty() || is_quoted(node) {
            continue;
        }
        for handle in found {
            called.is_own |= own.contains(&handle);
            if !called.handles.contains(&handle) {
                called.handles.push(handle);
            }
        }
    }
    called
}

/// The profile that an address names.
fn profile(address: &str) -> Option<String> {
    let (before, after) = address.split_once(PROFILES)?;
    let slug: String = after.chars().take_while(|character| is_of_a_handle(*character)).collect();
    let slug = slug.trim_end_matches('.');
    (before.contains("linear.app") && !slug.is_empty()).then(|| slug.to_lowercase())
}

fn is_of_a_handle(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '-' | '_')
}

/// The handles in a piece of prose: our own as they are, with spaces if they have some; else one word behind each `@`.
fn handles(content: &str, own: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in content.match_indices('@') {
        let (before, rest) = content.split_at(at);
        let rest = rest.strip_prefix('@').unwrap_or_default();
        if before.ends_with(is_of_a_handle) {
            continue;
        }
        let lower = rest.to_lowercase();
        let is_whole = |name: &&String| {
            lower.strip_prefix(name.as_str()).is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        };
        if let Some(name) = own.iter().filter(is_whole).max_by_key(|name| name.len()) {
            found.push(name.clone());
            continue;
        }
        let word: String = lower.chars().take_while(|character| is_of_a_handle(*character)).collect();
        let word = word.trim_end_matches(['.', '-', '_']);
        if !word.is_empty() {
            found.push(word.to_owned());
        }
    }
    for (at, _) in content.match_indices("linear.app/") {
        let address: String =
            content.split_at(at).1.chars().take_while(|character| !character.is_whitespace()).collect();
        found.extend(profile(&address));
    }
    found
}

/// The text without a mention of ours at its beginning.
pub(crate) fn without_own<'t>(text: &'t str, own: &[String]) -> &'t str {
    let trimmed = text.trim();
    let Some(rest) = trimmed.strip_prefix('@') else { return trimmed };
    let strip = |name: &String| {
        let (head, tail) = rest.split_at_checked(name.len())?;
        (head.to_lowercase() == *name && !tail.starts_with(char::is_alphanumeric)).then_some(tail)
    };
    let mut names: Vec<&String> = own.iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    match names.into_iter().find_map(strip) {
        Some(tail) => tail.trim_start_matches([':', ',']).trim(),
        None => trimmed,
    }
}

/// A `/word` at the very beginning, with what stands behind it on its line.
pub(crate) fn command(text: &str) -> Option<(String, String)> {
    let line = text.strip_prefix('/')?.lines().next()?;
    let (name, args) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let is_word = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    is_word.then(|| (name.to_owned(), args.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<String> {
        vec!["assistant".to_owned(), "my agent".to_owned()]
    }

    #[test]
    fn handles_are_read_from_prose_alone() {
        let text = "@Assistant and @triage-bot, see `@code`, mail me@example.com\n\n> @quoted\n\n```\n@fenced\n```\n\n\
                    https://linear.app/acme/profiles/Bob. [them](https://linear.app/acme/profiles/eve)";
        let called = called(text, &own());
        assert_eq!(called.handles, ["assistant", "triage-bot", "bob", "eve"]);
        assert!(called.is_own);
    }

    #[test]
    fn names_of_ours_may_hold_spaces_and_end_with_a_word() {
        assert!(called("hey @My Agent, look", &own()).is_own);
        assert!(!called("hey @assistants", &own()).is_own);
        assert!(!called("nobody", &own()).is_own);
        assert!(called("&#64;assistant", &own()).is_own);
    }

    #[test]
    fn the_mention_that_calls_us_is_taken_off() {
        for (text, left) in [
            ("@assistant: do it", "do it"),
            (" @My Agent do it", "do it"),
            ("@assistants do it", "@assistants do it"),
            ("please @assistant", "please @assistant"),
            ("@ß", "@ß"),
        ] {
            assert_eq!(without_own(text, &own()), left, "{text}");
        }
    }

    #[test]
    fn a_command_stands_at_the_beginning() {
        assert_eq!(command("/approve r.1  now\nthanks"), Some(("approve".into(), "r.1  now".into())));
        for text in ["see /help", "/etc/hosts", "/ help", "/"] {
            assert_eq!(command(text), None, "{text}");
        }
    }
}
