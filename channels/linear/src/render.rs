//! Our own text on its way out: CommonMark that stays byte for byte as it is, except where Linear would act on it.
//!
//! A model's text may have been steered by a stranger, so nothing in it may notify, fetch or pretend (OUT-1, OUT-2):
//! mentions are broken by an invisible character, images become their text, addresses of profiles (which become mentions)
//! and of hosts that nobody chose ([`Links`]) become code, raw HTML is escaped. Code is left alone, for Linear does not act on it.
//!
//! The text is parsed; where something in it acts, the document is changed and written anew, and looked at once more. Where
//! something is left even then, the whole text is shown as code: a reply that is ugly is better than one that acts.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, format_commonmark, parse_document};
use reveille_channel::links::{Links, Reach, scan, unlink};

use crate::mention::options;

/// ZERO WIDTH SPACE: no handle and no address may hold it, and nobody sees it.
const INVISIBLE: char = '\u{200b}';

/// Makes a text inert.
pub(crate) fn render(text: &str, links: &Links) -> String {
    if !may_act(text, links) {
        return text.to_owned();
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let is_defused = defuse(&arena, root);
    let is_unlinked = unlink(&arena, root, Reach::Names, &|address| may_be_link(address, links));
    if !is_defused && !is_unlinked && !acts(text, links) {
        return text.to_owned();
    }
    let mut inert = String::with_capacity(text.len() + 64);
    if format_commonmark(root, &options(), &mut inert).is_err() || acts(&inert, links) {
        return code(text);
    }
    inert.truncate(inert.trim_end_matches('\n').len());
    inert
}

/// Whether the text holds anything that could act. Most prose does not.
fn may_act(text: &str, links: &Links) -> bool {
    text.contains(['@', '<', '&', '\\'])
        || text.contains("![")
        || text.contains("](")
        || text.contains("]:")
        // Where an address ends is not the same for everybody.
        || (text.contains("://") && acts(text, links))
        || scan(text, Reach::Names, &|address| may_be_link(address, links)).iter().any(|one| !one.is_allowed)
}

/// Whether anything in the text acts. It is read with bare addresses as links, for Linear makes some of them, in brackets too.
fn acts(text: &str, links: &Links) -> bool {
    let mut options = options();
    options.extension.autolink = true;
    options.parse.relaxed_autolinks = true;
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options);
    root.descendants().any(|node| match &node.data().value {
        NodeValue::Image(_) | NodeValue::HtmlInline(_) | NodeValue::HtmlBlock(_) => true,
        NodeValue::Link(link) => !may_be_link(&link.url, links),
        NodeValue::Text(text) => {
            broken(text).is_some()
                || scan(text, Reach::Names, &|address| may_be_link(address, links)).iter().any(|one| !one.is_allowed)
        }
        _ => false,
    })
}

/// A text of one line that is shown to the letter.
pub(crate) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.split(['\n', '\r']).collect::<Vec<_>>().join(" ").chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '!' | '|' | '~' | '+') {
            escaped.push('\\');
        }
        escaped.push(character);
        if character == '@' {
            escaped.push(INVISIBLE);
        }
    }
    escaped
}

/// The text as one block of code.
pub(crate) fn code(text: &str) -> String {
    let (mut run, mut longest) = (0usize, 0usize);
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Whether an address may be a link: it leads to a host that was chosen, and is nobody's profile.
fn may_be_link(address: &str, links: &Links) -> bool {
    links.allows(address) && !address.to_ascii_lowercase().contains("/profiles/")
}

/// The text with its mentions broken; `None` when it has none.
fn broken(text: &str) -> Option<String> {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_');
    let mut out = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    let mut before = None;
    let mut changed = false;
    while let Some(character) = characters.next() {
        out.push(character);
        if character == '@'
            && !before.is_some_and(is_word)
            && characters.peek().is_some_and(|next| *next != INVISIBLE && !next.is_whitespace())
        {
            out.push(INVISIBLE);
            changed = true;
        }
        before = Some(character);
    }
    changed.then_some(out)
}

/// Takes everything out of the document that acts, but for links. Whether there was anything.
fn defuse<'a>(arena: &'a Arena<'a>, root: &'a AstNode<'a>) -> bool {
    let mut changed = false;
    for node in root.descendants().collect::<Vec<_>>() {
        let value = node.data().value.clone();
        match value {
            NodeValue::Text(text) => {
                if let Some(broken) = broken(&text) {
                    node.data_mut().value = NodeValue::Text(broken.into());
                    changed = true;
                }
            }
            NodeValue::HtmlInline(html) => {
                replace(node, lines(arena, &html));
                changed = true;
            }
            NodeValue::HtmlBlock(html) => {
                let paragraph = arena.alloc(NodeValue::Paragraph.into());
                for line in lines(arena, html.literal.trim_end_matches('\n')) {
                    paragraph.append(line);
                }
                replace(node, vec![paragraph]);
                changed = true;
            }
            _ => {}
        }
    }
    changed
}

/// A literal text, line by line, with its mentions broken.
fn lines<'a>(arena: &'a Arena<'a>, text: &str) -> Vec<&'a AstNode<'a>> {
    let mut nodes: Vec<&AstNode<'_>> = Vec::new();
    for line in text.lines() {
        if !nodes.is_empty() {
            nodes.push(arena.alloc(NodeValue::SoftBreak.into()));
        }
        let line = broken(line.trim_start()).unwrap_or_else(|| line.trim_start().to_owned());
        nodes.push(arena.alloc(NodeValue::Text(line.into()).into()));
    }
    nodes
}

fn replace<'a>(node: &'a AstNode<'a>, instead: Vec<&'a AstNode<'a>>) {
    for new in instead {
        new.detach();
        node.insert_before(new);
    }
    node.detach();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reveille_channel::links::LinkHost;

    use super::*;

    fn links() -> Links {
        Links::to(["linear.app", "docs.example.com", "example.com"].map(|name| LinkHost::parse(name).unwrap()))
    }

    fn rendered(text: &str) -> String {
        render(text, &links())
    }

    /// What is shown when the invisible character is not.
    fn shown(text: &str) -> String {
        rendered(text).replace(INVISIBLE, "·")
    }

    #[test]
    fn what_acts_is_made_inert_and_the_rest_stays() {
        for (text, inert) in [
            ("Ask @octocat or @My Agent.", "Ask @·octocat or @·My Agent."),
            ("mail me@example.com", "mail `me@example.com`"),
            ("`@octocat` stays", "`@octocat` stays"),
            ("```\n@octocat <b>\n```", "```\n@octocat <b>\n```"),
            ("&#64;octocat", "@·octocat"),
            ("see ENG-12, it fixes 1 < 2 & more!", "see ENG-12, it fixes 1 < 2 & more!"),
            ("![a cat](https://evil.example/x.png)", "a cat (`https://evil.example/x.png`)"),
            ("[![a](b.png)](https://example.com)", "[a (`b.png`)](https://example.com)"),
            ("a <b>bold</b> word", "a \\<b\\>bold\\</b\\> word"),
            ("https://linear.app/acme/profiles/bob", "`https://linear.app/acme/profiles/bob`"),
            ("[him](https://linear.app/acme/profiles/bob)", "him (`https://linear.app/acme/profiles/bob`)"),
            ("https://linear.app/acme/issue/ENG-1", "https://linear.app/acme/issue/ENG-1"),
            ("[docs](https://example.com/a#c) and a_b * c", "[docs](https://example.com/a#c) and a_b * c"),
            ("[docs](https://evil.example/a_b)!", "docs (`https://evil.example/a_b`)\\!"),
            ("see https://evil.example/a, file.md.", "see `https://evil.example/a`, `file.md`."),
            ("https://linear.app/search?q=secret", "`https://linear.app/search?q=secret`"),
            ("https://linear.app/acme/issue/ENG-1#comment-0a1b", "https://linear.app/acme/issue/ENG-1#comment-0a1b"),
            ("[x](javascript:alert(1))", "x (`javascript:alert(1)`)"),
            ("https://example.com`", "```\nhttps://example.com`\n```"),
        ] {
            assert_eq!(inert, shown(text), "{text}");
        }
    }

    #[test]
    fn plain_lines_and_details_are_shown_to_the_letter() {
        assert_eq!(plain("Merge *#4* of\n@bob?"), "Merge \\*\\#4\\* of @\u{200b}bob?");
        assert_eq!(code("a ``` b\n"), "````\na ``` b\n````");
    }

    /// The links and images that a reader with bare addresses as links makes of a text, and nobody chose; names besides.
    fn foreign(text: &str) -> Vec<String> {
        let mut options = options();
        options.extension.autolink = true;
        options.parse.relaxed_autolinks = true;
        let arena = Arena::new();
        let chosen = ["https://linear.app", "https://docs.example.com", "https://example.com"];
        let is_chosen = |url: &str| {
            let rest = chosen.iter().find_map(|host| url.strip_prefix(host));
            rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with(['/', '#'])) && !rest.contains('?'))
        };
        let mut found = Vec::new();
        for node in parse_document(&arena, text, &options).descendants() {
            match &node.data().value {
                NodeValue::Link(link) if is_chosen(&link.url) => {}
                NodeValue::Link(link) | NodeValue::Image(link) => found.push(link.url.clone()),
                NodeValue::HtmlInline(html) => found.push(html.clone()),
                NodeValue::HtmlBlock(html) => found.push(html.literal.clone()),
                NodeValue::Text(text) => found.extend(
                    ["evil.example", "file.md", "host.zip"]
                        .iter()
                        .filter(|name| text.contains(**name))
                        .map(|name| (*name).to_owned()),
                ),
                _ => {}
            }
        }
        found
    }

    #[test]
    fn no_address_of_the_table_is_a_link() {
        let texts: Vec<String> = serde_json::from_str(include_str!("../../core/fixtures/addresses.json")).unwrap();
        for text in texts {
            let shown = rendered(&text);
            assert_eq!(foreign(&shown), Vec::<String>::new(), "{text:?}: {shown:?}");
            assert_eq!(rendered(&shown), shown, "{text:?}");
        }
        assert!(foreign("https://evil.example eve@evil.example ![x](y) file.md").len() >= 4, "it is looked for");
    }

    fn prose() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-zäöü]{1,8}".prop_map(|word| word),
            "[0-9]{1,4}",
            Just("**bold**".to_owned()),
            Just("`code @x #1`".to_owned()),
            Just("[link](https://example.com/x#z)".to_owned()),
            Just("AT&T".to_owned()),
            Just("1 < 2".to_owned()),
            Just("\n\n- item".to_owned()),
            Just("\n\n## Heading\n\n".to_owned()),
            Just("\n\n```rust\nlet x = \"@y\";\n```\n\n".to_owned()),
        ];
        proptest::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
    }

    fn anything() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => "[ -~\n]{0,6}",
            1 => "\\PC{0,4}",
            6 => proptest::sample::select(vec![
                "@octocat", "&#64;octocat", "\\@octocat", "&commat;a", "![x](y)", "![", "](z)", "[a]", "[a]: https://x.y/profiles/b\n",
                "<b>", "<!--", "-->", "<pre>", "</pre>", "\n\n", "> ", "- ", "    ", "\t", "`", "``", "```\n", "~~~", "|", "|---|",
                "https://linear.app/a/profiles/b", "linear.app/a/profiles/b", "https://example.com", "evil.example", ".evil.example", "https:", "//", "eve@", "www.", "mailto:", "&colon;", "\u{200b}", "[x](https://linear.app/a/profiles/b)", "*", "_", "~~",
                "\r", "\r\n", "\\", "&amp;", "&lt;b&gt;", "é", "# ", "===\n",
            ]).prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn prose_without_anything_that_acts_is_not_changed(text in prose()) {
            prop_assert_eq!(rendered(&text), text);
        }

        #[test]
        fn nothing_that_acts_is_left_and_rendering_again_changes_nothing(text in anything()) {
            let once = rendered(&text);
            prop_assert!(!acts(&once, &links()), "{:?}", once);
            prop_assert_eq!(foreign(&once), Vec::<String>::new(), "{:?}", once);
            prop_assert_eq!(rendered(&once), once);
        }
    }
}
