//! The words every channel adapter and the gateway share.
//!
//! A channel adapter turns a platform's bytes into [`Event`]s and the gateway's reply operations into
//! the platform's calls. This crate owns the types on both sides of an adapter and the primitives that
//! must be the same in all of them: signature checks, ids, splitting. It imports nothing of the other
//! crates of this workspace, knows no platform and holds no policy.

mod channel;
mod delivery;
mod event;
mod id;
pub mod markdown;
mod reply;
mod secret;
mod signature;

pub use channel::{
    Channel, CommandOffer, ContextMessage, Identity, Inbound, Intake, Listened, Malformed, NotTaken, Progress,
};
pub use delivery::{Delivery, Reject, Route, Verified};
pub use event::{Actor, ActorKind, Attachment, Change, Event, Kind, Role, ThreadRef};
pub use id::{EventId, InstanceId, Marker};
pub use reply::{Ask, Capabilities, Choice, Mode, Op, Receipt, ReplyContext, ReplyError, Sought, Streaming, Style};
pub use secret::Secret;
pub use signature::{Ed25519Check, Ed25519Key, HmacSha256Check, Proof, check_freshness, single_header};
