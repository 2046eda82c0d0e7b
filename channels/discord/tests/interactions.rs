//! Signed interactions in, over HTTP.

#![cfg(test)]

use bytes::Bytes;
use ed25519_dalek::{Signer, SigningKey};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use reveille_channel::{Channel, Delivery, Inbound, Reject, Route, Secret};
use reveille_discord::{Discord, Settings};

const NOW_MS: i64 = 1_700_000_000_000;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn settings() -> Settings {
    Settings {
        application_id: "771825006014889984".into(),
        public_key: hex::encode(key().verifying_key().to_bytes()),
        bot_token: Secret::new("a-bot-token-that-is-long-enough"),
        api_base_url: "http://127.0.0.1:1/api/v10".parse().unwrap(),
        gateway: false,
        gateway_url: "ws://127.0.0.1:1".parse().unwrap(),
        command_guilds: Vec::new(),
    }
}

fn discord() -> Discord {
    Discord::new("discord", settings()).unwrap()
}

fn sign(timestamp: &str, body: &[u8]) -> String {
    hex::encode(key().sign(&[timestamp.as_bytes(), body].concat()).to_bytes())
}

fn delivery(timestamp: &str, signature: &str, body: &[u8]) -> Delivery {
    let mut headers = HeaderMap::new();
    headers.insert("x-signature-timestamp", HeaderValue::from_bytes(timestamp.as_bytes()).unwrap());
    headers.insert("x-signature-ed25519", HeaderValue::from_str(signature).unwrap());
    Delivery { route: Route::Interactions, headers, body: Bytes::copy_from_slice(body), received_at_ms: NOW_MS }
}

fn signed(body: &[u8]) -> Delivery {
    delivery("1700000000", &sign("1700000000", body), body)
}

#[test]
fn a_ping_that_is_signed_is_answered() {
    let discord = discord();
    let verified = discord.verify(signed(include_bytes!("../fixtures/ping.json"))).unwrap();
    match discord.normalise(&verified).unwrap() {
        Inbound::Handshake { content_type, body } => {
            assert_eq!((content_type, &body[..]), ("application/json", &br#"{"type":1}"#[..]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_signed_just_so_is_refused() {
    let discord = discord();
    let body = br#"{"type":1}"#;
    let good = sign("1700000000", body);
    assert!(discord.verify(delivery("1700000000", &good, body)).is_ok());
    for (timestamp, changed) in [("1700000000", &b"{\"type\":1 }"[..]), ("1700000001", &body[..])] {
        assert_eq!(discord.verify(delivery(timestamp, &good, changed)).unwrap_err(), Reject::WrongSignature);
    }
    let others = SigningKey::from_bytes(&[8; 32]).sign(&[&b"1700000000"[..], body].concat());
    let forged = hex::encode(others.to_bytes());
    assert_eq!(discord.verify(delivery("1700000000", &forged, body)).unwrap_err(), Reject::WrongSignature);
    for ok in ["1699999700", "1700000300"] {
        assert!(discord.verify(delivery(ok, &sign(ok, body), body)).is_ok(), "{ok}");
    }
    for stale in ["1699999699", "1700000301", "1", "999999999999", "1700000000000"] {
        let refused = discord.verify(delivery(stale, &sign(stale, body), body)).unwrap_err();
        let expected = if stale.len() > 12 { Reject::BadHeader("x-signature-timestamp") } else { Reject::Stale };
        assert_eq!(refused, expected, "{stale}");
    }
    for form in ["", " 1700000000", "-1700000000", "+1700000000", "1e9", "١٧"] {
        let refused = discord.verify(delivery(form, &sign(form, body), body)).unwrap_err();
        assert_eq!(refused, Reject::BadHeader("x-signature-timestamp"), "{form}");
    }
    for form in ["", &good.to_uppercase(), good.get(..126).unwrap(), &format!("{good}00")] {
        let refused = discord.verify(delivery("1700000000", form, body)).unwrap_err();
        assert_eq!(refused, Reject::BadHeader("x-signature-ed25519"), "{form}");
    }
    for header in ["x-signature-timestamp", "x-signature-ed25519"] {
        let mut twice = signed(body);
        twice.headers.append(header, twice.headers[header].clone());
        assert_eq!(discord.verify(twice).unwrap_err(), Reject::RepeatedHeader(header));
        let mut without = signed(body);
        without.headers.remove(header);
        assert_eq!(discord.verify(without).unwrap_err(), Reject::MissingHeader(header));
    }
}

type Change = fn(&mut Settings);

#[test]
fn settings_that_can_never_work_are_refused_by_key() {
    let cases: [(&str, Change); 9] = [
        ("application_id", |it| it.application_id = "assistant".into()),
        ("public_key", |it| it.public_key = "0".repeat(64)),
        ("public_key", |it| it.public_key = "hex".into()),
        ("bot_token", |it| it.bot_token = Secret::new("")),
        ("bot_token", |it| it.bot_token = Secret::new("changeme-changeme-changeme")),
        ("bot_token", |it| it.bot_token = Secret::new("Bot a-bot-token-that-is-long-enough")),
        ("gateway_url", |it| it.gateway_url = "https://gateway.discord.gg".parse().unwrap()),
        ("api_base_url", |it| it.api_base_url = "https://user:secret@discord.com/api".parse().unwrap()),
        ("command_guilds", |it| it.command_guilds = vec!["My server".into()]),
    ];
    for (key, change) in cases {
        let mut changed = settings();
        change(&mut changed);
        let error = Discord::new("discord", changed).unwrap_err();
        assert_eq!(error.key, key, "{error}");
        assert!(!error.to_string().contains("secret") && !error.to_string().contains("changeme-"), "{error}");
    }
}

#[test]
fn a_body_that_is_broken_is_malformed() {
    let discord = discord();
    let deep = "[".repeat(100_000);
    for body in
        ["", "[]", "{", "nonsense", r#"{"type":"1"}"#, r#"{"a":1e999,"type":}"#, &deep, "\u{0}", r#"{"type":2}"#]
    {
        let verified = discord.verify(signed(body.as_bytes())).unwrap();
        assert!(discord.normalise(&verified).is_err(), "{body:.40}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300), timestamp in "\\PC{0,20}", signature in "\\PC{0,130}") {
        let discord = discord();
        let mut odd = signed(&body);
        if let Ok(header) = HeaderValue::from_bytes(timestamp.as_bytes()) {
            odd.headers.insert("x-signature-timestamp", header);
        }
        if let Ok(header) = HeaderValue::from_bytes(signature.as_bytes()) {
            odd.headers.insert("x-signature-ed25519", header);
        }
        prop_assert!(discord.verify(odd).is_err());
        let _ = discord.normalise(&discord.verify(signed(&body)).unwrap());
    }

    #[test]
    fn no_interaction_makes_it_panic(kind in 0..7u8, text in "[<@#&:>a-z0-9!/| \n]{0,40}", id in "\\PC{0,20}") {
        let body = serde_json::json!({
            "type": kind, "id": id, "token": id, "channel_id": id, "guild_id": id, "user": {"id": id, "username": text},
            "data": {"name": text, "type": kind % 4, "custom_id": text, "target_id": id, "values": [text], "options": [{"name": text, "value": text}],
                "components": [{"custom_id": id, "component": {"custom_id": text, "value": text}}]},
        });
        let discord = discord();
        let _ = discord.normalise(&discord.verify(signed(body.to_string().as_bytes())).unwrap());
    }
}

/// The package that Discord's own documentation names for it believes the same, and nothing else.
#[test]
fn discords_own_package_agrees() {
    let public_key = settings().public_key;
    let bodies = [r#"{"type":1}"#, "{}", "{\"a\":\"ä\u{1f600}\"}", " \n"];
    let case = |body: &str, signature: String| serde_json::json!({ "platform": "discord", "secret": public_key, "body": body, "timestamp": 1_700_000_000, "signature": signature });
    let mut cases: Vec<_> = bodies.iter().map(|body| case(body, sign("1700000000", body.as_bytes()))).collect();
    cases.push(case("{}", sign("1700000000", b"{ }")));
    cases.push(case("{}", sign("1700000001", b"{}")));
    let told = reveille_oracles::run("webhook-signatures", &serde_json::to_string(&cases).unwrap()).unwrap();
    assert_eq!(told, "[true,true,true,true,false,false]");
    for body in bodies {
        assert!(discord().verify(signed(body.as_bytes())).is_ok(), "{body}");
    }
}
