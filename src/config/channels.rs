//! `[channels.NAME]`: connections to platforms.

use std::collections::BTreeMap;

use reveille_channel::{Ed25519Key, Secret};
use url::Url;

use super::StorageKeys;
use super::error::Code;
use super::reader::{Found, Reader, Table, list};
use super::schema;
use super::secrets::Shape;

/// One connection.
#[derive(Debug, Clone)]
pub enum ChannelSettings {
    /// To Slack.
    Slack(reveille_slack::Settings),
    /// To GitHub.
    Github(reveille_github::Settings),
    /// To Linear.
    Linear(reveille_linear::Settings),
    /// To Discord.
    Discord(reveille_discord::Settings),
}

impl ChannelSettings {
    /// The platform's name.
    #[must_use]
    pub fn platform(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Github(_) => "github",
            Self::Linear(_) => "linear",
            Self::Discord(_) => "discord",
        }
    }

    /// Where its calls go.
    #[must_use]
    pub fn api_base_url(&self) -> &Url {
        match self {
            Self::Slack(settings) => &settings.api_base_url,
            Self::Github(settings) => &settings.api_base_url,
            Self::Linear(settings) => &settings.api_base_url,
            Self::Discord(settings) => &settings.api_base_url,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Slack,
    Github,
    Linear,
    Discord,
}

const KINDS: [(&str, Kind); 4] =
    [("slack", Kind::Slack), ("github", Kind::Github), ("linear", Kind::Linear), ("discord", Kind::Discord)];

/// The longest name of a connection: it is part of paths and addresses.
const LONGEST_NAME: usize = 40;

/// The platforms that a connection can be to.
pub const PLATFORMS: [&str; 4] = ["slack", "github", "linear", "discord"];

/// The terminal's own connection.
const LOCAL: &str = "local";

/// Whether a connection can have this name.
#[must_use]
pub fn is_channel_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_good) && name != LOCAL
}

/// Where the API of a platform is unless somebody says otherwise.
#[must_use]
pub fn usual_api(platform: &str) -> &'static str {
    match platform {
        "slack" => "https://slack.com/api",
        "github" => "https://api.github.com",
        "linear" => "https://api.linear.app/graphql",
        _ => "https://discord.com/api/v10",
    }
}

/// The connections, and those that are left out because a secret is not there, with their platforms.
type Read = (BTreeMap<String, ChannelSettings>, BTreeMap<String, &'static str>);

pub(super) fn read(reader: &mut Reader, keys: &StorageKeys) -> Read {
    let (mut whole, mut unset) = Read::default();
    for table in reader.tables("channels") {
        let name = table.name().to_owned();
        let Some((platform, kind)) = read_kind(reader, &table) else { continue };
        // Where the reason is an error and no absence, nothing of this is used.
        if let Some(settings) = read_one(reader, &table, kind, keys) {
            whole.insert(name, settings);
        } else {
            unset.insert(name, platform);
        }
    }
    (whole, unset)
}

fn read_kind(reader: &mut Reader, table: &Table) -> Option<(&'static str, Kind)> {
    let name = table.name().to_owned();
    if name != LOCAL && !is_channel_name(&name) {
        let what = format!("a connection's name is at most {LONGEST_NAME} of a-z, 0-9 and `-`");
        let help = "it is part of the path the platform calls: /channels/NAME/...".into();
        reader.problem_of_table(Code::BadName, table, what, help);
    }
    if name == LOCAL {
        let what = "`local` is the terminal's own connection".into();
        reader.problem_of_table(Code::BadName, table, what, "choose another name and say `kind = ...`".into());
    }
    if table.has("kind") {
        let kinds = KINDS.map(|(name, kind)| (name, (name, kind)));
        reader.choice(table, "kind", &kinds)
    } else if let Some(known) = KINDS.iter().find(|(kind, _)| *kind == name) {
        Some(*known)
    } else {
        let near = schema::nearest(&name, PLATFORMS).unwrap_or("slack");
        let help = format!("write `kind = \"{near}\"`: the platform, one of {}", list(&PLATFORMS));
        reader.missing(table, "kind", help);
        None
    }
}

fn read_one(reader: &mut Reader, table: &Table, kind: Kind, keys: &StorageKeys) -> Option<ChannelSettings> {
    match kind {
        Kind::Slack => read_slack(reader, table, keys).map(ChannelSettings::Slack),
        Kind::Github => read_github(reader, table).map(ChannelSettings::Github),
        Kind::Linear => read_linear(reader, table, keys).map(ChannelSettings::Linear),
        Kind::Discord => read_discord(reader, table).map(ChannelSettings::Discord),
    }
}

fn read_slack(reader: &mut Reader, table: &Table, keys: &StorageKeys) -> Option<reveille_slack::Settings> {
    reader.check_keys(table, &schema::SLACK);
    // Deliveries come by HTTP, signed, or over sockets that we open; one of the two has to be.
    let by_socket = table.has("app_token");
    let app_token = if by_socket { Some(required(reader, table, "app_token", Shape::Token)) } else { None };
    let by_http = table.has("signing_secret") || !by_socket;
    let signing_secret = if by_http { Some(required(reader, table, "signing_secret", Shape::Signing)) } else { None };
    // The token of one workspace, or what brings one for each: at least one of the two.
    let by_oauth = table.has("client_id") || table.has("client_secret");
    let client = if by_oauth { Some(read_slack_client(reader, table, keys)) } else { None };
    let by_token = table.has("bot_token") || !by_oauth;
    let bot_token = if by_token { Some(required(reader, table, "bot_token", Shape::Token)) } else { None };
    let api_base_url = base_url(reader, table, usual_api("slack"));
    let feedback = if table.has("feedback") { reader.flag(table, "feedback") } else { Some(true) };
    Some(reveille_slack::Settings {
        signing_secret: unless_wrong(signing_secret)?,
        app_token: unless_wrong(app_token)?,
        bot_token: unless_wrong(bot_token)?,
        client: unless_wrong(client)?,
        api_base_url: api_base_url?,
        feedback: feedback?,
    })
}

/// What installing by OAuth needs.
fn read_slack_client(reader: &mut Reader, table: &Table, keys: &StorageKeys) -> Option<reveille_slack::Client> {
    if !table.has("client_id") {
        let help = "write `client_id = \"...\"`: it stands under \"Basic Information\" of the app";
        reader.missing(table, "client_id", help.into());
    }
    let client_id = reader.text(table, "client_id");
    let client_secret = required(reader, table, "client_secret", Shape::Token);
    let authorize_url = if table.has("authorize_url") { Some(reader.url(table, "authorize_url")) } else { None };
    let workspaces = if table.has("workspaces") { reader.texts(table, "workspaces") } else { Some(Vec::new()) };
    let sealed = is_sealed(reader, table, "client_id", keys);
    Some(reveille_slack::Client {
        client_id: client_id?,
        client_secret: client_secret?,
        authorize_url: unless_wrong(authorize_url)?,
        workspaces: workspaces?,
    })
    .filter(|_| sealed)
}

/// Whether there is a key to seal with what installations give us.
fn is_sealed(reader: &mut Reader, table: &Table, key: &str, keys: &StorageKeys) -> bool {
    if !keys.is_named {
        let what = "needs `storage.key`: the tokens of installations are sealed with it".into();
        let help =
            format!("write `key = \"env:REVEILLE_STORAGE_KEY\"` into `[storage]`; {}", Shape::SealingKey.advice());
        reader.problem(Code::MissingKey, table, key, what, help);
    }
    keys.key.is_some()
}

/// What is not there is fine; what is there and cannot be used is not.
fn unless_wrong<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}

fn read_github(reader: &mut Reader, table: &Table) -> Option<reveille_github::Settings> {
    reader.check_keys(table, &schema::GITHUB);
    let webhook_secret = required(reader, table, "webhook_secret", Shape::Signing);
    let auth = read_auth(reader, table);
    let api_base_url = base_url(reader, table, usual_api("github"));
    Some(reveille_github::Settings { webhook_secret: webhook_secret?, auth: auth?, api_base_url: api_base_url? })
}

fn read_auth(reader: &mut Reader, table: &Table) -> Option<reveille_github::Auth> {
    let is_app = table.has("app_id") || table.has("private_key");
    if table.has("token") {
        if is_app {
            let what = "a connection is either an app (`app_id`, `private_key`) or has a `token`".into();
            reader.problem(Code::Conflict, table, "token", what, "take one of the two out".into());
        }
        return required(reader, table, "token", Shape::Token).map(reveille_github::Auth::Token);
    }
    if !is_app {
        let help = "write `app_id = 12345` and `private_key = \"file:app.pem\"`, or `token = \"env:GITHUB_TOKEN\"`";
        reader.missing(table, "app_id", help.into());
        return None;
    }
    if !table.has("app_id") {
        reader.missing(table, "app_id", "write `app_id = 12345`: it stands on the app's settings page".into());
    }
    let app_id = reader.number_or_reference(table, "app_id");
    let private_key = required(reader, table, "private_key", Shape::PrivateKey);
    Some(reveille_github::Auth::App { app_id: app_id?, private_key: private_key? })
}

fn read_linear(reader: &mut Reader, table: &Table, keys: &StorageKeys) -> Option<reveille_linear::Settings> {
    reader.check_keys(table, &schema::LINEAR);
    let webhook_secret = required(reader, table, "webhook_secret", Shape::Signing);
    let auth = read_linear_auth(reader, table, keys);
    let api_base_url = base_url(reader, table, usual_api("linear"));
    Some(reveille_linear::Settings { webhook_secret: webhook_secret?, auth: auth?, api_base_url: api_base_url? })
}

fn read_linear_auth(reader: &mut Reader, table: &Table, keys: &StorageKeys) -> Option<reveille_linear::Auth> {
    let is_client = table.has("client_id") || table.has("client_secret");
    if table.has("access_token") {
        if is_client {
            let what = "a connection either has an `access_token` or gets its own with `client_id`, `client_secret`";
            reader.problem(Code::Conflict, table, "access_token", what.into(), "take one of the two out".into());
        }
        return required(reader, table, "access_token", Shape::Token).map(reveille_linear::Auth::Token);
    }
    if !is_client {
        let help = "write `access_token = \"env:LINEAR_ACCESS_TOKEN\"`, or `client_id = \"...\"` and \
                    `client_secret = \"env:LINEAR_CLIENT_SECRET\"`";
        reader.missing(table, "access_token", help.into());
        return None;
    }
    if !table.has("client_id") {
        reader.missing(table, "client_id", "write `client_id = \"...\"`: it stands on the application's page".into());
    }
    let client_id = reader.text_or_reference(table, "client_id");
    let client_secret = required(reader, table, "client_secret", Shape::Token);
    // With a key to seal with it can be installed elsewhere too.
    let says_so = table.has("authorize_url") || table.has("workspaces");
    let is_wanted = keys.key.is_some() || (says_so && !keys.is_named);
    let install = if is_wanted { Some(read_linear_install(reader, table, keys)) } else { None };
    Some(reveille_linear::Auth::Client {
        client_id: client_id?,
        client_secret: client_secret?,
        install: unless_wrong(install)?,
    })
}

fn read_linear_install(reader: &mut Reader, table: &Table, keys: &StorageKeys) -> Option<reveille_linear::Install> {
    let authorize_url = if table.has("authorize_url") { Some(reader.url(table, "authorize_url")) } else { None };
    let workspaces = if table.has("workspaces") { reader.texts(table, "workspaces") } else { Some(Vec::new()) };
    let sealed = is_sealed(reader, table, "client_id", keys);
    Some(reveille_linear::Install { authorize_url: unless_wrong(authorize_url)?, workspaces: workspaces? })
        .filter(|_| sealed)
}

fn read_discord(reader: &mut Reader, table: &Table) -> Option<reveille_discord::Settings> {
    reader.check_keys(table, &schema::DISCORD);
    let page = "it stands at \"General Information\" of your app";
    for (key, example) in [("application_id", "123456789012345678"), ("public_key", "0123...")] {
        if !table.has(key) {
            reader.missing(table, key, format!("write `{key} = \"{example}\"`: {page}"));
        }
    }
    let application_id = reader.text_or_reference(table, "application_id");
    let public_key = reader.text_or_reference(table, "public_key");
    if public_key.as_ref().is_some_and(|key| Ed25519Key::parse(key.trim()).is_none()) {
        let what = "is no public key, which has 64 digits of 0-9 and a-f".into();
        reader.problem(Code::BadValue, table, "public_key", what, format!("copy it: {page}"));
        return None;
    }
    let bot_token = required(reader, table, "bot_token", Shape::Token);
    let api_base_url = base_url(reader, table, usual_api("discord"));
    let gateway = if table.has("gateway") { reader.flag(table, "gateway") } else { Some(true) };
    let gateway_url = if table.has("gateway_url") {
        reader.socket_url(table, "gateway_url")
    } else {
        Url::parse("wss://gateway.discord.gg").ok()
    };
    let command_guilds = if table.has("command_guilds") { reader.texts(table, "command_guilds") } else { Some(vec![]) };
    Some(reveille_discord::Settings {
        application_id: application_id?,
        public_key: public_key?,
        bot_token: bot_token?,
        api_base_url: api_base_url?,
        gateway: gateway?,
        gateway_url: gateway_url?,
        command_guilds: command_guilds?,
    })
}

fn required(reader: &mut Reader, table: &Table, key: &str, shape: Shape) -> Option<Secret> {
    match reader.secret(table, key, shape) {
        Found::Secret(secret) => Some(secret),
        Found::Unusable => None,
        Found::Absent => {
            let variable = super::secrets::suggest_variable(&[table.name().to_owned()], key);
            let reference = if shape == Shape::PrivateKey { "file:app.pem".into() } else { format!("env:{variable}") };
            reader.missing(table, key, format!("write `{key} = \"{reference}\"`; {}", shape.advice()));
            None
        }
    }
}

fn base_url(reader: &mut Reader, table: &Table, default: &str) -> Option<Url> {
    if table.has("api_base_url") { reader.url(table, "api_base_url") } else { Url::parse(default).ok() }
}
