//! Socket Mode: envelopes are acknowledged when they are durable, and one socket follows the other without a gap.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt};
use reveille_channel::{Channel, Inbound, Intake, Kind, Listened, NotTaken, ReplyError};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::stand_in::{methods, ok, refused, start_with_sockets};
use crate::support::{delivery, sign};

/// An intake that takes what it is let take.
struct Gate {
    lets: Semaphore,
    refuses: Mutex<u32>,
    taken: Mutex<Vec<(Inbound, Bytes)>>,
}

impl Gate {
    fn open() -> Self {
        Self { lets: Semaphore::new(1_000), refuses: Mutex::default(), taken: Mutex::default() }
    }
}

#[async_trait]
impl Intake for Gate {
    async fn take(&self, inbound: Inbound, raw: Bytes) -> Result<(), NotTaken> {
        self.lets.acquire().await.unwrap().forget();
        let is_refused = {
            let mut refuses = self.refuses.lock().unwrap();
            let is_refused = *refuses > 0;
            *refuses = refuses.saturating_sub(1);
            is_refused
        };
        if is_refused {
            return Err(NotTaken);
        }
        self.taken.lock().unwrap().push((inbound, raw));
        Ok(())
    }
}

type Server = WebSocketStream<TcpStream>;

/// Slack's end of sockets, and what "apps.connections.open" answers.
async fn sockets() -> (TcpListener, (u16, Option<&'static str>, Value)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/link/?ticket=secret", listener.local_addr().unwrap());
    (listener, ok(json!({ "url": url })))
}

async fn accept(listener: &TcpListener) -> Server {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let hello = json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}, "debug_info": {"approximate_connection_time": 18060}});
    say(&mut socket, &hello).await;
    socket
}

async fn say(socket: &mut Server, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next acknowledgement.
async fn heard(socket: &mut Server) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn envelope(id: &str, kind: &str, payload: &Value) -> Value {
    json!({"envelope_id": id, "type": kind, "accepts_response_payload": kind != "events_api", "payload": payload, "retry_attempt": 0, "retry_reason": ""})
}

fn mention(ts: &str) -> Value {
    let event = json!({"type": "app_mention", "user": "UALICE", "text": "hi", "ts": ts, "channel": "C1"});
    json!({"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event})
}

#[tokio::test]
async fn an_envelope_is_acknowledged_when_it_is_durable_and_not_before() {
    let (listener, address) = sockets().await;
    let (slack, _server) = start_with_sockets(vec![address]).await;
    let gate = Gate { lets: Semaphore::new(0), ..Gate::open() };
    *gate.refuses.lock().unwrap() = 1;
    let script = async {
        let mut socket = accept(&listener).await;
        say(&mut socket, &envelope("e1", "events_api", &mention("1.1"))).await;
        say(&mut socket, &envelope("e2", "events_api", &mention("1.2"))).await;
        // A ping and its answer are behind whatever was said before.
        socket.send(Message::Ping(Bytes::from_static(b"x"))).await.unwrap();
        assert!(heard(&mut socket).now_or_never().is_none());
        gate.lets.add_permits(2);
        // The first could not be made durable: it is not acknowledged.
        assert_eq!(heard(&mut socket).await, json!({"envelope_id": "e2"}));
        socket.close(None).await.unwrap();
    };
    let (ended, ()) = tokio::join!(slack.listen(&gate), script);
    assert_eq!(ended, Ok(Listened::Ended));
    let taken = gate.taken.lock().unwrap();
    let Inbound::Events(events) = &taken[0].0 else { panic!("{taken:?}") };
    assert_eq!((&events[0].kind, events[0].message.as_deref()), (&Kind::Mention, Some("1.2")));
    assert_eq!(serde_json::from_slice::<Value>(&taken[0].1).unwrap()["type"], "event_callback");
}

#[tokio::test]
async fn commands_and_interactions_are_answered_in_the_acknowledgement() {
    let (listener, address) = sockets().await;
    let (slack, _server) = start_with_sockets(vec![address]).await;
    let gate = Gate::open();
    let command = json!({"command": "/ops", "text": "web is slow", "team_id": "T1", "channel_id": "C1", "user_id": "U1", "trigger_id": "1.2", "is_enterprise_install": false});
    let pressed = json!({"type": "block_actions", "trigger_id": "1.3", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1"}, "message": {"ts": "9.1"}, "actions": [{"block_id": "ask:r", "action_id": "choice:yes", "value": "yes"}]});
    let script = async {
        let mut socket = accept(&listener).await;
        say(&mut socket, &envelope("e1", "slash_commands", &command)).await;
        let answered = heard(&mut socket).await;
        assert_eq!(answered["envelope_id"], "e1");
        assert_eq!(answered["payload"]["text"], "/ops: received.");
        say(&mut socket, &envelope("e2", "interactive", &pressed)).await;
        assert_eq!(heard(&mut socket).await, json!({"envelope_id": "e2"}));
        // What cannot be understood does not get better by coming again.
        say(&mut socket, &envelope("e3", "interactive", &json!("nonsense"))).await;
        assert_eq!(heard(&mut socket).await, json!({"envelope_id": "e3"}));
        say(&mut socket, &json!({"type": "new_thing"})).await;
        socket.send(Message::text("nonsense")).await.unwrap();
        say(&mut socket, &envelope("e4", "new_thing", &json!({}))).await;
        assert_eq!(heard(&mut socket).await, json!({"envelope_id": "e4"}));
        socket.close(None).await.unwrap();
    };
    let (ended, ()) = tokio::join!(slack.listen(&gate), script);
    assert_eq!(ended, Ok(Listened::Ended));
    let taken = gate.taken.lock().unwrap();
    let events = taken.iter().filter(|(inbound, _)| !matches!(inbound, Inbound::Ignored { .. })).count();
    assert_eq!((events, taken.len()), (2, 4));
}

#[tokio::test]
async fn the_next_socket_is_up_before_the_old_one_ends() {
    for reason in ["warning", "refresh_requested"] {
        let (listener, address) = sockets().await;
        let (slack, server) = start_with_sockets(vec![address.clone(), refused("ratelimited"), address]).await;
        let gate = Gate::open();
        let script = async {
            let mut old = accept(&listener).await;
            say(&mut old, &json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "x"}})).await;
            // The second call was refused; the old socket stays until a third succeeds.
            let mut new = accept(&listener).await;
            say(&mut old, &envelope("e1", "events_api", &mention("1.1"))).await;
            assert_eq!(heard(&mut old).await, json!({"envelope_id": "e1"}));
            old.close(None).await.unwrap();
            say(&mut new, &envelope("e2", "events_api", &mention("1.2"))).await;
            assert_eq!(heard(&mut new).await, json!({"envelope_id": "e2"}));
            new.close(None).await.unwrap();
        };
        let (ended, ()) = tokio::join!(slack.listen(&gate), script);
        assert_eq!(ended, Ok(Listened::Ended));
        assert_eq!(methods(&server), ["apps.connections.open"; 3], "{reason}");
        assert_eq!(gate.taken.lock().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn where_there_are_too_many_or_none_wanted_we_stay_away_for_a_while() {
    for reason in ["too_many_websockets", "link_disabled"] {
        let (listener, address) = sockets().await;
        let (slack, server) = start_with_sockets(vec![address]).await;
        let gate = Gate::open();
        let script = async {
            let mut socket = accept(&listener).await;
            say(&mut socket, &json!({"type": "disconnect", "reason": reason})).await;
            // Until it is gone.
            while !matches!(socket.next().await, None | Some(Err(_))) {}
            tokio::time::pause();
            Instant::now()
        };
        let (ended, left) = tokio::join!(slack.listen(&gate), script);
        match ended {
            Err(ReplyError::Credentials(said)) => assert!(said.contains("Socket Mode") && reason == "link_disabled"),
            Err(ReplyError::Retry { .. }) => assert_eq!(reason, "too_many_websockets"),
            other => panic!("{other:?}"),
        }
        assert!(left.elapsed() >= Duration::from_secs(55), "{:?}", left.elapsed());
        assert_eq!(methods(&server).len(), 1);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_connection_that_was_cut_on_its_way_is_noticed() {
    let (listener, address) = sockets().await;
    let (slack, _server) = start_with_sockets(vec![address]).await;
    let gate = Gate::open();
    let script = async {
        let mut socket = accept(&listener).await;
        say(&mut socket, &envelope("e1", "events_api", &mention("1.1"))).await;
        assert_eq!(heard(&mut socket).await, json!({"envelope_id": "e1"}));
        // Nothing is read or said any more, and nothing is closed.
        tokio::time::pause();
        (socket, Instant::now())
    };
    let (ended, (_socket, since)) = tokio::join!(slack.listen(&gate), script);
    assert!(matches!(&ended, Err(ReplyError::Retry { .. })), "{ended:?}");
    assert!(since.elapsed() >= Duration::from_secs(40), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_socket_that_cannot_be_opened_is_an_error_without_its_ticket() {
    let (listener, address) = sockets().await;
    drop(listener);
    let (slack, _server) = start_with_sockets(vec![address]).await;
    let error = slack.listen(&Gate::open()).await.unwrap_err();
    assert!(matches!(&error, ReplyError::Retry { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("ticket"), "{error:?}");
    let (slack, _server) = start_with_sockets(vec![ok(json!({"url": "http://127.0.0.1/"}))]).await;
    let gate = Gate::open();
    let listening = slack.listen(&gate);
    tokio::time::pause();
    assert!(matches!(listening.await, Err(ReplyError::Refused(_))));
}

#[tokio::test]
async fn without_a_signing_secret_nothing_comes_by_http() {
    let (slack, _server) = start_with_sockets(Vec::new()).await;
    assert!(slack.routes().is_empty());
    let body = b"{}";
    assert!(slack.verify(delivery("1700000000", &sign("1700000000", body), body)).is_err());
}
