//! The programs of `tests/corpus`, each with what it must come to.
//!
//! A file there is a list of programs. Each begins with a line that says how it ends, which is no part of it:
//!
//! ```text
//! //? value 2
//! 1 + 1
//!
//! //? throws ReferenceError: b is not defined\n  --> program:1:8
//! return b;
//! ```
//!
//! A new program is an entry in a file; a new file is found by itself.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reveille_codemode::{Failure, Limits, ProgramError};

use crate::door::{Trace, limits};

/// What a program must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ends {
    /// `value JSON`: a value.
    With(String),
    /// `nothing`: the value `undefined`.
    WithNothing,
    /// `throws TEXT`: something thrown, whose text has this in it; `\n` is the end of a line.
    Throwing(String),
    /// `limit TEXT`: a limit, whose text has this in it.
    AtLimit(String),
    /// `stalled`: waiting for nothing.
    Stalled,
    /// `no json`: a value that is not data.
    WithoutJson,
    /// `refused TEXT`: never run; the error has this in it.
    Refused(String),
}

/// A program of the corpus.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The file and the line, for whoever looks for it.
    pub(crate) place: String,
    pub(crate) source: String,
    pub(crate) ends: Ends,
}

const HEADER: &str = "//? ";

/// As models write them (`fine`), as they get them wrong (`broken`), and as an attacker would (`hostile`).
pub(crate) fn corpus(folder: &str) -> Vec<Listed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| listed(file)).collect()
}

fn listed(file: &Path) -> Vec<Listed> {
    let text = fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().display();
    let mut programs: Vec<Listed> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", index + 1);
        if let Some(ends) = line.strip_prefix(HEADER) {
            let ends = Ends::read(ends).unwrap_or_else(|| panic!("{place}: no program ends like this: {ends}"));
            programs.push(Listed { place, source: String::new(), ends });
        } else {
            let program = programs.last_mut().unwrap_or_else(|| panic!("{place}: it has no line `{HEADER}...`"));
            program.source.push_str(line);
            program.source.push('\n');
        }
    }
    for program in &mut programs {
        program.source.truncate(program.source.trim_end_matches('\n').len());
    }
    programs
}

impl Ends {
    fn read(line: &str) -> Option<Self> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let text = rest.replace("\\n", "\n");
        Some(match (verb, rest) {
            ("value", json) => Self::With(json.to_owned()),
            ("nothing", "") => Self::WithNothing,
            ("throws", _) => Self::Throwing(text),
            ("limit", _) => Self::AtLimit(text),
            ("stalled", "") => Self::Stalled,
            ("no", "json") => Self::WithoutJson,
            ("refused", _) => Self::Refused(text),
            _ => return None,
        })
    }

    /// Limits under which it ends like this. Only what must meet its time has little of it, so that a machine with much to do
    /// does not let others meet it.
    pub(crate) fn limits(&self) -> Limits {
        let is_of_time = matches!(self, Self::AtLimit(text) if text.starts_with("processor time") || text == "program");
        if is_of_time { limits() } else { Limits { cpu: Duration::from_secs(2), ..limits() } }
    }

    /// Whether a run came to this.
    pub(crate) fn is(&self, trace: &Trace) -> bool {
        match (&trace.result, self) {
            (Ok(Some(value)), Self::With(wanted)) => value == wanted,
            (Ok(None), Self::WithNothing)
            | (Err(Failure::Stalled), Self::Stalled)
            | (Err(Failure::NoJson { .. }), Self::WithoutJson) => true,
            (Err(failure @ Failure::Threw(_)), Self::Throwing(text))
            | (Err(failure @ Failure::Limit(_)), Self::AtLimit(text)) => failure.to_string().contains(text),
            _ => false,
        }
    }

    /// Whether this is how a text was refused.
    pub(crate) fn is_refusal(&self, error: &ProgramError) -> bool {
        let Self::Refused(text) = self else { return false };
        matches!(error, ProgramError::Syntax { .. }) && error.to_string().contains(text)
    }
}
