//! What others fell into (see the traps of the platform's own tools): wherever a stream fails, the whole answer arrives.

use reveille_channel::{Actor, Channel, Mode, Op, ReplyContext, ReplyError, Role};
use serde_json::json;

use crate::stand_in::{arguments, context, methods, ok, refused, start};

fn begin(text: &str) -> Op {
    Op::Start { text: text.into(), complete: false }
}

fn append(text: &str) -> Op {
    Op::Append { id: "1.2".into(), text: text.into() }
}

fn finish(text: &str) -> Op {
    Op::Finish { id: "1.2".into(), text: text.into(), last: false }
}

fn edit(text: &str, complete: bool) -> Op {
    Op::Edit { id: "1.2".into(), text: text.into(), complete }
}

#[tokio::test]
async fn a_place_that_cannot_stream_does_not_speak_for_the_others() {
    let posted = || ok(json!({"ts": "1.2"}));
    let (slack, server) = start(vec![
        refused("channel_type_not_supported"),
        posted(),
        posted(),
        posted(),
        refused("unknown_method"),
        posted(),
    ])
    .await;
    let elsewhere = |channel: &str| {
        let mut other = context();
        other.thread.location.insert("channel".into(), channel.into());
        other
    };
    for (place, mode) in [("C1", Mode::Edit), ("C1", Mode::Edit), ("C2", Mode::Native), ("C3", Mode::Edit)] {
        let receipt = slack.perform(&elsewhere(place), &begin("Hello")).await.unwrap();
        assert_eq!(receipt.mode, mode, "{place}");
    }
    let expected = [
        "chat.startStream",
        "chat.postMessage",
        "chat.postMessage",
        "chat.startStream",
        "chat.startStream",
        "chat.postMessage",
    ];
    assert_eq!(methods(&server), expected);
    assert_eq!(
        slack.perform(&elsewhere("C2"), &begin("Hello")).await.unwrap_err().to_string(),
        ts_is_missing(),
        "the server has none"
    );
}

fn ts_is_missing() -> String {
    ReplyError::Unknown("chat.postMessage: the answer names no message".into()).to_string()
}

#[tokio::test]
async fn somebody_who_cannot_have_a_stream_gets_a_message_and_others_a_stream() {
    let (slack, server) =
        start(vec![refused("user_not_found"), ok(json!({"ts": "1.2"})), ok(json!({"ts": "1.3"}))]).await;
    assert_eq!(slack.perform(&context(), &begin("Hello")).await.unwrap().mode, Mode::Edit);
    assert_eq!(slack.perform(&context(), &begin("Hello")).await.unwrap().mode, Mode::Native);
    assert_eq!(methods(&server), ["chat.startStream", "chat.postMessage", "chat.startStream"]);
}

#[tokio::test]
async fn a_server_that_begins_streams_and_does_not_know_how_to_go_on_gets_edits() {
    for unknown in [refused("unknown_method"), (404, None, json!({}))] {
        let (slack, server) =
            start(vec![ok(json!({"ts": "1.2"})), unknown.clone(), refused("streaming_state_conflict"), unknown]).await;
        slack.perform(&context(), &begin("Hello")).await.unwrap();
        assert!(matches!(slack.perform(&context(), &append(" you")).await, Err(ReplyError::StreamClosed(_))));
        // It says that the message streams, cannot end the stream, and then takes the edit.
        slack.perform(&context(), &edit("Hello you", true)).await.unwrap();
        assert_eq!(
            methods(&server),
            ["chat.startStream", "chat.appendStream", "chat.update", "chat.stopStream", "chat.update"]
        );
        assert_eq!(arguments(&server, 4)["text"], "Hello you");
        server.lock().unwrap().answers.push_back(ok(json!({"ts": "1.3"})));
        slack.perform(&context(), &begin("Next")).await.unwrap();
        assert_eq!(methods(&server).last().unwrap(), "chat.postMessage", "it is not tried again");
    }
    let (slack, _server) = start(vec![ok(json!({"ts": "1.2"})), refused("unknown_method")]).await;
    slack.perform(&context(), &begin("Hello")).await.unwrap();
    assert!(matches!(slack.perform(&context(), &finish("")).await, Err(ReplyError::StreamClosed(_))));
}

#[tokio::test]
async fn a_stream_that_slack_closed_or_that_is_full_is_gone_on_with_by_edits() {
    for code in ["message_not_in_streaming_state", "msg_too_long", "msg_blocks_too_long", "no_text"] {
        let (slack, server) = start(vec![ok(json!({"ts": "1.2"})), refused(code), refused(code)]).await;
        slack.perform(&context(), &begin("Hello")).await.unwrap();
        assert!(matches!(slack.perform(&context(), &append(" you")).await, Err(ReplyError::StreamClosed(_))), "{code}");
        assert!(matches!(slack.perform(&context(), &finish(" you")).await, Err(ReplyError::StreamClosed(_))), "{code}");
        assert_eq!(methods(&server).len(), 3, "nothing is tried again with the same text");
    }
}

#[tokio::test]
async fn a_stream_that_somebody_stopped_is_told_from_one_that_slack_closed() {
    let (slack, server) =
        start(vec![ok(json!({"ts": "1.2"})), refused("stopped_by_user"), refused("stopped_by_user")]).await;
    slack.perform(&context(), &begin("Hello")).await.unwrap();
    assert!(matches!(slack.perform(&context(), &append(" you")).await, Err(ReplyError::Stopped(_))));
    assert!(matches!(slack.perform(&context(), &finish(" you")).await, Err(ReplyError::Stopped(_))));
    assert_eq!(methods(&server).len(), 3, "nothing is tried again with the same text");
}

#[tokio::test]
async fn a_stream_that_nobody_can_end_is_waited_for() {
    let (slack, _server) = start(vec![
        refused("streaming_state_conflict"),
        refused("internal_error"),
        refused("streaming_state_conflict"),
    ])
    .await;
    let error = slack.perform(&context(), &edit("Hello", true)).await.unwrap_err();
    assert!(matches!(error, ReplyError::Retry { .. }), "{error:?}");
}

#[tokio::test]
async fn a_stream_ends_before_a_link_since_nothing_keeps_it_from_being_fetched() {
    let pieces = [" see https://evil.example/?q=secret", " see ![x](y)", " [x]", " www.evil.example"];
    for piece in pieces {
        let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
        slack.perform(&context(), &begin("Hello")).await.unwrap();
        let piece = if piece == " [x]" { " [x](y)" } else { piece };
        assert!(matches!(slack.perform(&context(), &append(piece)).await, Err(ReplyError::StreamClosed(_))), "{piece}");
        assert_eq!(methods(&server), ["chat.startStream", "chat.stopStream"]);
        assert_eq!(arguments(&server, 1).get("markdown_text"), None, "{piece}");
        assert_eq!(arguments(&server, 1)["metadata"]["event_payload"]["marker"], context().marker.as_str());
    }
    // Cut anywhere.
    for (one, other) in [
        ("see htt", "ps://evil.example"),
        ("see https:", "//evil.example"),
        ("see ww", "w.evil.example"),
        ("an !", "[x]"),
        ("[x]", "(y)"),
    ] {
        for ends in [false, true] {
            let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
            slack.perform(&context(), &begin("Hello ")).await.unwrap();
            slack.perform(&context(), &append(one)).await.unwrap();
            let op = if ends { finish(other) } else { append(other) };
            assert!(matches!(slack.perform(&context(), &op).await, Err(ReplyError::StreamClosed(_))), "{one}|{other}");
            assert_eq!(methods(&server), ["chat.startStream", "chat.appendStream", "chat.stopStream"]);
        }
    }
    let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
    slack.perform(&context(), &begin("See https://a.b")).await.unwrap();
    assert_eq!(methods(&server), ["chat.postMessage"]);
    assert_eq!(arguments(&server, 0)["unfurl_links"], false);
}

#[tokio::test]
async fn blanks_wait_for_a_word() {
    let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
    slack.perform(&context(), &begin("One")).await.unwrap();
    slack.perform(&context(), &append("\n\n")).await.unwrap();
    slack.perform(&context(), &append("two")).await.unwrap();
    slack.perform(&context(), &append(" ")).await.unwrap();
    slack.perform(&context(), &finish("three")).await.unwrap();
    assert_eq!(methods(&server), ["chat.startStream", "chat.appendStream", "chat.stopStream"]);
    assert_eq!(arguments(&server, 1)["markdown_text"], "\n\ntwo");
    assert_eq!(arguments(&server, 2)["markdown_text"], " three");
}

#[tokio::test]
async fn every_method_that_is_limited_is_waited_for() {
    let limited = || (429, Some("3"), json!({"ok": false, "error": "ratelimited"}));
    let ops = [begin("a"), Op::Start { text: "a".into(), complete: true }, append("a"), finish("a"), edit("a", true)];
    for op in ops {
        let (slack, server) = start(vec![limited()]).await;
        let error = slack.perform(&context(), &op).await.unwrap_err();
        assert!(matches!(error, ReplyError::Retry { after_ms: 3_000, .. }), "{op:?}: {error:?}");
        assert_eq!(methods(&server).len(), 1);
    }
    let (slack, _server) = start(vec![limited(), limited(), limited(), limited(), limited()]).await;
    assert!(matches!(slack.find(&context()).await, Err(ReplyError::Retry { after_ms: 3_000, .. })));
    assert!(matches!(slack.react(&context().thread, "1.2", "eyes").await, Err(ReplyError::Retry { .. })));
    // Somebody would be refused for want of an answer: it is asked again for a while, but not for ever.
    let (slack, server) = start(vec![
        (429, Some("0"), json!({})),
        ok(json!({"user": {"id": "UALICE", "team_id": "T1"}})),
        (429, Some("60"), json!({})),
    ])
    .await;
    let asked = slack.permission(&context().recipient, &context().thread).await;
    assert_eq!(asked, Ok(Role::Member));
    let other = Actor { id: "UBOB".into(), ..context().recipient };
    assert!(matches!(slack.permission(&other, &context().thread).await, Err(ReplyError::Retry { .. })));
    assert_eq!(methods(&server).len(), 3);
}

#[tokio::test]
async fn each_error_says_who_has_to_do_something() {
    let person =
        ["invalid_auth", "account_inactive", "token_revoked", "missing_scope", "ekm_access_denied", "accesslimited"];
    let gone = ["channel_not_found", "is_archived", "restricted_action_thread_locked", "cannot_reply_to_message"];
    let again = ["message_limit_exceeded", "team_added_to_org", "request_timeout"];
    let unsure = ["fatal_error", "internal_error", "service_unavailable"];
    let post = Op::Start { text: "a".into(), complete: true };
    let said = |code: &str| {
        let (code, post) = (code.to_owned(), post.clone());
        async move {
            let (slack, _server) = start(vec![refused(&code)]).await;
            slack.perform(&context(), &post).await.unwrap_err()
        }
    };
    for code in person {
        assert!(matches!(said(code).await, ReplyError::Credentials(_)), "{code}");
    }
    for code in gone {
        assert!(matches!(said(code).await, ReplyError::Gone(_)), "{code}");
    }
    for code in again {
        assert!(matches!(said(code).await, ReplyError::Retry { .. }), "{code}");
    }
    for code in unsure {
        assert!(matches!(said(code).await, ReplyError::Unknown(_)), "{code}");
    }
    let ReplyError::Refused(advice) = said("not_in_channel").await else { panic!("not refused") };
    assert!(advice.contains("invite"), "{advice}");
    let (slack, _server) = start(vec![(
        200,
        None,
        json!({"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "x"}),
    )])
    .await;
    let scope = slack.perform(&context(), &post).await.unwrap_err();
    assert_eq!(
        scope,
        ReplyError::Credentials("chat.postMessage: missing_scope; the app needs the scope chat:write".into())
    );
}

#[tokio::test]
async fn answers_that_are_not_slacks_are_not_taken_for_success() {
    let post = Op::Start { text: "a".into(), complete: true };
    for (status, expected) in
        [(302, "refused"), (403, "credentials"), (400, "refused"), (502, "unknown"), (200, "unknown")]
    {
        let (slack, server) = start(vec![(status, None, json!("<html>"))]).await;
        let said = match slack.perform(&context(), &post).await.unwrap_err() {
            ReplyError::Refused(_) => "refused",
            ReplyError::Credentials(_) => "credentials",
            ReplyError::Unknown(_) => "unknown",
            other => panic!("{other:?}"),
        };
        assert_eq!(said, expected, "{status}");
        assert_eq!(methods(&server).len(), 1, "{status}");
    }
}

#[tokio::test]
async fn edits_on_the_way_leave_room_for_those_that_end_an_answer() {
    let (slack, server) = start(Vec::new()).await;
    let mut waited = 0;
    for _ in 0..30 {
        match slack.perform(&context(), &edit("a", false)).await {
            Ok(_) => {}
            Err(ReplyError::Retry { after_ms, .. }) => {
                assert!(after_ms <= 1_500, "{after_ms}");
                waited += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(waited >= 19, "{waited}");
    let before = methods(&server).len();
    slack.perform(&context(), &edit("a", true)).await.unwrap();
    assert_eq!(methods(&server).len(), before + 1);
}

#[tokio::test]
async fn streams_beyond_their_tier_are_messages() {
    let (slack, server) = start((0..12).map(|_| ok(json!({"ts": "1.2"}))).collect()).await;
    for _ in 0..12 {
        slack.perform(&context(), &begin("a")).await.unwrap();
    }
    let methods = methods(&server);
    assert_eq!(methods.iter().filter(|method| *method == "chat.startStream").count(), 10);
    assert_eq!(methods.iter().filter(|method| *method == "chat.postMessage").count(), 2);
}

#[tokio::test]
async fn a_stranger_is_streamed_to_in_their_own_workspace() {
    let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
    let mut stranger: ReplyContext = context();
    stranger.thread.location.insert("author_team".into(), "TELSE".into());
    slack.perform(&stranger, &begin("a")).await.unwrap();
    assert_eq!(arguments(&server, 0)["recipient_team_id"], "TELSE");
}
