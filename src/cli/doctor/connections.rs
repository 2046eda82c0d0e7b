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
use crate::config::{ChannelSettings, Config};

/// How long a platform may take to say who we are.
const DEADLINE: Duration = Duration::from_secs(15);

pub(super) async fn check(config: &Config) -> Vec<Check> {
    let asked = config.channels.iter().map(|(name, settings)| one(name, settings));
    join_all(asked).await.into_iter().flatten().collect()
}

async fn one(name: &str, settings: &ChannelSettings) -> Vec<Check> {
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
        Ok(Ok(identity)) => known(&check, identity),
        Ok(Err(error)) => vec![refused(check, settings, &error)],
        Err(_) => {
            let found = format!("no answer within {} s", DEADLINE.as_secs());
            vec![Check::fail(check, found, unreachable(settings))]
        }
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
