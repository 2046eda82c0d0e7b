//! `github.close_issue`: any issue of a repository within reach, by its number.
//!
//! Closing is a state, so doing it again does nothing: idempotent. It is classed as egress. It puts no text of the model's
//! anywhere, but it is seen and mailed around in a repository that need not be the conversation's own, and it takes the issue
//! out of the list that its people work from: more than a change of the place the conversation is in. Anybody there can
//! open it again, so it is not irreversible.

use reveille_github::{Issue, IssueChanges};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::{place, reaches};
use super::value::State;
use super::{GitHubConnections, failed, nothing_done, patiently};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CloseArguments {
    /// Number of the issue.
    number: u64,
    /// Why; completed if left out.
    #[serde(default)]
    reason: Option<Reason>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Completed,
    NotPlanned,
}

answering_tool!(
    /// `github.close_issue`. Needs `issues: write`.
    CloseIssue of GitHubConnections, "github.close_issue",
    "Closes an issue of this repository. One that is closed already stays as it is; pull requests are not closed by this.",
    CloseArguments, (Idempotent, Egress), 1_024 => close -> Closed, reaches reaches
);

/// An issue that is closed now.
struct Closed {
    place: String,
    was_closed: bool,
    issue: Issue,
}

/// What programs get of it.
#[derive(Serialize, JsonSchema)]
struct ClosedValue {
    number: u64,
    state: State,
    /// It was closed before, and nothing was changed.
    was_closed: bool,
    url: String,
}

impl Answer for Closed {
    type Value = ClosedValue;

    fn text(&self, _: &ToolContext) -> String {
        let Self { place, was_closed, issue } = self;
        let how = if *was_closed { "was closed already" } else { "is closed" };
        format!("{place}#{} {how}: {}", issue.number, issue.html_url)
    }

    fn into_value(self) -> ClosedValue {
        let state = State::from(&self.issue);
        ClosedValue { number: self.issue.number, state, was_closed: self.was_closed, url: self.issue.html_url }
    }
}

async fn close(
    connections: &GitHubConnections,
    context: &ToolContext,
    CloseArguments { number, reason, repository }: CloseArguments,
) -> Result<Closed, ToolError> {
    let place = place(connections, context, repository.as_deref())?;
    let (api, what) = (place.github.api(), format!("The issue #{number}"));
    let issue = api.get_issue(&place.repository, number).await.map_err(failed(&what))?;
    if issue.is_pull_request {
        return Err(nothing_done(&format!("#{number} is a pull request and no issue.")));
    }
    if State::from(&issue) == State::Closed {
        return Ok(Closed { place: place.name(), was_closed: true, issue });
    }
    let state_reason = Some(match reason.unwrap_or(Reason::Completed) {
        Reason::Completed => "completed",
        Reason::NotPlanned => "not_planned",
    });
    let changes = IssueChanges { state: Some("closed"), state_reason, ..IssueChanges::default() };
    let closed = patiently(|| api.update_issue(&place.repository, number, &changes)).await;
    Ok(Closed { place: place.name(), was_closed: false, issue: closed.map_err(failed(&what))? })
}
