//! What people do in Slack besides writing: they stop, edit and delete, open the Home and the assistant's pane.

use std::time::Duration;

use reveille_simulator::{Fault, Posted, Slack};
use serde_json::Value;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "long story" }
    stream: ["Once upon a time. ", "There was a queue. ", "It grew. ", "And grew. ", "And grew. ", "And grew. ", "And grew. ", "And grew. ", "And grew. ", "And grew. ", "It ended."]
    pause_ms: 1300
  - when: { role: user, matches: "take your time" }
    fail: { kind: retry, times: 1, after_ms: 2000 }
    stream: ["Here ", "it is."]
  - when: { role: user, matches: "a file came with this and is not read yet: notes.txt \\(text/plain, 31 bytes\\)" }
    calls: [{ tool: thread.read_file, arguments: { name: notes.txt } }, { tool: thread.read_file, arguments: { name: cat.png } }]
  - when: { role: tool, tool: thread.read_file, matches: "no text" }
    stream: ["It says that the disk is full; the picture I cannot see."]
  - when: { role: user, matches: "the right question" }
    stream: ["The right answer."]
  - when: { role: user, matches: "the wrong question" }
    stream: ["The wrong answer."]
  - when: { role: user }
    stream: ["I am here."]
"#;

fn shows(slack: &Slack, posted: &Posted, text: &str) -> bool {
    slack.answers(posted).iter().any(|one| one.text.contains(text))
}

fn calls(slack: &Slack, method: &str) -> Vec<Value> {
    slack.calls().into_iter().filter(|call| call.method == method).map(|call| call.arguments).collect()
}

/// What the records of a kind say, in a field.
fn told(stage: &Stage, kind: &str, field: &str) -> Vec<String> {
    let text = |line: Value| line["record"]["body"][field].as_str().unwrap_or_default().to_owned();
    stage.records(kind).into_iter().map(text).collect()
}

/// An answer is under way; it is stopped, and says so and no more.
async fn stopped(stop: impl AsyncFn(&Slack, &Posted)) -> Stage {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack().clone();
    let posted = slack.say("alice", "#general", "@assistant tell me a long story", None).unwrap();
    let began = |slack: &Slack| shows(slack, &posted, "There was a queue.");
    assert!(slack.wait_until(PATIENCE, began).await, "{}", stage.log());
    stop(&slack, &posted).await;
    let is_over = |slack: &Slack| {
        let answers = slack.answers(&posted);
        answers.len() == 1 && answers[0].text.contains("\n\nStopped: ") && !answers[0].is_streaming
    };
    assert!(slack.wait_until(PATIENCE, is_over).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(slack.answers(&posted).len(), 1);
    assert!(!shows(&slack, &posted, "It ended."));
    assert_eq!(told(&stage, "turn_ended", "outcome"), ["aborted"]);
    stage
}

#[tokio::test]
async fn the_stop_button_ends_the_turn() {
    let stage = stopped(async |slack, posted| slack.press_stop("alice", posted, true).unwrap()).await;
    assert_eq!(told(&stage, "turn_ended", "reason"), ["on request"]);
    let slack = stage.simulator.slack();
    let sessions = calls(slack, "agents.sessions.setStatus");
    assert!(sessions.iter().any(|one| one["status"] == "active"), "{sessions:?}");
}

#[tokio::test]
async fn the_stop_button_ends_the_turn_of_an_app_that_is_not_told() {
    let stage = stopped(async |slack, posted| slack.press_stop("alice", posted, false).unwrap()).await;
    assert_eq!(told(&stage, "turn_ended", "reason"), ["on request"]);
}

#[tokio::test]
async fn a_stream_that_slack_ends_after_five_minutes_goes_on_until_the_answer_is_whole() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack().clone();
    let posted = slack.say("alice", "#general", "@assistant tell me a long story", None).unwrap();
    let began = |slack: &Slack| shows(slack, &posted, "There was a queue.");
    assert!(slack.wait_until(PATIENCE, began).await, "{}", stage.log());
    assert_eq!(slack.expire_streams(), 1);
    let whole = |slack: &Slack| {
        let answers = slack.answers(&posted);
        let text: String = answers.iter().map(|one| one.text.as_str()).collect();
        text.starts_with("Once upon a time.")
            && text.ends_with("It ended.")
            && answers.iter().all(|one| !one.is_streaming)
    };
    assert!(slack.wait_until(PATIENCE, whole).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    let text: String = slack.answers(&posted).iter().map(|one| one.text.as_str()).collect();
    assert_eq!((text.matches("Once").count(), text.matches("And grew.").count()), (1, 7), "{text}");
    assert_eq!(told(&stage, "turn_ended", "outcome"), ["completed"]);
}

#[tokio::test]
async fn deleting_what_is_being_answered_ends_the_turn() {
    let stage = stopped(async |slack, posted| slack.delete("alice", &posted.channel, &posted.ts).unwrap()).await;
    assert_eq!(told(&stage, "turn_ended", "reason"), ["the message was deleted"]);
}

/// Slack is slow to say who somebody is: what is said meanwhile waits, and is changed while it does.
async fn while_it_waits(change: impl Fn(&Slack, &Posted), answer: &str) -> (Stage, Posted) {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack().clone();
    slack.faults.set("users.info", Fault::Delay(Duration::from_secs(3)), 1);
    let posted = slack.say("alice", "#general", "@assistant are you there?", None).unwrap();
    let waits = |slack: &Slack| slack.deliveries().iter().all(|one| one.status == Some(200));
    assert!(slack.wait_until(PATIENCE, waits).await, "{}", stage.log());
    let second = slack.say("alice", "#general", "@assistant the wrong question", Some(&posted.thread_ts)).unwrap();
    change(&slack, &second);
    assert!(slack.wait_until(PATIENCE, waits).await, "{}", stage.log());
    assert!(stage.records("turn_started").is_empty(), "it was changed before its turn");
    let settled = |slack: &Slack| {
        let answers = slack.answers(&posted);
        answers.iter().any(|one| one.text.contains(answer) && !one.is_streaming)
    };
    assert!(slack.wait_until(PATIENCE, settled).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    (stage, posted)
}

#[tokio::test]
async fn an_edit_before_the_turn_replaces_what_was_asked() {
    let edit = |slack: &Slack, second: &Posted| {
        slack.edit("alice", &second.channel, &second.ts, "@assistant the right question").unwrap();
    };
    let (stage, posted) = while_it_waits(edit, "The right answer.").await;
    assert!(!shows(stage.simulator.slack(), &posted, "The wrong answer."));
    assert_eq!(told(&stage, "refused", "rule"), ["message.edited"]);
}

#[tokio::test]
async fn a_deletion_before_the_turn_takes_the_question_away() {
    let delete = |slack: &Slack, second: &Posted| slack.delete("alice", &second.channel, &second.ts).unwrap();
    let (stage, posted) = while_it_waits(delete, "I am here.").await;
    assert!(!shows(stage.simulator.slack(), &posted, "The wrong answer."));
    assert_eq!(told(&stage, "refused", "rule"), ["message.deleted", "message.deleted"]);
    assert_eq!(stage.records("turn_started").len(), 1);
}

#[tokio::test]
async fn the_home_is_published_to_whoever_opens_it() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    slack.open_home("bob").unwrap();
    let published = |slack: &Slack| !calls(slack, "views.publish").is_empty();
    assert!(slack.wait_until(PATIENCE, published).await, "{}", stage.log());
    let publish = &calls(slack, "views.publish")[0];
    assert_eq!((&publish["user_id"], &publish["view"]["type"]), (&"U0BOB00001".into(), &"home".into()));
    assert!(stage.records("event").is_empty(), "nobody is woken by it");
}

#[tokio::test]
async fn the_assistants_pane_gets_prompts_a_status_and_a_title() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let pane = slack.open_pane("alice").unwrap();
    let prompted = |slack: &Slack| !calls(slack, "assistant.threads.setSuggestedPrompts").is_empty();
    assert!(slack.wait_until(PATIENCE, prompted).await, "{}", stage.log());
    let prompts = &calls(slack, "assistant.threads.setSuggestedPrompts")[0];
    assert_eq!(
        (&prompts["channel_id"], &prompts["thread_ts"]),
        (&"D0ALICE001".into(), &pane.thread_ts.as_str().into())
    );
    assert!(!prompts["prompts"].as_array().unwrap().is_empty());
    let said = slack.say("alice", "dm", "Please\n take your time", Some(&pane.thread_ts)).unwrap();
    let named = |slack: &Slack| !calls(slack, "assistant.threads.setTitle").is_empty();
    assert!(slack.wait_until(PATIENCE, named).await, "{}", stage.log());
    assert_eq!(calls(slack, "assistant.threads.setTitle")[0]["title"], "Please take your time");
    let ended = |slack: &Slack| slack.answers(&said).iter().any(|one| one.text == "Here it is." && !one.is_streaming);
    assert!(slack.wait_until(PATIENCE, ended).await, "{:#?}\n{}", slack.answers(&said), stage.log());
    let statuses = calls(slack, "assistant.threads.setStatus");
    assert!(statuses.iter().any(|one| one["status"] == "Thinking"), "{statuses:?}");
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(stage.records("turn_started").len(), 1);
}

#[tokio::test]
async fn text_that_comes_as_a_file_is_read_and_a_picture_is_said_not_to_be() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let files: [(&str, &str, &[u8]); 2] =
        [("notes.txt", "text/plain", b"The disk is full since Tuesday."), ("cat.png", "image/png", &[0, 1, 2])];
    let posted = slack.say_with("alice", "#general", "@assistant what is this?", None, &files).unwrap();
    let answered = |slack: &Slack| shows(slack, &posted, "It says that the disk is full");
    assert!(slack.wait_until(PATIENCE, answered).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    let returned: Vec<String> =
        stage.records("tool_returned").into_iter().map(|one| one["record"]["body"]["outcome"].to_string()).collect();
    assert_eq!(returned.len(), 2, "{returned:?}");
    assert!(returned.iter().any(|one| one.contains("The disk is full since Tuesday.")), "{returned:?}");
    assert!(returned.iter().any(|one| one.contains("This file is no text")), "{returned:?}");
}

#[tokio::test]
async fn a_rule_may_name_a_channel_though_events_carry_its_id() {
    let stage = Stage::new("rules:\n  - stream: [\"Yes.\"]\n").await;
    stage.write(
        "agents/assistant/AGENT.md",
        "---\ndescription: Answers.\nwake:\n  - slack: { mention: true, channels: [\"#random\"] }\n---\nYou answer.\n",
    );
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let elsewhere = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    let posted = slack.say("alice", "#random", "@assistant hello", None).unwrap();
    let answered =
        slack.wait_until(PATIENCE, |slack| slack.answers(&posted).iter().any(|one| one.text == "Yes.")).await;
    assert!(answered, "{}", stage.log());
    assert!(slack.answers(&elsewhere).is_empty(), "{:?}", slack.answers(&elsewhere));
}

#[tokio::test]
async fn what_a_models_server_says_stays_out_of_the_thread() {
    let script =
        "rules:\n  - fail: { kind: fatal, message: \"the key sk-proj-abcd****wxyz of models.openai is wrong\" }\n";
    let stage = Stage::new(script).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    let told = "I could not finish this: the model did not answer.";
    let answered = slack.wait_until(PATIENCE, |slack| slack.answers(&posted).iter().any(|one| one.text == told)).await;
    assert!(answered, "{:?}\n{}", slack.answers(&posted), stage.log());
    let ended = stage.records("turn_ended");
    assert!(ended[0].to_string().contains("is wrong"), "whoever runs the gateway finds the reason: {ended:?}");
}
