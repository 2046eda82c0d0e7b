//! Whatever a model writes, GitHub and the bots that read comments find nothing in it to act on. This looks at the page that
//! comes of a text, and not at how the text was changed.

use comrak::nodes::NodeValue;
use proptest::prelude::*;

use crate::support::app;

/// GitHub's dialect, with what it makes of addresses.
fn options() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.autolink = true;
    options.render.r#unsafe = true;
    options
}

/// The text of a page as GitHub's filters walk it: not inside of code and links.
fn walked(html: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    let mut inside: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if inside.is_empty() {
            runs.last_mut().unwrap().push_str(text);
        }
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        let name: String = tag.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
        runs.push(String::new());
        if ["code", "pre", "a"].contains(&name.as_str()) {
            if tag.starts_with("</") {
                inside.pop();
            } else {
                inside.push(name);
            }
        }
    }
    if inside.is_empty() {
        runs.last_mut().unwrap().push_str(rest);
    }
    let plain =
        |run: &String| run.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    runs.iter().map(plain).collect()
}

/// What would act in a run of text.
fn acts(run: &str) -> Vec<String> {
    let characters: Vec<char> = run.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or(' ');
    let mut found = Vec::new();
    for index in 0..characters.len() {
        let before = if index == 0 { ' ' } else { at(index - 1) };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let calls = at(index) == '@' && !is_word(before) && at(index + 1).is_ascii_alphanumeric();
        let refers = at(index) == '#' && at(index + 1).is_ascii_digit() && {
            let behind = characters[index + 1..].iter().find(|c| !c.is_ascii_digit());
            !behind.is_some_and(|c| is_word(*c))
        };
        if calls || refers {
            found.push(characters[index..].iter().take(12).collect());
        }
    }
    found
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let inert = app().render(text);
    let arena = comrak::Arena::new();
    let root = comrak::parse_document(&arena, &inert, &options());
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::Image(_) | NodeValue::HtmlBlock(_) | NodeValue::HtmlInline(_) | NodeValue::TaskItem(_) => {
                return Err(TestCaseError::fail(format!("{:?} in {inert:?}", node.data().value)));
            }
            NodeValue::CodeBlock(block) => {
                prop_assert!(!block.info.trim_start().starts_with("suggestion"), "{inert:?}");
            }
            NodeValue::Link(link) => {
                let leads_there = link.url.contains("github.com/a/b/issues/1");
                prop_assert!(!leads_there, "it refers to {} in {inert:?}", link.url);
            }
            _ => {}
        }
    }
    let page = comrak::markdown_to_html(&inert, &options());
    for run in walked(&page) {
        prop_assert!(acts(&run).is_empty(), "{:?} in {inert:?}", acts(&run));
    }
    let is_command = |line: &str| {
        let name: String = line.chars().skip(1).take_while(char::is_ascii_alphanumeric).collect();
        let ends = line.chars().nth(1 + name.len()).is_none_or(char::is_whitespace);
        line.starts_with('/') && name.starts_with(|c: char| c.is_ascii_alphabetic()) && ends
    };
    prop_assert!(!inert.split(['\n', '\r']).any(is_command), "{inert:?}");
    Ok(())
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[ -~\n]{0,5}",
        8 => proptest::sample::select(vec![
            "@octocat", "@acme/team", "&#64;octocat", "\\@octocat", "Fixes #1", "closes: #2\n", "resolves acme/app#3", "GH-4",
            "![x](https://e.example/?q)", "```suggestion\n", "~~~suggestion\n", "```\n", "`", "- [ ] ", "- [x] ", "1. [ ] ", "* [ ] #5\n",
            "/close\n", "\n/lgtm", "/merge now\n", "\n\n", "\n", "> ", "- ", "    ", "\t", "|", "| a |\n|---|\n| ", "<b>", "<input type=checkbox>",
            "<!--", "-->", "[a](", "https://github.com/a/b/issues/1", ")", "[r]: https://github.com/a/b/issues/1\n", "[r]", "*", "_",
            "[^1]", "[^1]: ", "\r\n", "\\", "&amp;",
        ]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_calls_refers_commands_or_offers(text in hostile()) {
        check(&text)?;
    }
}

#[test]
fn what_others_were_caught_with() {
    for text in [
        "Thanks!\n\nFixes #42\nCloses: acme/app#42\nresolved https://github.com/a/b/issues/1",
        "```suggestion\nrm -rf /\n```",
        "- [ ] Approve\n- [x] Merge",
        "/approve\n/lgtm\n/retest",
        "cc @acme/security-team @octocat",
        "`````\n/close\n`````",
    ] {
        check(text).unwrap();
    }
}
