//! CommonMark in, Discord's dialect out ("Reference: Message Formatting"; the help page "Markdown Text 101"), with nothing in
//! it that notifies, previews or hides an address.
//!
//! Discord's dialect is near to CommonMark, so prose stays what it is. Rendered are: links (people see where one leads,
//! `<...>` keeps it without a preview, and what may be none, see [`Links`], is code), images (only their words stay), tables (as
//! code), headings below the third, HTML.
//! Notifications are ruled out by `allowed_mentions` besides; here references only lose their looks.

use comrak::nodes::{AstNode, ListType, NodeValue};
use comrak::{Arena, Options, parse_document};
use reveille_channel::links::{Links, Reach, address_of, scan};

/// "Create Message": characters of a message. Counted in UTF-16 units, which are never fewer.
pub(crate) const CONTENT_MAX: usize = 2_000;

/// How much CommonMark one message takes, bytes: less than the bound, for rendering adds signs.
pub(crate) const MESSAGE_BYTES: usize = 1_800;

/// How long a message is for Discord.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A whole message.
pub(crate) fn message(text: &str, links: &Links) -> String {
    let rendered = markdown(text, links);
    if length(&rendered) <= CONTENT_MAX {
        return rendered;
    }
    // A text of nearly nothing but signs: shown to the letter, and no longer than it is.
    let literal = code(text);
    if length(&literal) <= CONTENT_MAX { literal } else { cut(&literal) }
}

/// Plain text, shown to the letter.
pub(crate) fn code(text: &str) -> String {
    format!("```\n{}\n```", text.replace("```", "'''").trim_end_matches('\n'))
}

/// The end of a text that is too long is taken off, visibly.
fn cut(text: &str) -> String {
    let mut units = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= CONTENT_MAX - 8
        })
        .collect();
    format!("{kept}…\n```")
}

fn markdown(text: &str, links: &Links) -> String {
    // Prose without a sign of markup is what it is, to the byte.
    let has_signs = text.contains([
        '*', '_', '~', '`', '[', '#', '!', '\\', '|', '+', '=', '-', '.', ')', '>', '<', '&', '\t', ':', '@',
    ]);
    if !has_signs && !text.contains("    ") && !text.contains("  \n") {
        return text.to_owned();
    }
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    let root = parse_document(&arena, text, &options);
    let mut out = String::with_capacity(text.len() + 16);
    blocks(root, links, &mut out);
    let trailing = text.len() - text.trim_end_matches('\n').len();
    let body = out.trim_end_matches('\n').to_owned();
    format!("{body}{}", "\n".repeat(trailing))
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
        NodeValue::Paragraph => {
            let mut words = String::new();
            inlines(node, links, &mut words);
            let lines: Vec<String> = words.split('\n').map(at_line_start).collect();
            out.push_str(&lines.join("\n"));
        }
        NodeValue::Heading(heading) => {
            let mut title = String::new();
            inlines(node, links, &mut title);
            if heading.level <= 3 {
                out.push_str(&format!("{} {title}", "#".repeat(usize::from(heading.level))));
            } else {
                out.push_str(&format!("**{}**", title.replace("**", "")));
            }
        }
        NodeValue::CodeBlock(code) => {
            let literal = code.literal.replace("```", "'''");
            let language: String = code.info.chars().take_while(|c| is_of_a_language(*c)).collect();
            let end = if literal.ends_with('\n') { "" } else { "\n" };
            out.push_str(&format!("```{language}\n{literal}{end}```"));
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
                    ListType::Bullet => "-".to_owned(),
                    ListType::Ordered => format!("{number}."),
                };
                number = number.saturating_add(1);
                let body = if list.tight { body.replace("\n\n", "\n") } else { body };
                let indent = " ".repeat(sign.len() + 1);
                let mut lines = body.lines();
                let mut text = format!("{sign} {}", lines.next().unwrap_or_default());
                for line in lines {
                    text.push('\n');
                    if !line.is_empty() {
                        text.push_str(&format!("{indent}{line}"));
                    }
                }
                items.push(text);
            }
            out.push_str(&items.join("\n"));
        }
        NodeValue::Table(_) => out.push_str(&table(node)),
        NodeValue::ThematicBreak => out.push_str("———"),
        NodeValue::HtmlBlock(html) => linked(html.literal.trim_end_matches('\n'), links, out),
        _ => blocks(node, links, out),
    }
}

/// A table as code, its columns below each other: Discord has none of its own.
fn table<'a>(node: &'a AstNode<'a>) -> String {
    let rows: Vec<Vec<String>> = node
        .children()
        .map(|row| {
            row.children()
                .map(|cell| {
                    let mut text = String::new();
                    words(cell, &mut text);
                    text.replace("```", "'''")
                })
                .collect()
        })
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| format!("{:<width$}", row.get(column).map_or("", String::as_str)))
            .collect();
        lines.push(cells.join("  ").trim_end().to_owned());
        if index == 0 {
            lines.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  "));
        }
    }
    format!("```\n{}\n```", lines.join("\n"))
}

/// The words of a cell, without marks.
fn words<'a>(parent: &'a AstNode<'a>, out: &mut String) {
    for node in parent.children() {
        match &node.data.borrow().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::HtmlInline(html) => out.push_str(html),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            NodeValue::Link(link) => {
                let mut label = String::new();
                words(node, &mut label);
                out.push_str(&label);
                if label != link.url {
                    out.push_str(&format!(" ({})", link.url));
                }
            }
            _ => words(node, out),
        }
    }
}

fn inlines<'a>(parent: &'a AstNode<'a>, links: &Links, out: &mut String) {
    for node in parent.children() {
        match &node.data.borrow().value {
            NodeValue::Text(text) => linked(text, links, out),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push('\n'),
            NodeValue::Code(code) => out.push_str(&span(&code.literal)),
            NodeValue::HtmlInline(html) => linked(html, links, out),
            NodeValue::Strong => wrapped(node, "**", links, out),
            NodeValue::Emph => wrapped(node, "*", links, out),
            NodeValue::Strikethrough => wrapped(node, "~~", links, out),
            NodeValue::Link(link) => {
                let (mut label, mut shown) = (String::new(), String::new());
                words(node, &mut label);
                inlines(node, links, &mut shown);
                match address_of(&link.url, &label) {
                    None => out.push_str(&shown),
                    Some(url) if shown.is_empty() || label == url => out.push_str(&address(url, links)),
                    // People see where a link leads: Discord's own form would hide it behind the words.
                    Some(url) => out.push_str(&format!("{shown} ({})", address(url, links))),
                }
            }
            // An image of another server is fetched by whoever looks: only its words stay.
            _ => inlines(node, links, out),
        }
    }
}

/// Plain text, in which addresses are links where they may be and else code.
fn linked(text: &str, links: &Links, out: &mut String) {
    let mut end = 0;
    for one in scan(text, Reach::Addresses, &|address| links.allows(address)) {
        let (Some(between), Some(found)) = (text.get(end..one.range.start), text.get(one.range.clone())) else {
            continue;
        };
        out.push_str(&escape(between));
        out.push_str(&if one.is_allowed && !found.contains("://") { escape(found) } else { address(found, links) });
        end = one.range.end;
    }
    out.push_str(&escape(text.get(end..).unwrap_or_default()));
}

/// An address: a link without a preview where it may be one, else to the letter.
fn address(url: &str, links: &Links) -> String {
    if links.allows(url) { format!("<{url}>") } else { span(url) }
}

/// A code span, whatever ticks are in it.
fn span(literal: &str) -> String {
    if literal.contains('`') { format!("`` {} ``", literal.replace("``", "''")) } else { format!("`{literal}`") }
}

fn wrapped<'a>(node: &'a AstNode<'a>, sign: &str, links: &Links, out: &mut String) {
    out.push_str(sign);
    inlines(node, links, out);
    out.push_str(sign);
}

/// Text that is no markup for CommonMark is none for Discord either: signs that would be get a backslash, and bare
/// addresses lose their preview.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_markup = match c {
            // With an address behind it `[words](` is a link that hides where it leads.
            '*' | '`' | '\\' | '[' | ']' => true,
            // Inside of a word it is a sign of Discord's only in pairs.
            '_' => !before.is_alphanumeric() || !next.is_alphanumeric(),
            '~' | '|' => next == c || before == c,
            // References, times and addresses.
            '<' => matches!(next, '@' | '#' | ':' | '/' | 'a' | 't' | 'h' | 'i'),
            _ => false,
        };
        // `https://` without a link around it would still be one.
        let opens_an_address = c == ':' && next == '/' && before.is_alphabetic();
        if is_markup {
            out.push('\\');
        }
        out.push(c);
        if opens_an_address {
            out.push('\u{200b}');
        }
        before = c;
    }
    out
}

/// A line that would begin a heading, quotation, list or small print for Discord, and does not for CommonMark.
fn at_line_start(line: &str) -> String {
    let bare = line.trim_start_matches('#');
    let is_heading = bare.len() < line.len() && line.len() - bare.len() <= 3 && bare.starts_with(' ');
    let is_small = line.starts_with("-# ");
    let is_quotation = line.starts_with("> ") || line.starts_with(">>> ");
    if is_heading || is_small || is_quotation { format!("\\{line}") } else { line.to_owned() }
}

fn is_of_a_language(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reveille_channel::links::LinkHost;

    use super::*;

    fn message(text: &str) -> String {
        let hosts = ["a.b", "docs.example.com", "good.example"].map(|name| LinkHost::parse(name).unwrap());
        super::message(text, &Links::to(hosts))
    }

    #[test]
    fn markup_stays_and_nothing_notifies_previews_or_hides() {
        let text = "# Title\n\n#### Small\n\nSome **bold**, *soft*, ~~gone~~ and `a < b`, snake_case_name, 2 * 3.\n\n1. one\n2. two\n   - deep\n\n> said\n\n```rust,ignore\nlet x: Vec<u8> = 1 && 2;\n```\n\n![secret](https://evil.example/?q=1) [docs](https://a.b/c) https://bare.example/x <@123> @everyone <t:1:R> ||no||";
        insta::assert_snapshot!(message(text));
    }

    #[test]
    fn tables_are_code() {
        insta::assert_snapshot!(message("| a | bee |\n|---|:-:|\n| `1` | [x](https://e.example) |\n| long cell | |"));
    }

    #[test]
    fn addresses_are_links_without_a_preview_or_no_links() {
        for (text, shown) in [
            ("see https://a.b/c, https://a.b/c?d=1", "see <https://a.b/c>, `https://a.b/c?d=1`"),
            ("[words](https://a.b)", "words (<https://a.b>)"),
            ("[https://good.example](https://evil.example)", "<https://good.example> (`https://evil.example`)"),
            ("[x](javascript:alert)", "x (`javascript:alert`)"),
            ("[x](//evil.example)", "x (`//evil.example`)"),
            ("[ref]\n\n[ref]: https://e.example", "ref (`https://e.example`)"),
            ("<https://e.example>", "`https://e.example`"),
            ("ftp://e.example", "`ftp://e.example`"),
            ("steam://run/1", "`steam://run/1`"),
            ("me@e.example <me@e.example>", "`me@e.example` `me@e.example`"),
        ] {
            assert_eq!(message(text), shown, "{text}");
        }
    }

    /// What Discord makes links of: addresses outside of code.
    fn foreign(shown: &str) -> Vec<String> {
        let mut options = Options::default();
        options.extension.autolink = true;
        options.parse.relaxed_autolinks = true;
        let arena = Arena::new();
        let chosen = ["https://a.b", "https://docs.example.com", "https://good.example"];
        let is_chosen = |url: &str| {
            let rest = chosen.iter().find_map(|host| url.strip_prefix(host));
            rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with(['/', '#'])) && !rest.contains('?'))
        };
        let found = parse_document(&arena, shown, &options).descendants().filter_map(|node| match &node.data().value {
            NodeValue::Link(link) | NodeValue::Image(link) => Some(link.url.clone()).filter(|url| !is_chosen(url)),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn no_address_of_the_table_is_a_link() {
        let texts: Vec<String> = serde_json::from_str(include_str!("../../core/fixtures/addresses.json")).unwrap();
        for text in texts {
            assert_eq!(foreign(&message(&text)), Vec::<String>::new(), "{text:?}: {:?}", message(&text));
        }
        assert!(foreign("https://evil.example eve@evil.example ![x](y)").len() >= 3, "it is looked for");
    }

    #[test]
    fn a_text_of_signs_is_shown_to_the_letter() {
        let text = "<@1>*".repeat(MESSAGE_BYTES / 5);
        let shown = message(&text);
        assert!(length(&shown) <= CONTENT_MAX);
        assert_eq!(shown, format!("```\n{text}\n```"));
    }

    proptest! {
        #[test]
        fn plain_prose_is_unchanged(text in "[A-Za-z0-9 ,;?\n'\"äöü€]{0,200}") {
            let text = text.trim().replace("    ", " ").replace("  \n", "\n");
            prop_assert_eq!(message(&text), text);
        }

        #[test]
        fn every_piece_fits(text in "(\\PC|\n|[*_`~<>|#]|\\]\\(|<@1>){0,1800}") {
            let end = text.floor_char_boundary(MESSAGE_BYTES);
            let piece = text.get(..end).unwrap();
            prop_assert!(length(&message(piece)) <= CONTENT_MAX);
        }

        #[test]
        fn no_reference_survives_outside_of_code(text in "(<@1>|<#2>|<@&3>|[a-z \n]|[.,!]){0,40}") {
            let shown: String = message(&text).split("```").step_by(2).collect();
            for reference in ["<@1>", "<#2>", "<@&3>"] {
                let escaped = shown.matches(&format!("\\{reference}")).count();
                prop_assert_eq!(shown.matches(reference).count(), escaped, "{}", shown);
            }
        }
    }
}
