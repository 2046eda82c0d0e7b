//! A delivery before and after verification.

use bytes::Bytes;
use http::HeaderMap;

use crate::Proof;

/// Which of a connection's endpoints a delivery came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /channels/{name}/events`
    Events,
    /// `POST /channels/{name}/commands`
    Commands,
    /// `POST /channels/{name}/interactivity`
    Interactivity,
    /// `POST /channels/{name}/webhook`
    Webhook,
    /// `POST /channels/{name}/interactions`
    Interactions,
}

impl Route {
    /// The last segment of the path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Commands => "commands",
            Self::Interactivity => "interactivity",
            Self::Webhook => "webhook",
            Self::Interactions => "interactions",
        }
    }
}

/// One request from a platform, whole and untouched: nothing of it has been parsed or believed.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The endpoint it came in on.
    pub route: Route,
    /// Its headers, as received.
    pub headers: HeaderMap,
    /// Its raw body: the bytes that were signed.
    pub body: Bytes,
    /// When it arrived, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
}

impl Delivery {
    /// The delivery, now known to come from the holder of the secret.
    #[must_use]
    pub fn verified_by(self, _proof: Proof) -> Verified {
        Verified { delivery: self }
    }
}

/// A delivery whose signature was right. Only a [`Proof`] makes one, and only a signature check makes a proof.
#[derive(Debug)]
pub struct Verified {
    delivery: Delivery,
}

impl Verified {
    /// The endpoint it came in on.
    #[must_use]
    pub fn route(&self) -> Route {
        self.delivery.route
    }

    /// The headers. Most platforms do not sign them: they never decide alone.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.delivery.headers
    }

    /// The signed body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.delivery.body
    }

    /// When it arrived, milliseconds since the Unix epoch.
    #[must_use]
    pub fn received_at_ms(&self) -> i64 {
        self.delivery.received_at_ms
    }
}

/// Why a delivery was not believed. Outsiders get `401` and an empty body for each of them; the reason
/// is for the operator's log and never holds a computed signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// A header the signature needs is absent.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// A header the signature needs is there more than once.
    #[error("the header {0} is there more than once")]
    RepeatedHeader(&'static str),
    /// A header is not of the platform's form: prefix, length or alphabet.
    #[error("the header {0} is not of the documented form")]
    BadHeader(&'static str),
    /// The signature does not belong to these bytes and our secret.
    #[error("the signature does not match")]
    WrongSignature,
    /// The signed time is further from now than the platform allows.
    #[error("the delivery is not fresh")]
    Stale,
}
