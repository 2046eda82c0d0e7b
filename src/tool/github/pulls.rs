//! What pull requests are and say: `github.get_pull`, `github.list_pulls`, `github.list_pull_files`, `github.list_reviews`,
//! `github.list_review_comments`. All need `pull_requests: read`.

use reveille_github::{Comment, MOST_PER_PAGE, PullFile, PullRequest, Review};
use schemars::JsonSchema;
use serde::Deserialize;

use super::read::{author, day};
use super::{GitHubConnections, Place, failed, github_tool, reading};
use crate::tool::output::{cut, fitting};
use crate::tool::{ToolContext, ToolError, ToolSpec, from_outside};

/// The most bytes of a pull request's text, and of one review or comment.
const TEXT_BYTES: usize = 16 * 1024;
const REMARK_BYTES: usize = 4 * 1024;
/// The most bytes of one file's patch among others, and alone.
const PATCH_BYTES: usize = 8 * 1024;
const WHOLE_PATCH_BYTES: usize = 44 * 1024;
/// The most bytes of a list.
const LIST_BYTES: usize = 48 * 1024;
/// The most pages of reviews that are read: the latest matter, and GitHub lists from the oldest.
const MOST_PAGES: u32 = 5;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PullArguments {
    /// Number of the pull request in this repository; this thread's own if left out.
    #[serde(default)]
    pull_number: Option<u64>,
}

github_tool!(
    /// `github.get_pull`.
    GetPull, "github.get_pull", "A pull request of this repository: title, text, state, branches, newest commit.",
    PullArguments, (Read, ReadUntrusted), TEXT_BYTES + 2_048 => get_pull
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PullsArguments {
    /// Only those in this state; open ones if left out.
    #[serde(default)]
    state: Option<PullState>,
    /// How many at most, the newest first; 30 if left out, 100 at most.
    #[serde(default)]
    per_page: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PullState {
    Open,
    Closed,
    All,
}

github_tool!(
    /// `github.list_pulls`.
    ListPulls, "github.list_pulls", "The pull requests of this repository, the newest first, a line each.",
    PullsArguments, (Read, ReadUntrusted), LIST_BYTES => list_pulls
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilesArguments {
    /// Number of the pull request in this repository; this thread's own if left out.
    #[serde(default)]
    pull_number: Option<u64>,
    /// Only this file, with more of its patch.
    #[serde(default)]
    filename: Option<String>,
    /// The page, counted from 1: a hundred files each.
    #[serde(default)]
    page: Option<u32>,
}

github_tool!(
    /// `github.list_pull_files`.
    ListPullFiles, "github.list_pull_files",
    "The files that a pull request changes, each with its patch. A patch that is cut is read alone, by its filename.",
    FilesArguments, (Read, ReadUntrusted), LIST_BYTES + 2_048 => list_pull_files
);

github_tool!(
    /// `github.list_reviews`.
    ListReviews, "github.list_reviews", "The reviews of a pull request: who, what they decided, what they wrote.",
    PullArguments, (Read, ReadUntrusted), LIST_BYTES => list_reviews
);

github_tool!(
    /// `github.list_review_comments`.
    ListReviewComments, "github.list_review_comments",
    "The remarks on lines of a pull request, in their threads, the latest ones.",
    PullArguments, (Read, ReadUntrusted), LIST_BYTES => list_review_comments
);

async fn get_pull(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number }: PullArguments,
) -> Result<String, ToolError> {
    let Place { github, repository, number: own } = reading(connections, context)?;
    let number = pull_number.unwrap_or(own);
    let what = format!("The pull request #{number}");
    let pull = github.api().get_pull(&repository, number).await.map_err(failed(&what))?;
    let branch = |branch: &Option<reveille_github::Branch>| {
        branch.as_ref().map_or_else(String::new, |branch| format!("{} at {}", branch.name, branch.sha))
    };
    let place = format!("{}/{}#{number}", repository.owner, repository.name);
    let about = [("from", author(pull.user.as_ref())), ("in", &place), ("opened", &day(pull.created_at_ms))];
    let text = format!(
        "Title: {}\nFrom the branch: {}\nInto the branch: {}\n\n{}",
        pull.title,
        branch(&pull.head),
        branch(&pull.base),
        pull.body
    );
    let origin = if pull.is_from_fork() { " It comes from a fork: its author may be anybody." } else { "" };
    let fenced = from_outside(context, &about, &text, TEXT_BYTES);
    Ok(format!("{what} is {}.{origin}\n\n{fenced}", state(&pull)))
}

/// The platform's words, if they are known ones.
fn state(pull: &PullRequest) -> &'static str {
    match (pull.state.as_str(), pull.merged || pull.merged_at_ms != 0, pull.draft) {
        (_, true, _) => "merged",
        ("closed", false, _) => "closed",
        (_, false, true) => "an open draft",
        (_, false, false) => "open",
    }
}

async fn list_pulls(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullsArguments { state: wanted, per_page }: PullsArguments,
) -> Result<String, ToolError> {
    let Place { github, repository, .. } = reading(connections, context)?;
    let wanted = match wanted.unwrap_or(PullState::Open) {
        PullState::Open => "open",
        PullState::Closed => "closed",
        PullState::All => "all",
    };
    let most = per_page.unwrap_or(30).clamp(1, MOST_PER_PAGE);
    let found = github.api().list_pulls(&repository, wanted, most, 1).await.map_err(failed("The list"))?;
    if found.items.is_empty() {
        return Ok("There are none.".to_owned());
    }
    let line = |pull: &PullRequest| {
        let title = pull.title.split_whitespace().collect::<Vec<_>>().join(" ");
        cut(format!("#{} {} by {}: {title}", pull.number, state(pull), author(pull.user.as_ref())), 300).0
    };
    let (list, left_out) = fitting(found.items.iter().map(line).collect(), LIST_BYTES.saturating_sub(1_024));
    let fenced = from_outside(context, &[("pull-requests-of", &context.thread.display)], &list, LIST_BYTES - 512);
    Ok(if left_out > 0 { format!("{fenced}\n\n[{left_out} older ones do not fit in]") } else { fenced })
}

async fn list_pull_files(
    connections: &GitHubConnections,
    context: &ToolContext,
    FilesArguments { pull_number, filename, page }: FilesArguments,
) -> Result<String, ToolError> {
    let Place { github, repository, number: own } = reading(connections, context)?;
    let number = pull_number.unwrap_or(own);
    let what = format!("The pull request #{number}");
    let page = page.unwrap_or(1).clamp(1, 30);
    let found = github.api().list_pull_files(&repository, number, MOST_PER_PAGE, page).await.map_err(failed(&what))?;
    let is_wanted = |file: &&PullFile| filename.as_ref().is_none_or(|name| *name == file.filename);
    let most = if filename.is_some() { WHOLE_PATCH_BYTES } else { PATCH_BYTES };
    let pieces: Vec<String> = found.items.iter().filter(is_wanted).map(|file| patch(context, file, most)).collect();
    if pieces.is_empty() {
        return Ok(format!("There are no such files on page {page} of {what}."));
    }
    let (list, left_out) = fitting(pieces, LIST_BYTES);
    let mut notes = String::new();
    if left_out > 0 {
        notes.push_str(&format!("\n\n[{left_out} further files do not fit in: ask for them by filename]"));
    }
    if found.next.is_some() {
        notes.push_str(&format!("\n\n[more files on page {}]", page + 1));
    }
    Ok(format!("{list}{notes}"))
}

fn patch(context: &ToolContext, file: &PullFile, most: usize) -> String {
    let counts = format!("+{} -{}", file.additions, file.deletions);
    let before = file.previous_filename.as_deref().unwrap_or_default();
    let mut about = vec![("file", file.filename.as_str()), ("status", &file.status), ("lines", &counts)];
    if !before.is_empty() {
        about.push(("before", before));
    }
    from_outside(context, &about, file.patch.as_deref().unwrap_or("(no text, or too long for a patch)"), most)
}

async fn list_reviews(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number }: PullArguments,
) -> Result<String, ToolError> {
    let Place { github, repository, number: own } = reading(connections, context)?;
    let number = pull_number.unwrap_or(own);
    let what = format!("The pull request #{number}");
    let mut reviews: Vec<Review> = Vec::new();
    for page in 1..=MOST_PAGES {
        let found = github.api().list_reviews(&repository, number, MOST_PER_PAGE, page).await;
        let found = found.map_err(failed(&what))?;
        reviews.extend(found.items);
        if found.next.is_none() {
            break;
        }
    }
    let shown = |review: &Review| {
        let (state, at) = (review.state.to_ascii_lowercase(), day(review.submitted_at_ms));
        let about = [("from", author(review.user.as_ref())), ("review", &state), ("at", &at)];
        from_outside(context, &about, &review.body, REMARK_BYTES)
    };
    Ok(latest(&what, "reviews", reviews.iter().rev().map(shown).collect()))
}

async fn list_review_comments(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number }: PullArguments,
) -> Result<String, ToolError> {
    let Place { github, repository, number: own } = reading(connections, context)?;
    let number = pull_number.unwrap_or(own);
    let what = format!("The pull request #{number}");
    let mut page = github.api().list_line_comments(&repository, number, None).await.map_err(failed(&what))?;
    let mut comments: Vec<Comment> = Vec::new();
    for _ in 0..MOST_PAGES {
        comments.append(&mut page.items);
        match github.api().following(&repository, &page).await.map_err(failed(&what))? {
            Some(following) => page = following,
            None => break,
        }
    }
    let shown = |comment: &Comment| {
        let line = comment.line.or(comment.original_line).map(|line| format!(":{line}")).unwrap_or_default();
        let place = format!("{}{line}", comment.path.as_deref().unwrap_or_default());
        let thread = comment.in_reply_to_id.unwrap_or(comment.id).to_string();
        let about = [("from", author(comment.user.as_ref())), ("at", &place), ("thread", &thread)];
        from_outside(context, &about, &comment.body, REMARK_BYTES)
    };
    Ok(latest(&what, "remarks", comments.iter().rev().map(shown).collect()))
}

/// As many as fit in of pieces that begin with the latest, the oldest of them first.
fn latest(what: &str, things: &str, pieces: Vec<String>) -> String {
    if pieces.is_empty() {
        return format!("{what} has no {things}.");
    }
    let (_, left_out) = fitting(pieces.clone(), LIST_BYTES.saturating_sub(256));
    let kept = pieces.len() - left_out;
    let shown: Vec<String> = pieces.into_iter().take(kept).rev().collect();
    format!("The latest {kept} {things}:\n\n{}", shown.join("\n\n"))
}
