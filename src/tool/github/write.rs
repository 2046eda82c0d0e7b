//! `github.add_labels` and `github.comment`: on the thread's own issue alone.

use std::time::Duration;

use async_trait::async_trait;
use reveille_channel::ReplyError;
use reveille_github::MOST_PER_PAGE;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{GitHubConnections, Place, failed, place, spec};
use crate::agent::nearest;
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};

/// The most labels put on at once.
const MOST_LABELS: usize = 10;
/// The most pages of labels or comments that are read.
const MOST_PAGES: u32 = 10;
/// GitHub takes 65,536 characters; the rest is room for the marker.
const COMMENT_BYTES: usize = 60_000;
/// How often a call is made that GitHub puts off.
const MOST_TRIES: u32 = 3;
/// The longest wait for another try, milliseconds: well inside the tool's deadline.
const MOST_WAIT_MS: u64 = 15_000;
/// Clocks differ: a comment of this turn may seem a little older than the turn.
const CLOCKS_DIFFER_MS: i64 = 120_000;

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
        if labels.is_empty() || labels.len() > MOST_LABELS {
            return Err(ToolError::Failed(format!("Give 1 to {MOST_LABELS} labels. Nothing was done.")));
        }
        let place = place(&self.connections, context)?;
        // GitHub would make a label it does not know.
        let known = known_labels(&place).await.map_err(failed("The list of labels"))?;
        let mut chosen: Vec<String> = Vec::new();
        for label in &labels {
            let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(label.trim())) else {
                return Err(ToolError::Failed(no_such_label(context, label, &known)));
            };
            if !chosen.contains(name) {
                chosen.push(name.clone());
            }
        }
        let api = place.github.api();
        let now = patiently(|| api.add_labels(&place.repository, place.number, &chosen))
            .await
            .map_err(failed("Putting labels on"))?;
        let now = now.iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", ");
        Ok(from_outside(context, &[("labels-now-on", &context.thread.display)], &now, 4 * 1024))
    }
}

async fn known_labels(place: &Place<'_>) -> Result<Vec<String>, ReplyError> {
    let mut names = Vec::new();
    for page in 1..=MOST_PAGES {
        let found = place.github.api().list_labels(&place.repository, MOST_PER_PAGE, page).await?;
        names.extend(found.items.into_iter().map(|label| label.name));
        if found.next.is_none() {
            break;
        }
    }
    Ok(names)
}

fn no_such_label(context: &ToolContext, label: &str, known: &[String]) -> String {
    let label: String = label.chars().filter(|character| !character.is_control()).take(64).collect();
    if known.is_empty() {
        return format!("There is no label `{label}`: this repository has none. Nothing was done.");
    }
    let advice = match nearest(&label, known.iter().map(String::as_str)) {
        Some(near) => format!(" The nearest is `{near}`."),
        None => String::new(),
    };
    let list = from_outside(context, &[("labels-of", &context.thread.display)], &known.join(", "), 4 * 1024);
    format!("There is no label `{label}`.{advice} Nothing was done. There are:\n\n{list}")
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

/// Makes a call again where it certainly was not done and may be soon: our own pace and short limits of GitHub's.
/// The tool's deadline is over all of it.
async fn patiently<T, F: Future<Output = Result<T, ReplyError>>>(call: impl Fn() -> F) -> Result<T, ReplyError> {
    for _ in 1..MOST_TRIES {
        match call().await {
            Err(ReplyError::Retry { after_ms, .. }) if after_ms <= MOST_WAIT_MS => {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
            }
            result => return result,
        }
    }
    call().await
}

/// What makes the comment of one call recognisable: hidden on the page, and not to be guessed.
fn marker(context: &ToolContext) -> String {
    format!("<!-- reveille:call:{} -->", context.key)
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
        let Place { github, repository, number } = place(&self.connections, context)?;
        let text = github.render(&body);
        if text.len() > COMMENT_BYTES {
            let message = format!("The comment is longer than {COMMENT_BYTES} bytes. Nothing was posted: shorten it.");
            return Err(ToolError::Failed(message));
        }
        let text = format!("{}\n\n{}", text.trim_end(), marker(context));
        let comment = github.api().create_comment(&repository, number, &text).await.map_err(failed("The comment"))?;
        Ok(posted(&comment.html_url))
    }

    async fn look_up(&self, context: &ToolContext, _arguments: &Value) -> Result<Option<String>, ToolError> {
        let unknown = |error: ReplyError| ToolError::Unknown(format!("the comments cannot be read: {error}"));
        let Place { github, repository, number } = place(&self.connections, context)?;
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
