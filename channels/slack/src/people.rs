//! People: what Slack says somebody may do, and who we are.

use std::time::Duration;

use reveille_channel::{Actor, ActorKind, Identity, ReplyError, Role, Secret, ThreadRef};
use serde_json::{Map, Value};

use crate::api::{Api, Repeat};
use crate::manifest::{HISTORY, SCOPES};
use crate::memory::Memory;
use crate::own::{Ids, Own};
use crate::refusal;
use crate::socket::open_address;

/// How long somebody waits for us to learn who they are: within what the gateway waits.
const PATIENCE_MS: u64 = 8_000;

/// "users.info". It only reads, and somebody would be refused for want of an answer: it is asked again for a while.
async fn asked(api: &Api, arguments: Map<String, Value>) -> Result<Map<String, Value>, ReplyError> {
    let mut waited_ms = 0u64;
    loop {
        match api.call("users.info", arguments.clone(), Repeat::Harmless).await {
            Err(ReplyError::Retry { after_ms, .. }) if waited_ms.saturating_add(after_ms) <= PATIENCE_MS => {
                waited_ms = waited_ms.saturating_add(after_ms.max(100));
                tokio::time::sleep(Duration::from_millis(after_ms.max(100))).await;
            }
            answer => return answer,
        }
    }
}

/// What Slack says somebody may do in the workspace.
pub(crate) async fn role(api: &Api, memory: &Memory, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
    match actor.kind {
        ActorKind::External => return Ok(Role::External),
        ActorKind::Bot => return Ok(Role::None),
        ActorKind::Human => {}
    }
    if let Some(role) = memory.role(&thread.installation, &actor.id) {
        return Ok(role);
    }
    let arguments = Map::from_iter([("user".to_owned(), Value::String(actor.id.clone()))]);
    let role = match asked(api, arguments).await {
        Ok(answer) => role_of(answer.get("user").unwrap_or(&Value::Null), actor, thread)?,
        // The real platform has the method; a server without it has the signed payload's word alone.
        Err(error) if refusal::is_unknown_method(&error) => Role::Member,
        Err(error) => return Err(error),
    };
    memory.set_role(&thread.installation, &actor.id, role);
    Ok(role)
}

fn role_of(user: &Value, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
    if user.get("id").and_then(Value::as_str) != Some(actor.id.as_str()) {
        return Err(ReplyError::Refused("users.info: the answer is about somebody else".into()));
    }
    let is = |name: &str| user.get(name).and_then(Value::as_bool).unwrap_or(false);
    let team = user.get("team_id").and_then(Value::as_str);
    // In an Enterprise organisation somebody's home may be another of its workspaces ("User object": `enterprise_user`).
    let belongs = user.pointer("/enterprise_user/teams").and_then(Value::as_array);
    let belongs = belongs.is_some_and(|teams| teams.iter().any(|team| team == thread.installation.as_str()));
    Ok(if is("deleted") {
        Role::None
    } else if is("is_stranger")
        || team.is_some_and(|team| team != thread.installation && !team.starts_with('E') && !belongs)
    {
        Role::External
    } else if is("is_bot") || is("is_restricted") || is("is_ultra_restricted") {
        Role::Guest
    } else if is("is_admin") || is("is_owner") {
        Role::Admin
    } else {
        Role::Member
    })
}

pub(crate) async fn identify(api: &Api, own: &Own, app_token: Option<&Secret>) -> Result<Identity, ReplyError> {
    let (answer, scopes) = api.who().await?;
    let said = |name: &str| answer.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    own.learn(Ids { user: said("user_id"), bot: said("bot_id"), team: said("team_id") });
    let mut warnings = scopes.map(|scopes| missing(&scopes)).unwrap_or_default();
    if let Some(app_token) = app_token
        && let Err(error @ (ReplyError::Credentials(_) | ReplyError::Refused(_))) = open_address(api, app_token).await
    {
        warnings.push(format!("app_token: {error}"));
    }
    Ok(Identity {
        id: said("user_id").unwrap_or_default(),
        handle: said("user").unwrap_or_default(),
        installation: said("team").or_else(|| said("team_id")).unwrap_or_default(),
        warnings,
    })
}

fn missing(scopes: &str) -> Vec<String> {
    let has = |wanted: &str| scopes.split(',').any(|scope| scope.trim() == wanted);
    let mut warnings: Vec<String> = SCOPES
        .iter()
        .filter(|scope| scope.is_needed && !has(scope.name))
        .map(|scope| format!("the bot token lacks the scope {}, {}", scope.name, scope.what_for))
        .collect();
    if !HISTORY.iter().any(|scope| has(scope)) {
        warnings.push("the bot token lacks all scopes *:history: no thread can be read".into());
    }
    warnings
}
