use std::time::Duration;

use serde_json::json;

use crate::{Act, Client, DiscordOptions, GithubOptions, LinearOptions, Options, RecallError, Simulator, SlackOptions};

const TOKEN: &str = "simulated-token";

async fn platforms() -> Simulator {
    Simulator::start(Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        deliver_to: "http://127.0.0.1:9".parse().unwrap(),
        slack: SlackOptions {
            connection: "slack".into(),
            signing_secret: TOKEN.into(),
            bot_token: TOKEN.into(),
            bot_name: "assistant".into(),
            streaming: true,
            retries: Vec::new(),
        },
        github: GithubOptions {
            connection: "github".into(),
            webhook_secret: TOKEN.into(),
            token: TOKEN.into(),
            bot_login: "assistant[bot]".into(),
            app: None,
        },
        linear: LinearOptions {
            connection: "linear".into(),
            webhook_secret: TOKEN.into(),
            access_token: TOKEN.into(),
            client: (String::new(), String::new()),
            app_name: "assistant".into(),
            sessions: true,
            data_changes: true,
            retries: Vec::new(),
        },
        discord: DiscordOptions { bot_token: TOKEN.into(), ..DiscordOptions::default() },
    })
    .await
    .unwrap()
}

/// Another process that recalls what this one remembers: by way of text, as in a file.
async fn next(simulator: &Simulator) -> Simulator {
    let text = simulator.memory().remembered().unwrap().to_string();
    assert!(!text.contains(TOKEN), "credentials are not remembered: {text}");
    let next = platforms().await;
    next.memory().recall(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(next.memory().remembered().unwrap().to_string(), text);
    next
}

async fn slack_call(simulator: &Simulator, method: &str, arguments: serde_json::Value) -> serde_json::Value {
    let request = reqwest::Client::new().post(format!("{}/{method}", simulator.slack_api_base_url()));
    request.bearer_auth(TOKEN).json(&arguments).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn slack_goes_on_with_its_messages_buttons_and_open_streams() {
    let first = platforms().await;
    let asked = first.slack().say("alice", "#general", "@assistant close it", None).unwrap();
    let blocks = json!([{"type": "actions", "block_id": "b:1", "elements": [
        {"type": "button", "action_id": "a:1", "value": "yes", "text": {"type": "plain_text", "text": "Approve"}}]}]);
    let question = json!({"channel": asked.channel, "thread_ts": asked.ts, "text": "May I?", "blocks": blocks});
    let question = slack_call(&first, "chat.postMessage", question).await;
    let stream = json!({"channel": asked.channel, "thread_ts": asked.ts, "recipient_user_id": "U0ALICE001",
        "recipient_team_id": "T0DEMO0001", "markdown_text": "One, "});
    let stream = slack_call(&first, "chat.startStream", stream).await;
    let before = first.slack().thread(&asked.channel, &asked.ts);
    assert_eq!(before.len(), 3);

    let second = next(&first).await;
    assert_eq!(second.slack().thread(&asked.channel, &asked.ts), before);
    let more = json!({"channel": asked.channel, "ts": stream["ts"], "markdown_text": "two."});
    assert_eq!(slack_call(&second, "chat.appendStream", more).await["ok"], true);
    assert_eq!(second.slack().answers(&asked).last().unwrap().text, "One, two.");

    // As `reveille say press` does it.
    let client = Client::new(format!("http://{}/", second.address()).parse().unwrap()).unwrap();
    let press = |button: &str| Act::Press(button.to_owned());
    let ts = question["ts"].as_str().unwrap();
    client.act("slack", "#general", ts, None, press("Approve")).await.unwrap();
    client.act("slack", "#general", ts, None, press("Deny")).await.unwrap_err();
    let is_told = |slack: &crate::Slack| slack.deliveries().iter().any(|one| one.path.ends_with("interactivity"));
    assert!(second.slack().wait_until(Duration::from_secs(10), is_told).await);

    let later = second.slack().say("bob", "#general", "and now?", None).unwrap();
    assert!(later.ts > before.last().unwrap().ts);
}

#[tokio::test]
async fn a_time_that_was_given_out_is_not_given_out_again() {
    let first = platforms().await;
    let mut remembered = first.memory().remembered().unwrap();
    // The clock went back since.
    remembered["slack"]["last_us"] = json!(9_000_000_000_000_000_u64);
    let second = platforms().await;
    second.memory().recall(&remembered).unwrap();
    let posted = second.slack().say("alice", "#general", "later", None).unwrap();
    assert_eq!(posted.ts, "9000000000.000001");
}

#[tokio::test]
async fn github_goes_on_with_its_issues_and_numbers() {
    let first = platforms().await;
    let number = first.github().open_issue("mallory", "acme/app", "It breaks", "A lot.").unwrap();
    let comment = first.github().comment("alice", "acme/app", number, "So it does").unwrap();
    first.github().label("bob", number, "bug").unwrap();
    let client = reqwest::Client::builder().user_agent("tests").build().unwrap();
    let issue = format!("{}/repos/acme/app/issues/{number}", first.github_api_base_url());
    let close = json!({"state": "closed", "state_reason": "not_planned"}).to_string();
    assert!(client.patch(issue).bearer_auth(TOKEN).body(close).send().await.unwrap().status().is_success());

    let second = next(&first).await;
    let issue = second.github().issue(number).unwrap();
    assert!(issue.is_closed && issue.labels == ["bug"], "{issue:#?}");
    assert_eq!(issue, first.github().issue(number).unwrap());
    assert!(second.github().comment("alice", "acme/app", number, "Again").unwrap() > comment);
    assert_eq!(second.github().open_issue("carol", "acme/app", "Another", "").unwrap(), number + 1);
}

#[tokio::test]
async fn linear_goes_on_with_its_issues_and_sessions() {
    let first = platforms().await;
    let said = first.linear().comment("alice", "ENG-1", "@assistant look", None).unwrap();
    let session = said.session.unwrap();

    let second = next(&first).await;
    assert_eq!(second.linear().issue("ENG-1"), first.linear().issue("ENG-1"));
    assert_eq!(second.linear().session(&session), first.linear().session(&session));
    second.linear().prompt("alice", &session, "and then?").unwrap();
    // What is not remembered is there all the same: people, states and labels.
    second.linear().label("bob", "ENG-1", "bug").unwrap();
    let new = second.linear().comment("carol", "ENG-1", "me too", None).unwrap();
    assert!(first.linear().issue("ENG-1").unwrap().comments.iter().all(|one| one.id != new.comment));
    assert_eq!(second.linear().open_issue("bob", "Another", "").unwrap(), "ENG-4");
}

#[tokio::test]
async fn discord_goes_on_with_its_threads_and_messages() {
    let first = platforms().await;
    let said = first.discord().say("alice", "#general", "hello").unwrap();
    first.discord().react("bob", &said.id, "eyes").unwrap();
    let thread = first.discord().open_thread("alice", "#general", "About it").unwrap();
    first.discord().say("bob", &thread.channel, "in here").unwrap();

    let second = next(&first).await;
    for channel in ["#general", &thread.channel] {
        let before = first.discord().messages(channel);
        assert!(!before.is_empty() && second.discord().messages(channel) == before, "{channel}");
    }
    let later = second.discord().say("bob", &thread.channel, "still here").unwrap();
    assert!(later.id.parse::<u64>().unwrap() > said.id.parse::<u64>().unwrap());
}

#[tokio::test]
async fn what_is_of_another_form_changes_nothing() {
    let simulator = platforms().await;
    simulator.slack().say("alice", "#general", "still here", None).unwrap();
    let before = simulator.memory().remembered().unwrap();
    let mut odd = before.clone();
    odd["slack"]["messages"] = json!([]);
    odd["discord"]["places"] = json!("none");
    let error = simulator.memory().recall(&odd).unwrap_err();
    assert!(matches!(error, RecallError::Form { platform: "discord", .. }), "{error}");
    odd["version"] = json!(2);
    assert!(matches!(simulator.memory().recall(&odd).unwrap_err(), RecallError::Version { .. }));
    assert_eq!(simulator.memory().remembered().unwrap(), before);
}
