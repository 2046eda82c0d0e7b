//! The platforms, each with its flags and what they make of a connection's table.

use std::collections::BTreeMap;

use clap::builder::NonEmptyStringValueParser;

use super::wish::{Need, Wish, Written};
use super::{Common, Platform};
use crate::config::Shape;

const fn secret(key: &'static str, shape: Shape, found: &'static str) -> Need {
    Need { key, found, shape: Some(shape), is_made: false }
}

const fn plain(key: &'static str, found: &'static str) -> Need {
    Need { key, found, shape: None, is_made: false }
}

const SLACK: [Need; 3] = [
    secret("bot_token", Shape::Token, "\"OAuth & Permissions\" of the app, Bot User OAuth Token: xoxb-..."),
    secret("app_token", Shape::Token, "\"Basic Information\" of the app, App-Level Tokens: xapp-..."),
    secret("signing_secret", Shape::Signing, "\"Basic Information\" of the app, Signing Secret"),
];

const GITHUB: [Need; 4] = [
    Need {
        key: "webhook_secret",
        found: "made here; the webhook's settings get the same",
        shape: Some(Shape::Signing),
        is_made: true,
    },
    plain("app_id", "\"General\" of the app, App ID"),
    secret("private_key", Shape::PrivateKey, "\"General\" of the app, Generate a private key: a file"),
    secret("token", Shape::Token, "Settings, Developer settings, Personal access tokens"),
];

const LINEAR: [Need; 4] = [
    secret("webhook_secret", Shape::Signing, "the application's page, Webhooks: signing secret"),
    plain("client_id", "the application's page: client id"),
    secret("client_secret", Shape::Token, "the application's page: client secret"),
    secret("access_token", Shape::Token, "what Linear answers once the application is installed with actor=app"),
];

const DISCORD: [Need; 3] = [
    plain("application_id", "\"General Information\" of the application, Application ID"),
    plain("public_key", "\"General Information\" of the application, Public Key"),
    secret("bot_token", Shape::Token, "\"Bot\" of the application, Reset Token"),
];

/// Slack's flags.
#[derive(Debug, clap::Args)]
pub(super) struct SlackArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// Deliveries come over sockets that the gateway opens; Slack needs no way to reach it
    #[arg(long)]
    pub(super) socket_mode: bool,
}

/// GitHub's flags.
#[derive(Debug, clap::Args)]
pub(super) struct GithubArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// The app's id; without it the variable that the configuration refers to
    #[arg(long, value_name = "ID", conflicts_with = "token")]
    pub(super) app_id: Option<u32>,

    /// The file with the app's private key
    #[arg(long, value_name = "FILE", conflicts_with = "token", value_parser = NonEmptyStringValueParser::new())]
    pub(super) private_key: Option<String>,

    /// A personal or Actions token in place of an app
    #[arg(long)]
    pub(super) token: bool,
}

/// Linear's flags.
#[derive(Debug, clap::Args)]
pub(super) struct LinearArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// The application's client id; without it the variable that the configuration refers to
    #[arg(long, value_name = "ID", conflicts_with = "access_token", value_parser = NonEmptyStringValueParser::new())]
    pub(super) client_id: Option<String>,

    /// An access token in place of the client's credentials
    #[arg(long)]
    pub(super) access_token: bool,
}

/// Discord's flags.
#[derive(Debug, clap::Args)]
pub(super) struct DiscordArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// The application's id; without it the variable that the configuration refers to
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(super) application_id: Option<String>,

    /// The application's public key; without it the variable that the configuration refers to
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    pub(super) public_key: Option<String>,

    /// Commands and buttons alone, which Discord sends by HTTP; no mentions and no messages
    #[arg(long)]
    pub(super) no_gateway: bool,
}

impl Platform {
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Slack(args) => &args.common,
            Self::Github(args) => &args.common,
            Self::Linear(args) => &args.common,
            Self::Discord(args) => &args.common,
        }
    }

    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Github(_) => "github",
            Self::Linear(_) => "linear",
            Self::Discord(_) => "discord",
        }
    }

    /// What is wanted, given the keys that the connection has already: what nobody says anything about stays as it is.
    pub(super) fn wish(&self, name: &str, before: &BTreeMap<String, String>) -> Wish {
        let has = |key: &str| before.contains_key(key);
        let mut wish = match self {
            Self::Slack(args) => slack(name, args.socket_mode || has("app_token")),
            Self::Github(args) => {
                let says_app = args.app_id.is_some() || args.private_key.is_some();
                github(name, args, args.token || (has("token") && !says_app))
            }
            Self::Linear(args) => {
                linear(name, args, args.access_token || (has("access_token") && args.client_id.is_none()))
            }
            Self::Discord(args) => discord(name, args, before),
        };
        if let Some(url) = &self.common().api_base_url {
            wish.put("api_base_url", Written::Text(url.clone()), true);
        }
        wish
    }
}

fn slack(name: &str, by_socket: bool) -> Wish {
    let mut wish = Wish::new("slack", "Slack", name, &SLACK, reveille_slack::guide);
    wish.variable("bot_token");
    // Who has both may be delivered to either way; Socket Mode alone needs no signing secret.
    wish.variable(if by_socket { "app_token" } else { "signing_secret" });
    wish.is_reached = !by_socket;
    wish
}

fn github(name: &str, args: &GithubArgs, by_token: bool) -> Wish {
    let mut wish = Wish::new("github", "GitHub", name, &GITHUB, reveille_github::guide);
    wish.variable("webhook_secret");
    if by_token {
        wish.variable("token");
        wish.without = &["app_id", "private_key"];
        return wish;
    }
    match args.app_id {
        Some(id) => wish.put("app_id", Written::Number(id.into()), true),
        None => wish.variable("app_id"),
    }
    let default = if name == "github" { "app.pem".to_owned() } else { format!("{name}.pem") };
    let file = args.private_key.clone().unwrap_or(default);
    wish.put("private_key", Written::Text(format!("file:{file}")), args.private_key.is_some());
    wish.without = &["token"];
    wish
}

fn linear(name: &str, args: &LinearArgs, by_token: bool) -> Wish {
    let mut wish = Wish::new("linear", "Linear", name, &LINEAR, reveille_linear::guide);
    wish.variable("webhook_secret");
    if by_token {
        wish.variable("access_token");
        wish.without = &["client_id", "client_secret"];
    } else {
        wish.said_or_variable("client_id", args.client_id.as_deref());
        wish.variable("client_secret");
        wish.without = &["access_token"];
    }
    wish
}

fn discord(name: &str, args: &DiscordArgs, before: &BTreeMap<String, String>) -> Wish {
    let mut wish = Wish::new("discord", "Discord", name, &DISCORD, reveille_discord::guide);
    wish.said_or_variable("application_id", args.application_id.as_deref());
    wish.said_or_variable("public_key", args.public_key.as_deref());
    wish.variable("bot_token");
    if args.no_gateway {
        wish.put("gateway", Written::Flag(false), true);
    }
    // Otherwise it opens a socket itself.
    wish.is_reached = args.no_gateway || before.get("gateway").is_some_and(|gateway| gateway == "false");
    wish
}
