//! `github.add_labels` and `github.comment`: on the thread's own issue alone.

use async_trait::async_trait;
use reveille_channel::ReplyError;
use reveille_github::MOST_PER_PAGE;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::labels::chosen;
use super::place::{Thread, thread};
use super::{CLOCKS_DIFFER_MS, GitHubConnections, failed, marked, marker, nothing_done, patiently, spec};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most pages of comments that are read.
const MOST_PAGES: u32 = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LabelsArguments {
    /// Names of labels that this repository has, 10 at most.
    labels: Vec<String>,
}

/// `github.add_labels`.
#[derive(Debug)]
pub(crate) struct AddLabels {
    spec: ToolSpec,
    connections: GitHubConnections,
}

impl AddLabels {
    pub(super) fn new(connections: GitHubConnections) -> Self {
        let spec = spec(
            "github.add_labels",
            "Puts labels on this thread's issue; those it has stay. Only labels that the repository has; a wrong one is \
             answered with those there are.",
            schema_of::<LabelsArguments>(),
            (Effect::Idempotent, Class::WriteInternal),
            8 * 1024,
        );
        Self { spec, connections }
    }
}

#[async_trait]
impl Tool for AddLabels {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let LabelsArguments { labels } = parse_arguments(arguments)?;
        if labels.is_empty() {
            return Err(nothing_done("Give 1 to 10 labels."));
        }
        let Thread { github, repository, number } = thread(&self.connections, context)?;
        let chosen = chosen(context, github, &repository, &labels).await?;
        let now = patiently(|| github.api().add_labels(&repository, number, &chosen))
            .await
            .map_err(failed("Putting labels on"))?;
        let now = now.iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", ");
        Ok(from_outside(context, &[("labels-now-on", &context.thread.display)], &now, 4 * 1024))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommentArguments {
    /// The comment, as Markdown.
    body: String,
}

/// `github.comment`.
#[derive(Debug)]
pub(crate) struct PostComment {
    spec: ToolSpec,
    connections: GitHubConnections,
}

impl PostComment {
    pub(super) fn new(connections: GitHubConnections) -> Self {
        let spec = spec(
            "github.comment",
            "Writes a further comment on this thread's issue. What you answer is posted by itself: this is for a comment \
             beside the answer.",
            schema_of::<CommentArguments>(),
            (Effect::Once, Class::Egress),
            2 * 1024,
        );
        Self { spec, connections }
    }
}

fn posted(url: &str) -> String {
    format!("The comment is posted: {url}")
}

#[async_trait]
impl Tool for PostComment {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let CommentArguments { body } = parse_arguments(arguments)?;
        if body.trim().is_empty() {
            return Err(ToolError::Failed("The comment is empty. Nothing was posted.".to_owned()));
        }
        let Thread { github, repository, number } = thread(&self.connections, context)?;
        let text = marked(github, context, &body)?;
        let comment = github.api().create_comment(&repository, number, &text).await.map_err(failed("The comment"))?;
        Ok(posted(&comment.html_url))
    }

    async fn look_up(&self, context: &ToolContext, _arguments: &Value) -> Result<Option<String>, ToolError> {
        let unknown = |error: ReplyError| ToolError::Unknown(format!("the comments cannot be read: {error}"));
        let Thread { github, repository, number } = thread(&self.connections, context)?;
        let since = context.since_ms.saturating_sub(CLOCKS_DIFFER_MS);
        let marker = marker(context);
        for page in 1..=MOST_PAGES {
            let found = github
                .api()
                .list_comments(&repository, number, Some(since), MOST_PER_PAGE, page)
                .await
                .map_err(unknown)?;
            if let Some(comment) = found.items.iter().find(|comment| comment.body.trim_end().ends_with(&marker)) {
                return Ok(Some(posted(&comment.html_url)));
            }
            if found.next.is_none() {
                return Ok(None);
            }
        }
        Err(ToolError::Unknown("there are too many comments to look through".to_owned()))
    }
}
