//! What the app has to be on Slack for this crate to work: scopes, events, addresses ("App manifest reference").
//!
//! It stands beside the code that needs them; who calls a further method or reads a further event adds it here.

use reveille_channel::{Guide, Site};
use serde_json::{Map, Value, json};

/// A scope of the bot token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) what_for: &'static str,
    /// Nothing is answered without it.
    pub(crate) is_needed: bool,
    /// It is asked for where something of this is there alone.
    only_for: Option<OnlyFor>,
}

/// What only some projects have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnlyFor {
    /// Slash commands.
    Commands,
    /// The tools `slack.*`.
    Tools,
}

const fn needed(name: &'static str, what_for: &'static str) -> Scope {
    Scope { name, what_for, is_needed: true, only_for: None }
}

const fn useful(name: &'static str, what_for: &'static str) -> Scope {
    Scope { name, what_for, is_needed: false, only_for: None }
}

const fn only_for(what: OnlyFor, name: &'static str, what_for: &'static str) -> Scope {
    Scope { name, what_for, is_needed: false, only_for: Some(what) }
}

/// Each method names its scope on its page, and each event what it takes to be told of it. `auth.test` and `views.publish` take none.
pub(crate) const SCOPES: [Scope; 19] = [
    needed("app_mentions:read", "to be called by its name"),
    needed("chat:write", "to answer"),
    needed("reactions:write", "to put reactions on messages"),
    needed("users:read", "to know who may call an agent"),
    useful("assistant:write", "to show what it does, and for the assistant's pane"),
    useful("channels:history", "to read threads in public channels"),
    useful("channels:read", "to know public channels by their names"),
    useful("chat:write.public", "to answer a command in a channel that it is no member of"),
    only_for(OnlyFor::Commands, "commands", "for slash commands"),
    useful("files:read", "to read text files that come with a message"),
    useful("groups:history", "to read threads in private channels"),
    useful("groups:read", "to know private channels by their names"),
    useful("im:history", "to be spoken to in private"),
    useful("im:write", "to begin a direct message"),
    useful("mpim:history", "to read threads in group messages"),
    useful("reactions:read", "to be told of reactions"),
    only_for(OnlyFor::Tools, "bookmarks:read", "to read what is kept at the top of a channel"),
    only_for(OnlyFor::Tools, "im:read", "to look at the direct message that it is in"),
    only_for(OnlyFor::Tools, "pins:read", "to read what is pinned"),
];

/// Reading a thread, in each kind of channel: without all of them no thread can be read.
pub(crate) const HISTORY: [&str; 4] = ["channels:history", "groups:history", "im:history", "mpim:history"];

/// What Slack tells the app of.
pub(crate) const EVENTS: [&str; 13] = [
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
];

/// The longest name of an app, characters.
const LONGEST_NAME: usize = 35;

/// The longest line under it, characters.
const LONGEST_DESCRIPTION: usize = 140;

/// How the app of a connection is set up.
#[must_use]
pub fn guide(site: &Site) -> Guide {
    let by_socket = site.has("app_token");
    let manifest = manifest(site);
    let text = format!("{manifest:#}");
    let compact = manifest.to_string();
    let create = format!(
        "https://api.slack.com/apps?{}",
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("new_app", "1")
            .append_pair("manifest_json", &compact)
            .finish()
    );
    let mut guide = Guide::default();
    guide.paper("manifest", "Slack app manifest", "json", text);
    guide.paper("create_url", "The same as an address to open", "text", create);
    guide.step(
        "Create the app",
        "Open <https://api.slack.com/apps>, *Create New App*, *From a manifest*, choose the workspace, and paste the manifest as \
         JSON. Or open the address below the manifest, which has it filled in.",
    );
    guide.step(
        "Install it",
        format!(
            "*Install App*, *Install to Workspace*. Then copy *Bot User OAuth Token* (`xoxb-...`) from *OAuth & Permissions* to {}.",
            site.place("bot_token")
        ),
    );
    if by_socket {
        guide.step(
            "Make the app-level token",
            format!(
                "*Basic Information*, *App-Level Tokens*, *Generate Token and Scopes*, with the scope `connections:write`. Copy it \
                 (`xapp-...`) to {}. Slack needs no way to reach the gateway: it opens the sockets itself.",
                site.place("app_token")
            ),
        );
    }
    if !by_socket || site.has("signing_secret") {
        guide.step(
            "Copy the signing secret",
            format!(
                "*Basic Information*, *App Credentials*, *Signing Secret*: copy it to {}.",
                site.place("signing_secret")
            ),
        );
    }
    if !by_socket {
        guide.step(
            "Let Slack see the gateway",
            format!(
                "Start `reveille serve` where {} leads to it. Then *Event Subscriptions*: beside the request URL `{}` press *Retry* \
                 until it says *Verified*.",
                site.base(),
                site.url("events")
            ),
        );
    }
    guide.step(
        "Call it",
        format!("In a channel: `/invite @{name}`, then `@{name} what can you do?`", name = site.app_name),
    );
    guide.trouble(
        "The request URL is not verified",
        format!(
            "The gateway has to run with {} set. `reveille doctor` says whether the public URL answers.",
            site.place("signing_secret")
        ),
    );
    guide.trouble(
        "It does not answer in a channel",
        "It has to be a member of it: `/invite` it. Then see whether an agent wakes there (`reveille agents`) and whether the person may call it.",
    );
    guide.trouble(
        "`missing_scope`, or a scope in a warning of `reveille doctor`",
        "*App Manifest*: paste the manifest above again, then *Install App*, *Reinstall*, and copy the new bot token.",
    );
    guide.trouble(
        "`invalid_auth`",
        format!(
            "The token in {} is of another app or was revoked: copy it again after installing.",
            site.place("bot_token")
        ),
    );
    guide
}

/// The manifest.
fn manifest(site: &Site) -> Value {
    let by_socket = site.has("app_token");
    let commands: Vec<Value> = site.commands.iter().map(|command| slash_command(site, command)).collect();
    let has_commands = !commands.is_empty();
    let has_tools = site.tools.iter().any(|tool| tool.starts_with("slack."));
    let is_wanted = |scope: &&Scope| match scope.only_for {
        None => true,
        Some(OnlyFor::Commands) => has_commands,
        Some(OnlyFor::Tools) => has_tools,
    };
    let mut scopes: Vec<&str> = SCOPES.iter().filter(is_wanted).map(|scope| scope.name).collect();
    scopes.sort_unstable();
    let mut features = json!({
        "app_home": {"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": false},
        "bot_user": {"display_name": cut(&site.app_name, LONGEST_NAME), "always_online": true},
        "assistant_view": {"assistant_description": format!("Ask {} here.", cut(&site.app_name, LONGEST_NAME))},
    });
    if has_commands && let Some(features) = features.as_object_mut() {
        features.insert("slash_commands".into(), commands.into());
    }
    let mut oauth = Map::new();
    if site.public_url.is_some() {
        oauth.insert("redirect_urls".into(), json!([site.url("oauth/callback")]));
    }
    oauth.insert("scopes".into(), json!({"bot": scopes}));
    let (events, interactivity) = if by_socket {
        (json!({"bot_events": EVENTS}), json!({"is_enabled": true}))
    } else {
        (
            json!({"request_url": site.url("events"), "bot_events": EVENTS}),
            json!({"is_enabled": true, "request_url": site.url("interactivity")}),
        )
    };
    json!({
        "display_information": {
            "name": cut(&site.app_name, LONGEST_NAME),
            "description": cut(&format!("{}, an agent that answers in threads.", site.app_name), LONGEST_DESCRIPTION),
        },
        "features": features,
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": by_socket,
            "token_rotation_enabled": false,
        },
    })
}

/// Mentions in what is typed come as ids (`should_escape`): names can be taken over.
fn slash_command(site: &Site, (name, description): &(String, String)) -> Value {
    let mut command = json!({
        "command": format!("/{name}"), "description": cut(description, LONGEST_DESCRIPTION), "usage_hint": "what it is about",
        "should_escape": true,
    });
    if !site.has("app_token")
        && let Some(command) = command.as_object_mut()
    {
        command.insert("url".into(), site.url("commands").into());
    }
    command
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
mod tests {
    use reveille_channel::{Inbound, Secret};

    use super::*;
    use crate::{Settings, Slack};

    fn site(keys: &[&str]) -> Site {
        Site {
            connection: "slack-eu".into(),
            public_url: Some("https://bot.example.com/".into()),
            api_base_url: "https://slack.com/api".into(),
            app_name: "assistant".into(),
            commands: vec![("ops".into(), "Runs the thread of an incident.".into())],
            kept: keys.iter().map(|key| ((*key).to_owned(), format!("`{}` in `.env`", key.to_uppercase()))).collect(),
            ..Site::default()
        }
    }

    #[test]
    fn the_manifest_names_all_that_is_used_and_where_it_goes() {
        let over_http = manifest(&site(&["signing_secret", "bot_token"]));
        insta::assert_snapshot!("manifest", format!("{over_http:#}"));
        let over_sockets = manifest(&site(&["app_token", "bot_token"]));
        assert_eq!(over_sockets["settings"]["socket_mode_enabled"], true);
        assert!(over_sockets["settings"]["event_subscriptions"].get("request_url").is_none());
        assert!(over_sockets["features"]["slash_commands"][0].get("url").is_none());
        let plain = manifest(&Site { commands: Vec::new(), ..site(&["bot_token"]) });
        assert!(plain["features"].get("slash_commands").is_none());
        assert!(!plain.to_string().contains("\"commands\""));
        // What only the tools need is asked for where an agent has one.
        assert!(!plain.to_string().contains("pins:read"));
        let with_tools = manifest(&Site { tools: vec!["slack.*".into()], ..site(&["bot_token"]) });
        assert!(with_tools.to_string().contains("pins:read"));
    }

    /// Slack refuses a manifest as a whole when one value is too long.
    #[test]
    fn long_names_are_cut_where_slack_has_bounds() {
        let long = Site { app_name: "ä".repeat(300), ..site(&[]) };
        let manifest = manifest(&long);
        let length = |at: &str| manifest.pointer(at).unwrap().as_str().unwrap().chars().count();
        assert_eq!(length("/display_information/name"), 35);
        assert!(length("/display_information/description") <= 140);
    }

    #[test]
    fn every_event_that_is_asked_for_is_acted_upon() {
        let settings = Settings {
            signing_secret: Some(Secret::new("0123456789abcdef")),
            bot_token: Some(Secret::new("xoxb-1")),
            client: None,
            app_token: None,
            api_base_url: "https://slack.com/api".parse().unwrap(),
            feedback: false,
        };
        let slack = Slack::new("slack", settings).unwrap();
        let read = |kind: &str| {
            let event = json!({"type": kind, "channel": "C1", "user": "U1", "ts": "1.1", "event_ts": "1.1"});
            slack.read_envelope("events_api", &json!({"type": "event_callback", "team_id": "T1", "event": event}))
        };
        let is_unknown = |inbound| inbound == Ok(Inbound::Ignored { reason: "a type of event that is not acted upon" });
        for event in EVENTS {
            let kind = if event.starts_with("message.") { "message" } else { event };
            assert!(!is_unknown(read(kind)), "{event}");
        }
        assert!(is_unknown(read("channel_created")));
    }
}
