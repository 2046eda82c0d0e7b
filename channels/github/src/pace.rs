//! How fast content may be made. GitHub limits it apart from everything else and often without `Retry-After`
//! (documentation: "Rate limits for the REST API", secondary limits, and "Best practices": a second between writes).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const APART: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const PER_MINUTE: usize = 80;
const HOUR: Duration = Duration::from_secs(3_600);
const PER_HOUR: usize = 500;
/// Installations remembered at once; the one silent for longest goes first.
const MOST_INSTALLATIONS: usize = 1_024;

/// When content was made, by installation.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    made: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Pace {
    /// Takes a place for one call that makes content, or says how long to wait before asking again.
    pub(crate) fn take(&self, installation: &str, now: Instant) -> Result<(), Duration> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.contains_key(installation) && made.len() >= MOST_INSTALLATIONS {
            let oldest = made.iter().min_by_key(|(_, times)| times.back().copied()).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                made.remove(&oldest);
            }
        }
        let times = made.entry(installation.to_owned()).or_default();
        while times.front().is_some_and(|time| now.saturating_duration_since(*time) >= HOUR) {
            times.pop_front();
        }
        let wait_for = |nth_last: usize, window: Duration| {
            let time = times.len().checked_sub(nth_last).and_then(|index| times.get(index));
            time.map_or(Duration::ZERO, |time| window.saturating_sub(now.saturating_duration_since(*time)))
        };
        let wait = wait_for(1, APART).max(wait_for(PER_MINUTE, MINUTE)).max(wait_for(PER_HOUR, HOUR));
        if wait.is_zero() {
            times.push_back(now);
            Ok(())
        } else {
            Err(wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_a_second_apart_and_within_the_minute_and_the_hour() {
        let pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.take("1", start), Ok(()));
        assert_eq!(pace.take("1", start + Duration::from_millis(400)), Err(Duration::from_millis(600)));
        assert_eq!(pace.take("2", start), Ok(()));
        let mut now = start;
        let mut made = vec![start];
        while made.len() < 501 {
            match pace.take("1", now) {
                Ok(()) => made.push(now),
                Err(wait) => now += wait,
            }
        }
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        assert!(made.windows(81).all(|window| window[80] - window[0] >= MINUTE));
        assert!(made[500] - made[0] >= HOUR);
    }

    #[test]
    fn installations_are_forgotten_before_they_fill_the_memory() {
        let pace = Pace::default();
        let now = Instant::now();
        for installation in 0..2_000 {
            assert_eq!(pace.take(&installation.to_string(), now), Ok(()));
        }
        assert_eq!(pace.made.lock().unwrap().len(), MOST_INSTALLATIONS);
    }
}
