//! What a Discord connection needs.

use reveille_channel::{Ed25519Key, Secret};
use url::Url;

/// Ids are 64 bits wide and have not been shorter than this since 2015, digits.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 15..=20;

/// Bot tokens have about seventy characters.
const TOKEN_MIN: usize = 16;

/// What a Discord connection needs; secrets are resolved already.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's id.
    pub application_id: String,
    /// The application's public key, hexadecimal: interactions are signed under it.
    pub public_key: String,
    /// The bot's token.
    pub bot_token: Secret,
    /// The REST API, `https://discord.com/api/v10` on the real platform.
    pub api_base_url: Url,
    /// Whether to listen on the gateway: without it there are interactions only, and no mentions.
    pub gateway: bool,
    /// The gateway, `wss://gateway.discord.gg` on the real platform.
    pub gateway_url: Url,
    /// Servers in which commands are registered; empty: everywhere.
    pub command_guilds: Vec<String>,
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
    /// The public key, when everything else can work too.
    pub(crate) fn check(&self) -> Result<Ed25519Key, SettingsError> {
        if !is_id(&self.application_id) {
            let reason = "it is no id; copy \"Application ID\" from \"General Information\" of your app";
            return Err(SettingsError::new("application_id", reason));
        }
        let Some(key) = Ed25519Key::parse(self.public_key.trim()) else {
            let reason = "it is not a key of 64 hexadecimal digits; copy \"Public Key\" from \"General Information\" of your app";
            return Err(SettingsError::new("public_key", reason));
        };
        let token = self.bot_token.expose();
        if token.len() < TOKEN_MIN
            || token.starts_with("changeme")
            || !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let reason = "it is empty, a placeholder or no token; take a new one at \"Bot\", \"Reset Token\", without the word `Bot`";
            return Err(SettingsError::new("bot_token", reason));
        }
        if self.command_guilds.iter().any(|guild| !is_id(guild)) {
            let reason = "one of them is no id; with developer mode on, a server's menu has \"Copy Server ID\"";
            return Err(SettingsError::new("command_guilds", reason));
        }
        check_url("api_base_url", &self.api_base_url, &["https", "http"])?;
        check_url("gateway_url", &self.gateway_url, &["wss", "ws"])?;
        Ok(key)
    }
}

fn check_url(key: &'static str, url: &Url, schemes: &[&str]) -> Result<(), SettingsError> {
    if !schemes.contains(&url.scheme()) || url.host_str().is_none() {
        return Err(SettingsError::new(key, format!("its address begins with {}", schemes.join(" or "))));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SettingsError::new(key, "it holds a user name or password; take them out"));
    }
    Ok(())
}

/// Whether it is an id of Discord's ("Reference: Snowflakes").
pub(crate) fn is_id(text: &str) -> bool {
    ID_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
