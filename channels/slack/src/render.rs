//! CommonMark in, Slack's dialect out, with nothing in it that notifies, unfurls or hides an address.
//!
//! `text` is mrkdwn ("Formatting message text"): rendered from the parsed document. Posts and edits say `parse: none`, so that Slack
//! makes no links by itself; those that may be ([`Links`]) are written as `<address>`, and every other address is code.
//! `markdown_text` is CommonMark already. A whole message of it is written anew where it has an address that may be no link; a
//! stream's pieces, which are cut anywhere, only lose what Slack would read as a control sequence, and have no addresses at all.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, ListType, NodeValue};
use comrak::{Arena, Options, format_commonmark, parse_document};
use reveille_channel::links::{Links, Reach, address_of, scan, unlink};

/// The most characters of a message's `text`; Slack cuts off what is beyond ("chat.postMessage": truncating content).
const TEXT_MAX: usize = 40_000;

/// Markup that nests deeper is not rendered: rendering goes down into it, and a stack has an end.
const DEPTH_MAX: usize = 100;

/// The most characters of a message's `markdown_text` ("chat.update": arguments).
const MARKDOWN_MAX: usize = 12_000;

/// MODIFIER LETTER GRAVE ACCENT: looks like a backtick and is none. In mrkdwn nothing escapes one.
const NO_BACKTICK: &str = "\u{2cb}";

/// ZERO WIDTH SPACE: a word's border that nobody sees.
const BORDER: char = '\u{200b}';

/// Whether the markup nests too deep. It looks without going down into it.
fn is_too_deep(text: &str) -> bool {
    // What cannot nest that deep is not parsed twice.
    if text.bytes().filter(|byte| matches!(byte, b'>' | b'*' | b'_' | b'[' | b'~')).count() <= DEPTH_MAX {
        return false;
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut depth = 0usize;
    for edge in root.traverse() {
        match edge {
            NodeEdge::Start(_) => depth += 1,
            NodeEdge::End(_) => depth = depth.saturating_sub(1),
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options
}

/// A whole message as mrkdwn, short enough for one call: where the markup makes it too long, or nests too deep, it is shown as
/// it is, as code.
pub(crate) fn message(text: &str, links: &Links) -> String {
    if !is_too_deep(text) {
        let rendered = mrkdwn(text, links);
        if rendered.chars().count() <= TEXT_MAX {
            return rendered;
        }
    }
    let spelled = ["amp;", "lt;", "gt;"]
        .iter()
        .fold(text.to_owned(), |text, entity| text.replace(&format!("&{entity}"), &format!("&amp;{entity}")));
    format!("```\n{}\n```", in_block(&spelled.replace('<', "&lt;")))
}

/// Whether a stream has what Slack might show a preview of, or fetch. It errs on the side of addresses: one with a scheme counts in
/// code too, a bare name does not where `is_whole` says that the text begins where the message does, so that it can be told what
/// is code.
pub(crate) fn shows_address(text: &str, is_whole: bool) -> bool {
    let has_signs = |text: &str| {
        ["](", "![", "]:"].iter().any(|sign| text.contains(sign)) || !scan(text, Reach::Names, &|_| false).is_empty()
    };
    if ["://", "www.", "mailto:"].iter().any(|sign| text.contains(sign)) {
        return true;
    }
    if !is_whole || !has_signs(text) {
        return has_signs(text);
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut prose = String::with_capacity(text.len());
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::Link(_) | NodeValue::Image(_) => return true,
            NodeValue::Text(text) => prose.push_str(text),
            NodeValue::HtmlInline(html) => prose.push_str(html),
            NodeValue::HtmlBlock(html) => prose.push_str(&html.literal),
            NodeValue::Code(_) => prose.push('`'),
            value if value.block() || matches!(value, NodeValue::SoftBreak | NodeValue::LineBreak) => prose.push('\n'),
            _ => {}
        }
    }
    has_signs(&prose)
}

/// A whole message as mrkdwn.
fn mrkdwn(text: &str, links: &Links) -> String {
    // Prose without a sign of markup or of an address is what it is, to the byte.
    let signs = [
        '*', '_', '~', '`', '[', '#', '!', '\\', '|', '+', '=', '-', '.', ')', '>', '<', '&', '\t', '@', '。', '．',
        '｡',
    ];
    if !text.contains(signs) && !text.contains("    ") && !text.contains("  \n") && !has_foreign(text, links) {
        return text.to_owned();
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut out = String::with_capacity(text.len() + 16);
    blocks(root, links, &mut out);
    let trailing = text.len() - text.trim_end_matches('\n').len();
    let body = out.trim_end_matches('\n').to_owned();
    format!("{body}{}", "\n".repeat(trailing))
}

fn has_foreign(text: &str, links: &Links) -> bool {
    scan(text, Reach::Names, &|address| links.allows(address)).iter().any(|one| !one.is_allowed)
}

/// A whole message as `markdown_text`.
pub(crate) fn whole_markdown(text: &str, links: &Links) -> String {
    let may = |address: &str| links.allows(address);
    let shown = if is_too_deep(text) { None } else { linked_markdown(text, &may) };
    let shown = shown.map(|shown| without_controls(&shown, &may)).filter(|shown| shown.chars().count() <= MARKDOWN_MAX);
    shown.unwrap_or_else(|| {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        without_controls(&format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n')), &|_| false)
    })
}

/// The text with its addresses as code that may be no links: to the byte where there are none. `None` where that cannot be done.
fn linked_markdown(text: &str, may: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut dialect = options();
    dialect.extension.table = true;
    dialect.extension.tasklist = true;
    let arena = Arena::new();
    let root = parse_document(&arena, text, &dialect);
    for node in root.descendants().collect::<Vec<_>>() {
        // Markup of another kind is text here, with whatever addresses are in it.
        let html = match &node.data().value {
            NodeValue::HtmlInline(html) => html.clone(),
            NodeValue::HtmlBlock(html) => html.literal.clone(),
            _ => continue,
        };
        if !scan(&html, Reach::Names, may).is_empty() {
            return None;
        }
    }
    if !unlink(&arena, root, Reach::Names, may) {
        return Some(text.to_owned());
    }
    let mut written = String::with_capacity(text.len() + 64);
    format_commonmark(root, &dialect, &mut written).ok()?;
    // What was written anew is read once more: nothing may have come together.
    let arena = Arena::new();
    let is_settled = !unlink(&arena, parse_document(&arena, &written, &dialect), Reach::Names, may);
    written.truncate(written.trim_end_matches('\n').len());
    is_settled.then_some(written)
}

/// A piece of a stream.
pub(crate) fn markdown(piece: &str) -> String {
    without_controls(piece, &|_| false)
}

/// CommonMark without what Slack reads as a control sequence, and without images; `<address>` stays where it may be a link.
fn without_controls(piece: &str, may: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(piece.len() + 16);
    let mut rest = piece;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        // What follows may be in the next piece: then it is taken for the worst.
        let controls = after.is_empty()
            || after.starts_with(['!', '@', '#'])
            || after.starts_with("http")
            || after.starts_with("mailto:");
        let is_link = after.split_once('>').is_some_and(|(address, _)| may(address));
        out.push_str(if controls && !is_link { "&lt;" } else { "<" });
        rest = after;
    }
    out.push_str(rest);
    out.replace("![", "[")
}

/// The three characters that Slack gives a meaning ("Formatting message text": escaping).
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text of a block of code: it does not end before its end.
fn in_block(escaped: &str) -> String {
    let mut kept = String::with_capacity(escaped.len() + 8);
    let mut run = 0;
    for c in escaped.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        if run == 3 {
            kept.push(BORDER);
            run = 1;
        }
        kept.push(c);
    }
    kept
}

/// A span of code. Slack sees one only where a word begins and ends: `after` and `before` are what stands around it.
fn span(code: &str, before: Option<char>, after: Option<char>) -> String {
    let border = |next: Option<char>| {
        next.filter(|c| *c == '`' || !(c.is_whitespace() || c.is_ascii_punctuation())).map(|_| BORDER)
    };
    let code = escape(code).replace('`', NO_BACKTICK).replace(['\n', '\r'], " ");
    let mut span = String::with_capacity(code.len() + 8);
    span.extend(border(before));
    span.push_str(&format!("`{code}`"));
    span.extend(border(after));
    span
}

/// Plain text: what Slack would read as markup of its own is escaped, addresses are links where they may be and else code.
fn words(text: &str, links: &Links, out: &mut String) {
    let plain = |text: &str| escape(text).replace('`', NO_BACKTICK);
    let mut end = 0;
    for one in scan(text, Reach::Names, &|address| links.allows(address)) {
        let (Some(between), Some(address)) = (text.get(end..one.range.start), text.get(one.range.clone())) else {
            continue;
        };
        out.push_str(&plain(between));
        let after = text.get(one.range.end..).and_then(|rest| rest.chars().next());
        if !one.is_allowed {
            out.push_str(&span(address, out.chars().next_back(), after));
        } else if address.contains("://") {
            out.push_str(&linked(address));
        } else {
            out.push_str(&plain(address));
        }
        end = one.range.end;
    }
    out.push_str(&plain(text.get(end..).unwrap_or_default()));
}

/// An address that may be one, as a link that shows it ("Formatting message text": linking to URLs).
fn linked(address: &str) -> String {
    format!("<{}>", escape(address))
}

fn blocks<'a>(parent: &'a AstNode<'a>, links: &Links, out: &mut String) {
    let mut is_first = true;
    for node in parent.children() {
        if !is_first {
            out.push_str("\n\n");
        }
        is_first = false;
        block(node, links, out);
    }
}

fn block<'a>(node: &'a AstNode<'a>, links: &Links, out: &mut String) {
    match &node.data.borrow().value {
        NodeValue::Paragraph => inlines(node, links, out),
        NodeValue::Heading(_) => {
            let mut title = String::new();
            inlines(node, links, &mut title);
            out.push_str(&format!("*{}*", title.replace('*', "")));
        }
        NodeValue::CodeBlock(code) => {
            let literal = in_block(&escape(&code.literal));
            out.push_str(&format!(
                "```\n{}```",
                if literal.ends_with('\n') { literal } else { format!("{literal}\n") }
            ));
        }
        NodeValue::BlockQuote => {
            let mut quoted = String::new();
            blocks(node, links, &mut quoted);
            let lines: Vec<String> = quoted.lines().map(|line| format!("> {line}")).collect();
            out.push_str(&lines.join("\n"));
        }
        NodeValue::List(list) => {
            let mut number = list.start;
            let mut items = Vec::new();
            for item in node.children() {
                let mut body = String::new();
                blocks(item, links, &mut body);
                let sign = match list.list_type {
                    ListType::Bullet => "•".to_owned(),
                    ListType::Ordered => format!("{number}."),
                };
                number = number.saturating_add(1);
                let body = if list.tight { body.replace("\n\n", "\n") } else { body };
                let mut lines = body.lines();
                let mut text = format!("{sign} {}", lines.next().unwrap_or_default());
                for line in lines {
                    text.push_str(&format!("\n    {line}"));
                }
                items.push(text);
            }
            out.push_str(&items.join("\n"));
        }
        NodeValue::ThematicBreak => out.push_str("---"),
        NodeValue::HtmlBlock(html) => words(html.literal.trim_end_matches('\n'), links, out),
        _ => blocks(node, links, out),
    }
}

fn inlines<'a>(parent: &'a AstNode<'a>, links: &Links, out: &mut String) {
    for node in parent.children() {
        match &node.data.borrow().value {
            NodeValue::Text(text) => words(text, links, out),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push('\n'),
            NodeValue::Code(code) => out.push_str(&span(&code.literal, out.chars().next_back(), None)),
            NodeValue::HtmlInline(html) => words(html, links, out),
            NodeValue::Strong => wrapped(node, '*', links, out),
            NodeValue::Emph => wrapped(node, '_', links, out),
            NodeValue::Strikethrough => wrapped(node, '~', links, out),
            NodeValue::Link(link) | NodeValue::Image(link) => {
                let (mut label, mut shown) = (String::new(), String::new());
                for below in node.descendants() {
                    if let NodeValue::Text(text) = &below.data().value {
                        label.push_str(text);
                    }
                }
                inlines(node, links, &mut shown);
                // An image of another server is fetched by whoever looks: its words stay, and where it is.
                let is_link = matches!(&node.data().value, NodeValue::Link(_)) && links.allows(&link.url);
                match address_of(&link.url, &label) {
                    None => out.push_str(&shown),
                    Some(address) => {
                        let is_alone = shown.is_empty() || label == address;
                        let border = out.chars().next_back().filter(|_| is_alone);
                        let address = if is_link { linked(address) } else { span(address, border, None) };
                        // People see where a link leads: Slack's own form would hide it behind the words.
                        out.push_str(&if is_alone { address } else { format!("{shown} ({address})") });
                    }
                }
            }
            _ => inlines(node, links, out),
        }
    }
}

fn wrapped<'a>(node: &'a AstNode<'a>, sign: char, links: &Links, out: &mut String) {
    out.push(sign);
    inlines(node, links, out);
    out.push(sign);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reveille_channel::links::LinkHost;

    use super::*;

    fn links() -> Links {
        Links::to(["acme.slack.com", "docs.example.com", "a.b"].map(|name| LinkHost::parse(name).unwrap()))
    }

    fn message(text: &str) -> String {
        super::message(text, &links())
    }

    fn mrkdwn(text: &str) -> String {
        super::mrkdwn(text, &links())
    }

    #[test]
    fn markup_that_nests_without_end_is_shown_as_it_is_and_takes_nothing_down() {
        for deep in ["> ".repeat(4_000), ">".repeat(9_000), "*a _b ".repeat(2_000), "[".repeat(9_000)] {
            let text = format!("{deep}word");
            // On a stack such as a server's thread has.
            let shown = std::thread::Builder::new().stack_size(512 * 1024).spawn(move || message(&text)).unwrap();
            assert!(shown.join().unwrap().contains("word"));
        }
        assert!(message("> said **so**").contains("*so*"), "what nests as people nest is rendered");
    }

    #[test]
    fn markup_becomes_slacks_and_nothing_notifies_or_unfurls() {
        let text = "# Title\n\nSome **bold**, *soft*, ~~gone~~ and `a < b`.\n\n1. one\n2. two\n   - deep\n\n> said\n\n```rust\nlet x: Vec<u8> = 1 && 2;\n```\n\n![secret](https://evil.example/?q=1) [docs](https://a.b/c) <!channel> <@U123>";
        insta::assert_snapshot!(mrkdwn(text), @r"
        *Title*

        Some *bold*, _soft_, ~gone~ and `a &lt; b`.

        1. one
        2. two
            • deep

        > said

        ```
        let x: Vec&lt;u8&gt; = 1 &amp;&amp; 2;
        ```

        secret (`https://evil.example/?q=1`) docs (<https://a.b/c>) &lt;!channel&gt; &lt;@U123&gt;
        ");
    }

    #[test]
    fn a_stream_keeps_its_text_and_loses_its_sting() {
        assert_eq!(
            markdown("if a < b then **x** <!here> <@U1> <https://a|b>"),
            "if a < b then **x** &lt;!here> &lt;@U1> &lt;https://a|b>"
        );
        assert_eq!(markdown("cut <"), "cut &lt;");
        assert_eq!(markdown("![x](https://evil.example)"), "[x](https://evil.example)");
    }

    #[test]
    fn what_markup_makes_too_long_goes_without_it() {
        let quotes = format!("{}a\n{}", ">".repeat(200), "b\n".repeat(4_000));
        let signs = "<&lt;".repeat(1_900);
        for text in [quotes.as_str(), signs.as_str(), "&".repeat(9_900).as_str(), "<".repeat(9_900).as_str()] {
            let shown = message(text);
            assert!(shown.chars().count() <= TEXT_MAX, "{} characters", shown.chars().count());
            assert!(!shown.contains('<'));
        }
        assert_eq!(message("a & b"), "a &amp; b");
    }

    #[test]
    fn addresses_are_seen_in_every_form_that_slack_makes_a_link_of() {
        let forms = [
            "https://a.b",
            "HTTP://A.B",
            "www.a.b",
            "[x](y)",
            "![x][y]",
            "<mailto:a@b.c>",
            "c@evil.example",
            "evil.example",
            "file.md",
        ];
        for text in forms {
            assert!(shows_address(text, true) && shows_address(text, false), "{text}");
        }
        for text in ["plain words", "a < b", "x[1] and f(2)", "10:30", "**bold**", "package.json"] {
            assert!(!shows_address(text, true) && !shows_address(text, false), "{text}");
        }
        for text in ["see `main.rs`", "```\nx.y = a[i](x)\n", "[y]: a.b"] {
            assert!(!shows_address(text, true), "{text}");
            assert!(shows_address(text, false), "where it is not known what came before: {text}");
        }
        for text in ["see `main.rs", "`a` evil.example `b`", "```\ncode\n```\nevil.example", "[y]: https://a.b\n\n[y]"]
        {
            assert!(shows_address(text, true), "{text}");
        }
    }

    #[test]
    fn links_show_where_they_lead_and_other_addresses_are_code() {
        for (text, shown) in [
            ("see https://a.b/c.", "see <https://a.b/c>."),
            ("[words](https://a.b/c)", "words (<https://a.b/c>)"),
            ("[https://a.b/c](https://a.b/c)", "<https://a.b/c>"),
            ("[words](https://evil.example)", "words (`https://evil.example`)"),
            ("<me@evil.example> me@evil.example", "`me@evil.example` `me@evil.example`"),
            ("**evil.example**é", "*`evil.example`*é"),
            ("a.b/c and x.yz/z", "a.b/c and `x.yz/z`"),
            ("https://a.b/?q=1", "`https://a.b/?q=1`"),
            ("a \\` b `c` ``d`e``", "a ˋ b `c` `dˋe`"),
            ("[`code`](https://a.b/c)", "`code` (<https://a.b/c>)"),
            ("`a`https://evil.example", "`a`\u{200b}`https://evil.example`"),
            ("~~~\n```\n~~~", "```\n``\u{200b}`\n```"),
            ("~~~\n`````\n~~~", "```\n``\u{200b}``\u{200b}`\n```"),
        ] {
            assert_eq!(message(text), shown, "{text}");
        }
    }

    #[test]
    fn a_whole_message_of_markdown_keeps_its_text_and_its_links() {
        let whole = |text: &str| whole_markdown(text, &links());
        let kept =
            "# Title\n\n| a | b |\n|---|---|\n| 1 | `x.y` |\n\n- [ ] *see* [docs](https://a.b/c) https://a.b/d 1 < 2";
        assert_eq!(whole(kept), kept);
        assert_eq!(whole("<https://a.b/c> [x](https://evil.example)"), "<https://a.b/c> x (`https://evil.example`)");
        assert_eq!(whole("![x](https://evil.example/i) <!here>"), "x (`https://evil.example/i`) \\<\\!here\\>");
        assert!(whole(&format!("[x](https://evil.example) {}", "*_".repeat(5_500))).starts_with("```\n"));
    }

    /// What Slack makes links of in mrkdwn: a reading that knows blocks and spans of code and nothing else.
    fn foreign(shown: &str) -> Vec<String> {
        let outside: Vec<&str> = shown.split("```").step_by(2).collect();
        let prose: String = outside
            .iter()
            .flat_map(|part| part.split_inclusive('\n'))
            .map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join(" \u{1} "))
            .collect();
        let mut found = Vec::new();
        let mut rest = prose.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            found.push(before.to_owned());
            let (reference, behind) = after.split_once('>').unwrap_or((after, ""));
            let host = reference.strip_prefix("https://").or_else(|| reference.strip_prefix("http://")).unwrap_or("!");
            let host = host.split(['/', '#']).next().unwrap();
            if !["acme.slack.com", "docs.example.com", "a.b"].contains(&host) || reference.contains(['|', '?']) {
                return vec![reference.to_owned()];
            }
            rest = behind;
        }
        found.push(rest.to_owned());
        let signs = [
            "://",
            "www.",
            "mailto:e",
            "evil.example",
            "file.md",
            "host.zip",
            "main.rs",
            "пример",
            "evil\u{200b}.example",
        ];
        let is_foreign = |text: &String| signs.iter().any(|sign| text.to_lowercase().contains(sign));
        found.into_iter().filter(is_foreign).collect()
    }

    #[test]
    fn no_address_of_the_table_is_a_link() {
        let texts: Vec<String> = serde_json::from_str(include_str!("../../core/fixtures/addresses.json")).unwrap();
        for text in texts {
            assert_eq!(foreign(&message(&text)), Vec::<String>::new(), "{text:?}: {:?}", message(&text));
            let whole = whole_markdown(&text, &links());
            let arena = Arena::new();
            let may = |address: &str| links().allows(address);
            let read = |text: &str| unlink(&arena, parse_document(&arena, text, &options()), Reach::Names, &may);
            assert!(!read(&whole) && !whole.contains("!["), "{text:?}: {whole:?}");
        }
        assert_eq!(foreign("https://evil.example <https://evil.example>").len(), 1, "it is looked for");
    }

    fn addresses() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            1 => "[ -~\n]{0,4}",
            1 => "\\PC{0,2}",
            6 => proptest::sample::select(vec![
                "https://", "evil.example", "docs.example.com", "https://docs.example.com/x", ".evil.example", "www.", "eve@", "mailto:", "/", "://",
                "[x](", "](", ")", "![", "[", "]", "<", ">", "|", "`", "``", "```\n", "~~~\n", "\n", "\n\n", "> ", "- ", "    ", "*", "**", "_", "~~",
                "\\", "&lt;", "&#96;", "&colon;", "\u{200b}", " ", "<b>", "</b>", "[r]: https://evil.example\n\n", "[r]",
            ]).prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn plain_prose_is_unchanged(text in "[A-Za-z0-9 ,:;?\n'\"äöü€]{0,200}") {
            let text = text.trim().replace("    ", " ").replace("  \n", "\n");
            prop_assert_eq!(mrkdwn(&text), text);
        }

        #[test]
        fn no_control_sequence_survives(text in "(\\PC|<!channel>|<@U1>|\n|[*_`~>#-]){0,60}") {
            prop_assert!(!mrkdwn(&text).replace("<http", "").contains('<'));
            let stream = markdown(&text);
            prop_assert!(!stream.contains("<!") && !stream.contains("<@"));
        }

        #[test]
        fn slack_makes_links_only_of_what_was_chosen(text in addresses()) {
            let shown = message(&text);
            prop_assert_eq!(foreign(&shown), Vec::<String>::new(), "{:?}", shown);
        }
    }
}
