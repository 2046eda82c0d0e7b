//! CommonMark in, Slack's dialect out, with nothing in it that notifies, unfurls or hides an address.
//!
//! `text` is mrkdwn ("Formatting message text"): rendered from the parsed document. `markdown_text` is CommonMark already,
//! arrives in pieces cut anywhere, and only loses what Slack would read as a control sequence.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, ListType, NodeValue};
use comrak::{Arena, Options, parse_document};

/// The most characters of a message's `text`; Slack cuts off what is beyond ("chat.postMessage": truncating content).
const TEXT_MAX: usize = 40_000;

/// Markup that nests deeper is not rendered: rendering goes down into it, and a stack has an end.
const DEPTH_MAX: usize = 100;

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

/// A whole message as mrkdwn, short enough for one call: where the markup makes it too long, or nests too deep, the words go
/// without it.
pub(crate) fn message(text: &str) -> String {
    if !is_too_deep(text) {
        let rendered = mrkdwn(text);
        if rendered.chars().count() <= TEXT_MAX {
            return rendered;
        }
    }
    let spelled = ["amp;", "lt;", "gt;"]
        .iter()
        .fold(text.to_owned(), |text, entity| text.replace(&format!("&{entity}"), &format!("&amp;{entity}")));
    spelled.replace('<', "&lt;")
}

/// Whether a text has what Slack might show a preview of, or fetch. It errs on the side of links.
pub(crate) fn shows_link(text: &str) -> bool {
    ["://", "www.", "](", "![", "]:", "mailto:"].iter().any(|sign| text.contains(sign))
}

/// A whole message as mrkdwn.
fn mrkdwn(text: &str) -> String {
    // Prose without a sign of markup is what it is, to the byte.
    if !text.contains(['*', '_', '~', '`', '[', '#', '!', '\\', '|', '+', '=', '-', '.', ')', '>', '<', '&', '\t'])
        && !text.contains("    ")
        && !text.contains("  \n")
    {
        return text.to_owned();
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let mut out = String::with_capacity(text.len() + 16);
    blocks(root, &mut out);
    let trailing = text.len() - text.trim_end_matches('\n').len();
    let body = out.trim_end_matches('\n').to_owned();
    format!("{body}{}", "\n".repeat(trailing))
}

/// A piece of a stream.
pub(crate) fn markdown(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len() + 16);
    let mut rest = piece;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        // What follows may be in the next piece: then it is taken for the worst.
        let controls = after.is_empty()
            || after.starts_with(['!', '@', '#'])
            || after.starts_with("http")
            || after.starts_with("mailto:");
        out.push_str(if controls { "&lt;" } else { "<" });
        rest = after;
    }
    out.push_str(rest);
    out.replace("![", "[")
}

/// The three characters that Slack gives a meaning ("Formatting message text": escaping).
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn blocks<'a>(parent: &'a AstNode<'a>, out: &mut String) {
    let mut is_first = true;
    for node in parent.children() {
        if !is_first {
            out.push_str("\n\n");
        }
        is_first = false;
        block(node, out);
    }
}

fn block<'a>(node: &'a AstNode<'a>, out: &mut String) {
    match &node.data.borrow().value {
        NodeValue::Paragraph => inlines(node, out),
        NodeValue::Heading(_) => {
            let mut title = String::new();
            inlines(node, &mut title);
            out.push_str(&format!("*{}*", title.replace('*', "")));
        }
        NodeValue::CodeBlock(code) => {
            let literal = escape(&code.literal);
            out.push_str(&format!(
                "```\n{}```",
                if literal.ends_with('\n') { literal } else { format!("{literal}\n") }
            ));
        }
        NodeValue::BlockQuote => {
            let mut quoted = String::new();
            blocks(node, &mut quoted);
            let lines: Vec<String> = quoted.lines().map(|line| format!("> {line}")).collect();
            out.push_str(&lines.join("\n"));
        }
        NodeValue::List(list) => {
            let mut number = list.start;
            let mut items = Vec::new();
            for item in node.children() {
                let mut body = String::new();
                blocks(item, &mut body);
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
        NodeValue::HtmlBlock(html) => out.push_str(escape(&html.literal).trim_end_matches('\n')),
        _ => blocks(node, out),
    }
}

fn inlines<'a>(parent: &'a AstNode<'a>, out: &mut String) {
    for node in parent.children() {
        match &node.data.borrow().value {
            NodeValue::Text(text) => out.push_str(&escape(text)),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push('\n'),
            NodeValue::Code(code) => out.push_str(&format!("`{}`", escape(&code.literal))),
            NodeValue::HtmlInline(html) => out.push_str(&escape(html)),
            NodeValue::Strong => wrapped(node, '*', out),
            NodeValue::Emph => wrapped(node, '_', out),
            NodeValue::Strikethrough => wrapped(node, '~', out),
            NodeValue::Link(link) => {
                let mut label = String::new();
                inlines(node, &mut label);
                let url = escape(&link.url);
                if label.is_empty() || label == url {
                    out.push_str(&url);
                } else {
                    // People see where a link leads: Slack's own form would hide it behind the words.
                    out.push_str(&format!("{label} ({url})"));
                }
            }
            // An image of another server is fetched by whoever looks: only its words stay.
            NodeValue::Image(_) => inlines(node, out),
            _ => inlines(node, out),
        }
    }
}

fn wrapped<'a>(node: &'a AstNode<'a>, sign: char, out: &mut String) {
    out.push(sign);
    inlines(node, out);
    out.push(sign);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

        secret docs (https://a.b/c) &lt;!channel&gt; &lt;@U123&gt;
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
    fn links_are_seen_in_every_form_that_slack_makes_one_of() {
        for text in ["https://a.b", "HTTP://A.B", "www.a.b", "[x](y)", "![x][y]", "[y]: a.b", "<mailto:a@b.c>"] {
            assert!(shows_link(text), "{text}");
        }
        for text in ["plain words", "a < b", "x[1] and f(2)", "10:30", "**bold**"] {
            assert!(!shows_link(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_prose_is_unchanged(text in "[A-Za-z0-9 ,:;?\n'\"äöü€]{0,200}") {
            let text = text.trim().replace("    ", " ").replace("  \n", "\n");
            prop_assert_eq!(mrkdwn(&text), text);
        }

        #[test]
        fn no_control_sequence_survives(text in "(\\PC|<!channel>|<@U1>|\n|[*_`~>#-]){0,60}") {
            prop_assert!(!mrkdwn(&text).contains('<'));
            let stream = markdown(&text);
            prop_assert!(!stream.contains("<!") && !stream.contains("<@"));
        }
    }
}
