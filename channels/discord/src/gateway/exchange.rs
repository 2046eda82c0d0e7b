//! The socket's side: hello, heartbeats, identify or resume, and events into the queue.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use reveille_channel::Secret;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::Dispatch;
use super::connect::Socket;
use super::frame::{self, Frame, Hello};
use super::session::Session;

/// How long the gateway may take to greet, and then to say that the session begins or has caught up.
const HELLO_DEADLINE: Duration = Duration::from_secs(20);
const READY_DEADLINE: Duration = Duration::from_secs(90);

/// How long sending a frame may take.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// Bounds on the pause between heartbeats, milliseconds: the documentation's example has 45,000.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 50..=120_000;

/// "Initiating a Disconnect": neither 1000 nor 1001, after which the session would be gone.
const GOING_ON: u16 = 4_000;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The gateway asked for it, or stopped to answer.
    Reconnect,
    /// The gateway does not know the session.
    Invalid,
    /// The gateway closed it, with a code or without.
    Closed(Option<u16>),
    /// It broke, or what came was not what the documentation says.
    Broken(String),
}

/// Events that are acted upon. Of others only the number counts.
const EVENTS: &[&str] = &[
    "READY",
    "RESUMED",
    "GUILD_CREATE",
    "GUILD_DELETE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "THREAD_CREATE",
    "THREAD_UPDATE",
    "THREAD_DELETE",
    "THREAD_LIST_SYNC",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "INTERACTION_CREATE",
];

/// Talks until the connection ends.
pub(super) async fn exchange(
    mut socket: Socket,
    session: Option<&Session>,
    token: &Secret,
    with_content: bool,
    queue: &mpsc::Sender<Dispatch>,
) -> Ended {
    let ended = talk(&mut socket, session, token, with_content, queue).await;
    let ended = match ended {
        Ok(never) => match never {},
        Err(ended) => ended,
    };
    if matches!(ended, Ended::Reconnect | Ended::Broken(_)) {
        let close = CloseFrame { code: CloseCode::from(GOING_ON), reason: "going on".into() };
        // Whether it is heard does not matter: a connection that is only cut keeps its session too.
        let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(Some(close))).await;
    }
    ended
}

enum Never {}

async fn talk(
    socket: &mut Socket,
    session: Option<&Session>,
    token: &Secret,
    with_content: bool,
    queue: &mpsc::Sender<Dispatch>,
) -> Result<Never, Ended> {
    let interval = tokio::time::timeout(HELLO_DEADLINE, hello(socket))
        .await
        .map_err(|_| Ended::Broken("it does not greet".into()))??;
    let mut sequence = session.map(|session| session.sequence);
    send(
        socket,
        &match session {
            Some(session) => frame::resume(token.expose(), &session.id, session.sequence),
            None => frame::identify(token.expose(), frame::intents(with_content)),
        },
    )
    .await?;
    // "Heartbeat Interval": the first one somewhere in the first interval, so that not all beat at once.
    let mut beat_at = Instant::now() + interval.mul_f64(rand::random::<f64>());
    let mut is_acknowledged = true;
    let mut ready_by = Some(Instant::now() + READY_DEADLINE);
    loop {
        // Both arms are cancel-safe: a place in the queue that is given back is nobody's, and a frame that is not whole stays in
        // the socket's buffer.
        let next = async {
            let place = queue.reserve().await.map_err(|_| Ended::Broken("its events cannot be taken".into()))?;
            Ok::<_, Ended>((place, socket.next().await))
        };
        let deadline = ready_by.map_or(beat_at, |ready_by| ready_by.min(beat_at));
        let (place, message) = tokio::select! {
            next = next => next?,
            () = tokio::time::sleep_until(deadline) => {
                let now = Instant::now();
                if ready_by.is_some_and(|ready_by| ready_by <= now) {
                    return Err(Ended::Broken("it does not begin the session".into()));
                }
                if beat_at <= now {
                    // A connection on which nothing is acknowledged is dead, whatever TCP says.
                    if !is_acknowledged {
                        tracing::info!("the gateway acknowledges no heartbeat");
                        return Err(Ended::Reconnect);
                    }
                    send(socket, &frame::heartbeat(sequence)).await?;
                    is_acknowledged = false;
                    beat_at = now + interval;
                }
                continue;
            }
        };
        let text = match message {
            None => return Err(Ended::Closed(None)),
            Some(Ok(Message::Close(frame))) => return Err(Ended::Closed(frame.map(|frame| u16::from(frame.code)))),
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(_)) => continue,
            Some(Err(error)) => return Err(Ended::Broken(error.to_string())),
        };
        let Ok(frame) = serde_json::from_slice::<Frame<'_>>(&text) else {
            return Err(Ended::Broken("a frame is not what the documentation says".into()));
        };
        match frame.op {
            frame::DISPATCH => {
                let Some(number) = frame.s else {
                    continue;
                };
                sequence = Some(sequence.map_or(number, |before| before.max(number)));
                let name = frame.t.as_deref().unwrap_or_default();
                if matches!(name, "READY" | "RESUMED") {
                    ready_by = None;
                }
                let is_acted_upon = EVENTS.contains(&name);
                let dispatch = Dispatch {
                    sequence: number,
                    name: if is_acted_upon { name.to_owned() } else { String::new() },
                    frame: if is_acted_upon { text.clone() } else { Bytes::new() },
                };
                place.send(dispatch);
            }
            frame::HEARTBEAT => send(socket, &frame::heartbeat(sequence)).await?,
            frame::HEARTBEAT_ACK => is_acknowledged = true,
            frame::RECONNECT => return Err(Ended::Reconnect),
            frame::INVALID_SESSION => {
                let can_go_on = frame.data::<bool>().unwrap_or(false);
                return Err(if can_go_on { Ended::Reconnect } else { Ended::Invalid });
            }
            _ => {}
        }
    }
}

/// The pause between heartbeats.
async fn hello(socket: &mut Socket) -> Result<Duration, Ended> {
    loop {
        match socket.next().await {
            None => return Err(Ended::Closed(None)),
            Some(Ok(Message::Close(frame))) => return Err(Ended::Closed(frame.map(|frame| u16::from(frame.code)))),
            Some(Ok(Message::Text(text))) => {
                let frame: Option<Frame<'_>> = serde_json::from_str(&text).ok();
                let hello = frame.filter(|frame| frame.op == frame::HELLO).and_then(|frame| frame.data::<Hello>().ok());
                let Some(hello) = hello else {
                    return Err(Ended::Broken("it does not greet as the documentation says".into()));
                };
                let interval = hello.heartbeat_interval.clamp(*INTERVAL_MS.start(), *INTERVAL_MS.end());
                return Ok(Duration::from_millis(interval));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Ended::Broken(error.to_string())),
        }
    }
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), Ended> {
    let sending = socket.send(Message::text(frame.to_string()));
    match tokio::time::timeout(SEND_DEADLINE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ended::Broken(error.to_string())),
        Err(_) => Err(Ended::Broken("a frame could not be sent in time".into())),
    }
}
