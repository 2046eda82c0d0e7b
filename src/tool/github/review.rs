//! `github.create_review`: one call for many remarks. Many comments one by one are what got bots blocked.

use reveille_channel::ReplyError;
use reveille_github::{MOST_PER_PAGE, NewReview, Remark, Review};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::place::{Thread, pull};
use super::{GitHubConnections, failed, github_tool, marked, marker, nothing_done};
use crate::tool::{ToolContext, ToolError, ToolSpec};

/// The most remarks of one review.
const MOST_REMARKS: usize = 50;
/// The most pages of reviews that are looked through.
const MOST_PAGES: u32 = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReviewArguments {
    /// COMMENT, or REQUEST_CHANGES where it must not be merged as it is. Approving is left to people.
    event: Verdict,
    /// What is to be said of the whole, Markdown.
    #[serde(default)]
    body: String,
    /// Remarks on lines, 50 at most.
    #[serde(default)]
    comments: Vec<RemarkArguments>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Verdict {
    Comment,
    RequestChanges,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RemarkArguments {
    /// The file, as the list of changed files names it.
    path: String,
    /// The line in the file; it has to be part of the patch.
    line: u32,
    /// RIGHT for the file as it will be, LEFT for a line that goes; RIGHT if left out.
    #[serde(default)]
    side: Option<Side>,
    /// The first line, where the remark is about several.
    #[serde(default)]
    start_line: Option<u32>,
    /// What is to be said, Markdown.
    body: String,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Side {
    Left,
    Right,
}

github_tool!(
    /// `github.create_review`. Needs `pull_requests: write`.
    CreateReview, "github.create_review",
    "Submits one review of this thread's pull request: a text and remarks on lines, all at once. Not one review for each remark.",
    ReviewArguments, (Once, Egress), 2 * 1024 => create, created
);

fn submitted(review: &Review) -> String {
    format!("The review is submitted: {}", review.html_url)
}

async fn create(
    connections: &GitHubConnections,
    context: &ToolContext,
    arguments: ReviewArguments,
) -> Result<String, ToolError> {
    let ReviewArguments { event, body, comments } = arguments;
    if comments.len() > MOST_REMARKS {
        return Err(nothing_done(&format!("At most {MOST_REMARKS} remarks: keep the ones that matter.")));
    }
    let says_nothing = body.trim().is_empty();
    if says_nothing && (comments.is_empty() || event == Verdict::RequestChanges) {
        return Err(nothing_done("Say in `body` what there is to say of the whole."));
    }
    let Thread { github, repository, number } = pull(connections, context)?;
    let mut remarks = Vec::with_capacity(comments.len());
    for RemarkArguments { path, line, side, start_line, body } in comments {
        if body.trim().is_empty() || path.trim().is_empty() || line == 0 {
            return Err(nothing_done("A remark has a path, a line counted from 1, and a body."));
        }
        let side = match side {
            Some(Side::Left) => "LEFT",
            Some(Side::Right) | None => "RIGHT",
        };
        let start_line = start_line.filter(|start| *start > 0 && *start < line);
        remarks.push(Remark { path, line, side, start_line, body: marked(github, context, &body)? });
    }
    let event = match event {
        Verdict::Comment => "COMMENT",
        Verdict::RequestChanges => "REQUEST_CHANGES",
    };
    let review = NewReview { event, body: marked(github, context, &body)?, comments: remarks };
    let review = github.api().create_review(&repository, number, &review).await.map_err(failed("The review"))?;
    Ok(submitted(&review))
}

/// The review that a lost call submitted.
async fn created(
    connections: &GitHubConnections,
    context: &ToolContext,
    _: &Value,
) -> Result<Option<String>, ToolError> {
    let unknown = |error: ReplyError| ToolError::Unknown(format!("the reviews cannot be read: {error}"));
    let Thread { github, repository, number } = pull(connections, context)?;
    let marker = marker(context);
    for page in 1..=MOST_PAGES {
        let found = github.api().list_reviews(&repository, number, MOST_PER_PAGE, page).await.map_err(unknown)?;
        if let Some(review) = found.items.iter().find(|review| review.body.trim_end().ends_with(&marker)) {
            return Ok(Some(submitted(review)));
        }
        if found.next.is_none() {
            return Ok(None);
        }
    }
    Err(ToolError::Unknown("there are too many reviews to look through".to_owned()))
}
