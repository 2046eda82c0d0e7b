//! What a GitHub connection needs.

use reveille_channel::Secret;
use url::Url;

/// What a GitHub connection needs; secrets are resolved already.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The webhook's secret.
    pub webhook_secret: Secret,
    /// How calls are authenticated.
    pub auth: Auth,
    /// The REST API, `https://api.github.com` on github.com.
    pub api_base_url: Url,
}

/// How calls are authenticated.
#[derive(Debug, Clone)]
pub enum Auth {
    /// As a GitHub App.
    App {
        /// The app's id.
        app_id: u64,
        /// Its private key, PEM.
        private_key: Secret,
    },
    /// With a personal or Actions token.
    Token(Secret),
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
    /// Refuses what would leave the door open or can never work. The private key is checked where it is read.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        check_webhook_secret(&self.webhook_secret)?;
        match &self.auth {
            Auth::App { app_id: 0, .. } => {
                return Err(SettingsError::new("app_id", "0 is no app's id; it stands on the app's settings page"));
            }
            Auth::App { .. } => {}
            Auth::Token(token) => {
                let token = token.expose();
                if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(SettingsError::new(
                        "token",
                        "it is empty or holds a space or control character; make one at Settings, Developer settings",
                    ));
                }
            }
        }
        check_base_url(&self.api_base_url)
    }
}

fn check_webhook_secret(secret: &Secret) -> Result<(), SettingsError> {
    let advice = "make one with `openssl rand -hex 32` and set the same in the webhook's settings";
    match secret.weakness() {
        None => Ok(()),
        Some(what) => Err(SettingsError::new("webhook_secret", format!("{what}; {advice}"))),
    }
}

fn check_base_url(url: &Url) -> Result<(), SettingsError> {
    let wrong = |what: &str| {
        Err(SettingsError::new(
            "api_base_url",
            format!("{what}; github.com has https://api.github.com, GitHub Enterprise Server https://HOST/api/v3"),
        ))
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
