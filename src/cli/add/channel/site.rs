//! What the platform's adapter has to know to say how its app is set up.

use std::collections::BTreeMap;

use reveille_channel::Site;

use super::Common;
use super::wish::Wish;
use crate::agent;
use crate::cli::add::project::Project;
use crate::config::{self, Config};

/// What the platform's adapter has to know.
pub(super) fn site(
    project: &Project,
    config: &Config,
    wish: &Wish,
    keys: &BTreeMap<String, String>,
    common: &Common,
) -> Site {
    let agents = agent::load_all(&config.agents.dir).agents;
    let is_here = |on: &str| on == wish.platform || on == wish.name;
    let rules = || {
        agents
            .iter()
            .flat_map(|agent| agent.wake.iter().map(move |rule| (agent, rule)))
            .filter(|(_, rule)| is_here(&rule.on))
    };
    let mut commands: Vec<(String, String)> = Vec::new();
    for (agent, rule) in rules() {
        if let Some(name) = &rule.command
            && !commands.iter().any(|(known, _)| known == name)
        {
            commands.push((name.clone(), agent.description.clone()));
        }
    }
    let called = rules().find(|(_, rule)| rule.mention || rule.delegate).map(|(agent, _)| agent.name.clone());
    let place = |(key, value): (&String, &String)| {
        let place = match value.split_once(':') {
            Some(("env", variable)) => format!("`{variable}` in `.env`"),
            Some(("file", file)) => format!("the file `{file}`"),
            _ => format!("`{key}` in `{}`", project.shown(&project.path)),
        };
        (key.clone(), place)
    };
    let is_reference = |value: &str| value.starts_with("env:") || value.starts_with("file:");
    let is_open = |(key, value): &(&String, &String)| config::schema::is_public(key) && !is_reference(value);
    let api = keys
        .get("api_base_url")
        .cloned()
        .or_else(|| config.channels.get(&wish.name).map(|it| it.api_base_url().to_string()));
    Site {
        connection: wish.name.clone(),
        public_url: config.server.public_url.as_ref().map(ToString::to_string),
        api_base_url: api.unwrap_or_else(|| config::usual_api(wish.platform).to_owned()),
        app_name: common.app_name.clone().or(called).unwrap_or_else(|| "assistant".to_owned()),
        commands,
        events: rules().flat_map(|(_, rule)| rule.events.clone()).collect(),
        tools: agents.iter().flat_map(|agent| agent.tools.iter().cloned()).collect(),
        kept: keys.iter().map(place).collect(),
        values: keys.iter().filter(is_open).map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}
