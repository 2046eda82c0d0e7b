//! `reveille say` and what people do beside speaking: the real command line, a simulated platform, the real gateway.

use std::process::Output;

use reveille_simulator::{Delivered, Linear};
use serde_json::json;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = "rules: [{ stream: ['You said: ', '{last}'] }]";

async fn say(stage: &Stage, arguments: &[&str]) -> Output {
    let address = stage.simulator.address().to_string();
    let mut command = stage.reveille(&[&["say"], arguments, &["--no-wait", "--simulator", &address]].concat());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn said(stage: &Stage, arguments: &[&str]) -> String {
    let output = say(stage, arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(stage: &Stage, arguments: &[&str]) -> String {
    let output = say(stage, arguments).await;
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

/// The word behind this one.
fn word_after(text: &str, before: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.chars().take_while(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '-')).collect()
}

fn took(all: &[Delivered], what: &str) -> bool {
    let is_it = |one: &&Delivered| String::from_utf8_lossy(&one.body).contains(what);
    all.iter().find(is_it).is_some_and(|one| one.status == Some(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_slack_messages_are_changed_reacted_to_and_deleted() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let delivered = async |what: &str| {
        assert!(slack.wait_until(PATIENCE, |slack| took(&slack.deliveries(), what)).await, "{what}\n{}", stage.log());
    };
    let first = said(&stage, &["slack", "#random", "edit"]).await;
    let thread = word_after(&first, "thread ");
    // In a thread the message has an id of its own. A word that is a command elsewhere is text behind a channel.
    let second = said(&stage, &["slack", "#random", "press", "--thread", &thread, "--as", "bob"]).await;
    assert!(second.starts_with(&format!("bob in #random (thread {thread}, message ")), "{second}");
    let reply = word_after(&second, "message ");

    let changed = said(&stage, &["edit", "slack", "#random", &reply, "well", "--as", "bob"]).await;
    assert_eq!(changed, format!("bob changed {reply} in #random (thread {thread})\n"));
    delivered("message_changed").await;
    said(&stage, &["react", "slack", "#random", &reply, ":eyes:"]).await;
    delivered("reaction_added").await;
    let seen = slack.thread("C0RANDOM01", &thread);
    let seen: Vec<_> = seen.iter().map(|one| (one.text.as_str(), one.reactions.as_slice())).collect();
    assert_eq!(seen, [("edit", &[][..]), ("well", &["eyes".to_owned()][..])]);

    let others = refused(&stage, &["delete", "slack", "#random", &thread, "--as", "bob"]).await;
    assert!(others.contains(&format!("there is no message {thread} of bob")), "{others}");
    said(&stage, &["delete", "slack", "#random", &reply, "--as", "bob"]).await;
    delivered("message_deleted").await;
    assert_eq!(slack.thread("C0RANDOM01", &thread).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_slack_buttons_are_pressed() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let button =
        json!({"type": "button", "action_id": "a", "value": "yes", "text": {"type": "plain_text", "text": "Yes"}});
    let message = json!({
        "channel": "C0RANDOM01", "text": "Shall I?",
        "blocks": [{"type": "actions", "block_id": "b", "elements": [button]}],
    });
    let answer: serde_json::Value = reqwest::Client::new()
        .post(format!("{}/chat.postMessage", stage.simulator.slack_api_base_url()))
        .bearer_auth("xoxb-simulated")
        .json(&message)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let question = answer["ts"].as_str().unwrap();
    let none = refused(&stage, &["press", "slack", "#random", question, "No"]).await;
    assert!(none.contains("there is no button No; there are: Yes"), "{none}");
    said(&stage, &["press", "slack", "#random", question, "Yes"]).await;
    let slack = stage.simulator.slack();
    let was_taken = slack.wait_until(PATIENCE, |slack| took(&slack.deliveries(), "block_actions")).await;
    assert!(was_taken, "{}", stage.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_github_comments_are_changed_and_deleted() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    let delivered = async |what: &str| {
        assert!(
            github.wait_until(PATIENCE, |github| took(&github.deliveries(), what)).await,
            "{what}\n{}",
            stage.log()
        );
    };
    let comment = word_after(&said(&stage, &["github", "acme/app#1", "see #2"]).await, "message ");
    said(&stage, &["edit", "github", "acme/app#1", &comment, "see #3"]).await;
    delivered(r#""action":"edited""#).await;
    let comments = github.issue(1).unwrap().comments;
    assert_eq!(comments.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), ["see #3"]);
    let reaction = refused(&stage, &["react", "github", "acme/app#1", &comment, "eyes"]).await;
    assert!(reaction.contains("no event for reactions on GitHub"), "{reaction}");
    let others = refused(&stage, &["delete", "github", "acme/app#1", &comment, "--as", "bob"]).await;
    assert!(others.contains(&format!("no comment {comment} of bob")), "{others}");
    said(&stage, &["delete", "github", "acme/app#1", &comment]).await;
    delivered(r#""action":"deleted""#).await;
    assert!(github.issue(1).unwrap().comments.is_empty());
    // A discussion is told of by another event.
    let answer = word_after(&said(&stage, &["github", "acme/app#5", "UTF-8"]).await, "message ");
    said(&stage, &["edit", "github", "acme/app#5", &answer, "UTF-8 alone"]).await;
    delivered(r#""body":"UTF-8 alone""#).await;
    assert_eq!(github.discussion(5).unwrap().comments[0].history, ["UTF-8"]);
    said(&stage, &["delete", "github", "acme/app#5", &answer]).await;
    assert!(github.discussion(5).unwrap().comments.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_linear_comments_are_changed_reacted_to_and_deleted() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let delivered = async |what: &str| {
        let is_there = linear.wait_until(PATIENCE, |linear| took(&linear.deliveries(), what)).await;
        assert!(is_there, "{what}\n{}", stage.log());
    };
    let comment = linear.comment("alice", "ENG-1", "see ENG-2", None).unwrap().comment;
    let second = said(&stage, &["linear", "ENG-1", "and ENG-2", "--thread", &comment, "--as", "bob"]).await;
    let reply = word_after(&second, "message ");
    let changed = said(&stage, &["edit", "linear", "ENG-1", &reply, "and ENG-3", "--as", "bob"]).await;
    assert_eq!(changed, format!("bob changed {reply} in ENG-1 (thread {comment})\n"));
    delivered(r#""action":"update""#).await;
    said(&stage, &["react", "linear", "ENG-1", &comment, "eyes"]).await;
    delivered(r#""type":"Reaction""#).await;
    let comments = linear.issue("ENG-1").unwrap().comments;
    let seen: Vec<_> = comments.iter().map(|one| (one.body.as_str(), one.reactions.as_slice())).collect();
    assert_eq!(seen, [("see ENG-2", &["eyes".to_owned()][..]), ("and ENG-3", &[][..])]);
    let others = refused(&stage, &["delete", "linear", "ENG-1", &comment, "--as", "bob"]).await;
    assert!(others.contains(&format!("no comment {comment} of bob; there are: {reply}")), "{others}");
    let elsewhere = refused(&stage, &["react", "linear", "ENG-2", &comment, "eyes"]).await;
    assert!(elsewhere.contains(&format!("no message {comment} in ENG-2")), "{elsewhere}");
    said(&stage, &["delete", "linear", "ENG-1", &reply, "--as", "bob"]).await;
    delivered(r#""action":"remove""#).await;
    assert_eq!(linear.issue("ENG-1").unwrap().comments.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_linear_an_option_of_a_question_is_chosen() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    let ask = json!({
        "query": "mutation($input: AgentActivityCreateInput!) { agentActivityCreate(input: $input) { success } }",
        "variables": { "input": {
            "agentSessionId": session, "content": { "type": "elicitation", "body": "Where?" }, "signal": "select",
            "signalMetadata": { "options": [{ "label": "Staging", "value": "to staging" }] },
        }},
    });
    let answer = reqwest::Client::new()
        .post(stage.simulator.linear_api_base_url())
        .bearer_auth("lin_oauth_simulated")
        .json(&ask)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(answer.contains(r#""success":true"#), "{answer}");
    // No agent takes delegations here, which the session is told of too.
    let last = |kind: &str| linear.session(&session).unwrap().activities.into_iter().rfind(|one| one.kind == kind);
    let question = last("elicitation").unwrap();
    let none = refused(&stage, &["press", "linear", "ENG-1", &question.id, "Production"]).await;
    assert!(none.contains("there is no option Production; there are: Staging"), "{none}");
    said(&stage, &["press", "linear", "ENG-1", &question.id, "Staging", "--as", "bob"]).await;
    let chosen = last("prompt").unwrap();
    assert_eq!((chosen.text().as_str(), chosen.author.as_str()), ("to staging", "bob"));
    let is_told = |linear: &Linear| took(&linear.deliveries(), r#""action":"prompted""#);
    assert!(linear.wait_until(PATIENCE, is_told).await, "{}", stage.log());
}
