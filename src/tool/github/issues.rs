//! `github.create_issue`, in a repository within reach, and `github.update_issue`, of the thread's own issue.

use reveille_channel::ReplyError;
use reveille_github::{GitHub, Issue, IssueChanges};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::labels::chosen;
use super::place::{Place, Thread, place, reaches, thread};
use super::{CLOCKS_DIFFER_MS, GitHubConnections, failed, github_tool, marked, marker, nothing_done, patiently, title};
use crate::tool::{ToolContext, ToolError, ToolSpec, from_outside, parse_arguments};

/// The most pages of issues that are looked through for one that was opened.
const MOST_PAGES: u32 = 5;
/// The most people made responsible at once: GitHub takes ten.
const MOST_ASSIGNEES: usize = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArguments {
    /// Its title, one line.
    title: String,
    /// Its text, Markdown.
    body: String,
    /// Names of labels that this repository has, 10 at most.
    #[serde(default)]
    labels: Vec<String>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

github_tool!(
    /// `github.create_issue`. Needs `issues: write`.
    CreateIssue, "github.create_issue",
    "Opens a further issue in this repository. Look for one that is there already first.",
    CreateArguments, (Once, Egress), 2 * 1024 => create, created, reaches reaches
);

fn opened(issue: &Issue) -> String {
    format!("The issue #{} is opened: {}", issue.number, issue.html_url)
}

async fn create(
    connections: &GitHubConnections,
    context: &ToolContext,
    arguments: CreateArguments,
) -> Result<String, ToolError> {
    let CreateArguments { title: said, body, labels, repository } = arguments;
    let title = title(&said)?;
    let place = place(connections, context, repository.as_deref())?;
    let body = marked(place.github, context, &body)?;
    let labels = chosen(context, place.github, &place.repository, &labels).await?;
    let issue = place.github.api().create_issue(&place.repository, &title, &body, &labels).await;
    Ok(opened(&issue.map_err(failed("The issue"))?))
}

/// The issue that a lost call opened.
async fn created(
    connections: &GitHubConnections,
    context: &ToolContext,
    arguments: &Value,
) -> Result<Option<String>, ToolError> {
    let unknown = |error: ReplyError| ToolError::Unknown(format!("the issues cannot be read: {error}"));
    // With arguments that cannot be read nothing was opened.
    let Ok(CreateArguments { repository, .. }) = parse_arguments(arguments) else { return Ok(None) };
    let Place { github, repository, .. } = place(connections, context, repository.as_deref())?;
    let since = context.since_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let marker = marker(context);
    for page in 1..=MOST_PAGES {
        let found = github.api().list_issues_since(&repository, since, page).await.map_err(unknown)?;
        if let Some(issue) = found.items.iter().find(|issue| issue.body.trim_end().ends_with(&marker)) {
            return Ok(Some(opened(issue)));
        }
        if found.next.is_none() {
            return Ok(None);
        }
    }
    Err(ToolError::Unknown("there are too many issues to look through".to_owned()))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArguments {
    /// A new title, one line.
    #[serde(default)]
    title: Option<String>,
    /// A new text, Markdown, in place of the whole old one.
    #[serde(default)]
    body: Option<String>,
    /// Whether it is open.
    #[serde(default)]
    state: Option<State>,
    /// Why.
    #[serde(default)]
    state_reason: Option<Reason>,
    /// Labels of this repository to put on, 10 at most.
    #[serde(default)]
    add_labels: Vec<String>,
    /// Labels to take off, 10 at most.
    #[serde(default)]
    remove_labels: Vec<String>,
    /// Logins of people who are to be responsible.
    #[serde(default)]
    add_assignees: Vec<String>,
    /// Logins of people who are to be responsible no longer.
    #[serde(default)]
    remove_assignees: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Closed,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Completed,
    NotPlanned,
    Duplicate,
    Reopened,
}

github_tool!(
    /// `github.update_issue`. Needs `issues: write`.
    UpdateIssue, "github.update_issue",
    "Changes this thread's issue or pull request: title, text, state, labels, who is responsible. What is left out stays.",
    UpdateArguments, (Idempotent, Egress), 4 * 1024 => update
);

fn changes(github: &GitHub, context: &ToolContext, given: &UpdateArguments) -> Result<IssueChanges, ToolError> {
    Ok(IssueChanges {
        title: given.title.as_deref().map(title).transpose()?,
        body: given.body.as_deref().map(|body| marked(github, context, body)).transpose()?,
        state: given.state.map(|state| match state {
            State::Open => "open",
            State::Closed => "closed",
        }),
        state_reason: given.state_reason.map(|reason| match reason {
            Reason::Completed => "completed",
            Reason::NotPlanned => "not_planned",
            Reason::Duplicate => "duplicate",
            Reason::Reopened => "reopened",
        }),
    })
}

fn check_logins(logins: &[String]) -> Result<(), ToolError> {
    let is_login = |login: &String| {
        (1..=100).contains(&login.len()) && login.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if logins.len() > MOST_ASSIGNEES || !logins.iter().all(is_login) {
        return Err(nothing_done(&format!("People are named by their logins, {MOST_ASSIGNEES} at most, without `@`.")));
    }
    Ok(())
}

async fn update(
    connections: &GitHubConnections,
    context: &ToolContext,
    given: UpdateArguments,
) -> Result<String, ToolError> {
    let Thread { github, repository, number } = thread(connections, context)?;
    let changes = changes(github, context, &given)?;
    check_logins(&given.add_assignees)?;
    check_logins(&given.remove_assignees)?;
    let add = chosen(context, github, &repository, &given.add_labels).await?;
    let remove = chosen(context, github, &repository, &given.remove_labels).await?;
    let (api, repository) = (github.api(), &repository);
    let mut done: Vec<&str> = Vec::new();
    // A refusal half way says what was done before it.
    let refused = |done: &[&str], what: &str, error: ReplyError| match (failed(what)(error), done.is_empty()) {
        (ToolError::Failed(said), false) => ToolError::Failed(format!("{said} Done before that: {}.", done.join(", "))),
        (error, _) => error,
    };
    if !add.is_empty() {
        let put = patiently(|| api.add_labels(repository, number, &add)).await;
        put.map_err(|error| refused(&done, "Putting labels on", error))?;
        done.push("labels put on");
    }
    for label in &remove {
        let off = patiently(|| api.remove_label(repository, number, label)).await;
        off.map_err(|error| refused(&done, "Taking labels off", error))?;
    }
    if !remove.is_empty() {
        done.push("labels taken off");
    }
    for (logins, are_added) in [(&given.add_assignees, true), (&given.remove_assignees, false)] {
        if !logins.is_empty() {
            let changed = patiently(|| api.change_assignees(repository, number, logins, are_added)).await;
            changed.map_err(|error| refused(&done, "The change of who is responsible", error))?;
            done.push("people");
        }
    }
    if changes != IssueChanges::default() {
        let changed = patiently(|| api.update_issue(repository, number, &changes)).await;
        changed.map_err(|error| refused(&done, "The change", error))?;
        done.push("title, text or state");
    }
    if done.is_empty() {
        return Err(nothing_done("Say what is to be changed."));
    }
    // GitHub leaves out whom it cannot make responsible: what holds now is read.
    let now = api.get_issue(repository, number).await.map_err(failed("It is changed. What it is now"))?;
    Ok(shown(context, &now))
}

fn shown(context: &ToolContext, issue: &Issue) -> String {
    let labels = issue.labels.iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", ");
    let people = issue.assignees.iter().map(|user| user.login.as_str()).collect::<Vec<_>>().join(", ");
    let text = format!("Title: {}\nState: {}\nLabels: {labels}\nAssignees: {people}", issue.title, issue.state);
    let fenced = from_outside(context, &[("now", &context.thread.display)], &text, 2 * 1024);
    format!("It is changed:\n\n{fenced}")
}
