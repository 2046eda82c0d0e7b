//! From signed bytes to events.

#![cfg(test)]

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use reveille_channel::{ActorKind, Channel, Delivery, Event, Inbound, Kind, Reject, Route, Secret};
use reveille_slack::{Settings, Slack};
use sha2::Sha256;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const NOW_MS: i64 = 1_700_000_000_000;

fn slack() -> Slack {
    let settings = Settings {
        signing_secret: Secret::new(SECRET),
        bot_token: Secret::new("xoxb-test"),
        api_base_url: "http://127.0.0.1:1/api".parse().unwrap(),
    };
    Slack::new("slack", settings).unwrap()
}

fn sign(timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

fn delivery(timestamp: &str, signature: &str, body: &[u8]) -> Delivery {
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", HeaderValue::from_bytes(timestamp.as_bytes()).unwrap());
    headers.insert("x-slack-signature", HeaderValue::from_str(signature).unwrap());
    Delivery { route: Route::Events, headers, body: Bytes::copy_from_slice(body), received_at_ms: NOW_MS }
}

fn signed(body: &[u8]) -> Delivery {
    delivery("1700000000", &sign("1700000000", body), body)
}

fn read(body: &[u8]) -> Inbound {
    let slack = slack();
    slack.normalise(&slack.verify(signed(body)).unwrap()).unwrap()
}

fn event(body: &str) -> Event {
    match read(body.as_bytes()) {
        Inbound::Events(mut events) => events.remove(0),
        other => panic!("{other:?}"),
    }
}

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
    let mention = event(include_str!("../fixtures/app_mention.json"));
    let message = event(include_str!("../fixtures/message_of_the_mention.json"));
    assert_eq!(mention.id, message.id);
    assert_eq!((&mention.kind, &message.kind), (&Kind::Mention, &Kind::Mention));
    assert_eq!(mention.text, "what can you do? @UBOB");
    assert_eq!(mention.mentions, ["ubob"]);
    assert_eq!(mention.thread.key, "C1:1700000000.000100");
    assert_eq!(mention.occurred_at_ms, 1_700_000_000_000);
}

#[test]
fn threads_direct_messages_strangers_and_own_posts_are_told_apart() {
    let further = event(include_str!("../fixtures/message_in_thread.json"));
    assert_eq!(further.kind, Kind::Message { direct: false, in_thread: true });
    assert_eq!(further.thread.key, "C1:1700000000.000100");
    let direct = event(include_str!("../fixtures/message_im.json"));
    assert_eq!(direct.kind, Kind::Message { direct: true, in_thread: false });
    let stranger = event(include_str!("../fixtures/message_external.json"));
    assert_eq!(stranger.actor.kind, ActorKind::External);
    let own = read(include_str!("../fixtures/message_own.json").as_bytes());
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

proptest! {
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
