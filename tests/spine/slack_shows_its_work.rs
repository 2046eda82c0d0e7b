//! Beside its text an answer shows the steps of the work, and asks at its end what it was worth.

use reveille_simulator::{Posted, Slack, Task};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "what time" }
    stream: ["Looking at the clock. ", "One moment."]
    pause_ms: 1300
    calls: [{ tool: clock.now }, { tool: no.such }]
  - when: { role: tool }
    stream: ["It is ", "late."]
    pause_ms: 1300
  - when: { role: user }
    stream: ["I am ", "here."]
    pause_ms: 1300
"#;

async fn answered(stage: &Stage, question: &str, end: &str) -> Posted {
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "#general", question, None).unwrap();
    let whole = |slack: &Slack| slack.answers(&posted).iter().any(|one| one.text.ends_with(end) && !one.is_streaming);
    assert!(slack.wait_until(PATIENCE, whole).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    posted
}

#[tokio::test]
async fn tools_are_cards_of_the_stream_that_say_how_they_ended() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = answered(&stage, "@assistant what time is it?", "It is late.").await;
    assert_eq!(gateway.terminate(), Some(0));
    let answers = slack.answers(&posted);
    assert_eq!(answers.len(), 1);
    let shown: Vec<(&str, &str)> =
        answers[0].tasks.iter().map(|Task { title, status, .. }| (title.as_str(), status.as_str())).collect();
    assert_eq!(shown, [("clock.now", "complete"), ("no.such", "error")], "{answers:#?}");
    assert_eq!(answers[0].text, "Looking at the clock. One moment.\n\nIt is late.");
}

#[tokio::test]
async fn what_an_answer_was_worth_is_kept_and_wakes_nobody() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = answered(&stage, "@assistant are you there?", "I am here.").await;
    let answer = slack.answers(&posted)[0].ts.clone();
    slack.press("bob", "#general", &answer, "positive").unwrap();
    slack.press("alice", "#general", &answer, "Bad answer").unwrap();
    let kept = async {
        while stage.records("refused").len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, kept).await.unwrap_or_else(|_| panic!("{}", stage.log()));
    let figures = reqwest::get(format!("http://{}/metrics", stage.address())).await.unwrap().text().await.unwrap();
    assert!(figures.contains("feedback_total{"), "{figures}");
    assert_eq!(gateway.terminate(), Some(0));
    assert!(stage.records("refused").iter().all(|one| one["record"]["body"]["rule"] == "feedback"));
    let mut said: Vec<(String, bool)> = stage
        .records("event")
        .into_iter()
        .filter_map(|one| {
            let event = &one["record"]["body"]["event"];
            Some((event["actor"]["name"].as_str()?.to_owned(), event["kind"]["positive"].as_bool()?))
        })
        .collect();
    said.sort();
    assert_eq!(said, [("alice".to_owned(), false), ("bob".to_owned(), true)]);
    assert_eq!(stage.records("turn_started").len(), 1);
    assert_eq!(slack.answers(&posted).len(), 1);
}
