//! Socket Mode: the same bodies as envelopes over a WebSocket ("Using Socket Mode").
//!
//! An app that opens sockets gets everything over them and nothing by HTTP. An envelope that is not acknowledged within
//! three seconds is sent again, on whichever socket is open then.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use crate::{Shared, lock};

/// How often Slack makes sure that a socket is alive.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Frames that wait for one socket.
const WAITING_MAX: usize = 64;

/// What is known of the app's sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sockets(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    address: Option<SocketAddr>,
    tickets: u64,
    open: Vec<(u64, mpsc::Sender<String>)>,
    /// Envelopes that wait for their acknowledgement.
    waiting: HashMap<String, oneshot::Sender<Bytes>>,
}

impl Sockets {
    /// The app has opened sockets: what is delivered goes over them.
    pub(crate) fn are_used(&self) -> bool {
        lock(&self.0).address.is_some()
    }

    /// An address for one connection; the first one starts the server.
    pub(crate) async fn address(&self, shared: &Shared) -> std::io::Result<String> {
        let known = lock(&self.0).address;
        let address = match known {
            Some(address) => address,
            None => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                lock(&self.0).address = Some(address);
                let (sockets, shared) = (self.clone(), shared.clone());
                shared.tasks.clone().spawn(async move { sockets.accept(listener, shared).await });
                address
            }
        };
        let mut state = lock(&self.0);
        state.tickets += 1;
        Ok(format!("ws://{address}/link/?ticket={}&app_id=A0DEMO0001", state.tickets))
    }

    async fn accept(&self, listener: TcpListener, shared: Shared) {
        let mut number = 0;
        loop {
            let accepted = tokio::select! {
                () = shared.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                continue;
            };
            number += 1;
            let (sockets, shared) = (self.clone(), shared.clone());
            shared.tasks.clone().spawn(async move {
                let stop = shared.stop.clone();
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sockets.serve(number, stream, &shared) => {}
                }
                lock(&sockets.0).open.retain(|(one, _)| *one != number);
                shared.touch();
            });
        }
    }

    async fn serve(&self, number: u64, stream: TcpStream, shared: &Shared) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
            return;
        };
        let (say, mut said) = mpsc::channel(WAITING_MAX);
        let connections = {
            let mut state = lock(&self.0);
            state.open.push((number, say));
            state.open.len()
        };
        let hello = json!({"type": "hello", "num_connections": connections, "connection_info": {"app_id": "A0DEMO0001"}, "debug_info": {"host": "simulated", "approximate_connection_time": 18060}});
        if socket.send(Message::text(hello.to_string())).await.is_err() {
            return;
        }
        shared.touch();
        let mut ping = tokio::time::interval(PING_EVERY);
        loop {
            let next = tokio::select! {
                _ = ping.tick() => Message::Ping(Bytes::from_static(b"Ping")),
                frame = said.recv() => match frame {
                    Some(frame) => Message::text(frame),
                    None => return,
                },
                heard = socket.next() => {
                    let Some(Ok(heard)) = heard else { return };
                    if let Message::Text(text) = heard {
                        self.acknowledged(&text);
                    }
                    continue;
                }
            };
            if socket.send(next).await.is_err() {
                return;
            }
        }
    }

    fn acknowledged(&self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let id = frame.get("envelope_id").and_then(Value::as_str).unwrap_or_default();
        let answer = frame.get("payload").map(ToString::to_string).unwrap_or_default();
        let waiting = lock(&self.0).waiting.remove(id);
        if let Some(waiting) = waiting {
            // Whoever stopped waiting sends it again.
            let _ = waiting.send(Bytes::from(answer));
        }
    }

    /// Sends what would be the body of a request as an envelope, and waits for its acknowledgement with the answer it holds.
    pub(crate) async fn deliver(&self, path: &str, body: &[u8], attempt: u32, deadline: Duration) -> Option<Bytes> {
        let fields = || url::form_urlencoded::parse(body);
        let (kind, payload) = if path.ends_with("/commands") {
            let fields = fields().map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
            ("slash_commands", Value::Object(fields.collect()))
        } else if path.ends_with("/interactivity") {
            let payload = fields().find(|(name, _)| name == "payload").map(|(_, payload)| payload.into_owned());
            ("interactive", serde_json::from_str(&payload.unwrap_or_default()).unwrap_or_default())
        } else {
            ("events_api", serde_json::from_slice(body).unwrap_or_default())
        };
        let (acknowledge, acknowledged) = oneshot::channel();
        let (frame, socket) = {
            let mut state = lock(&self.0);
            let socket = state.open.last().map(|(_, socket)| socket.clone())?;
            state.tickets += 1;
            let id = format!("envelope-{}", state.tickets);
            let reason = if attempt > 0 { "timeout" } else { "" };
            let frame = json!({
                "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api",
                "retry_attempt": attempt, "retry_reason": reason,
            });
            state.waiting.insert(id, acknowledge);
            (frame.to_string(), socket)
        };
        let heard = async {
            socket.send(frame).await.ok()?;
            acknowledged.await.ok()
        };
        tokio::time::timeout(deadline, heard).await.ok().flatten()
    }

    /// Tells every open socket that it will be ended.
    pub(crate) fn refresh(&self) {
        let frame = json!({"type": "disconnect", "reason": "warning", "debug_info": {"host": "simulated"}}).to_string();
        for (_, socket) in &lock(&self.0).open {
            let _ = socket.try_send(frame.clone());
        }
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).open.len()
    }
}
