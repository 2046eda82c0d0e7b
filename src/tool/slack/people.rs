//! `slack.get_person`: what a colleague would see of somebody.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{SlackConnections, failed, slack, spec, within};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PersonArguments {
    /// The person's id, such as U012AB3CD, as it stands in a mention; whoever asked if left out.
    #[serde(default)]
    id: Option<String>,
}

/// `slack.get_person`.
#[derive(Debug)]
pub(super) struct GetPerson {
    spec: ToolSpec,
    connections: SlackConnections,
}

impl GetPerson {
    pub(super) fn new(connections: SlackConnections) -> Self {
        let spec = spec(
            "slack.get_person",
            "Somebody of this workspace by their id: name, title, time zone and status.",
            schema_of::<PersonArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            2 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for GetPerson {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let PersonArguments { id } = parse_arguments(arguments)?;
        let id = id.unwrap_or_else(|| context.actor.id.clone()).trim_start_matches('@').to_uppercase();
        let is_id = id.starts_with(['U', 'W']) && id.len() <= 24 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_id {
            return Err(ToolError::Failed(
                "Give the person's id, such as U012AB3CD: it stands in mentions.".to_owned(),
            ));
        }
        let here = slack(&self.connections, context)?;
        let workspace = here.workspace();
        if id != context.actor.id {
            within(workspace, context).await?;
        }
        let person = workspace.person(&id).await.map_err(failed("The person"))?;
        let kind = if person.is_bot { "a program" } else { "a person" };
        let text = format!(
            "Name: {}\nTitle: {}\nTime zone: {}\nStatus: {}",
            person.name, person.title, person.time_zone, person.status
        );
        Ok(format!("{id} is {kind}.\n\n{}", from_outside(context, &[("profile-of", &id)], &text, 1_024)))
    }
}
