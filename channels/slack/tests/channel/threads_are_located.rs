//! A thread that we opened has another name than its place; after a restart its root says so.

use reveille_channel::{Channel, Event, Kind, ReplyError};
use serde_json::{Value, json};

use crate::stand_in::{Shared, methods, ok, start};
use crate::support::{only, signed};

const ROOT: &str = "1700000000.000100";

/// A further message of a thread whose root this user wrote.
fn message(root_author: Option<&str>) -> Value {
    let ours = json!([{"team_id": "T1", "user_id": "UBOT", "is_bot": true}]);
    let event = json!({"type": "message", "user": "UBOB", "text": "more", "channel": "C1", "channel_type": "channel",
        "ts": "1700000009.000100", "thread_ts": ROOT, "parent_user_id": root_author});
    json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "authorizations": ours, "event": event})
}

fn root(user: &str) -> Value {
    json!({"messages": [{"ts": ROOT, "thread_ts": ROOT, "user": user, "metadata": {
        "event_type": "reveille_reply", "event_payload": {"marker": "m", "thread": "C1:command:13.7"},
    }}]})
}

/// A connection that knows who it is, and a message as it reads it.
async fn reads(
    answers: Vec<(u16, Option<&'static str>, Value)>,
    root_author: Option<&str>,
) -> (reveille_slack::Slack, Shared, Event) {
    let who = ok(json!({"user_id": "UBOT", "bot_id": "BBOT", "user": "assistant", "team": "T"}));
    let (slack, server) = start(std::iter::once(who).chain(answers).collect()).await;
    slack.identify().await.unwrap();
    let read = slack.normalise(&slack.verify(signed(message(root_author).to_string().as_bytes())).unwrap()).unwrap();
    (slack, server, only(read))
}

/// What was asked besides the channel's name.
fn asked(server: &Shared) -> Vec<String> {
    methods(server).into_iter().filter(|method| method != "conversations.info").collect()
}

#[tokio::test]
async fn the_channels_name_is_asked_for_once_and_done_without_where_slack_does_not_tell() {
    for (answer, name) in [
        (ok(json!({"channel": {"id": "C1", "name": "ops"}})), Some("ops")),
        ((200, None, json!({"ok": false, "error": "missing_scope"})), None),
    ] {
        let (slack, server, event) = reads(vec![answer], Some("UALICE")).await;
        for _ in 0..2 {
            let located = slack.locate(event.clone()).await.unwrap();
            assert_eq!(located.facts.get("channel_name").map(String::as_str), name);
        }
        assert_eq!(methods(&server), ["auth.test", "conversations.info"]);
    }
}

#[tokio::test]
async fn the_root_of_a_thread_of_ours_names_it_and_is_asked_for_once() {
    for root_author in [Some("UBOT"), None] {
        let (slack, server, event) = reads(vec![ok(root("UBOT"))], root_author).await;
        assert_eq!(event.thread.key, format!("C1:{ROOT}"));
        let located = slack.locate(event.clone()).await.unwrap();
        assert_eq!(located.thread.key, "C1:command:13.7");
        assert_eq!((&located.id, &located.thread.location), (&event.id, &event.thread.location));
        let again = slack.normalise(&slack.verify(signed(message(root_author).to_string().as_bytes())).unwrap());
        assert_eq!(slack.locate(only(again.unwrap())).await.unwrap().thread.key, "C1:command:13.7");
        assert_eq!(asked(&server), ["auth.test", "conversations.replies"]);
    }
}

#[tokio::test]
async fn a_thread_of_somebody_else_keeps_its_name_whatever_its_root_claims() {
    let (slack, server, event) = reads(vec![], Some("UALICE")).await;
    assert_eq!(slack.locate(event.clone()).await.unwrap(), event);
    assert_eq!(asked(&server), ["auth.test"], "Slack has said whose it is");
    // Metadata is for any program to write: only on our own message it is our word.
    for answer in
        [ok(root("UEVE")), ok(json!({"messages": []})), (200, None, json!({"ok": false, "error": "thread_not_found"}))]
    {
        let (slack, server, event) = reads(vec![answer], None).await;
        for _ in 0..2 {
            assert_eq!(slack.locate(event.clone()).await.unwrap(), event);
        }
        assert_eq!(asked(&server).len(), 2, "it is asked for once");
    }
}

#[tokio::test]
async fn a_thread_that_cannot_be_asked_about_now_is_not_guessed() {
    let (slack, _server, event) = reads(vec![(429, Some("3"), json!({})), ok(root("UBOT"))], Some("UBOT")).await;
    assert!(matches!(slack.locate(event.clone()).await, Err(ReplyError::Retry { after_ms: 3_000, .. })));
    assert_eq!(slack.locate(event).await.unwrap().thread.key, "C1:command:13.7");
}

#[tokio::test]
async fn a_stop_below_our_answer_is_located_too() {
    let (slack, _server, _) = reads(vec![ok(root("UBOT"))], Some("UBOT")).await;
    let event = json!({"type": "agent_session_stopped", "user": "UALICE", "channel": "C1", "thread_ts": ROOT,
        "streaming_message_ts": ["1700000002.000100"], "event_ts": "1700000010.000100"});
    let body = json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev2", "event": event}).to_string();
    let stop = only(slack.normalise(&slack.verify(signed(body.as_bytes())).unwrap()).unwrap());
    assert_eq!((&stop.kind, stop.actor.id.as_str(), &stop.message), (&Kind::Stop, "UALICE", &None));
    assert_eq!(slack.locate(stop).await.unwrap().thread.key, "C1:command:13.7");
}
