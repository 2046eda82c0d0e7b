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
    for (name, text) in blocks(&guide(), "markdown agent=") {
        let agent = parse(name, Path::new("docs/guide.md"), text, &Skills::default()).unwrap();
        assert_eq!(agent.name, name);
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
