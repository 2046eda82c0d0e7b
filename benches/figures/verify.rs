//! Verify and normalise one Slack delivery, beside the HMAC of its body alone.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use reveille_channel::{Channel, Delivery, Route, Secret};
use reveille_slack::{Settings, Slack};
use sha2::Sha256;

use crate::Figure;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const ROUNDS: u32 = 50_000;

fn code(body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(b"v0:1700000000:");
    mac.update(body);
    Ok(format!("v0={}", hex::encode(mac.finalize().into_bytes())))
}

pub(crate) fn figures() -> Result<Vec<Figure>> {
    let body = Bytes::from_static(include_bytes!("../../channels/slack/fixtures/app_mention.json"));
    let started = Instant::now();
    for _ in 0..ROUNDS {
        black_box(code(black_box(&body))?);
    }
    let yardstick = started.elapsed() / ROUNDS;
    let slack = Slack::new(
        "slack",
        Settings {
            signing_secret: Some(Secret::new(SECRET)),
            app_token: None,
            bot_token: Some(Secret::new("xoxb-bench")),
            client: None,
            api_base_url: "http://127.0.0.1:1/api".parse()?,
        },
    )?;
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", "1700000000".parse()?);
    headers.insert("x-slack-signature", code(&body)?.parse()?);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        let delivery = Delivery {
            route: Route::Events,
            headers: headers.clone(),
            body: body.clone(),
            received_at_ms: 1_700_000_000_000,
        };
        let verified = slack.verify(black_box(delivery))?;
        black_box(slack.normalise(&verified).context("it is well formed")?);
    }
    let ours = started.elapsed() / ROUNDS;
    Ok(vec![Figure {
        what: "verify + normalise a Slack delivery".into(),
        yardstick: format!("HMAC alone {:.2} µs", yardstick.as_secs_f64() * 1e6),
        ours: format!("{:.2} µs", ours.as_secs_f64() * 1e6),
        ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
        goal: "≤ 10",
    }])
}
