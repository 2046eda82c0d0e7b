//! Ids that reach the outside. Each is a pure function of what is in the log, so that a restart computes the same again.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first 16 bytes of SHA-256 over the parts, each preceded by its length so that parts cannot run together.
fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&domain.as_bytes()).chain(parts) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let full: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(full.split_at(16).0);
    short
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id as bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The id of these bytes, as read back from storage.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Reads 32 hexadecimal digits.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let mut bytes = [0; 16];
                hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not 32 hexadecimal digits"))
            }
        }
    };
}

hex_id! {
    /// One event: a hash of the connection and the platform's own dedupe key, so the same on every redelivery.
    EventId
}

hex_id! {
    /// One instance: a hash of its address `agent/connection/installation/thread`.
    InstanceId
}

impl EventId {
    /// The id of the event that the platform knows under `dedupe_key` on this connection.
    #[must_use]
    pub fn of(connection: &str, dedupe_key: &str) -> Self {
        Self(digest("event", &[connection.as_bytes(), dedupe_key.as_bytes()]))
    }
}

impl InstanceId {
    /// The id of the instance at this address.
    #[must_use]
    pub fn of(address: &str) -> Self {
        Self(digest("instance", &[address.as_bytes()]))
    }
}

/// What makes one of our own posts recognisable after a crash: 80 bits over instance, turn and segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(String);

impl Marker {
    /// The marker of one segment of one turn's reply: 16 characters of `a-z2-7` (RFC 4648 base32, lower case).
    #[must_use]
    pub fn of(instance: InstanceId, turn: u64, segment: u32) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let hash = digest("marker", &[instance.as_bytes(), &turn.to_be_bytes(), &segment.to_be_bytes()]);
        let mut text = String::with_capacity(16);
        let mut bits: u32 = 0;
        let mut held = 0u8;
        for byte in hash.iter().take(10) {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                let index = usize::try_from((bits >> held) & 31).unwrap_or(0);
                text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'a')));
            }
            bits &= (1 << held) - 1;
        }
        Self(text)
    }

    /// The marker as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_run_parts_together_and_read_back() {
        assert_ne!(EventId::of("ab", "c"), EventId::of("a", "bc"));
        let id = InstanceId::of("assistant/slack/T1/C1:1.2");
        assert_eq!(InstanceId::parse(&id.to_string()), Some(id));
        assert_eq!(serde_json::from_str::<InstanceId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn markers_are_sixteen_characters_and_differ_by_segment() {
        let id = InstanceId::of("x");
        let first = Marker::of(id, 1, 0);
        assert_eq!(first.as_str().len(), 16);
        assert!(first.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte)));
        assert_ne!(first, Marker::of(id, 1, 1));
        assert_ne!(first, Marker::of(id, 2, 0));
    }
}
