//! `linear.list_issues`, `linear.search_issues`, `linear.list_states`, `linear.list_labels`, `linear.list_projects`.

use async_trait::async_trait;
use reveille_linear::{Issue, MOST_PER_PAGE};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::read::{day, labels, state, who};
use super::{LinearConnections, failed, place, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most bytes a list takes.
const LIST_BYTES: usize = 32 * 1024;

/// Issues, a line each.
fn shown(context: &ToolContext, what: &str, issues: &[Issue]) -> String {
    if issues.is_empty() {
        return format!("There are none: {what}.");
    }
    let lines: Vec<String> = issues
        .iter()
        .map(|issue| {
            let title: String = issue.title.chars().take(160).collect();
            format!(
                "{} {title} [{}; {}; labels: {}; assignee: {}; changed {}]",
                issue.identifier,
                state(issue),
                issue.priority_label,
                labels(issue),
                who(issue.assignee.as_ref()),
                day(issue.updated_at_ms)
            )
        })
        .collect();
    from_outside(context, &[("what", what)], &lines.join("\n"), LIST_BYTES)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListArguments {
    /// Only issues whose state is of this type: triage, backlog, unstarted, started, completed or canceled.
    #[serde(default)]
    state_type: Option<String>,
    /// How many at most, those changed last; 25 if left out, 100 at most.
    #[serde(default)]
    first: Option<u32>,
}

/// `linear.list_issues`.
#[derive(Debug)]
pub(crate) struct ListIssues {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl ListIssues {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.list_issues",
            "The issues of this team, those changed last first.",
            schema_of::<ListArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            40 * 1024,
        );
        Self { spec, connections }
    }
}

const STATE_TYPES: [&str; 6] = ["triage", "backlog", "unstarted", "started", "completed", "canceled"];

#[async_trait]
impl Tool for ListIssues {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let ListArguments { state_type, first } = parse_arguments(arguments)?;
        if let Some(kind) = state_type.as_deref().filter(|kind| !STATE_TYPES.contains(kind)) {
            let kind: String = kind.chars().filter(|character| !character.is_control()).take(40).collect();
            return Err(ToolError::Failed(format!(
                "`{kind}` is no type of state; there are {}.",
                STATE_TYPES.join(", ")
            )));
        }
        let place = place(&self.connections, context)?;
        let team = place.team().await?;
        let first = first.unwrap_or(25).clamp(1, MOST_PER_PAGE);
        let api = place.linear.api();
        let page = api.list_issues(&team, state_type.as_deref(), first, None).await.map_err(failed("The issues"))?;
        let more = if page.page_info.has_next_page { "\nThere are more." } else { "" };
        Ok(format!("{}{more}", shown(context, "issues of this team", &page.nodes)))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArguments {
    /// Words to look for in titles, descriptions and identifiers.
    term: String,
    /// How many at most; 10 if left out, 50 at most.
    #[serde(default)]
    first: Option<u32>,
}

/// `linear.search_issues`.
#[derive(Debug)]
pub(crate) struct SearchIssues {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl SearchIssues {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.search_issues",
            "Issues of this team by words: for duplicates and for what was decided before.",
            schema_of::<SearchArguments>(),
            (Effect::Read, Class::ReadUntrusted),
            24 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for SearchIssues {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let SearchArguments { term, first } = parse_arguments(arguments)?;
        let term: String = term.trim().chars().take(300).collect();
        if term.is_empty() {
            return Err(ToolError::Failed("Give words to look for.".to_owned()));
        }
        let place = place(&self.connections, context)?;
        let team = place.team().await?;
        let first = first.unwrap_or(10).clamp(1, 50);
        let found = place.linear.api().search_issues(&term, &team, first).await.map_err(failed("The search"))?;
        Ok(shown(context, "issues found", &found))
    }
}

/// A list of names that the model chooses from.
macro_rules! list_tool {
    ($(#[$doc:meta])* $tool:ident, $name:literal, $description:literal, $what:literal, $context:ident, $api:ident, $team:ident => $lines:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $tool {
            spec: ToolSpec,
            connections: LinearConnections,
        }

        impl $tool {
            pub(super) fn new(connections: LinearConnections) -> Self {
                let spec =
                    spec($name, $description, schema_of::<Nothing>(), (Effect::Read, Class::ReadUntrusted), 16 * 1024);
                Self { spec, connections }
            }
        }

        #[async_trait]
        impl Tool for $tool {
            fn spec(&self) -> &ToolSpec {
                &self.spec
            }

            async fn call(&self, $context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
                let Nothing {} = parse_arguments(arguments)?;
                let place = place(&self.connections, $context)?;
                let ($api, $team) = (place.linear.api(), place.team().await?);
                let lines: Vec<String> = $lines;
                Ok(from_outside($context, &[("what", $what)], &lines.join("\n"), 12 * 1024))
            }
        }
    };
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

list_tool!(
    /// `linear.list_states`.
    ListStates, "linear.list_states", "The states that issues of this team can have, in the order of its workflow.",
    "states of this team", context, api, team => {
        let states = api.list_states(&team).await.map_err(failed("The states"))?;
        states.iter().map(|state| format!("{} ({}) id {}", state.name, state.kind, state.id)).collect()
    }
);

list_tool!(
    /// `linear.list_labels`.
    ListLabels, "linear.list_labels", "The labels that issues of this team can have.",
    "labels of this team", context, api, team => {
        let labels = api.list_labels(&team).await.map_err(failed("The labels"))?;
        labels.iter().map(|label| format!("{} id {} {}", label.name, label.id, label.description)).collect()
    }
);

list_tool!(
    /// `linear.list_projects`.
    ListProjects, "linear.list_projects", "The projects of this team.",
    "projects of this team", context, api, team => {
        let projects = api.list_projects(&team).await.map_err(failed("The projects"))?;
        projects.iter().map(|project| format!("{} id {} {}", project.name, project.id, project.description)).collect()
    }
);
