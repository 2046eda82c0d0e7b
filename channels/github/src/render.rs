//! Our own text on its way out: CommonMark that stays byte for byte as it is, except where GitHub would act on it.
//!
//! A model's text may have been steered by a stranger, so nothing in it may notify, refer, fetch or command
//! (OUT-1, OUT-2, OUT-3): images become their text, mentions and references (and with them `Fixes #1`) are broken by an
//! invisible character, addresses of issues, and of hosts that nobody chose ([`Links`]), become code, raw HTML (and with it
//! a false marker) is escaped, and so are a `/command` at the start of a line and the box of a task list, which somebody could
//! tick. A `suggestion` that somebody could commit becomes plain code. Code is else left alone, for GitHub does not act on it;
//! but the bots that take commands read comments line by line, so a `/command` in it is moved by a blank.
//!
//! The text is parsed, the dangerous spans are edited, and the outcome is parsed again until nothing is left to edit.
//! Where that does not settle, the whole text is shown as code: a reply that is ugly is better than one that acts.

use std::ops::Range;

use comrak::nodes::{AstNode, NodeLink, NodeValue};
use reveille_channel::links::{Links, address_of};
use url::Url;

use crate::markdown::{Lines, parsed, parsed_with_autolinks};
use crate::scan::{self, Act};
use crate::source::Source;

/// Each round uncovers at most one level of HTML. Real texts need two or three.
const MOST_ROUNDS: usize = 32;
/// A comment takes 65,536 characters; what is kept is for the marker and a closing fence.
const MOST_CHARACTERS: usize = 65_000;
/// ZERO WIDTH SPACE: no handle or number may hold it, and nobody sees it.
const INVISIBLE: &str = "\u{200b}";

/// Spans and what stands there instead; all of them or none.
type Edit = Vec<(Range<usize>, String)>;

/// A span that cannot be found in the source.
struct Unplaced;

/// Makes a text inert.
pub(crate) fn render(text: &str, web: &Url, links: &Links) -> String {
    if !needs_parsing(text) {
        return text.to_owned();
    }
    moved_commands(&inert(text, web, links))
}

fn inert(text: &str, web: &Url, links: &Links) -> String {
    let mut current = text.to_owned();
    for _ in 0..MOST_ROUNDS {
        match edits(&current, web, links) {
            Ok(edits) if edits.is_empty() => {
                let is_too_long = current.len() > MOST_CHARACTERS && current.chars().count() > MOST_CHARACTERS;
                if is_too_long || has_foreign_link(&current, web, links) {
                    break;
                }
                return current;
            }
            Ok(edits) => match apply(&current, edits) {
                Some(edited) => current = edited,
                None => break,
            },
            Err(Unplaced) => break,
        }
    }
    fenced(text)
}

/// Whether the text holds anything that could act. Most prose does not.
fn needs_parsing(text: &str) -> bool {
    if text.contains(['@', '#', '<', '/', '&', '\\', ':']) {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    ["![", "](", "]:", "[ ]", "[x]", "suggestion", "gh-", "www."].iter().any(|acting| lower.contains(acting))
}

/// The text with a blank before each line that begins as a command, wherever that is. One blank changes no structure.
fn moved_commands(text: &str) -> String {
    let mut moved = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        if scan::command(line).is_some() {
            moved.push(' ');
        }
        moved.push_str(line);
    }
    moved
}

/// Whether GitHub would make a link of something that may be none. It reads addresses from the source, across what is markup to
/// everybody else, so what is left to act is asked of a parser that does as well.
fn has_foreign_link(text: &str, web: &Url, links: &Links) -> bool {
    if !text.contains(['@', ':']) && !text.to_ascii_lowercase().contains("www.") {
        return false;
    }
    parsed_with_autolinks(text, |root| {
        root.descendants().any(
            |node| matches!(&node.data().value, NodeValue::Link(link) if !scan::may_be_link(&link.url, web, links)),
        )
    })
}

/// The text as one block of code.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    let (mut run, mut longest) = (0usize, 0usize);
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// `code` as a code span that cannot pair with any backtick of a text whose longest run of them is `longest`.
fn code_span(code: &str, longest: usize) -> String {
    // A bar would end a cell of a table even in code.
    let code = code.replace('|', "%7C").replace(['\n', '\r'], " ");
    let ticks = "`".repeat(longest.max(longest_run(&code)) + 1);
    let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{code}{pad}{ticks}")
}

/// Code in place of a range of the text. What stands beside it may be, or become, a backtick, and a backslash would escape one:
/// then they are kept apart.
fn code_at(text: &str, range: Range<usize>, code: &str, longest: usize) -> Option<(Range<usize>, String)> {
    let apart = |is_near: bool| if is_near { INVISIBLE } else { "" };
    let before = apart(text.get(..range.start)?.ends_with(['`', '>', '\\']));
    let after = apart(text.get(range.end..)?.starts_with(['`', '<']));
    Some((range, format!("{before}{}{after}", code_span(code, longest))))
}

/// What must be edited in this text.
fn edits(text: &str, web: &Url, links: &Links) -> Result<Vec<Edit>, Unplaced> {
    parsed(text, |root| {
        let lines = Lines::new(text);
        let longest = longest_run(text);
        let mut edits = Vec::new();
        for node in root.descendants() {
            let data = node.data();
            let place = || lines.range(data.sourcepos).ok_or(Unplaced);
            match &data.value {
                NodeValue::HtmlBlock(_) | NodeValue::HtmlInline(_) => edits.push(escape_html(text, place()?)?),
                NodeValue::Image(link) => edits.push(unlink(text, &lines, node, link, longest)?),
                NodeValue::Link(link) if !scan::may_be_link(&link.url, web, links) => {
                    edits.push(unlink(text, &lines, node, link, longest)?);
                }
                NodeValue::CodeBlock(block) if is_suggestion(&block.info) => {
                    edits.push(rename_suggestion(text, place()?)?);
                }
                NodeValue::TaskItem(_) => edits.push(escape_box(text, place()?)?),
                NodeValue::Text(content) => {
                    let acts = scan::acts(content, web, links);
                    // Positions of text that does nothing are never asked for.
                    if acts.is_empty() && !content.starts_with('/') {
                        continue;
                    }
                    let start = lines.start(data.sourcepos).ok_or(Unplaced)?;
                    let rest = text.get(start..).ok_or(Unplaced)?;
                    if lines.is_line_start(start) && scan::command(rest).is_some() {
                        edits.push(vec![(start..start, "\\".to_owned())]);
                    } else if !acts.is_empty() {
                        let source = Source::of(content, text, start).ok_or(Unplaced)?;
                        for act in acts {
                            edits.push(vec![edit(text, content, &source, act, longest).ok_or(Unplaced)?]);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(edits)
    })
}

/// One act's edit.
fn edit(text: &str, content: &str, source: &Source, act: Act, longest: usize) -> Option<(Range<usize>, String)> {
    Some(match act {
        Act::Break(at) => {
            let at = source.span(at..at + 1)?.start;
            (at..at, INVISIBLE.to_owned())
        }
        Act::Encode(at) => (source.span(at..at + 1)?, "%40".to_owned()),
        Act::Address(range) => code_at(text, source.span(range.clone())?, content.get(range)?, longest)?,
    })
}

/// Escapes the first `<` of raw HTML; what follows is then read anew.
fn escape_html(text: &str, range: Range<usize>) -> Result<Edit, Unplaced> {
    let raw = text.get(range.clone()).ok_or(Unplaced)?;
    let at = range.start + raw.find('<').ok_or(Unplaced)?;
    Ok(vec![(at..at, "\\".to_owned())])
}

/// A link or image as its text, with the address as code behind it.
fn unlink<'a>(
    text: &str,
    lines: &Lines<'_>,
    node: &'a AstNode<'a>,
    link: &NodeLink,
    longest: usize,
) -> Result<Edit, Unplaced> {
    let whole = lines.range(node.data().sourcepos).ok_or(Unplaced)?;
    let raw = text.get(whole.clone()).ok_or(Unplaced)?;
    let label = raw.strip_prefix('<').and_then(|raw| raw.strip_suffix('>')).unwrap_or_default();
    let address = address_of(&link.url, label);
    if raw.starts_with('<') {
        let (range, code) = code_at(text, whole, address.unwrap_or_default(), longest).ok_or(Unplaced)?;
        return Ok(vec![(range, code)]);
    }
    let address = address.map_or_else(String::new, |address| code_span(address, longest));
    if !raw.starts_with('[') && !raw.starts_with("![") {
        return Err(Unplaced);
    }
    let (Some(first), Some(last)) = (node.first_child(), node.last_child()) else {
        return Ok(vec![(whole, address)]);
    };
    let start = lines.range(first.data().sourcepos).ok_or(Unplaced)?.start;
    let end = lines.range(last.data().sourcepos).ok_or(Unplaced)?.end;
    if start < whole.start || end > whole.end || start > end {
        return Err(Unplaced);
    }
    let behind = if address.is_empty() { address } else { format!(" ({address})") };
    Ok(vec![(whole.start..start, String::new()), (end..whole.end, behind)])
}

const SUGGESTION: &str = "suggestion";

/// Whether GitHub would offer to commit the block.
fn is_suggestion(info: &str) -> bool {
    let first = info.split_whitespace().next().unwrap_or_default();
    first.get(..SUGGESTION.len()).is_some_and(|word| word.eq_ignore_ascii_case(SUGGESTION))
}

/// A block that GitHub would offer to commit becomes text.
fn rename_suggestion(text: &str, range: Range<usize>) -> Result<Edit, Unplaced> {
    let first_line = text.get(range.clone()).and_then(|raw| raw.lines().next()).ok_or(Unplaced)?;
    let at = range.start + first_line.to_ascii_lowercase().find(SUGGESTION).ok_or(Unplaced)?;
    Ok(vec![(at..at + SUGGESTION.len(), "text".to_owned())])
}

/// The box of a task is shown as it is written.
fn escape_box(text: &str, range: Range<usize>) -> Result<Edit, Unplaced> {
    let at = range.start + text.get(range).and_then(|raw| raw.find('[')).ok_or(Unplaced)?;
    Ok(vec![(at..at, "\\".to_owned())])
}

/// Applies edits; those that overlap an earlier one wait for the next round. `None` when they do not fit the text.
fn apply(text: &str, edits: Vec<Edit>) -> Option<String> {
    let mut chosen: Vec<(Range<usize>, String)> = Vec::new();
    let mut taken: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for edit in edits {
        let is_free = edit.iter().all(|(range, _)| {
            let before = taken.range(..=range.start).next_back().is_none_or(|(_, end)| *end <= range.start);
            let after = taken.range(range.start..).next().is_none_or(|(start, _)| *start >= range.end);
            let is_same = taken.contains_key(&range.start);
            before && after && !is_same
        });
        if is_free {
            taken.extend(edit.iter().map(|(range, _)| (range.start, range.end)));
            chosen.extend(edit);
        }
    }
    chosen.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len() + 64);
    let mut position = 0;
    for (range, replacement) in chosen {
        edited.push_str(text.get(position..range.start)?);
        edited.push_str(&replacement);
        position = range.end;
    }
    edited.push_str(text.get(position..)?);
    Some(edited)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reveille_channel::links::LinkHost;

    use super::*;

    fn web() -> Url {
        Url::parse("https://github.com/").unwrap()
    }

    fn links() -> Links {
        let chosen = ["docs.example.com", "example.com"].map(|name| LinkHost::parse(name).unwrap());
        Links::to(chosen).and_of(&web())
    }

    fn rendered(text: &str) -> String {
        render(text, &web(), &links())
    }

    /// What is shown when the invisible character is not.
    fn shown(text: &str) -> String {
        rendered(text).replace(INVISIBLE, "·")
    }

    #[test]
    fn what_acts_is_made_inert_and_the_rest_stays() {
        for (text, inert) in [
            ("Ask @octocat or @acme/team.", "Ask @·octocat or @·acme/team."),
            ("mail me@example.com", "mail `me@example.com`"),
            ("`@octocat` stays", "`@octocat` stays"),
            ("```\n@octocat fixes #1 <b>\n```", "```\n@octocat fixes #1 <b>\n```"),
            ("Fixes #42, acme/app#7 and GH-3", "Fixes #·42, acme/app#·7 and GH-·3"),
            ("C# and # 4 and #abc", "C# and # 4 and #abc"),
            ("&#64;octocat", "&#64;·octocat"),
            ("\\@octocat and a\\_b", "\\@·octocat and a\\_b"),
            ("\\\\@octocat", "\\\\@·octocat"),
            ("![a cat](https://evil.example/x.png)", "a cat (`https://evil.example/x.png`)"),
            (
                "![a][r] b\n\n[r]: https://evil.example/x.png",
                "a (`https://evil.example/x.png`) b\n\n[r]: https://evil.example/x.png",
            ),
            ("[![a](b.png)](https://example.com)", "[a (`b.png`)](https://example.com)"),
            ("a <b>bold</b> word", "a \\<b>bold\\</b> word"),
            ("<details>\n\ntext\n\n</details>", "\\<details>\n\ntext\n\n\\</details>"),
            ("x\n\n<!-- reveille:aaaaaaaaaaaaaaaa -->", "x\n\n\\<!-- reveille:aaaaaaaaaaaaaaaa -->"),
            ("<!-- @octocat -->", "\\<!-- @·octocat -->"),
            ("/close\nand /open\n  /lgtm now", "\\/close\nand /open\n  \\/lgtm now"),
            ("/etc/hosts is a file", "/etc/hosts is a file"),
            ("see https://github.com/acme/app/issues/4 now", "see `https://github.com/acme/app/issues/4` now"),
            ("<https://github.com/acme/app/pull/4>", "`https://github.com/acme/app/pull/4`"),
            ("[it](https://github.com/acme/app/issues/4)", "it (`https://github.com/acme/app/issues/4`)"),
            ("https://example.com/@octocat", "https://example.com/%40octocat"),
            ("https://docs.github.com/en/issues/x", "`https://docs.github.com/en/issues/x`"),
            ("https://github.com/acme/issues", "https://github.com/acme/issues"),
            ("[it](/acme/app/issues/4)", "it (`/acme/app/issues/4`)"),
            ("www.GitHub.com//acme/app/pull/4", "`www.GitHub.com//acme/app/pull/4`"),
            ("[docs](https://example.com/a#1)", "[docs](https://example.com/a#1)"),
            ("[docs](https://evil.example/a_b)!", "docs (`https://evil.example/a_b`)!"),
            ("see https://evil.example/a.", "see `https://evil.example/a`."),
            (
                "[it](https://github.com/acme/app/blob/main/x#L10-L20)",
                "[it](https://github.com/acme/app/blob/main/x#L10-L20)",
            ),
            ("https://github.com/search?q=secret", "`https://github.com/search?q=secret`"),
            ("[https://example.com&num;4", "```text\n[https://example.com&num;4\n```"),
            ("file.md and evil.example", "file.md and evil.example"),
            ("```suggestion\nx\n```", "```text\nx\n```"),
            ("~~~ Suggestion:-0+1\nx\n~~~", "~~~ text:-0+1\nx\n~~~"),
            ("> ```suggestion\n> x\n> ```", "> ```text\n> x\n> ```"),
            ("- [ ] now\n- [x] #4\n  1. [X] deep", "- \\[ ] now\n- \\[x] #·4\n  1. \\[X] deep"),
            ("!https://github.com/acme/app/issues/4", "!`https://github.com/acme/app/issues/4`"),
            ("Closes: GH-7, resolves acme/app#7", "Closes: GH-·7, resolves acme/app#·7"),
            ("fixed https://github.com/acme/app/issues/4", "fixed `https://github.com/acme/app/issues/4`"),
            ("```\n/close now\n/etc/hosts\n```", "```\n /close now\n/etc/hosts\n```"),
            ("a `b\n/close now` c", "a `b\n /close now` c"),
            ("@acme/team, @acme/team.", "@·acme/team, @·acme/team."),
            ("a ` b https://github.com/acme/app/issues/4", "a ` b ``https://github.com/acme/app/issues/4``"),
            ("| a | b |\n|---|---|\n| @octocat | #4 |", "| a | b |\n|---|---|\n| @·octocat | #·4 |"),
            ("> @octocat\n> - #4", "> @·octocat\n> - #·4"),
            ("[^1]\n\n[^1]: @octocat", "[^1]\n\n[^1]: @·octocat"),
            ("[^1]: @octocat", "[^1]: @·octocat"),
            ("**@octocat** _#4_", "**@·octocat** _#·4_"),
            ("é@octocat", "é@·octocat"),
        ] {
            assert_eq!(inert, shown(text), "{text}");
        }
    }

    #[test]
    fn a_text_that_grows_too_long_is_shown_as_code() {
        let text = "@a ".repeat(20_000);
        assert!(rendered(&"@a ".repeat(10_000)).starts_with("@\u{200b}a"));
        let shown = rendered(&text);
        assert!(shown.starts_with("```text\n@a ") && shown.chars().count() < 65_536, "{}", shown.len());
    }

    /// The links and images that GitHub makes of a text (GFM with its autolinks) and nobody chose.
    fn foreign(text: &str) -> Vec<String> {
        let mut options = crate::markdown::options();
        options.extension.autolink = true;
        options.parse.relaxed_autolinks = true;
        let arena = comrak::Arena::new();
        let is_chosen = |url: &str| {
            Url::parse(url).is_ok_and(|url| {
                matches!(url.host_str(), Some("docs.example.com" | "example.com" | "github.com"))
                    && url.scheme().starts_with("http")
                    && url.query().is_none()
                    && url.username().is_empty()
            })
        };
        let found =
            comrak::parse_document(&arena, text, &options).descendants().filter_map(|node| match &node.data().value {
                NodeValue::Link(link) if is_chosen(&link.url) => None,
                NodeValue::Link(link) | NodeValue::Image(link) => Some(link.url.clone()),
                NodeValue::HtmlBlock(html) => Some(html.literal.clone()),
                NodeValue::HtmlInline(html) => Some(html.clone()),
                _ => None,
            });
        found.collect()
    }

    #[test]
    fn no_address_of_the_table_is_a_link() {
        let texts: Vec<String> = serde_json::from_str(include_str!("../../core/fixtures/addresses.json")).unwrap();
        for text in texts {
            let shown = rendered(&text);
            assert_eq!(foreign(&shown), Vec::<String>::new(), "{text:?}: {shown:?}");
            assert_eq!(rendered(&shown), shown, "{text:?}");
        }
        assert_eq!(
            foreign("https://evil.example www.evil.example eve@evil.example ![x](y)").len(),
            4,
            "it is looked for"
        );
    }

    fn prose() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-zäöü]{1,8}".prop_map(|word| word),
            "[0-9]{1,4}",
            Just("**bold**".to_owned()),
            Just("`code @x #1`".to_owned()),
            Just("[link](https://example.com/x#z)".to_owned()),
            Just("and/or".to_owned()),
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
                "@octocat", "@acme/team", "&#64;octocat", "\\@octocat", "&commat;a", "#42", "&num;42", "\\#42", "acme/app#1", "GH-4", "![x](y)",
                "Fixes #1", "closes: ", "```suggestion\n", "- [ ] ", "1. [x] ", "/lgtm\n",
                "![", "](z)", "[a]", "[a]: https://github.com/a/b/issues/1\n", "<b>", "<!--", "-->", "<pre>", "</pre>",
                "\n/close\n", "\n\n", "> ", "- ", "    ", "\t", "`", "``", "```\n", "~~~", "|", "|---|", "https://github.com/a/b/issues/1",
                "https://x.y/@z", "https://example.com", "evil.example", ".evil.example", "https:", "//", "eve@", "www.", "mailto:", "&colon;", "\u{200b}", "www.github.com/a/b/pull/2", "*", "_", "~~", "[^1]", "[^1]: ", "\r", "\r\n", "\\", "&amp;", "\u{0}", "é", "# ", "===\n",
            ]).prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    /// Texts whose only acts are mentions and references, in every kind of block and with every kind of escape.
    fn calling() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            2 => "[a-z ]{0,4}",
            5 => proptest::sample::select(vec![
                "@octocat", "&#64;octocat", "\\@octocat", "&commat;a", " #42", "&num;42", "\\#42", "acme/app#1", "GH-4",
                "[a](<https://example.com/b>)", "\n\n", "\n", "> ", "- ", "1. ", "    ", "\t", "`", "```\n", "|", "| a |\n|---|\n| ", "*", "**", "_", "~~",
                "\\", "&amp;", "&nbsp;", "é", "\u{1f600}", "# ", "[^1]", "\r\n", "  \n", "\\*",
            ]).prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn prose_without_anything_that_acts_is_not_changed(text in prose()) {
            prop_assert_eq!(rendered(&text), text);
        }

        #[test]
        fn what_is_shown_of_mentions_and_references_stays(text in calling()) {
            let shown = |text: &str| comrak::markdown_to_html(text, &crate::markdown::options());
            let inert = rendered(&text);
            prop_assume!(!inert.starts_with("```text"));
            prop_assert_eq!(shown(&inert).replace(INVISIBLE, ""), shown(&text), "{:?}", inert);
        }

        #[test]
        fn nothing_that_acts_is_left_and_rendering_again_changes_nothing(text in anything()) {
            let once = rendered(&text);
            prop_assert!(edits(&once, &web(), &links()).is_ok_and(|edits| edits.is_empty()), "{:?}", once);
            prop_assert_eq!(rendered(&once), once);
        }

        #[test]
        fn github_makes_links_only_of_what_was_chosen(text in anything()) {
            prop_assert_eq!(foreign(&rendered(&text)), Vec::<String>::new());
        }
    }
}
