//! Signed deliveries, and a connection that reads them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use reveille_channel::{Channel, Delivery, Event, Inbound, Malformed, Route, Secret};
use reveille_slack::{Settings, Slack};
use sha2::Sha256;

pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) fn slack() -> Slack {
    let settings = Settings {
        signing_secret: Some(Secret::new(SECRET)),
        app_token: None,
        bot_token: Some(Secret::new("xoxb-test")),
        client: None,
        api_base_url: "http://127.0.0.1:1/api".parse().unwrap(),
        feedback: true,
    };
    Slack::new("slack", settings).unwrap()
}

pub(crate) fn sign(timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

pub(crate) fn delivery(timestamp: &str, signature: &str, body: &[u8]) -> Delivery {
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", HeaderValue::from_bytes(timestamp.as_bytes()).unwrap());
    headers.insert("x-slack-signature", HeaderValue::from_str(signature).unwrap());
    Delivery { route: Route::Events, headers, body: Bytes::copy_from_slice(body), received_at_ms: NOW_MS }
}

pub(crate) fn signed(body: &[u8]) -> Delivery {
    delivery("1700000000", &sign("1700000000", body), body)
}

/// What a signed body means on one of the endpoints.
pub(crate) fn read_on(slack: &Slack, route: Route, body: &[u8]) -> Result<Inbound, Malformed> {
    slack.normalise(&slack.verify(Delivery { route, ..signed(body) }).unwrap())
}

/// A form with these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// The one event that a delivery holds.
pub(crate) fn only(inbound: Inbound) -> Event {
    match inbound {
        Inbound::Events(mut events) | Inbound::Answered { mut events, .. } if events.len() == 1 => events.remove(0),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn read(body: &[u8]) -> Inbound {
    let slack = slack();
    slack.normalise(&slack.verify(signed(body)).unwrap()).unwrap()
}

pub(crate) fn event(body: &str) -> Event {
    only(read(body.as_bytes()))
}
