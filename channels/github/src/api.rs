//! GitHub's REST calls, typed. Each has a deadline, none is repeated here, and each reaches one repository.
//!
//! Sources: GitHub REST API documentation, pages "Issues", "Issue comments", "Labels", "Reactions", "Collaborators",
//! "GitHub Apps" and "Users".

use http::Method;
use jiff::Timestamp;
use reveille_channel::{ReplyError, ThreadRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::client::{As, Client};
use crate::model::{Comment, Issue, Label, User};
use crate::normalise::is_path_name;
use crate::pace::Pace;
use crate::settings::{Auth, SettingsError};
use crate::token::Reach;
use crate::transport::Answer;

/// The most GitHub gives on a page.
pub const MOST_PER_PAGE: u32 = 100;

/// A repository, and the installation through which it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The installation's id; anything else than a number is looked up.
    pub installation: String,
    /// The repository's immutable id, when it is known.
    pub id: Option<u64>,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// Whether what is reached there is a pull request: its conversation needs a permission of its own.
    pub is_pull: bool,
}

impl Repository {
    /// The repository of a thread of this channel, and the issue's number.
    ///
    /// # Errors
    /// [`ReplyError::Refused`] when the thread is not one of GitHub's.
    pub fn of(thread: &ThreadRef) -> Result<(Self, u64), ReplyError> {
        let foreign = || ReplyError::Refused(format!("{} is not a place on GitHub", thread.display));
        let part = |name: &str| thread.location.get(name).cloned().ok_or_else(foreign);
        let number = part("number")?.parse().map_err(|_| foreign())?;
        let id = thread.key.split_once(':').and_then(|(id, _)| id.parse().ok());
        let is_pull = thread.location.get("kind").is_some_and(|kind| kind == "pull");
        let (owner, name) = (part("owner")?, part("repo")?);
        let repository = Self { installation: thread.installation.clone(), id, owner, name, is_pull };
        repository.path()?;
        Ok((repository, number))
    }

    /// The path of the repository. Names that could lead elsewhere are refused.
    pub(crate) fn path(&self) -> Result<String, ReplyError> {
        if is_path_name(&self.owner) && is_path_name(&self.name) {
            Ok(format!("/repos/{}/{}", self.owner, self.name))
        } else {
            Err(ReplyError::Refused("the repository's name cannot be one of GitHub's".to_owned()))
        }
    }

    pub(crate) fn reach(&self) -> Reach {
        let repository = self.id.map_or_else(|| format!("{}/{}", self.owner, self.name), |id| id.to_string());
        (self.installation.clone(), repository, self.is_pull)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether another follows.
    pub has_next: bool,
}

/// What an account may do in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Permission {
    /// `admin`, `write`, `read` or `none`.
    pub permission: String,
    /// The role: finer than the permission, and possibly one the organisation made.
    #[serde(default)]
    pub role_name: String,
    /// The account that has the login now.
    #[serde(default)]
    pub user: Option<User>,
}

/// The app itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppObject {
    pub(crate) id: u64,
    pub(crate) slug: String,
    #[serde(default)]
    pub(crate) owner: Option<User>,
    #[serde(default)]
    pub(crate) permissions: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) events: Vec<String>,
}

/// The REST API through one connection's credentials.
#[derive(Debug)]
pub struct Api {
    client: Client,
    pace: Pace,
}

impl Api {
    pub(crate) fn new(base: &Url, auth: &Auth) -> Result<Self, SettingsError> {
        Ok(Self { client: Client::new(base, auth)?, pace: Pace::default() })
    }

    /// One issue, or the conversation of a pull request.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_issue(&self, repository: &Repository, number: u64) -> Result<Issue, ReplyError> {
        let path = format!("{}/issues/{number}", repository.path()?);
        read(&self.get(As::In(repository), &path).await?)
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
        self.page(repository, &path, per_page).await
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
        let since = since_ms
            .and_then(|time| Timestamp::from_millisecond(time).ok())
            .map(|time| format!("&since={}", time.strftime("%Y-%m-%dT%H:%M:%SZ")))
            .unwrap_or_default();
        let path = format!("{}/issues/{number}/comments?{}{since}", repository.path()?, paging(per_page, page));
        self.page(repository, &path, per_page).await
    }

    /// One comment.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_comment(&self, repository: &Repository, id: u64) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        read(&self.get(As::In(repository), &path).await?)
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
        self.page(repository, &path, per_page).await
    }

    /// What an account may do in a repository; nothing when GitHub knows no such account there.
    ///
    /// # Errors
    /// See [`ReplyError`]: whoever asks then refuses.
    pub async fn permission(&self, repository: &Repository, login: &str) -> Result<Option<Permission>, ReplyError> {
        let Some(login) = encoded_login(login) else { return Ok(None) };
        let path = format!("{}/collaborators/{login}/permission", repository.path()?);
        match self.get(As::In(repository), &path).await {
            Ok(answer) => read(&answer).map(Some),
            Err(ReplyError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
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
        self.take_pace(repository)?;
        let answer =
            self.client.request(As::In(repository), Method::POST, &path, Some(&json!({ "body": text })), false).await?;
        // It was written: an answer nobody can read leaves its id unknown.
        read(&answer).map_err(|error| ReplyError::Unknown(error.to_string()))
    }

    /// Replaces the text of a comment. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn update_comment(&self, repository: &Repository, id: u64, text: &str) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        read(
            &self
                .client
                .request(As::In(repository), Method::PATCH, &path, Some(&json!({ "body": text })), true)
                .await?,
        )
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
        read(
            &self
                .client
                .request(As::In(repository), Method::POST, &path, Some(&json!({ "labels": labels })), true)
                .await?,
        )
    }

    /// Puts a reaction (by GitHub's name of it) on a comment, or with no comment on the issue itself. Idempotent.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn add_reaction(
        &self,
        repository: &Repository,
        number: u64,
        comment: Option<u64>,
        reaction: &str,
    ) -> Result<(), ReplyError> {
        let path = match comment {
            Some(comment) => format!("{}/issues/comments/{comment}/reactions", repository.path()?),
            None => format!("{}/issues/{number}/reactions", repository.path()?),
        };
        self.take_pace(repository)?;
        self.client
            .request(As::In(repository), Method::POST, &path, Some(&json!({ "content": reaction })), true)
            .await?;
        Ok(())
    }

    /// The app itself.
    pub(crate) async fn app(&self) -> Result<AppObject, ReplyError> {
        read(&self.get(As::Ourselves, "/app").await?)
    }

    /// The token's user, and the scopes of the token when GitHub tells them.
    pub(crate) async fn user(&self) -> Result<(User, Option<String>), ReplyError> {
        let answer = self.get(As::Ourselves, "/user").await?;
        let scopes = answer.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok((read(&answer)?, scopes))
    }

    /// An account, as everybody sees it.
    pub(crate) async fn public_user(&self, login: &str) -> Result<User, ReplyError> {
        let login = encoded_login(login).ok_or_else(|| ReplyError::Refused("no login of GitHub's".to_owned()))?;
        read(&self.get(As::Nobody, &format!("/users/{login}")).await?)
    }

    fn take_pace(&self, repository: &Repository) -> Result<(), ReplyError> {
        self.pace.take(&repository.installation, Instant::now()).map_err(|wait| ReplyError::Retry {
            after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1),
            reason: "GitHub limits how fast content is made".to_owned(),
        })
    }

    async fn get(&self, who: As<'_>, path: &str) -> Result<Answer, ReplyError> {
        self.client.request(who, Method::GET, path, None, true).await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        path: &str,
        per_page: u32,
    ) -> Result<Page<T>, ReplyError> {
        let answer = self.get(As::In(repository), path).await?;
        let items: Vec<T> = read(&answer)?;
        // A full page may be the last one; asking for one more is better than missing some.
        let is_full = u32::try_from(items.len()).is_ok_and(|count| count >= per_page.clamp(1, MOST_PER_PAGE));
        let links = answer.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
        let has_next = is_full || links.into_iter().any(|link| link.contains("rel=\"next\""));
        Ok(Page { items, has_next })
    }
}

fn paging(per_page: u32, page: u32) -> String {
    format!("per_page={}&page={}", per_page.clamp(1, MOST_PER_PAGE), page.max(1))
}

/// A login in a path; `None` for what cannot be one.
fn encoded_login(login: &str) -> Option<String> {
    let (name, suffix) = login.strip_suffix("[bot]").map_or((login, ""), |name| (name, "%5Bbot%5D"));
    is_path_name(name).then(|| format!("{name}{suffix}"))
}

pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ReplyError> {
    serde_json::from_slice(&answer.body).map_err(|error| ReplyError::Retry {
        after_ms: 5_000,
        reason: format!("the answer is not the JSON expected (line {}, {:?})", error.line(), error.classify()),
    })
}
