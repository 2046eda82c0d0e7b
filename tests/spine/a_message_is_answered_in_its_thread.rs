//! The spine: a mention in Slack and a comment on GitHub are answered where they were written, once.

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "what time" }
    stream: ["Looking."]
    calls: [{ tool: clock.now }]
  - when: { role: tool, tool: clock.now }
    stream: ["It is late."]
  - when: { role: user, event: issue_comment.created }
    stream: ["This ", "issue ", "is about ", "an empty file."]
    pause_ms: 300
  - when: { role: user, event: issues.opened }
    calls: [{ tool: github.list_issues }]
  - when: { role: tool, tool: github.list_issues }
    calls: [{ tool: github.add_labels, arguments: { labels: [bug] } }]
  - when: { role: tool, tool: github.add_labels }
    stream: ["Thank you. Which version is it?"]
  - when: { role: user, matches: "further" }
    stream: ["And further."]
  - when: { role: user }
    stream: ["I can ", "answer ", "in threads."]
    pause_ms: 300
"#;

#[tokio::test]
async fn a_mention_in_slack_streams_its_answer_into_the_thread() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "#general", "@assistant what can you do?", None).unwrap();
    let done = |text: &'static str, count: usize| {
        let posted = posted.clone();
        move |slack: &reveille_simulator::Slack| {
            let answers = slack.answers(&posted);
            answers.len() == count && answers.last().is_some_and(|one| one.text == text && !one.is_streaming)
        }
    };
    assert!(slack.wait_until(PATIENCE, done("I can answer in threads.", 1)).await, "{}", stage.log());
    let answer = slack.answers(&posted).remove(0);
    assert!(!answer.history.is_empty(), "it grew");
    assert!(answer.metadata.is_some(), "it can be recognised");
    // A further message of the thread needs no mention; both its deliveries are one turn.
    slack.say("bob", "#general", "and further?", Some(&posted.thread_ts)).unwrap();
    assert!(slack.wait_until(PATIENCE, done("And further.", 2)).await, "{}", stage.log());
    assert_eq!(stage.records("turn_ended").len(), 2);
}

#[tokio::test]
async fn a_server_without_streams_gets_one_message_that_is_edited() {
    let stage = Stage::with(SCRIPT, false).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "dm", "hello", None).unwrap();
    let whole = |slack: &reveille_simulator::Slack| {
        slack.answers(&posted).first().is_some_and(|one| one.text == "I can answer in threads.")
    };
    assert!(slack.wait_until(PATIENCE, whole).await, "{}", stage.log());
    assert_eq!(slack.answers(&posted).len(), 1);
}

#[tokio::test]
async fn a_comment_on_github_gets_one_comment_that_grows() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", 1, "@assistant summarise this").unwrap();
    let whole = |github: &reveille_simulator::Github| {
        github
            .answers(1)
            .first()
            .is_some_and(|one| one.body.starts_with("This issue is about an empty file.\n\n<!-- reveille:"))
    };
    assert!(github.wait_until(PATIENCE, whole).await, "{}", stage.log());
    assert_eq!(github.answers(1).len(), 1);
    assert!(!github.answers(1)[0].history.is_empty(), "it grew");
}

#[tokio::test]
async fn an_opened_issue_is_labelled_and_asked_about() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    let number = github.open_issue("mallory", "acme/app", "It breaks", "Sometimes.").unwrap();
    let whole = |github: &reveille_simulator::Github| {
        github.answers(number).first().is_some_and(|one| one.body.starts_with("Thank you. Which version is it?"))
    };
    assert!(github.wait_until(PATIENCE, whole).await, "{:?} {}", github.issue(number), stage.log());
    assert_eq!(github.issue(number).unwrap().labels, ["bug"]);
    assert_eq!(github.answers(number).len(), 1);
}

#[tokio::test]
async fn a_burst_of_issues_is_answered_at_the_pace_of_the_platform() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    // One comment a second and installation is what GitHub wants; waiting for a place must not slow the burst down further.
    let open = |number: usize| github.open_issue("mallory", "acme/app", &format!("It breaks {number}"), "").unwrap();
    let numbers: Vec<_> = (0..12).map(open).collect();
    let all = |github: &reveille_simulator::Github| numbers.iter().all(|number| github.answers(*number).len() == 1);
    assert!(github.wait_until(PATIENCE, all).await, "{}", stage.log());
}

#[tokio::test]
async fn the_same_delivery_again_and_after_a_restart_is_one_turn() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let (slack, github) = (stage.simulator.slack(), stage.simulator.github());
    let posted = slack.say("alice", "#general", "@assistant what time is it?", None).unwrap();
    github.comment("alice", "acme/app", 1, "@assistant hello?").unwrap();
    let answered = |github: &reveille_simulator::Github| {
        github.answers(1).first().is_some_and(|one| one.body.starts_with("This issue is about an empty file."))
    };
    assert!(github.wait_until(PATIENCE, answered).await, "{}", stage.log());
    for _ in 0..50 {
        slack.redeliver_all();
        github.redeliver_all();
    }
    let all_taken = |slack: &reveille_simulator::Slack| slack.deliveries().iter().all(|one| one.status == Some(200));
    assert!(slack.wait_until(PATIENCE, all_taken).await);
    assert_eq!(gateway.terminate(), Some(0));
    let _gateway = stage.serve("");
    slack.redeliver_all();
    github.redeliver_all();
    assert!(slack.wait_until(PATIENCE, all_taken).await);
    assert_eq!(stage.records("turn_started").len(), 2, "{}", stage.log());
    assert_eq!(slack.answers(&posted).len(), 1);
    assert_eq!(github.answers(1).len(), 1);
}

#[tokio::test]
async fn somebody_without_a_right_is_told_so_once_and_no_model_is_asked() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("gina", "#general", "@assistant hello", None).unwrap();
    let told = |slack: &reveille_simulator::Slack| !slack.answers(&posted).is_empty();
    assert!(slack.wait_until(PATIENCE, told).await, "{}", stage.log());
    slack.say("gina", "#general", "@assistant hello?", Some(&posted.thread_ts)).unwrap();
    slack.say("alice", "#general", "@assistant hello", Some(&posted.thread_ts)).unwrap();
    let answered = |slack: &reveille_simulator::Slack| {
        slack.answers(&posted).iter().any(|one| one.text == "I can answer in threads.")
    };
    assert!(slack.wait_until(PATIENCE, answered).await, "{}", stage.log());
    assert_eq!(slack.answers(&posted).len(), 2, "one refusal, one answer");
    assert_eq!(stage.records("refused").len(), 2);
}
