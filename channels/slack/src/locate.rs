//! What an event does not say of its place: threads that we opened, after a restart, and the names of channels.
//!
//! A thread below our answer to a slash command has the command's name and not its place's. While the process runs, that is
//! remembered; later the root of the thread is looked at: its metadata names the thread ("Message metadata"). Nobody but us can
//! write metadata on a message of ours. Slack says with most messages of a thread who wrote its root (`parent_user_id`), so only
//! threads below our own messages cost a call, and each only one.

use std::time::Duration;

use reveille_channel::{Event, Kind, ReplyError};
use serde_json::{Map, Value};

use crate::api::{Api, Repeat};
use crate::memory::Memory;
use crate::own::Own;
use crate::place::{Place, is_opened};
use crate::readback;

/// How long the lookup may take: Slack waits three seconds for the acknowledgement of what is looked up here.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long a channel's name may take, beside that.
const NAME_PATIENCE: Duration = Duration::from_secs(1);

pub(crate) async fn locate(api: &Api, own: &Own, memory: &Memory, mut event: Event) -> Result<Event, ReplyError> {
    let Some(place) = to_be_asked(memory, &event) else {
        return Ok(event);
    };
    let asked = tokio::time::timeout(PATIENCE, opened_as(api, own, &place)).await;
    match asked.unwrap_or_else(|_| Err(ReplyError::Unknown("no answer in time".into()))) {
        Ok(Some(thread)) => {
            event.thread.key.clone_from(&thread);
            memory.set_root(&thread, place);
        }
        Ok(None) | Err(ReplyError::Gone(_) | ReplyError::Refused(_)) => memory.set_plain(place),
        Err(error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_))) => return Err(error),
        // Without the right to read there is nothing to wait for: the thread is taken for what its place says.
        Err(error) => tracing::warn!(%error, "it cannot be told whether a thread was opened by us"),
    }
    Ok(event)
}

/// Where the event's thread is, if it may be one of ours and is not known.
fn to_be_asked(memory: &Memory, event: &Event) -> Option<Place> {
    let thread = &event.thread;
    let place = Place::of(thread);
    let thread_ts = place.thread_ts.as_deref()?;
    // A person's words that begin a thread are no message of ours.
    let begins = matches!(event.kind, Kind::Mention | Kind::Message { .. } | Kind::Edited | Kind::Deleted)
        && event.message.as_deref() == Some(thread_ts);
    (!begins && !is_opened(thread) && !memory.is_plain(&place)).then_some(place)
}

/// The name under which we opened the thread that is there, if we did: "conversations.replies" begins with the root.
async fn opened_as(api: &Api, own: &Own, place: &Place) -> Result<Option<String>, ReplyError> {
    let arguments = Map::from_iter([
        ("channel".to_owned(), Value::from(place.channel.as_str())),
        ("ts".to_owned(), place.thread_ts.clone().into()),
        ("include_all_metadata".to_owned(), true.into()),
        ("limit".to_owned(), 1.into()),
    ]);
    let answer = api.call("conversations.replies", arguments, Repeat::Harmless).await?;
    let messages = answer.get("messages").and_then(Value::as_array).into_iter().flatten();
    let root = messages.filter_map(Value::as_object).find(|one| {
        let ts = one.get("ts").and_then(Value::as_str);
        ts.is_some() && ts == place.thread_ts.as_deref()
    });
    Ok(root.and_then(|root| readback::opens(root, &own.ids())))
}

/// Adds the channel's name to the facts: rules may name channels, and events carry their ids alone ("conversations.info", which
/// needs `channels:read`, and `groups:read` for private ones). Best effort: without the name the ids go on working.
///
/// # Errors
/// Slack does not tell now, and the message calls somebody: it has to come again, since a rule may name the channel.
pub(crate) async fn name_channel(api: &Api, memory: &Memory, event: &mut Event) -> Result<(), ReplyError> {
    if event.facts.contains_key("channel_name") {
        return Ok(());
    }
    let channel = Place::of(&event.thread).channel;
    // Direct messages have no names.
    if !channel.starts_with(['C', 'G']) {
        return Ok(());
    }
    let name = match memory.channel_name(&channel) {
        Some(name) => name,
        None => {
            let asked = tokio::time::timeout(NAME_PATIENCE, name_of(api, &channel)).await;
            let name = match asked.unwrap_or_else(|_| Err(ReplyError::Unknown("no answer in time".into()))) {
                Ok(name) => name,
                Err(error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_))) => {
                    return if matches!(event.kind, Kind::Mention) { Err(error) } else { Ok(()) };
                }
                Err(error) => {
                    tracing::info!(channel, %error, "the channel's name is not told; rules that name it do not apply");
                    None
                }
            };
            memory.set_channel_name(&channel, name.clone());
            name
        }
    };
    event.facts.extend(name.map(|name| ("channel_name".to_owned(), name)));
    Ok(())
}

async fn name_of(api: &Api, channel: &str) -> Result<Option<String>, ReplyError> {
    let arguments = Map::from_iter([("channel".to_owned(), Value::from(channel))]);
    let answer = api.call("conversations.info", arguments, Repeat::Harmless).await?;
    Ok(answer.get("channel").and_then(|it| it.get("name")).and_then(Value::as_str).map(ToOwned::to_owned))
}
