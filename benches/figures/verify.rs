//! Verify and normalise one delivery of Slack, and one interaction of Discord, beside the check of the signature alone.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use reveille_channel::{Channel, Delivery, Route, Secret};
use reveille_discord::Discord;
use reveille_slack::{Settings, Slack};
use sha2::Sha256;

use crate::Figure;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const ROUNDS: u32 = 50_000;
/// A check of Ed25519 takes a hundred times as long.
const DISCORD_ROUNDS: u32 = 5_000;

fn code(body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(b"v0:1700000000:");
    mac.update(body);
    Ok(format!("v0={}", hex::encode(mac.finalize().into_bytes())))
}

pub(crate) fn figures() -> Result<Vec<Figure>> {
    Ok(vec![slack()?, discord()?])
}

fn slack() -> Result<Figure> {
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
            feedback: true,
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
    Ok(Figure {
        what: "verify + normalise a Slack delivery".into(),
        yardstick: format!("HMAC alone {:.2} µs", yardstick.as_secs_f64() * 1e6),
        ours: format!("{:.2} µs", ours.as_secs_f64() * 1e6),
        ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
        goal: "≤ 10",
    })
}

fn discord() -> Result<Figure> {
    let body = Bytes::from_static(include_bytes!("../../channels/discord/fixtures/command.json"));
    let key = SigningKey::from_bytes(&[7; 32]);
    let signed = [b"1700000000".as_slice(), body.as_ref()].concat();
    let signature = key.sign(&signed);
    let public = key.verifying_key();
    let started = Instant::now();
    for _ in 0..DISCORD_ROUNDS {
        black_box(public.verify_strict(black_box(&signed), &signature))?;
    }
    let yardstick = started.elapsed() / DISCORD_ROUNDS;
    let discord = Discord::new(
        "discord",
        reveille_discord::Settings {
            application_id: "771825006014889984".into(),
            public_key: hex::encode(public.to_bytes()),
            bot_token: Secret::new("a-bot-token-that-is-long-enough"),
            api_base_url: "http://127.0.0.1:1/api/v10".parse()?,
            gateway: false,
            gateway_url: "ws://127.0.0.1:1".parse()?,
            command_guilds: Vec::new(),
        },
    )?;
    let mut headers = HeaderMap::new();
    headers.insert("x-signature-timestamp", "1700000000".parse()?);
    headers.insert("x-signature-ed25519", hex::encode(signature.to_bytes()).parse()?);
    let started = Instant::now();
    for _ in 0..DISCORD_ROUNDS {
        let delivery = Delivery {
            route: Route::Interactions,
            headers: headers.clone(),
            body: body.clone(),
            received_at_ms: 1_700_000_000_000,
        };
        let verified = discord.verify(black_box(delivery))?;
        black_box(discord.normalise(&verified).context("it is well formed")?);
    }
    let ours = started.elapsed() / DISCORD_ROUNDS;
    Ok(Figure {
        what: "verify + normalise an interaction of Discord".into(),
        yardstick: format!("Ed25519 alone {:.2} µs", yardstick.as_secs_f64() * 1e6),
        ours: format!("{:.2} µs", ours.as_secs_f64() * 1e6),
        ratio: ours.as_secs_f64() / yardstick.as_secs_f64(),
        goal: "≤ 2",
    })
}
