//! The environment as a value: the process's variables, and those of a `.env` file below them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::error::{Code, ConfigErrors, Place, Problem};

/// What the configuration's own variables begin with: `REVEILLE__SERVER__LISTEN` is `server.listen`.
const PREFIX: &str = "REVEILLE__";

/// Variables by name. Their values may be secrets: `Debug` shows none.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

impl Environment {
    /// The variables of this process that are text.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// One variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The names of the variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Adds what a `.env` file says and the environment does not: `NAME=VALUE` lines, `#` comments, an optional
    /// `export`, and quotes around a value. Nothing in a value is expanded. A line without a value says nothing: it is one of
    /// `.env.example` that nobody has filled in.
    pub(super) fn with_dotenv(mut self, path: &Path) -> Result<Self, ConfigErrors> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(self),
            Err(error) => {
                return Err(Problem {
                    code: Code::Unreadable,
                    place: Place::WholeFile { path: path.into() },
                    key: String::new(),
                    what: format!("cannot be read: {error}"),
                    help: "make it readable for the user the gateway runs as, or take it away".into(),
                    is_warning: false,
                    excerpt: None,
                }
                .into());
            }
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let assignment = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = assignment.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
                return Err(Problem {
                    code: Code::Syntax,
                    place: Place::File { path: path.into(), line: number + 1, column: 1 },
                    key: String::new(),
                    what: "is not a line `NAME=VALUE`".into(),
                    help: "write one variable a line; comments begin with `#`".into(),
                    is_warning: false,
                    excerpt: None,
                }
                .into());
            };
            let value = unquote(value.trim());
            if !value.is_empty() {
                self.variables.entry(name.trim().to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        Ok(self)
    }

    /// The variables that stand for configuration keys, as (variable, path, value).
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, Vec<String>, &str)> {
        self.variables.iter().filter_map(|(name, value)| {
            let path = name.strip_prefix(PREFIX)?.split("__").map(str::to_ascii_lowercase).collect();
            Some((name.as_str(), path, value.as_str()))
        })
    }
}

/// Whether a variable can have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn unquote(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
