//! `skill.load`: the whole of a skill, once its description made it look useful.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of};
use crate::agent::nearest;
use crate::journal::Effect;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The skill's name, as listed.
    name: String,
}

/// `skill.load`. What it gives is the operator's own text and therefore not fenced.
#[derive(Debug)]
pub(super) struct Load(ToolSpec);

impl Load {
    pub(super) fn new() -> Self {
        Self(ToolSpec {
            name: "skill.load",
            description: "Loads one of your skills: instructions for a kind of task. Load it before you begin such a task.",
            parameters: schema_of::<Arguments>(),
            returns: None,
            effect: Effect::Read,
            class: Class::ReadTrusted,
            platform: None,
            deadline: Duration::from_secs(5),
            output_bytes: 64 * 1024,
        })
    }
}

#[async_trait]
impl Tool for Load {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let Arguments { name } = parse_arguments(arguments)?;
        if let Some(skill) = context.skills.iter().find(|skill| skill.name == name) {
            return Ok(format!("# Skill {}\n\n{}", skill.name, skill.body));
        }
        let names = || context.skills.iter().map(|skill| skill.name.as_str());
        Err(ToolError::Failed(match (nearest(&name, names()), names().next()) {
            (Some(near), _) => format!("You have no such skill. Did you mean `{near}`?"),
            (None, Some(_)) => {
                format!("You have no such skill. Yours are: {}.", names().collect::<Vec<_>>().join(", "))
            }
            (None, None) => "You have no skills.".to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::agent::Skill;
    use crate::tool::tests::context;

    #[tokio::test]
    async fn a_skill_is_loaded_by_its_name_and_by_no_path() {
        let mut context = context();
        let tool = Load::new();
        let said = tool.call(&context, &json!({ "name": "x" })).await.unwrap_err().to_string();
        assert_eq!(said, "You have no skills.");
        let skill = Skill { name: "reproduce-bug".into(), description: "d".into(), body: "First, ...".into() };
        context.skills = Arc::new(vec![skill]);
        let loaded = tool.call(&context, &json!({ "name": "reproduce-bug" })).await.unwrap();
        assert_eq!(loaded, "# Skill reproduce-bug\n\nFirst, ...");
        let said = tool.call(&context, &json!({ "name": "reproduce-bugs" })).await.unwrap_err().to_string();
        assert_eq!(said, "You have no such skill. Did you mean `reproduce-bug`?");
        let said = tool.call(&context, &json!({ "name": "../../etc/passwd" })).await.unwrap_err().to_string();
        assert_eq!(said, "You have no such skill. Yours are: reproduce-bug.");
    }
}
