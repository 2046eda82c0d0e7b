//! Discord's gateway and its signed interactions: whatever becomes of a connection, nothing is lost and nothing comes twice.

use reveille_simulator::{Began, Discord, DiscordOptions, DiscordPosted, Interactions};
use serde_json::json;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "wait for me" }
    stream: ["One. ", "Two. ", "Three. ", "Four."]
    pause_ms: 1500
  - when: { role: user }
    stream: ["Here."]
"#;

async fn stage(options: DiscordOptions) -> (Stage, crate::support::Gateway) {
    let stage = Stage::with_discord(SCRIPT, options).await;
    let gateway = stage.serve("");
    let listens = stage.simulator.discord().wait_until(PATIENCE, Discord::is_listened_to).await;
    assert!(listens, "{}", stage.log());
    (stage, gateway)
}

fn is_answered(discord: &Discord, posted: &DiscordPosted) -> bool {
    let answers = discord.answers(posted);
    answers.len() == 1 && answers[0].content == "Here."
}

async fn wait_for(stage: &Stage, posted: &DiscordPosted) {
    let discord = stage.simulator.discord();
    let answered = discord.wait_until(PATIENCE, |discord| is_answered(discord, posted)).await;
    assert!(answered, "{:#?}\n{:?}\n{}", discord.answers(posted), discord.gateway_began(), stage.log());
}

#[tokio::test]
async fn a_dropped_connection_is_resumed_and_what_was_said_meanwhile_is_answered_once() {
    let (stage, gateway) = stage(DiscordOptions::default()).await;
    let discord = stage.simulator.discord();
    let mut said = vec![discord.say("alice", "general", "@assistant are you there?").unwrap()];
    wait_for(&stage, &said[0]).await;
    let ends: [fn(&Discord); 5] = [
        Discord::cut_gateway,
        Discord::ask_to_reconnect,
        |discord| discord.invalidate_sessions(true),
        |discord| discord.close_gateway(4_000),
        |discord| discord.close_gateway(1_001),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        end(discord);
        // While nobody listens.
        said.push(discord.say("alice", "general", "@assistant are you there?").unwrap());
        let resumed = |discord: &Discord| {
            discord.is_listened_to()
                && discord.gateway_began().iter().filter(|began| matches!(began, Began::Resume(_))).count()
                    == number + 1
        };
        assert!(
            discord.wait_until(PATIENCE, resumed).await,
            "{number}: {:?}\n{}",
            discord.gateway_began(),
            stage.log()
        );
        said.push(discord.say("bob", "random", "@assistant and now?").unwrap());
        for posted in &said {
            wait_for(&stage, posted).await;
        }
    }
    let identified = discord.gateway_began().iter().filter(|began| **began == Began::Identify).count();
    assert_eq!(identified, 1, "{:?}", discord.gateway_began());
    assert_eq!(gateway.terminate(), Some(0));
    for posted in &said {
        assert!(is_answered(discord, posted), "{:#?}", discord.answers(posted));
    }
}

#[tokio::test]
async fn a_session_that_is_over_begins_anew() {
    let (stage, _gateway) = stage(DiscordOptions::default()).await;
    let discord = stage.simulator.discord();
    for (number, end) in
        [|discord: &Discord| discord.invalidate_sessions(false), |discord: &Discord| discord.close_gateway(4_009)]
            .into_iter()
            .enumerate()
    {
        end(discord);
        let anew = |discord: &Discord| {
            discord.is_listened_to()
                && discord.gateway_began().iter().filter(|began| **began == Began::Identify).count() == number + 2
        };
        assert!(discord.wait_until(PATIENCE, anew).await, "{:?}\n{}", discord.gateway_began(), stage.log());
        assert!(!discord.gateway_began().contains(&Began::Invalid), "one IDENTIFY in five seconds");
        let posted = discord.say("alice", "general", "@assistant are you there?").unwrap();
        wait_for(&stage, &posted).await;
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_acknowledged_is_left() {
    let options = DiscordOptions { heartbeat: std::time::Duration::from_millis(500), ..DiscordOptions::default() };
    let (stage, _gateway) = stage(options).await;
    let discord = stage.simulator.discord();
    assert!(discord.wait_until(PATIENCE, |discord| discord.heartbeats() >= 3).await, "{}", stage.log());
    assert_eq!(discord.gateway_began(), [Began::Identify]);
    discord.acknowledge_heartbeats(false);
    let left = |discord: &Discord| discord.gateway_began().len() >= 2;
    assert!(discord.wait_until(PATIENCE, left).await, "{}", stage.log());
    discord.acknowledge_heartbeats(true);
    let posted = discord.say("alice", "general", "@assistant are you there?").unwrap();
    wait_for(&stage, &posted).await;
}

#[tokio::test]
async fn without_the_message_content_intent_mentions_are_still_read() {
    let options = DiscordOptions { message_content: false, ..DiscordOptions::default() };
    let (stage, _gateway) = stage(options).await;
    let discord = stage.simulator.discord();
    let posted = discord.say("alice", "general", "@assistant are you there?").unwrap();
    wait_for(&stage, &posted).await;
    discord.say("alice", "general", "nobody is called").unwrap();
    let direct = discord.say("alice", "dm", "are you there?").unwrap();
    wait_for(&stage, &direct).await;
    assert_eq!(stage.records("turn_started").len(), 2);
}

#[tokio::test]
async fn a_gateway_that_is_killed_while_it_answers_leaves_one_answer() {
    let (stage, gateway) = stage(DiscordOptions::default()).await;
    let discord = stage.simulator.discord();
    let said = discord.say("alice", "general", "@assistant wait for me").unwrap();
    let command = discord.command("bob", "random", "ask", "wait for me").unwrap();
    let begin = |discord: &Discord| {
        [&said, &command].iter().all(|posted| discord.answers(posted).iter().any(|one| !one.content.is_empty()))
    };
    assert!(discord.wait_until(PATIENCE, begin).await, "{}", stage.log());
    drop(gateway);
    let gateway = stage.serve("");
    for posted in [&said, &command] {
        let whole = |discord: &Discord| {
            let answers = discord.answers(posted);
            answers.len() == 1 && answers[0].content.ends_with("One. Two. Three. Four.")
        };
        assert!(discord.wait_until(PATIENCE, whole).await, "{:#?}\n{}", discord.answers(posted), stage.log());
    }
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(stage.records("turn_ended").len(), 2, "{}", stage.log());
}

#[tokio::test]
async fn interactions_meet_the_edge_as_documented() {
    let (stage, gateway) =
        stage(DiscordOptions { interactions: Interactions::Http, ..DiscordOptions::default() }).await;
    let discord = stage.simulator.discord();
    // What Discord does when the endpoint is entered, and from time to time after that.
    assert_eq!(discord.check_endpoint().await, (Some(200), Some(401)));
    let url = format!("http://{}/channels/discord/interactions", stage.address());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let ping = json!({"application_id": discord.application_id(), "id": "1", "token": "t", "type": 1}).to_string();
    let send = async |body: &str, headers: &[(&str, &str)]| {
        let mut request = reqwest::Client::new().post(&url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let signed = async |body: &str, timestamp: &str| {
        let signature = discord.sign(timestamp, body.as_bytes());
        send(body, &[("x-signature-ed25519", &signature), ("x-signature-timestamp", timestamp)]).await
    };
    let (status, answer) = signed(&ping, &now.to_string()).await;
    assert_eq!((status, serde_json::from_str(&answer).unwrap()), (200, json!({"type": 1})));
    assert_eq!(signed(&ping, &(now - 299).to_string()).await.0, 200);
    for odd in [(now - 301).to_string(), (now + 301).to_string(), (now * 1_000).to_string(), "-1".into(), "١".into()] {
        assert_eq!(signed(&ping, &odd).await, (401, String::new()), "{odd}");
    }
    let (timestamp, right) = (now.to_string(), discord.sign(&now.to_string(), ping.as_bytes()));
    let short: String = right.chars().take(126).collect();
    let stamp = ("x-signature-timestamp", timestamp.as_str());
    let cases: [&[(&str, &str)]; 6] = [
        &[],
        &[stamp],
        &[("x-signature-ed25519", &right)],
        &[("x-signature-ed25519", &right), ("x-signature-ed25519", &right), stamp],
        &[("x-signature-ed25519", &short), stamp],
        &[("x-signature-ed25519", "zz"), stamp],
    ];
    for headers in cases {
        assert_eq!(send(&ping, headers).await, (401, String::new()), "{headers:?}");
    }
    let other = ping.replace("\"1\"", "\"2\"");
    assert_eq!(
        send(&other, &[("x-signature-ed25519", &right), stamp]).await.0,
        401,
        "the signature is of another body"
    );
    assert_eq!(signed("nonsense", &timestamp).await.0, 400);
    assert_eq!(signed("{}", &timestamp).await.0, 400);
    let foreign = json!({"application_id": "1", "id": "5", "token": "t", "type": 2, "data": {"name": "ask"}});
    assert_eq!(signed(&foreign.to_string(), &timestamp).await.0, 400, "another application's");
    let typing = json!({"application_id": discord.application_id(), "id": "6", "token": "t", "type": 4, "data": {"name": "ask"}});
    let (status, answer) = signed(&typing.to_string(), &timestamp).await;
    assert_eq!((status, serde_json::from_str::<serde_json::Value>(&answer).unwrap()["type"].clone()), (200, json!(8)));
    let unknown = json!({"application_id": discord.application_id(), "id": "7", "token": "t", "type": 99});
    assert_eq!(signed(&unknown.to_string(), &timestamp).await.0, 200, "what is not known is acknowledged");
    assert_eq!(gateway.terminate(), Some(0));
    assert!(stage.records("event").is_empty());
}
