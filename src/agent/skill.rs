//! Skills: `skills/NAME/SKILL.md` in the public Agent Skills layout (agentskills.io, "Specification").

use std::path::Path;

use super::Skill;
use super::error::{AgentError, Problems};
use super::names;
use super::parse::open;

/// What the specification allows in the front matter. Only the first two mean something here; in particular
/// `allowed-tools` grants nothing, for a skill never has more rights than its agent.
const KEYS: &[&str] = &["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

/// The skills an agent can choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skills {
    /// Those of its own folder: it has all of them unless `skills:` names some.
    pub own: Vec<Skill>,
    /// Those beside `agents/`: it has those that `skills:` names.
    pub shared: Vec<Skill>,
    /// Names of those that are there and cannot be read.
    pub broken: Vec<String>,
}

/// Reads a skill's file. `name` is that of its folder.
pub(super) fn parse(name: &str, path: &Path, source: &str) -> Result<Skill, Vec<AgentError>> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut problems = Problems::new(name, path, source);
    if !names::is_name(name) {
        let advice = Some("rename the folder: 1 to 64 of a-z, 0-9 and -".to_owned());
        problems.add(0..0, format!("`{name}` cannot name a skill"), advice);
    }
    let Some((node, body)) = open(source, "a skill", &mut problems) else { return Err(problems.into_errors()) };
    let (mut named, mut description) = (false, None);
    for (key, value) in node.entries(&mut problems) {
        match key.text.as_str() {
            "name" => {
                named = true;
                if let Some(text) = value.text(&mut problems)
                    && text != name
                {
                    let message = format!("the name `{text}` is not that of the folder, `{name}`");
                    problems.add(value.at.clone(), message, Some("rename one of them".to_owned()));
                }
            }
            "description" => description = Some(value.text(&mut problems).unwrap_or_default().trim().to_owned()),
            other if KEYS.contains(&other) => {}
            other => problems.add_unknown(key.at.clone(), "key of a skill", other, KEYS),
        }
    }
    if !named {
        problems.add(0..3, "the key `name` is missing", Some(format!("add `name: {name}`")));
    }
    if description.is_none() {
        let advice = Some("add `description: ...`: what it is for and when to load it".to_owned());
        problems.add(0..3, "the key `description` is missing", advice);
    }
    if !problems.is_empty() {
        return Err(problems.into_errors());
    }
    Ok(Skill { name: name.to_owned(), description: description.unwrap_or_default(), body: body.to_owned() })
}
