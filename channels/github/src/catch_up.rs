//! Asking GitHub to deliver again what did not reach us: it never does so by itself ("Handling failed webhook deliveries").

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use reveille_channel::ReplyError;

use crate::GitHub;
use crate::api::{DeliveryObject, Hook};
use crate::settings::Auth;
use crate::shape::Shape;

/// GitHub keeps deliveries for three days ("Redelivering webhooks").
const KEPT_MS: i64 = 3 * 24 * 3_600 * 1_000;
/// After so many attempts it is not for want of trying.
const MOST_ATTEMPTS: usize = 6;
/// Asked for at once; the next round asks for the rest.
const MOST_AT_ONCE: usize = 1_000;
/// Pages of the list that are read.
const MOST_PAGES: usize = 500;
/// Repositories whose webhooks are looked at, with a token.
const MOST_REPOSITORIES: usize = 100;

/// Asks for what failed in the last three days and never arrived; how many it asked for.
pub(crate) async fn catch_up(github: &GitHub) -> Result<usize, ReplyError> {
    let hooks = match github.auth {
        Auth::App { .. } => vec![Hook::App],
        Auth::Token(_) => {
            let path = format!("/channels/{}/webhook", github.connection);
            match github.api.webhooks(&path, MOST_REPOSITORIES).await {
                Ok(hooks) => hooks,
                // A token of an installation or of an action has no repositories of its own to list.
                Err(ReplyError::Gone(_) | ReplyError::Credentials(_)) => return Ok(0),
                Err(error) => return Err(error),
            }
        }
    };
    let mut asked_for = 0;
    for hook in hooks {
        let since_ms = Timestamp::now().as_millisecond().saturating_sub(KEPT_MS);
        let listed = match listed(github, &hook, since_ms).await {
            Ok(listed) => listed,
            Err(error @ ReplyError::Retry { .. }) => return Err(error),
            // One webhook that cannot be read is no reason to leave out the others.
            Err(error) => {
                tracing::warn!(%error, "the deliveries of a webhook cannot be listed");
                continue;
            }
        };
        for delivery in failed(&listed).into_iter().take(MOST_AT_ONCE) {
            match github.api.deliver_again(&hook, delivery).await {
                Ok(()) => asked_for += 1,
                // One that GitHub no longer has is no reason to leave out the others.
                Err(ReplyError::Gone(reason) | ReplyError::Refused(reason)) => {
                    tracing::warn!(delivery, reason, "a failed delivery cannot be had again");
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(asked_for)
}

/// The deliveries since a time, the newest first.
async fn listed(github: &GitHub, hook: &Hook, since_ms: i64) -> Result<Vec<DeliveryObject>, ReplyError> {
    let mut all: Vec<DeliveryObject> = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = github.api.deliveries(hook, next.as_deref()).await?;
        let is_last = page.items.iter().any(|it| it.delivered_at_ms != 0 && it.delivered_at_ms < since_ms);
        all.extend(page.items.into_iter().filter(|it| it.delivered_at_ms == 0 || it.delivered_at_ms >= since_ms));
        next = page.next.filter(|_| !is_last);
        if next.is_none() {
            break;
        }
    }
    Ok(all)
}

/// Of each event that never arrived, the attempt to repeat; the oldest event first, as they happened.
fn failed(listed: &[DeliveryObject]) -> Vec<u64> {
    let arrived: HashSet<&str> = listed.iter().filter(|it| it.has_arrived()).map(|it| it.guid.as_str()).collect();
    let mut attempts: HashMap<&str, usize> = HashMap::new();
    for delivery in listed {
        *attempts.entry(&delivery.guid).or_default() += 1;
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let mut failed: Vec<u64> = Vec::new();
    for delivery in listed.iter().rev() {
        let guid = delivery.guid.as_str();
        let is_wanted = !arrived.contains(guid) && Shape::promised_by(&delivery.event).is_used() && seen.insert(guid);
        if !is_wanted {
            continue;
        }
        if attempts.get(guid).is_some_and(|count| *count >= MOST_ATTEMPTS) {
            tracing::warn!(guid, event = delivery.event, "a delivery failed too often and is not asked for any more");
            continue;
        }
        failed.push(delivery.id);
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: u64, guid: &str, status_code: i64, event: &str) -> DeliveryObject {
        DeliveryObject { id, guid: guid.into(), delivered_at_ms: 0, status_code, event: event.into() }
    }

    #[test]
    fn only_what_never_arrived_is_asked_for_once_and_in_order() {
        let mut listed = vec![
            delivery(9, "d", 502, "star"),
            delivery(8, "a", 200, "issues"),
            delivery(7, "c", 400, "issues"),
            delivery(6, "c", 0, "issues"),
            delivery(5, "b", 503, "issue_comment"),
            delivery(4, "a", 503, "issues"),
            delivery(3, "e", 202, "issues"),
        ];
        assert_eq!(failed(&listed), [5, 6]);
        listed.extend((10..16).map(|id| delivery(id, "c", 400, "issues")));
        assert_eq!(failed(&listed), [5], "what fails again and again is left alone");
    }
}
