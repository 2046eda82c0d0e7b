//! What somebody may do in the workspace, by Linear's own word and for a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reveille_channel::{Actor, ActorKind, ReplyError, Role};
use tokio::time::Instant;

use crate::api::Api;
use crate::model::User;
use crate::payload::is_id;

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(60);
/// Answers kept at once.
const MOST_KEPT: usize = 4_096;

/// The answers of the last minute, by user.
#[derive(Debug, Default)]
pub(crate) struct Access(Mutex<HashMap<String, (Role, Instant)>>);

impl Access {
    /// What the actor may do. A token sees one workspace, so an id of another one is nobody's.
    pub(crate) async fn role(&self, api: &Api, actor: &Actor) -> Result<Role, ReplyError> {
        match actor.kind {
            ActorKind::External => return Ok(Role::External),
            ActorKind::Bot => return Ok(Role::None),
            ActorKind::Human => {}
        }
        if !is_id(&actor.id) {
            return Ok(Role::None);
        }
        if let Some(role) = self.kept(&actor.id, Instant::now()) {
            return Ok(role);
        }
        let role = match api.user(&actor.id).await {
            Ok(user) if user.id == actor.id => role_of(&user),
            Ok(_) | Err(ReplyError::Gone(_)) => Role::None,
            Err(error) => return Err(error),
        };
        self.keep(&actor.id, role, Instant::now());
        Ok(role)
    }

    fn kept(&self, id: &str, now: Instant) -> Option<Role> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(id).filter(|(_, at)| now.saturating_duration_since(*at) < KEPT).map(|(role, _)| *role)
    }

    fn keep(&self, id: &str, role: Role, now: Instant) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST_KEPT {
            answers.retain(|_, (_, at)| now.saturating_duration_since(*at) < KEPT);
        }
        if answers.len() < MOST_KEPT {
            answers.insert(id.to_owned(), (role, now));
        }
    }
}

/// Suspended people and programs have none; guests see some teams alone.
fn role_of(user: &User) -> Role {
    match user {
        User { active: Some(false), .. } | User { app: true, .. } => Role::None,
        User { guest: true, .. } => Role::Guest,
        User { admin: true, .. } | User { owner: true, .. } => Role::Admin,
        _ => Role::Member,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_linears() {
        for (user, role) in [
            (User::default(), Role::Member),
            (User { admin: true, ..User::default() }, Role::Admin),
            (User { owner: true, ..User::default() }, Role::Admin),
            (User { guest: true, admin: true, ..User::default() }, Role::Guest),
            (User { app: true, admin: true, ..User::default() }, Role::None),
            (User { active: Some(false), admin: true, ..User::default() }, Role::None),
        ] {
            assert_eq!(role_of(&user), role, "{user:?}");
        }
    }
}
