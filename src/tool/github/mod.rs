//! GitHub's tools. Each reaches the repository of its own thread, and those that the operator wrote into the agent's file: where
//! to act is never the model's word alone (`place`).

mod checks;
mod close;
mod files;
mod issues;
mod labels;
mod place;
mod pulls;
mod read;
mod remarks;
mod review;
mod search;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_github::GitHub;

use super::platforms::{failed, patiently, spec};
use super::{Tool, ToolContext, ToolError};

/// Clocks differ: what a call made may seem a little older than its turn.
const CLOCKS_DIFFER_MS: i64 = 120_000;
/// GitHub takes 65,536 characters; the rest is room for the marker.
const TEXT_BYTES: usize = 60_000;

/// The GitHub connections of the gateway, by name.
pub type GitHubConnections = Arc<BTreeMap<String, Arc<GitHub>>>;

/// The tools of these connections.
pub(super) fn tools(connections: &GitHubConnections) -> Vec<Arc<dyn Tool>> {
    let of = || Arc::clone(connections);
    vec![
        Arc::new(read::GetIssue::new(of())),
        Arc::new(read::ListComments::new(of())),
        Arc::new(read::ListIssues::new(of())),
        Arc::new(write::AddLabels::new(of())),
        Arc::new(write::PostComment::new(of())),
        Arc::new(close::CloseIssue::new(of())),
        Arc::new(search::SearchIssues::new(of())),
        Arc::new(labels::ListLabels::new(of())),
        Arc::new(issues::CreateIssue::new(of())),
        Arc::new(issues::UpdateIssue::new(of())),
        Arc::new(files::GetFile::new(of())),
        Arc::new(files::ListDirectory::new(of())),
        Arc::new(pulls::GetPull::new(of())),
        Arc::new(pulls::ListPulls::new(of())),
        Arc::new(pulls::ListPullFiles::new(of())),
        Arc::new(remarks::ListReviews::new(of())),
        Arc::new(remarks::ListReviewComments::new(of())),
        Arc::new(review::CreateReview::new(of())),
        Arc::new(checks::CreateCheckRun::new(of())),
        Arc::new(checks::UpdateCheckRun::new(of())),
    ]
}

/// A tool that answers in text alone, as its arguments and a function; where one is given, a second function finds what a lost
/// call made. The others are [`answering_tool`](super::answer::answering_tool)s.
macro_rules! github_tool {
    ($(#[$doc:meta])* $tool:ident, $name:literal, $description:literal, $arguments:ty,
     ($effect:ident, $class:ident), $bytes:expr => $call:ident $(, $look_up:ident)? $(, reaches $reaches:path)?) => {
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
                    arguments: &serde_json::Value,
                ) -> Result<Option<String>, ToolError> {
                    $look_up(&self.connections, context, arguments).await
                }
            )?

            $(
                fn reaches(&self, reach: &[$crate::agent::Reach]) -> bool {
                    $reaches(&self.connections, reach)
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
