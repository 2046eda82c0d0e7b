//! "REST API endpoints for issues", "... for issue comments", "... for labels", "... for reactions".

use http::Method;
use jiff::Timestamp;
use reveille_channel::ReplyError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, MOST_PER_PAGE, Page, Repository, paging, read, segments};
use crate::client::As;
use crate::model::{Comment, Issue, Label};
use crate::pace::Pacing;
use crate::token::Need;

/// `&since=...` for a time, milliseconds since the Unix epoch.
pub(super) fn since(since_ms: Option<i64>) -> String {
    since_ms
        .and_then(|time| Timestamp::from_millisecond(time).ok())
        .map(|time| format!("&since={}", time.strftime("%Y-%m-%dT%H:%M:%SZ")))
        .unwrap_or_default()
}

/// How the issues, pull requests and comments of a repository are reached.
fn conversation(repository: &Repository) -> As<'_> {
    As::In(repository, repository.need())
}

impl Api {
    /// One issue, or the conversation of a pull request.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_issue(&self, repository: &Repository, number: u64) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues/{number}", repository.path()?);
        read(&self.get(conversation(repository), &path).await?)
    }

    /// The open issues and pull requests, the newest first; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_issues(
        &self,
        repository: &Repository,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Issue>, ReplyError> {
        let path = format!("{}/issues?state=open&{}", repository.path()?, paging(per_page, page));
        self.page(conversation(repository), &path).await
    }

    /// The comments of an issue, the oldest first; with `since_ms` those changed at or after that time, milliseconds
    /// since the Unix epoch. `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_comments(
        &self,
        repository: &Repository,
        number: u64,
        since_ms: Option<i64>,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Comment>, ReplyError> {
        let (paging, since) = (paging(per_page, page), since(since_ms));
        let path = format!("{}/issues/{number}/comments?{paging}{since}", repository.path()?);
        self.page(conversation(repository), &path).await
    }

    /// One comment.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_comment(&self, repository: &Repository, id: u64) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        read(&self.get(conversation(repository), &path).await?)
    }

    /// The repository's labels; `page` counts from 1.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_labels(
        &self,
        repository: &Repository,
        per_page: u32,
        page: u32,
    ) -> Result<Page<Label>, ReplyError> {
        let path = format!("{}/labels?{}", repository.path()?, paging(per_page, page));
        self.page(conversation(repository), &path).await
    }

    /// Writes a comment. Not idempotent: [`ReplyError::Unknown`] means it may be there. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_comment(
        &self,
        repository: &Repository,
        number: u64,
        text: &str,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/{number}/comments", repository.path()?);
        self.make(repository, repository.need(), &path, &json!({ "body": text })).await
    }

    /// Replaces the text of a comment. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub(crate) async fn update_comment(
        &self,
        repository: &Repository,
        id: u64,
        text: &str,
        pacing: Pacing,
    ) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        self.take_pace(repository, pacing).await?;
        self.put(conversation(repository), Method::PATCH, &path, &json!({ "body": text })).await
    }

    /// Puts labels on an issue; those already there stay. Returns all it has then. GitHub makes labels it does not know.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn add_labels(
        &self,
        repository: &Repository,
        number: u64,
        labels: &[String],
    ) -> Result<Vec<Label>, ReplyError> {
        let path = format!("{}/issues/{number}/labels", repository.path()?);
        self.take_pace(repository, Pacing::Edit).await?;
        self.put(conversation(repository), Method::POST, &path, &json!({ "labels": labels })).await
    }

    /// Takes a label off an issue; whether it was on it.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn remove_label(&self, repository: &Repository, number: u64, label: &str) -> Result<bool, ReplyError> {
        let label = segments([label]).ok_or_else(|| ReplyError::Refused("that is no label's name".to_owned()))?;
        let path = format!("{}/issues/{number}/labels{label}", repository.path()?);
        self.take_pace(repository, Pacing::Edit).await?;
        match self.client.request(conversation(repository), Method::DELETE, &path, None, true).await {
            Ok(_) => Ok(true),
            // It is the label that is not there, or the issue; either way it is off.
            Err(ReplyError::Gone(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes people responsible for an issue, or no longer. GitHub leaves out whom it cannot make so: it is in the answer
    /// who is responsible then.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn change_assignees(
        &self,
        repository: &Repository,
        number: u64,
        logins: &[String],
        are_added: bool,
    ) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues/{number}/assignees", repository.path()?);
        let method = if are_added { Method::POST } else { Method::DELETE };
        self.take_pace(repository, Pacing::Edit).await?;
        self.put(conversation(repository), method, &path, &json!({ "assignees": logins })).await
    }

    /// Changes an issue. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn update_issue(
        &self,
        repository: &Repository,
        number: u64,
        changes: &IssueChanges,
    ) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues/{number}", repository.path()?);
        self.take_pace(repository, Pacing::Edit).await?;
        let body = serde_json::to_value(changes).map_err(|error| ReplyError::Refused(error.to_string()))?;
        self.put(conversation(repository), Method::PATCH, &path, &body).await
    }

    /// Opens an issue. Not idempotent: [`ReplyError::Unknown`] means it may be there. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_issue(
        &self,
        repository: &Repository,
        title: &str,
        body: &str,
        labels: &[String],
    ) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues", repository.path()?);
        let issue = json!({ "title": title, "body": body, "labels": labels });
        self.make(repository, Need::Issues, &path, &issue).await
    }

    /// The issues and pull requests, closed ones too, that were changed at or after a time (milliseconds since the Unix
    /// epoch), the newest first.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_issues_since(
        &self,
        repository: &Repository,
        since_ms: i64,
        page: u32,
    ) -> Result<Page<Issue>, ReplyError> {
        let (paging, since) = (paging(MOST_PER_PAGE, page), since(Some(since_ms)));
        let path = format!("{}/issues?state=all&sort=created&direction=desc&{paging}{since}", repository.path()?);
        self.page(conversation(repository), &path).await
    }

    /// Issues and pull requests of the repository in which these words stand, the best first ("Searching issues and pull
    /// requests"). The words are nothing but words: no operator or qualifier of theirs reaches further.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn search_issues(
        &self,
        repository: &Repository,
        words: &str,
        kind: &str,
        per_page: u32,
    ) -> Result<Vec<Issue>, ReplyError> {
        #[derive(Deserialize)]
        struct Found {
            items: Vec<FoundIssue>,
        }
        #[derive(Deserialize)]
        struct FoundIssue {
            #[serde(default)]
            repository_url: String,
            #[serde(flatten)]
            issue: Issue,
        }
        let place = repository.path()?;
        let words: Vec<String> = words.split_whitespace().map(word).collect();
        let query = format!("{} repo:{}/{} {kind}", words.join(" "), repository.owner, repository.name);
        let query: String = url::form_urlencoded::byte_serialize(query.trim().as_bytes()).collect();
        let path = format!("/search/issues?q={query}&{}", paging(per_page, 1));
        let found: Found = read(&self.get(conversation(repository), &path).await?)?;
        // A token of a person may see more than this repository: what is found elsewhere is left out.
        let is_here = |found: &FoundIssue| {
            found.repository_url.is_empty()
                || found.repository_url.to_ascii_lowercase().ends_with(&place.to_ascii_lowercase())
        };
        Ok(found.items.into_iter().filter(is_here).map(|found| found.issue).collect())
    }

    /// Puts a reaction (by GitHub's name of it) on the issue itself, on a comment of it, or on a comment on a line.
    /// Idempotent.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub(crate) async fn add_reaction(
        &self,
        repository: &Repository,
        on: ReactionOn,
        reaction: &str,
        pacing: Pacing,
    ) -> Result<(), ReplyError> {
        let below = match on {
            ReactionOn::Issue(number) => format!("issues/{number}"),
            ReactionOn::Comment(id) => format!("issues/comments/{id}"),
            ReactionOn::LineComment(id) => format!("pulls/comments/{id}"),
        };
        let path = format!("{}/{below}/reactions", repository.path()?);
        self.take_pace(repository, pacing).await?;
        let body = json!({ "content": reaction });
        self.client.request(conversation(repository), Method::POST, &path, Some(&body), true).await?;
        Ok(())
    }
}

/// A word of a search, in quotation marks where it could mean something else.
fn word(text: &str) -> String {
    let is_operator = ["and", "or", "not"].iter().any(|operator| text.eq_ignore_ascii_case(operator));
    let is_plain = text.chars().all(char::is_alphanumeric) && !is_operator;
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace(['"', '\\'], " ").trim()) }
}

/// What is to change of an issue; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IssueChanges {
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// `open` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// `completed`, `not_planned`, `duplicate` or `reopened`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<&'static str>,
}

/// What a reaction is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReactionOn {
    /// An issue or pull request, by its number.
    Issue(u64),
    /// A comment on one, by its id.
    Comment(u64),
    /// A comment on a line of a pull request, by its id.
    LineComment(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_search_is_a_word_and_nothing_else() {
        for (text, searched) in [
            ("crash", "crash"),
            ("überlauf", "überlauf"),
            ("OR", "\"OR\""),
            ("not", "\"not\""),
            ("repo:acme/secret", "\"repo:acme/secret\""),
            ("\"repo:acme/secret", "\"repo:acme/secret\""),
            ("(a", "\"(a\""),
            ("-label:bug", "\"-label:bug\""),
            ("a\\\"b", "\"a  b\""),
        ] {
            assert_eq!(word(text), searched);
        }
    }
}
