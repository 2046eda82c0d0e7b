//! What a Slack connection needs.

use reveille_channel::Secret;
use url::Url;

/// The least length of a signing secret, bytes; Slack's have 32.
const SECRET_MIN: usize = 16;

/// What a Slack connection needs; secrets are resolved already.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The app's signing secret; only what comes over sockets needs none.
    pub signing_secret: Option<Secret>,
    /// The bot token, `xoxb-...`.
    pub bot_token: Secret,
    /// The app-level token, `xapp-...`, with the scope `connections:write`: deliveries come over sockets.
    pub app_token: Option<Secret>,
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

impl Settings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let secret = self.signing_secret.as_ref().map(Secret::expose);
        if secret.is_some_and(|secret| secret.len() < SECRET_MIN || secret.eq_ignore_ascii_case("changemechangeme")) {
            let reason =
                "it is empty, a placeholder or shorter than 16 bytes; copy it from \"Basic Information\" of your app";
            return Err(SettingsError { key: "signing_secret", reason: reason.into() });
        }
        if secret.is_none() && self.app_token.is_none() {
            let reason = "deliveries by HTTP need it; without it set `app_token`, and they come over sockets";
            return Err(SettingsError { key: "signing_secret", reason: reason.into() });
        }
        if self.app_token.as_ref().is_some_and(|token| token.expose().trim().is_empty()) {
            let reason = "it is empty; make an app-level token (xapp-...) under \"Basic Information\" of your app";
            return Err(SettingsError { key: "app_token", reason: reason.into() });
        }
        if self.bot_token.expose().trim().is_empty() {
            let reason = "it is empty; copy the bot token (xoxb-...) from \"OAuth & Permissions\" of your app";
            return Err(SettingsError { key: "bot_token", reason: reason.into() });
        }
        Ok(())
    }
}
