//! Whether a message that may have been posted is there: within a minute posting again is the same as not posting again, later
//! the channel is read.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use reveille_channel::{
    Actor, ActorKind, Channel, InstanceId, Marker, ReplyContext, ReplyError, Secret, Sought, ThreadRef,
};
use reveille_discord::{Discord, Settings};
use serde_json::{Value, json};

const BOT: &str = "771825006014889984";
const CHANNEL: &str = "645027906669510001";

/// An id that was made then ("Snowflakes").
fn id_at(ms: i64) -> String {
    (u64::try_from(ms - 1_420_070_400_000).unwrap() << 22).to_string()
}

fn now_ms() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

fn message(id: &str, author: &str, content: &str) -> Value {
    json!({"id": id, "channel_id": CHANNEL, "author": {"id": author, "username": "x"}, "content": content, "type": 0,
        "timestamp": "2026-01-01T00:00:00.000000+00:00", "components": [], "attachments": [], "mentions": []})
}

#[derive(Clone)]
struct Server {
    messages: Arc<Vec<Value>>,
    asked: Arc<Mutex<u32>>,
}

async fn list(
    State(server): State<Server>,
    Path(_): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Json<Value> {
    *server.asked.lock().unwrap() += 1;
    let after: u64 = query.get("after").map_or(0, |after| after.parse().unwrap());
    let is_after = |one: &&Value| one["id"].as_str().unwrap().parse::<u64>().unwrap() > after;
    let mut found: Vec<Value> = server.messages.iter().filter(is_after).take(100).cloned().collect();
    found.reverse();
    Json(json!(found))
}

/// A connection to a server with these messages, and how often they were asked for.
async fn discord(messages: Vec<Value>) -> (Discord, Arc<Mutex<u32>>) {
    let server = Server { messages: Arc::new(messages), asked: Arc::default() };
    let asked = Arc::clone(&server.asked);
    let router = Router::new()
        .route("/channels/{id}/messages", get(list))
        .route("/users/@me", get(async || Json(json!({"id": BOT, "username": "assistant"}))))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(std::future::IntoFuture::into_future(axum::serve(listener, router)));
    let settings = Settings {
        application_id: BOT.into(),
        public_key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c".into(),
        bot_token: Secret::new("a-bot-token-that-is-long-enough"),
        api_base_url: base.parse().unwrap(),
        gateway: false,
        gateway_url: "ws://127.0.0.1:1".parse().unwrap(),
        command_guilds: Vec::new(),
    };
    let discord = Discord::new("discord", settings).unwrap();
    // Without what the application tells of itself it works all the same.
    discord.identify().await.unwrap();
    (discord, asked)
}

fn context(opened_at_ms: i64) -> ReplyContext {
    ReplyContext {
        thread: ThreadRef {
            installation: "290926798626357999".into(),
            key: CHANNEL.into(),
            location: [("channel", CHANNEL), ("guild", "290926798626357999"), ("channel_type", "11")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            display: "#general".into(),
        },
        recipient: Actor { id: "539082325061830001".into(), name: "alice".into(), kind: ActorKind::Human },
        message: None,
        marker: Marker::of(InstanceId::of("agent"), 1, 0),
        since_ms: opened_at_ms,
        has_failed: false,
    }
}

fn sought(opened_at_ms: i64, text: &str, others: &[&str]) -> Sought {
    Sought { opened_at_ms, text: Some(text.into()), others: others.iter().map(|&other| other.to_owned()).collect() }
}

#[tokio::test]
async fn for_a_minute_the_nonce_tells_and_nothing_is_asked() {
    let began = now_ms() - 5_000;
    let (discord, asked) = discord(vec![message(&id_at(began + 1), BOT, "Looking.")]).await;
    assert_eq!(discord.look_for(&context(began), &sought(began, "Looking.", &[])).await, Ok(None));
    assert_eq!(*asked.lock().unwrap(), 0);
}

#[tokio::test]
async fn later_it_is_the_one_of_ours_that_begins_like_the_text() {
    let began = now_ms() - 120_000;
    let at = |ms: i64| id_at(began + ms);
    let elder = message(&id_at(began - 3_600_000), BOT, "Looking at another clock.");
    let (known, it, foreign) = (at(1_000), at(2_000), at(3_000));
    let mut messages = vec![elder, message(&known, BOT, "Looking at the clock, earlier.")];
    messages.push(message(&it, BOT, "Looking at the clock"));
    messages.push(message(&foreign, "539082325061830001", "Looking at the clock"));
    // More than a page of talk after it.
    messages.extend((0..150).map(|more| message(&at(4_000 + more), "539082325061830001", "talk")));
    let (discord, asked) = discord(messages).await;
    let other = format!("{CHANNEL}/{known}");
    let sought = sought(began, "Looking at the clock. It is late.", &[&other]);
    let found = discord.look_for(&context(began), &sought).await.unwrap().unwrap();
    assert_eq!(found.id, format!("{CHANNEL}/{it}"));
    assert_eq!(*asked.lock().unwrap(), 2, "two pages");
}

#[tokio::test]
async fn where_nothing_of_ours_is_it_was_not_posted() {
    let began = now_ms() - 120_000;
    let talk = message(&id_at(began + 1_000), "539082325061830001", "Looking.");
    let (discord, _) = discord(vec![talk]).await;
    assert_eq!(discord.look_for(&context(began), &sought(began, "Looking.", &[])).await, Ok(None));
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_not_posted_again() {
    let began = now_ms() - 120_000;
    let (discord, _) = discord(vec![message(&id_at(began + 1_000), BOT, "Something else.")]).await;
    let looked = discord.look_for(&context(began), &sought(began, "Looking.", &[])).await;
    assert!(matches!(looked, Err(ReplyError::Refused(_))), "{looked:?}");
}
