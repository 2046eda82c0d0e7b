//! GitHub's objects as its API and its webhooks show them.

use serde_json::{Value, json};

use super::state::{Comment, Discussion, DiscussionComment, Issue, LineComment, Pull, Review};
use super::{BOT_ID, PEOPLE, REPOSITORY, REPOSITORY_ID};

/// A time as the API writes it.
pub(crate) fn time(seconds: u64) -> String {
    // Days since the epoch to a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

pub(crate) fn user(id: u64, login: &str, kind: &str) -> Value {
    json!({"login": login, "id": id, "node_id": format!("U_{id}"), "type": kind, "site_admin": false})
}

pub(crate) fn user_named(login: &str, is_bot: bool) -> Value {
    let id = PEOPLE.iter().find(|one| one.login == login).map_or(BOT_ID, |one| one.id);
    user(id, login, if is_bot { "Bot" } else { "User" })
}

pub(crate) fn repository() -> Value {
    json!({"id": REPOSITORY_ID, "node_id": "R_1", "name": "app", "full_name": REPOSITORY, "private": false,
        "owner": {"login": "acme", "id": 77, "type": "Organization"}, "html_url": page(""), "default_branch": "main",
        "permissions": {"admin": true, "maintain": true, "push": true, "triage": true, "pull": true}})
}

fn page(rest: &str) -> String {
    format!("https://github.com/{REPOSITORY}{rest}")
}

pub(crate) fn label(name: &str) -> Value {
    json!({"id": 1, "node_id": "LA_1", "name": name, "color": "ededed", "description": ""})
}

fn labels(names: &[String]) -> Vec<Value> {
    names.iter().map(|name| label(name)).collect()
}

fn assignees(issue: &Issue) -> Vec<Value> {
    issue.assignees.iter().map(|login| user_named(login, false)).collect()
}

/// An issue, or a pull request as the issues' API shows it.
pub(crate) fn issue(issue: &Issue) -> Value {
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    let mut shown = json!({"id": 700_000 + issue.number, "node_id": format!("I_{}", issue.number), "number": issue.number,
        "title": issue.title, "body": issue.body, "state": issue.state(), "state_reason": issue.state_reason, "locked": false,
        "labels": labels(&issue.labels), "assignees": assignees(issue), "comments": issue.comments.len(),
        "user": user_named(&issue.author, issue.is_bot), "author_association": "NONE",
        "html_url": page(&format!("/{kind}/{}", issue.number)), "performed_via_github_app": null,
        "created_at": time(issue.at_s), "updated_at": time(issue.at_s + issue.changes)});
    if issue.pull.is_some()
        && let Some(shown) = shown.as_object_mut()
    {
        shown.insert(
            "pull_request".into(),
            json!({"url": format!("https://api.github.com/repos/{REPOSITORY}/pulls/{}", issue.number)}),
        );
    }
    shown
}

pub(crate) fn pull(issue: &Issue, pull: &Pull) -> Value {
    let repo = |id: u64| json!({"id": id, "full_name": if id == REPOSITORY_ID { REPOSITORY } else { "mallory/app" }, "fork": id != REPOSITORY_ID});
    let head = if pull.is_from_fork { 4_200_002 } else { REPOSITORY_ID };
    json!({"id": 800_000 + issue.number, "node_id": format!("PR_{}", issue.number), "number": issue.number,
        "title": issue.title, "body": issue.body, "state": issue.state(), "locked": false, "draft": pull.draft,
        "merged": pull.merged, "merged_at": pull.merged.then(|| time(issue.at_s)), "mergeable": true,
        "labels": labels(&issue.labels), "assignees": assignees(issue), "requested_reviewers": [],
        "user": user_named(&issue.author, issue.is_bot), "author_association": "NONE",
        "head": {"label": format!("acme:{}", pull.head), "ref": pull.head, "sha": pull.head_sha, "repo": repo(head)},
        "base": {"label": format!("acme:{}", pull.base), "ref": pull.base, "sha": "b".repeat(40), "repo": repo(REPOSITORY_ID)},
        "comments": issue.comments.len(), "review_comments": pull.line_comments.len(), "commits": 1,
        "additions": 1, "deletions": 1, "changed_files": pull.files.len(),
        "html_url": page(&format!("/pull/{}", issue.number)), "created_at": time(issue.at_s), "updated_at": time(issue.at_s + issue.changes)})
}

/// A comment, written by an app when one is given.
pub(crate) fn comment(comment: &Comment, issue: u64, app: Option<&Value>) -> Value {
    let changes = u64::try_from(comment.history.len()).unwrap_or(0);
    json!({"id": comment.id, "node_id": format!("IC_{}", comment.id), "body": comment.body,
        "user": user_named(&comment.author, comment.is_bot), "author_association": "NONE",
        "created_at": time(comment.at_s), "updated_at": time(comment.at_s + changes),
        "performed_via_github_app": app.filter(|_| comment.is_bot),
        "html_url": page(&format!("/issues/{issue}#issuecomment-{}", comment.id))})
}

pub(crate) fn line_comment(comment: &LineComment, pull: u64, head_sha: &str) -> Value {
    let changes = u64::try_from(comment.history.len()).unwrap_or(0);
    let mut shown = json!({"id": comment.id, "node_id": format!("PRRC_{}", comment.id), "body": comment.body, "path": comment.path,
        "line": comment.line, "original_line": comment.line, "side": "RIGHT", "commit_id": head_sha, "diff_hunk": comment.diff_hunk,
        "pull_request_review_id": comment.review, "user": user_named(&comment.author, comment.is_bot), "author_association": "NONE",
        "created_at": time(comment.at_s), "updated_at": time(comment.at_s + changes),
        "html_url": page(&format!("/pull/{pull}#discussion_r{}", comment.id))});
    if let (Some(first), Some(shown)) = (comment.in_reply_to, shown.as_object_mut()) {
        shown.insert("in_reply_to_id".into(), first.into());
    }
    shown
}

pub(crate) fn review(review: &Review, pull: u64) -> Value {
    json!({"id": review.id, "node_id": format!("PRR_{}", review.id), "body": review.body, "state": review.state,
        "user": user_named(&review.author, review.is_bot), "author_association": "NONE", "commit_id": review.commit_id,
        "submitted_at": time(review.at_s), "html_url": page(&format!("/pull/{pull}#pullrequestreview-{}", review.id))})
}

pub(crate) fn discussion(discussion: &Discussion) -> Value {
    json!({"id": 900_000 + discussion.number, "node_id": discussion.node(), "number": discussion.number, "title": discussion.title,
        "body": discussion.body, "state": "open", "locked": false, "comments": discussion.comments.len(),
        "category": {"id": 1, "name": "Q&A", "slug": "q-a", "is_answerable": true},
        "user": user_named(&discussion.author, false), "author_association": "NONE",
        "html_url": page(&format!("/discussions/{}", discussion.number)),
        "created_at": time(discussion.at_s), "updated_at": time(discussion.at_s)})
}

pub(crate) fn discussion_comment(comment: &DiscussionComment, discussion: &Discussion) -> Value {
    json!({"id": comment.id, "node_id": comment.node(), "body": comment.body, "parent_id": comment.answers,
        "child_comment_count": 0, "discussion_id": 900_000 + discussion.number, "repository_url": REPOSITORY,
        "user": user_named(&comment.author, comment.is_bot), "author_association": "NONE",
        "html_url": page(&format!("/discussions/{}#discussioncomment-{}", discussion.number, comment.id)),
        "created_at": time(comment.at_s), "updated_at": time(comment.at_s)})
}
