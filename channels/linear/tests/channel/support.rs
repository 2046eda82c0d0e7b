//! What the tests of this crate share: a connection, and deliveries as Linear signs them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use reveille_channel::{
    Actor, ActorKind, Channel, Delivery, Event, Inbound, InstanceId, Marker, Op, ReplyContext, Route, Secret, ThreadRef,
};
use reveille_linear::{Auth, Linear, Settings};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stand_in::StandIn;

pub(crate) const SECRET: &str = "lin_wh_0123456789abcdefghij";
pub(crate) const DELIVERY: &str = "234d1a4e-b617-4388-90fe-adc3633d6b72";
/// When the recorded payloads say that they were sent.
pub(crate) const SENT_AT_MS: i64 = 1_732_500_000_000;

pub(crate) const APP: &str = "7a1c0f52-93a4-4b0e-8a45-3c1c5f0a9d10";
pub(crate) const ANN: &str = "11f3a9f0-0b6e-4f0c-a0a1-6f6d0c1d2e3f";
pub(crate) const ORGANIZATION: &str = "2d6a4f1e-5d4f-4a3b-9c68-0a1f6f1d1c01";
pub(crate) const ISSUE: &str = "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9";
pub(crate) const ROOT: &str = "8b0f3c64-2d5a-4e7f-8a9b-0c1d2e3f4a5b";
pub(crate) const SESSION: &str = "5f0f8c52-7b3a-4f5d-9b1a-0c2d3e4f5a6b";

pub(crate) fn connection(auth: Auth, base: &str) -> Linear {
    let settings = Settings { webhook_secret: Secret::new(SECRET), auth, api_base_url: base.parse().unwrap() };
    Linear::new("linear", settings).unwrap()
}

pub(crate) fn token(base: &str) -> Linear {
    connection(Auth::Token(Secret::new("lin_oauth_test")), base)
}

/// A connection that does not know who it is.
pub(crate) fn nobody() -> Linear {
    token("http://127.0.0.1:9/graphql")
}

/// The app as the recorded payloads know it, without agent sessions.
pub(crate) fn viewer() -> Value {
    json!({ "viewer": {
        "id": APP, "name": "assistant", "displayName": "assistant", "url": "https://linear.app/acme/profiles/assistant",
        "app": true, "isAssignable": true, "isMentionable": true, "supportsAgentSessions": false,
        "organization": { "id": ORGANIZATION, "name": "Acme", "urlKey": "acme" },
    } })
}

/// A connection that knows who it is.
pub(crate) async fn identified(has_sessions: bool) -> Linear {
    let server = StandIn::start().await;
    let mut viewer = viewer();
    viewer["viewer"]["supportsAgentSessions"] = json!(has_sessions);
    server.on("Viewer", viewer);
    let linear = token(&server.base);
    linear.identify().await.unwrap();
    linear
}

pub(crate) fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// A delivery with the headers given beside a right signature; a header without a value is left out.
pub(crate) fn delivery(body: impl Into<Bytes>, other: &[(&'static str, &str)]) -> Delivery {
    let body = body.into();
    let mut headers = HeaderMap::new();
    let defaults = [
        ("content-type", "application/json; charset=utf-8"),
        ("linear-delivery", DELIVERY),
        ("linear-signature", &signature(&body)),
        ("user-agent", "Linear-Webhook"),
    ];
    for (name, value) in
        defaults.iter().filter(|(name, _)| !other.iter().any(|(instead, _)| instead == name)).chain(other)
    {
        if !value.is_empty() {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
    }
    Delivery { route: Route::Webhook, headers, body, received_at_ms: SENT_AT_MS + 250 }
}

/// What a delivery means; its signature must be right.
pub(crate) fn normalised(linear: &Linear, delivery: Delivery) -> Result<Inbound, String> {
    let verified = linear.verify(delivery).unwrap();
    linear.normalise(&verified).map_err(|error| error.to_string())
}

/// The one event of a body.
pub(crate) fn event(linear: &Linear, body: &[u8]) -> Event {
    match normalised(linear, delivery(body.to_vec(), &[])) {
        Ok(Inbound::Events(mut events)) if events.len() == 1 => events.remove(0),
        other => panic!("{other:?}"),
    }
}

fn thread(key: &str, location: &[(&str, &str)]) -> ThreadRef {
    ThreadRef {
        installation: ORGANIZATION.to_owned(),
        key: key.to_owned(),
        location: location.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        display: "ENG-42".to_owned(),
    }
}

pub(crate) fn in_session() -> ThreadRef {
    thread(SESSION, &[("session", SESSION), ("issue", ISSUE), ("identifier", "ENG-42")])
}

pub(crate) fn in_thread() -> ThreadRef {
    thread(&format!("{ISSUE}:{ROOT}"), &[("issue", ISSUE), ("comment", ROOT)])
}

pub(crate) fn on_issue() -> ThreadRef {
    thread(ISSUE, &[("issue", ISSUE)])
}

pub(crate) fn nowhere() -> ThreadRef {
    thread("installation", &[])
}

pub(crate) fn person(id: &str) -> Actor {
    Actor { id: id.to_owned(), name: "Ann Author".to_owned(), kind: ActorKind::Human }
}

pub(crate) fn context(thread: ThreadRef) -> ReplyContext {
    ReplyContext {
        thread,
        recipient: person(ANN),
        message: Some(ROOT.to_owned()),
        marker: Marker::of(InstanceId::of("assistant/linear/org/thread"), 1, 0),
        since_ms: SENT_AT_MS,
        has_failed: false,
    }
}

pub(crate) fn start(text: &str) -> Op {
    Op::Start { text: text.to_owned(), complete: false }
}
