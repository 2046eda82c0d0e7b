//! GitHub's REST calls, typed. Each has a deadline, none is repeated here, and each reaches one repository.
//!
//! Sources: GitHub REST API documentation, pages "Issues", "Issue comments", "Labels", "Reactions", "Collaborators",
//! "GitHub Apps" and "Users".

use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use octocrab::auth::AppAuth;
use octocrab::models::AppId;
use reveille_channel::{ReplyError, Secret, ThreadRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

use crate::model::{Comment, Issue, Label, User};
use crate::normalise::is_path_name;
use crate::pace::Pace;
use crate::refusal::refusal;
use crate::settings::{Auth, SettingsError};
use crate::token::{Reach, Token, Tokens, bearer, narrowing};
use crate::transport::{Answer, Call, Transport};

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
        let repository =
            Self { installation: thread.installation.clone(), id, owner: part("owner")?, name: part("repo")? };
        repository.path()?;
        Ok((repository, number))
    }

    /// The path of the repository. Names that could lead elsewhere are refused.
    fn path(&self) -> Result<String, ReplyError> {
        if is_path_name(&self.owner) && is_path_name(&self.name) {
            Ok(format!("/repos/{}/{}", self.owner, self.name))
        } else {
            Err(ReplyError::Refused("the repository's name cannot be one of GitHub's".to_owned()))
        }
    }

    fn reach(&self) -> Reach {
        let repository = self.id.map_or_else(|| format!("{}/{}", self.owner, self.name), |id| id.to_string());
        (self.installation.clone(), repository)
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

/// Which credential goes with a call.
#[derive(Debug, Clone, Copy)]
enum As<'r> {
    /// The app itself, or the token's user.
    Ourselves,
    /// The installation, in one repository.
    In(&'r Repository),
    /// Nobody: a public page.
    Nobody,
}

/// How calls are authenticated.
enum Credential {
    App(AppAuth),
    Token(HeaderValue),
}

/// The REST API through one connection's credentials.
pub struct Api {
    transport: Transport,
    credential: Credential,
    tokens: Tokens,
    pace: Pace,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("transport", &self.transport).field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

fn credential(auth: &Auth) -> Result<Credential, SettingsError> {
    match auth {
        Auth::App { app_id, private_key } => {
            let unreadable = || {
                SettingsError::new(
                    "private_key",
                    "it is not an RSA private key in PEM; download one at the app's settings page, \"Private keys\"",
                )
            };
            let key =
                octocrab::auth::EncodingKey::from_rsa_pem(private_key.expose().as_bytes()).map_err(|_| unreadable())?;
            let app = AppAuth { app_id: AppId(*app_id), key };
            // Reading a key does not show that it signs.
            app.generate_bearer_token().map_err(|_| unreadable())?;
            Ok(Credential::App(app))
        }
        Auth::Token(token) => Ok(Credential::Token(token_header(token)?)),
    }
}

fn token_header(token: &Secret) -> Result<HeaderValue, SettingsError> {
    bearer(token.expose()).ok_or_else(|| SettingsError::new("token", "it holds characters no token has"))
}

impl Api {
    pub(crate) fn new(base: &Url, auth: &Auth) -> Result<Self, SettingsError> {
        Ok(Self {
            transport: Transport::new(base),
            credential: credential(auth)?,
            tokens: Tokens::default(),
            pace: Pace::default(),
        })
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
            self.request(As::In(repository), Method::POST, &path, Some(&json!({ "body": text })), false).await?;
        // It was written: an answer nobody can read leaves its id unknown.
        read(&answer).map_err(|error| ReplyError::Unknown(error.to_string()))
    }

    /// Replaces the text of a comment. The text is sent as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn update_comment(&self, repository: &Repository, id: u64, text: &str) -> Result<Comment, ReplyError> {
        let path = format!("{}/issues/comments/{id}", repository.path()?);
        read(&self.request(As::In(repository), Method::PATCH, &path, Some(&json!({ "body": text })), true).await?)
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
        read(&self.request(As::In(repository), Method::POST, &path, Some(&json!({ "labels": labels })), true).await?)
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
        self.request(As::In(repository), Method::POST, &path, Some(&json!({ "content": reaction })), true).await?;
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
        self.request(who, Method::GET, path, None, true).await
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

    /// Sends a request, again only where GitHub certainly did not do it: when it no longer takes an installation token,
    /// and when the repository was renamed.
    async fn request(
        &self,
        who: As<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        is_repeatable: bool,
    ) -> Result<Answer, ReplyError> {
        let mut path = path.to_owned();
        let (mut has_new_token, mut has_moved) = (false, false);
        loop {
            let authorization = self.authorization(who).await?;
            let answer = self.exchange(method.clone(), &path, body, authorization, is_repeatable).await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            if let (StatusCode::UNAUTHORIZED, As::In(repository), Credential::App(_), false) =
                (answer.status, who, &self.credential, has_new_token)
            {
                self.tokens.forget(&repository.reach());
                has_new_token = true;
                continue;
            }
            if let (false, As::In(repository)) = (has_moved, who)
                && let Some(moved) = self.moved_to(&answer, repository)
            {
                path = moved;
                has_moved = true;
                continue;
            }
            return Err(refusal(&answer, is_repeatable, Timestamp::now()));
        }
    }

    /// Where a renamed repository is now (documentation: "Best practices for using the REST API", redirects). Only the
    /// repository with the same immutable id is followed: an issue that moved elsewhere is another place.
    fn moved_to(&self, answer: &Answer, repository: &Repository) -> Option<String> {
        let same_method = matches!(answer.status.as_u16(), 301 | 302 | 307 | 308);
        let path = self.transport.path_below(answer.headers.get("location")?.to_str().ok()?)?;
        let is_same = path.starts_with(&format!("/repositories/{}/", repository.id?)) && !path.contains("..");
        (same_method && is_same).then(|| path.to_owned())
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        authorization: Option<HeaderValue>,
        is_repeatable: bool,
    ) -> Result<Answer, ReplyError> {
        let span = tracing::debug_span!("github_call", http.method = %method, http.path = path, http.status = tracing::field::Empty);
        let call = Call { method, path, body, authorization };
        let outcome = self.transport.send(call).instrument(span.clone()).await;
        match outcome {
            Ok(answer) => {
                span.record("http.status", answer.status.as_u16());
                Ok(answer)
            }
            Err(lost) => Err(lost.into_error(is_repeatable)),
        }
    }

    async fn authorization(&self, who: As<'_>) -> Result<Option<HeaderValue>, ReplyError> {
        match (who, &self.credential) {
            (As::Nobody, _) => Ok(None),
            (_, Credential::Token(header)) => Ok(Some(header.clone())),
            (As::Ourselves, Credential::App(app)) => app_header(app).map(Some),
            (As::In(repository), Credential::App(app)) => {
                let cell = self.tokens.cell(&repository.reach(), Timestamp::now());
                let token = cell.get_or_try_init(|| self.mint(app, repository)).await?;
                Ok(Some(token.header()))
            }
        }
    }

    /// Asks for a token of one repository ("Create an installation access token for an app").
    async fn mint(&self, app: &AppAuth, repository: &Repository) -> Result<Token, ReplyError> {
        let installation = match repository.installation.parse::<u64>() {
            Ok(installation) => installation,
            Err(_) => self.installation_of(app, repository).await?,
        };
        let path = format!("/app/installations/{installation}/access_tokens");
        let body = narrowing(repository.id, &repository.name);
        let answer = self.exchange(Method::POST, &path, Some(&body), Some(app_header(app)?), true).await?;
        if answer.status.is_success() {
            return Token::read(&answer.body);
        }
        Err(as_credentials(refusal(&answer, true, Timestamp::now()), "no token for the installation"))
    }

    async fn installation_of(&self, app: &AppAuth, repository: &Repository) -> Result<u64, ReplyError> {
        #[derive(Deserialize)]
        struct Installation {
            id: u64,
        }
        let path = format!("{}/installation", repository.path()?);
        let answer = self.exchange(Method::GET, &path, None, Some(app_header(app)?), true).await?;
        if answer.status.is_success() {
            return read::<Installation>(&answer).map(|installation| installation.id);
        }
        Err(as_credentials(refusal(&answer, true, Timestamp::now()), "the app is not installed there"))
    }
}

/// An app that is not installed, suspended or lacks a permission: a person must act, whatever the status was.
fn as_credentials(error: ReplyError, what: &str) -> ReplyError {
    match error {
        ReplyError::Gone(said) | ReplyError::Refused(said) | ReplyError::Credentials(said) => {
            ReplyError::Credentials(format!("{what}: {said}; check where the app is installed and what it may do"))
        }
        other => other,
    }
}

/// A JSON Web Token of the app: RS256, issued 60 seconds ago, good for 9 minutes.
fn app_header(app: &AppAuth) -> Result<HeaderValue, ReplyError> {
    let unsigned = || ReplyError::Credentials("the app's private key does not sign".to_owned());
    bearer(&app.generate_bearer_token().map_err(|_| unsigned())?).ok_or_else(unsigned)
}

fn paging(per_page: u32, page: u32) -> String {
    format!("per_page={}&page={}", per_page.clamp(1, MOST_PER_PAGE), page.max(1))
}

/// A login in a path; `None` for what cannot be one.
fn encoded_login(login: &str) -> Option<String> {
    let (name, suffix) = login.strip_suffix("[bot]").map_or((login, ""), |name| (name, "%5Bbot%5D"));
    is_path_name(name).then(|| format!("{name}{suffix}"))
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ReplyError> {
    serde_json::from_slice(&answer.body).map_err(|error| ReplyError::Retry {
        after_ms: 5_000,
        reason: format!("the answer is not the JSON expected (line {}, {:?})", error.line(), error.classify()),
    })
}
