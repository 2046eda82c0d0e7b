//! A slash command is answered at once, its answer opens a thread, and the thread goes on without further commands.

use reveille_simulator::{Message, Slack};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "web is slow" }
    calls: [{ tool: clock.now }]
  - when: { role: tool, tool: clock.now }
    stream: ["**Web is slow.** ", "What changed?"]
    pause_ms: 1200
  - when: { role: user, matches: "deployed" }
    stream: ["Noted."]
"#;

const ANSWER: &str = "*Web is slow.* What changed?";

/// The bot's messages in the channel, outside of threads.
fn roots(slack: &Slack, channel: &str) -> Vec<Message> {
    let is_root = |call: &reveille_simulator::Call| {
        call.method == "chat.postMessage" && call.arguments.get("thread_ts").is_none()
    };
    let posted = slack.calls().into_iter().filter(is_root).count();
    let found: Vec<Message> =
        slack.messages(channel).into_iter().filter(|one| one.is_bot && one.ts == one.thread_ts).collect();
    assert_eq!(found.len(), posted);
    found
}

#[tokio::test]
async fn the_agent_that_ships_opens_the_thread_of_an_incident() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let response = slack.command("alice", "#support", "/ops web is slow").unwrap();
    let command = |slack: &Slack| slack.deliveries().into_iter().find(|one| one.path.ends_with("/commands"));
    assert!(slack.wait_until(PATIENCE, |slack| command(slack).is_some_and(|one| one.status == Some(200))).await);
    let at_once: serde_json::Value = serde_json::from_slice(&command(slack).unwrap().answer).unwrap();
    assert_eq!(at_once["response_type"], "ephemeral");
    assert_eq!(at_once["text"], "/ops: received.");
    let answered = |slack: &Slack| roots(slack, "C0SUPPORT1").iter().any(|one| one.text == ANSWER);
    assert!(slack.wait_until(PATIENCE, answered).await, "{:#?}\n{}", slack.calls(), stage.log());
    let root = roots(slack, "C0SUPPORT1").remove(0);
    // Whoever writes below it is heard by the same instance.
    slack.say("bob", "#support", "I deployed at noon", Some(&root.ts)).unwrap();
    let noted =
        |slack: &Slack| slack.thread("C0SUPPORT1", &root.ts).iter().any(|one| one.is_bot && one.text == "Noted.");
    assert!(slack.wait_until(PATIENCE, noted).await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(roots(slack, "C0SUPPORT1").len(), 1);
    let started = stage.records("turn_started");
    assert_eq!(started.len(), 2);
    assert_eq!(started[0]["instance"], started[1]["instance"], "{started:#?}");
    let unused = slack.responses().into_iter().find(|one| one.path == response.path).unwrap();
    assert_eq!(unused.posts, Vec::<serde_json::Value>::new());
    assert_eq!(slack.effects(), Vec::<String>::new());
}

#[tokio::test]
async fn where_the_bot_is_not_the_whole_answer_goes_to_whoever_asked() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let response = slack.command("alice", "#private", "/ops web is slow").unwrap();
    let posts = |slack: &Slack| {
        slack.responses().into_iter().find(|one| one.path == response.path).map(|one| one.posts).unwrap_or_default()
    };
    assert!(slack.wait_until(PATIENCE, |slack| !posts(slack).is_empty()).await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    let posts = posts(slack);
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!((posts[0]["response_type"].as_str(), posts[0]["text"].as_str()), (Some("ephemeral"), Some(ANSWER)));
}

#[tokio::test]
async fn a_root_whose_post_had_no_answer_is_found_and_not_posted_again() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.faults.set("chat.postMessage", reveille_simulator::Fault::DropAnswer, 1);
    slack.command("alice", "#support", "/ops web is slow").unwrap();
    let answered = |slack: &Slack| slack.messages("C0SUPPORT1").iter().any(|one| one.text == ANSWER);
    assert!(slack.wait_until(PATIENCE, answered).await, "{:#?}\n{}", slack.messages("C0SUPPORT1"), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(roots(slack, "C0SUPPORT1").len(), 1);
}

#[tokio::test]
async fn a_guest_is_told_so_and_no_model_is_asked() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.command("gina", "#support", "/ops web is slow").unwrap();
    let told = |slack: &Slack| !roots(slack, "C0SUPPORT1").is_empty();
    assert!(slack.wait_until(PATIENCE, told).await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(stage.records("refused").len(), 1);
    assert_eq!(stage.records("turn_started").len(), 0);
}
