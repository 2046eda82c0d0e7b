//! GitHub's tools. Each reaches the repository of its own thread and no other: where to act is never the model's word.

mod checks;
mod files;
mod issues;
mod labels;
mod pulls;
mod read;
mod review;
mod search;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_github::{GitHub, Repository};

use super::platforms::{failed, patiently, spec};
use super::{Tool, ToolContext, ToolError};

pub(super) use read::{GetIssue, ListComments, ListIssues};
pub(super) use write::{AddLabels, PostComment};

/// Clocks differ: what a call made may seem a little older than its turn.
const CLOCKS_DIFFER_MS: i64 = 120_000;
/// GitHub takes 65,536 characters; the rest is room for the marker.
const TEXT_BYTES: usize = 60_000;

/// The GitHub connections of the gateway, by name.
pub type GitHubConnections = Arc<BTreeMap<String, Arc<GitHub>>>;

/// Where a call acts: the thread's own repository and issue.
struct Place<'a> {
    github: &'a GitHub,
    repository: Repository,
    number: u64,
}

/// The place of the call's thread.
///
/// From a thread on another platform there is none: who may read that thread says nothing about who may read a
/// repository.
fn place<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Place<'a>, ToolError> {
    let elsewhere =
        || ToolError::Failed("This tool works in threads on GitHub, and this thread is elsewhere.".to_owned());
    let github = connections.get(&context.connection).ok_or_else(elsewhere)?;
    let (repository, number) = Repository::of(&context.thread).map_err(|_| elsewhere())?;
    Ok(Place { github, repository, number })
}

/// The same for what only reads: its token can do no more.
fn reading<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Place<'a>, ToolError> {
    let Place { github, repository, number } = place(connections, context)?;
    Ok(Place { github, repository: Repository { is_read_only: true, ..repository }, number })
}

/// The same for what a pull request alone has.
fn pull<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Place<'a>, ToolError> {
    let place = place(connections, context)?;
    if place.repository.is_pull {
        return Ok(place);
    }
    Err(ToolError::Failed("This thread is of no pull request. Nothing was done.".to_owned()))
}

/// The tools of these connections.
pub(super) fn tools(connections: &GitHubConnections) -> Vec<Arc<dyn Tool>> {
    let of = || Arc::clone(connections);
    vec![
        Arc::new(GetIssue::new(of())),
        Arc::new(ListComments::new(of())),
        Arc::new(ListIssues::new(of())),
        Arc::new(AddLabels::new(of())),
        Arc::new(PostComment::new(of())),
        Arc::new(search::SearchIssues::new(of())),
        Arc::new(labels::ListLabels::new(of())),
        Arc::new(issues::CreateIssue::new(of())),
        Arc::new(issues::UpdateIssue::new(of())),
        Arc::new(files::GetFile::new(of())),
        Arc::new(files::ListDirectory::new(of())),
        Arc::new(pulls::GetPull::new(of())),
        Arc::new(pulls::ListPulls::new(of())),
        Arc::new(pulls::ListPullFiles::new(of())),
        Arc::new(pulls::ListReviews::new(of())),
        Arc::new(pulls::ListReviewComments::new(of())),
        Arc::new(review::CreateReview::new(of())),
        Arc::new(checks::CreateCheckRun::new(of())),
        Arc::new(checks::UpdateCheckRun::new(of())),
    ]
}

/// A tool as its arguments and a function; where one is given, a second function finds what a lost call made.
macro_rules! github_tool {
    ($(#[$doc:meta])* $tool:ident, $name:literal, $description:literal, $arguments:ty,
     ($effect:ident, $class:ident), $bytes:expr => $call:ident $(, $look_up:ident)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $tool {
            spec: ToolSpec,
            connections: GitHubConnections,
        }

        impl $tool {
            pub(super) fn new(connections: GitHubConnections) -> Self {
                let (effect, class) = ($crate::journal::Effect::$effect, $crate::tool::Class::$class);
                let parameters = $crate::tool::schema_of::<$arguments>();
                let spec = $crate::tool::github::spec($name, $description, parameters, (effect, class), $bytes);
                Self { spec, connections }
            }
        }

        #[async_trait::async_trait]
        impl $crate::tool::Tool for $tool {
            fn spec(&self) -> &ToolSpec {
                &self.spec
            }

            async fn call(&self, context: &ToolContext, arguments: &serde_json::Value) -> Result<String, ToolError> {
                $call(&self.connections, context, $crate::tool::parse_arguments(arguments)?).await
            }

            $(
                async fn look_up(
                    &self,
                    context: &ToolContext,
                    _arguments: &serde_json::Value,
                ) -> Result<Option<String>, ToolError> {
                    $look_up(&self.connections, context).await
                }
            )?
        }
    };
}
use github_tool;

/// What did not even begin.
fn nothing_done(what: &str) -> ToolError {
    ToolError::Failed(format!("{what} Nothing was done."))
}

/// What makes the text of one call recognisable: hidden on the page, and not to be guessed.
fn marker(context: &ToolContext) -> String {
    format!("<!-- reveille:call:{} -->", context.key)
}

/// A text of the model's that does nothing, with the call's marker at its end.
fn marked(github: &GitHub, context: &ToolContext, text: &str) -> Result<String, ToolError> {
    let text = github.render(text);
    if text.len() > TEXT_BYTES {
        return Err(nothing_done(&format!("A text is longer than {TEXT_BYTES} bytes: shorten it.")));
    }
    Ok(format!("{}\n\n{}", text.trim_end(), marker(context)).trim_start().to_owned())
}

/// A title: one line, which GitHub shows as it is.
fn title(text: &str) -> Result<String, ToolError> {
    let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() || title.chars().count() > 250 {
        return Err(nothing_done("A title is one line of 1 to 250 characters."));
    }
    Ok(title)
}
