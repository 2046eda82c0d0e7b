//! Reveille: a self-hosted, channel-first gateway for chat-ops agents.
//!
//! A delivery of a platform is verified, normalised and admitted to the journal; the instance it is for wakes, runs its
//! turn, and what it says is reconciled with what is visible in the thread. `ARCHITECTURE.md` has the map.

#![deny(clippy::disallowed_methods)]

pub mod actor;
pub mod admin;
pub mod agent;
pub mod approval;
pub mod cli;
pub mod clock;
pub mod codemode;
pub mod config;
pub mod connection;
pub mod dispatch;
pub mod gateway;
pub mod ingress;
pub mod journal;
pub mod local;
pub mod model;
pub mod models;
pub mod outbox;
pub mod telemetry;
pub mod tool;
pub mod turn;
pub mod vault;
pub mod workspace;
