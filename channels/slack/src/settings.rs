//! What a Slack connection needs.

use reveille_channel::Secret;
use url::Url;

/// What a Slack connection needs; secrets are resolved already.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The app's signing secret.
    pub signing_secret: Secret,
    /// The bot token, `xoxb-...`.
    pub bot_token: Secret,
    /// The Web API, `https://slack.com/api` on the real platform.
    pub api_base_url: Url,
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
