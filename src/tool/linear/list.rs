//! `linear.list_issues`, `linear.search_issues`, `linear.list_states`, `linear.list_labels`, `linear.list_projects`.

use reveille_linear::{Issue, MOST_PER_PAGE, Named, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::{day, labels, state, who};
use super::value::{IssueValue, NamedValue, StateValue, listed};
use super::{LinearConnections, failed, place};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError, from_outside};

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

answering_tool!(
    /// `linear.list_issues`.
    ListIssues of LinearConnections, "linear.list_issues", "The issues of this team, those changed last first.",
    ListArguments, (Read, ReadUntrusted), 40 * 1024 => list_issues -> Issues
);

/// Issues, those changed last first.
struct Issues {
    issues: Vec<Issue>,
    has_more: bool,
}

/// What programs get of it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct IssuesValue {
    issues: Vec<IssueValue>,
    /// There are more than were asked for.
    has_more: bool,
}

impl Answer for Issues {
    type Value = IssuesValue;

    fn text(&self, context: &ToolContext) -> String {
        let more = if self.has_more { "\nThere are more." } else { "" };
        format!("{}{more}", shown(context, "issues of this team", &self.issues))
    }

    fn into_value(self) -> IssuesValue {
        IssuesValue { issues: listed(self.issues), has_more: self.has_more }
    }
}

const STATE_TYPES: [&str; 6] = ["triage", "backlog", "unstarted", "started", "completed", "canceled"];

async fn list_issues(
    connections: &LinearConnections,
    context: &ToolContext,
    ListArguments { state_type, first }: ListArguments,
) -> Result<Issues, ToolError> {
    if let Some(kind) = state_type.as_deref().filter(|kind| !STATE_TYPES.contains(kind)) {
        let kind: String = kind.chars().filter(|character| !character.is_control()).take(40).collect();
        return Err(ToolError::Failed(format!("`{kind}` is no type of state; there are {}.", STATE_TYPES.join(", "))));
    }
    let place = place(connections, context)?;
    let team = place.team().await?;
    let first = first.unwrap_or(25).clamp(1, MOST_PER_PAGE);
    let api = place.linear.api();
    let page = api.list_issues(&team, state_type.as_deref(), first, None).await.map_err(failed("The issues"))?;
    Ok(Issues { issues: page.nodes, has_more: page.page_info.has_next_page })
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

answering_tool!(
    /// `linear.search_issues`.
    SearchIssues of LinearConnections, "linear.search_issues",
    "Issues of this team by words: for duplicates and for what was decided before.",
    SearchArguments, (Read, ReadUntrusted), 24 * 1024 => search_issues -> Found
);

struct Found(Vec<Issue>);

impl Answer for Found {
    type Value = Vec<IssueValue>;

    fn text(&self, context: &ToolContext) -> String {
        shown(context, "issues found", &self.0)
    }

    fn into_value(self) -> Vec<IssueValue> {
        listed(self.0)
    }
}

async fn search_issues(
    connections: &LinearConnections,
    context: &ToolContext,
    SearchArguments { term, first }: SearchArguments,
) -> Result<Found, ToolError> {
    let term: String = term.trim().chars().take(300).collect();
    if term.is_empty() {
        return Err(ToolError::Failed("Give words to look for.".to_owned()));
    }
    let place = place(connections, context)?;
    let team = place.team().await?;
    let first = first.unwrap_or(10).clamp(1, 50);
    place.linear.api().search_issues(&term, &team, first).await.map_err(failed("The search")).map(Found)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

answering_tool!(
    /// `linear.list_states`.
    ListStates of LinearConnections, "linear.list_states",
    "The states that issues of this team can have, in the order of its workflow.",
    Nothing, (Read, ReadUntrusted), 16 * 1024 => list_states -> States
);

answering_tool!(
    /// `linear.list_labels`.
    ListLabels of LinearConnections, "linear.list_labels", "The labels that issues of this team can have.",
    Nothing, (Read, ReadUntrusted), 16 * 1024 => list_labels -> Names
);

answering_tool!(
    /// `linear.list_projects`.
    ListProjects of LinearConnections, "linear.list_projects", "The projects of this team.",
    Nothing, (Read, ReadUntrusted), 16 * 1024 => list_projects -> Names
);

/// Lines that a model chooses from.
fn chosen_from(context: &ToolContext, what: &str, lines: impl Iterator<Item = String>) -> String {
    from_outside(context, &[("what", what)], &lines.collect::<Vec<_>>().join("\n"), 12 * 1024)
}

/// The states of a workflow, in its order.
struct States(Vec<State>);

impl Answer for States {
    type Value = Vec<StateValue>;

    fn text(&self, context: &ToolContext) -> String {
        let line = |state: &State| format!("{} ({}) id {}", state.name, state.kind, state.id);
        chosen_from(context, "states of this team", self.0.iter().map(line))
    }

    fn into_value(self) -> Vec<StateValue> {
        self.0.into_iter().map(Into::into).collect()
    }
}

async fn list_states(
    connections: &LinearConnections,
    context: &ToolContext,
    Nothing {}: Nothing,
) -> Result<States, ToolError> {
    let place = place(connections, context)?;
    let team = place.team().await?;
    place.linear.api().list_states(&team).await.map_err(failed("The states")).map(States)
}

/// Labels or projects.
struct Names {
    what: &'static str,
    names: Vec<Named>,
}

impl Answer for Names {
    type Value = Vec<NamedValue>;

    fn text(&self, context: &ToolContext) -> String {
        let line = |one: &Named| format!("{} id {} {}", one.name, one.id, one.description);
        chosen_from(context, self.what, self.names.iter().map(line))
    }

    fn into_value(self) -> Vec<NamedValue> {
        self.names.into_iter().map(Into::into).collect()
    }
}

async fn list_labels(
    connections: &LinearConnections,
    context: &ToolContext,
    Nothing {}: Nothing,
) -> Result<Names, ToolError> {
    let place = place(connections, context)?;
    let team = place.team().await?;
    let names = place.linear.api().list_labels(&team).await.map_err(failed("The labels"))?;
    Ok(Names { what: "labels of this team", names })
}

async fn list_projects(
    connections: &LinearConnections,
    context: &ToolContext,
    Nothing {}: Nothing,
) -> Result<Names, ToolError> {
    let place = place(connections, context)?;
    let team = place.team().await?;
    let names = place.linear.api().list_projects(&team).await.map_err(failed("The projects"))?;
    Ok(Names { what: "projects of this team", names })
}
