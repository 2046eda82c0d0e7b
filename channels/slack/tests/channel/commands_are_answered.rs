//! The answer to a slash command opens a thread: once, also after a restart, and privately where the app cannot post.

use reveille_channel::{Ask, Channel, Choice, Kind, Mode, Op, Receipt, ReplyContext, ReplyError, Route, Style};
use serde_json::{Value, json};

use crate::stand_in::{Shared, arguments, context, methods, ok, refused, start};
use crate::support::{form, only, read_on};

fn command(server: &Shared) -> ReplyContext {
    let _ = server;
    let mut context = context();
    context.thread.key = "C1:command:1.2.x".into();
    context.thread.location.remove("thread_ts");
    context.thread.location.insert("opens".into(), "command:1.2.x".into());
    context
}

fn begin(text: &str, complete: bool) -> Op {
    Op::Start { text: text.into(), complete }
}

fn none() -> (u16, Option<&'static str>, Value) {
    ok(json!({"messages": []}))
}

#[tokio::test]
async fn the_first_message_is_the_root_and_the_rest_is_below_it() {
    let (slack, server) = start(vec![
        none(),
        ok(json!({"channel": "C1", "ts": "9.1"})),
        ok(json!({"ts": "9.1"})),
        ok(json!({"ts": "9.2"})),
    ])
    .await;
    let context = command(&server);
    let receipt = slack.perform(&context, &begin("Hello", false)).await.unwrap();
    assert_eq!(receipt, Receipt { id: "9.1".into(), mode: Mode::Edit });
    let root = arguments(&server, 1);
    assert_eq!(root.get("thread_ts"), None);
    assert_eq!(root["metadata"]["event_payload"]["thread"], context.thread.key);
    slack.perform(&context, &Op::Edit { id: "9.1".into(), text: "Hello you".into(), complete: true }).await.unwrap();
    let receipt = slack.perform(&context, &begin("More", false)).await.unwrap();
    assert_eq!(receipt.mode, Mode::Native);
    assert_eq!(arguments(&server, 3)["thread_ts"], "9.1");
    assert_eq!(methods(&server), ["conversations.history", "chat.postMessage", "chat.update", "chat.startStream"]);
}

#[tokio::test]
async fn after_a_restart_the_root_is_found_again() {
    let marker = context().marker;
    let root = json!({"ts": "9.1", "bot_id": "BBOT", "metadata": {"event_type": "reveille_reply", "event_payload": {"marker": marker.as_str(), "thread": "C1:command:1.2.x"}}});
    let forged = json!({"ts": "9.0", "bot_id": "BEVIL", "metadata": root["metadata"]});
    let me = ok(json!({"user_id": "UBOT", "bot_id": "BBOT", "user": "assistant", "team": "Demo"}));
    let page = || ok(json!({"messages": [forged, root]}));
    let (slack, server) = start(vec![me, page(), page(), ok(json!({"ts": "9.2"}))]).await;
    slack.identify().await.unwrap();
    let context = command(&server);
    assert_eq!(slack.find(&context).await.unwrap(), Some(Receipt { id: "9.1".into(), mode: Mode::Edit }));
    slack.perform(&context, &begin("More", true)).await.unwrap();
    assert_eq!(arguments(&server, 3)["thread_ts"], "9.1");
}

#[tokio::test]
async fn what_is_said_below_the_root_and_pressed_there_belongs_to_the_command() {
    let (slack, server) = start(vec![none(), ok(json!({"channel": "C1", "ts": "9.1"}))]).await;
    let context = command(&server);
    let ask = Ask {
        reference: "r1".into(),
        title: "Go on?".into(),
        detail: String::new(),
        choices: vec![Choice { id: "yes".into(), label: "Yes".into(), style: Style::Plain }],
    };
    slack.perform(&context, &Op::Ask(ask)).await.unwrap();
    let button = arguments(&server, 1)["blocks"][1]["elements"][0].clone();
    let said =
        json!({"type": "message", "channel": "C1", "user": "UBOB", "text": "and?", "ts": "9.5", "thread_ts": "9.1"});
    let said = json!({"type": "event_callback", "team_id": "T1", "event": said}).to_string();
    let further = only(read_on(&slack, Route::Events, said.as_bytes()).unwrap());
    assert_eq!(further.thread.key, context.thread.key);
    assert_eq!(further.thread.location["thread_ts"], "9.1");
    // A process that was started since knows by the button.
    let (fresh, _server) = start(Vec::new()).await;
    let pressed = json!({
        "type": "block_actions", "trigger_id": "1.2.3", "team": {"id": "T1"}, "user": {"id": "UBOB"}, "channel": {"id": "C1"},
        "message": {"ts": "9.1"}, "actions": [{"block_id": "ask:r1", "action_id": button["action_id"], "value": button["value"]}],
    });
    let body = form(&[("payload", &pressed.to_string())]);
    let answer = only(read_on(&fresh, Route::Interactivity, &body).unwrap());
    assert_eq!(answer.kind, Kind::Action { reference: "r1".into(), choice: "yes".into() });
    assert_eq!(answer.thread.key, context.thread.key);
}

#[tokio::test]
async fn where_the_app_cannot_post_the_whole_answer_goes_to_the_response_url_once() {
    for code in ["not_in_channel", "channel_not_found"] {
        let (slack, server) = start(vec![refused(code), refused(code)]).await;
        let mut context = command(&server);
        let base = server.lock().unwrap().base.clone();
        context.thread.location.insert("response_url".into(), format!("{base}/respond"));
        let receipt = slack.perform(&context, &begin("Hello", false)).await.unwrap();
        assert_eq!(receipt.mode, Mode::Edit);
        let edit = |text: &str, complete| Op::Edit { id: receipt.id.clone(), text: text.into(), complete };
        slack.perform(&context, &edit("Hello there", false)).await.unwrap();
        slack.perform(&context, &edit("Hello you", true)).await.unwrap();
        assert_eq!(methods(&server), ["conversations.history", "chat.postMessage", "respond"]);
        assert_eq!(arguments(&server, 2), json!({"response_type": "ephemeral", "text": "Hello you"}));
        let again = slack.perform(&context, &edit("Hello you", true)).await.unwrap_err();
        assert!(matches!(again, ReplyError::Refused(_)), "{again:?}");
        assert_eq!(methods(&server).len(), 3, "and never twice");
    }
}

#[tokio::test]
async fn a_response_url_that_is_used_up_leaves_the_person_to_be_told_directly() {
    for used_up in [refused("used_url"), refused("expired_url"), (404, None, json!({}))] {
        let posted = ok(json!({"channel": "D7", "ts": "9.1"}));
        let (slack, server) = start(vec![refused("not_in_channel"), refused("not_in_channel"), used_up, posted]).await;
        let mut context = command(&server);
        let base = server.lock().unwrap().base.clone();
        context.thread.location.insert("response_url".into(), format!("{base}/respond"));
        let receipt = slack.perform(&context, &begin("Hello", true)).await.unwrap();
        assert_eq!(receipt, Receipt { id: "9.1".into(), mode: Mode::Edit });
        assert_eq!(methods(&server), ["conversations.history", "chat.postMessage", "respond", "chat.postMessage"]);
        let told = arguments(&server, 3);
        assert_eq!((&told["channel"], &told["text"]), (&json!("UALICE"), &json!("Hello")));
        // What follows goes below it.
        slack.perform(&context, &begin("More", true)).await.unwrap_err();
        let more = arguments(&server, 4);
        assert_eq!((&more["channel"], &more["thread_ts"]), (&json!("D7"), &json!("9.1")));
    }
}

#[tokio::test]
async fn a_response_url_of_another_server_without_encryption_is_not_called() {
    let (slack, server) = start(vec![refused("not_in_channel"), refused("not_in_channel")]).await;
    let mut context = command(&server);
    context.thread.location.insert("response_url".into(), "http://127.0.0.2:9/respond".into());
    let error = slack.perform(&context, &begin("Hello", true)).await.unwrap_err();
    assert_eq!(error, ReplyError::Refused("response_url: it is not one of Slack's".into()));
}

#[tokio::test]
async fn a_person_is_answered_in_the_direct_message_with_them() {
    let (slack, server) =
        start(vec![ok(json!({"channel": {"id": "D7"}})), none(), ok(json!({"channel": "D7", "ts": "9.1"}))]).await;
    let mut context = command(&server);
    context.thread.location.insert("channel".into(), "UALICE".into());
    slack.perform(&context, &begin("Hello", true)).await.unwrap();
    assert_eq!(methods(&server), ["conversations.open", "conversations.history", "chat.postMessage"]);
    assert_eq!(arguments(&server, 2)["channel"], "D7");
}
