//! How fast Discord may be called ("Rate Limits"): buckets that its answers tell of, the limit over all, and the count of
//! invalid requests, at ten thousand of which in ten minutes it shuts the whole address out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The window in which invalid requests are counted.
const INVALID_WINDOW: Duration = Duration::from_secs(600);

/// Invalid requests in that window after which nothing is called: half of what Discord bears, for others may share the address.
const INVALID_MAX: usize = 5_000;

/// How long a refused token is not tried again.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// Buckets above which those that have run out are thrown away: each interaction's token has one of its own.
const SWEEP_ABOVE: usize = 256;

/// Buckets that are remembered at most.
const BUCKETS_MAX: usize = 20_000;

/// A kind of call, and the resource its limit is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    /// Verb and path with `{}` for ids.
    pub(crate) template: &'static str,
    /// Channel, server or webhook with its token.
    pub(crate) major: String,
    /// Under an interaction's token: neither the limit over all nor the bot's token is its concern.
    pub(crate) is_interaction: bool,
}

/// What an answer says of limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    /// `X-RateLimit-Bucket`.
    pub(crate) bucket: Option<String>,
    /// `X-RateLimit-Remaining`.
    pub(crate) remaining: Option<u64>,
    /// `X-RateLimit-Reset-After`.
    pub(crate) reset_after: Option<Duration>,
    /// `retry_after` of the body, else `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// `X-RateLimit-Scope: global` or `X-RateLimit-Global`.
    pub(crate) is_global: bool,
    /// `X-RateLimit-Scope: shared`: not counted against us.
    pub(crate) is_shared: bool,
}

/// Why a call is not made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It would be over a limit.
    Until { wait: Duration, why: &'static str },
    /// The token was refused a moment ago.
    Refused,
}

#[derive(Debug, Default)]
pub(crate) struct Limits {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The bucket of a route's template.
    buckets_of: HashMap<&'static str, String>,
    /// What is left in a bucket of a resource.
    windows: HashMap<(String, String), Window>,
    over_all_until: Option<Instant>,
    refused_until: Option<Instant>,
    invalid: VecDeque<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    remaining: u64,
    resets_at: Instant,
}

impl Limits {
    /// Takes a place for one call, or says why there is none.
    pub(crate) fn take(&self, route: &Route, now: Instant) -> Result<(), Held> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        while state.invalid.front().is_some_and(|at| now.saturating_duration_since(*at) >= INVALID_WINDOW) {
            state.invalid.pop_front();
        }
        if state.invalid.len() >= INVALID_MAX {
            let wait = state.invalid.front().map_or(INVALID_WINDOW, |at| (*at + INVALID_WINDOW).duration_since(now));
            return Err(Held::Until { wait, why: "too many invalid requests in ten minutes" });
        }
        if !route.is_interaction {
            if state.refused_until.is_some_and(|until| until > now) {
                return Err(Held::Refused);
            }
            if let Some(until) = state.over_all_until.filter(|until| *until > now) {
                return Err(Held::Until { wait: until.duration_since(now), why: "the limit over all calls" });
            }
        }
        let key = (state.buckets_of.get(route.template).cloned(), route.major.clone());
        let (Some(bucket), major) = key else {
            return Ok(());
        };
        match state.windows.get_mut(&(bucket, major)) {
            Some(window) if window.resets_at > now => {
                let Some(left) = window.remaining.checked_sub(1) else {
                    let wait = window.resets_at.duration_since(now);
                    return Err(Held::Until { wait, why: "the limit of this kind of call" });
                };
                window.remaining = left;
            }
            _ => {}
        }
        Ok(())
    }

    /// Learns from an answer.
    pub(crate) fn learn(&self, route: &Route, told: &Told, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_invalid = matches!(told.status, 401 | 403) || (told.status == 429 && !told.is_shared);
        if is_invalid && state.invalid.len() < INVALID_MAX {
            state.invalid.push_back(now);
        }
        if told.status == 401 && !route.is_interaction {
            state.refused_until = Some(now + REFUSED_FOR);
        } else if (200..300).contains(&told.status) && !route.is_interaction {
            state.refused_until = None;
        }
        if told.status == 429 && told.is_global {
            state.over_all_until = told.retry_after.map(|wait| now + wait);
            return;
        }
        let Some(bucket) = told.bucket.clone() else {
            return;
        };
        state.buckets_of.insert(route.template, bucket.clone());
        let exhausted = told.status == 429;
        let wait = if exhausted { told.retry_after.or(told.reset_after) } else { told.reset_after };
        let (Some(wait), Some(remaining)) = (wait, told.remaining.or(exhausted.then_some(0))) else {
            return;
        };
        let window = Window { remaining: if exhausted { 0 } else { remaining }, resets_at: now + wait };
        state.windows.insert((bucket, route.major.clone()), window);
        if state.windows.len() > SWEEP_ABOVE {
            state.windows.retain(|_, window| window.resets_at > now);
        }
        if state.windows.len() > BUCKETS_MAX {
            state.windows.clear();
        }
    }

    /// Invalid requests that are counted.
    #[cfg(test)]
    fn counted(&self) -> usize {
        self.state.lock().unwrap().invalid.len()
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.state.lock().unwrap().windows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(major: &str) -> Route {
        Route { template: "POST /channels/{}/messages", major: major.into(), is_interaction: false }
    }

    fn answer(status: u16, remaining: u64, reset_after_ms: u64) -> Told {
        Told {
            status,
            bucket: Some("abcd".into()),
            remaining: Some(remaining),
            reset_after: Some(Duration::from_millis(reset_after_ms)),
            ..Told::default()
        }
    }

    #[test]
    fn an_exhausted_bucket_holds_its_own_resource_until_it_resets() {
        let limits = Limits::default();
        let now = Instant::now();
        limits.learn(&route("1"), &answer(200, 1, 1_000), now);
        assert_eq!(limits.take(&route("1"), now), Ok(()));
        let held = Held::Until { wait: Duration::from_secs(1), why: "the limit of this kind of call" };
        assert_eq!(limits.take(&route("1"), now), Err(held));
        assert_eq!(limits.take(&route("2"), now), Ok(()), "another channel has a bucket of its own");
        assert_eq!(limits.take(&route("1"), now + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn the_limit_over_all_does_not_hold_interactions() {
        let limits = Limits::default();
        let now = Instant::now();
        let told = Told { status: 429, is_global: true, retry_after: Some(Duration::from_secs(2)), ..Told::default() };
        limits.learn(&route("1"), &told, now);
        assert!(matches!(limits.take(&route("2"), now), Err(Held::Until { .. })));
        let interaction = Route { is_interaction: true, ..route("3") };
        assert_eq!(limits.take(&interaction, now), Ok(()));
        assert_eq!(limits.take(&route("2"), now + Duration::from_secs(2)), Ok(()));
    }

    #[test]
    fn a_refused_token_rests_and_a_good_answer_clears_it() {
        let limits = Limits::default();
        let now = Instant::now();
        limits.learn(&route("1"), &Told { status: 401, ..Told::default() }, now);
        assert_eq!(limits.take(&route("1"), now), Err(Held::Refused));
        assert_eq!(limits.take(&route("1"), now + REFUSED_FOR), Ok(()));
        limits.learn(&route("1"), &answer(200, 3, 1), now + REFUSED_FOR);
        assert_eq!(limits.take(&route("1"), now + REFUSED_FOR), Ok(()));
    }

    #[test]
    fn a_storm_of_invalid_requests_ends_far_below_the_ban() {
        let limits = Limits::default();
        let now = Instant::now();
        let mut made = 0;
        for number in 0..20_000u64 {
            let status = if number % 2 == 0 { 403 } else { 429 };
            if limits.take(&route(&number.to_string()), now).is_ok() {
                made += 1;
                limits.learn(&route("x"), &Told { status, ..Told::default() }, now);
            }
        }
        assert_eq!(made, INVALID_MAX);
        let shared = Told { status: 429, is_shared: true, ..Told::default() };
        limits.learn(&route("x"), &shared, now);
        assert_eq!(limits.counted(), INVALID_MAX, "a shared limit is nobody's fault");
        assert_eq!(limits.take(&route("x"), now + INVALID_WINDOW), Ok(()));
        assert_eq!(limits.counted(), 0);
    }

    /// discordgo #1333: a bucket for each interaction's token, kept for ever.
    #[test]
    fn buckets_that_have_run_out_are_forgotten() {
        let limits = Limits::default();
        let mut now = Instant::now();
        for number in 0..10_000 {
            limits.learn(&route(&format!("token-{number}")), &answer(200, 4, 500), now);
            now += Duration::from_millis(10);
        }
        assert!(limits.remembered() <= SWEEP_ABOVE, "{}", limits.remembered());
    }
}
