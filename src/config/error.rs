//! What can be wrong with a configuration, as a person sees it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode, SourceSpan};

use super::file::WholeLine;

/// The kind of a problem. Each has a page: `reveille explain RV0004`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// There is no configuration file.
    NoFile,
    /// The file is there and cannot be read.
    Unreadable,
    /// It is not TOML.
    Syntax,
    /// A key that does not exist.
    UnknownKey,
    /// A value of the wrong type.
    WrongType,
    /// A value that makes no sense for its key.
    BadValue,
    /// Something this version does not have.
    NotInThisVersion,
    /// A key that has to be there and is not.
    MissingKey,
    /// Keys that exclude each other.
    Conflict,
    /// A secret stands in the file itself.
    LiteralSecret,
    /// A secret's reference leads nowhere.
    UnresolvedSecret,
    /// A secret is there and cannot be one.
    UnusableSecret,
    /// A table's name cannot be used.
    BadName,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::NoFile,
        Self::Unreadable,
        Self::Syntax,
        Self::UnknownKey,
        Self::WrongType,
        Self::BadValue,
        Self::NotInThisVersion,
        Self::MissingKey,
        Self::Conflict,
        Self::LiteralSecret,
        Self::UnresolvedSecret,
        Self::UnusableSecret,
        Self::BadName,
    ];

    /// The code as people type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoFile => "RV0001",
            Self::Unreadable => "RV0002",
            Self::Syntax => "RV0003",
            Self::UnknownKey => "RV0004",
            Self::WrongType => "RV0005",
            Self::BadValue => "RV0006",
            Self::NotInThisVersion => "RV0007",
            Self::MissingKey => "RV0008",
            Self::Conflict => "RV0009",
            Self::LiteralSecret => "RV0010",
            Self::UnresolvedSecret => "RV0011",
            Self::UnusableSecret => "RV0012",
            Self::BadName => "RV0013",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// In a file as a whole.
    WholeFile {
        /// The file.
        path: PathBuf,
    },
    /// In a variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// In a flag.
    Flag {
        /// The flag.
        name: &'static str,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::WholeFile { path } => write!(f, "{}", path.display()),
            Self::Variable { name } => write!(f, "variable {name}"),
            Self::Flag { name } => write!(f, "flag {name}"),
        }
    }
}

/// A piece of a file that may be shown, with what to point at.
#[derive(Clone)]
pub(super) struct Excerpt {
    /// The file's text in which every line that could hold a secret is blank.
    pub(super) source: Arc<WholeLine>,
    /// What to point at, in bytes.
    pub(super) span: SourceSpan,
}

/// One thing that is wrong.
#[derive(Clone)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// The key, such as `channels.slack.bot_token`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong, without any secret value.
    pub what: String,
    /// What to do.
    pub help: String,
    /// Whether it is no reason to stop.
    pub is_warning: bool,
    pub(super) excerpt: Option<Excerpt>,
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("code", &self.code).field("message", &self.to_string()).finish_non_exhaustive()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.place, self.what)
        } else {
            write!(f, "{}: {}: {}", self.place, self.key, self.what)
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.is_warning { Severity::Warning } else { Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| -> Box<dyn fmt::Display + 'a> { Box::new(&self.help) })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| -> &dyn SourceCode { &excerpt.source })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".into()), excerpt.span))))
    }
}

/// All that is wrong with a configuration.
#[derive(Debug, Clone)]
pub struct ConfigErrors {
    /// The problems, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    /// The exit code of a process that stops because of them (`EX_CONFIG` of sysexits.h).
    pub const EXIT_CODE: u8 = 78;
}

impl From<Problem> for ConfigErrors {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the configuration has a problem"),
            count => write!(f, "the configuration has {count} problems"),
        }?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem} [{}] {}", problem.code, problem.help))
    }
}

impl std::error::Error for ConfigErrors {}

impl Diagnostic for ConfigErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| -> &dyn Diagnostic { problem })))
    }
}
