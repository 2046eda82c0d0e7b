//! A platform that does not accept our token: events and answers wait for somebody to mend that, and none is lost.

use reveille_simulator::{Fault, Slack};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = "rules: [{ stream: [\"Here I am.\"] }]";
const OFTEN: u32 = 1000;

async fn logs(stage: &Stage, text: &str) {
    let found = async {
        while !stage.log().contains(text) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no {text:?} in {}", stage.log()));
}

#[tokio::test]
async fn a_message_waits_while_nobody_can_be_asked_about_its_author() {
    let stage = Stage::new(SCRIPT).await;
    let slack = stage.simulator.slack();
    slack.faults.set("users.info", Fault::RefuseToken, OFTEN);
    let gateway = stage.serve("");
    let posted = slack.say("alice", "#general", "@assistant are you there?", None).unwrap();
    logs(&stage, "an event waits until the credential is right").await;
    assert!(stage.records("refused").is_empty() && stage.records("turn_started").is_empty());
    assert_eq!(gateway.terminate(), Some(0));
    slack.faults.set("users.info", Fault::RefuseToken, 0);
    let _gateway = stage.serve("");
    let answered = |slack: &Slack| slack.answers(&posted).iter().any(|one| one.text == "Here I am.");
    assert!(slack.wait_until(PATIENCE, answered).await, "{}", stage.log());
    assert_eq!(slack.answers(&posted).len(), 1);
}

#[tokio::test]
async fn an_answer_waits_while_it_cannot_be_posted() {
    let stage = Stage::with(SCRIPT, false).await;
    let slack = stage.simulator.slack();
    slack.faults.set("chat.postMessage", Fault::RefuseToken, OFTEN);
    let gateway = stage.serve("");
    let posted = slack.say("alice", "#general", "@assistant are you there?", None).unwrap();
    logs(&stage, "the platform did not take a reply").await;
    assert!(slack.answers(&posted).is_empty());
    assert_eq!(gateway.terminate(), Some(0));
    slack.faults.set("chat.postMessage", Fault::RefuseToken, 0);
    let _gateway = stage.serve("");
    let answered = |slack: &Slack| slack.answers(&posted).iter().any(|one| one.text == "Here I am.");
    assert!(slack.wait_until(PATIENCE, answered).await, "{}", stage.log());
    assert_eq!(slack.answers(&posted).len(), 1);
    assert!(stage.records("reply_failed").is_empty());
}
