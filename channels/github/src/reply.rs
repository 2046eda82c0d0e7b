//! The steps of a reply plan on GitHub: one comment that grows by edits, found again by the marker at its end.

use reveille_channel::{ContextMessage, Mode, Op, Receipt, ReplyContext, ReplyError, ThreadRef};

use crate::GitHub;
use crate::api::{MOST_PER_PAGE, Repository};
use crate::model::{Comment, User};
use crate::normalise::ISSUE_ITSELF;
use crate::own::{marker_comment, split_marker};

/// GitHub's clock and ours may differ by this much.
const CLOCK_SKEW_MS: i64 = 60_000;
/// Beyond this many pages it is not certain any more that all were read before some changed.
const MOST_PAGES: u32 = 100;

/// The text of a comment as it is sent, with its marker.
fn marked(github: &GitHub, text: &str, context: &ReplyContext) -> String {
    let mut body = github.render(text);
    body.push_str("\n\n");
    body.push_str(&marker_comment(context.marker.as_str()));
    body
}

fn comment_id(id: &str) -> Result<u64, ReplyError> {
    id.parse().map_err(|_| ReplyError::Refused("that is no comment's id".to_owned()))
}

fn receipt(comment: &Comment) -> Receipt {
    Receipt { id: comment.id.to_string(), mode: Mode::Edit }
}

/// Does one step.
pub(crate) async fn perform(github: &GitHub, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
    let (repository, number) = Repository::of(&context.thread)?;
    match op {
        Op::Start { text, .. } => {
            let body = marked(github, text, context);
            github.api.create_comment(&repository, number, &body).await.map(|comment| receipt(&comment))
        }
        Op::Edit { id, text, .. } => {
            let body = marked(github, text, context);
            github.api.update_comment(&repository, comment_id(id)?, &body).await.map(|comment| receipt(&comment))
        }
        Op::Append { .. } | Op::Finish { .. } => {
            Err(ReplyError::Refused("GitHub has no streams; a comment is edited".to_owned()))
        }
        Op::Ask(_) | Op::Settle { .. } => Err(ReplyError::Refused("questions are not asked on GitHub yet".to_owned())),
        // There is no status line; the reply shows what is going on.
        Op::Status { .. } => Ok(Receipt { id: context.message.clone().unwrap_or_default(), mode: Mode::Edit }),
    }
}

/// Looks for our comment: written by us, since the turn began, with the marker at its end.
pub(crate) async fn find(github: &GitHub, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
    let (repository, number) = Repository::of(&context.thread)?;
    if github.own.account().is_none() {
        // Whoever copies our marker must not be taken for us.
        github.learn_account().await?;
    }
    let since_ms = Some(context.since_ms.saturating_sub(CLOCK_SKEW_MS));
    for page in 1..=MOST_PAGES {
        let comments = github.api.list_comments(&repository, number, since_ms, MOST_PER_PAGE, page).await?;
        let ours = comments.items.iter().find(|comment| {
            github.own.is_own_comment(comment)
                && split_marker(&comment.body).is_some_and(|(_, marker)| marker == context.marker.as_str())
        });
        if let Some(comment) = ours {
            return Ok(Some(receipt(comment)));
        }
        if !comments.has_next {
            return Ok(None);
        }
    }
    Err(ReplyError::Unknown("the issue has too many comments to look through".to_owned()))
}

/// The issue itself and its last comments, the oldest first.
pub(crate) async fn context(
    github: &GitHub,
    thread: &ThreadRef,
    limit: usize,
) -> Result<Vec<ContextMessage>, ReplyError> {
    let (repository, number) = Repository::of(thread)?;
    if limit == 0 {
        return Ok(Vec::new());
    }
    let issue = github.api.get_issue(&repository, number).await?;
    let wanted = limit.saturating_sub(1);
    let mut comments: Vec<Comment> = Vec::new();
    let mut page = u32::try_from(issue.comments.div_ceil(u64::from(MOST_PER_PAGE))).unwrap_or(MOST_PAGES);
    while page > 0 && comments.len() < wanted {
        let mut earlier = github.api.list_comments(&repository, number, None, MOST_PER_PAGE, page).await?.items;
        earlier.append(&mut comments);
        comments = earlier;
        page -= 1;
    }
    let surplus = comments.len().saturating_sub(wanted);
    let author = |user: Option<&User>| user.map_or_else(|| "ghost".to_owned(), |user| user.login.clone());
    let is_own_issue = github.own.is_own_app(issue.performed_via_github_app)
        || issue.user.as_ref().is_some_and(|user| github.own.is_own_account(user));
    let first = ContextMessage {
        id: ISSUE_ITSELF.to_owned(),
        author: author(issue.user.as_ref()),
        is_own: is_own_issue,
        text: format!("{}\n\n{}", issue.title, issue.body).trim_end().to_owned(),
        at_ms: issue.created_at_ms,
    };
    let rest = comments.into_iter().skip(surplus).map(|comment| ContextMessage {
        id: comment.id.to_string(),
        author: author(comment.user.as_ref()),
        is_own: github.own.is_own_comment(&comment),
        text: split_marker(&comment.body).map_or_else(|| comment.body.clone(), |(text, _)| text.to_owned()),
        at_ms: comment.created_at_ms,
    });
    Ok(std::iter::once(first).chain(rest).collect())
}

/// GitHub's name of an emoji ("Reactions": eight are known).
fn reaction(emoji: &str) -> Option<&'static str> {
    Some(match emoji {
        "+1" | "thumbsup" => "+1",
        "-1" | "thumbsdown" => "-1",
        "laugh" | "laughing" | "smile" => "laugh",
        "confused" => "confused",
        "heart" => "heart",
        "hooray" | "tada" => "hooray",
        "rocket" => "rocket",
        "eyes" => "eyes",
        _ => return None,
    })
}

/// Puts a reaction on a comment or on the issue itself.
pub(crate) async fn react(github: &GitHub, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
    let (repository, number) = Repository::of(thread)?;
    let reaction = reaction(emoji).ok_or_else(|| ReplyError::Refused(format!("GitHub has no reaction {emoji:?}")))?;
    let comment = if message == ISSUE_ITSELF { None } else { Some(comment_id(message)?) };
    github.api.add_reaction(&repository, number, comment, reaction).await
}
