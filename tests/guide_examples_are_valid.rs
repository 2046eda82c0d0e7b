//! What people copy from the guide works.
#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use std::path::Path;

use reveille::agent::{Skills, parse};
use reveille::model::Script;

/// The fenced blocks whose first line begins like this: the rest of that line, and the text.
fn blocks<'a>(guide: &'a str, opening: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for piece in guide.split("\n```").skip(1).step_by(2) {
        let (head, text) = piece.split_once('\n').unwrap();
        if let Some(rest) = head.strip_prefix(opening) {
            found.push((rest, text));
        }
    }
    assert!(!found.is_empty(), "the guide has no block `{opening}`");
    found
}

fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide.md")).unwrap()
}

#[test]
fn the_agents_can_be_read() {
    let approvals = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/approvals.md");
    for page in [guide(), std::fs::read_to_string(approvals).unwrap()] {
        for (name, text) in blocks(&page, "markdown agent=") {
            let agent = parse(name, Path::new("docs/guide.md"), text, &Skills::default()).unwrap();
            assert_eq!(agent.name, name);
        }
    }
}

#[test]
fn the_scripts_can_be_played() {
    for (_, text) in blocks(&guide(), "yaml script") {
        Script::parse("docs/guide.md", text).unwrap();
    }
}

#[test]
fn the_configurations_are_toml() {
    for (_, text) in blocks(&guide(), "toml") {
        text.parse::<toml::Table>().unwrap();
    }
}

/// The words of a command line up to the first pipe, redirection, `&&` or comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for one in line.chars() {
        match one {
            '"' => is_quoted = !is_quoted,
            '|' | '>' | '&' if !is_quoted => break,
            '#' if !is_quoted && word.is_empty() => break,
            ' ' if !is_quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            other => word.push(other),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[test]
fn the_commands_are_there_and_take_what_they_are_given() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (guide, readme) = (guide(), read("README.md"));
    let shell = |text| blocks(text, "sh").into_iter().flat_map(|(_, text)| text.lines()).collect::<Vec<_>>();
    let ci = [read("deploy/ci/github-actions.yaml"), read("deploy/ci/gitlab-ci.yaml")];
    let ci = ci.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    let mut checked = 0;
    for line in shell(&guide).into_iter().chain(shell(&readme)).chain(ci) {
        let commands =
            line.split("reveille ").skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        for command in commands {
            let words = words(command);
            let parsed = reveille::cli::command().try_get_matches_from([&["reveille".to_owned()][..], &words].concat());
            assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked > 12, "{checked}");
}
