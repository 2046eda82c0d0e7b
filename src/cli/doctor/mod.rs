//! `reveille doctor`: looks at everything a gateway rests on and says how to mend what is wrong. It changes nothing.

mod connections;
mod database;
mod disk;
mod models;
mod network;

pub(super) use connections::one as connection;

use serde::Serialize;

use super::context::Context;
use super::failure::{Code, Failure};
use super::listing::{Cell, Listing, Tone};
use crate::agent::{self, Loaded};
use crate::config::{self, Config, Mode, Problem, Storage};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Ok,
    /// It works, and something is doubtful.
    Warn,
    /// It will not work.
    Fail,
    /// There was nothing to look at.
    Skip,
}

/// One line. In `--json` the names stay.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    name: String,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// What `doctor --json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    ok: bool,
    checks: &'a [Check],
}

impl Check {
    /// It will not work.
    pub(super) fn is_bad(&self) -> bool {
        self.state == State::Fail
    }

    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), fix: None }
    }

    fn skip(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Skip, found: found.into(), fix: None }
    }

    fn warn(name: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    fn fail(name: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Fail, found: found.into(), fix: Some(fix.into()) }
    }
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let (mut checks, is_configured) = configuration(context);
    // What can be read of it serves the other checks; a file that cannot be read at all ends here.
    let is_readable = match context.load(Mode::Tool, Vec::new()) {
        Ok(config) => {
            checks.extend(look_at(&config).await);
            true
        }
        Err(failure) if failure.exit_code() == config::ConfigErrors::EXIT_CODE => false,
        Err(failure) => return Err(failure),
    };
    let ok = !checks.iter().any(Check::is_bad);
    if args.json {
        context.output.json(&Report { ok, checks: &checks })?;
    } else {
        context.output.listing(&table(&checks))?;
        if !is_readable {
            context.output.line("\nThe rest is looked at once the configuration can be read.")?;
        }
    }
    if ok {
        return Ok(());
    }
    let bad = checks.iter().filter(|check| check.is_bad()).count();
    let lines = if bad == 1 { "line is" } else { "lines are" };
    let failure =
        Failure::new(Code::Unwell, format!("{bad} {lines} wrong"), "the table says how to mend it, from the top");
    Err(if is_configured { failure } else { failure.exiting_with(config::ConfigErrors::EXIT_CODE) })
}

/// The configuration as `serve` sees it, and whether it would start with it.
fn configuration(context: &Context) -> (Vec<Check>, bool) {
    let line = |problem: &Problem| {
        let name = if problem.key.is_empty() { "configuration".to_owned() } else { problem.key.clone() };
        let found = format!("{}: {} ({})", problem.place, problem.what, problem.code);
        if problem.is_warning {
            Check::warn(name, found, &problem.help)
        } else {
            Check::fail(name, found, &problem.help)
        }
    };
    match config::load_from(&context.inputs(Vec::new()), Mode::Serve) {
        Ok(config) => {
            let path = config.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
            let mut checks = vec![Check::ok("configuration", path)];
            checks.extend(config.warnings.iter().map(line));
            (checks, true)
        }
        Err(errors) => (errors.problems.iter().map(line).collect(), false),
    }
}

async fn look_at(config: &Config) -> Vec<Check> {
    let Storage::Folder(folder) = &config.storage;
    let loaded = agent::load_all(&config.agents.dir);
    let mut checks = agents(config, &loaded);
    checks.extend(disk::check(folder));
    checks.extend(database::check(folder).await);
    checks.extend(models::check(config, &loaded.agents).await);
    checks.extend(connections::check(config).await);
    checks.extend(network::check(config).await);
    checks
}

fn agents(config: &Config, loaded: &Loaded) -> Vec<Check> {
    let mut checks = Vec::new();
    match loaded.agents.len() {
        0 if loaded.errors.is_empty() => {
            let found = format!("none in {}", config.agents.dir.display());
            checks.push(Check::warn("agents", found, "`reveille init` makes a first one"));
        }
        0 => {}
        _ => {
            let names: Vec<_> = loaded.agents.iter().map(|agent| agent.name.as_str()).collect();
            checks.push(Check::ok("agents", names.join(", ")));
        }
    }
    for error in &loaded.errors {
        let name = if error.name.is_empty() { "agents".to_owned() } else { format!("agent {}", error.name) };
        checks.push(Check::fail(name, error.to_string(), error.advice.clone().unwrap_or_default()));
    }
    let connections: Vec<_> =
        config.channels.iter().map(|(name, settings)| (name.as_str(), settings.platform())).collect();
    for agent in &loaded.agents {
        for (name, near) in agent.unknown_connections(&connections) {
            let fix = near.map_or_else(
                || "name a platform or a table under [channels]".into(),
                |near| format!("did you mean `{near}`?"),
            );
            checks.push(Check::warn(format!("agent {}", agent.name), format!("there is no connection `{name}`"), fix));
        }
        for name in agent.without_reach(&connections) {
            let found = format!("`reach: {name}` is no connection to GitHub");
            let fix = "only connections to GitHub have a reach: take the line out";
            checks.push(Check::warn(format!("agent {}", agent.name), found, fix));
        }
        for model in &agent.models {
            if !config.models.contains_key(&model.table) {
                let near = config::schema::nearest(&model.table, config.models.keys().map(String::as_str));
                let fix = near.map_or_else(
                    || format!("add [models.{}]", model.table),
                    |near| format!("add [models.{}], or write `{near}/{}`", model.table, model.model),
                );
                checks.push(Check::fail(
                    format!("agent {}", agent.name),
                    format!("there is no model table `{}`", model.table),
                    fix,
                ));
            }
        }
    }
    checks
}

pub(super) fn table(checks: &[Check]) -> Listing {
    let mut listing = Listing::new(&["", "CHECK", "FOUND", "FIX"]);
    for check in checks {
        let (word, tone) = match check.state {
            State::Ok => ("ok", Tone::Good),
            State::Warn => ("WARN", Tone::Doubtful),
            State::Fail => ("FAIL", Tone::Bad),
            State::Skip => ("-", Tone::Quiet),
        };
        let fix = check.fix.clone().unwrap_or_default();
        listing.row([Cell::new(word, tone), check.name.clone().into(), check.found.clone().into(), fix.into()]);
    }
    listing
}
