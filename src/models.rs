//! The models a configuration names, ready to be asked: the one place that knows both sides.

use std::sync::Arc;

use crate::agent::ModelRef;
use crate::config::{Config, ModelSettings, Protocol};
use crate::model::{self, Hosted, HostedSettings, Models, Provider, Script};

/// The model that agents without a `model:` line get, by the first of these tables that has a key.
const DEFAULTS: [(&str, &str); 3] =
    [("anthropic", "claude-sonnet-4-6"), ("openai", "gpt-5.1"), ("gemini", "gemini-2.5-pro")];

/// The table of the script that is played where no model is configured.
pub const REHEARSAL: &str = "rehearsal";

/// The provider of one table.
///
/// # Errors
/// What is wrong with it and where to look, without credentials.
pub fn provider(settings: &ModelSettings, table: &str) -> Result<Arc<dyn Provider>, String> {
    let protocol = match settings.provider {
        Protocol::Anthropic => model::Protocol::Anthropic,
        Protocol::OpenAi => model::Protocol::OpenAi,
        Protocol::Gemini => model::Protocol::Gemini,
        Protocol::Ollama => model::Protocol::Ollama,
        Protocol::Script => {
            let path = settings.script.as_ref().ok_or_else(|| format!("models.{table}.script is not set"))?;
            let script = Script::load(path).map_err(|error| format!("models.{table}: {error}"))?;
            return Ok(Arc::new(script));
        }
    };
    let base_url = settings.base_url.clone().ok_or_else(|| format!("models.{table}.base_url is not set"))?;
    let settings = HostedSettings { table: table.to_owned(), protocol, base_url, api_key: settings.api_key.clone() };
    Ok(Arc::new(Hosted::new(settings).map_err(|error| error.to_string())?))
}

/// All that can be asked, the model of agents that name none, and what is wrong with the others.
///
/// A table without the key it needs is left out without a word: the four built-in tables are always there.
#[must_use]
pub fn all(config: &Config) -> (Models, Option<ModelRef>, Vec<String>) {
    let mut models = Models::default();
    let mut problems = Vec::new();
    for (table, settings) in config.models.iter().filter(|(_, settings)| is_usable(settings)) {
        match provider(settings, table) {
            Ok(provider) => models = models.with(table.clone(), provider),
            Err(problem) => problems.push(problem),
        }
    }
    let refers = |table: &str, model: &str| ModelRef { table: table.to_owned(), model: model.to_owned() };
    let keyed = DEFAULTS.iter().find(|(table, _)| {
        let has_key = config.models.get(*table).is_some_and(|settings| settings.api_key.is_some());
        has_key && models.get(table).is_some()
    });
    let default = keyed.map(|(table, model)| refers(table, model)).or_else(|| {
        let mut scripts = config.models.iter().filter(|(_, settings)| settings.provider == Protocol::Script);
        let (table, _) = scripts.find(|(table, _)| models.get(table).is_some())?;
        Some(refers(table, "script"))
    });
    (models, default, problems)
}

/// Whether it has the key it needs. Somebody else's server that speaks OpenAI's protocol may need none.
pub(crate) fn is_usable(settings: &ModelSettings) -> bool {
    let is_own = |host: &str| settings.base_url.as_ref().and_then(url::Url::host_str) == Some(host);
    match settings.provider {
        Protocol::Ollama | Protocol::Script => true,
        Protocol::OpenAi => settings.api_key.is_some() || !is_own("api.openai.com"),
        Protocol::Anthropic | Protocol::Gemini => settings.api_key.is_some(),
    }
}

/// As [`all`], with the rehearsal script as the default where there is no other.
///
/// # Errors
/// Never with the script that ships.
pub fn or_rehearsal(config: &Config) -> Result<(Models, Option<ModelRef>, Vec<String>), model::ScriptError> {
    let (models, default, problems) = all(config);
    if default.is_some() {
        return Ok((models, default, problems));
    }
    let default = ModelRef { table: REHEARSAL.to_owned(), model: "script".to_owned() };
    Ok((models.with(REHEARSAL, Arc::new(Script::rehearsal()?)), Some(default), problems))
}
