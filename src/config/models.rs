//! `[models.NAME]`: providers of language models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reveille_channel::Secret;
use url::Url;

use super::error::Code;
use super::reader::{Found, Reader, Table, list};
use super::schema;
use super::secrets::Shape;

/// The protocol a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's Chat Completions API, and everything that speaks it.
    OpenAi,
    /// Google's Gemini API.
    Gemini,
    /// Ollama's own API.
    Ollama,
    /// A YAML file that is played: offline demos and tests.
    Script,
}

/// One table under `[models]`.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// The protocol.
    pub provider: Protocol,
    /// Where it is; `None` for `script` alone.
    pub base_url: Option<Url>,
    /// The key, where one is needed and set.
    pub api_key: Option<Secret>,
    /// The file of a `script` provider.
    pub script: Option<PathBuf>,
}

const PROTOCOLS: [(&str, Protocol); 5] = [
    ("anthropic", Protocol::Anthropic),
    ("openai", Protocol::OpenAi),
    ("gemini", Protocol::Gemini),
    ("ollama", Protocol::Ollama),
    ("script", Protocol::Script),
];

impl Protocol {
    /// As it stands in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        PROTOCOLS.iter().find(|(_, protocol)| *protocol == self).map_or("", |(name, _)| name)
    }

    /// Where the provider itself serves it.
    fn default_base_url(self) -> Option<Url> {
        let text = match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Self::Ollama => "http://127.0.0.1:11434",
            Self::Script => return None,
        };
        Url::parse(text).ok()
    }

    /// The variable that holds the key in the provider's own documentation.
    #[must_use]
    pub fn default_variable(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Ollama | Self::Script => None,
        }
    }
}

pub(super) fn read(reader: &mut Reader) -> BTreeMap<String, ModelSettings> {
    let mut models: BTreeMap<_, _> = reader
        .tables("models")
        .iter()
        .filter_map(|table| Some((table.name().to_owned(), read_one(reader, table)?)))
        .collect();
    for (name, provider) in PROTOCOLS.into_iter().filter(|(_, provider)| *provider != Protocol::Script) {
        if !models.contains_key(name) {
            let api_key = default_key(reader, provider);
            models.insert(
                name.into(),
                ModelSettings { provider, base_url: provider.default_base_url(), api_key, script: None },
            );
        }
    }
    models
}

fn read_one(reader: &mut Reader, table: &Table) -> Option<ModelSettings> {
    reader.check_keys(table, &schema::MODEL);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !table.name().chars().all(is_name) {
        let what = "a model table's name has letters, digits, `.`, `_` and `-` only".into();
        reader.problem_of_table(Code::BadName, table, what, "agents name it as `TABLE/MODEL`".into());
    }
    let provider = if table.has("provider") {
        reader.choice(table, "provider", &PROTOCOLS)?
    } else if let Some((_, own)) = PROTOCOLS.iter().find(|(name, _)| *name == table.name()) {
        *own
    } else {
        let known = PROTOCOLS.map(|(name, _)| name);
        let near = schema::nearest(table.name(), known).unwrap_or("openai");
        let help = format!("write `provider = \"{near}\"`: the protocol it speaks, one of {}", list(&known));
        reader.missing(table, "provider", help);
        return None;
    };
    if provider == Protocol::Script {
        return read_script(reader, table, provider);
    }
    if table.has("script") {
        let what = "only `provider = \"script\"` has a script".into();
        reader.problem(Code::Conflict, table, "script", what, "take the line out, or change the provider".into());
    }
    let base_url = reader.url(table, "base_url").or_else(|| provider.default_base_url());
    let api_key = match reader.secret(table, "api_key", Shape::Token) {
        Found::Secret(secret) => Some(secret),
        Found::Unusable => None,
        // Somebody else's server may take no key, and must not be sent one that was meant for the provider's own.
        Found::Absent if table.has("base_url") => None,
        Found::Absent => default_key(reader, provider),
    };
    Some(ModelSettings { provider, base_url, api_key, script: None })
}

fn read_script(reader: &mut Reader, table: &Table, provider: Protocol) -> Option<ModelSettings> {
    for key in ["base_url", "api_key"] {
        if table.has(key) {
            let what = "a script is a file: it has no address and no key".into();
            reader.problem(Code::Conflict, table, key, what, "take the line out, or change the provider".into());
        }
    }
    if !table.has("script") {
        reader.missing(table, "script", "write `script = \"rehearsal.yaml\"`: the file that is played".into());
    }
    let script = reader.path(table, "script")?;
    Some(ModelSettings { provider, base_url: None, api_key: None, script: Some(script) })
}

/// The key from the provider's well-known variable, if that is set and can be one.
fn default_key(reader: &mut Reader, provider: Protocol) -> Option<Secret> {
    reader.optional_secret(provider.default_variable()?)
}
