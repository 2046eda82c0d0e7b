//! GitHub, both directions: signed webhooks in, one comment that grows out.

mod settings;

pub use settings::{Auth, Settings, SettingsError};
