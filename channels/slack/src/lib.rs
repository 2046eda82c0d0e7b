//! Slack, both directions: signed deliveries in, streamed replies out.

mod settings;

pub use settings::{Settings, SettingsError};
