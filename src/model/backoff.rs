//! Which model a further try goes to, and after which wait: a pure policy.

/// The first wait, milliseconds; doubled for each further try.
const BASE_MS: u64 = 500;

/// The longest wait of our own choosing, milliseconds.
const CAP_MS: u64 = 30_000;

/// The longest wait a provider may ask for, milliseconds.
const ASKED_CAP_MS: u64 = 300_000;

/// A try that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Position of the model in the agent's list.
    pub model: usize,
    /// Another try of the same may succeed.
    pub retry: bool,
    /// The provider's `Retry-After`, milliseconds.
    pub after_ms: Option<u64>,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// Call this model after this wait.
    Call {
        /// Position of the model in the agent's list.
        model: usize,
        /// The wait, milliseconds.
        wait_ms: u64,
    },
    /// No model is left.
    GiveUp,
}

/// The next try after `failures` (oldest first), for an agent with so many models and so many tries of each.
///
/// A failure worth another try is tried again with the same model, with full jitter (`random` from 0 to 1) and never before the
/// provider's `Retry-After`. Any other failure, or the last try, moves on to the next model at once.
#[must_use]
pub fn next_try(failures: &[Failure], models: usize, tries_of_each: u32, random: f64) -> Try {
    let Some(last) = failures.last() else {
        return if models == 0 { Try::GiveUp } else { Try::Call { model: 0, wait_ms: 0 } };
    };
    let tries = failures.iter().filter(|failure| failure.model == last.model).count();
    let tries = u32::try_from(tries).unwrap_or(u32::MAX);
    if last.retry && tries < tries_of_each && last.model < models {
        let most = BASE_MS.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(CAP_MS);
        let jitter = jittered(most, random);
        let asked = last.after_ms.unwrap_or(0).min(ASKED_CAP_MS);
        return Try::Call { model: last.model, wait_ms: jitter.max(asked) };
    }
    let model = last.model.saturating_add(1);
    if model < models { Try::Call { model, wait_ms: 0 } } else { Try::GiveUp }
}

/// A part of `most`, by thousandths.
fn jittered(most: u64, random: f64) -> u64 {
    let share = random.clamp(0.0, 1.0);
    let thousandths = (0..1000u32).rev().find(|step| f64::from(*step) <= share * 1000.0).unwrap_or(0);
    most.saturating_mul(u64::from(thousandths)) / 1000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure(model: usize, retry: bool, after_ms: Option<u64>) -> Failure {
        Failure { model, retry, after_ms }
    }

    #[test]
    fn a_model_is_tried_again_then_the_next_then_nobody() {
        let retry = failure(0, true, None);
        assert_eq!(next_try(&[], 2, 3, 1.0), Try::Call { model: 0, wait_ms: 0 });
        assert_eq!(next_try(&[retry], 2, 3, 1.0), Try::Call { model: 0, wait_ms: 499 });
        assert_eq!(next_try(&[retry, retry], 2, 3, 1.0), Try::Call { model: 0, wait_ms: 999 });
        assert_eq!(next_try(&[retry, retry, retry], 2, 3, 1.0), Try::Call { model: 1, wait_ms: 0 });
        assert_eq!(next_try(&[retry, failure(1, false, None)], 2, 3, 1.0), Try::GiveUp);
        assert_eq!(next_try(&[], 0, 3, 1.0), Try::GiveUp);
    }

    #[test]
    fn a_provider_may_ask_for_patience_but_not_for_ever() {
        assert_eq!(next_try(&[failure(0, true, Some(7_000))], 1, 3, 0.0), Try::Call { model: 0, wait_ms: 7_000 });
        assert_eq!(next_try(&[failure(0, true, Some(u64::MAX))], 1, 3, 0.0), Try::Call { model: 0, wait_ms: 300_000 });
    }

    proptest! {
        #[test]
        fn it_always_comes_to_an_end(outcomes in proptest::collection::vec(any::<(bool, Option<u64>)>(), 0..100), models in 0usize..5, tries in 0u32..5) {
            let mut failures = Vec::new();
            for (retry, after_ms) in outcomes {
                match next_try(&failures, models, tries, 0.5) {
                    Try::Call { model, .. } => failures.push(failure(model, retry, after_ms)),
                    Try::GiveUp => break,
                }
            }
            prop_assert!(failures.len() <= models * usize::try_from(tries.max(1)).unwrap());
        }
    }
}
