//! Why a command did not do what it was asked.

use std::fmt;
use std::io;

use miette::Diagnostic;

use crate::admin::TokenError;
use crate::agent::AgentError;
use crate::config::ConfigErrors;
use crate::gateway::StartError;
use crate::journal::JournalError;
use crate::local::SessionError;
use crate::telemetry::TelemetryError;
use crate::workspace::WorkspaceError;

/// The kind of a failure, besides those of the configuration. Each has a page: `reveille explain RV0201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A mistake in an agent's or a skill's file.
    AgentFile,
    /// No agent of that name.
    UnknownAgent,
    /// The data folder is in use.
    Locked,
    /// The linked SQLite is too old.
    OldSqlite,
    /// The journal cannot be read or written.
    Storage,
    /// No instance of that id or address.
    UnknownInstance,
    /// A record or a database cannot be read.
    Corrupt,
    /// No approval of that id.
    UnknownApproval,
    /// The approval is not open any more.
    Decided,
    /// A file of a workspace is not there, or cannot be as it is asked.
    Files,
    /// A file could not be written.
    Write,
    /// No error of that code.
    UnknownCode,
    /// The log's filter is not one.
    LogFilter,
    /// Something that should be well is not.
    Unwell,
    /// What is to be said to an agent is of no use.
    Input,
    /// What is to be added cannot be.
    Addition,
    /// A file could not be read.
    Read,
    /// A folder and a workspace do not hold the same.
    Sync,
    /// A channel's settings are of no use.
    Channel,
    /// A model's table is of no use.
    Model,
    /// The address cannot be listened on.
    Listen,
    /// The simulated platforms do not start, or do not answer.
    Simulator,
    /// A turn did not complete.
    Turn,
    /// The running gateway cannot be reached, or does not do what it is asked.
    Gateway,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::AgentFile,
        Self::UnknownAgent,
        Self::Locked,
        Self::OldSqlite,
        Self::Storage,
        Self::UnknownInstance,
        Self::Corrupt,
        Self::UnknownApproval,
        Self::Decided,
        Self::Files,
        Self::Write,
        Self::UnknownCode,
        Self::LogFilter,
        Self::Unwell,
        Self::Input,
        Self::Addition,
        Self::Read,
        Self::Sync,
        Self::Channel,
        Self::Model,
        Self::Listen,
        Self::Simulator,
        Self::Turn,
        Self::Gateway,
    ];

    /// The code as people type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgentFile => "RV0101",
            Self::UnknownAgent => "RV0102",
            Self::Locked => "RV0201",
            Self::OldSqlite => "RV0202",
            Self::Storage => "RV0203",
            Self::UnknownInstance => "RV0204",
            Self::Corrupt => "RV0205",
            Self::UnknownApproval => "RV0206",
            Self::Decided => "RV0207",
            Self::Files => "RV0208",
            Self::Write => "RV0301",
            Self::UnknownCode => "RV0302",
            Self::LogFilter => "RV0303",
            Self::Unwell => "RV0304",
            Self::Input => "RV0305",
            Self::Addition => "RV0306",
            Self::Read => "RV0307",
            Self::Sync => "RV0308",
            Self::Channel => "RV0401",
            Self::Model => "RV0402",
            Self::Listen => "RV0403",
            Self::Simulator => "RV0404",
            Self::Turn => "RV0405",
            Self::Gateway => "RV0406",
        }
    }
}

/// A failure, as a person sees it.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    exit_code: Option<u8>,
}

#[derive(Debug)]
enum Kind {
    Config(ConfigErrors),
    Agents(Vec<Mistake>),
    Output(io::Error),
    One(One),
}

/// A failure without a place in a file.
#[derive(Debug)]
struct One {
    code: Code,
    what: String,
    help: String,
}

/// An agent's mistake with its code.
#[derive(Debug)]
struct Mistake(AgentError);

impl Failure {
    /// A failure of this kind: what happened and where, and what to do next.
    pub fn new(code: Code, what: impl Into<String>, help: impl Into<String>) -> Self {
        Kind::One(One { code, what: what.into(), help: help.into() }).into()
    }

    /// Mistakes in agents' files.
    #[must_use]
    pub fn agents(errors: Vec<AgentError>) -> Self {
        Kind::Agents(errors.into_iter().map(Mistake).collect()).into()
    }

    /// A failure of the process's own output or runtime.
    pub(super) fn output(error: &io::Error) -> Self {
        Kind::Output(io::Error::new(error.kind(), error.to_string())).into()
    }

    /// The same failure with another exit code.
    #[must_use]
    pub fn exiting_with(self, exit_code: u8) -> Self {
        Self { exit_code: Some(exit_code), ..self }
    }

    /// How the process exits.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code.unwrap_or(match &self.kind {
            Kind::Config(_) | Kind::Agents(_) => ConfigErrors::EXIT_CODE,
            Kind::One(One { code: Code::Channel | Code::Model, .. }) => ConfigErrors::EXIT_CODE,
            Kind::One(One { code: Code::UnknownCode | Code::LogFilter | Code::Input | Code::Addition, .. }) => 2,
            Kind::One(_) | Kind::Output(_) => 1,
        })
    }

    /// Whether it is only that nobody reads our output any more.
    pub(super) fn is_closed_output(&self) -> bool {
        matches!(&self.kind, Kind::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to show, one after the other.
    pub(super) fn diagnostics(&self) -> Vec<&dyn Diagnostic> {
        match &self.kind {
            Kind::Config(errors) => errors.problems.iter().map(|problem| -> &dyn Diagnostic { problem }).collect(),
            Kind::Agents(mistakes) => mistakes.iter().map(|mistake| -> &dyn Diagnostic { mistake }).collect(),
            Kind::Output(_) => Vec::new(),
            Kind::One(one) => vec![one],
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Config(errors) => errors.fmt(f),
            Kind::Agents(mistakes) => write!(f, "{} mistakes in agents' files", mistakes.len()),
            Kind::Output(error) => write!(f, "the output could not be written: {error}"),
            Kind::One(one) => one.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self { kind, exit_code: None }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Kind::Config(errors).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Kind::Output(error).into()
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        StartError::Token(error).into()
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::new(Code::LogFilter, error.to_string(), "unset REVEILLE_LOG to get the default, `info`")
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let (code, help) = match error {
            StartError::Journal(error) => return error.into(),
            StartError::Channel { .. } => (Code::Channel, "set the key to what the platform's page of your app shows"),
            StartError::Installations { .. } => (
                Code::Channel,
                "the key that sealed them is wanted as `storage.key`, or as `storage.previous_key` beside a new one",
            ),
            StartError::Model(_) => (Code::Model, "the guide's part on models shows each kind of table"),
            StartError::Listen { .. } => {
                (Code::Listen, "stop what uses the port, or set `server.listen` to another one")
            }
            StartError::Key(_) => {
                (Code::Storage, "a key has 64 hexadecimal digits; `openssl rand -hex 32` makes one for `storage.key`")
            }
            StartError::Token(TokenError::NoToken { .. }) => {
                (Code::Storage, "stop the gateway, delete the file and start it again: that makes another one")
            }
            StartError::Token(TokenError::Unusable { .. }) => {
                (Code::Storage, "see that the data folder is there, and that this user can read and write in it")
            }
            StartError::Tools(_) | StartError::CodeMode(_) | StartError::Metrics(_) => {
                (Code::Listen, "this is a mistake of the build; please report it")
            }
        };
        Self::new(code, error.to_string(), help)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let (code, help) = match error {
            SessionError::Start(error) => return error.into(),
            SessionError::Journal(error) => return error.into(),
            SessionError::Gone(_) => (Code::UnknownAgent, "`reveille agents` lists those that are there"),
            SessionError::NotTaken | SessionError::Stopped => (
                Code::Storage,
                "see that the data folder is there, writable and on a disk with room: `reveille doctor`",
            ),
        };
        Self::new(code, error.to_string(), help)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let (code, help) = match &error {
            JournalError::Locked { .. } => (
                Code::Locked,
                "stop the other `reveille serve` or `reveille dev`, or give this one a folder of its own in `[storage] url`",
            ),
            JournalError::OldSqlite { .. } => (Code::OldSqlite, "build with the versions in Cargo.lock"),
            JournalError::Unknown(_) => (Code::UnknownInstance, "`reveille instances` lists them"),
            JournalError::Corrupt { .. } | JournalError::Fenced { .. } => (
                Code::Corrupt,
                "keep a copy of the data folder; the others are not affected. `reveille instances show` tells its state",
            ),
            JournalError::Storage(_) | JournalError::Overloaded => (
                Code::Storage,
                "see that the data folder is there, writable and on a disk with room: `reveille doctor`",
            ),
        };
        Self::new(code, error.to_string(), help)
    }
}

impl From<WorkspaceError> for Failure {
    fn from(error: WorkspaceError) -> Self {
        let (code, help) = match &error {
            WorkspaceError::Missing(_) => {
                (Code::Files, "`reveille instances files ls INSTANCE --recursive` lists what is there")
            }
            WorkspaceError::IsFolder(_) => (
                Code::Files,
                "name a file in it; `rm --recursive` deletes a folder, and `sync` brings whole folders out and in",
            ),
            WorkspaceError::Quota(_) => {
                (Code::Files, "docs/workspace.md has the limits; make room with `reveille instances files rm`")
            }
            WorkspaceError::Busy => (Code::Storage, "a gateway or another command is writing: try again"),
            WorkspaceError::Later(_) => (Code::Storage, "use the version that wrote them, or a later one"),
            WorkspaceError::DiskFull | WorkspaceError::Storage(_) => (
                Code::Storage,
                "see that the data folder is there, writable and on a disk with room: `reveille doctor`",
            ),
            _ => (Code::Files, "docs/workspace.md says how files of a workspace may be named"),
        };
        Self::new(code, error.to_string(), help)
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for One {}

impl Diagnostic for One {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code.as_str()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(Code::AgentFile.as_str()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
}
