//! `linear.update_issue` and `linear.update_plan`: on the thread's own issue and session alone.

use async_trait::async_trait;
use reveille_linear::{IssueChanges, Named, State, session_of};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{LinearConnections, Place, failed, place, spec, title};
use crate::agent::nearest;
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most bytes of a description.
const DESCRIPTION_BYTES: usize = 60_000;
/// The most labels changed at once.
const MOST_LABELS: usize = 10;
/// The most steps of a plan.
const MOST_STEPS: usize = 30;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateArguments {
    /// A new title.
    #[serde(default)]
    title: Option<String>,
    /// A new description, Markdown, in place of the whole old one.
    #[serde(default)]
    description: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(default)]
    priority: Option<u8>,
    /// A state of this team: its id, its name, or a type (triage, backlog, unstarted, started, completed, canceled), which means
    /// the first state of that type.
    #[serde(default)]
    state_id: Option<String>,
    /// A project of this team: its id or name.
    #[serde(default)]
    project_id: Option<String>,
    /// The id of the person who is to be responsible.
    #[serde(default)]
    assignee_id: Option<String>,
    /// `me`: the issue is delegated to you, so that everybody sees that you work on it.
    #[serde(default)]
    delegate_id: Option<String>,
    /// Labels to put on: ids or names, 10 at most.
    #[serde(default)]
    added_label_ids: Vec<String>,
    /// Labels to take off: ids or names, 10 at most.
    #[serde(default)]
    removed_label_ids: Vec<String>,
}

/// `linear.update_issue`.
#[derive(Debug)]
pub(crate) struct UpdateIssue {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl UpdateIssue {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.update_issue",
            "Changes this thread's issue: state, priority, labels, project, assignee, title, description. What is left out \
             stays. A wrong name is answered with those there are.",
            schema_of::<UpdateArguments>(),
            (Effect::Idempotent, Class::WriteInternal),
            8 * 1024,
        );
        Self { spec, connections }
    }
}

/// Something that has an id and a name.
pub(super) trait HasName {
    fn id(&self) -> &str;
    fn name(&self) -> &str;
}

impl HasName for State {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl HasName for Named {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// The one of this id or name, else what there is.
pub(super) fn chosen<T: HasName>(
    context: &ToolContext,
    what: &str,
    wanted: &str,
    known: &[T],
) -> Result<String, ToolError> {
    let wanted = wanted.trim();
    let is_it = |one: &&T| one.id() == wanted || one.name().eq_ignore_ascii_case(wanted);
    if let Some(found) = known.iter().find(is_it) {
        return Ok(found.id().to_owned());
    }
    let shown: String = wanted.chars().filter(|character| !character.is_control()).take(64).collect();
    let near = nearest(&shown, known.iter().map(HasName::name));
    let near = near.map_or_else(String::new, |near| format!(" The nearest is `{near}`."));
    let names = known.iter().map(HasName::name).collect::<Vec<_>>().join(", ");
    let list = from_outside(context, &[("there-are", what)], &names, 4 * 1024);
    Err(ToolError::Failed(format!("There is no {what} `{shown}`.{near} Nothing was done. There are:\n\n{list}")))
}

/// The state that is meant: by id, name, or as the first of a type ("Interaction best practices": the one of the lowest
/// position).
pub(super) async fn state_id(
    context: &ToolContext,
    place: &Place<'_>,
    team: &str,
    wanted: &str,
) -> Result<String, ToolError> {
    let states = place.linear.api().list_states(team).await.map_err(failed("The states"))?;
    if let Some(first) = states.iter().find(|state| state.kind.eq_ignore_ascii_case(wanted.trim())) {
        return Ok(first.id.clone());
    }
    chosen(context, "state", wanted, &states)
}

/// The labels that are meant.
pub(super) async fn label_ids(
    context: &ToolContext,
    place: &Place<'_>,
    team: &str,
    wanted: &[String],
) -> Result<Vec<String>, ToolError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    if wanted.len() > MOST_LABELS {
        return Err(ToolError::Failed(format!("At most {MOST_LABELS} labels at once. Nothing was done.")));
    }
    let known = place.linear.api().list_labels(team).await.map_err(failed("The labels"))?;
    wanted.iter().map(|label| chosen(context, "label", label, &known)).collect()
}

/// A description that is short enough, made inert.
pub(super) fn description(place: &Place<'_>, text: &str) -> Result<String, ToolError> {
    let text = place.linear.render(text);
    if text.len() > DESCRIPTION_BYTES {
        let message = format!("The text is longer than {DESCRIPTION_BYTES} bytes. Nothing was done: shorten it.");
        return Err(ToolError::Failed(message));
    }
    Ok(text)
}

pub(super) fn priority(given: Option<u8>) -> Result<Option<u8>, ToolError> {
    match given {
        Some(5..) => Err(ToolError::Failed("priority is 0 to 4. Nothing was done.".to_owned())),
        priority => Ok(priority),
    }
}

#[async_trait]
impl Tool for UpdateIssue {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let given: UpdateArguments = parse_arguments(arguments)?;
        let place = place(&self.connections, context)?;
        let mut changes = IssueChanges { priority: priority(given.priority)?, ..IssueChanges::default() };
        changes.title = given.title.as_deref().map(title).transpose()?;
        changes.description = given.description.as_deref().map(|text| description(&place, text)).transpose()?;
        changes.assignee_id = given.assignee_id.map(|id| id.trim().to_owned());
        match given.delegate_id.as_deref().map(str::trim) {
            None => {}
            Some("me") => changes.delegate_id = place.linear.own_id(),
            Some(_) => {
                return Err(ToolError::Failed("delegateId can be `me` and nobody else. Nothing was done.".to_owned()));
            }
        }
        let team = place.team().await?;
        if let Some(wanted) = &given.state_id {
            changes.state_id = Some(state_id(context, &place, &team, wanted).await?);
        }
        if let Some(wanted) = &given.project_id {
            let known = place.linear.api().list_projects(&team).await.map_err(failed("The projects"))?;
            changes.project_id = Some(chosen(context, "project", wanted, &known)?);
        }
        changes.added_label_ids = label_ids(context, &place, &team, &given.added_label_ids).await?;
        changes.removed_label_ids = label_ids(context, &place, &team, &given.removed_label_ids).await?;
        if changes == IssueChanges::default() {
            return Err(ToolError::Failed("Say what is to be changed. Nothing was done.".to_owned()));
        }
        let changed = place.linear.api().update_issue(place.issue, &changes).await.map_err(failed("The change"))?;
        let state = changed.and_then(|issue| issue.state).map(|state| state.name);
        let now = state.map_or_else(String::new, |state| {
            let list = from_outside(context, &[("state-of", &context.thread.display)], &state, 256);
            format!(" Its state is now:\n\n{list}")
        });
        Ok(format!("The issue is changed.{now}"))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanArguments {
    /// Every step, in order, each time: the list takes the place of the one before. 30 at most.
    steps: Vec<StepArguments>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepArguments {
    /// What is to be done, in a few words.
    content: String,
    /// pending, inProgress, completed or canceled.
    status: String,
}

/// `linear.update_plan`.
#[derive(Debug)]
pub(crate) struct UpdatePlan {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl UpdatePlan {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.update_plan",
            "Shows people in this agent session what you are going to do and how far you are.",
            schema_of::<PlanArguments>(),
            (Effect::Idempotent, Class::WriteInternal),
            1024,
        );
        Self { spec, connections }
    }
}

const STATUSES: [&str; 4] = ["pending", "inProgress", "completed", "canceled"];

#[async_trait]
impl Tool for UpdatePlan {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let PlanArguments { steps } = parse_arguments(arguments)?;
        let place = place(&self.connections, context)?;
        let Some(session) = session_of(&context.thread) else {
            return Err(ToolError::Failed(
                "There is no agent session here to show a plan in. Go on without it.".to_owned(),
            ));
        };
        if steps.is_empty() || steps.len() > MOST_STEPS {
            return Err(ToolError::Failed(format!("Give 1 to {MOST_STEPS} steps. Nothing was done.")));
        }
        let mut plan = Vec::with_capacity(steps.len());
        for step in &steps {
            let Some(status) = STATUSES.iter().find(|status| **status == step.status.trim()) else {
                let message = format!("A step's status is one of {}. Nothing was done.", STATUSES.join(", "));
                return Err(ToolError::Failed(message));
            };
            plan.push((place.linear.render(&title(&step.content)?), *status));
        }
        place.linear.api().set_plan(session, &plan).await.map_err(failed("The plan"))?;
        Ok("The plan is shown.".to_owned())
    }
}
