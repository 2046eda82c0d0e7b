//! Reads merged values key by key and collects every problem on the way, so that a person sees all of them at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use reveille_channel::Secret;
use url::Url;

use super::environment::Environment;
use super::error::{Code, ConfigErrors, Excerpt, Place, Problem};
use super::file::File;
use super::schema::{self, Section};
use super::secrets::{self, Shape};
use super::{Flag, Mode};

const FROM_FILE: &str = "file";
const FROM_VARIABLE: &str = "variable";
const FROM_FLAG: &str = "flag";

/// One source for figment.
struct Source {
    name: &'static str,
    values: Dict,
}

impl Provider for Source {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// The merged sources and what was found wrong so far.
pub(super) struct Reader {
    file: Option<File>,
    environment: Environment,
    merged: Figment,
    root: Dict,
    variables: BTreeMap<Vec<String>, String>,
    flags: BTreeMap<Vec<String>, &'static str>,
    folder: PathBuf,
    mode: Mode,
    problems: Vec<Problem>,
    secrets: Vec<Secret>,
}

/// One table, with where it stands.
pub(super) struct Table {
    path: Vec<String>,
    values: Dict,
}

/// What is left of a [`Reader`] that found no error.
pub(super) struct Findings {
    pub(super) path: Option<PathBuf>,
    pub(super) folder: PathBuf,
    pub(super) warnings: Vec<Problem>,
    pub(super) secrets: Vec<Secret>,
}

/// What became of a key that holds a secret.
pub(super) enum Found {
    /// The secret.
    Secret(Secret),
    /// The key is not there.
    Absent,
    /// The key is there and its secret cannot be had; the problem is noted.
    Unusable,
}

impl Table {
    /// The table's own name.
    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    fn at(&self, key: &str) -> Vec<String> {
        self.path.iter().cloned().chain(std::iter::once(key.to_owned())).collect()
    }
}

impl Reader {
    pub(super) fn new(
        file: Option<File>,
        environment: Environment,
        flags: &[Flag],
        folder: PathBuf,
        mode: Mode,
    ) -> Result<Self, ConfigErrors> {
        let mut variables = BTreeMap::new();
        let mut from_variables = Dict::new();
        for (variable, path, value) in environment.keys() {
            insert(&mut from_variables, &path, value);
            variables.insert(path, variable.to_owned());
        }
        let mut flag_names = BTreeMap::new();
        let mut from_flags = Dict::new();
        for flag in flags {
            let path: Vec<String> = flag.key.split('.').map(str::to_owned).collect();
            insert(&mut from_flags, &path, &flag.value);
            flag_names.insert(path, flag.flag);
        }
        let from_file = file.as_ref().map(File::values).unwrap_or_default();
        let merged = Figment::new()
            .merge(Source { name: FROM_FILE, values: from_file })
            .merge(Source { name: FROM_VARIABLE, values: from_variables })
            .merge(Source { name: FROM_FLAG, values: from_flags });
        let root = merged.data().unwrap_or_default().remove(&Profile::Default).unwrap_or_default();
        let mut reader = Self {
            file,
            environment,
            merged,
            root,
            variables,
            flags: flag_names,
            folder,
            mode,
            problems: Vec::new(),
            secrets: Vec::new(),
        };
        reader.check_top();
        Ok(reader)
    }

    /// Ends the reading.
    pub(super) fn finish(mut self) -> Result<Findings, ConfigErrors> {
        self.problems.sort_by_key(|problem| match &problem.place {
            Place::WholeFile { .. } => (0, 0, 0),
            Place::File { line, column, .. } => (1, *line, *column),
            Place::Variable { .. } => (2, 0, 0),
            Place::Flag { .. } => (3, 0, 0),
        });
        let (warnings, errors): (Vec<_>, Vec<_>) = self.problems.into_iter().partition(|problem| problem.is_warning);
        if !errors.is_empty() {
            return Err(ConfigErrors { problems: errors });
        }
        let path = self.file.map(|file| file.path);
        Ok(Findings { path, folder: self.folder, warnings, secrets: self.secrets })
    }

    fn check_top(&mut self) {
        let unknown: Vec<String> =
            self.root.keys().filter(|name| !schema::TOP.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            let inside = schema::SECTIONS.iter().find(|section| section.keys.iter().any(|key| key.name == name));
            let help = match (schema::nearest(&name, schema::TOP), inside) {
                (None, Some(section)) => format!("`{name}` is a key of [{}]", section.name.replace('*', "NAME")),
                (Some(near), _) => format!("did you mean [{near}]? The tables are {}", list(&schema::TOP)),
                (None, None) => format!("the tables are {}", list(&schema::TOP)),
            };
            self.add(Code::UnknownKey, &[name], true, "there is no such table".into(), help, false);
        }
    }

    /// A table at the top; empty where there is none.
    pub(super) fn section(&mut self, section: &Section) -> Table {
        let table = self.table_at(vec![section.name.to_owned()]);
        self.check_keys(&table, section);
        table
    }

    /// The tables below one at the top, such as those of `[models]`.
    pub(super) fn tables(&mut self, name: &str) -> Vec<Table> {
        let parent = self.table_at(vec![name.to_owned()]);
        let paths: Vec<_> = parent.values.keys().map(|key| parent.at(key)).collect();
        let are_tables = |path: &Vec<String>| parent.values.get(path.last()?)?.as_dict().map(|_| ());
        paths
            .into_iter()
            .filter_map(|path| {
                if are_tables(&path).is_none() {
                    let what = format!("has to be a table `[{}]`", path.join("."));
                    let help = format!("below [{name}] there are only tables, one for each name you choose");
                    self.add(Code::WrongType, &path, true, what, help, false);
                    return None;
                }
                Some(self.table_at(path))
            })
            .collect()
    }

    fn table_at(&mut self, path: Vec<String>) -> Table {
        let value = path.iter().try_fold(Value::from(self.root.clone()), |value, name| {
            value.into_dict().and_then(|mut dict| dict.remove(name))
        });
        let values = match value {
            None => Dict::new(),
            Some(Value::Dict(_, dict)) => dict,
            Some(other) => {
                let what = format!("has to be a table, not {}", kind_of(&other));
                let help = format!("write `[{}]` on a line of its own and its keys below", path.join("."));
                self.add(Code::WrongType, &path, true, what, help, false);
                Dict::new()
            }
        };
        Table { path, values }
    }

    /// Notes keys that the section does not have.
    pub(super) fn check_keys(&mut self, table: &Table, section: &Section) {
        for key in table.values.keys() {
            let path = table.at(key);
            match section.keys.iter().find(|known| known.name == key) {
                Some(_) => {}
                None => {
                    let known: Vec<_> = section.keys.iter().map(|key| key.name).collect();
                    let all = format!("the keys of [{}] are {}", table.path.join("."), list(&known));
                    let help = match schema::nearest(key, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`? {all}", all = capital(&all)),
                        None => all,
                    };
                    self.add(Code::UnknownKey, &path, true, "there is no such key".into(), help, false);
                }
            }
        }
    }

    /// A string.
    pub(super) fn text(&mut self, table: &Table, key: &str) -> Option<String> {
        match table.values.get(key)? {
            Value::String(_, text) => Some(text.clone()),
            other => {
                let what = format!("has to be a string, not {}", kind_of(other));
                self.problem(Code::WrongType, table, key, what, format!("write `{key} = \"...\"`"));
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, table: &Table, key: &str) -> Option<u64> {
        let value = table.values.get(key)?;
        let number = match value {
            Value::Num(_, number) => number.to_u128_lossy().and_then(|number| u64::try_from(number).ok()),
            Value::String(_, text) if !self.is_from_file(value) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            let what = format!("has to be a whole number, not {}", kind_of(value));
            self.problem(Code::WrongType, table, key, what, format!("write `{key} = 12345`"));
        }
        number
    }

    /// True or false.
    pub(super) fn flag(&mut self, table: &Table, key: &str) -> Option<bool> {
        let value = table.values.get(key)?;
        let flag = match value {
            Value::Bool(_, flag) => Some(*flag),
            Value::String(_, text) if !self.is_from_file(value) => text.trim().parse().ok(),
            _ => None,
        };
        if flag.is_none() {
            let what = format!("has to be true or false, not {}", kind_of(value));
            self.problem(Code::WrongType, table, key, what, format!("write `{key} = true`"));
        }
        flag
    }

    /// A list of strings; in a variable they stand with commas between them.
    pub(super) fn texts(&mut self, table: &Table, key: &str) -> Option<Vec<String>> {
        let value = table.values.get(key)?;
        let texts = match value {
            Value::Array(_, values) => values.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect(),
            Value::String(_, text) if !self.is_from_file(value) => {
                Some(text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect())
            }
            _ => None,
        };
        if texts.is_none() {
            let what = format!("has to be a list of strings, not {}", kind_of(value));
            self.problem(Code::WrongType, table, key, what, format!("write `{key} = [\"...\"]`"));
        }
        texts
    }

    /// A string, or a reference to it: an id that a platform gives belongs to the app, as the app's secrets do.
    pub(super) fn text_or_reference(&mut self, table: &Table, key: &str) -> Option<String> {
        let written = self.text(table, key)?;
        match secrets::resolve(&written, &self.environment, &self.folder) {
            Ok(referred) => Some(referred.map_or(written, |value| value.trim().to_owned())),
            Err(unresolved) => {
                let is_warning = self.mode != Mode::Serve && unresolved.is_absence || self.mode == Mode::Tool;
                self.add(Code::UnresolvedSecret, &table.at(key), false, unresolved.what, unresolved.help, is_warning);
                None
            }
        }
    }

    /// A whole number that is not negative, or a reference to one.
    pub(super) fn number_or_reference(&mut self, table: &Table, key: &str) -> Option<u64> {
        let is_reference = |text: &str| text.starts_with("env:") || text.starts_with("file:");
        if !table.values.get(key).and_then(Value::as_str).is_some_and(is_reference) {
            return self.number(table, key);
        }
        let text = self.text_or_reference(table, key)?;
        let number = text.parse().ok();
        if number.is_none() {
            let what = "leads to something that is no whole number".to_owned();
            self.problem(Code::BadValue, table, key, what, "put the number there, such as 12345".into());
        }
        number
    }

    /// An `http` or `https` address.
    pub(super) fn url(&mut self, table: &Table, key: &str) -> Option<Url> {
        self.address(table, key, ["https", "http"])
    }

    /// A `wss` or `ws` address.
    pub(super) fn socket_url(&mut self, table: &Table, key: &str) -> Option<Url> {
        self.address(table, key, ["wss", "ws"])
    }

    fn address(&mut self, table: &Table, key: &str, [tls, plain]: [&str; 2]) -> Option<Url> {
        let text = self.text(table, key)?;
        let what = match Url::parse(&text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "has a user name or password in it".to_owned()
            }
            Ok(url) if [tls, plain].contains(&url.scheme()) && url.has_host() => return Some(url),
            Ok(url) => format!("has to begin with {tls}:// or {plain}://, not {}:", url.scheme()),
            Err(error) => format!("is not an address: {error}"),
        };
        self.problem(Code::BadValue, table, key, what, format!("write `{key} = \"{tls}://host.example.com\"`"));
        None
    }

    /// A path; a relative one is taken from the file's folder.
    pub(super) fn path(&mut self, table: &Table, key: &str) -> Option<PathBuf> {
        let text = self.text(table, key)?;
        if text.trim().is_empty() || text.contains('\0') {
            self.problem(Code::BadValue, table, key, "is not a path".into(), "name a file or folder".into());
            return None;
        }
        Some(self.folder.join(text))
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&mut self, table: &Table, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(table, key)?;
        if let Some((_, chosen)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*chosen);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| *word).filter(|word| !word.is_empty()).collect();
        let near = schema::nearest(&text, known.iter().copied());
        let help = near.map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
        let what = format!("has to be one of {}", list(&known));
        self.problem(
            Code::BadValue,
            table,
            key,
            what,
            format!("{help}Write `{key} = \"{}\"`", near.or(known.first().copied()).unwrap_or_default()),
        );
        None
    }

    /// A secret, resolved and looked at.
    pub(super) fn secret(&mut self, table: &Table, key: &str, shape: Shape) -> Found {
        if !table.has(key) {
            return Found::Absent;
        }
        let Some(written) = self.text(table, key) else { return Found::Unusable };
        let suggestion = secrets::suggest_variable(&table.path, key);
        let value = match secrets::resolve(&written, &self.environment, &self.folder) {
            Ok(Some(value)) => value,
            Ok(None) => {
                let help = format!("write `{key} = \"env:{suggestion}\"` and set that variable, or `\"file:PATH\"`");
                let what = "the secret itself stands here; it has to be a reference";
                let is_warning = self.mode != Mode::Serve;
                self.add(Code::LiteralSecret, &table.at(key), false, what.into(), help, is_warning);
                written
            }
            Err(unresolved) => {
                let is_warning = self.mode != Mode::Serve && unresolved.is_absence || self.mode == Mode::Tool;
                self.add(Code::UnresolvedSecret, &table.at(key), false, unresolved.what, unresolved.help, is_warning);
                return Found::Unusable;
            }
        };
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        let problem = secrets::unusable(&value, shape);
        let secret = Secret::new(value);
        if let Some(what) = problem {
            let help = shape.advice().to_owned();
            self.add(Code::UnusableSecret, &table.at(key), false, what, help, self.mode == Mode::Tool);
            return Found::Unusable;
        }
        self.secrets.push(secret.clone());
        Found::Secret(secret)
    }

    /// A secret from a variable that is looked at though nobody named it; one that cannot be one counts as not set.
    pub(super) fn optional_secret(&mut self, variable: &str) -> Option<Secret> {
        let value = self.environment.get(variable)?;
        if secrets::unusable(value, Shape::Token).is_some() {
            return None;
        }
        let secret = Secret::new(value);
        self.secrets.push(secret.clone());
        Some(secret)
    }

    /// The folder that relative paths are taken from.
    pub(super) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Notes an error at a key.
    pub(super) fn problem(&mut self, code: Code, table: &Table, key: &str, what: String, help: String) {
        self.add(code, &table.at(key), false, what, help, false);
    }

    /// Notes an error at a table's name.
    pub(super) fn problem_of_table(&mut self, code: Code, table: &Table, what: String, help: String) {
        self.add(code, &table.path, true, what, help, false);
    }

    /// Notes an error about a key that is not there.
    pub(super) fn missing(&mut self, table: &Table, key: &str, help: String) {
        let path = table.at(key);
        let (place, excerpt) = self.locate(&table.path, true);
        let what = "is missing".into();
        let key = path.join(".");
        self.problems.push(Problem { code: Code::MissingKey, place, key, what, help, is_warning: false, excerpt });
    }

    fn add(&mut self, code: Code, path: &[String], of_key: bool, what: String, help: String, is_warning: bool) {
        let (place, excerpt) = self.locate(path, of_key);
        self.problems.push(Problem { code, place, key: path.join("."), what, help, is_warning, excerpt });
    }

    fn locate(&self, path: &[String], of_key: bool) -> (Place, Option<Excerpt>) {
        let below = |known: &Vec<String>| known.starts_with(path);
        let value = self.merged.find_value(&path.join(".")).ok();
        let is_in_file = value.as_ref().is_some_and(|value| self.holds_file_value(value));
        if !is_in_file {
            if let Some((_, name)) = self.flags.iter().find(|(known, _)| below(known)) {
                return (Place::Flag { name }, None);
            }
            if let Some((_, name)) = self.variables.iter().find(|(known, _)| below(known)) {
                return (Place::Variable { name: name.clone() }, None);
            }
        }
        match &self.file {
            Some(file) => file.locate(path, of_key),
            None => (Place::WholeFile { path: self.folder.join(super::DEFAULT_FILE) }, None),
        }
    }

    fn is_from_file(&self, value: &Value) -> bool {
        self.merged.get_metadata(value.tag()).is_none_or(|metadata| metadata.name == FROM_FILE)
    }

    fn holds_file_value(&self, value: &Value) -> bool {
        match value {
            Value::Dict(_, dict) => dict.is_empty() || dict.values().any(|value| self.holds_file_value(value)),
            other => self.is_from_file(other),
        }
    }
}

/// Puts a value into nested tables.
fn insert(into: &mut Dict, path: &[String], value: &str) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        into.insert(first.clone(), Value::from(value));
        return;
    }
    let below = into.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
    if !matches!(below, Value::Dict(..)) {
        *below = Value::from(Dict::new());
    }
    if let Value::Dict(_, dict) = below {
        insert(dict, rest, value);
    }
}

/// What a value is, without saying it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(..) => "a string",
        Value::Char(..) => "a character",
        Value::Bool(..) => "true or false",
        Value::Num(_, number) if number.to_u128_lossy().is_some() => "a number",
        Value::Num(..) => "a negative or broken number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a table",
        Value::Array(..) => "a list",
    }
}

pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
