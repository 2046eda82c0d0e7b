//! The models that agents name: whether each has what it needs, and whether it answers.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;

use super::Check;
use crate::agent::Agent;
use crate::config::{Config, ModelSettings, Protocol};
use crate::model::ModelError;
use crate::models;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn check(config: &Config, agents: &[Agent]) -> Vec<Check> {
    let mut used: BTreeSet<&str> =
        agents.iter().flat_map(|agent| &agent.models).map(|model| model.table.as_str()).collect();
    let (_, default, _) = models::all(config);
    let needs_default = agents.iter().any(|agent| agent.models.is_empty());
    if needs_default {
        used.extend(default.as_ref().map(|model| model.table.as_str()));
    }
    let tables = used.into_iter().filter_map(|table| Some((table, config.models.get(table)?)));
    let mut checks = join_all(tables.map(|(table, settings)| one(table, settings))).await;
    if needs_default && default.is_none() {
        let found = "none: agents without a `model:` line cannot answer";
        checks.push(Check::warn("models", found, "set ANTHROPIC_API_KEY in .env, or add a table under [models]"));
    }
    checks
}

async fn one(table: &str, settings: &ModelSettings) -> Check {
    let name = format!("models.{table}");
    let provider = settings.provider.as_str();
    if !models::is_usable(settings) {
        let fix = format!("set the variable that [models.{table}] api_key names");
        return Check::warn(name, format!("{provider}, without a key"), fix);
    }
    let made = match models::provider(settings, table) {
        Ok(made) => made,
        Err(problem) if settings.provider == Protocol::Script => {
            return Check::fail(name, problem, "name the file that is to be played");
        }
        Err(problem) => return Check::fail(name, problem, format!("look at [models.{table}]")),
    };
    match tokio::time::timeout(DEADLINE, made.check()).await {
        Ok(Ok(found)) => Check::ok(name, format!("{provider}, {found}")),
        Ok(Err(ModelError::Retry { reason, .. })) => {
            let fix = format!("look at models.{table}.base_url and at the network, then try again");
            Check::warn(name, reason, fix)
        }
        Ok(Err(ModelError::Fatal { reason })) => Check::fail(name, reason, format!("look at [models.{table}]")),
        Err(_) => {
            let found = format!("{provider}, no answer within {} s", DEADLINE.as_secs());
            Check::warn(name, found, format!("look at models.{table}.base_url and at the network"))
        }
    }
}
