//! `installation` and `installation_repositories`: where the app may act.

use reveille_channel::{Change, Kind};

use super::{Nothing, Said};
use crate::own::Own;
use crate::payload::Payload;

/// `installation`.
pub(super) fn installation(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    let change = match payload.action.as_str() {
        "created" | "new_permissions_accepted" => Change::Installed,
        "deleted" => Change::Removed,
        "suspend" => Change::Suspended,
        "unsuspend" => Change::Restored,
        _ => return Err(Nothing::Ignored("an action on an installation that is not used")),
    };
    changed(own, payload, "installation", change)
}

/// `installation_repositories`.
pub(super) fn repositories(own: &Own, payload: &mut Payload) -> Result<Said, Nothing> {
    match payload.action.as_str() {
        "added" => changed(own, payload, "installation_repositories", Change::Installed),
        // The rest of the installation stays; calls to what was taken out are refused by GitHub.
        _ => Err(Nothing::Ignored("repositories were taken out of the installation")),
    }
}

fn changed(own: &Own, payload: &Payload, event: &str, change: Change) -> Result<Said, Nothing> {
    let Some(installation) = &payload.installation else { return Err(Nothing::Malformed("there is no installation")) };
    if installation.app_id.is_some_and(|app| !own.may_be_app(app)) {
        return Err(Nothing::Ignored("an installation of another app"));
    }
    Ok(Said {
        name: format!("{event}.{}", payload.action),
        kind: Kind::Lifecycle { change },
        place: None,
        text: String::new(),
        mentions: Vec::new(),
        message: None,
        author: None,
        via: None,
        facts: Vec::new(),
        occurred_at_ms: 0,
    })
}
