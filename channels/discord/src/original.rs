//! The answer of an interaction: "thinking" until it is edited, under a token that is good for fifteen minutes.
//!
//! Editing it is idempotent, so it needs no looking back. A token may be answered with 404 inside its fifteen minutes and with
//! 401 after (discord-api-docs #6851); what was to be said then goes into the channel.

use reveille_channel::{ReplyError, ThreadRef};
use tokio::time::Instant;

use crate::api::Api;
use crate::location::{self, part};
use crate::memory::Memory;
use crate::own::Own;
use crate::payload::Message;
use crate::transport::Failure;

/// "Message Flags": still thinking.
const LOADING: u64 = 1 << 7;

/// The wait for a token that is not known yet, milliseconds.
const SETTLING_MS: u64 = 700;

/// An interaction whose token may be good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) application: &'a str,
    pub(crate) interaction: &'a str,
    pub(crate) token: &'a str,
}

impl<'a> Original<'a> {
    /// That of the conversation, unless its token is known to be gone.
    pub(crate) fn of(own: &'a Own, memory: &Memory, thread: &'a ThreadRef) -> Option<Self> {
        let interaction = part(thread, location::INTERACTION)?;
        let token = part(thread, location::TOKEN)?;
        (!memory.is_dead(interaction)).then_some(Self { application: own.application(), interaction, token })
    }
}

/// Whose the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The message's that asks.
    Ours,
    /// Another message's: this one has to be a further message.
    Taken,
}

/// Takes the answer for the message with this marker, if nothing is in it yet.
pub(crate) async fn claim(
    api: &Api,
    memory: &Memory,
    original: &Original<'_>,
    marker: &str,
) -> Result<Claim, ReplyError> {
    if let Some(holder) = memory.original(original.interaction) {
        return Ok(if holder == marker { Claim::Ours } else { Claim::Taken });
    }
    // Not known in this process: the answer itself tells whether it was given.
    let shown = api.original(original.application, original.token).await;
    let Some(shown) = settled(memory, original, shown)? else {
        return Ok(Claim::Taken);
    };
    let holder = if shown.flags & LOADING != 0 { marker } else { "" };
    let holder = memory.claim_original(original.interaction, holder);
    Ok(if holder == marker { Claim::Ours } else { Claim::Taken })
}

/// What a call under the token came to. `None`: the token is gone.
///
/// # Errors
/// To be tried again: also for a token that is not known *yet*, because our own answer has not arrived.
pub(crate) fn settled(
    memory: &Memory,
    original: &Original<'_>,
    outcome: Result<Message, Failure>,
) -> Result<Option<Message>, ReplyError> {
    match outcome {
        Ok(message) => Ok(Some(message)),
        Err(Failure::Refused(refusal)) if refusal.is_of_the_token() || refusal.status == 404 => {
            let is_final = refusal.status != 404 || memory.is_unknown_for_good(original.interaction, Instant::now());
            if !is_final {
                return Err(ReplyError::Retry { after_ms: SETTLING_MS, reason: refusal.said });
            }
            memory.set_dead(original.interaction);
            Ok(None)
        }
        Err(failure) => Err(failure.into()),
    }
}
