//! Buckets of requests ("Rate Limits").

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What is left in each bucket.
#[derive(Debug, Default)]
pub(crate) struct Buckets(HashMap<String, (u32, Instant)>);

/// What an answer tells of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Left {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
    /// There was nothing left.
    pub(crate) is_over: bool,
}

impl Buckets {
    /// Takes one request of `limit` within `window`.
    pub(crate) fn take(&mut self, bucket: &str, (limit, window): (u32, Duration), now: Instant) -> Left {
        let (used, resets_at) = self.0.entry(bucket.to_owned()).or_insert((0, now + window));
        if *resets_at <= now {
            (*used, *resets_at) = (0, now + window);
        }
        let is_over = *used >= limit;
        if !is_over {
            *used += 1;
        }
        Left { limit, remaining: limit - *used, reset_after: resets_at.saturating_duration_since(now), is_over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_again_when_its_time_is_over() {
        let mut buckets = Buckets::default();
        let (now, rule) = (Instant::now(), (2, Duration::from_secs(1)));
        let taken: Vec<bool> = (0..3).map(|_| buckets.take("a", rule, now).is_over).collect();
        assert_eq!(taken, [false, false, true]);
        assert!(!buckets.take("b", rule, now).is_over);
        assert!(!buckets.take("a", rule, now + rule.1).is_over);
    }
}
