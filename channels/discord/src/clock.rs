//! The date, for what is compared with Discord's times. The journal's times are of the same clock.

/// Now, milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
