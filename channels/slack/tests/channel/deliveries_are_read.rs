//! From signed bytes to events.

use http::HeaderValue;
use proptest::prelude::*;
use reveille_channel::{ActorKind, Change, Channel, Inbound, Kind, Reject, Route};
use serde_json::{Value, json};

use crate::support::{SECRET, delivery, event, form, read, read_on, sign, signed, slack};

/// The example of Slack's page "Verifying requests from Slack".
#[test]
fn the_documented_example_is_right() {
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let mut delivery = delivery("1531420618", signature, body);
    delivery.received_at_ms = 1_531_420_618_000;
    assert!(slack().verify(delivery).is_ok());
}

#[test]
fn what_is_not_signed_just_so_is_refused() {
    let slack = slack();
    let body = br#"{"type":"url_verification","challenge":"c"}"#;
    let good = sign("1700000000", body);
    assert!(slack.verify(delivery("1700000000", &good, body)).is_ok());
    assert_eq!(slack.verify(delivery("1700000000", &good, b"{}")).unwrap_err(), Reject::WrongSignature);
    assert_eq!(slack.verify(delivery("1700000001", &good, body)).unwrap_err(), Reject::WrongSignature);
    for ok in ["1699999701", "1700000299"] {
        assert!(slack.verify(delivery(ok, &sign(ok, body), body)).is_ok(), "{ok}");
    }
    for stale in ["1699999699", "1700000301", "1", "999999999999"] {
        assert_eq!(slack.verify(delivery(stale, &sign(stale, body), body)).unwrap_err(), Reject::Stale, "{stale}");
    }
    for form in ["", " 1700000000", "-1700000000", "+1700000000", "1e9", "1700000000000", "١٧"] {
        let refused = slack.verify(delivery(form, &sign(form, body), body)).unwrap_err();
        assert_eq!(refused, Reject::BadHeader("x-slack-request-timestamp"), "{form}");
    }
    let mut twice = delivery("1700000000", &good, body);
    twice.headers.append("x-slack-signature", HeaderValue::from_str(&good).unwrap());
    assert_eq!(slack.verify(twice).unwrap_err(), Reject::RepeatedHeader("x-slack-signature"));
}

#[test]
fn the_handshake_answers_its_challenge() {
    let Inbound::Handshake { body, .. } = read(br#"{"token":"t","challenge":"3eZbrw1a","type":"url_verification"}"#)
    else {
        panic!("no handshake");
    };
    assert_eq!(body, "3eZbrw1a");
}

#[test]
fn a_mention_and_its_message_are_one_event() {
    let mention = event(include_str!("../../fixtures/app_mention.json"));
    let message = event(include_str!("../../fixtures/message_of_the_mention.json"));
    assert_eq!(mention.id, message.id);
    assert_eq!((&mention.kind, &message.kind), (&Kind::Mention, &Kind::Mention));
    assert_eq!(mention.text, "what can you do? @UBOB");
    assert_eq!(mention.mentions, ["ubob"]);
    assert_eq!(mention.thread.key, "C1:1700000000.000100");
    assert_eq!(mention.occurred_at_ms, 1_700_000_000_000);
}

#[test]
fn threads_direct_messages_strangers_and_own_posts_are_told_apart() {
    let further = event(include_str!("../../fixtures/message_in_thread.json"));
    assert_eq!(further.kind, Kind::Message { direct: false, in_thread: true });
    assert_eq!(further.thread.key, "C1:1700000000.000100");
    let direct = event(include_str!("../../fixtures/message_im.json"));
    assert_eq!(direct.kind, Kind::Message { direct: true, in_thread: false });
    let stranger = event(include_str!("../../fixtures/message_external.json"));
    assert_eq!(stranger.actor.kind, ActorKind::External);
    let own = read(include_str!("../../fixtures/message_own.json").as_bytes());
    assert_eq!(own, Inbound::Ignored { reason: "our own post" });
}

#[test]
fn what_is_not_acted_upon_is_ignored_and_what_is_broken_is_malformed() {
    let wrap = |inner: &str| format!(r#"{{"type":"event_callback","team_id":"T","event":{inner}}}"#);
    for inner in [r#"{"type":"reaction_added"}"#, r#"{"type":"message","subtype":"message_changed","channel":"C"}"#] {
        assert!(matches!(read(wrap(inner).as_bytes()), Inbound::Ignored { .. }), "{inner}");
    }
    let slack = slack();
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "[]",
        "{",
        "nonsense",
        r#"{"type":1}"#,
        r#"{"a":1e999,"type":}"#,
        &deep,
        &wrap(r#"{"type":"message"}"#),
        r#"{"type":"event_callback"}"#,
    ] {
        assert!(slack.normalise(&slack.verify(signed(body.as_bytes())).unwrap()).is_err(), "{body:.40}");
    }
}

#[test]
fn null_and_foreign_shapes_are_survived() {
    let text = include_str!("../../fixtures/app_mention.json");
    let mut whole: serde_json::Value = serde_json::from_str(text).unwrap();
    whole["authorizations"] = json!(null);
    whole["event"]["files"] = json!(null);
    whole["event"]["thread_ts"] = json!(null);
    whole["event"]["edited"] = json!(null);
    whole["event"]["blocks"] = json!([{"type": "new"}]);
    assert_eq!(event(&whole.to_string()).text, "@UBOT what can you do? @UBOB", "nothing said who we are");
    whole["team_id"] = json!(null);
    whole["context_team_id"] = json!("T0ORG");
    assert_eq!(event(&whole.to_string()).thread.installation, "T0ORG", "an organisation-wide installation");
    // Other events have objects where messages have ids.
    for inner in [
        json!({"type": "user_change", "user": {"id": "U1"}}),
        json!({"type": "channel_created", "channel": {"id": "C1"}, "ts": 5}),
        json!({"type": "app_home_opened", "user": "U1", "tab": "messages", "view": null}),
        json!({"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": {"type": "file", "file": "F1"}}),
        json!({"type": "message", "subtype": "channel_join", "user": "U1", "channel": "C1", "ts": "1.2"}),
    ] {
        let body = json!({"type": "event_callback", "team_id": "T", "event": inner}).to_string();
        assert!(matches!(read(body.as_bytes()), Inbound::Ignored { .. }), "{body}");
    }
}

#[test]
fn a_name_that_a_program_gives_itself_makes_nobody_of_it() {
    let inner = json!({"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "ceo", "text": "<@UBOT> pay", "ts": "1.2", "channel": "C1"});
    let body = json!({"type": "event_callback", "team_id": "T", "event": inner}).to_string();
    let event = event(&body);
    assert_eq!((event.actor.id.as_str(), event.actor.kind), ("B1", ActorKind::Bot));
    assert_eq!(event.actor.name, "B1");
}

#[test]
fn files_are_fetched_from_slack_alone() {
    let url = |url: &str| {
        let inner = json!({"type": "message", "subtype": "file_share", "user": "U1", "text": "", "ts": "1.2", "channel": "D1", "files": [{"name": "a.png", "mimetype": "image/png", "size": 5, "url_private": url}]});
        let body = json!({"type": "event_callback", "team_id": "T", "event": inner}).to_string();
        event(&body).attachments.remove(0).url
    };
    let own = "https://files.slack.com/files-pri/T1-F1/a.png";
    assert_eq!(url(own), own);
    for foreign in [
        "https://evil.example/a.png",
        "https://files.slack.com.evil.example/a.png",
        "https://evilslack.com/a.png",
        "http://files.slack.com/a.png",
        "https://files.slack.com@evil.example/a.png",
        "https://files.slack.com:8443/a.png",
        "file:///etc/passwd",
        "nonsense",
    ] {
        assert_eq!(url(foreign), "", "{foreign}");
    }
}

#[test]
fn the_end_of_an_installation_is_told() {
    for (name, change) in [("app_uninstalled", Change::Removed), ("tokens_revoked", Change::Revoked)] {
        let body = json!({"type": "event_callback", "team_id": "T", "event_id": "Ev9", "event_time": 1_700_000_000, "event": {"type": name, "tokens": {"bot": ["U1"]}}});
        let event = event(&body.to_string());
        assert_eq!((event.kind, event.thread.installation.as_str()), (Kind::Lifecycle { change }, "T"));
        assert_eq!(event.occurred_at_ms, 1_700_000_000_000);
    }
}

#[test]
fn a_reaction_names_its_message_and_ours_are_ignored() {
    let reaction = |name: &str, user: &str| {
        let inner = json!({"type": name, "user": user, "reaction": "eyes", "item_user": "UBOT", "item": {"type": "message", "channel": "C1", "ts": "1700000000.000100"}, "event_ts": "1700000050.000100"});
        read(json!({"type": "event_callback", "team_id": "T", "event_id": "Ev8", "authorizations": [{"user_id": "UBOT", "is_bot": true}], "event": inner}).to_string().as_bytes())
    };
    let Inbound::Events(events) = reaction("reaction_added", "UALICE") else { panic!("no event") };
    assert_eq!(events[0].kind, Kind::Reaction { emoji: "eyes".into() });
    assert_eq!(events[0].message.as_deref(), Some("1700000000.000100"));
    assert_eq!(events[0].thread.key, "C1:1700000000.000100");
    let Inbound::Events(removed) = reaction("reaction_removed", "UALICE") else { panic!("no event") };
    assert_ne!(removed[0].id, events[0].id);
    assert_eq!(reaction("reaction_added", "UBOT"), Inbound::Ignored { reason: "our own reaction" });
}

proptest! {
    #[test]
    fn no_form_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300), payload in "\\PC{0,120}") {
        let slack = slack();
        for route in [Route::Commands, Route::Interactivity] {
            let _ = read_on(&slack, route, &body);
            let _ = read_on(&slack, route, &form(&[("payload", &payload), ("command", &payload)]));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300), timestamp in "\\PC{0,20}") {
        let slack = slack();
        if let Ok(header) = HeaderValue::from_bytes(timestamp.as_bytes()) {
            let mut odd = signed(&body);
            odd.headers.insert("x-slack-request-timestamp", header);
            let _ = slack.verify(odd);
        }
        let _ = slack.normalise(&slack.verify(signed(&body)).unwrap());
    }

    #[test]
    fn no_event_makes_it_panic(inner in "\\{\"type\":\"(message|app_mention)\",\"user\":\"U\",\"ts\":\"\\PC{0,12}\",\"channel\":\"\\PC{0,5}\",\"text\":\"[<>@#!|a&;]{0,30}\"\\}") {
        let body = format!(r#"{{"type":"event_callback","team_id":"T","event":{inner}}}"#);
        let slack = slack();
        let _ = slack.normalise(&slack.verify(signed(body.as_bytes())).unwrap());
    }
}

#[test]
fn slacks_own_package_agrees() {
    let bodies = ["{}", "{\"a\":\"ä\u{1f600}\"}", "command=%2Fops&text=web+is+slow", " \n"];
    let case = |body: &str, signature: String| json!({ "platform": "slack", "secret": SECRET, "body": body, "timestamp": 1_700_000_000, "signature": signature });
    let mut cases: Vec<Value> = bodies.iter().map(|body| case(body, sign("1700000000", body.as_bytes()))).collect();
    cases.push(case("{}", sign("1700000000", b"{ }")));
    cases.push(case("{}", sign("1700000001", b"{}")));
    let told = reveille_oracles::run("webhook-signatures", &serde_json::to_string(&cases).unwrap()).unwrap();
    assert_eq!(told, "[true,true,true,true,false,false]");
    let slack = slack();
    for body in bodies {
        assert!(slack.verify(signed(body.as_bytes())).is_ok(), "{body}");
    }
}
