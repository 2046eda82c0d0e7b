//! Operations against a server that knows Slack's documentation only as far as a test needs it.

use reveille_channel::{Actor, ActorKind, Channel, Mode, Op, Receipt, ReplyError, Role};
use serde_json::{Value, json};

use crate::stand_in::{context, methods, start};

fn begin(complete: bool) -> Op {
    Op::Start { text: "Hello **you**".into(), complete }
}

#[tokio::test]
async fn a_stream_is_started_for_the_asker_grown_and_finished() {
    let (slack, server) = start(vec![(200, None, json!({"ok": true, "ts": "1.2"}))]).await;
    let receipt = slack.perform(&context(), &begin(false)).await.unwrap();
    assert_eq!(receipt, Receipt { id: "1.2".into(), mode: Mode::Native });
    slack.perform(&context(), &Op::Append { id: "1.2".into(), text: " <!here>".into() }).await.unwrap();
    slack.perform(&context(), &Op::Finish { id: "1.2".into(), text: String::new(), last: false }).await.unwrap();
    assert_eq!(methods(&server), ["chat.startStream", "chat.appendStream", "chat.stopStream"]);
    let first: Value = serde_json::from_str(&server.lock().unwrap().calls[0].1).unwrap();
    assert_eq!(first["recipient_user_id"], "UALICE");
    assert_eq!(first["recipient_team_id"], "T1");
    assert_eq!(first["thread_ts"], "1700000000.000100");
    assert_eq!(first["markdown_text"], "Hello **you**");
    let second: Value = serde_json::from_str(&server.lock().unwrap().calls[1].1).unwrap();
    assert_eq!(second["markdown_text"], " &lt;!here>");
}

#[tokio::test]
async fn where_the_method_is_unknown_a_message_is_posted_and_edited() {
    for unknown in [(200, None, json!({"ok": false, "error": "unknown_method"})), (404, None, json!({}))] {
        let (slack, server) = start(vec![unknown, (200, None, json!({"ok": true, "ts": "1.2"}))]).await;
        let receipt = slack.perform(&context(), &begin(false)).await.unwrap();
        assert_eq!(receipt.mode, Mode::Edit);
        let edit = Op::Edit { id: "1.2".into(), text: "Hello".into(), complete: true };
        slack.perform(&context(), &edit).await.unwrap();
        server.lock().unwrap().answers.push_back((200, None, json!({"ok": true, "ts": "1.3"})));
        slack.perform(&context(), &begin(false)).await.unwrap();
        assert_eq!(methods(&server), ["chat.startStream", "chat.postMessage", "chat.update", "chat.postMessage"]);
        let post: Value = serde_json::from_str(&server.lock().unwrap().calls[1].1).unwrap();
        assert_eq!(post["text"], "Hello *you*");
        assert_eq!(post["unfurl_links"], false);
        assert_eq!(post["metadata"]["event_payload"]["marker"], context().marker.as_str());
    }
}

#[tokio::test]
async fn errors_say_what_to_do_next() {
    let error = |code: &str| (200, None, json!({"ok": false, "error": code}));
    let (slack, server) = start(vec![
        (429, Some("7"), json!({})),
        (500, None, json!({})),
        error("invalid_auth"),
        error("channel_not_found"),
        error("something_new <script>"),
        (200, None, json!({"ok": true})),
    ])
    .await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(slack.perform(&context(), &begin(true)).await.unwrap_err());
    }
    assert_eq!(said[0], ReplyError::Retry { after_ms: 7_000, reason: "chat.postMessage: rate limited".into() });
    assert!(matches!(said[1], ReplyError::Unknown(_)), "a post may have been done: {:?}", said[1]);
    assert!(matches!(said[2], ReplyError::Credentials(_)));
    assert!(matches!(said[3], ReplyError::Gone(_)));
    assert_eq!(said[4], ReplyError::Refused("chat.postMessage: something_newscript".into()));
    assert!(matches!(said[5], ReplyError::Unknown(_)), "accepted, but which message? {:?}", said[5]);
    assert_eq!(methods(&server).len(), 6, "nothing is tried again");
    server.lock().unwrap().answers.extend([(500, None, json!({})), error("message_not_in_streaming_state")]);
    let edit = Op::Edit { id: "1".into(), text: "x".into(), complete: true };
    assert!(
        matches!(slack.perform(&context(), &edit).await, Err(ReplyError::Retry { .. })),
        "an edit does no harm twice"
    );
    let append = Op::Append { id: "1".into(), text: "x".into() };
    assert!(matches!(slack.perform(&context(), &append).await, Err(ReplyError::StreamClosed(_))));
}

#[tokio::test]
async fn our_own_message_is_found_by_its_marker_and_a_stream_by_having_none() {
    let marked = |ts: &str, marker: &str, bot: &str| json!({"ts": ts, "bot_id": bot, "text": "x", "metadata": {"event_type": "reveille_reply", "event_payload": {"marker": marker}}});
    let ours = context().marker;
    let me = (200, None, json!({"ok": true, "user_id": "UBOT", "bot_id": "BBOT", "user": "assistant", "team": "Demo"}));
    let page = |messages: Value, next: &str| {
        (200, None, json!({"ok": true, "messages": messages, "response_metadata": {"next_cursor": next}}))
    };
    let (slack, server) = start(vec![
        me,
        page(
            json!([
                marked("1700000001.000100", ours.as_str(), "BEVIL"),
                marked("1700000002.000100", "another", "BBOT")
            ]),
            "next",
        ),
        page(json!([marked("1700000003.000100", ours.as_str(), "BBOT")]), ""),
        page(json!([{"ts": "1600000000.000100", "bot_id": "BBOT"}, {"ts": "1700000004.000100", "user": "UALICE"}]), ""),
        page(json!([{"ts": "1700000005.000100", "bot_id": "BBOT", "text": "grow"}]), ""),
        (500, None, json!({})),
    ])
    .await;
    slack.identify().await.unwrap();
    let found = slack.find(&context()).await.unwrap();
    assert_eq!(
        found,
        Some(Receipt { id: "1700000003.000100".into(), mode: Mode::Edit }),
        "a forged marker is nobody's"
    );
    assert!(server.lock().unwrap().calls[1].1.contains("include_all_metadata=true"));
    assert_eq!(slack.find(&context()).await.unwrap(), None);
    let stream = slack.find(&context()).await.unwrap();
    assert_eq!(stream, Some(Receipt { id: "1700000005.000100".into(), mode: Mode::Native }));
    assert!(slack.find(&context()).await.is_err(), "not knowing is not absence");
}

#[tokio::test]
async fn a_role_is_slacks_word_and_never_a_guess() {
    let user = |fields: Value| (200, None, json!({"ok": true, "user": fields}));
    let (slack, _server) = start(vec![
        user(json!({"id": "U1", "team_id": "T1"})),
        user(json!({"id": "U2", "team_id": "T1", "is_restricted": true})),
        user(json!({"id": "U3", "team_id": "TELSE"})),
        user(json!({"id": "U4", "deleted": true})),
        user(json!({"id": "U5", "is_admin": true})),
        (200, None, json!({"ok": false, "error": "unknown_method"})),
        user(json!({"id": "UOTHER"})),
        (200, None, json!({"ok": false, "error": "missing_scope"})),
    ])
    .await;
    let mut roles = Vec::new();
    for index in 1..=8 {
        let actor = Actor { id: format!("U{index}"), name: String::new(), kind: ActorKind::Human };
        roles.push(slack.permission(&actor, &context().thread).await.ok());
    }
    let expected = [
        Some(Role::Member),
        Some(Role::Guest),
        Some(Role::External),
        Some(Role::None),
        Some(Role::Admin),
        Some(Role::Member),
        None,
        None,
    ];
    assert_eq!(roles, expected);
    let again = Actor { id: "U1".into(), name: String::new(), kind: ActorKind::Human };
    assert_eq!(slack.permission(&again, &context().thread).await, Ok(Role::Member), "remembered for a minute");
}
