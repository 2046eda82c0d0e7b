//! Learning who we are on Linear.

use reveille_channel::{Identity, ReplyError};

use crate::api::Api;
use crate::model::User;
use crate::own::{Me, Own};

/// Asks Linear who we are and remembers it.
pub(crate) async fn identify(api: &Api, own: &Own) -> Result<Identity, ReplyError> {
    let user = api.viewer().await?;
    if user.id.is_empty() {
        return Err(ReplyError::Refused("the API does not say who the credential is of".to_owned()));
    }
    let organization = user.organization.clone().filter(|organization| !organization.id.is_empty());
    own.learn(Me {
        id: user.id.clone(),
        organization: organization.as_ref().map(|organization| organization.id.clone()),
        handles: handles(&user),
        has_sessions: user.supports_agent_sessions == Some(true),
    });
    Ok(Identity {
        handle: user.shown().to_owned(),
        installation: organization.map_or_else(|| "a workspace".to_owned(), |organization| organization.name),
        warnings: warnings(&user),
        id: user.id,
    })
}

/// What calls us: display name, name and the last part of the profile's address.
fn handles(user: &User) -> Vec<String> {
    let slug = user.url.as_deref().and_then(|url| url.trim_end_matches('/').rsplit('/').next());
    let mut handles: Vec<String> = Vec::new();
    for handle in [Some(user.display_name.as_str()), Some(user.name.as_str()), slug].into_iter().flatten() {
        let handle = handle.trim().to_lowercase();
        if !handle.is_empty() && !handles.contains(&handle) {
            handles.push(handle);
        }
    }
    handles
}

/// What the credential lacks, each with what to do.
fn warnings(user: &User) -> Vec<String> {
    if !user.app {
        let warning = "the credential is a person's, so replies appear as theirs and nothing can be delegated to the agent; \
                       use an application's, installed with actor=app";
        return vec![warning.to_owned()];
    }
    let lacks = [
        (
            user.is_assignable,
            "the app was installed without the scope `app:assignable`: issues cannot be delegated to it",
        ),
        (user.is_mentionable, "the app was installed without the scope `app:mentionable`: nobody can call it"),
        (
            user.supports_agent_sessions,
            "the application is not told of agent sessions: switch on \"Agent session events\" among its webhooks",
        ),
    ];
    lacks.into_iter().filter(|(has, _)| *has == Some(false)).map(|(_, warning)| warning.to_owned()).collect()
}
