//! `reveille agents`: the agents and what is wrong with them.

use serde::Serialize;

use super::context::Context;
use super::failure::{Code, Failure};
use super::listing::{Listing, Tone};
use crate::agent::{self, Agent, AgentError, Loaded, Reach, WakeRule};
use crate::config::Mode;
use crate::config::schema::nearest;

/// Arguments of `agents`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List them (this is what `agents` alone does)
    List,
    /// Show one
    Show {
        /// Its name
        name: String,
    },
}

/// An agent in `--json`. The names stay.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    description: &'a str,
    /// `TABLE/MODEL`, then those it falls back to.
    models: Vec<String>,
    instance: agent::Scope,
    wake: &'a [WakeRule],
    skills: Vec<&'a str>,
    tools: &'a [String],
    reach: &'a [Reach],
    /// SHA-256 of the definition.
    hash: &'a str,
}

/// A mistake in `--json`. The names stay.
#[derive(Debug, Serialize)]
struct Mistake<'a> {
    agent: &'a str,
    file: String,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

/// What `agents --json` prints.
#[derive(Debug, Serialize)]
struct All<'a> {
    agents: Vec<Row<'a>>,
    errors: Vec<Mistake<'a>>,
}

impl<'a> From<&'a Agent> for Row<'a> {
    fn from(agent: &'a Agent) -> Self {
        Self {
            name: &agent.name,
            description: &agent.description,
            models: models(agent),
            instance: agent.scope,
            wake: &agent.wake,
            skills: agent.skills.iter().map(|skill| skill.name.as_str()).collect(),
            tools: &agent.tools,
            reach: &agent.reach,
            hash: &agent.hash,
        }
    }
}

impl<'a> From<&'a AgentError> for Mistake<'a> {
    fn from(error: &'a AgentError) -> Self {
        Self {
            agent: &error.name,
            file: error.path.display().to_string(),
            line: error.line,
            column: error.column,
            message: &error.message,
            help: error.advice.as_deref(),
        }
    }
}

pub(super) fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let config = context.load(Mode::Tool, Vec::new())?;
    let loaded = agent::load_all(&config.agents.dir);
    if let Some(Action::Show { name }) = &args.action {
        return show(context, args, &loaded, name);
    }
    let Loaded { agents, errors } = loaded;
    if args.json {
        let all =
            All { agents: agents.iter().map(Row::from).collect(), errors: errors.iter().map(Mistake::from).collect() };
        context.output.json(&all)?;
    } else if agents.is_empty() && errors.is_empty() {
        let dir = config.agents.dir.display();
        context
            .output
            .line(format!("No agents yet in {dir}. `reveille init` makes a first one: a folder with an AGENT.md."))?;
    } else if !agents.is_empty() {
        let mut listing = Listing::new(&["AGENT", "MODEL", "WAKES ON", "DOES"]);
        for agent in &agents {
            let model = models(agent).into_iter().next().unwrap_or_else(|| "the default".into());
            let wakes = agent.wake.iter().map(wakes_on).collect::<Vec<_>>().join("; ");
            listing.row([agent.name.clone().into(), model.into(), wakes.into(), agent.description.clone().into()]);
        }
        context.output.listing(&listing)?;
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::agents(errors)) }
}

fn show(context: &mut Context, args: &Args, loaded: &Loaded, name: &str) -> Result<(), Failure> {
    let agent = named(&loaded.agents, &loaded.errors, name)?;
    if args.json {
        context.output.json(&Row::from(agent))?;
        return Ok(());
    }
    let mut listing = Listing::new(&[]);
    let mut line = |key: &str, value: String| {
        listing.row([super::Cell::new(key, Tone::Quiet), value.into()]);
    };
    line("agent", agent.name.clone());
    line("does", agent.description.clone());
    line("models", models(agent).join(", "));
    line("instance", format!("one per {}", format!("{:?}", agent.scope).to_lowercase()));
    for rule in &agent.wake {
        line("wakes on", wakes_on(rule));
    }
    line("tools", agent.tools.join(", "));
    for reach in &agent.reach {
        line("reaches", format!("{} {}", reach.on, reach.places.join(", ")));
    }
    line("skills", agent.skills.iter().map(|skill| skill.name.as_str()).collect::<Vec<_>>().join(", "));
    let limits = agent.limits;
    line(
        "a turn has",
        format!("{} minutes, {} tokens, {} tool calls", limits.wall_ms / 60_000, limits.tokens, limits.tool_calls),
    );
    line("definition", agent.hash.clone());
    context.output.listing(&listing)?;
    context.output.line(format!("\n{}", agent.instructions.trim_end()))?;
    Ok(())
}

/// The agent of this name, or what is wrong with its files, or who else is meant.
pub(super) fn named<'a>(agents: &'a [Agent], errors: &[AgentError], name: &str) -> Result<&'a Agent, Failure> {
    if let Some(agent) = agents.iter().find(|agent| agent.name == name) {
        return Ok(agent);
    }
    let own: Vec<_> = errors.iter().filter(|error| error.name == name).cloned().collect();
    if !own.is_empty() {
        return Err(Failure::agents(own));
    }
    let near = nearest(name, agents.iter().map(|agent| agent.name.as_str()));
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    Err(Failure::new(
        Code::UnknownAgent,
        format!("there is no agent `{name}`"),
        format!("{near}`reveille agents` lists them"),
    ))
}

fn models(agent: &Agent) -> Vec<String> {
    agent.models.iter().map(|model| format!("{}/{}", model.table, model.model)).collect()
}

/// A wake rule in words.
fn wakes_on(rule: &WakeRule) -> String {
    let mut ways: Vec<String> = Vec::new();
    if rule.mention {
        ways.push("mention".into());
    }
    if rule.delegate {
        ways.push("delegation".into());
    }
    if rule.direct {
        ways.push("direct message".into());
    }
    if rule.follow_up {
        ways.push("follow-up".into());
    }
    ways.extend(rule.command.iter().map(|command| format!("/{command}")));
    ways.extend(rule.events.iter().cloned());
    let places = [rule.channels.as_slice(), rule.repositories.as_slice()].concat();
    let places = if places.is_empty() { String::new() } else { format!(" in {}", places.join(", ")) };
    format!("{} {}{places}", rule.on, ways.join(", "))
}
