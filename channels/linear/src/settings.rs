//! What a Linear connection needs.

use reveille_channel::Secret;
use url::Url;

/// What a Linear connection needs; secrets are resolved already.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The signing secret of the webhook, or of the application's webhooks.
    pub webhook_secret: Secret,
    /// How calls are authenticated.
    pub auth: Auth,
    /// The GraphQL endpoint, `https://api.linear.app/graphql` on the real platform.
    pub api_base_url: Url,
}

/// How calls are authenticated.
#[derive(Debug, Clone)]
pub enum Auth {
    /// With an OAuth access token (of an app installed with `actor=app`), or a personal API key.
    Token(Secret),
    /// As the app itself: tokens are asked for with its own credentials ("OAuth 2.0 authentication", client credentials).
    Client {
        /// The application's client id.
        client_id: String,
        /// Its client secret.
        client_secret: Secret,
        /// It can be installed in further workspaces ("OAuth 2.0 authentication", authorization code).
        install: Option<Install>,
    },
}

/// How the application is installed in workspaces.
#[derive(Debug, Clone, Default)]
pub struct Install {
    /// The page on which people agree; `None`: Linear's own, or the one beside another API.
    pub authorize_url: Option<Url>,
    /// The ids of the workspaces that may install it; empty: all.
    pub workspaces: Vec<String>,
}

/// Why a connection cannot be made from its settings. Names the key, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct SettingsError {
    /// The configuration key below the connection's table.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub reason: String,
}

impl SettingsError {
    pub(crate) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

impl Settings {
    /// Refuses what would leave the door open or can never work.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        check_webhook_secret(&self.webhook_secret)?;
        match &self.auth {
            Auth::Token(token) => {
                check_word("access_token", token.expose(), "copy it from the application's page, or make an API key")?;
            }
            Auth::Client { client_id, client_secret, .. } => {
                let advice = "copy it from the application's page at Settings, API, OAuth applications";
                check_word("client_id", client_id, advice)?;
                check_word("client_secret", client_secret.expose(), advice)?;
            }
        }
        check_base_url(&self.api_base_url)
    }
}

fn check_word(key: &'static str, value: &str, advice: &str) -> Result<(), SettingsError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = format!("it is empty or holds a space or control character; {advice}");
        return Err(SettingsError::new(key, reason));
    }
    Ok(())
}

fn check_webhook_secret(secret: &Secret) -> Result<(), SettingsError> {
    let advice = "copy the signing secret from the webhook's page at Settings, API";
    match secret.weakness() {
        None => Ok(()),
        Some(what) => Err(SettingsError::new("webhook_secret", format!("{what}; {advice}"))),
    }
}

fn check_base_url(url: &Url) -> Result<(), SettingsError> {
    let wrong = |what: &str| {
        let reason = format!("{what}; Linear's is https://api.linear.app/graphql");
        Err(SettingsError::new("api_base_url", reason))
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return wrong("it is not an http or https address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("it holds a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("it has a query or fragment");
    }
    Ok(())
}
