//! From what Discord says to events: interactions over HTTP or the gateway, and the gateway's own events.
//!
//! It is pure. Where the key of a conversation cannot be told without asking, [`key`] says whom to ask.

mod interactions;
pub(crate) mod key;
mod lifecycle;
mod messages;
mod place;
#[cfg(test)]
mod tests;

use reveille_channel::{Actor, ActorKind, Inbound, Malformed, Route, Verified};

use crate::own::Own;
use crate::payload::{Interaction, Member, User};
use crate::places::Places;
use crate::text::Names;

pub(crate) use interactions::{Answer, interaction, key_to_ask_for};
pub(crate) use lifecycle::{guild_joined, guild_left, thread_created};
pub(crate) use messages::{deleted, message, reaction, said_by_a_person};
pub(crate) use place::DIRECT;

/// What reading needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) connection: &'a str,
    pub(crate) own: &'a Own,
    pub(crate) places: &'a Places,
    pub(crate) received_at_ms: i64,
}

/// A delivery over HTTP: always an interaction.
pub(crate) fn normalise(
    connection: &str,
    own: &Own,
    places: &Places,
    verified: &Verified,
) -> Result<Inbound, Malformed> {
    debug_assert_eq!(verified.route(), Route::Interactions);
    let read: Interaction = serde_json::from_slice(verified.body()).map_err(|error| Malformed::json(&error))?;
    interaction(Reader { connection, own, places, received_at_ms: verified.received_at_ms() }, read)
}

impl Reader<'_> {
    fn names(&self) -> Names {
        Names { own: self.own.user().map(|user| (user.id, user.name)), ..Names::default() }
    }
}

/// Who did it: by the platform's word, and never by what a message says of itself.
fn actor(user: &User, member: Option<&Member>, is_program: bool) -> Actor {
    let nick = member.and_then(|member| member.nick.as_deref()).filter(|nick| !nick.is_empty());
    let kind = if is_program || user.bot || user.system { ActorKind::Bot } else { ActorKind::Human };
    Actor { id: user.id.clone(), name: nick.unwrap_or(user.shown()).to_owned(), kind }
}

/// Somebody whom the platform does not name.
fn nobody() -> Actor {
    Actor { id: "unknown".into(), name: "somebody".into(), kind: ActorKind::Human }
}
