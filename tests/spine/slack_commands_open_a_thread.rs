//! A slash command is answered at once, its answer opens a thread, and the thread goes on without further commands.

use std::time::Duration;

use reveille_simulator::{Fault, Message, Slack};

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
async fn a_thread_that_a_command_opened_is_known_after_a_crash() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.command("alice", "#support", "/ops web is slow").unwrap();
    let answered = |slack: &Slack| roots(slack, "C0SUPPORT1").iter().any(|one| one.text == ANSWER);
    assert!(slack.wait_until(PATIENCE, answered).await, "{:#?}\n{}", slack.calls(), stage.log());
    // Nothing is left to be done for the answer, so nothing looks at its thread when the process is there again.
    let is_over = async {
        while !stage.records("reply_shown").iter().any(|one| one["record"]["body"]["complete"] == true) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, is_over).await.unwrap();
    // As kill -9 does: what was only remembered is gone.
    drop(gateway);
    let gateway = stage.serve("");
    let root = roots(slack, "C0SUPPORT1").remove(0);
    // Slack does not say at first what is there: the message is not taken, and Slack brings it again.
    slack.faults.set("conversations.replies", Fault::RateLimit(1), 1);
    let said = slack.say("bob", "#support", "I deployed at noon", Some(&root.ts)).unwrap();
    let noted = |slack: &Slack| {
        let answers = slack.thread("C0SUPPORT1", &root.ts);
        answers.iter().any(|one| one.is_bot && one.text == "Noted." && !one.is_streaming)
    };
    assert!(slack.wait_until(PATIENCE, noted).await, "{}", stage.log());
    let body = |one: &reveille_simulator::Delivered| String::from_utf8_lossy(&one.body).contains(&said.ts);
    assert!(slack.deliveries().iter().any(|one| body(one) && one.tries > 1), "{:#?}", slack.deliveries());
    let asked = |slack: &Slack| {
        let is_it =
            |call: &&reveille_simulator::Call| call.method == "conversations.replies" && call.arguments["limit"] == "1";
        slack.calls().iter().filter(is_it).count()
    };
    let before = asked(slack);
    slack.say("bob", "#support", "I deployed again", Some(&root.ts)).unwrap();
    let noted_again = |slack: &Slack| {
        slack.thread("C0SUPPORT1", &root.ts).iter().filter(|one| one.is_bot && one.text == "Noted.").count() == 2
    };
    assert!(slack.wait_until(PATIENCE, noted_again).await, "{}", stage.log());
    assert_eq!((before, asked(slack)), (1, 1), "a thread is asked about once");
    // A thread below somebody's message costs no question.
    let other = slack.say("alice", "#support", "lunch?", None).unwrap();
    slack.say("bob", "#support", "yes", Some(&other.ts)).unwrap();
    let taken = |slack: &Slack| slack.deliveries().iter().all(|one| one.status == Some(200));
    assert!(slack.wait_until(PATIENCE, taken).await, "{}", stage.log());
    assert_eq!(asked(slack), 1);
    assert_eq!(gateway.terminate(), Some(0));
    let started = stage.records("turn_started");
    assert_eq!(started.len(), 3, "{started:#?}");
    assert!(started.iter().all(|one| one["instance"] == started[0]["instance"]), "{started:#?}");
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
async fn a_command_is_acknowledged_in_time_however_slow_slack_is_itself() {
    let stage = Stage::new(SCRIPT).await;
    let slack = stage.simulator.slack();
    for method in ["auth.test", "users.info", "conversations.history", "chat.postMessage"] {
        slack.faults.set(method, Fault::Delay(Duration::from_secs(5)), 1);
    }
    let gateway = stage.serve("");
    let response = slack.command("alice", "#support", "/ops web is slow").unwrap();
    let answered = |slack: &Slack| roots(slack, "C0SUPPORT1").iter().any(|one| one.text == ANSWER);
    assert!(slack.wait_until(PATIENCE, answered).await, "{:#?}\n{}", slack.deliveries(), stage.log());
    let command = slack.deliveries().into_iter().find(|one| one.path.ends_with("/commands")).unwrap();
    // Slack gives a command up after three seconds, and so does the stand-in.
    assert_eq!((command.status, command.tries), (Some(200), 1));
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(roots(slack, "C0SUPPORT1").len(), 1);
    assert!(slack.responses().iter().all(|one| one.path != response.path || one.posts.is_empty()));
}

#[tokio::test]
async fn a_response_url_that_answers_late_gets_one_post_and_one_that_is_used_up_is_done_without() {
    for (fault, is_used_up) in [(Fault::Delay(Duration::from_secs(5)), false), (Fault::Refuse("used_url"), true)] {
        let stage = Stage::new(SCRIPT).await;
        let gateway = stage.serve("");
        let slack = stage.simulator.slack();
        slack.faults.set("response_url", fault, 1);
        let response = slack.command("alice", "#private", "/ops web is slow").unwrap();
        let posts = |slack: &Slack| {
            slack.responses().into_iter().find(|one| one.path == response.path).map_or(0, |one| one.posts.len())
        };
        let direct = |slack: &Slack| slack.messages("D0ALICE001").iter().filter(|one| one.text == ANSWER).count();
        let told = |slack: &Slack| posts(slack) + direct(slack) == 1;
        assert!(slack.wait_until(PATIENCE, told).await, "{:#?}\n{}", slack.calls(), stage.log());
        assert_eq!(gateway.terminate(), Some(0));
        assert_eq!((posts(slack), direct(slack)), if is_used_up { (0, 1) } else { (1, 0) });
        assert!(stage.records("reply_failed").is_empty());
    }
}

#[tokio::test]
async fn a_root_whose_post_had_no_answer_is_found_and_not_posted_again() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.faults.set("chat.postMessage", Fault::DropAnswer, 1);
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

#[tokio::test]
async fn a_command_of_no_agent_is_said_to_be_nobodys() {
    let stage = Stage::new("rules:\n  - stream: [\"Yes.\"]\n").await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.command("alice", "#general", "/nothing at all").unwrap();
    let told = slack
        .wait_until(PATIENCE, |slack| {
            let answers: Vec<_> =
                slack.deliveries().iter().map(|one| String::from_utf8_lossy(&one.answer).into_owned()).collect();
            answers.iter().any(|answer| answer.contains("No agent here answers to this command"))
        })
        .await;
    assert!(told, "{}", stage.log());
    assert!(stage.records("turn_started").is_empty());
}
