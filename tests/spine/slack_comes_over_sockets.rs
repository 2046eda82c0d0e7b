//! Socket Mode: without a public address, everything comes over sockets that the gateway opens, across their changes and restarts.

use reveille_simulator::Slack;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "web is slow" }
    stream: ["What changed?"]
  - when: { role: user }
    stream: ["I can ", "answer ", "in threads."]
    pause_ms: 300
"#;

/// The configuration without a signing secret and with an app-level token.
async fn stage() -> Stage {
    let stage = Stage::new(SCRIPT).await;
    let configuration = std::fs::read_to_string(stage.folder.path().join("reveille.toml")).unwrap();
    let by_socket =
        configuration.replace("signing_secret = \"env:SLACK_SIGNING_SECRET\"", "app_token = \"file:app.token\"");
    assert_ne!(configuration, by_socket);
    stage.write("app.token", "xapp-simulated");
    stage.write("reveille.toml", &by_socket);
    stage
}

#[tokio::test]
async fn messages_and_commands_come_over_sockets_and_are_answered_once() {
    let stage = stage().await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack().clone();
    assert!(slack.wait_until(PATIENCE, |slack| slack.sockets() == 1).await, "{}", stage.log());
    let whole = |posted: &reveille_simulator::Posted| {
        let posted = posted.clone();
        move |slack: &Slack| {
            slack.answers(&posted).iter().any(|one| one.text == "I can answer in threads." && !one.is_streaming)
        }
    };
    let first = slack.say("alice", "#general", "@assistant what can you do?", None).unwrap();
    assert!(slack.wait_until(PATIENCE, whole(&first)).await, "{}", stage.log());
    slack.command("alice", "#support", "/ops web is slow").unwrap();
    let answered = |slack: &Slack| slack.messages("C0SUPPORT1").iter().any(|one| one.text == "What changed?");
    assert!(slack.wait_until(PATIENCE, answered).await, "{}", stage.log());
    let command = slack.deliveries().into_iter().find(|one| one.path.ends_with("/commands")).unwrap();
    assert!(String::from_utf8_lossy(&command.answer).contains("/ops: received."), "{command:?}");
    // Slack ends a socket every few hours: the next one is there first.
    slack.refresh_sockets();
    assert!(slack.wait_until(PATIENCE, |slack| slack.sockets() == 2).await, "{}", stage.log());
    let second = slack.say("bob", "#random", "@assistant and you?", None).unwrap();
    assert!(slack.wait_until(PATIENCE, whole(&second)).await, "{}", stage.log());
    // What is said while nobody listens comes when somebody does.
    assert_eq!(gateway.terminate(), Some(0));
    assert!(slack.wait_until(PATIENCE, |slack| slack.sockets() == 0).await);
    let third = slack.say("alice", "dm", "hello", None).unwrap();
    let _gateway = stage.serve("");
    assert!(slack.wait_until(PATIENCE, whole(&third)).await, "{}", stage.log());
    slack.redeliver_all();
    let all_taken = |slack: &Slack| slack.deliveries().iter().all(|one| one.status == Some(200));
    assert!(slack.wait_until(PATIENCE, all_taken).await, "{:#?}", slack.deliveries());
    for posted in [&first, &second, &third] {
        assert_eq!(slack.answers(posted).len(), 1);
    }
    assert_eq!(stage.records("turn_started").len(), 4);
}
