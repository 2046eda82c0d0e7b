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
    /// The bot token, `xoxb-...`, of the one workspace that the app was installed in by hand.
    pub bot_token: Option<Secret>,
    /// The app's own credentials: it can be installed in further workspaces.
    pub client: Option<Client>,
    /// The app-level token, `xapp-...`, with the scope `connections:write`: deliveries come over sockets.
    pub app_token: Option<Secret>,
    /// The Web API, `https://slack.com/api` on the real platform.
    pub api_base_url: Url,
    /// Whether answers end with buttons that say what they were worth.
    pub feedback: bool,
}

/// What installing by OAuth needs ("Installing with OAuth").
#[derive(Debug, Clone)]
pub struct Client {
    /// The app's client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: Secret,
    /// The page on which people agree; `None`: beside the API, `https://slack.com/oauth/v2/authorize`.
    pub authorize_url: Option<Url>,
    /// The workspaces (`T...`) and organisations (`E...`) that may install it; empty: all.
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
        if let Some(client) = &self.client {
            let advice = "copy it from \"Basic Information\" of your app";
            for (key, value) in
                [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.expose())]
            {
                if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(SettingsError { key, reason: format!("it is empty or holds a blank; {advice}") });
                }
            }
        }
        if self.bot_token.is_none() && self.client.is_none() {
            let reason =
                "it is not there; without it set `client_id` and `client_secret`, and the app is installed by OAuth";
            return Err(SettingsError { key: "bot_token", reason: reason.into() });
        }
        if self.bot_token.as_ref().is_some_and(|token| token.expose().trim().is_empty()) {
            let reason = "it is empty; copy the bot token (xoxb-...) from \"OAuth & Permissions\" of your app";
            return Err(SettingsError { key: "bot_token", reason: reason.into() });
        }
        Ok(())
    }
}
