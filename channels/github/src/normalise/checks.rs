//! `check_run`: the buttons that people press on check runs of ours.

use reveille_channel::Kind;

use super::{Nothing, Said};
use crate::model::CheckRun;
use crate::own::Own;
use crate::payload::Payload;
use crate::place::Place;

/// What we write before the number of the pull request into a check run's `external_id`.
const EXTERNAL_ID: &str = "reveille:";

/// The `external_id` of a check run of ours for a pull request; `word` tells it from our others there.
#[must_use]
pub fn check_run_id(pull: u64, word: &str) -> String {
    format!("{EXTERNAL_ID}{pull}:{word}")
}

/// The pull request that a check run of ours was made for.
#[must_use]
pub fn check_run_pull(check: &CheckRun) -> Option<u64> {
    check.external_id.strip_prefix(EXTERNAL_ID)?.split(':').next()?.parse().ok()
}

/// `check_run`. Only buttons matter: that a check began or ended is told by whoever runs it.
pub(super) fn check_run(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let Some(check) = payload.check_run.take() else { return Err(Nothing::Malformed("there is no check run")) };
    if !matches!(payload.action.as_str(), "rerequested" | "requested_action") {
        return Err(Nothing::Ignored("a check run that began or ended"));
    }
    if !own.is_own_app(check.app) {
        return Err(Nothing::Ignored("a check run of another app"));
    }
    // A commit is no place for an answer: the pull request is that our check run was made for, else one with this head.
    let Some(number) = check_run_pull(&check).or_else(|| check.pull_requests.first().map(|pull| pull.number)) else {
        return Err(Nothing::Ignored("a check run of no pull request"));
    };
    let action = payload.requested_action.take().map(|action| action.identifier);
    let text = match &action {
        Some(action) => format!("The button `{action}` of the check run \"{}\" was pressed.", check.name),
        None => format!("The check run \"{}\" is to run again.", check.name),
    };
    let mut facts = vec![("check", check.name), ("check_run_id", check.id.to_string()), ("head_sha", check.head_sha)];
    facts.extend(action.map(|action| ("action", action)));
    Ok(Said {
        name: format!("check_run.{}", payload.action),
        kind: Kind::Other,
        place: Some(Place::Pull { number }),
        text,
        mentions: Vec::new(),
        message: None,
        author: None,
        via: None,
        facts,
        occurred_at_ms: 0,
    })
}
