//! Discord's tools against the stand-in: what is read, what is refused, and what is done once.

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_channel::{Channel, Secret, ThreadRef};
use reveille_discord::{Discord, Settings};
use reveille_simulator::{
    DiscordOptions, DiscordPosted, GithubOptions, LinearOptions, Options, Simulator, SlackOptions,
};
use serde_json::{Value, json};

use crate::journal::{Effect, ToolOutcome};
use crate::tool::tests::{LONG, context_in, leave};
use crate::tool::{Class, DiscordConnections, Form, Platforms, Registry, ToolContext};

const GUILD: &str = "290926798626357999";

async fn simulator() -> Simulator {
    let none = String::new;
    Simulator::start(Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        deliver_to: "http://127.0.0.1:9".parse().unwrap(),
        slack: SlackOptions {
            connection: none(),
            signing_secret: none(),
            bot_token: none(),
            bot_name: none(),
            streaming: true,
            retries: Vec::new(),
        },
        github: GithubOptions {
            connection: none(),
            webhook_secret: none(),
            token: none(),
            bot_login: none(),
            app: None,
        },
        linear: LinearOptions {
            connection: none(),
            webhook_secret: none(),
            access_token: none(),
            client: (none(), none()),
            app_name: none(),
            sessions: true,
            data_changes: true,
            retries: Vec::new(),
        },
        discord: DiscordOptions::default(),
    })
    .await
    .unwrap()
}

struct Site {
    simulator: Simulator,
    registry: Registry,
    context: ToolContext,
    /// What was said in `#general`, from which the conversation's thread is.
    said: DiscordPosted,
    thread: DiscordPosted,
}

/// A conversation in a thread of `#general`, or before it has one.
async fn site(is_in_thread: bool) -> Site {
    let simulator = simulator().await;
    let server = simulator.discord();
    let settings = Settings {
        application_id: server.application_id(),
        public_key: server.public_key(),
        bot_token: Secret::new(DiscordOptions::default().bot_token),
        api_base_url: simulator.discord_api_base_url().parse().unwrap(),
        gateway: false,
        gateway_url: simulator.discord_gateway_url().parse().unwrap(),
        command_guilds: Vec::new(),
    };
    let discord = Arc::new(Discord::new("discord", settings).unwrap());
    discord.identify().await.unwrap();
    let said = server.say("alice", "general", "the form <b>breaks</b>").unwrap();
    let thread = server.open_thread("bob", "general", "the form").unwrap();
    server.say("bob", &thread.channel, "since noon").unwrap();
    let location: &[(&str, &str)] = if is_in_thread {
        &[("guild", GUILD), ("channel", &thread.channel), ("channel_type", "11")]
    } else {
        &[("guild", GUILD), ("channel", &said.channel), ("channel_type", "0"), ("root", &said.id)]
    };
    let channel: Arc<dyn Channel> = Arc::<Discord>::clone(&discord);
    let mut context = context_in(channel);
    context.connection = "discord".into();
    context.thread = ThreadRef {
        installation: GUILD.into(),
        key: thread.channel.clone(),
        location: location.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        display: "#general".into(),
    };
    let connections: DiscordConnections = Arc::new(BTreeMap::from([("discord".to_owned(), discord)]));
    let registry = Registry::built_in(&Platforms { discord: connections, ..Platforms::default() }).unwrap();
    Site { simulator, registry, context, said, thread }
}

impl Site {
    async fn ok(&self, name: &str, arguments: Value) -> String {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Text).await {
            ToolOutcome::Ok { content, truncated: false } => content,
            other => panic!("{name}: {other:?}"),
        }
    }

    async fn value(&self, name: &str, arguments: Value) -> Value {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Value).await {
            ToolOutcome::Ok { content, truncated: false } => serde_json::from_str(&content).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }

    async fn error(&self, name: &str, arguments: Value) -> String {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Text).await {
            ToolOutcome::Error { message } => message,
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_thread_reads_itself_its_channel_and_the_threads_beside_it() {
    let site = site(true).await;
    let server = site.simulator.discord();
    let (thread, channel) = (&site.thread.channel, &site.said.channel);
    let own = site.ok("discord.get_channel", json!({})).await;
    assert!(own.contains("#the form (public thread)") && own.contains(thread) && own.contains(channel), "{own}");
    let parent = site.ok("discord.get_channel", json!({ "channel_id": channel })).await;
    assert!(parent.contains("#general (text channel)") && parent.contains("Topic: All about general"), "{parent}");
    let here = site.ok("discord.list_messages", json!({})).await;
    assert!(here.contains("since noon") && !here.contains("breaks"), "{here}");
    let there = site.ok("discord.list_messages", json!({ "channel_id": channel, "limit": 5 })).await;
    assert!(there.contains("the form <b>breaks</b>") && there.contains(&site.said.id), "{there}");
    assert!(there.starts_with("<message-0123456789ab "), "it is fenced: {there}");
    let before = site.ok("discord.list_messages", json!({ "channel_id": channel, "before": site.said.id })).await;
    assert_eq!(before, "There are none.");
    let beside = server.open_thread("bob", "general", "the fix").unwrap();
    server.open_thread("bob", "random", "elsewhere").unwrap();
    let threads = site.ok("discord.list_threads", json!({})).await;
    assert!(
        threads.contains("#the form") && threads.contains("#the fix") && !threads.contains("elsewhere"),
        "{threads}"
    );
    server.say("bob", &beside.channel, "it is deployed").unwrap();
    let said = site.ok("discord.list_messages", json!({ "channel_id": beside.channel })).await;
    assert!(said.contains("it is deployed"), "{said}");
}

#[tokio::test]
async fn other_channels_direct_messages_and_other_platforms_are_out_of_reach() {
    let site = site(true).await;
    let server = site.simulator.discord();
    let secret = server.say("bob", "random", "the password").unwrap();
    let elsewhere = server.open_thread("bob", "random", "elsewhere").unwrap();
    let direct = server.say("alice", "dm", "hello").unwrap();
    for channel in [&secret.channel, &elsewhere.channel, &direct.channel] {
        for tool in ["discord.get_channel", "discord.list_messages"] {
            let said = site.error(tool, json!({ "channel_id": channel })).await;
            assert!(said.contains("was refused") && !said.contains("password"), "{tool}: {said}");
        }
    }
    let reaction = json!({ "channel_id": secret.channel, "message_id": secret.id, "emoji": "eyes" });
    assert!(site.error("discord.add_reaction", reaction).await.contains("was refused"));
    let thread = json!({ "message_id": secret.id, "name": "mine now" });
    assert!(
        site.error("discord.create_thread", thread).await.contains("is not there"),
        "it is no message of this channel"
    );
    assert!(server.messages("random").iter().all(|one| one.reactions.is_empty()));
    for odd in ["../users/@me", "1", "general", "645027906669510001/messages"] {
        let said = site.error("discord.get_channel", json!({ "channel_id": odd })).await;
        assert!(said.contains("a number of 17 digits or more"), "{said}");
    }
    let mut site = site;
    site.context.thread.location.remove("guild");
    let said = site.error("discord.list_messages", json!({})).await;
    assert_eq!(said, "This tool works in the channels of a Discord server, and this thread is elsewhere.");
}

#[tokio::test]
async fn before_there_is_a_thread_the_channel_is_read_and_a_thread_is_started_once() {
    let site = site(false).await;
    let server = site.simulator.discord();
    let here = site.ok("discord.list_messages", json!({})).await;
    assert!(here.contains("breaks"), "{here}");
    for _ in 0..2 {
        let told =
            site.ok("discord.create_thread", json!({ "message_id": site.said.id, "name": " the\n form " })).await;
        assert!(told.contains(&site.said.id), "{told}");
    }
    let started = |call: &&reveille_simulator::Call| call.method.ends_with("/threads");
    assert_eq!(server.calls().iter().filter(started).count(), 1, "the second time it is there");
    let own = site.ok("discord.get_channel", json!({})).await;
    assert!(own.contains("#the form (public thread)") && own.contains(&site.said.id), "{own}");
    let long =
        site.error("discord.create_thread", json!({ "message_id": site.said.id, "name": "x".repeat(101) })).await;
    assert!(long.contains("1 to 100 characters"), "{long}");
    for _ in 0..2 {
        let reaction = json!({ "channel_id": site.said.channel, "message_id": site.said.id, "emoji": ":eyes:" });
        assert_eq!(site.ok("discord.add_reaction", reaction).await, "Done.");
    }
    let reacted = server.messages("general").into_iter().find(|one| one.id == site.said.id).unwrap().reactions;
    assert_eq!(reacted.len(), 1, "{reacted:?}");
    let unknown = json!({ "channel_id": site.said.channel, "message_id": site.said.id, "emoji": "nonsense" });
    assert!(site.error("discord.add_reaction", unknown).await.contains("`nonsense` is no emoji"));
}

#[tokio::test]
async fn a_member_is_described_and_a_stranger_is_not() {
    let site = site(true).await;
    let bob = site.ok("discord.get_member", json!({ "user_id": "539082325061830002" })).await;
    assert!(bob.contains("bob (@bob)") && bob.contains("Roles: admin") && bob.contains("Joined: 2024-01-01"), "{bob}");
    let eve = site.error("discord.get_member", json!({ "user_id": "539082325061830004" })).await;
    assert!(eve.contains("is not there"), "{eve}");
}

#[tokio::test]
async fn each_tool_is_classed_as_what_it_does() {
    let site = site(true).await;
    let of = |name: &str| {
        let spec = site.registry.get(name).unwrap().spec().clone();
        assert!(spec.description.contains("Needs "), "{name} says what it needs");
        assert_eq!(spec.platform, Some("discord"), "{name}");
        (spec.effect, spec.class)
    };
    for name in ["discord.get_channel", "discord.list_messages", "discord.list_threads", "discord.get_member"] {
        assert_eq!(of(name), (Effect::Read, Class::ReadUntrusted), "{name}");
    }
    assert_eq!(of("discord.add_reaction"), (Effect::Idempotent, Class::WriteInternal));
    assert_eq!(of("discord.create_thread"), (Effect::Idempotent, Class::Egress));
}

#[tokio::test]
async fn programs_get_the_same_as_data() {
    let site = site(true).await;
    let own = site.value("discord.get_channel", json!({})).await;
    let expected = json!({
        "id": site.thread.channel, "name": "the form", "kind": "public thread", "topic": null,
        "parent_id": site.said.channel, "is_archived": false,
    });
    assert_eq!(own, expected);
    assert_eq!(site.value("discord.list_threads", json!({})).await, json!([expected]));
    let messages = site.value("discord.list_messages", json!({ "channel_id": site.said.channel })).await;
    let first = &messages[0];
    assert_eq!((&first["id"], &first["text"]), (&json!(site.said.id), &json!("the form <b>breaks</b>")));
    assert_eq!(first["is_own"], false);
}
