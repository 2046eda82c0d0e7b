//! The configuration file: its text, its tree, and where in it each key stands.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::value::{Dict, Value};
use miette::{MietteError, MietteSpanContents, NamedSource, SourceCode, SourceSpan, SpanContents};
use toml_edit::{Document, Item, TableLike};

use super::error::{Code, ConfigErrors, Excerpt, Place, Problem};
use super::{DEFAULT_FILE, Inputs, Mode, schema};

/// The largest file that is read, bytes. A configuration is a few kilobytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// A parsed file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    text: Text,
    document: Document<String>,
}

/// A file's text, with positions and what of it may be shown.
#[derive(Debug, Clone)]
struct Text {
    path: PathBuf,
    raw: String,
    shown: Arc<WholeLine>,
}

/// Finds, reads and parses the file. `None`: there is none and none is needed.
pub(super) fn find(inputs: &Inputs, mode: Mode) -> Result<Option<File>, ConfigErrors> {
    let path = inputs.path.clone().unwrap_or_else(|| inputs.folder.join(DEFAULT_FILE));
    match read(&path) {
        Ok(text) => File::parse(path, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if inputs.path.is_none() && mode != Mode::Serve {
                return Ok(None);
            }
            let help = "`reveille init` writes one; `--config FILE` names another";
            Err(whole(Code::NoFile, path, "there is no such configuration file".into(), help))
        }
        Err(error) => {
            let help = "it has to be a readable UTF-8 text file of at most 1 MB";
            Err(whole(Code::Unreadable, path, format!("cannot be read: {error}"), help))
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > MOST_BYTES {
        return Err(std::io::Error::other(format!("it has {size} bytes")));
    }
    std::fs::read_to_string(path)
}

fn whole(code: Code, path: PathBuf, what: String, help: &str) -> ConfigErrors {
    let place = Place::WholeFile { path };
    Problem { code, place, key: String::new(), what, help: help.into(), is_warning: false, excerpt: None }.into()
}

impl File {
    pub(super) fn parse(path: PathBuf, text: &str) -> Result<Self, ConfigErrors> {
        let raw = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let text = Text::new(path.clone(), raw.clone());
        match Document::parse(raw) {
            Ok(document) => Ok(Self { path, text, document }),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let (place, excerpt) = text.at(&span);
                let what = format!("is not valid TOML: {}", error.message().replace('\n', ", "));
                let help = if excerpt.is_some() {
                    "strings stand in double quotes, each table and each key may stand once"
                } else {
                    "strings stand in double quotes, each table and each key may stand once; the line is not shown because it may hold a secret"
                };
                let help = help.into();
                Err(Problem { code: Code::Syntax, place, key: String::new(), what, help, is_warning: false, excerpt }
                    .into())
            }
        }
    }

    /// The folder that relative paths in it are taken from.
    pub(super) fn folder(&self) -> PathBuf {
        self.path.parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// Its values, for merging.
    pub(super) fn values(&self) -> Dict {
        table(self.document.as_table())
    }

    /// Where a key stands: its value, or the key itself. The nearest table where it stands nowhere.
    pub(super) fn locate(&self, path: &[String], of_key: bool) -> (Place, Option<Excerpt>) {
        let mut found = 0..0;
        let mut level: &dyn TableLike = self.document.as_table();
        for name in path {
            let Some((key, item)) = level.get_key_value(name) else { break };
            let key_span = key.span();
            let own = if of_key { key_span.or_else(|| item.span()) } else { item.span().or(key_span) };
            found = own.unwrap_or(found);
            match item.as_table_like() {
                Some(next) => level = next,
                None => break,
            }
        }
        self.text.at(&found)
    }
}

impl Text {
    fn new(path: PathBuf, raw: String) -> Self {
        let shown: String = raw.split_inclusive('\n').map(masked).collect();
        let shown = Arc::new(WholeLine(NamedSource::new(path.display().to_string(), shown)));
        Self { path, raw, shown }
    }

    fn at(&self, span: &Range<usize>) -> (Place, Option<Excerpt>) {
        let mut at = span.start.min(self.raw.len());
        while !self.raw.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = self.raw.split_at(at);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).map_or(0, |start| start.chars().count()) + 1;
        let rest_of_line = after.split('\n').next().unwrap_or_default();
        let whole_line = self.raw.get(line_start..at + rest_of_line.len()).unwrap_or_default();
        let length = span.len().min(rest_of_line.trim_end().len());
        let seen = if may_be_shown(whole_line) { whole_line.len() } else { key_length(whole_line) };
        let is_seen = at - line_start + length <= seen && !whole_line.trim().is_empty();
        let excerpt = is_seen.then(|| Excerpt { source: self.shown.clone(), span: (at, length).into() });
        (Place::File { path: self.path.clone(), line, column }, excerpt)
    }
}

/// Whether a line certainly holds no secret: a table's header, or a key that is known to hold none with a value that has
/// no user information, or a reference. Everything else stays unseen, comments included.
fn may_be_shown(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return true;
    }
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-[]\"".contains(c));
    if line.starts_with('[') && line.len() <= 80 {
        return is_plain(line);
    }
    let Some((key, value)) = line.split_once('=') else { return false };
    let (key, value) = (key.trim(), value.trim());
    let name = key.rsplit('.').next().unwrap_or(key).trim_matches(['"', ' ', '\'']);
    let unquoted = value.trim_matches('"');
    let is_reference = unquoted.strip_prefix("env:").is_some_and(is_variable_name)
        || unquoted.strip_prefix("file:").is_some_and(|path| {
            path.len() <= 80 && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        });
    is_reference || (schema::is_public(name) && !value.contains('@') && !value.contains('#') && !value.contains('{'))
}

/// Whether this is how variables are named; a token that somebody wrote in the place of a name is not.
fn is_variable_name(name: &str) -> bool {
    name.len() <= 60 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The bytes of a line that are certainly a key and nothing else, with the `=` behind it.
fn key_length(line: &str) -> usize {
    let Some((key, value)) = line.split_once('=') else { return 0 };
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_value = |first: char| first.is_ascii_digit() || "\"'[{tf".contains(first);
    // The last line of a Base64 text has a `=` in it too, and nothing like a value behind.
    let is_assignment = key.trim().len() <= 40 && key.trim().chars().all(is_key) && value.trim().starts_with(is_value);
    if is_assignment { key.len() + 1 } else { 0 }
}

/// A line without what may not be shown, and as long.
fn masked(line: &str) -> String {
    let (seen, unseen) = if may_be_shown(line) { (line, "") } else { line.split_at(key_length(line)) };
    seen.chars().chain(unseen.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' })).collect()
}

/// Shows the line that a span is in, and no other.
pub(super) struct WholeLine(NamedSource<String>);

impl std::fmt::Debug for WholeLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WholeLine").field(&self.0.name()).finish()
    }
}

impl SourceCode for WholeLine {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.0.inner();
        let (before, after) = text.split_at_checked(span.offset()).unwrap_or((text, ""));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = before.len() + after.find('\n').unwrap_or(after.len());
        let line = self.0.read_span(&(start, end - start).into(), 0, 0)?;
        let column = before.get(start..).map_or(0, |before| before.chars().count());
        let name = self.0.name().to_owned();
        Ok(Box::new(MietteSpanContents::new_named(
            name,
            line.data(),
            *line.span(),
            line.line(),
            column,
            line.line_count(),
        )))
    }
}

fn table(table: &dyn TableLike) -> Dict {
    table.iter().map(|(name, item)| (name.to_owned(), value(item))).collect()
}

fn value(item: &Item) -> Value {
    if let Some(nested) = item.as_table_like() {
        Value::from(table(nested))
    } else if let Some(tables) = item.as_array_of_tables() {
        Value::from(tables.iter().map(|each| Value::from(table(each))).collect::<Vec<_>>())
    } else if let Some(array) = item.as_array() {
        Value::from(array.iter().map(|each| value(&Item::Value(each.clone()))).collect::<Vec<_>>())
    } else if let Some(text) = item.as_str() {
        Value::from(text)
    } else if let Some(number) = item.as_integer() {
        Value::from(number)
    } else if let Some(number) = item.as_float() {
        Value::from(number)
    } else if let Some(truth) = item.as_bool() {
        Value::from(truth)
    } else {
        Value::from(item.to_string().trim())
    }
}
