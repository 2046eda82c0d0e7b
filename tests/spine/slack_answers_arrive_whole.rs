//! What others fell into on Slack: whatever a server cannot do, refuses or loses, the whole answer arrives once.

use reveille_simulator::{Fault, Message, Posted, Slack};

use crate::support::{PATIENCE, Stage};

const WORDS: [&str; 4] = ["The first part. ", "The second part. ", "The third part. ", "The end."];

/// An answer in several pieces, slow enough for each to be a call.
const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "link" }
    stream: ["Before it. ", "See https://evil.example/?q=secret", " and <!here> and ![x](https://evil.example/i)."]
    pause_ms: 1500
  - when: { role: user }
    stream: ["The first part. ", "The second part. ", "The third part. ", "The end."]
    pause_ms: 1300
"#;

fn is_whole(answers: &[Message]) -> bool {
    answers.len() == 1 && answers.iter().all(|one| one.text == WORDS.concat() && !one.is_streaming)
}

/// Asks with these faults, and checks that the answer is there, once and whole, and that nobody was notified.
async fn whole_in_spite_of(faults: &[(&str, Fault, u32)]) -> (Stage, Posted) {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack().clone();
    for (method, fault, times) in faults {
        slack.faults.set(method, fault.clone(), *times);
    }
    let posted = slack.say("alice", "#general", "@assistant what can you do?", None).unwrap();
    let done = slack.wait_until(PATIENCE, |slack: &Slack| is_whole(&slack.answers(&posted))).await;
    assert!(done, "{faults:?}: {:#?}\n{}", slack.answers(&posted), stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert!(is_whole(&slack.answers(&posted)), "{faults:?}: it stays so");
    assert_eq!(slack.effects(), Vec::<String>::new());
    let ended = stage.records("turn_ended");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["record"]["body"]["outcome"], "completed", "{faults:?}");
    (stage, posted)
}

#[tokio::test]
async fn a_stream_that_slack_closes_while_text_flows() {
    whole_in_spite_of(&[("chat.appendStream", Fault::Refuse("message_not_in_streaming_state"), 99)]).await;
}

#[tokio::test]
async fn a_stream_that_is_full_before_its_time() {
    whole_in_spite_of(&[("chat.appendStream", Fault::Refuse("msg_too_long"), 99)]).await;
}

#[tokio::test]
async fn a_server_that_knows_only_how_streams_begin() {
    let unknown = Fault::UnknownMethod;
    whole_in_spite_of(&[("chat.appendStream", unknown.clone(), 99), ("chat.stopStream", unknown, 1)]).await;
}

#[tokio::test]
async fn a_place_that_cannot_stream() {
    whole_in_spite_of(&[("chat.startStream", Fault::Refuse("channel_type_not_supported"), 99)]).await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_finished_at_first() {
    whole_in_spite_of(&[("chat.stopStream", Fault::Error500, 2)]).await;
    whole_in_spite_of(&[("chat.stopStream", Fault::DropAnswer, 1)]).await;
}

#[tokio::test]
async fn answers_of_slack_that_are_lost_on_every_way() {
    for method in ["chat.startStream", "chat.appendStream"] {
        whole_in_spite_of(&[(method, Fault::DropAnswer, 1)]).await;
    }
    let edits = ("chat.startStream", Fault::UnknownMethod, 99);
    whole_in_spite_of(&[edits.clone(), ("chat.postMessage", Fault::DropAnswer, 1)]).await;
    whole_in_spite_of(&[edits, ("chat.update", Fault::DropAnswer, 1)]).await;
}

#[tokio::test]
async fn a_first_post_that_is_answered_late() {
    let late = Fault::Delay(std::time::Duration::from_secs(6));
    let edits = ("chat.startStream", Fault::UnknownMethod, 99);
    let (stage, _) = whole_in_spite_of(&[edits, ("chat.postMessage", late, 1)]).await;
    let posts = stage.simulator.slack().calls().into_iter().filter(|call| call.method == "chat.postMessage").count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn every_method_says_that_it_is_called_too_often() {
    let faults =
        ["chat.startStream", "chat.appendStream", "chat.stopStream", "users.info", "assistant.threads.setStatus"]
            .map(|method| (method, Fault::RateLimit(1), 1));
    whole_in_spite_of(&faults).await;
}

#[tokio::test]
async fn an_answer_longer_than_a_message_goes_on_in_the_next() {
    let paragraph = format!("{}\n\n", "some words of an answer ".repeat(40).trim());
    let long = paragraph.repeat(30);
    let script = format!("rules:\n  - stream: [{}]\n", serde_json::to_string(&long).unwrap());
    for streaming in [true, false] {
        let stage = Stage::with(&script, streaming).await;
        let _gateway = stage.serve("");
        let slack = stage.simulator.slack();
        let posted = slack.say("alice", "#general", "@assistant tell me all", None).unwrap();
        let joined = |slack: &Slack| {
            let answers = slack.answers(&posted);
            let text: String = answers.iter().map(|one| one.text.as_str()).collect();
            answers.iter().all(|one| !one.is_streaming) && text.split_whitespace().eq(long.split_whitespace())
        };
        assert!(slack.wait_until(PATIENCE, joined).await, "{}", stage.log());
        let answers = slack.answers(&posted);
        assert!(answers.len() >= 3, "{} messages", answers.len());
        assert!(answers.iter().all(|one| one.text.chars().count() <= 12_000));
    }
}

#[tokio::test]
async fn a_link_is_shown_and_not_fetched_and_nobody_is_notified() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "#general", "@assistant show me a link", None).unwrap();
    let whole =
        |slack: &Slack| slack.answers(&posted).iter().any(|one| one.text.ends_with('.') && one.text.contains("and x"));
    assert!(slack.wait_until(PATIENCE, whole).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    let answers = slack.answers(&posted);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        answers[0].text,
        "Before it. See `https://evil.example/?q=secret` and &lt;!here&gt; and x (`https://evil.example/i`)."
    );
    assert_eq!(slack.effects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_delivery_that_first_comes_as_a_retry_is_not_taken_for_a_repeat() {
    let stage = Stage::new(SCRIPT).await;
    // Nobody answers the first tries.
    let slack = stage.simulator.slack().clone();
    let posted = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    let tried = |slack: &Slack| slack.deliveries().iter().all(|one| one.tries >= 2);
    assert!(slack.wait_until(PATIENCE, tried).await);
    let _gateway = stage.serve("");
    assert!(slack.wait_until(PATIENCE, |slack| is_whole(&slack.answers(&posted))).await, "{}", stage.log());
    assert_eq!(stage.records("turn_started").len(), 1);
}
