//! Names of files: one spelling for each, decided once, here.
//!
//! A path that this module let through is plain: segments divided by `/`, none of which leads anywhere but down, and none
//! that another system would read as something else. Nothing is decoded and nothing is repaired: what is not plain is
//! refused with what to write instead. Nobody else in the gateway takes paths apart.

use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The most bytes of a path, of one of its segments, and the most segments.
pub const PATH_BYTES: usize = 1024;
/// See [`PATH_BYTES`].
pub const SEGMENT_BYTES: usize = 255;
/// See [`PATH_BYTES`].
pub const DEPTH: usize = 32;

/// Device names of Windows ("Naming Files, Paths, and Namespaces"): with any ending they mean the device.
const DEVICES: [&str; 27] = [
    "con", "prn", "aux", "nul", "conin$", "conout$", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7",
    "com8", "com9", "lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "clock$",
];

/// What some decoder further on would turn into a dot, a slash, a backslash, a NUL or another such code.
const CODES: [&str; 5] = ["%2e", "%2f", "%5c", "%00", "%25"];

/// Why something is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing was written.
    #[error("a path is empty: write one such as `notes/plan.md`")]
    Empty,
    /// It starts at a root.
    #[error("`{0}` begins at a root: paths begin at the top of the workspace, such as `notes/plan.md`")]
    Absolute(String),
    /// It has more bytes or segments than may be.
    #[error(
        "a path is too long: {PATH_BYTES} bytes in all, {SEGMENT_BYTES} in each part and {DEPTH} parts are the most"
    )]
    TooLong,
    /// A segment is not a plain name.
    #[error("`{path}`: the part `{segment}` {reason}")]
    Segment {
        /// The path, made visible.
        path: String,
        /// The segment, made visible.
        segment: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The path of a file or folder of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspacePath(String);

impl WorkspacePath {
    /// Takes a path as it was written.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > PATH_BYTES || text.split('/').count() > DEPTH {
            return Err(PathError::TooLong);
        }
        if text.starts_with('/') || text.starts_with('\\') || text.starts_with('~') {
            return Err(PathError::Absolute(visible(text)));
        }
        for segment in text.split('/') {
            if segment.len() > SEGMENT_BYTES {
                return Err(PathError::TooLong);
            }
            if let Some(reason) = wrong(segment) {
                return Err(PathError::Segment { path: visible(text), segment: visible(segment), reason });
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without regard to case: equal for two names that cannot be in one folder everywhere.
    #[must_use]
    pub fn folded(&self) -> String {
        folded(&self.0)
    }

    /// The folders it is in, the nearest first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(parent(&self.0), |folder| parent(folder))
    }

    /// The path of what lies at `rest` below this one.
    ///
    /// # Errors
    /// [`PathError::TooLong`].
    pub fn join(&self, rest: &str) -> Result<Self, PathError> {
        Self::parse(&format!("{}/{rest}", self.0))
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Lower case after lower case: some letters have a second small form only then (`ẞ`, `ß`), and a capital with a dot above
/// comes apart.
pub(super) fn folded(path: &str) -> String {
    path.to_lowercase().to_uppercase().to_lowercase().nfc().collect()
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

fn wrong(segment: &str) -> Option<&'static str> {
    let lower = segment.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default().trim_end();
    // The superscript digits count as digits there.
    let stem = stem.replace('\u{b9}', "1").replace('\u{b2}', "2").replace('\u{b3}', "3");
    if segment.is_empty() {
        Some("is empty: write no `//` and no `/` at the end")
    } else if segment == "." || segment == ".." {
        Some("leads elsewhere: write the path from the top of the workspace")
    } else if segment.contains('\\') {
        Some("has a backslash: parts are divided by `/`")
    } else if segment.contains(is_unseen) {
        Some("has a character that nobody sees, or that turns the direction of reading")
    } else if segment.contains(':') {
        Some("has a colon, which some systems read as a drive or a stream")
    } else if segment.ends_with('.') || segment.ends_with(char::is_whitespace) {
        Some("ends with a dot or a space, which some systems take away")
    } else if CODES.iter().any(|code| lower.contains(code)) {
        Some("has a percent code: nothing is decoded here, write the name itself")
    } else if DEVICES.contains(&stem.as_str()) {
        Some("is the name of a device on some systems")
    } else if !is_nfc(segment) {
        Some("is not in Unicode's form NFC: its accents are characters of their own. Write them composed")
    } else {
        None
    }
}

/// Controls, the ends of lines, bidirectional marks, characters without width, and tags. Joiners stay: emoji are made of them.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(120) {
        if is_unseen(character) { shown.extend(character.escape_unicode()) } else { shown.push(character) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_leads_out_or_means_something_elsewhere_is_refused() {
        let long = "a".repeat(256);
        let deep = vec!["a"; 33].join("/");
        let many = vec!["abcdefgh"; 32].join("/").replace("abcdefgh", &"b".repeat(40));
        let refused = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../b",
            "a/..",
            "a/./b",
            ".",
            "./a",
            "..\\x",
            "a\\..\\b",
            "%2e%2e/x",
            "%2E%2e",
            "%252e%252e",
            "a%2fb",
            "a%5cb",
            "a%00",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
            "C:",
            "C:/x",
            "C:\\x",
            "c:x",
            "\\\\?\\C:\\x",
            "\\\\server\\share",
            "~/x",
            "~root",
            "a/",
            "a//b",
            "a.",
            "a ",
            "a./b",
            "a /b",
            "a\u{a0}",
            "...",
            "CON",
            "con",
            "Con.txt",
            "aux.tar.gz",
            "x/NUL",
            "nul .txt",
            "COM1",
            "com\u{b9}.txt",
            "LPT9.md",
            "CONIN$",
            "e\u{301}.md",
            "a\u{202e}gpj.exe",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{e0041}",
            long.as_str(),
            deep.as_str(),
            many.as_str(),
            "file:///etc/passwd",
            "a\u{2028}b",
        ];
        for text in refused {
            assert!(WorkspacePath::parse(text).is_err(), "{text:?}");
        }
        let taken = [
            "a",
            ".env",
            ".github/workflows/ci.yml",
            "a..b",
            "..a",
            "notes/plan.md",
            "Grüße/naïve.md",
            "日本語/メモ.txt",
            "[id].tsx",
            "conspiracy.md",
            "console",
            "com10",
            "100%.md",
            "a b.txt",
            "👨\u{200d}👩\u{200d}👧.png",
            "a~",
            "x/~",
            "%20",
            "a;b&c|d'e\"f",
        ];
        for text in taken {
            assert_eq!(WorkspacePath::parse(text).map(|path| path.to_string()), Ok(text.to_owned()));
        }
        assert!(WorkspacePath::parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn an_error_says_what_to_write_and_shows_what_nobody_sees() {
        let said = |text: &str| WorkspacePath::parse(text).unwrap_err().to_string();
        assert_eq!(
            said("a/../b"),
            "`a/../b`: the part `..` leads elsewhere: write the path from the top of the workspace"
        );
        assert!(said("a\u{202e}b").contains("`a\\u{202e}b`"));
        assert_eq!(
            said("/x"),
            "`/x` begins at a root: paths begin at the top of the workspace, such as `notes/plan.md`"
        );
    }

    #[test]
    fn names_that_differ_in_case_alone_are_twins() {
        for (one, other) in
            [("README.md", "readme.MD"), ("straße", "STRASSE"), ("ẞ", "ß"), ("Σς", "σσ"), ("\u{1c5}", "\u{1c6}")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("a"), folded("b"));
    }

    #[test]
    fn a_path_knows_its_folders_nearest_first() {
        let path = WorkspacePath::parse("a/b/c.md").unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a/b", "a"]);
        assert!(WorkspacePath::parse("a").unwrap().folders().next().is_none());
        assert!(path.join("../x").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_let_through_only_leads_down(
            text in prop_oneof![any::<String>(), "[ab./\\\\%2eE:~ \u{301}\u{202e}-]{0,40}", "(\\.\\.|a|\\.|/|%2e|b/){0,20}"]
        ) {
            if let Ok(path) = WorkspacePath::parse(&text) {
                let joined = std::path::Path::new("/top").join(path.as_str());
                prop_assert!(joined.starts_with("/top"));
                let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
                prop_assert!(std::path::Path::new(path.as_str()).components().all(plain));
                prop_assert_eq!(std::path::Path::new(path.as_str()).components().count(), path.as_str().split('/').count());
                prop_assert!(path.as_str().split('/').all(|part| part != ".." && part != "." && !part.is_empty()));
                prop_assert_eq!(WorkspacePath::parse(path.as_str()), Ok(path.clone()));
            }
        }
    }
}
