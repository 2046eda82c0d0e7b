//! Which installation a delivery is for, by Slack's signed word, before anything else of it is read.
//!
//! A delivery of the Events API comes for one authorization, and says which: a workspace's or a whole organisation's
//! ("Events API: callback field overview", `authorizations`). Where a channel is shared, `team_id` may be that of the
//! other side. Commands and interactions say whether they come for an organisation's installation.

use reveille_channel::{Route, Verified};
use serde::Deserialize;
use serde_json::Value;

use crate::commands::fields;

/// Whom a delivery is for, as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tenant {
    /// The workspace.
    pub(crate) team: Option<String>,
    /// Its organisation.
    pub(crate) enterprise: Option<String>,
    /// Whether it comes for the organisation's installation, where that is said.
    pub(crate) is_enterprise_install: Option<bool>,
}

/// The parts of a body that name a tenant.
#[derive(Default, Deserialize)]
struct Named {
    team_id: Option<String>,
    context_team_id: Option<String>,
    enterprise_id: Option<String>,
    context_enterprise_id: Option<String>,
    #[serde(default)]
    authorizations: Option<Vec<Authorization>>,
    team: Option<Id>,
    enterprise: Option<Id>,
    user: Option<User>,
    /// A word in forms and over sockets, `true` or `false` in JSON.
    is_enterprise_install: Option<Value>,
}

#[derive(Deserialize)]
struct Authorization {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    is_enterprise_install: Option<bool>,
}

#[derive(Deserialize)]
struct Id {
    id: Option<String>,
}

#[derive(Deserialize)]
struct User {
    team_id: Option<String>,
}

impl Tenant {
    /// Of a request.
    pub(crate) fn of(verified: &Verified) -> Self {
        let pairs = |body: &[u8]| {
            let pairs = fields(body);
            move |name: &str| {
                pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone())
            }
        };
        let named = match verified.route() {
            Route::Commands => {
                let field = pairs(verified.body());
                Named {
                    team_id: field("team_id"),
                    enterprise_id: field("enterprise_id"),
                    is_enterprise_install: field("is_enterprise_install").map(Value::String),
                    ..Named::default()
                }
            }
            Route::Interactivity => {
                let payload = pairs(verified.body())("payload").unwrap_or_default();
                serde_json::from_str(&payload).unwrap_or_default()
            }
            Route::Events | Route::Webhook | Route::Interactions => {
                serde_json::from_slice(verified.body()).unwrap_or_default()
            }
        };
        named.into()
    }

    /// Of an envelope that came over a socket.
    pub(crate) fn of_payload(payload: &Value) -> Self {
        Named::deserialize(payload).unwrap_or_default().into()
    }

    /// Whether nothing is said.
    pub(crate) fn is_nobody(&self) -> bool {
        self.team.is_none() && self.enterprise.is_none()
    }
}

impl From<Named> for Tenant {
    fn from(named: Named) -> Self {
        if let Some(one) = named.authorizations.into_iter().flatten().next() {
            return Self {
                team: one.team_id.or(named.context_team_id).or(named.team_id),
                enterprise: one.enterprise_id.or(named.context_enterprise_id).or(named.enterprise_id),
                is_enterprise_install: one.is_enterprise_install,
            };
        }
        let of_team = named.team.and_then(|team| team.id).or(named.user.and_then(|user| user.team_id));
        Self {
            team: named.context_team_id.or(named.team_id).or(of_team),
            enterprise: named
                .context_enterprise_id
                .or(named.enterprise_id)
                .or(named.enterprise.and_then(|enterprise| enterprise.id)),
            is_enterprise_install: match named.is_enterprise_install {
                Some(Value::Bool(is)) => Some(is),
                Some(Value::String(word)) => word.parse().ok(),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tenant(team: Option<&str>, enterprise: Option<&str>, is_enterprise_install: Option<bool>) -> Tenant {
        Tenant { team: team.map(Into::into), enterprise: enterprise.map(Into::into), is_enterprise_install }
    }

    #[test]
    fn the_authorization_says_whom_an_event_is_for() {
        let shared = json!({
            "type": "event_callback", "team_id": "TOTHER", "context_team_id": "T1", "enterprise_id": null,
            "authorizations": [{"enterprise_id": null, "team_id": "T1", "user_id": "U", "is_bot": true, "is_enterprise_install": false}],
        });
        assert_eq!(Tenant::of_payload(&shared), tenant(Some("T1"), None, Some(false)));
        let of_organisation = json!({
            "team_id": "T1", "enterprise_id": "E1",
            "authorizations": [{"enterprise_id": "E1", "team_id": null, "is_enterprise_install": true}],
        });
        assert_eq!(Tenant::of_payload(&of_organisation), tenant(Some("T1"), Some("E1"), Some(true)));
        let the_end = json!({"team_id": "T1", "enterprise_id": "E1", "authorizations": []});
        assert_eq!(Tenant::of_payload(&the_end), tenant(Some("T1"), Some("E1"), None));
    }

    #[test]
    fn commands_and_interactions_say_it_themselves() {
        let command = json!({"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true"});
        assert_eq!(Tenant::of_payload(&command), tenant(Some("T1"), Some("E1"), Some(true)));
        let pressed =
            json!({"team": {"id": "T1"}, "enterprise": null, "is_enterprise_install": false, "user": {"id": "U"}});
        assert_eq!(Tenant::of_payload(&pressed), tenant(Some("T1"), None, Some(false)));
        let of_organisation =
            json!({"team": null, "enterprise": {"id": "E1"}, "is_enterprise_install": true, "user": {"team_id": "T9"}});
        assert_eq!(Tenant::of_payload(&of_organisation), tenant(Some("T9"), Some("E1"), Some(true)));
        assert!(Tenant::of_payload(&json!({"type": "url_verification"})).is_nobody());
        assert!(Tenant::of_payload(&json!(null)).is_nobody());
    }
}
