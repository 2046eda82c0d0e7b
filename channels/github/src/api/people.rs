//! Who we are and who others are: "REST API endpoints for GitHub Apps", "... for users", "... for collaborators".

use reveille_channel::ReplyError;
use serde::Deserialize;

use super::{Api, Repository, read};
use crate::client::As;
use crate::model::User;
use crate::normalise::is_path_name;

/// What an account may do in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Permission {
    /// `admin`, `write`, `read` or `none`.
    pub permission: String,
    /// The role: finer than the permission, and possibly one the organisation made.
    #[serde(default, deserialize_with = "crate::model::null_is_empty")]
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

impl Api {
    /// What an account may do in a repository; nothing when GitHub knows no such account there.
    ///
    /// # Errors
    /// See [`ReplyError`]: whoever asks then refuses.
    pub async fn permission(&self, repository: &Repository, login: &str) -> Result<Option<Permission>, ReplyError> {
        let Some(login) = encoded_login(login) else { return Ok(None) };
        let path = format!("{}/collaborators/{login}/permission", repository.path()?);
        match self.get(As::In(repository, repository.need()), &path).await {
            Ok(answer) => read(&answer).map(Some),
            Err(ReplyError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The account that has the login now, asked with a repository's credential.
    pub(crate) async fn user_of(&self, repository: &Repository, login: &str) -> Result<Option<User>, ReplyError> {
        let Some(login) = encoded_login(login) else { return Ok(None) };
        match self.get(As::In(repository, repository.need()), &format!("/users/{login}")).await {
            Ok(answer) => read(&answer).map(Some),
            Err(ReplyError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
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
}

/// A login in a path; `None` for what cannot be one.
fn encoded_login(login: &str) -> Option<String> {
    let (name, suffix) = login.strip_suffix("[bot]").map_or((login, ""), |name| (name, "%5Bbot%5D"));
    is_path_name(name).then(|| format!("{name}{suffix}"))
}
