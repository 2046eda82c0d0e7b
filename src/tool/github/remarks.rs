//! What is said in pull requests: `github.list_reviews` and `github.list_review_comments`. Both need `pull_requests: read`.

use reveille_github::{Comment, MOST_PER_PAGE, Review};

use super::place::reaches;
use super::pulls::{PullArguments, pulls_of, what};
use super::read::{author, day};
use super::value::{RemarkValue, ReviewValue};
use super::{GitHubConnections, failed};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::fitting;
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most bytes of one review or remark.
const REMARK_BYTES: usize = 4 * 1024;
/// The most bytes of a list.
const LIST_BYTES: usize = 48 * 1024;
/// The most pages that are read: the latest matter, and GitHub lists from the oldest.
const MOST_PAGES: u32 = 5;

answering_tool!(
    /// `github.list_reviews`.
    ListReviews of GitHubConnections, "github.list_reviews", "The reviews of a pull request: who, what they decided, what they wrote.",
    PullArguments, (Read, ReadUntrusted), LIST_BYTES => list_reviews -> Reviews, reaches reaches
);

answering_tool!(
    /// `github.list_review_comments`.
    ListReviewComments of GitHubConnections, "github.list_review_comments",
    "The remarks on lines of a pull request, in their threads, the latest ones.",
    PullArguments, (Read, ReadUntrusted), LIST_BYTES => list_review_comments -> Remarks, reaches reaches
);

/// The reviews of a pull request, the oldest first.
struct Reviews {
    number: u64,
    reviews: Vec<Review>,
}

impl Answer for Reviews {
    type Value = Vec<ReviewValue>;

    fn text(&self, context: &ToolContext) -> String {
        let shown = |review: &Review| {
            let (state, at) = (review.state.to_ascii_lowercase(), day(review.submitted_at_ms));
            let about = [("from", author(review.user.as_ref())), ("review", &state), ("at", &at)];
            from_outside(context, &about, &review.body, REMARK_BYTES)
        };
        latest(&what(self.number), "reviews", self.reviews.iter().rev().map(shown).collect())
    }

    fn into_value(self) -> Vec<ReviewValue> {
        self.reviews.into_iter().map(Into::into).collect()
    }
}

async fn list_reviews(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number, repository }: PullArguments,
) -> Result<Reviews, ToolError> {
    let place = pulls_of(connections, context, repository.as_deref())?;
    let number = place.number(pull_number, "pull_number")?;
    let mut reviews: Vec<Review> = Vec::new();
    for page in 1..=MOST_PAGES {
        let found = place.github.api().list_reviews(&place.repository, number, MOST_PER_PAGE, page).await;
        let found = found.map_err(failed(&what(number)))?;
        reviews.extend(found.items);
        if found.next.is_none() {
            break;
        }
    }
    Ok(Reviews { number, reviews })
}

/// The remarks on lines of a pull request, the oldest first.
struct Remarks {
    number: u64,
    remarks: Vec<Comment>,
}

impl Answer for Remarks {
    type Value = Vec<RemarkValue>;

    fn text(&self, context: &ToolContext) -> String {
        let shown = |comment: &Comment| {
            let line = comment.line.or(comment.original_line).map(|line| format!(":{line}")).unwrap_or_default();
            let place = format!("{}{line}", comment.path.as_deref().unwrap_or_default());
            let thread = comment.in_reply_to_id.unwrap_or(comment.id).to_string();
            let about = [("from", author(comment.user.as_ref())), ("at", &place), ("thread", &thread)];
            from_outside(context, &about, &comment.body, REMARK_BYTES)
        };
        latest(&what(self.number), "remarks", self.remarks.iter().rev().map(shown).collect())
    }

    fn into_value(self) -> Vec<RemarkValue> {
        self.remarks.into_iter().map(Into::into).collect()
    }
}

async fn list_review_comments(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number, repository }: PullArguments,
) -> Result<Remarks, ToolError> {
    let place = pulls_of(connections, context, repository.as_deref())?;
    let number = place.number(pull_number, "pull_number")?;
    let (api, failed) = (place.github.api(), |error| failed(&what(number))(error));
    let mut page = api.list_line_comments(&place.repository, number, None).await.map_err(failed)?;
    let mut remarks: Vec<Comment> = Vec::new();
    for _ in 0..MOST_PAGES {
        remarks.append(&mut page.items);
        match api.following(&place.repository, &page).await.map_err(failed)? {
            Some(following) => page = following,
            None => break,
        }
    }
    Ok(Remarks { number, remarks })
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
