//! Where a Markdown file's front matter ends and its text begins.

use std::ops::Range;

/// A file cut in two. Both are ranges of bytes of the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// From the first byte of the file (so that places in the YAML are places in the file) to the closing line.
    pub(super) yaml: Range<usize>,
    /// What follows the closing line.
    pub(super) body: Range<usize>,
}

/// Why a file could not be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Uncut {
    /// Its first line is not `---`.
    Unopened,
    /// No further line is `---`. The opening line.
    Unclosed(Range<usize>),
}

/// Cuts a file whose first line is `---` at the next such line. Blanks behind the dashes and CRLF are allowed.
pub(super) fn split(source: &str) -> Result<Parts, Uncut> {
    let mut offset = 0;
    let mut opening = None;
    for line in source.split_inclusive('\n') {
        let is_rule = line.trim_end() == "---";
        match (&opening, is_rule) {
            (None, false) => return Err(Uncut::Unopened),
            (None, true) => opening = Some(0..3),
            (Some(_), true) => return Ok(Parts { yaml: 0..offset, body: offset + line.len()..source.len() }),
            (Some(_), false) => {}
        }
        offset += line.len();
    }
    Err(opening.map_or(Uncut::Unopened, Uncut::Unclosed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_two_rules_bound_the_front_matter() {
        let source = "---\r\na: 1\r\n--- \nbody\n---\nmore";
        let parts = split(source).unwrap();
        assert_eq!(source.get(parts.yaml), Some("---\r\na: 1\r\n"));
        assert_eq!(source.get(parts.body), Some("body\n---\nmore"));
        assert_eq!(split(""), Err(Uncut::Unopened));
        assert_eq!(split("\n---\n---\n"), Err(Uncut::Unopened));
        assert_eq!(split("---\na: 1\n----\n"), Err(Uncut::Unclosed(0..3)));
        assert_eq!(split("---\n---"), Ok(Parts { yaml: 0..4, body: 7..7 }));
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_file_the_parts_are_parts_of_it(source in "(---\r?\n)?([-a\u{e9}: \r\n]|---\n){0,40}") {
            if let Ok(parts) = split(&source) {
                let yaml = source.get(parts.yaml.clone()).unwrap();
                prop_assert!(yaml.starts_with("---"));
                prop_assert!(source.get(parts.yaml.end..parts.body.start).unwrap().starts_with("---"));
                prop_assert_eq!(parts.body.end, source.len());
            }
        }

        #[test]
        fn any_front_matter_is_read_or_refused_without_a_panic(yaml in "[-a-z\u{e9}:#&*!|>\\[\\]{}\"'%@ \t\n,0-9.]{0,60}") {
            let source = format!("---\nname: x\n{yaml}\n---\nbody");
            let _ = crate::agent::parse("x", std::path::Path::new("x"), &source, &crate::agent::Skills::default());
        }
    }
}
