//! The date, for what comes over sockets: nobody else notes when it arrived.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
