//! Answering a slash command where the app cannot post: in a channel it is not in, or a conversation of others.
//!
//! A `response_url` takes five posts within thirty minutes, shows them to the person alone, and cannot be read back. So the
//! answer goes there once, when it is whole. After a restart nobody can tell whether it went: then it is not sent again. One that is
//! used up shows nothing: then the person is told directly.

use reveille_channel::links::Links;
use reveille_channel::{Mode, Receipt, ReplyContext, ReplyError};
use serde_json::json;

use crate::api::Api;
use crate::memory::Memory;
use crate::place::{Place, opens};
use crate::render;

/// What stands in place of a message's id.
const ID: &str = "response_url";

pub(crate) fn is_for(id: &str) -> bool {
    id == ID
}

/// Whether the answer may go there after a post was refused: nothing of it is visible then.
pub(crate) fn may_help(context: &ReplyContext, place: &Place, error: &ReplyError) -> bool {
    opens(&context.thread)
        && place.thread_ts.is_none()
        && context.thread.location.contains_key(ID)
        && matches!(error, ReplyError::Gone(_) | ReplyError::Refused(_))
}

/// Whether Slack takes nothing there any more: after five posts, or thirty minutes. A refusal of our own is none of Slack's.
pub(crate) fn is_used_up(error: &ReplyError) -> bool {
    matches!(error, ReplyError::Refused(said) if said.ends_with("used_url") || said.ends_with("expired_url") || said.ends_with("HTTP 404"))
}

pub(crate) async fn start(
    api: &Api,
    memory: &Memory,
    links: &Links,
    context: &ReplyContext,
    text: &str,
    complete: bool,
    refused: ReplyError,
) -> Result<Receipt, ReplyError> {
    tracing::info!(error = %refused, "the answer to a command goes to its response_url");
    memory.defer(context.marker.as_str());
    edit(api, memory, links, context, text, complete).await
}

pub(crate) async fn edit(
    api: &Api,
    memory: &Memory,
    links: &Links,
    context: &ReplyContext,
    text: &str,
    complete: bool,
) -> Result<Receipt, ReplyError> {
    let receipt = Receipt { id: ID.to_owned(), mode: Mode::Edit };
    if !complete {
        return Ok(receipt);
    }
    let Some(url) = context.thread.location.get(ID).filter(|_| memory.take_deferred(context.marker.as_str())) else {
        return Err(ReplyError::Refused("it may have gone to the response_url before the restart".into()));
    };
    let body = json!({"response_type": "ephemeral", "text": render::message(text, links)});
    match api.respond(url, &body).await {
        Ok(()) => Ok(receipt),
        // It never left.
        Err(error @ ReplyError::Retry { .. }) => {
            memory.defer(context.marker.as_str());
            Err(error)
        }
        Err(error) => Err(error),
    }
}
