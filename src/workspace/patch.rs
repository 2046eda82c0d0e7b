//! Unified patches: read strictly, applied exactly.
//!
//! A hunk fits where it says and nowhere else: what is nearly right is an error that names the hunk, the line and what
//! stands there, because a patch that is bent into place changes something nobody wrote. Modes, links, renames and
//! binary patches are refused: none of them exists in a workspace.

use std::collections::BTreeSet;

use super::paths::{PathError, WorkspacePath};

/// The most characters of a line that an error shows.
const SHOWN: usize = 80;

/// Why a patch is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It cannot be read.
    #[error("line {line} of the patch: {what}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// It does not fit.
    #[error("`{path}`, hunk {hunk} (line {line} of the patch): {what}")]
    Misfit {
        /// The file.
        path: String,
        /// The hunk, from 1.
        hunk: usize,
        /// The line of the patch, from 1.
        line: usize,
        /// What stands there instead.
        what: String,
    },
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// The file.
    pub path: WorkspacePath,
    /// Whether the file comes with it.
    pub creates: bool,
    /// Whether the file goes with it.
    pub deletes: bool,
    hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    /// Where it stands in the patch.
    line: usize,
    /// Lines of the old text before it.
    before: usize,
    lines: Vec<HunkLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct HunkLine {
    /// Where it stands in the patch.
    line: usize,
    is_old: bool,
    is_new: bool,
    /// With the newline, where it has one.
    text: String,
}

/// Reads a patch of one or several files.
///
/// # Errors
/// [`PatchError::Syntax`].
pub fn parse_patch(text: &str) -> Result<Vec<FilePatch>, PatchError> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let mut reader = Reader { lines, at: 0 };
    let mut patches = Vec::new();
    let mut paths = BTreeSet::new();
    loop {
        while reader.peek().is_some_and(|line| line.trim().is_empty()) {
            reader.at += 1;
        }
        if reader.peek().is_none() {
            break;
        }
        let begins = reader.at;
        let patch = reader.file()?;
        if !paths.insert(patch.path.clone()) {
            return Err(syntax(begins, format!("`{}` has two parts: put its hunks under one heading", patch.path)));
        }
        patches.push(patch);
    }
    if patches.is_empty() {
        return Err(syntax(0, "there is no patch: it begins with `--- a/PATH` and `+++ b/PATH`".to_owned()));
    }
    Ok(patches)
}

/// `index` counts from 0.
fn syntax(index: usize, what: String) -> PatchError {
    PatchError::Syntax { line: index + 1, what }
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

/// What the lines above `---` say.
#[derive(Default)]
struct Heading<'a> {
    name: Option<&'a str>,
    creates: bool,
    deletes: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, PatchError> {
        Err(syntax(self.at, what.into()))
    }

    fn file(&mut self) -> Result<FilePatch, PatchError> {
        let begins = self.at;
        let heading = match self.peek().and_then(|line| line.strip_prefix("diff --git ")) {
            Some(names) => self.heading(names)?,
            None => Heading::default(),
        };
        let (path, creates, deletes) = match self.peek().and_then(|line| line.strip_prefix("--- ")) {
            Some(old) => {
                self.at += 1;
                let Some(new) = self.peek().and_then(|line| line.strip_prefix("+++ ")) else {
                    return self.wrong("after `--- a/PATH` comes `+++ b/PATH`");
                };
                let (old, new) = (name(old), name(new));
                let found = match (old, new) {
                    ("/dev/null", "/dev/null") => return self.wrong("both names are /dev/null"),
                    ("/dev/null", new) => (new.strip_prefix("b/").unwrap_or(new), true, false),
                    (old, "/dev/null") => (old.strip_prefix("a/").unwrap_or(old), false, true),
                    (old, new) if old == new => (old, false, false),
                    (old, new) => match (old.strip_prefix("a/"), new.strip_prefix("b/")) {
                        (Some(old), Some(new)) if old == new => (old, false, false),
                        _ => return self.wrong("the two names differ: move the file first, then patch it"),
                    },
                };
                if (heading.creates && !found.1) || (heading.deletes && !found.2) {
                    return self.wrong("this and the lines above it do not say the same of the file");
                }
                self.at += 1;
                found
            }
            None => match heading.name {
                Some(name) if heading.creates || heading.deletes => (name, heading.creates, heading.deletes),
                Some(_) => return self.wrong("here comes `--- a/PATH`"),
                None => return self.wrong("the part of a file begins with `--- a/PATH` and `+++ b/PATH`"),
            },
        };
        let path = WorkspacePath::parse(path).map_err(|error: PathError| syntax(begins, error.to_string()))?;
        let mut hunks = Vec::new();
        while self.peek().is_some_and(|line| line.starts_with("@@")) {
            hunks.push(self.hunk()?);
        }
        if hunks.is_empty() && heading.name.is_none() {
            return self.wrong("here comes a hunk: `@@ -LINE,COUNT +LINE,COUNT @@`");
        }
        if hunks.is_empty() && !creates && !deletes {
            return self.wrong("the part of this file has no hunk");
        }
        Ok(FilePatch { path, creates, deletes, hunks })
    }

    /// `diff --git a/PATH b/PATH` and what git writes below it.
    fn heading(&mut self, names: &'a str) -> Result<Heading<'a>, PatchError> {
        // Both names are one and the same, so they part in the middle.
        let (old, new) = names.split_at_checked(names.len() / 2).unwrap_or((names, ""));
        let parted = old.strip_prefix("a/").zip(new.strip_prefix(" b/"));
        let Some((old, _)) = parted.filter(|(old, new)| old == new) else {
            return self
                .wrong("here two names are the same: `diff --git a/PATH b/PATH`. Move a file first, then patch it");
        };
        let mut heading = Heading { name: Some(old), ..Heading::default() };
        self.at += 1;
        while let Some(line) = self.peek() {
            let mode = line.strip_prefix("new file mode ").or_else(|| line.strip_prefix("deleted file mode "));
            if let Some(mode) = mode {
                match mode.trim() {
                    "100644" | "100755" => {}
                    "120000" => return self.wrong("that is a symbolic link, and there are none in a workspace"),
                    _ => return self.wrong("that is no plain file"),
                }
                heading.creates |= line.starts_with('n');
                heading.deletes |= line.starts_with('d');
            } else if ["rename ", "copy ", "similarity ", "dissimilarity "].iter().any(|word| line.starts_with(word)) {
                return self.wrong("files are not renamed or copied by a patch: do that first, then patch");
            } else if ["old mode", "new mode"].iter().any(|word| line.starts_with(word)) {
                return self.wrong("files have no mode here");
            } else if line.starts_with("Binary files ") || line.starts_with("GIT binary patch") {
                return self.wrong("bytes are not patched: write the whole file");
            } else if !line.starts_with("index ") {
                break;
            }
            self.at += 1;
        }
        Ok(heading)
    }

    fn hunk(&mut self) -> Result<Hunk, PatchError> {
        let begins = self.at;
        let Some((before, old_count, new_count)) = self.peek().and_then(ranges) else {
            return self.wrong("a hunk begins with `@@ -LINE,COUNT +LINE,COUNT @@`");
        };
        self.at += 1;
        let (mut old, mut new) = (0, 0);
        let mut lines: Vec<HunkLine> = Vec::new();
        let mut was_marked = false;
        while old < old_count || new < new_count {
            let Some(line) = self.peek() else { break };
            let (is_old, is_new, text) = match line.split_at_checked(1) {
                Some((" ", text)) => (true, true, text),
                Some(("-", text)) => (true, false, text),
                Some(("+", text)) => (false, true, text),
                // Editors and models take the space of an empty line away.
                None => (true, true, ""),
                Some(("\\", _)) if !was_marked && !lines.is_empty() => {
                    unended(&mut lines);
                    was_marked = true;
                    self.at += 1;
                    continue;
                }
                Some(_) => break,
            };
            was_marked = false;
            old += usize::from(is_old);
            new += usize::from(is_new);
            if old > old_count || new > new_count {
                break;
            }
            lines.push(HunkLine { line: self.at + 1, is_old, is_new, text: format!("{text}\n") });
            self.at += 1;
        }
        if (old, new) != (old_count, new_count) {
            let said = format!("{old_count} old and {new_count} new lines");
            return Err(syntax(
                begins,
                format!("the hunk says that it has {said}, and it has others: count them again"),
            ));
        }
        if !was_marked && self.peek().is_some_and(|line| line.starts_with('\\')) {
            unended(&mut lines);
            self.at += 1;
        }
        if let Some(line) = self.peek()
            && (line.starts_with('+') && !line.starts_with("+++ ")
                || line.starts_with('-') && !line.starts_with("--- "))
        {
            let what =
                format!("the hunk has more lines than it says ({old_count} old, {new_count} new): count them again");
            return self.wrong(what);
        }
        Ok(Hunk { line: begins + 1, before, lines })
    }
}

/// `\ No newline at end of file` is said of the line before it.
fn unended(lines: &mut [HunkLine]) {
    if let Some(last) = lines.last_mut() {
        last.text.pop();
    }
}

/// A name in a heading; what follows a tab is a time.
fn name(text: &str) -> &str {
    text.split('\t').next().unwrap_or_default().trim_end_matches('\r')
}

/// The lines before the hunk in the old text, and its counts.
fn ranges(line: &str) -> Option<(usize, usize, usize)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| -> Option<(usize, usize)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        let is_number = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(start) || !is_number(count) {
            return None;
        }
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((start, old_count), (_, new_count)) = (range(old)?, range(new)?);
    // Where nothing is old, the number is of the line before.
    let before = if old_count == 0 { start } else { start.checked_sub(1)? };
    (old_count + new_count > 0).then_some((before, old_count, new_count))
}

impl FilePatch {
    /// What the text becomes.
    ///
    /// # Errors
    /// [`PatchError::Misfit`].
    pub fn apply(&self, old: &str) -> Result<String, PatchError> {
        let lines: Vec<&str> = old.split_inclusive('\n').collect();
        let mut text = String::with_capacity(old.len());
        let mut at = 0;
        for (index, hunk) in self.hunks.iter().enumerate() {
            let misfit = |line: usize, what: String| {
                Err(PatchError::Misfit { path: self.path.to_string(), hunk: index + 1, line, what })
            };
            if hunk.before > lines.len() {
                let what = format!("it begins after line {}, and the file has {} lines", hunk.before, lines.len());
                return misfit(hunk.line, what);
            }
            let Some(kept) = lines.get(at..hunk.before) else {
                return misfit(hunk.line, "it begins before the end of the hunk above it".to_owned());
            };
            text.extend(kept.iter().copied());
            at = hunk.before;
            for line in &hunk.lines {
                if line.is_old {
                    let found = lines.get(at).copied();
                    if found != Some(line.text.as_str()) {
                        let elsewhere = hunk.elsewhere(&lines);
                        return misfit(line.line, differs(at + 1, &line.text, found) + &elsewhere);
                    }
                    at += 1;
                }
                if line.is_new {
                    if !text.is_empty() && !text.ends_with('\n') {
                        let what = "the line above it has no newline at its end, and this one follows".to_owned();
                        return misfit(line.line, what);
                    }
                    text.push_str(&line.text);
                }
            }
        }
        let rest = lines.get(at..).unwrap_or_default();
        if !rest.is_empty() && !text.is_empty() && !text.ends_with('\n') {
            let line = self.hunks.last().map_or(0, |hunk| hunk.line);
            let what = "it says that the text ends there, and more follows in the file".to_owned();
            return Err(PatchError::Misfit { path: self.path.to_string(), hunk: self.hunks.len(), line, what });
        }
        text.extend(rest.iter().copied());
        if self.deletes && !text.is_empty() {
            let line = self.hunks.last().map_or(0, |hunk| hunk.line);
            let what = "it deletes the file, and takes not all of its text away".to_owned();
            return Err(PatchError::Misfit { path: self.path.to_string(), hunk: self.hunks.len().max(1), line, what });
        }
        Ok(text)
    }
}

impl Hunk {
    /// Where its old lines stand, if there is one such place.
    fn elsewhere(&self, lines: &[&str]) -> String {
        let old: Vec<&str> = self.lines.iter().filter(|line| line.is_old).map(|line| line.text.as_str()).collect();
        let mut places = lines.windows(old.len().max(1)).enumerate().filter(|(_, window)| *window == old.as_slice());
        match (places.next(), places.next()) {
            (Some((index, _)), None) => format!(". Its lines stand at line {}", index + 1),
            _ => String::new(),
        }
    }
}

fn differs(at: usize, wanted: &str, found: Option<&str>) -> String {
    let Some(found) = found else {
        return format!("the file ends before line {at}, where the patch has {}", shown(wanted));
    };
    if wanted.trim_end_matches('\n') == found.trim_end_matches('\n') {
        let (has, says) = if found.ends_with('\n') { ("a", "none") } else { ("no", "one") };
        return format!("line {at} of the file has {has} newline at its end, and the patch says {says}");
    }
    format!("line {at} of the file is {}, and the patch has {}", shown(found), shown(wanted))
}

/// A line as an error shows it: white space that cannot be seen is what mostly differs.
fn shown(line: &str) -> String {
    let line = line.trim_end_matches('\n');
    let short: String = line.chars().take(SHOWN).collect();
    let more = if short.len() < line.len() { "..." } else { "" };
    format!("{short:?}{more}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workspace::{FileChange, unified};

    fn apply(old: &str, patch: &str) -> Result<String, PatchError> {
        parse_patch(patch)?.first().unwrap().apply(old)
    }

    fn said(old: &str, patch: &str) -> String {
        apply(old, patch).unwrap_err().to_string()
    }

    #[test]
    fn a_patch_changes_the_lines_it_names() {
        let patch =
            "--- a/x.md\n+++ b/x.md\n@@ -1,3 +1,3 @@ heading\n one\n-two\n+2\n three\n@@ -5 +5,2 @@\n-five\n+5\n+6\n";
        assert_eq!(apply("one\ntwo\nthree\nfour\nfive\n", patch).unwrap(), "one\n2\nthree\nfour\n5\n6\n");
        let stripped = "--- x.md\t2026-01-01\n+++ x.md\n@@ -1,3 +1,2 @@\n a\n\n-b\n";
        assert_eq!(apply("a\n\nb\n", stripped).unwrap(), "a\n\n");
        let end = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n";
        assert_eq!(apply("a", end).unwrap(), "b");
    }

    #[test]
    fn files_come_and_go_with_a_patch() {
        let patches = parse_patch(
            "diff --git a/new b.md b/new b.md\nnew file mode 100644\nindex 0000000..1\n--- /dev/null\n+++ b/new b.md\n@@ -0,0 +1 @@\n+hi\n\
             diff --git a/empty b/empty\nnew file mode 100644\n\
             diff --git a/old.md b/old.md\ndeleted file mode 100644\n--- a/old.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n",
        )
        .unwrap();
        let seen: Vec<_> = patches.iter().map(|patch| (patch.path.as_str(), patch.creates, patch.deletes)).collect();
        assert_eq!(seen, [("new b.md", true, false), ("empty", true, false), ("old.md", false, true)]);
        assert_eq!(patches[0].apply("").unwrap(), "hi\n");
        assert!(patches[2].apply("bye\nbye\n").is_err());
    }

    #[test]
    fn what_does_not_fit_is_named_by_hunk_and_line() {
        let patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        let page = [
            said("a\nB\n", patch),
            said("a\n", patch),
            said("a\nb", patch),
            said("0\n0\na\nb\n", patch),
            said("a\n", "--- a/x\n+++ b/x\n@@ -9 +9 @@\n-a\n+b\n"),
            said("a\nb\n", "--- a/x\n+++ b/x\n@@ -2 +2 @@\n-b\n+c\n@@ -1 +1 @@\n-a\n+b\n"),
            said("a", "--- a/x\n+++ b/x\n@@ -1,0 +2 @@\n+b\n"),
            said("a\nb\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+c\n\\ No newline at end of file\n"),
        ];
        insta::assert_snapshot!(page.join("\n"));
    }

    #[test]
    fn what_is_no_patch_is_named_by_line() {
        let page = [
            "",
            "hello",
            "```diff\n--- a/x\n+++ b/x\n",
            "--- a/x\n",
            "--- a/x\n+++ b/x\n",
            "--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/x\n+++ b/x\n@@ 1,2 @@\n-a\n+b\n",
            "--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\n",
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n",
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
            "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
            "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
            "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n",
            "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n",
            "--- a/x\n+++ b/x\n@@ -0 +99999999999999999999 @@\n+a\n",
        ]
        .map(|patch| parse_patch(patch).unwrap_err().to_string());
        insta::assert_snapshot!(page.join("\n"));
    }

    proptest! {
        #[test]
        fn a_diff_applied_as_a_patch_gives_the_new_text(
            old in "(([ab+@ \\\\-]{0,3}|\r|--- a/x|é)\n){0,12}[ab\r]{0,2}",
            new in "(([ab+@ \\\\-]{0,3}|\r|--- a/x|é)\n){0,12}[ab\r]{0,2}",
            had in any::<bool>(),
            has in any::<bool>(),
        ) {
            let path = WorkspacePath::parse("dir/a file.md").unwrap();
            let old_side = had.then_some((&path, old.as_bytes()));
            let new_side = has.then_some((&path, new.as_bytes()));
            let diff = unified(&FileChange { old: old_side, new: new_side });
            if had == has && (old == new || !had) {
                prop_assert_eq!(diff, "");
            } else {
                let patches = parse_patch(&diff).map_err(|error| TestCaseError::fail(format!("{error}\n{diff}")))?;
                prop_assert_eq!(patches.len(), 1);
                prop_assert_eq!((patches[0].creates, patches[0].deletes), (!had, !has));
                let text = patches[0].apply(if had { &old } else { "" });
                prop_assert_eq!(text.map_err(|error| TestCaseError::fail(format!("{error}\n{diff}")))?, if has { new } else { String::new() });
            }
        }

        #[test]
        fn no_patch_takes_the_reader_down(
            patch in prop_oneof![any::<String>(), "((--- a/x|\\+\\+\\+ b/x|@@ -[0-9],[0-9] \\+[0-9],[0-9] @@|[ +\\\\-]a|diff --git a/x b/x|new file mode 100644|)\n){0,12}"],
            old in "([ab]\n){0,6}",
        ) {
            if let Ok(patches) = parse_patch(&patch) {
                for patch in patches {
                    let _ = patch.apply(&old);
                }
            }
        }
    }
}
