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
/// A call waits for its place at most this long; after that its caller may have something better to say.
const MOST_WAIT: Duration = Duration::from_secs(8);
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

/// When things were written, or are going to be: who waits has a place already.
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

    /// The earliest time for one more call.
    fn earliest(&self, pacing: Pacing, now: Instant) -> Instant {
        let apart = |last: Option<Instant>| last.map_or(now, |last| last + APART);
        let edit = room(&self.edits, EDITS_PER_MINUTE, MINUTE).unwrap_or(now);
        let content = |share: usize, last: Option<Instant>| {
            let minute = room(&self.content, PER_MINUTE / share, MINUTE).unwrap_or(now);
            apart(last).max(minute).max(room(&self.content, PER_HOUR / share, HOUR).unwrap_or(now))
        };
        let earliest = match pacing {
            Pacing::Edit => edit,
            Pacing::Growth => apart(self.last_growth).max(edit),
            Pacing::Content => content(1, self.last),
            Pacing::Spare => content(2, None),
        };
        earliest.max(now)
    }

    fn take(&mut self, pacing: Pacing, at: Instant) {
        let times = match pacing {
            Pacing::Content | Pacing::Spare => &mut self.content,
            Pacing::Growth | Pacing::Edit => &mut self.edits,
        };
        // What cannot wait comes before what waits.
        let place = times.partition_point(|time| *time <= at);
        times.insert(place, at);
        match pacing {
            Pacing::Content => self.last = Some(at),
            Pacing::Growth => self.last_growth = Some(at),
            Pacing::Spare | Pacing::Edit => {}
        }
    }
}

/// When things were written, by installation.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    written: Mutex<HashMap<String, Written>>,
}

impl Pace {
    /// Takes a place for one call that writes: how long to wait for it, a few seconds at most.
    ///
    /// # Errors
    /// How long to wait before asking again, where the queue is longer than that or nothing is to be waited for.
    pub(crate) fn take(&self, installation: &str, pacing: Pacing, now: Instant) -> Result<Duration, Duration> {
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(installation) && all.len() >= MOST_INSTALLATIONS {
            let oldest = all.iter().min_by_key(|(_, written)| written.latest()).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        let written = all.entry(installation.to_owned()).or_default();
        forget(&mut written.content, HOUR, now);
        forget(&mut written.edits, MINUTE, now);
        let at = written.earliest(pacing, now);
        let wait = at.saturating_duration_since(now);
        let most = if pacing == Pacing::Spare { Duration::ZERO } else { MOST_WAIT };
        if wait > most {
            return Err(wait);
        }
        written.take(pacing, at);
        Ok(wait)
    }
}

fn forget(times: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while times.front().is_some_and(|time| now.saturating_duration_since(*time) >= window) {
        times.pop_front();
    }
}

/// When the n-th last is out of the window.
fn room(times: &VecDeque<Instant>, nth_last: usize, window: Duration) -> Option<Instant> {
    times.len().checked_sub(nth_last).and_then(|index| times.get(index)).map(|time| *time + window)
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
                Ok(wait) => made.push(now + wait),
                Err(wait) => now += wait,
            }
        }
        made
    }

    #[test]
    fn content_is_a_second_apart_and_within_the_minute_and_the_hour() {
        let pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(Duration::ZERO));
        let soon = start + Duration::from_millis(400);
        assert_eq!(pace.take("1", Pacing::Content, soon), Ok(Duration::from_millis(600)));
        assert_eq!(pace.take("2", Pacing::Content, start), Ok(Duration::ZERO));
        let mut made = vec![start, start + APART];
        made.extend(taken(&pace, Pacing::Content, 499, soon));
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        assert!(made.windows(81).all(|window| window[80] - window[0] >= MINUTE));
        assert!(made[500] - made[0] >= HOUR);
    }

    /// Bots that posted 36 to 65 comments in a burst were blocked (pronto 133, open-code-review 158, semantic-release 843).
    #[test]
    fn a_burst_is_a_queue_whose_end_is_told_to_come_back() {
        let pace = Pace::default();
        let start = Instant::now();
        let waits: Vec<_> = (0..65).map(|_| pace.take("1", Pacing::Content, start)).collect();
        for (second, wait) in (0..=8).zip(&waits) {
            assert_eq!(*wait, Ok(Duration::from_secs(second)));
        }
        assert!(waits[9..].iter().all(|wait| *wait == Err(Duration::from_secs(9))), "those took no place");
    }

    #[test]
    fn what_can_be_left_out_keeps_nobody_waiting_and_counts() {
        let pace = Pace::default();
        let start = Instant::now();
        for _ in 0..40 {
            assert_eq!(pace.take("1", Pacing::Spare, start), Ok(Duration::ZERO));
            assert_eq!(pace.take("1", Pacing::Edit, start), Ok(Duration::ZERO));
        }
        assert!(pace.take("1", Pacing::Spare, start).is_err(), "the other half is for answers");
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(Duration::ZERO));
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
        assert_eq!(pace.take("1", Pacing::Content, start), Ok(Duration::ZERO), "and content does not wait for them");
    }

    #[test]
    fn texts_that_grow_leave_room_for_those_that_are_complete() {
        let pace = Pace::default();
        let start = Instant::now();
        let made = taken(&pace, Pacing::Growth, 50, start);
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= APART));
        for _ in 0..50 {
            assert_eq!(pace.take("1", Pacing::Edit, made[49]), Ok(Duration::ZERO));
        }
    }

    #[test]
    fn installations_are_forgotten_before_they_fill_the_memory() {
        let pace = Pace::default();
        let now = Instant::now();
        for installation in 0..2_000 {
            assert_eq!(pace.take(&installation.to_string(), Pacing::Content, now), Ok(Duration::ZERO));
        }
        assert_eq!(pace.written.lock().unwrap().len(), MOST_INSTALLATIONS);
    }
}
