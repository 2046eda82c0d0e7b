//! Verify and normalise one delivery of each platform, beside its signature's arithmetic alone: HMAC-SHA256, or Ed25519.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use reveille_channel::{Channel, Delivery, Inbound, Route, Secret};
use reveille_discord::Discord;
use reveille_github::GitHub;
use reveille_linear::Linear;
use reveille_slack::Slack;
use sha2::Sha256;

use crate::Figure;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const ROUNDS: u32 = 20_000;

/// When everything is delivered, milliseconds since the Unix epoch.
const NOW_MS: i64 = 1_700_000_000_000;

/// One delivery, and what is signed.
struct Sample {
    platform: &'static str,
    channel: Box<dyn Channel>,
    delivery: Delivery,
    /// What stands before the body under the signature.
    prefix: &'static str,
}

fn discord_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn code(prefix: &str, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(prefix.as_bytes());
    mac.update(body);
    Ok(hex::encode(mac.finalize().into_bytes()))
}

fn delivery(route: Route, body: Bytes, headers: &[(&'static str, String)]) -> Result<Delivery> {
    let mut map = HeaderMap::new();
    map.insert("content-type", "application/json".parse()?);
    for (name, value) in headers {
        map.insert(*name, value.parse()?);
    }
    Ok(Delivery { route, headers: map, body, received_at_ms: NOW_MS })
}

fn slack() -> Result<Sample> {
    let settings = reveille_slack::Settings {
        signing_secret: Some(Secret::new(SECRET)),
        app_token: None,
        bot_token: Some(Secret::new("xoxb-bench")),
        client: None,
        api_base_url: "http://127.0.0.1:1/api".parse()?,
        feedback: true,
    };
    let body = Bytes::from_static(include_bytes!("../../channels/slack/fixtures/app_mention.json"));
    let prefix = "v0:1700000000:";
    let signature = format!("v0={}", code(prefix, &body)?);
    let headers = [("x-slack-request-timestamp", "1700000000".to_owned()), ("x-slack-signature", signature)];
    let channel = Box::new(Slack::new("slack", settings)?);
    Ok(Sample { platform: "Slack", channel, delivery: delivery(Route::Events, body, &headers)?, prefix })
}

fn github() -> Result<Sample> {
    let settings = reveille_github::Settings {
        webhook_secret: Secret::new(SECRET),
        auth: reveille_github::Auth::Token(Secret::new("ghp_bench")),
        api_base_url: "http://127.0.0.1:1".parse()?,
    };
    let body = Bytes::from_static(include_bytes!("../../channels/github/fixtures/issue_comment.created.json"));
    let headers = [
        ("x-hub-signature-256", format!("sha256={}", code("", &body)?)),
        ("x-github-event", "issue_comment".to_owned()),
        ("x-github-delivery", "00000000-0000-0000-0000-000000000001".to_owned()),
    ];
    let channel = Box::new(GitHub::new("github", settings)?);
    Ok(Sample { platform: "GitHub", channel, delivery: delivery(Route::Webhook, body, &headers)?, prefix: "" })
}

fn linear() -> Result<Sample> {
    let settings = reveille_linear::Settings {
        webhook_secret: Secret::new(SECRET),
        auth: reveille_linear::Auth::Token(Secret::new("lin_bench")),
        api_base_url: "http://127.0.0.1:1/graphql".parse()?,
    };
    let written = include_bytes!("../../channels/linear/fixtures/agent_session.created.delegation.json");
    let mut object: serde_json::Value = serde_json::from_slice(written)?;
    object.as_object_mut().context("it is an object")?.insert("webhookTimestamp".into(), NOW_MS.into());
    let body = Bytes::from(serde_json::to_vec(&object)?);
    let headers = [
        ("linear-signature", code("", &body)?),
        ("linear-delivery", "00000000-0000-0000-0000-000000000001".to_owned()),
    ];
    let channel = Box::new(Linear::new("linear", settings)?);
    Ok(Sample { platform: "Linear", channel, delivery: delivery(Route::Webhook, body, &headers)?, prefix: "" })
}

fn discord() -> Result<Sample> {
    let settings = reveille_discord::Settings {
        application_id: "771825006014889984".into(),
        public_key: hex::encode(discord_key().verifying_key().as_bytes()),
        bot_token: Secret::new("MTAw.bench-bench-bench-bench"),
        api_base_url: "http://127.0.0.1:1/api/v10".parse()?,
        gateway: false,
        gateway_url: "ws://127.0.0.1:1".parse()?,
        command_guilds: Vec::new(),
    };
    let body = Bytes::from_static(include_bytes!("../../channels/discord/fixtures/command.json"));
    let prefix = "1700000000";
    let signature = discord_key().sign(&[prefix.as_bytes(), &body].concat());
    let headers =
        [("x-signature-timestamp", prefix.to_owned()), ("x-signature-ed25519", hex::encode(signature.to_bytes()))];
    let channel = Box::new(Discord::new("discord", settings)?);
    Ok(Sample { platform: "Discord", channel, delivery: delivery(Route::Interactions, body, &headers)?, prefix })
}

pub(crate) fn figures() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for sample in [slack()?, github()?, linear()?] {
        let alone = each(|| code(sample.prefix, black_box(&sample.delivery.body)))?;
        figures.push(figure(&sample, "HMAC", alone)?);
    }
    let sample = discord()?;
    let signed = [sample.prefix.as_bytes(), &sample.delivery.body].concat();
    let (key, signature) = (discord_key().verifying_key(), discord_key().sign(&signed));
    let alone = each(|| Ok(key.verify_strict(black_box(&signed), &signature)?))?;
    figures.push(figure(&sample, "Ed25519", alone)?);
    Ok(figures)
}

fn figure(sample: &Sample, algorithm: &str, yardstick: Duration) -> Result<Figure> {
    let ours = each(|| {
        let verified = sample.channel.verify(black_box(sample.delivery.clone()))?;
        match sample.channel.normalise(&verified)? {
            Inbound::Events(events) | Inbound::Answered { events, .. } if !events.is_empty() => Ok(events),
            other => anyhow::bail!("{} is taken for nothing: {other:?}", sample.platform),
        }
    })?;
    Ok(Figure {
        what: format!("verify + normalise a delivery of {}, {} bytes", sample.platform, sample.delivery.body.len()),
        yardstick: format!("{algorithm} alone {:.2} µs", yardstick.as_secs_f64() * 1e6),
        ours: format!("{:.2} µs", ours.as_secs_f64() * 1e6),
        ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
        goal: "≤ 10",
    })
}

/// How long one call takes, over many.
fn each<T>(call: impl Fn() -> Result<T>) -> Result<Duration> {
    let started = Instant::now();
    for _ in 0..ROUNDS {
        black_box(call()?);
    }
    Ok(started.elapsed() / ROUNDS)
}
