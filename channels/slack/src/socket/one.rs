//! The life of one socket.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use reveille_channel::{Inbound, Intake, ReplyError};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::connect::Socket;
use super::frame::{Frame, acknowledgement};
use crate::Slack;
use crate::commands::no_agent;

/// Slack pings a socket several times a minute. One that is silent for this long is asked, and then given up: a connection
/// that was cut somewhere on its way says nothing at all.
const SILENCE: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(15);

/// How long a socket is still read that Slack has said to end.
const LAST: Duration = Duration::from_secs(60);

/// How long it may take to make an envelope durable; Slack brings it again after three seconds.
const TAKE: Duration = Duration::from_secs(10);

/// How long a frame may take to leave.
const SEND: Duration = Duration::from_secs(10);

/// How long we stay away when there are too many sockets of the app, milliseconds.
const TOO_MANY_MS: u64 = 60_000;

/// How a socket ended.
pub(super) enum End {
    /// As Slack had said, or with a close.
    Expected,
    /// Nobody knows why.
    Broken(ReplyError),
    /// Slack does not want this socket.
    Refused(ReplyError),
}

/// One socket.
pub(super) struct One<'a> {
    pub(super) socket: Socket,
    pub(super) slack: &'a Slack,
    pub(super) intake: &'a dyn Intake,
    /// Here it says that it will end.
    pub(super) warn: mpsc::Sender<()>,
}

impl One<'_> {
    /// Reads it until it ends.
    pub(super) async fn run(mut self) -> End {
        let (mut ends_at, mut is_asked) = (None::<Instant>, false);
        loop {
            let patience = if is_asked { PONG } else { SILENCE };
            let left = ends_at.map_or(patience, |at| at.saturating_duration_since(Instant::now()).min(patience));
            let message = match timeout(left, self.socket.next()).await {
                Ok(None) => return End::Expected,
                Ok(Some(Err(error))) => return broken(what(&error)),
                Ok(Some(Ok(message))) => message,
                Err(_) if ends_at.is_some_and(|at| at <= Instant::now()) => {
                    let _ = timeout(SEND, self.socket.close(None)).await;
                    return End::Expected;
                }
                Err(_) if is_asked => return broken("it is silent and does not answer"),
                Err(_) => {
                    is_asked = true;
                    if let Err(end) = self.send(Message::Ping(Bytes::new())).await {
                        return end;
                    }
                    continue;
                }
            };
            is_asked = false;
            let text = match message {
                Message::Text(text) => text,
                Message::Close(_) => return End::Expected,
                // Pings are answered by the library when the next frame is read.
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            let Ok(frame) = serde_json::from_str::<Frame>(&text) else {
                tracing::warn!(bytes = text.len(), "a frame is not what Slack documents");
                continue;
            };
            match (frame.kind.as_deref(), frame.reason.as_deref()) {
                (Some("hello"), _) => tracing::info!(sockets = frame.num_connections, "a socket is up"),
                (Some("disconnect"), Some("link_disabled")) => {
                    let advice =
                        "Socket Mode is switched off: switch it on in the app's settings, or take app_token out";
                    return End::Refused(ReplyError::Credentials(advice.into()));
                }
                (Some("disconnect"), Some("too_many_websockets")) => {
                    let reason = "there are too many sockets of this app".to_owned();
                    return End::Refused(ReplyError::Retry { after_ms: TOO_MANY_MS, reason });
                }
                (Some("disconnect"), reason) => {
                    tracing::info!(reason, "the socket will end; the next one is opened");
                    ends_at.get_or_insert_with(|| Instant::now() + LAST);
                    // A full queue has warnings enough.
                    let _ = self.warn.try_send(());
                }
                (Some(kind), _) => {
                    if let Err(end) = self.envelope(kind, &frame).await {
                        return end;
                    }
                }
                (None, _) => tracing::warn!("a frame has no type"),
            }
        }
    }

    /// Takes one envelope and acknowledges it.
    async fn envelope(&mut self, kind: &str, frame: &Frame) -> Result<(), End> {
        let Some(id) = &frame.envelope_id else {
            tracing::debug!("a frame that is no envelope is passed over");
            return Ok(());
        };
        let payload = frame.payload.as_ref().unwrap_or(&Value::Null);
        let inbound = match self.slack.read_envelope(kind, payload) {
            Ok(inbound) => inbound,
            // It does not get better by coming again.
            Err(malformed) => {
                tracing::warn!(%malformed, kind, "an envelope is malformed");
                Inbound::Ignored { reason: "a malformed envelope" }
            }
        };
        let answer = match &inbound {
            Inbound::Handshake { body, .. } | Inbound::Answered { body, .. } => {
                serde_json::from_slice::<Value>(body).ok().filter(|_| frame.accepts_response_payload != Some(false))
            }
            Inbound::Events(_) | Inbound::Ignored { .. } => None,
        };
        let raw = Bytes::from(payload.to_string());
        let promise = match &inbound {
            Inbound::Answered { body, .. } => Some(body.clone()),
            Inbound::Handshake { .. } | Inbound::Events(_) | Inbound::Ignored { .. } => None,
        };
        match timeout(TAKE, self.intake.take_wanted(inbound, raw)).await {
            Ok(Ok(is_wanted)) => {
                let nobody = promise.filter(|_| !is_wanted && answer.is_some());
                let nobody = nobody.and_then(|promise| no_agent(&promise));
                let nobody = nobody.and_then(|body| serde_json::from_slice(&body).ok());
                self.send(Message::text(acknowledgement(id, nobody.or(answer)))).await
            }
            // Not acknowledged: it comes again.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(broken(what(&error))),
            Err(_) => Err(broken("nothing can be sent")),
        }
    }
}

fn broken(what: &str) -> End {
    End::Broken(ReplyError::Retry { after_ms: 0, reason: format!("the socket broke: {what}") })
}

/// What a socket's error is, in words of ours: its own may hold the address with its ticket.
pub(super) fn what(error: &tungstenite::Error) -> &'static str {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => "it is closed",
        tungstenite::Error::Io(_) => "the network failed",
        tungstenite::Error::Tls(_) => "TLS failed",
        tungstenite::Error::Capacity(_) => "a frame is too long",
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => "the other side does not keep to the protocol",
        tungstenite::Error::Http(_) | tungstenite::Error::HttpFormat(_) => "the server did not take the connection",
        _ => "it failed",
    }
}
