//! What a stream shows besides its text: steps of the work, and buttons that say what the answer was worth.

use reveille_channel::{Channel, Kind, Op, ReplyError, Route, Task, TaskState};
use reveille_slack::{Settings, Slack};
use serde_json::{Value, json};

use crate::stand_in::{arguments, context, methods, ok, refused, start};
use crate::support::{form, only, read_on, slack};

fn task(id: &str, state: TaskState) -> Task {
    Task { id: id.into(), title: "clock.now".into(), state }
}

#[tokio::test]
async fn steps_of_the_work_are_chunks_of_the_stream() {
    let (slack, server) = start(vec![]).await;
    let tasks = [task("a", TaskState::Running), task("b", TaskState::Done), task("c", TaskState::Failed)];
    slack.show_tasks(&context(), "1.2", &tasks).await.unwrap();
    let told = arguments(&server, 0);
    assert_eq!((methods(&server), &told["ts"]), (vec!["chat.appendStream".to_owned()], &json!("1.2")));
    let chunk =
        |id: &str, status: &str| json!({"type": "task_update", "id": id, "title": "clock.now", "status": status});
    assert_eq!(told["chunks"], json!([chunk("a", "in_progress"), chunk("b", "complete"), chunk("c", "error")]));
    assert_eq!(told.get("markdown_text"), None, "one of both");
}

#[tokio::test]
async fn a_server_that_has_no_steps_is_not_asked_again_and_a_stream_that_ended_is_told_of() {
    let (slack, server) = start(vec![refused("invalid_arguments")]).await;
    let tasks = [task("a", TaskState::Running)];
    assert!(matches!(slack.show_tasks(&context(), "1.2", &tasks).await, Err(ReplyError::Refused(_))));
    slack.show_tasks(&context(), "1.2", &tasks).await.unwrap();
    assert_eq!(methods(&server).len(), 1);
    for (code, is_stop) in [("stopped_by_user", true), ("message_not_in_streaming_state", false)] {
        let (slack, _server) = start(vec![refused(code)]).await;
        let error = slack.show_tasks(&context(), "1.2", &tasks).await.unwrap_err();
        assert_eq!(matches!(error, ReplyError::Stopped(_)), is_stop, "{error:?}");
        assert_eq!(matches!(error, ReplyError::StreamClosed(_)), !is_stop, "{error:?}");
    }
}

/// The same server, with buttons for feedback.
fn with_buttons(base: &str) -> Slack {
    let settings = Settings {
        signing_secret: Some(reveille_channel::Secret::new("8f742231b10e8888abcd99yyyzzz85a5")),
        app_token: None,
        bot_token: Some(reveille_channel::Secret::new("xoxb-test")),
        client: None,
        api_base_url: base.parse().unwrap(),
        feedback: true,
    };
    Slack::new("slack", settings).unwrap()
}

fn finish(last: bool) -> Op {
    Op::Finish { id: "1.2".into(), text: "the end".into(), last }
}

#[tokio::test]
async fn the_end_of_an_answer_asks_what_it_was_worth_and_nothing_before_it() {
    let (without, server) = start(vec![]).await;
    let slack = with_buttons(&server.lock().unwrap().base.clone());
    slack.perform(&context(), &finish(false)).await.unwrap();
    slack.perform(&context(), &finish(true)).await.unwrap();
    without.perform(&context(), &finish(true)).await.unwrap();
    let blocks: Vec<Value> = (0..3).map(|call| arguments(&server, call)["blocks"].clone()).collect();
    assert_eq!((&blocks[0], &blocks[2]), (&Value::Null, &Value::Null));
    insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(blocks[1]) });
}

#[tokio::test]
async fn a_server_that_does_not_know_the_buttons_gets_the_answer_without_them() {
    let (_, server) = start(vec![refused("invalid_blocks"), ok(json!({})), ok(json!({}))]).await;
    let slack = with_buttons(&server.lock().unwrap().base.clone());
    slack.perform(&context(), &finish(true)).await.unwrap();
    assert_eq!(arguments(&server, 1)["markdown_text"], "the end");
    slack.perform(&context(), &finish(true)).await.unwrap();
    assert_eq!(methods(&server).len(), 3, "it is not tried every time");
    assert!((1..3).all(|call| arguments(&server, call).get("blocks").is_none()));
}

#[test]
fn a_press_says_whether_the_answer_helped_and_a_look_alike_does_not() {
    let press = |block: &str, value: &str| {
        let payload = json!({
            "type": "block_actions", "trigger_id": "1.2.3", "team": {"id": "T1"}, "user": {"id": "UBOB"}, "channel": {"id": "C1"},
            "message": {"ts": "9.2", "thread_ts": "9.1"},
            "actions": [{"type": "feedback_buttons", "block_id": block, "action_id": "reveille_feedback_buttons", "value": value,
                "text": {"type": "plain_text", "text": "Good answer"}, "action_ts": "1.1"}],
        });
        only(read_on(&slack(), Route::Interactivity, &form(&[("payload", &payload.to_string())])).unwrap())
    };
    let good = press("reveille_feedback", "positive");
    assert_eq!(good.kind, Kind::Feedback { positive: true });
    assert_eq!(
        (good.actor.id.as_str(), good.message.as_deref(), good.thread.key.as_str()),
        ("UBOB", Some("9.2"), "C1:9.1")
    );
    assert_eq!(press("reveille_feedback", "negative").kind, Kind::Feedback { positive: false });
    assert!(matches!(press("b1", "positive").kind, Kind::Action { .. }));
    assert!(matches!(press("reveille_feedback", "maybe").kind, Kind::Action { .. }));
}
