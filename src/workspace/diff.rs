//! Differences as unified diffs, which `patch` reads back exactly.

use std::fmt::Write;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use super::paths::WorkspacePath;
use super::read::as_text;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// After so long the rest is compared coarsely: the diff is true, and longer than it need be.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file before and after. `None`: it was not there, or is no longer.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'a> {
    /// Before.
    pub old: Option<(&'a WorkspacePath, &'a [u8])>,
    /// After.
    pub new: Option<(&'a WorkspacePath, &'a [u8])>,
}

/// The change as a unified diff; empty where there is none. It takes time with the length of the texts: not for an async thread.
#[must_use]
pub fn unified(change: &FileChange<'_>) -> String {
    let FileChange { old, new } = change;
    let Some((path, _)) = new.or(*old) else {
        return String::new();
    };
    let (old_bytes, new_bytes) = (old.map_or(&[][..], |(_, bytes)| bytes), new.map_or(&[][..], |(_, bytes)| bytes));
    if old.is_some() == new.is_some() && old_bytes == new_bytes {
        return String::new();
    }
    let old_path = old.map_or(path, |(path, _)| path);
    let mut text = format!("diff --git a/{old_path} b/{path}\n");
    match (old, new) {
        (None, _) => text.push_str("new file mode 100644\n"),
        (_, None) => text.push_str("deleted file mode 100644\n"),
        _ => {}
    }
    let name = |side: &str, there: Option<_>, path: &WorkspacePath| match there {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let (old_name, new_name) = (name("a", *old, old_path), name("b", *new, path));
    let (Some(old_text), Some(new_text)) = (as_text(old_bytes), as_text(new_bytes)) else {
        text.push_str(&format!("Binary files {old_name} and {new_name} differ\n"));
        return text;
    };
    if old_text == new_text {
        return text;
    }
    text.push_str(&format!("--- {old_name}\n+++ {new_name}\n"));
    let old_lines: Vec<&str> = old_text.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new_text.split_inclusive('\n').collect();
    let deadline = Instant::now().checked_add(PATIENCE);
    let changes = capture_diff_slices_deadline(Algorithm::Myers, &old_lines, &new_lines, deadline);
    for group in group_diff_ops(placed(changes), CONTEXT) {
        hunk(&mut text, &group, &old_lines, &new_lines);
    }
    text
}

/// The changes with the places where they are. `similar` moves insertions and deletions along what is equal, and of the side
/// that a change has nothing of, it leaves the place as it was.
fn placed(mut changes: Vec<DiffOp>) -> Vec<DiffOp> {
    let (mut old, mut new) = (0, 0);
    for change in &mut changes {
        match change {
            DiffOp::Equal { old_index, new_index, .. }
            | DiffOp::Delete { old_index, new_index, .. }
            | DiffOp::Insert { old_index, new_index, .. }
            | DiffOp::Replace { old_index, new_index, .. } => (*old_index, *new_index) = (old, new),
        }
        old += change.old_range().len();
        new += change.new_range().len();
    }
    changes
}

fn hunk(text: &mut String, group: &[DiffOp], old: &[&str], new: &[&str]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return;
    };
    let range = |start: usize, end: usize| match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    };
    let old_range = range(first.old_range().start, last.old_range().end);
    let new_range = range(first.new_range().start, last.new_range().end);
    // A `String` takes everything.
    let _ = writeln!(text, "@@ -{old_range} +{new_range} @@");
    for change in group {
        let is_same = matches!(change, DiffOp::Equal { .. });
        let removed = old.get(change.old_range()).unwrap_or_default();
        let added = if is_same { &[] } else { new.get(change.new_range()).unwrap_or_default() };
        let sides = [(if is_same { ' ' } else { '-' }, removed), ('+', added)];
        for (sign, lines) in sides {
            for line in lines {
                text.push(sign);
                text.push_str(line);
                if !line.ends_with('\n') {
                    text.push_str("\n\\ No newline at end of file\n");
                }
            }
        }
    }
}
