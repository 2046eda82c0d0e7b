//! The models that agents name: whether each has what it needs.

use std::collections::BTreeSet;

use super::Check;
use crate::agent::Agent;
use crate::config::{Config, Protocol};

pub(super) fn check(config: &Config, agents: &[Agent]) -> Vec<Check> {
    let used: BTreeSet<&str> =
        agents.iter().flat_map(|agent| &agent.models).map(|model| model.table.as_str()).collect();
    let one = |table: &str| {
        let settings = config.models.get(table)?;
        let name = format!("models.{table}");
        let provider = settings.provider.as_str();
        Some(match settings.provider {
            Protocol::Anthropic | Protocol::OpenAi | Protocol::Gemini if settings.api_key.is_none() => {
                let fix = format!("set the variable that [models.{table}] api_key names");
                Check::warn(name, format!("{provider}, without a key"), fix)
            }
            Protocol::Script => {
                let path = settings.script.clone().unwrap_or_default();
                if path.is_file() {
                    Check::ok(name, format!("plays {}", path.display()))
                } else {
                    Check::fail(name, format!("{} is not there", path.display()), "name the file that is to be played")
                }
            }
            _ => Check::ok(name, format!("{provider}, not asked")),
        })
    };
    used.into_iter().filter_map(one).collect()
}
