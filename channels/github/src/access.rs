//! What an actor may do in a repository, by GitHub's own word and for a minute (AZ-5). `author_association` is never
//! looked at: it depends on who is looking.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reveille_channel::{Actor, ReplyError, Role, ThreadRef};
use tokio::time::Instant;

use crate::api::{Api, Permission, Repository};

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(60);
/// Answers kept at once.
const MOST_KEPT: usize = 4_096;

type Question = (Repository, String, String);

/// The answers of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Access {
    answers: Mutex<HashMap<Question, (Role, Instant)>>,
}

impl Access {
    /// What the actor may do where the thread is.
    ///
    /// GitHub answers by login, and logins change hands; so the answer counts only for the account with the actor's id.
    pub(crate) async fn role(&self, api: &Api, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError> {
        let (repository, _) = Repository::of(thread)?;
        let question = (repository, actor.id.clone(), actor.name.clone());
        if let Some(role) = self.kept(&question, Instant::now()) {
            return Ok(role);
        }
        let mut permission = api.permission(&question.0, &actor.name).await?;
        if let Some(Permission { user: user @ None, .. }) = &mut permission {
            // Not every server says of whom it speaks.
            *user = api.user_of(&question.0, &actor.name).await?;
        }
        let role = permission.filter(|permission| is_about(permission, actor)).map_or(Role::None, |it| role_of(&it));
        self.keep(question, role, Instant::now());
        Ok(role)
    }

    fn kept(&self, question: &Question, now: Instant) -> Option<Role> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(question).filter(|(_, at)| now.saturating_duration_since(*at) < KEPT).map(|(role, _)| *role)
    }

    fn keep(&self, question: Question, role: Role, now: Instant) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST_KEPT {
            answers.retain(|_, (_, at)| now.saturating_duration_since(*at) < KEPT);
        }
        if answers.len() < MOST_KEPT {
            answers.insert(question, (role, now));
        }
    }
}

fn is_about(permission: &Permission, actor: &Actor) -> bool {
    permission.user.as_ref().is_some_and(|user| user.id.to_string() == actor.id)
}

/// The role of a permission. A role that an organisation made counts as the permission it is built on.
fn role_of(permission: &Permission) -> Role {
    match permission.role_name.as_str() {
        "admin" | "maintain" => Role::Admin,
        "write" => Role::Member,
        "triage" | "read" => Role::Guest,
        _ => match permission.permission.as_str() {
            "admin" => Role::Admin,
            "write" => Role::Member,
            "read" => Role::Guest,
            _ => Role::None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_the_role_and_else_the_permission() {
        for (role_name, permission, role) in [
            ("admin", "admin", Role::Admin),
            ("maintain", "write", Role::Admin),
            ("write", "write", Role::Member),
            ("triage", "read", Role::Guest),
            ("read", "read", Role::Guest),
            ("security-champion", "write", Role::Member),
            ("", "none", Role::None),
            ("", "something new", Role::None),
        ] {
            let given = Permission { permission: permission.into(), role_name: role_name.into(), user: None };
            assert_eq!(role_of(&given), role, "{role_name} {permission}");
        }
    }
}
