//! Requests with the credential that belongs to them: the app's own, an installation's token for one repository, a
//! personal token, or none. A request is sent again only where GitHub certainly did not do it.

use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use octocrab::auth::AppAuth;
use octocrab::models::AppId;
use reveille_channel::{ReplyError, Secret};
use serde::Deserialize;
use serde_json::Value;
use tracing::Instrument;
use url::Url;

use crate::api::{Repository, read};
use crate::refusal::{graphql_refusal, refusal};
use crate::settings::{Auth, SettingsError};
use crate::token::{Need, Token, Tokens, bearer, narrowing};
use crate::transport::{Answer, Call, GRAPHQL, Transport};

/// Which credential goes with a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum As<'r> {
    /// The app itself, or the token's user.
    Ourselves,
    /// The installation, in one repository and for one thing.
    In(&'r Repository, Need),
    /// Nobody: a public page.
    Nobody,
}

/// How calls are authenticated.
enum Credential {
    App(AppAuth),
    Token(HeaderValue),
}

/// One connection's way to the REST API.
pub(crate) struct Client {
    transport: Transport,
    credential: Credential,
    tokens: Tokens,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.transport)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
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

impl Client {
    pub(crate) fn new(base: &Url, auth: &Auth) -> Result<Self, SettingsError> {
        Ok(Self { transport: Transport::new(base), credential: credential(auth)?, tokens: Tokens::default() })
    }

    /// Sends a request, again only where GitHub certainly did not do it: when it no longer takes an installation token,
    /// and when the repository was renamed.
    pub(crate) async fn request(
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
            if let (StatusCode::UNAUTHORIZED, As::In(repository, need), Credential::App(_), false) =
                (answer.status, who, &self.credential, has_new_token)
            {
                self.tokens.forget(&repository.reach(need));
                has_new_token = true;
                continue;
            }
            if let (false, As::In(repository, _)) = (has_moved, who)
                && let Some(moved) = self.moved_to(&answer, repository)
            {
                path = moved;
                has_moved = true;
                continue;
            }
            return Err(refusal(&answer, is_repeatable, Timestamp::now()));
        }
    }

    /// Asks the GraphQL API and takes `data` out of its answer, which says `200` to refusals too.
    pub(crate) async fn graphql(&self, who: As<'_>, body: &Value, is_repeatable: bool) -> Result<Value, ReplyError> {
        #[derive(Deserialize)]
        struct Told {
            #[serde(default)]
            data: Option<Value>,
            #[serde(default)]
            errors: Vec<Value>,
        }
        let answer = self.request(who, Method::POST, GRAPHQL, Some(body), is_repeatable).await?;
        let unreadable = |what: String| {
            if is_repeatable { ReplyError::Retry { after_ms: 5_000, reason: what } } else { ReplyError::Unknown(what) }
        };
        let told: Told = serde_json::from_slice(&answer.body)
            .map_err(|error| unreadable(format!("the answer is not the JSON expected ({:?})", error.classify())))?;
        if let Some(first) = told.errors.first() {
            return Err(graphql_refusal(first, is_repeatable));
        }
        told.data.ok_or_else(|| unreadable("the answer has no data".to_owned()))
    }

    /// The path of an address below the base; `None` for any other place.
    pub(crate) fn path_below<'a>(&self, address: &'a str) -> Option<&'a str> {
        self.transport.path_below(address)
    }

    /// Forgets the tokens of an installation.
    pub(crate) fn forget_installation(&self, installation: &str) {
        self.tokens.forget_installation(installation);
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
            (As::In(repository, need), Credential::App(app)) => {
                let cell = self.tokens.cell(&repository.reach(need), Timestamp::now());
                let token = cell.get_or_try_init(|| self.mint(app, repository, need)).await?;
                Ok(Some(token.header()))
            }
        }
    }

    /// Asks for a token of one repository ("Create an installation access token for an app").
    async fn mint(&self, app: &AppAuth, repository: &Repository, need: Need) -> Result<Token, ReplyError> {
        let installation = match repository.installation.parse::<u64>() {
            Ok(installation) => installation,
            Err(_) => self.installation_of(app, repository).await?,
        };
        let path = format!("/app/installations/{installation}/access_tokens");
        let ask = async |need: Need| {
            let body = narrowing(repository.id, &repository.name, need);
            self.exchange(Method::POST, &path, Some(&body), Some(app_header(app)?), true).await
        };
        let mut answer = ask(need).await?;
        if let (StatusCode::UNPROCESSABLE_ENTITY, Some(less)) = (answer.status, need.without_more()) {
            answer = ask(less).await?;
        }
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
