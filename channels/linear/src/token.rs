//! The credential of each call: a given token as it is, or one that the app gets for itself, keeps in memory alone and
//! gets anew before its end and when Linear no longer takes it.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use reveille_channel::{Grant, Refresh, ReplyError, Secret};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use crate::manifest::SCOPES;
use crate::refusal::said;
use crate::settings::{Auth, SettingsError};
use crate::transport::Transport;

/// A token is not used in its last minutes: a call that began with it must be able to end with it.
const LAST_MINUTES: SignedDuration = SignedDuration::from_mins(5);

/// How long after a server's trouble a token is asked for again, milliseconds.
const AGAIN_MS: u64 = 3_000;

/// How calls are authenticated.
pub(crate) enum Credentials {
    /// With what the configuration has.
    Given(HeaderValue),
    /// With what the app gets for its own id and secret.
    Own(OwnToken),
    /// With what an installation gave, and who renews it.
    Installed(Arc<Grant>, Arc<dyn Refresh>),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Given([redacted])",
            Self::Own(_) => "Own([redacted])",
            Self::Installed(..) => "Installed([redacted])",
        })
    }
}

/// Where and with what the app gets its tokens.
pub(crate) struct OwnToken {
    url: Url,
    client_id: String,
    client_secret: Secret,
    kept: Mutex<Arc<OnceCell<Token>>>,
}

/// A token as the header that carries it.
#[derive(Debug, Clone)]
struct Token {
    header: HeaderValue,
    good_until: Timestamp,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

/// The refusal of the token endpoint (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// A header of a credential, marked so that nothing prints it. Personal API keys go as they are, access tokens as bearer
/// tokens ("GraphQL": authentication).
fn header(token: &str) -> Option<HeaderValue> {
    let value = if token.starts_with("lin_api_") { token.to_owned() } else { format!("Bearer {token}") };
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `https://api.linear.app/graphql` has its token endpoint at `https://api.linear.app/oauth/token`.
pub(crate) fn token_address(api: &Url) -> Url {
    let mut url = api.clone();
    let path = api.path().trim_end_matches('/');
    url.set_path(&format!("{}/oauth/token", path.strip_suffix("/graphql").unwrap_or(path)));
    url
}

impl Credentials {
    pub(crate) fn new(auth: Auth, api: &Url) -> Result<Self, SettingsError> {
        match auth {
            Auth::Token(token) => header(token.expose())
                .map(Self::Given)
                .ok_or_else(|| SettingsError::new("access_token", "it holds characters no token has")),
            Auth::Client { client_id, client_secret, .. } => {
                Ok(Self::Own(OwnToken { url: token_address(api), client_id, client_secret, kept: Mutex::default() }))
            }
        }
    }

    /// With this token, once.
    pub(crate) fn given(token: &Secret) -> Option<Self> {
        header(token.expose()).map(Self::Given)
    }

    /// The header of the next call.
    pub(crate) async fn header(&self, transport: &Transport) -> Result<HeaderValue, ReplyError> {
        match self {
            Self::Given(header) => Ok(header.clone()),
            Self::Own(own) => own.header(transport).await,
            Self::Installed(grant, with) => {
                let token = grant.token(with, Timestamp::now().as_millisecond()).await?;
                header(token.expose())
                    .ok_or_else(|| ReplyError::Credentials("its token holds characters no token has".into()))
            }
        }
    }

    /// Linear no longer takes `refused`. Whether another can be had.
    pub(crate) async fn renew(&self, refused: &HeaderValue) -> Result<bool, ReplyError> {
        match self {
            Self::Given(_) => Ok(false),
            Self::Installed(grant, with) => {
                let token = refused.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
                let token = Secret::new(token.unwrap_or_default());
                Ok(grant.instead_of(&token, with).await?.is_some())
            }
            Self::Own(own) => {
                let mut kept = own.kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.get().is_some_and(|token| token.header == *refused) {
                    *kept = Arc::default();
                }
                Ok(true)
            }
        }
    }
}

impl OwnToken {
    async fn header(&self, transport: &Transport) -> Result<HeaderValue, ReplyError> {
        let cell = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.get().is_some_and(|token| token.good_until <= Timestamp::now()) {
                *kept = Arc::default();
            }
            Arc::clone(&kept)
        };
        // Of many callers at once one asks and the others wait for it: a further token would end the one before.
        cell.get_or_try_init(|| self.grant(transport)).await.map(|token| token.header.clone())
    }

    /// Asks for a token ("OAuth 2.0 authentication": client credentials).
    async fn grant(&self, transport: &Transport) -> Result<Token, ReplyError> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .append_pair("scope", SCOPES)
            .append_pair("actor", "app")
            .finish();
        let answer = transport
            .post(&self.url, "application/x-www-form-urlencoded", None, form)
            .await
            .map_err(|lost| lost.into_error(true))?;
        let status = answer.status;
        if status.is_server_error() || status.as_u16() == 429 {
            let reason = format!("the token endpoint answered {}", status.as_u16());
            return Err(ReplyError::Retry { after_ms: AGAIN_MS, reason });
        }
        if !status.is_success() {
            let denied = serde_json::from_slice::<Denied>(&answer.body).ok();
            let words = denied.map(|denied| format!("{} {}", denied.error, denied.error_description));
            return Err(ReplyError::Credentials(format!(
                "no token for client_id and client_secret: {} (status {}); the application needs \"Client credentials\" switched on",
                said(words.unwrap_or_default().trim()),
                status.as_u16()
            )));
        }
        let unreadable =
            || ReplyError::Retry { after_ms: AGAIN_MS, reason: "the token endpoint's answer is unreadable".to_owned() };
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let header = header(&granted.access_token).ok_or_else(unreadable)?;
        let life = SignedDuration::from_secs(granted.expires_in.clamp(0, 10 * 365 * 86_400));
        // One that lives shortly is used for half of its life.
        let good_for = (life - LAST_MINUTES).max(life / 2);
        Ok(Token { header, good_until: Timestamp::now().saturating_add(good_for).unwrap_or(Timestamp::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_as_they_are_and_tokens_as_bearers_and_neither_is_printed() {
        assert_eq!(header("lin_api_x").unwrap(), "lin_api_x");
        let bearer = header("lin_oauth_x").unwrap();
        assert_eq!(bearer, "Bearer lin_oauth_x");
        assert!(!format!("{bearer:?}").contains("lin_oauth"));
    }

    #[test]
    fn the_token_endpoint_stands_beside_the_api() {
        for (api, token) in [
            ("https://api.linear.app/graphql", "https://api.linear.app/oauth/token"),
            ("http://127.0.0.1:9/linear/graphql/", "http://127.0.0.1:9/linear/oauth/token"),
            ("http://127.0.0.1:9", "http://127.0.0.1:9/oauth/token"),
        ] {
            assert_eq!(token_address(&api.parse().unwrap()).as_str(), token);
        }
    }
}
