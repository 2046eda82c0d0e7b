//! What the application has to be on Discord for this crate to work: scopes, permissions, intents, addresses.
//!
//! It stands beside the code that needs them; who makes a further call adds its permission here. Discord takes no manifest: a person
//! fills in its pages ("OAuth2": bot authorization flow; "Permissions"; "Gateway": privileged intents).

use reveille_channel::{Guide, Site};

/// A permission ("Bitwise Permission Flags"), and what for.
const PERMISSIONS: [(u64, &str, &str); 6] = [
    (1 << 10, "View Channels", "to see where it is called"),
    (1 << 11, "Send Messages", "to answer"),
    (1 << 38, "Send Messages in Threads", "to answer in threads"),
    (1 << 35, "Create Public Threads", "to start one from the message that calls it"),
    (1 << 16, "Read Message History", "to read the thread, and to find its own answer again"),
    (1 << 6, "Add Reactions", "to put reactions on messages"),
];

/// "Bot Authorization Flow" and "Application Commands".
const SCOPES: &str = "bot applications.commands";

/// Where a server's administrator invites the bot.
const AUTHORIZE: &str = "https://discord.com/oauth2/authorize";

/// All permissions in one number.
fn permissions() -> u64 {
    PERMISSIONS.iter().fold(0, |all, (bit, ..)| all | bit)
}

/// How the application of a connection is set up.
#[must_use]
pub fn guide(site: &Site) -> Guide {
    let by_http = site.values.get("gateway").is_some_and(|gateway| gateway == "false");
    let endpoint = site.url("interactions");
    let mut guide = Guide::default();
    let invite = format!(
        "{AUTHORIZE}?{}",
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", site.values.get("application_id").map_or("APPLICATION_ID", String::as_str))
            .append_pair("scope", SCOPES)
            .append_pair("permissions", &permissions().to_string())
            .finish()
    );
    guide.paper("invite_url", "Address that invites the bot into a server", "text", invite);
    let intents = if by_http { "none" } else { "Message Content Intent" };
    let endpoint_line = if by_http {
        endpoint.clone()
    } else {
        format!("leave it empty; with {endpoint} commands and buttons come by HTTP")
    };
    let names: Vec<String> = PERMISSIONS.iter().map(|(_, name, what_for)| format!("{name:<26}{what_for}")).collect();
    guide.paper(
        "settings",
        "Discord application settings",
        "text",
        format!(
            "Name                      {}\nInteractions Endpoint URL {endpoint_line}\nPrivileged intents        {intents}\n\n\
             Permissions ({}):\n  {}",
            site.app_name,
            permissions(),
            names.join("\n  ")
        ),
    );
    guide.step(
        "Create the application",
        format!(
            "<https://discord.com/developers/applications>, *New Application*. *General Information*: *Application ID* belongs into {}, \
             *Public Key* into {}.",
            site.place("application_id"),
            site.place("public_key")
        ),
    );
    guide.step(
        "Take the bot's token",
        format!("*Bot*, *Reset Token*: copy it to {}, without the word `Bot`.", site.place("bot_token")),
    );
    if by_http {
        guide.step(
            "Let Discord see the gateway",
            format!(
                "Start `reveille serve` where {} leads to it. Then *General Information*, *Interactions Endpoint URL* `{endpoint}`, *Save*: \
                 Discord asks it at once, and takes it only when it answers.",
                site.base()
            ),
        );
    } else {
        guide.step(
            "Switch on what it may read",
            "*Bot*, *Privileged Gateway Intents*: *Message Content Intent*. Without it only messages that mention the bot, replies to it \
             and direct messages can be read. Messages come over a WebSocket that the gateway opens: Discord needs no way to reach it.",
        );
    }
    guide.step(
        "Invite it",
        "Open the address above with the application's id in it, choose the server and agree. It takes *Manage Server* there.",
    );
    let commands: Vec<String> = site.commands.iter().map(|(name, _)| format!("`/{name}`")).collect();
    guide.step(
        "Call it",
        if commands.is_empty() {
            format!("In a channel that it sees: `@{} what can you do?`", site.app_name)
        } else {
            format!(
                "In a channel that it sees: `@{} what can you do?`, or {}. The gateway registers the commands when it starts, in place of all \
                 that the application had.",
                site.app_name,
                commands.join(", ")
            )
        },
    );
    guide.trouble(
        "It does not answer in a channel",
        "It has to see the channel: look at the channel's permissions for its role. Then see whether an agent wakes there \
         (`reveille agents`).",
    );
    guide.trouble(
        "It answers beside the message and starts no thread",
        "It lacks *Create Public Threads* or *Send Messages in Threads* there.",
    );
    guide.trouble(
        "`The application did not respond`",
        "The gateway does not run, or, with an *Interactions Endpoint URL*, Discord does not reach it or the public key is another application's: \
         `reveille doctor` says which.",
    );
    guide
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(values: &[(&str, &str)]) -> Site {
        Site {
            connection: "discord".into(),
            public_url: Some("https://bot.example.com".into()),
            api_base_url: "https://discord.com/api/v10".into(),
            app_name: "assistant".into(),
            commands: vec![("ask".into(), "Answers.".into())],
            kept: ["application_id", "public_key", "bot_token"].map(|key| (key.to_owned(), format!("`{key}`"))).into(),
            values: values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..Site::default()
        }
    }

    #[test]
    fn the_invitation_asks_for_what_the_calls_need() {
        let guide = guide(&site(&[("application_id", "123456789012345678")]));
        let invite: url::Url = guide.papers[0].text.parse().unwrap();
        let asked: Vec<(String, String)> = invite.query_pairs().into_owned().collect();
        let expected = [
            ("client_id", "123456789012345678"),
            ("scope", "bot applications.commands"),
            // 2^6 + 2^10 + 2^11 + 2^16 + 2^35 + 2^38.
            ("permissions", "309237713984"),
        ];
        assert_eq!(asked, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let settings = &guide.papers[1].text;
        assert!(
            settings.contains("Message Content Intent") && settings.contains("Permissions (309237713984):"),
            "{settings}"
        );
    }

    #[test]
    fn without_the_gateway_discord_has_to_reach_us() {
        let guide = guide(&site(&[("gateway", "false")]));
        assert!(guide.papers[0].text.contains("client_id=APPLICATION_ID&"));
        let steps: String = guide.steps.iter().map(|step| step.text.as_str()).collect();
        assert!(
            steps.contains("`https://bot.example.com/channels/discord/interactions`")
                && !steps.contains("Message Content")
        );
    }
}
