//! `docs/channels.md` says what each channel can do: each mark there leads to a test that exists, and each cell says yes with a
//! test or that there is no such thing.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Whether a source has a test of this name: a function behind `#[test]`, `#[tokio::test]`, or in `proptest!`.
fn has_test(source: &str, name: &str) -> bool {
    let declaration = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().collect();
    lines.iter().enumerate().any(|(number, line)| {
        let above = &lines[number.saturating_sub(4)..number];
        line.contains(&declaration)
            && above.iter().any(|line| line.contains("#[test]") || line.contains("#[tokio::test"))
    })
}

#[test]
fn every_mark_leads_to_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/channels.md")).unwrap();
    let mut proofs = BTreeMap::new();
    for line in text.lines() {
        let Some((label, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("]: ../")) else { continue };
        let (path, name) = rest.split_once(" \"").expect(line);
        let name = name.trim_end_matches('"');
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(has_test(&source, name), "{path} has no test {name}");
        assert!(proofs.insert(label, name).is_none(), "{label} is defined twice");
    }
    assert!(proofs.len() > 50, "the table is nearly empty");
    let mut used = BTreeSet::new();
    let mut columns = 0..0;
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        // A head says what its columns are for; of the traps, the second one says where.
        columns = match cells[..] {
            ["", "Slack", "GitHub", "Linear", "Discord"] => 1..5,
            ["What happens", "Where", ""] => 2..3,
            _ => columns,
        };
        assert_eq!(cells.len(), columns.end, "{row}");
        if cells[0].is_empty() || cells[0] == "What happens" {
            continue;
        }
        for cell in &cells[columns.clone()] {
            assert!(!cell.is_empty(), "{row}");
            for mark in cell.split(' ').filter(|mark| *mark != "–") {
                let label = mark.strip_prefix("[✓][").and_then(|mark| mark.strip_suffix(']'));
                let label = label.unwrap_or_else(|| panic!("{mark:?} in {row}"));
                assert!(proofs.contains_key(label), "{label} is defined nowhere: {row}");
                used.insert(label);
            }
        }
    }
    let all: BTreeSet<&str> = proofs.keys().copied().collect();
    assert_eq!(used, all, "a proof that nothing needs");
}
