//! Each connection asked who we are there, with a live call.

use std::time::Duration;

use futures::future::join_all;
use reveille_channel::{Channel, Identity, ReplyError};
use reveille_discord::Discord;
use reveille_github::GitHub;
use reveille_linear::Linear;
use reveille_slack::Slack;
use tokio::time::timeout;

use super::Check;
use crate::config::{ChannelSettings, Config, Storage};
use crate::journal::embedded::reader::Reader;

/// How long a platform may take to say who we are.
const DEADLINE: Duration = Duration::from_secs(15);

pub(super) async fn check(config: &Config) -> Vec<Check> {
    let asked = config.channels.iter().map(|(name, settings)| one(config, name, settings));
    join_all(asked).await.into_iter().flatten().collect()
}

/// One connection, asked now.
pub(in crate::cli) async fn one(config: &Config, name: &str, settings: &ChannelSettings) -> Vec<Check> {
    let check = format!("channels.{name}");
    let made: Result<Box<dyn Channel>, (&str, String)> = match settings {
        ChannelSettings::Github(settings) => match GitHub::new(name, settings.clone()) {
            Ok(channel) => Ok(Box::new(channel)),
            Err(error) => Err((error.key, error.reason)),
        },
        ChannelSettings::Discord(settings) => match Discord::new(name, settings.clone()) {
            Ok(channel) => Ok(Box::new(channel)),
            Err(error) => Err((error.key, error.reason)),
        },
        ChannelSettings::Linear(settings) => match Linear::new(name, settings.clone()) {
            Ok(channel) => Ok(Box::new(channel)),
            Err(error) => Err((error.key, error.reason)),
        },
        ChannelSettings::Slack(settings) => match Slack::new(name, settings.clone()) {
            Ok(channel) => Ok(Box::new(channel)),
            Err(error) => Err((error.key, error.reason)),
        },
    };
    let channel = match made {
        Ok(channel) => channel,
        Err((key, reason)) => return vec![Check::fail(format!("{check}.{key}"), reason, "`reveille explain RV0012`")],
    };
    match timeout(DEADLINE, channel.identify()).await {
        // Who it is differs from place to place.
        Ok(Ok(identity)) if identity.handle.is_empty() && channel.installer().is_some() => {
            vec![installed(config, name, check).await]
        }
        Ok(Ok(identity)) => known(&check, identity),
        Ok(Err(error)) => vec![refused(check, settings, &error)],
        Err(_) => {
            let found = format!("no answer within {} s", DEADLINE.as_secs());
            vec![Check::fail(check, found, unreachable(settings))]
        }
    }
}

/// An app that has a token for each place where it is installed, and none of its own. Those are sealed, and a running gateway's.
async fn installed(config: &Config, name: &str, check: String) -> Check {
    let Storage::Folder(folder) = &config.storage;
    let places = match Reader::open(folder).await {
        Ok(reader) => reader.installations(name).await.unwrap_or_default(),
        // There is no journal before the first start.
        Err(_) => Vec::new(),
    };
    match (places.as_slice(), &config.server.public_url) {
        ([], None) => Check::fail(check, "installed nowhere", "set [server] public_url: the app is installed below it"),
        ([], Some(url)) => {
            let fix = format!("open {}/channels/{name}/install", url.as_str().trim_end_matches('/'));
            Check::warn(check, "installed nowhere yet", fix)
        }
        (places, _) => Check::ok(check, format!("installed by OAuth in {}", places.join(", "))),
    }
}

fn known(check: &str, identity: Identity) -> Vec<Check> {
    let mut checks = vec![Check::ok(check, format!("@{} in {}", identity.handle, identity.installation))];
    let fix = "change it in the app's settings on the platform, then install it again";
    checks.extend(identity.warnings.into_iter().map(|warning| Check::warn(check, warning, fix)));
    checks
}

fn refused(check: String, settings: &ChannelSettings, error: &ReplyError) -> Check {
    let found = error.to_string();
    match error {
        ReplyError::Credentials(_) => Check::fail(check, found, credentials(settings)),
        ReplyError::Retry { reason, .. } => Check::fail(check, reason, unreachable(settings)),
        ReplyError::Unknown(_) => Check::fail(check, found, unreachable(settings)),
        ReplyError::StreamClosed(_) | ReplyError::Stopped(_) | ReplyError::Gone(_) | ReplyError::Refused(_) => {
            Check::fail(check, found, credentials(settings))
        }
    }
}

fn credentials(settings: &ChannelSettings) -> &'static str {
    match settings {
        ChannelSettings::Slack(_) => "install the app again and take the new bot token from \"OAuth & Permissions\"",
        ChannelSettings::Discord(_) => "take a new token at \"Bot\", \"Reset Token\", and look at application_id",
        ChannelSettings::Linear(_) => {
            "look at access_token, or client_id and client_secret, on the application's page at Settings, API"
        }
        ChannelSettings::Github(_) => {
            "look at app_id, private_key or token; an app must be installed where it is to answer"
        }
    }
}

fn unreachable(settings: &ChannelSettings) -> String {
    let host = settings.api_base_url().host_str().unwrap_or_default();
    format!("try again in a minute; see that this machine reaches {host}: DNS, proxy, firewall, api_base_url")
}
