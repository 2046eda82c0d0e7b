//! `github.create_check_run` and `github.update_check_run`: on the newest commit of the thread's own pull request. They need
//! `checks: write`, which apps alone can have.

use reveille_channel::ReplyError;
use reveille_github::{CheckChanges, CheckOutput, CheckRun, GitHub};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::place::{Thread, pull};
use super::{GitHubConnections, TEXT_BYTES, failed, github_tool, nothing_done, title};
use crate::tool::{ToolContext, ToolError, ToolSpec};

/// The most steps that are shown.
const MOST_STEPS: usize = 50;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArguments {
    /// What is checked, as people see it beside the commit.
    name: String,
    /// How it ended; left out while it goes on.
    #[serde(default)]
    conclusion: Option<Conclusion>,
    /// How far it is or what came of it, one line.
    title: String,
    /// The same in a few sentences, Markdown.
    summary: String,
    /// The steps, in order, each time all of them; 50 at most.
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArguments {
    /// The id that `github.create_check_run` gave back.
    check_run_id: u64,
    /// How it ended; left out while it goes on.
    #[serde(default)]
    conclusion: Option<Conclusion>,
    /// How far it is or what came of it, one line.
    title: String,
    /// The same in a few sentences, Markdown.
    summary: String,
    /// The steps, in order, each time all of them; 50 at most.
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Conclusion {
    Success,
    Failure,
    Neutral,
    Cancelled,
    Skipped,
    ActionRequired,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What is done, in a few words.
    name: String,
    /// How far it is.
    status: StepStatus,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum StepStatus {
    Pending,
    InProgress,
    Success,
    Failure,
}

github_tool!(
    /// `github.create_check_run`.
    CreateCheckRun, "github.create_check_run",
    "Begins a check run on the newest commit of this thread's pull request: a result that people see beside the commit.",
    CreateArguments, (Once, Egress), 1_024 => create, created
);

github_tool!(
    /// `github.update_check_run`.
    UpdateCheckRun, "github.update_check_run",
    "Says how far a check run of yours is in this thread's pull request, or how it ended.",
    UpdateArguments, (Idempotent, Egress), 1_024 => update
);

/// What a check run is to say.
struct Said {
    conclusion: Option<Conclusion>,
    title: String,
    summary: String,
    steps: Vec<Step>,
}

fn changes(github: &GitHub, said: &Said) -> Result<CheckChanges, ToolError> {
    if said.steps.len() > MOST_STEPS {
        return Err(nothing_done(&format!("At most {MOST_STEPS} steps.")));
    }
    let mut steps = String::new();
    for step in &said.steps {
        let sign = match step.status {
            StepStatus::Pending => "⚪",
            StepStatus::InProgress => "🔵",
            StepStatus::Success => "✅",
            StepStatus::Failure => "❌",
        };
        steps.push_str(&format!("* {sign} {}\n", title(&step.name)?));
    }
    let (summary, text) = (github.render(&said.summary), github.render(steps.trim_end()));
    if summary.trim().is_empty() || summary.len() > TEXT_BYTES || text.len() > TEXT_BYTES {
        return Err(nothing_done(&format!("The summary has to say something, in at most {TEXT_BYTES} bytes.")));
    }
    let conclusion = said.conclusion.map(|conclusion| match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failure",
        Conclusion::Neutral => "neutral",
        Conclusion::Cancelled => "cancelled",
        Conclusion::Skipped => "skipped",
        Conclusion::ActionRequired => "action_required",
    });
    let status = conclusion.is_none().then_some("in_progress");
    Ok(CheckChanges { status, conclusion, output: Some(CheckOutput { title: title(&said.title)?, summary, text }) })
}

/// The newest commit of the thread's pull request.
async fn head(thread: &Thread<'_>) -> Result<String, ReplyError> {
    let pull = thread.github.api().get_pull(&thread.repository, thread.number).await?;
    pull.head.map(|head| head.sha).ok_or_else(|| ReplyError::Gone("its branch is gone".to_owned()))
}

fn begun(check: &CheckRun) -> String {
    format!("The check run is there; its id is {}.", check.id)
}

async fn create(
    connections: &GitHubConnections,
    context: &ToolContext,
    CreateArguments { name, conclusion, title: line, summary, steps }: CreateArguments,
) -> Result<String, ToolError> {
    let said = Said { conclusion, title: line, summary, steps };
    let thread = pull(connections, context)?;
    // A branch may require a check by its name, whoever made it: what a model names is never another's check.
    let name = format!("{}: {}", thread.github.name(), title(&name)?);
    let changes = changes(thread.github, &said)?;
    let sha = head(&thread).await.map_err(failed("The pull request"))?;
    let external_id = reveille_github::check_run_id(thread.number, &context.key);
    let check = thread.github.api().create_check_run(&thread.repository, &sha, &name, &external_id, &changes).await;
    Ok(begun(&check.map_err(failed("The check run"))?))
}

/// The check run that a lost call began.
async fn created(
    connections: &GitHubConnections,
    context: &ToolContext,
    _: &Value,
) -> Result<Option<String>, ToolError> {
    let unknown = |error: ReplyError| ToolError::Unknown(format!("the check runs cannot be read: {error}"));
    let thread = pull(connections, context)?;
    let sha = head(&thread).await.map_err(unknown)?;
    let external_id = reveille_github::check_run_id(thread.number, &context.key);
    let checks = thread.github.api().list_check_runs(&thread.repository, &sha).await.map_err(unknown)?;
    Ok(checks.iter().find(|check| check.external_id == external_id).map(begun))
}

async fn update(
    connections: &GitHubConnections,
    context: &ToolContext,
    UpdateArguments { check_run_id, conclusion, title: line, summary, steps }: UpdateArguments,
) -> Result<String, ToolError> {
    let said = Said { conclusion, title: line, summary, steps };
    let thread = pull(connections, context)?;
    let changes = changes(thread.github, &said)?;
    let api = thread.github.api();
    let check = api.get_check_run(&thread.repository, check_run_id).await.map_err(failed("The check run"))?;
    if reveille_github::check_run_pull(&check) != Some(thread.number) {
        return Err(nothing_done("That check run is not one of yours in this thread."));
    }
    api.update_check_run(&thread.repository, check_run_id, &changes).await.map_err(failed("The check run"))?;
    Ok("The check run is changed.".to_owned())
}
