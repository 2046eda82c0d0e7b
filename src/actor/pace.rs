//! Which installations asked us to slow down: a `429` to one thread's reply is obeyed by all replies of that installation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Until when no reply may call an installation's platform.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<(String, String), i64>>);

impl Pace {
    /// Nobody calls this installation before `until_ms`.
    pub fn hold(&self, connection: &str, installation: &str, until_ms: i64, now_ms: i64) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, until| *until > now_ms);
        let until = held.entry((connection.to_owned(), installation.to_owned())).or_insert(until_ms);
        *until = (*until).max(until_ms);
    }

    /// From when on this installation may be called, milliseconds since the Unix epoch; `0`: now.
    pub fn free_at(&self, connection: &str, installation: &str) -> i64 {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&(connection.to_owned(), installation.to_owned())).copied().unwrap_or(0)
    }
}
