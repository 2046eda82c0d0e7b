//! What goes over the gateway ("Gateway Events": Payload Structure), as far as it is read.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// "Gateway Opcodes".
pub(super) const DISPATCH: u64 = 0;
pub(super) const HEARTBEAT: u64 = 1;
const IDENTIFY: u64 = 2;
const RESUME: u64 = 6;
pub(super) const RECONNECT: u64 = 7;
pub(super) const INVALID_SESSION: u64 = 9;
pub(super) const HELLO: u64 = 10;
pub(super) const HEARTBEAT_ACK: u64 = 11;

/// "List of Intents".
const GUILDS: u64 = 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
const DIRECT_MESSAGES: u64 = 1 << 12;
const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;
const MESSAGE_CONTENT: u64 = 1 << 15;

/// A frame, its data unread.
#[derive(Debug, Deserialize)]
pub(super) struct Frame<'a> {
    pub(super) op: u64,
    #[serde(default)]
    pub(super) s: Option<u64>,
    #[serde(borrow, default)]
    pub(super) t: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "as_it_stands")]
    pub(super) d: Option<&'a RawValue>,
}

/// Unlike `Option`'s own reading, this keeps a null as what it is.
fn as_it_stands<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Frame<'_> {
    /// Its data as a type that reads what is needed.
    pub(super) fn data<'d, T: Deserialize<'d>>(&'d self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.d.map_or("null", RawValue::get))
    }
}

/// "Hello".
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub(super) heartbeat_interval: u64,
}

/// "Ready".
#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) session_id: String,
    pub(super) resume_gateway_url: Option<String>,
    #[serde(default)]
    pub(super) guilds: Vec<ReadyGuild>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadyGuild {
    pub(super) id: String,
}

/// What is asked to be told of.
pub(super) fn intents(message_content: bool) -> u64 {
    let always = GUILDS | GUILD_MESSAGES | GUILD_MESSAGE_REACTIONS | DIRECT_MESSAGES | DIRECT_MESSAGE_REACTIONS;
    if message_content { always | MESSAGE_CONTENT } else { always }
}

pub(super) fn identify(token: &str, intents: u64) -> Value {
    let properties = json!({"os": std::env::consts::OS, "browser": "reveille", "device": "reveille"});
    json!({"op": IDENTIFY, "d": {
        "token": token, "intents": intents, "properties": properties, "large_threshold": 50, "shard": [0, 1],
    }})
}

pub(super) fn resume(token: &str, session: &str, sequence: u64) -> Value {
    json!({"op": RESUME, "d": {"token": token, "session_id": session, "seq": sequence}})
}

pub(super) fn heartbeat(sequence: Option<u64>) -> Value {
    json!({"op": HEARTBEAT, "d": sequence})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_the_documentation_shows_them() {
        let hello: Frame<'_> = serde_json::from_str(r#"{"op":10,"d":{"heartbeat_interval":45000}}"#).unwrap();
        assert_eq!(hello.data::<Hello>().unwrap().heartbeat_interval, 45_000);
        let ack: Frame<'_> = serde_json::from_str(r#"{"op":11}"#).unwrap();
        assert!(ack.op == HEARTBEAT_ACK && ack.d.is_none());
        let event: Frame<'_> =
            serde_json::from_str(r#"{"op":0,"d":{},"s":42,"t":"GATEWAY_EVENT_NAME","new":1}"#).unwrap();
        assert_eq!((event.s, event.t.as_deref()), (Some(42), Some("GATEWAY_EVENT_NAME")));
        let invalid: Frame<'_> = serde_json::from_str(r#"{"op":9,"d":false,"s":null,"t":null}"#).unwrap();
        assert!(!invalid.data::<bool>().unwrap());
        let null: Frame<'_> = serde_json::from_str(r#"{"op":7,"d":null}"#).unwrap();
        assert!(null.data::<Option<u64>>().unwrap().is_none());
    }
}
