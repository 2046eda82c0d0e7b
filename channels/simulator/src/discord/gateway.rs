//! The gateway's server ("Gateway"): hello, heartbeats, sessions that can be resumed, and what goes wrong with them on request.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State as Extract;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::{APPLICATION, CHANNELS, Discord, GUILD, channel, guild, member, user};
use crate::lock;
use crate::slack::put;

/// "List of Intents".
const MESSAGE_CONTENT: u64 = 1 << 15;

/// "Rate Limiting": one IDENTIFY in five seconds.
const IDENTIFY_EVERY: Duration = Duration::from_secs(5);

/// Events that are kept for a session.
const EVENTS_MAX: usize = 20_000;

/// Frames that may wait for a connection.
const QUEUE_MAX: usize = 1_024;

/// The gateway's sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gateway(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sessions: Vec<Session>,
    /// Connections so far, with what each began with.
    began: Vec<Began>,
    last_identify: Option<Instant>,
    /// Heartbeats are not acknowledged.
    is_mute: bool,
    heartbeats: u32,
}

/// What a connection began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// A new session.
    Identify,
    /// An earlier session from this event on.
    Resume(u64),
    /// Its session was not known.
    Invalid,
}

#[derive(Debug)]
struct Session {
    id: String,
    intents: u64,
    /// Every event, by number: what was missed can be brought again.
    events: Vec<(u64, Value)>,
    connection: Option<mpsc::Sender<Order>>,
}

/// What a connection is told to do.
#[derive(Debug)]
enum Order {
    Send(Value),
    /// Closes with a code; 0: cuts the connection.
    Close(u16),
}

impl Discord {
    /// For `channels.discord.gateway_url`'s path.
    pub(crate) const GATEWAY_PATH: &'static str = "/discord/gateway";

    /// What connections to the gateway began with, in order.
    #[must_use]
    pub fn gateway_began(&self) -> Vec<Began> {
        lock(&self.gateway.0).began.clone()
    }

    /// Whether a session has a connection.
    #[must_use]
    pub fn is_listened_to(&self) -> bool {
        lock(&self.gateway.0).sessions.iter().any(|session| session.connection.is_some())
    }

    /// Heartbeats that came.
    #[must_use]
    pub fn heartbeats(&self) -> u32 {
        lock(&self.gateway.0).heartbeats
    }

    /// The connections end without a word; their sessions can be resumed.
    pub fn cut_gateway(&self) {
        self.order(|| Order::Close(0), true);
    }

    /// Closes the connections with a code.
    pub fn close_gateway(&self, code: u16) {
        self.order(|| Order::Close(code), true);
    }

    /// Asks the connections to reconnect: opcode 7.
    pub fn ask_to_reconnect(&self) {
        self.order(|| Order::Send(json!({"op": 7, "d": null})), false);
    }

    /// Says that sessions are invalid: opcode 9. If they can be resumed they are kept, else forgotten.
    pub fn invalidate_sessions(&self, can_resume: bool) {
        self.order(|| Order::Send(json!({"op": 9, "d": can_resume})), true);
        if !can_resume {
            lock(&self.gateway.0).sessions.clear();
        }
    }

    /// Whether heartbeats are acknowledged from now on.
    pub fn acknowledge_heartbeats(&self, whether: bool) {
        lock(&self.gateway.0).is_mute = !whether;
    }

    /// Brings an event of the first kind again to every connection, under its old number: as after a resume that went too far back.
    pub fn repeat_events(&self, name: &str) {
        let mut state = lock(&self.gateway.0);
        for session in &mut state.sessions {
            let again: Vec<Value> = session
                .events
                .iter()
                .filter(|(_, event)| event.get("t").and_then(Value::as_str) == Some(name))
                .map(|(_, event)| event.clone())
                .collect();
            if let Some(connection) = &session.connection {
                for event in again {
                    let _ = connection.try_send(Order::Send(event));
                }
            }
        }
    }

    fn order(&self, order: impl Fn() -> Order, is_last: bool) {
        let mut state = lock(&self.gateway.0);
        for session in &mut state.sessions {
            let connection = if is_last { session.connection.take() } else { session.connection.clone() };
            if let Some(connection) = connection {
                let _ = connection.try_send(order());
            }
        }
        drop(state);
        self.shared.touch();
    }

    /// An event for every session.
    pub(super) fn dispatch(&self, name: &str, data: &Value) {
        self.dispatch_to_all(name, data, false);
    }

    /// As [`Discord::dispatch`], for what the bot did: it sees its own words whatever it may read.
    pub(super) fn dispatch_own(&self, name: &str, data: &Value) {
        self.dispatch_to_all(name, data, true);
    }

    fn dispatch_to_all(&self, name: &str, data: &Value, is_own: bool) {
        let mut state = lock(&self.gateway.0);
        for session in &mut state.sessions {
            let mut data = data.clone();
            let is_message = matches!(name, "MESSAGE_CREATE" | "MESSAGE_UPDATE");
            if is_message && !is_own && session.intents & MESSAGE_CONTENT == 0 && !may_be_read(&data) {
                put(&mut data, "content", json!(""));
            }
            session.push(name, &data);
        }
        drop(state);
        self.shared.touch();
    }

    /// What a new session is told first: who we are, and of each server.
    fn ready(&self, session: &str, address: &str) -> [(&'static str, Value); 2] {
        let ready = json!({
            "v": 10, "user": user(self, APPLICATION), "guilds": [{"id": GUILD, "unavailable": true}], "session_id": session,
            "resume_gateway_url": address, "application": {"id": APPLICATION, "flags": 0},
        });
        let mut joined = guild();
        let places = lock(&self.state).places.clone();
        let (threads, channels): (Vec<_>, Vec<_>) =
            places.iter().filter(|place| place.kind != super::DM).partition(|place| place.kind == super::PUBLIC_THREAD);
        put(&mut joined, "channels", json!(channels.into_iter().map(channel).collect::<Vec<_>>()));
        put(&mut joined, "threads", json!(threads.into_iter().map(channel).collect::<Vec<_>>()));
        put(&mut joined, "members", json!(super::PEOPLE.iter().map(|one| member(self, one)).collect::<Vec<_>>()));
        put(&mut joined, "member_count", json!(CHANNELS.len()));
        [("READY", ready), ("GUILD_CREATE", joined)]
    }
}

/// "Message Content Intent": exceptions are mentions and direct messages.
fn may_be_read(message: &Value) -> bool {
    let mentions = message.get("mentions").and_then(Value::as_array);
    let is_mentioned =
        mentions.is_some_and(|users| users.iter().any(|user| user.get("id") == Some(&json!(APPLICATION))));
    is_mentioned || message.get("guild_id").is_none()
}

impl Session {
    fn push(&mut self, name: &str, data: &Value) {
        let number = self.events.last().map_or(1, |(number, _)| number + 1);
        let event = json!({"op": 0, "s": number, "t": name, "d": data});
        self.events.push((number, event.clone()));
        let surplus = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..surplus);
        if let Some(connection) = &self.connection
            && connection.try_send(Order::Send(event)).is_err()
        {
            self.connection = None;
        }
    }
}

/// `GET /gateway`, to become a WebSocket.
pub(super) async fn upgrade(Extract(discord): Extract<Discord>, mut request: axum::extract::Request) -> Response {
    let Some(key) = request.headers().get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes())) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = discord.shared.tasks.clone();
    tasks.spawn(async move {
        let stop = discord.shared.stop.clone();
        let serving = async {
            let Ok(upgraded) = upgraded.await else {
                return;
            };
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
            serve(&discord, socket, &format!("ws://{host}{}", Discord::GATEWAY_PATH), &query).await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = serving => {}
        }
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert("sec-websocket-accept", key);
    }
    response
}

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn serve(discord: &Discord, mut socket: Socket, address: &str, query: &str) {
    // "Connecting": the version is named.
    if !query.contains("v=10") || !query.contains("encoding=json") {
        return close(&mut socket, 4012).await;
    }
    let interval = u64::try_from(discord.options.heartbeat.as_millis()).unwrap_or(u64::MAX);
    if send(&mut socket, &json!({"op": 10, "d": {"heartbeat_interval": interval}})).await.is_err() {
        return;
    }
    let (orders, mut inbox) = mpsc::channel::<Order>(QUEUE_MAX);
    loop {
        tokio::select! {
            order = inbox.recv() => match order {
                Some(Order::Send(frame)) => {
                    if send(&mut socket, &frame).await.is_err() {
                        break;
                    }
                }
                Some(Order::Close(0)) | None => break,
                Some(Order::Close(code)) => return close(&mut socket, code).await,
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let Ok(frame) = serde_json::from_str::<Value>(&text) else {
                        return close(&mut socket, 4002).await;
                    };
                    match discord.hear(&frame, &orders, address) {
                        Heard::Say(answer) => {
                            if send(&mut socket, &answer).await.is_err() {
                                break;
                            }
                        }
                        Heard::Nothing => {}
                        Heard::Close(code) => return close(&mut socket, code).await,
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // The connection is gone, its session is not.
    let mut state = lock(&discord.gateway.0);
    for session in &mut state.sessions {
        if session.connection.as_ref().is_some_and(|connection| connection.same_channel(&orders)) {
            session.connection = None;
        }
    }
    drop(state);
    discord.shared.touch();
}

enum Heard {
    Say(Value),
    Nothing,
    Close(u16),
}

impl Discord {
    fn hear(&self, frame: &Value, orders: &mpsc::Sender<Order>, address: &str) -> Heard {
        let data = frame.get("d").cloned().unwrap_or_default();
        match frame.get("op").and_then(Value::as_u64) {
            Some(1) => {
                let mut state = lock(&self.gateway.0);
                state.heartbeats += 1;
                let is_mute = state.is_mute;
                drop(state);
                self.shared.touch();
                if is_mute { Heard::Nothing } else { Heard::Say(json!({"op": 11})) }
            }
            Some(2) => self.identify(&data, orders, address),
            Some(6) => self.resume(&data, orders),
            _ => Heard::Close(4001),
        }
    }

    fn identify(&self, data: &Value, orders: &mpsc::Sender<Order>, address: &str) -> Heard {
        if data.get("token").and_then(Value::as_str) != Some(&self.options.bot_token) {
            return Heard::Close(4004);
        }
        let intents = data.get("intents").and_then(Value::as_u64).unwrap_or(0);
        if intents & MESSAGE_CONTENT != 0 && !self.options.message_content {
            return Heard::Close(4014);
        }
        {
            let mut state = lock(&self.gateway.0);
            let now = Instant::now();
            if state.last_identify.is_some_and(|last| now.duration_since(last) < IDENTIFY_EVERY) {
                state.began.push(Began::Invalid);
                return Heard::Say(json!({"op": 9, "d": false}));
            }
            state.last_identify = Some(now);
            state.began.push(Began::Identify);
        }
        let id = format!("session-{}", lock(&self.state).new_id());
        let mut session = Session { id: id.clone(), intents, events: Vec::new(), connection: Some(orders.clone()) };
        for (name, data) in self.ready(&id, address) {
            session.push(name, &data);
        }
        lock(&self.gateway.0).sessions.push(session);
        self.shared.touch();
        Heard::Nothing
    }

    fn resume(&self, data: &Value, orders: &mpsc::Sender<Order>) -> Heard {
        if data.get("token").and_then(Value::as_str) != Some(&self.options.bot_token) {
            return Heard::Close(4004);
        }
        let wanted = data.get("session_id").and_then(Value::as_str).unwrap_or_default();
        let from = data.get("seq").and_then(Value::as_u64).unwrap_or(0);
        let mut state = lock(&self.gateway.0);
        let state = &mut *state;
        let Some(session) = state.sessions.iter_mut().find(|session| session.id == wanted) else {
            state.began.push(Began::Invalid);
            return Heard::Say(json!({"op": 9, "d": false}));
        };
        if session.events.last().is_some_and(|(last, _)| from > *last) {
            return Heard::Close(4007);
        }
        state.began.push(Began::Resume(from));
        for (_, event) in session.events.iter().filter(|(number, _)| *number > from) {
            let _ = orders.try_send(Order::Send(event.clone()));
        }
        session.connection = Some(orders.clone());
        session.push("RESUMED", &json!({}));
        self.shared.touch();
        Heard::Nothing
    }
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), ()> {
    socket.send(Message::text(frame.to_string())).await.map_err(drop)
}

async fn close(socket: &mut Socket, code: u16) {
    let frame = CloseFrame { code: CloseCode::from(code), reason: "as asked".into() };
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(Some(frame))).await;
}
