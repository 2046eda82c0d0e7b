//! `slack.get_person`: what a colleague would see of somebody.

use reveille_slack::Person;
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::PersonValue;
use super::{SlackConnections, failed, slack, within};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError, from_outside};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PersonArguments {
    /// The person's id, such as U012AB3CD, as it stands in a mention; whoever asked if left out.
    #[serde(default)]
    id: Option<String>,
}

answering_tool!(
    /// `slack.get_person`.
    GetPerson of SlackConnections, "slack.get_person",
    "Somebody of this workspace by their id: name, title, time zone and status.",
    PersonArguments, (Read, ReadUntrusted), 2 * 1024 => get_person -> OnePerson
);

/// Somebody, by the id that was asked for.
struct OnePerson(Person);

impl Answer for OnePerson {
    type Value = PersonValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self(person) = self;
        let kind = if person.is_bot { "a program" } else { "a person" };
        let text = format!(
            "Name: {}\nTitle: {}\nTime zone: {}\nStatus: {}",
            person.name, person.title, person.time_zone, person.status
        );
        let id = &person.id;
        format!("{id} is {kind}.\n\n{}", from_outside(context, &[("profile-of", id)], &text, 1_024))
    }

    fn into_value(self) -> PersonValue {
        self.0.into()
    }
}

async fn get_person(
    connections: &SlackConnections,
    context: &ToolContext,
    PersonArguments { id }: PersonArguments,
) -> Result<OnePerson, ToolError> {
    let id = id.unwrap_or_else(|| context.actor.id.clone()).trim_start_matches('@').to_uppercase();
    let is_id = id.starts_with(['U', 'W']) && id.len() <= 24 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id {
        return Err(ToolError::Failed("Give the person's id, such as U012AB3CD: it stands in mentions.".to_owned()));
    }
    let here = slack(connections, context)?;
    let workspace = here.workspace();
    if id != context.actor.id {
        within(workspace, context).await?;
    }
    let person = workspace.person(&id).await.map_err(failed("The person"))?;
    Ok(OnePerson(Person { id, ..person }))
}
