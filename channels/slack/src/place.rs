//! Where a reply goes, as arguments of calls, and what makes our messages recognisable.

use reveille_channel::{ReplyContext, ThreadRef};
use serde_json::{Map, Value, json};

/// The `event_type` of our messages' metadata.
pub(crate) const METADATA: &str = "reveille_reply";

/// A place in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) channel: String,
    /// The thread's root; `None`: the message begins a thread.
    pub(crate) thread_ts: Option<String>,
}

impl Place {
    /// Where the thread says that it is.
    pub(crate) fn of(thread: &ThreadRef) -> Self {
        let location = |name: &str| thread.location.get(name).cloned();
        Self { channel: location("channel").unwrap_or_default(), thread_ts: location("thread_ts") }
    }

    /// For methods that put a message there.
    pub(crate) fn arguments(&self) -> Map<String, Value> {
        let mut arguments = Map::from_iter([("channel".to_owned(), self.channel.as_str().into())]);
        if let Some(thread_ts) = &self.thread_ts {
            arguments.insert("thread_ts".into(), thread_ts.as_str().into());
        }
        arguments
    }

    /// For methods that name a message.
    pub(crate) fn of_message(&self, ts: &str) -> Map<String, Value> {
        Map::from_iter([("channel".to_owned(), self.channel.as_str().into()), ("ts".to_owned(), ts.into())])
    }
}

/// What our message carries so that it is recognised after a crash ("Message metadata"); one that opens a thread says which.
pub(crate) fn metadata(context: &ReplyContext) -> Value {
    let mut payload = Map::from_iter([("marker".to_owned(), context.marker.as_str().into())]);
    if opens(&context.thread) {
        payload.insert("thread".into(), context.thread.key.as_str().into());
    }
    json!({ "event_type": METADATA, "event_payload": payload })
}

/// Whether the thread begins with our own message: it is in the channel, and what follows is below it.
pub(crate) fn opens(thread: &ThreadRef) -> bool {
    !thread.location.contains_key("thread_ts")
}

/// Whether the thread has another name than its place: it was opened by us.
pub(crate) fn is_opened(thread: &ThreadRef) -> bool {
    let place = Place::of(thread);
    place.thread_ts.is_none_or(|thread_ts| thread.key != format!("{}:{thread_ts}", place.channel))
}
