//! What somebody may do in a server, by Discord's own word and for a minute ("Permissions").
//!
//! The server is asked, and not the permissions an interaction carries: those are of the moment it was made.

use std::time::Duration;

use reveille_channel::{Actor, ActorKind, ReplyError, Role, ThreadRef};
use tokio::time::Instant;

use crate::api::Api;
use crate::normalise::DIRECT;
use crate::payload::{Guild, Member};
use crate::recent::Recent;
use crate::refusal::{UNKNOWN_GUILD, UNKNOWN_MEMBER, UNKNOWN_USER};
use crate::transport::Failure;

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(60);

/// Answers that are remembered; half of them at least.
const HALF: usize = 4_096;

/// Servers that are looked through for somebody who writes a direct message.
const GUILDS_MAX: usize = 25;

/// "Bitwise Permission Flags".
const ADMINISTRATOR: u64 = 1 << 3;
const MANAGE_GUILD: u64 = 1 << 5;

/// The answers of the last minute.
#[derive(Debug)]
pub(crate) struct Access {
    roles: Recent<(Role, Instant)>,
    guilds: Recent<(GuildRoles, Instant)>,
}

/// What of a server decides.
#[derive(Debug, Clone, Default)]
struct GuildRoles {
    owner: Option<String>,
    /// Roles that may run the server.
    ruling: Vec<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self { roles: Recent::new(HALF), guilds: Recent::new(HALF) }
    }
}

impl Access {
    pub(crate) async fn role(
        &self,
        api: &Api,
        actor: &Actor,
        thread: &ThreadRef,
        now_ms: i64,
    ) -> Result<Role, ReplyError> {
        match actor.kind {
            ActorKind::External => return Ok(Role::External),
            ActorKind::Bot => return Ok(Role::None),
            ActorKind::Human => {}
        }
        let key = format!("{}:{}", thread.installation, actor.id);
        let now = Instant::now();
        if let Some((role, at)) = self.roles.get(&key)
            && now.saturating_duration_since(at) < KEPT
        {
            return Ok(role);
        }
        let role = if thread.installation == DIRECT {
            self.anywhere(api, &actor.id, now, now_ms).await?
        } else {
            self.in_guild(api, &thread.installation, &actor.id, now, now_ms).await?
        };
        self.roles.set(&key, (role, now));
        Ok(role)
    }

    /// Who writes to the bot alone has the right of a member where they are one. Never more: of which server would it be?
    async fn anywhere(&self, api: &Api, user: &str, now: Instant, now_ms: i64) -> Result<Role, ReplyError> {
        let mut best = Role::None;
        for guild in api.own_guilds().await?.into_iter().take(GUILDS_MAX) {
            best = best.max(self.in_guild(api, &guild.id, user, now, now_ms).await?.min(Role::Member));
            if best == Role::Member {
                break;
            }
        }
        Ok(best)
    }

    async fn in_guild(
        &self,
        api: &Api,
        guild: &str,
        user: &str,
        now: Instant,
        now_ms: i64,
    ) -> Result<Role, ReplyError> {
        let member = match api.member(guild, user).await {
            Ok(member) => member,
            Err(Failure::Refused(refusal)) if matches!(refusal.code, UNKNOWN_MEMBER | UNKNOWN_USER | UNKNOWN_GUILD) => {
                return Ok(Role::None);
            }
            Err(failure) => return Err(failure.into()),
        };
        if member.user.as_ref().is_some_and(|told| told.id != user) {
            return Err(ReplyError::Refused("GET /guilds/{}/members/{}: the answer is about somebody else".into()));
        }
        let known = self.guilds.get(guild).filter(|(_, at)| now.saturating_duration_since(*at) < KEPT);
        let roles = match known {
            Some((roles, _)) => roles,
            None => {
                let roles = ruling(api.guild(guild).await?);
                self.guilds.set(guild, (roles.clone(), now));
                roles
            }
        };
        Ok(role_of(&member, user, &roles, now_ms))
    }
}

fn ruling(guild: Guild) -> GuildRoles {
    let rules = |bits: &Option<String>| {
        let bits: u64 = bits.as_deref().and_then(|bits| bits.parse().ok()).unwrap_or(0);
        bits & (ADMINISTRATOR | MANAGE_GUILD) != 0
    };
    // The role of the server's own id is everybody's, and counts like any other.
    let ruling = guild.roles.into_iter().filter(|role| rules(&role.permissions)).map(|role| role.id).collect();
    GuildRoles { owner: guild.owner_id, ruling }
}

fn role_of(member: &Member, user: &str, guild: &GuildRoles, now_ms: i64) -> Role {
    if member.user.as_ref().is_some_and(|user| user.bot) || is_silenced(member, now_ms) {
        return Role::None;
    }
    if guild.owner.as_deref() == Some(user) {
        return Role::Admin;
    }
    if member.pending {
        return Role::Guest;
    }
    if member.roles.iter().any(|role| guild.ruling.contains(role)) { Role::Admin } else { Role::Member }
}

/// Whether a moderator has taken the word from them. A time that cannot be read counts as not over.
fn is_silenced(member: &Member, now_ms: i64) -> bool {
    member
        .communication_disabled_until
        .as_deref()
        .is_some_and(|until| until.parse::<jiff::Timestamp>().map_or(true, |until| until.as_millisecond() > now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_the_servers_word() {
        let guild: Guild = serde_json::from_str(
            r#"{"id":"1","owner_id":"100","roles":[{"id":"1","permissions":"104324673"},{"id":"2","permissions":"8"},
                {"id":"3","permissions":"32"},{"id":"4","permissions":"0"},{"id":"5","permissions":null},{"id":"6","permissions":"x"}]}"#,
        )
        .unwrap();
        let guild = ruling(guild);
        assert_eq!(guild.ruling, ["2", "3"]);
        let now_ms = 1_700_000_000_000;
        let role = |user: &str, member: &str| role_of(&serde_json::from_str(member).unwrap(), user, &guild, now_ms);
        assert_eq!(role("7", r#"{"roles":["4","5"]}"#), Role::Member);
        assert_eq!(role("7", r#"{"roles":["4","3"]}"#), Role::Admin);
        assert_eq!(role("7", r#"{"roles":["2"],"pending":true}"#), Role::Guest);
        assert_eq!(role("100", r#"{"roles":[]}"#), Role::Admin);
        assert_eq!(role("7", r#"{"user":{"id":"7","bot":true},"roles":["2"]}"#), Role::None);
        assert_eq!(
            role("7", r#"{"roles":["2"],"communication_disabled_until":"2100-01-01T00:00:00+00:00"}"#),
            Role::None
        );
        assert_eq!(
            role("7", r#"{"roles":[],"communication_disabled_until":"2000-01-01T00:00:00+00:00"}"#),
            Role::Member
        );
        assert_eq!(role("7", r#"{"roles":[],"communication_disabled_until":"soon"}"#), Role::None);
    }
}
