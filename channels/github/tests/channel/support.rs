//! What the tests of this crate share: a connection, and deliveries as GitHub signs them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use reveille_channel::{
    Actor, ActorKind, Channel, Delivery, Event, Inbound, InstanceId, Marker, Op, ReplyContext, Route, Secret, ThreadRef,
};
use reveille_github::{Auth, GitHub, Settings};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const SECRET: &str = "It's a Secret to Everybody";
pub(crate) const APP_ID: u64 = 12_345;
pub(crate) const GUID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
pub(crate) const RECEIVED_AT_MS: i64 = 1_557_933_700_000;

pub(crate) fn app_auth() -> Auth {
    Auth::App { app_id: APP_ID, private_key: Secret::new(include_str!("../../fixtures/app.pem")) }
}

pub(crate) fn connection(auth: Auth, base: &str) -> GitHub {
    let settings = Settings { webhook_secret: Secret::new(SECRET), auth, api_base_url: base.parse().unwrap() };
    GitHub::new("github", settings).unwrap()
}

pub(crate) fn app() -> GitHub {
    connection(app_auth(), "https://api.github.com")
}

pub(crate) fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A delivery with the headers given beside a right signature; a header without a value is left out.
pub(crate) fn delivery(event: &str, body: impl Into<Bytes>, other: &[(&'static str, &str)]) -> Delivery {
    let body = body.into();
    let mut headers = HeaderMap::new();
    let defaults = [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", GUID),
        ("x-hub-signature-256", &signature(&body)),
    ];
    for (name, value) in
        defaults.iter().filter(|(name, _)| !other.iter().any(|(instead, _)| instead == name)).chain(other)
    {
        if !value.is_empty() {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
    }
    Delivery { route: Route::Webhook, headers, body, received_at_ms: RECEIVED_AT_MS }
}

/// What a delivery means; its signature must be right.
pub(crate) fn normalised(github: &GitHub, delivery: Delivery) -> Result<Inbound, String> {
    let verified = github.verify(delivery).unwrap();
    github.normalise(&verified).map_err(|error| error.to_string())
}

/// The one event of a recorded payload.
pub(crate) fn event(github: &GitHub, name: &str, body: &[u8]) -> Event {
    match normalised(github, delivery(name, body.to_vec(), &[])) {
        Ok(Inbound::Events(mut events)) if events.len() == 1 => events.remove(0),
        other => panic!("{name}: {other:?}"),
    }
}

pub(crate) const COMMENTS: &str = "/repos/acme/app/issues/7/comments";

pub(crate) fn token(base: &str) -> GitHub {
    connection(Auth::Token(Secret::new("ghp_test")), base)
}

/// `acme/app#7`, whose repository has the id 42.
pub(crate) fn thread(installation: &str) -> ThreadRef {
    let location =
        [("owner", "acme"), ("repo", "app"), ("number", "7"), ("installation", installation), ("kind", "issue")];
    ThreadRef {
        installation: installation.to_owned(),
        key: "42:7".to_owned(),
        location: location.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        display: "acme/app#7".to_owned(),
    }
}

pub(crate) fn person(id: u64, login: &str) -> Actor {
    Actor { id: id.to_string(), name: login.to_owned(), kind: ActorKind::Human }
}

pub(crate) fn context(installation: &str) -> ReplyContext {
    ReplyContext {
        thread: thread(installation),
        recipient: person(1, "octocat"),
        message: Some("100".to_owned()),
        marker: Marker::of(InstanceId::of("assistant/github/1/42:7"), 1, 0),
        since_ms: 1_557_933_621_500,
        has_failed: false,
    }
}

pub(crate) fn start(text: &str) -> Op {
    Op::Start { text: text.to_owned(), complete: false }
}

/// A comment as the REST API gives it.
pub(crate) fn comment(id: u64, user_id: u64, login: &str, body: &str) -> Value {
    json!({
        "id": id, "body": body, "user": { "id": user_id, "login": login, "type": "User" },
        "created_at": "2019-05-15T15:20:21Z", "updated_at": "2019-05-15T15:20:21Z",
        "html_url": format!("https://github.com/acme/app/issues/7#issuecomment-{id}"), "performed_via_github_app": null,
    })
}
