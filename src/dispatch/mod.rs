//! Routing and policy: which agent and instance an event is for, whether its actor may, and why.
//!
//! Two pure functions. [`route`] runs before admission and says which instances an event is for; [`decide`] is the one
//! place where it is decided who may do what, for every kind of event, [`decide_tool`] for every tool call, and
//! [`decide_reach`] for where it may act; [`needs_approval`] says which calls wait for a person, and [`decide_approval`]
//! whose answer counts. Adapters
//! hold no policy, and nothing here talks to a platform: what has to be asked is asked by the caller
//! ([`Decision::AskRole`]) and given back.

mod access;
mod address;
mod amend;
mod place;
mod route;
#[cfg(test)]
mod tests;

pub use crate::config::AccessDefault;
pub use access::{
    ApprovalQuestion, Decision, Question, RoleAnswer, decide, decide_approval, decide_reach, decide_tool,
    needs_approval,
};
pub use address::address;
pub use amend::{Meaning, meaning};
pub use route::{Because, Routed, Unrouted, is_called, route};
