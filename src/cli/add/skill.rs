//! `reveille add skill AGENT NAME`: know-how that an agent loads when it needs it, to be filled in.

use super::project::{self, Project};
use crate::agent;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::config::schema;

/// Arguments of `add skill`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose it is
    agent: String,

    /// Its name: 1 to 64 of a-z, 0-9 and -
    name: String,

    /// What it is and when to load it: the agent sees this, and decides by it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

pub(super) fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    if !agent::is_name(&args.name) {
        let what = format!("`{}` cannot name a skill", args.name);
        return Err(Failure::new(Code::Addition, what, "choose 1 to 64 of a-z, 0-9 and -"));
    }
    let project = Project::open(context)?;
    let folder = &project.config.agents.dir;
    let home = folder.join(&args.agent);
    if !agent::is_name(&args.agent) || !home.join("AGENT.md").exists() {
        let loaded = agent::load_all(folder);
        let near = schema::nearest(&args.agent, loaded.agents.iter().map(|agent| agent.name.as_str()));
        let help = near.map_or_else(
            || format!("`reveille add agent {}` makes it; `reveille agents` lists those that are there", args.agent),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::new(Code::UnknownAgent, format!("there is no agent `{}`", args.agent), help));
    }
    let path = home.join("skills").join(&args.name).join("SKILL.md");
    if path.symlink_metadata().is_ok() {
        let what = format!("{} is there already", project.shown(&path));
        return Err(Failure::new(Code::Addition, what, "change it, or choose another name").exiting_with(1));
    }
    let default = format!("How to handle {}. Load it when somebody asks about it.", args.name.replace('-', " "));
    project::write(&path, &template(&args.name, args.description.as_deref().unwrap_or(&default)), false)?;
    context.output.line(format!("wrote  {}: what it is, and what to do", project.shown(&path)))?;
    let loaded = agent::load_all(folder);
    let of_theirs: Vec<_> = loaded.errors.into_iter().filter(|error| error.name == args.agent).collect();
    if !of_theirs.is_empty() {
        return Err(Failure::agents(of_theirs));
    }
    let agent = loaded.agents.iter().find(|agent| agent.name == args.agent);
    let is_named = agent.is_some_and(|agent| agent.skills.iter().any(|skill| skill.name == args.name));
    let can_load = agent.is_some_and(|agent| agent.tools.iter().any(|tool| agent::matches_pattern(tool, "skill.load")));
    let file = project.shown(&home.join("AGENT.md"));
    if !is_named {
        context.output.line(format!("\nThe agent names its skills: add `{}` to `skills` in {file}.", args.name))?;
    }
    if !can_load {
        context.output.line(format!("\nThe agent cannot load any yet: add `skill.load` to `tools` in {file}."))?;
    }
    context
        .output
        .line("\nWhat next: write the steps below the second `---`. `reveille dev` takes them up at once.")?;
    Ok(())
}

fn template(name: &str, description: &str) -> String {
    let quoted = serde_json::Value::from(description.trim());
    format!(
        "---\nname: {name}\ndescription: {quoted}\n---\n# {}\n\n1. Find out what is asked, and read the thread where it was said.\n\
         2. Do it: write down here how, one step after the other.\n3. Say what was done, and what is left.\n",
        name.replace('-', " ")
    )
}
