//! Linear's tools. Each reaches the team of its own thread and no other, and changes the thread's own issue alone: where to
//! act is never the model's word. Arguments are named as Linear names them.

mod list;
mod read;
#[cfg(test)]
mod tests;
mod update;
mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_linear::{Issue, Linear, Workspace, issue_of};

use super::platforms::{failed, spec};
use super::{Tool, ToolContext, ToolError};

/// The Linear connections of the gateway, by name.
pub type LinearConnections = Arc<BTreeMap<String, Arc<Linear>>>;

/// Where a call acts: the thread's own issue.
struct Place<'a> {
    linear: Arc<Workspace>,
    issue: &'a str,
    /// The issue's team, where the thread says it.
    team: Option<&'a str>,
}

/// The place of the call's thread.
///
/// From a thread on another platform there is none: who may read that thread says nothing about who may read a
/// workspace.
fn place<'a>(connections: &'a LinearConnections, context: &'a ToolContext) -> Result<Place<'a>, ToolError> {
    let elsewhere =
        || ToolError::Failed("This tool works in threads on Linear's issues, and this thread is elsewhere.".to_owned());
    let linear = connections.get(&context.connection).ok_or_else(elsewhere)?;
    let issue = issue_of(&context.thread).ok_or_else(elsewhere)?;
    let linear = linear.at(&context.thread).map_err(failed("This workspace"))?;
    Ok(Place { linear, issue, team: context.thread.location.get("team").map(String::as_str) })
}

impl Place<'_> {
    /// The team whose issues this thread's people see.
    async fn team(&self) -> Result<String, ToolError> {
        if let Some(team) = self.team {
            return Ok(team.to_owned());
        }
        let issue = self.linear.api().get_issue(self.issue).await.map_err(failed("This thread's issue"))?;
        let team = issue.team.map(|team| team.id);
        team.ok_or_else(|| ToolError::Failed("Linear does not say which team this issue is of.".to_owned()))
    }

    /// An issue of the thread's own team.
    async fn get(&self, id: Option<&str>) -> Result<Issue, ToolError> {
        let wanted = id.map(str::trim).filter(|id| !id.is_empty()).unwrap_or(self.issue);
        let is_id =
            (1..=64).contains(&wanted.len()) && wanted.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_id {
            return Err(ToolError::Failed("An issue is named by its identifier, such as ENG-12.".to_owned()));
        }
        let issue = self.linear.api().get_issue(wanted).await.map_err(failed(&format!("The issue {wanted}")))?;
        if issue.id == self.issue || wanted == self.issue {
            return Ok(issue);
        }
        let team = self.team().await?;
        if issue.team.as_ref().is_some_and(|of| of.id == team) {
            return Ok(issue);
        }
        Err(ToolError::Failed(format!("{wanted} is of another team: this thread's people may not see it.")))
    }
}

/// The tools of these connections.
pub(super) fn tools(connections: &LinearConnections) -> [Arc<dyn Tool>; 12] {
    let of = || Arc::clone(connections);
    [
        Arc::new(read::GetIssue::new(of())),
        Arc::new(read::ListComments::new(of())),
        Arc::new(list::ListIssues::new(of())),
        Arc::new(list::SearchIssues::new(of())),
        Arc::new(list::ListStates::new(of())),
        Arc::new(list::ListLabels::new(of())),
        Arc::new(list::ListProjects::new(of())),
        Arc::new(update::UpdateIssue::new(of())),
        Arc::new(update::UpdatePlan::new(of())),
        Arc::new(write::CreateIssue::new(of())),
        Arc::new(write::CreateComment::new(of())),
        Arc::new(write::LinkUrl::new(of())),
    ]
}

/// A title: one line.
fn title(text: &str) -> Result<String, ToolError> {
    let title: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() || title.chars().count() > 250 {
        return Err(ToolError::Failed("A title is one line of 1 to 250 characters. Nothing was done.".to_owned()));
    }
    Ok(title)
}
