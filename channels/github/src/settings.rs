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
