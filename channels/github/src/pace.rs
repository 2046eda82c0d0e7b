//! How fast things may be written. GitHub limits it apart from everything else and often without `Retry-After`
//! (documentation: "Rate limits for the REST API", secondary limits: 80 content-generating requests a minute and 500 an
//! hour, and 900 points a minute where a write counts five; "Best practices": a second between writes).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const APART: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const PER_MINUTE: usize = 80;
const HOUR: Duration = Duration::from_secs(3_600);
const PER_HOUR: usize = 500;
/// With these, and with what is made, a minute stays within its 900 points. A text that grows takes at most one a second of
/// them, so that a text that is complete finds room.
const EDITS_PER_MINUTE: usize = 100;
/// Installations remembered at once; the one silent for longest goes first.
const MOST_INSTALLATIONS: usize = 1_024;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// Something new that people see.
    Content,
    /// What can be left out: it counts as content, waits for nothing, and takes no more than half of what there is.
    Spare,
    /// A change of what is there, after which others follow.
    Growth,
    /// A change of what is there.
    Edit,
}

/// When things were written.
#[derive(Debug, Default)]
struct Written {
    content: VecDeque<Instant>,
    /// Of the content, the last that keeps others a second away.
    last: Option<Instant>,
    edits: VecDeque<Instant>,
    last_growth: Option<Instant>,
}

impl Written {
    fn latest(&self) -> Option<Instant> {
        self.content.back().copied().max(self.edits.back().copied())
    }
}

/// When things were written, by installation.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    written: Mutex<HashMap<String, Written>>,
}

impl Pace {
    /// Takes a place for one call that writes, or says how long to wait before asking again.
    pub(crate) fn take(&self, installation: &str, pacing: Pacing, now: Instant) -> Result<(), Duration> {
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(installation) && all.len() >= MOST_INSTALLATIONS {
            let oldest = all.iter().min_by_key(|(_, written)| written.latest()).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        let Written { content, last, edits, last_growth } = all.entry(installation.to_owned()).or_default();
        forget(content, HOUR, now);
        forget(edits, MINUTE, now);
        let share = if pacing == Pacing::Spare { 2 } else { 1 };
        let apart = |last: Option<Instant>| {
            last.map_or(Duration::ZERO, |last| APART.saturating_sub(now.saturating_duration_since(last)))
        };
        let wait = match pacing {
            Pacing::Edit => wait_for(edits, EDITS_PER_MINUTE, MINUTE, now),
            Pacing::Growth => apart(*last_growth).max(wait_for(edits, EDITS_PER_MINUTE, MINUTE, now)),
            Pacing::Content | Pacing::Spare => {
                let apart = apart(last.filter(|_| pacing == Pacing::Content));
                let minute = wait_for(content, PER_MINUTE / share, MINUTE, now);
                apart.max(minute).max(wait_for(content, PER_HOUR / share, HOUR, now))
            }
        };
        if !wait.is_zero() {
            return Err(wait);
        }
        match pacing {
            Pacing::Edit => edits.push_back(now),
            Pacing::Growth => {
                edits.push_back(now);
                *last_growth = Some(now);
            }
            Pacing::Content => {
                content.push_back(now);
                *last = Some(now);
            }
            Pacing::Spare => content.push_back(now),
        }
        Ok(())
    }
}

fn forget(times: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while times.front().is_some_and(|time| now.saturating_duration_since(*time) >= window) {
        times.pop_front();
    }
}

/// How long until the n-th last is out of the window.
fn wait_for(times: &VecDeque<Instant>, nth_last: usize, window: Duration, now: Instant) -> Duration {
    let time = times.len().checked_sub(nth_last).and_then(|index| times.get(index));
    time.map_or(Duration::ZERO, |time| window.saturating_sub(now.saturating_duration_since(*time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as are asked for, each as early as it is let; when they were.
    fn taken(pace: &Pace, pacing: Pacing, count: usize, start: Instant) -> Vec<Instant> {
        let mut now = start;
        let mut made = Vec::new();
        while made.len() < count {
            match pace.take("1", pacing, now) {
                Ok(()) => made.push(now),
                Err(wait) => now += wait,
            }
        }
        made
    }

    #[test]
    fn content_is_a_second_apart_and_within_the_minute_and_the_hour() {
        let pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(()));
        let soon = start + Duration::from_millis(400);
        assert_eq!(pace.take("1", Pacing::Content, soon), Err(Duration::from_millis(600)));
        assert_eq!(pace.take("2", Pacing::Content, start), Ok(()));
        let mut made = vec![start];
        made.extend(taken(&pace, Pacing::Content, 500, start));
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        assert!(made.windows(81).all(|window| window[80] - window[0] >= MINUTE));
        assert!(made[500] - made[0] >= HOUR);
    }

    #[test]
    fn what_can_be_left_out_keeps_nobody_waiting_and_counts() {
        let pace = Pace::default();
        let start = Instant::now();
        for _ in 0..40 {
            assert_eq!(pace.take("1", Pacing::Spare, start), Ok(()));
            assert_eq!(pace.take("1", Pacing::Edit, start), Ok(()));
        }
        assert!(pace.take("1", Pacing::Spare, start).is_err(), "the other half is for answers");
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(()));
        let made = taken(&pace, Pacing::Content, 40, start);
        assert!(made[38] - start < MINUTE && made[39] - start >= MINUTE, "it was counted");
    }

    #[test]
    fn edits_are_bounded_by_the_minute_and_need_not_be_apart() {
        let pace = Pace::default();
        let start = Instant::now();
        let made = taken(&pace, Pacing::Edit, 201, start);
        assert_eq!(made[99], start);
        assert!(made[100] - start >= MINUTE && made[200] - start >= 2 * MINUTE);
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(()), "and content does not wait for them");
    }

    #[test]
    fn texts_that_grow_leave_room_for_those_that_are_complete() {
        let pace = Pace::default();
        let start = Instant::now();
        let made = taken(&pace, Pacing::Growth, 50, start);
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        for _ in 0..50 {
            assert_eq!(pace.take("1", Pacing::Edit, made[49]), Ok(()));
        }
    }

    #[test]
    fn installations_are_forgotten_before_they_fill_the_memory() {
        let pace = Pace::default();
        let now = Instant::now();
        for installation in 0..2_000 {
            assert_eq!(pace.take(&installation.to_string(), Pacing::Content, now), Ok(()));
        }
        assert_eq!(pace.written.lock().unwrap().len(), MOST_INSTALLATIONS);
    }
}
