//! Learning who we are on GitHub.

use std::collections::BTreeMap;

use reveille_channel::{Identity, ReplyError};

use crate::GitHub;
use crate::manifest::{EVENTS, PERMISSIONS};
use crate::own::Account;
use crate::settings::Auth;

/// Asks GitHub who we are and remembers it.
pub(crate) async fn identify(github: &GitHub) -> Result<Identity, ReplyError> {
    match github.auth {
        Auth::App { app_id, .. } => identify_app(github, app_id).await,
        Auth::Token(_) => identify_user(github).await,
    }
}

async fn identify_app(github: &GitHub, app_id: u64) -> Result<Identity, ReplyError> {
    let app = github.api.app().await?;
    if app.id != app_id {
        return Err(ReplyError::Credentials(format!("app_id is {app_id}, but the private key is of app {}", app.id)));
    }
    let login = format!("{}[bot]", app.slug);
    let mut warnings = missing(&app.permissions, &app.events);
    let id = match github.api.public_user(&login).await {
        Ok(user) if user.login == login => Some(user.id),
        Ok(_) => {
            warnings.push(format!("the account of {login} has another name; own comments are told by the app's id"));
            None
        }
        Err(error) => {
            warnings
                .push(format!("the account of {login} is not known ({error}); own comments are told by the app's id"));
            None
        }
    };
    github.own.learn(Account { id, login });
    Ok(Identity {
        id: id.map_or_else(|| format!("app:{app_id}"), |id| id.to_string()),
        handle: app.slug,
        installation: app.owner.map_or_else(|| format!("app {app_id}"), |owner| format!("app of {}", owner.login)),
        warnings,
    })
}

async fn identify_user(github: &GitHub) -> Result<Identity, ReplyError> {
    let (user, scopes) = github.api.user().await.map_err(|error| match error {
        ReplyError::Credentials(said) if said.contains("not accessible by integration") => {
            ReplyError::Credentials(format!(
                "{said}: an installation's or Actions token cannot say whose it is; use an app or a personal token"
            ))
        }
        other => other,
    })?;
    let mut warnings = Vec::new();
    // Only classic tokens tell their scopes.
    if let Some(scopes) = scopes.filter(|scopes| !scopes.trim().is_empty())
        && !scopes.split(',').any(|scope| matches!(scope.trim(), "repo" | "public_repo"))
    {
        warnings.push("the token has neither the scope `repo` nor `public_repo`, so it cannot comment".to_owned());
    }
    github.own.learn(Account { id: Some(user.id), login: user.login.clone() });
    Ok(Identity {
        id: user.id.to_string(),
        installation: format!("token of {}", user.login),
        handle: user.login,
        warnings,
    })
}

/// What the app lacks, each with where to set it.
fn missing(permissions: &BTreeMap<String, String>, events: &[String]) -> Vec<String> {
    let has = |name: &str, least: &str| {
        permissions.get(name).is_some_and(|level| level == least || level == "write" || level == "admin")
    };
    let mut warnings: Vec<String> = PERMISSIONS
        .iter()
        .filter(|one| one.is_needed && !has(one.name, one.level))
        .map(|one| {
            let (name, level, what_for) = (one.name, one.level, one.what_for);
            format!("the app lacks the permission `{name}: {level}` {what_for}; set it at \"Permissions & events\"")
        })
        .collect();
    warnings.extend(
        EVENTS
            .iter()
            .filter(|(event, is_needed)| *is_needed && !events.iter().any(|subscribed| subscribed == event))
            .map(|(event, _)| format!("the app does not subscribe to `{event}`; set it at \"Permissions & events\"")),
    );
    warnings
}
