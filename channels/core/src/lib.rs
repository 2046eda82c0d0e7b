//! The words every channel adapter and the gateway share.
//!
//! A channel adapter turns a platform's bytes into [`Event`]s and the gateway's reply operations into
//! the platform's calls. This crate owns the types on both sides of an adapter and the primitives that
//! must be the same in all of them: signature checks, ids, splitting. It imports nothing of the other
//! crates of this workspace, knows no platform and holds no policy.

mod channel;
mod delivery;
mod event;
mod grant;
mod id;
mod install;
pub mod links;
pub mod markdown;
mod places;
mod reply;
mod secret;
mod setup;
mod signature;

pub use channel::{
    Channel, CommandOffer, ContextMessage, Identity, Inbound, Intake, Listened, Malformed, NotTaken, Progress,
};
pub use delivery::{Delivery, Reject, Route, Verified};
pub use event::{Actor, ActorKind, Attachment, Change, Event, Kind, Role, ThreadRef};
pub use grant::{Grant, Refresh, Tokens};
pub use id::{EventId, InstanceId, Marker};
pub use install::{Authorization, Code, InstallError, Installations, Installed, Installer, NotKept};
pub use places::{INSTALLED_AT, Place, Places};
pub use reply::{
    Ask, Capabilities, Choice, Mode, Op, Receipt, ReplyContext, ReplyError, Sought, Streaming, Style, Task, TaskState,
};
pub use secret::Secret;
pub use setup::{Guide, Paper, Site, Step};
pub use signature::{Ed25519Check, Ed25519Key, HmacSha256Check, Proof, check_freshness, single_header};
