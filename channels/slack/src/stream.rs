//! Native streams: `chat.startStream`, `chat.appendStream`, `chat.stopStream` (each method's reference page).
//!
//! The calls take no `unfurl_*`, and Slack decides about previews by itself: a link in a stream could be fetched by Slack
//! without anybody's click, with whatever a misled model put into it. A stream that comes to an address outside of code, one
//! that may be a link or not, is ended before it, and the message goes on by edits, which get no previews.

use reveille_channel::{Mode, Receipt, ReplyContext, ReplyError, Task, TaskState};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::{Api, Repeat};
use crate::memory::{Memory, Streamed};
use crate::place::{Place, metadata};
use crate::{feedback, pace, refusal, render};

pub(crate) const START: &str = "chat.startStream";
const APPEND: &str = "chat.appendStream";
/// Pieces of a stream that are no text.
const TASKS: &str = "chunks: task_update";
const STOP: &str = "chat.stopStream";

/// Whether a stream is to be tried for a message that begins like this.
pub(crate) fn is_for(memory: &Memory, place: &Place, text: &str) -> bool {
    !memory.is_absent(START, &place.channel) && place.thread_ts.is_some() && !render::shows_address(text, true)
}

/// Begins a stream. `None`: this server, place or person cannot have one, and nothing was begun.
pub(crate) async fn start(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    text: &str,
) -> Result<Option<Receipt>, ReplyError> {
    if memory.pace.take(&context.thread.installation, pace::START_STREAM, Instant::now()).is_err() {
        return Ok(None);
    }
    let mut arguments = place.arguments();
    arguments.insert("markdown_text".into(), Value::String(render::markdown(text)));
    // "Required when streaming to channels": whom the stream is for, and the workspace they belong to.
    arguments.insert("recipient_user_id".into(), Value::String(context.recipient.id.clone()));
    let team = context.thread.location.get("author_team").unwrap_or(&context.thread.installation);
    arguments.insert("recipient_team_id".into(), Value::String(team.clone()));
    match api.call(START, arguments, Repeat::Doubles).await {
        Ok(answer) => {
            let id = crate::reply::ts_of(START, &answer)?;
            memory.set_streamed(&id, Streamed { shown: text.to_owned(), held: String::new(), is_whole: true });
            Ok(Some(Receipt { id, mode: Mode::Native }))
        }
        Err(error) => match refusal::reach_of(&error) {
            None => Err(error),
            Some(reach) => {
                tracing::info!(%error, ?reach, "the answer is edited in place: it cannot be streamed");
                match reach {
                    refusal::Reach::Server => memory.set_absent(START, ""),
                    refusal::Reach::Place => memory.set_absent(START, &place.channel),
                    refusal::Reach::Once => {}
                }
                Ok(None)
            }
        },
    }
}

/// Adds to a stream. Not idempotent.
pub(crate) async fn append(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    id: &str,
    text: &str,
) -> Result<Receipt, ReplyError> {
    let receipt = Receipt { id: id.to_owned(), mode: Mode::Native };
    let before = memory.streamed(id);
    let text = format!("{}{text}", before.held);
    if text.trim().is_empty() {
        memory.set_streamed(id, Streamed { held: text, ..before });
        return Ok(receipt);
    }
    let shown = format!("{}{text}", before.shown);
    if render::shows_address(&shown, before.is_whole) {
        return end_before_address(api, memory, context, place, id).await;
    }
    if let Err(wait) = memory.pace.take(&context.thread.installation, pace::APPEND_STREAM, Instant::now()) {
        return Err(refusal::own_pace(APPEND, wait));
    }
    let mut arguments = place.of_message(id);
    arguments.insert("markdown_text".into(), Value::String(render::markdown(&text)));
    call(api, memory, APPEND, arguments, Repeat::Doubles).await?;
    memory.set_streamed(id, Streamed { shown, held: String::new(), is_whole: before.is_whole });
    Ok(receipt)
}

/// Steps of the work in a stream ("chat.appendStream": the chunks `task_update`). A step of the same id is changed.
pub(crate) async fn show_tasks(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    id: &str,
    tasks: &[Task],
) -> Result<(), ReplyError> {
    if memory.is_absent(TASKS, "") {
        return Ok(());
    }
    if let Err(wait) = memory.pace.take(&context.thread.installation, pace::APPEND_STREAM, Instant::now()) {
        return Err(refusal::own_pace(APPEND, wait));
    }
    let status = |state| match state {
        TaskState::Running => "in_progress",
        TaskState::Done => "complete",
        TaskState::Failed => "error",
    };
    let chunks: Vec<Value> = tasks
        .iter()
        .map(|task| json!({"type": "task_update", "id": task.id, "title": task.title, "status": status(task.state)}))
        .collect();
    let mut arguments = place.of_message(id);
    arguments.insert("chunks".into(), Value::Array(chunks));
    match call(api, memory, APPEND, arguments, Repeat::Harmless).await {
        Err(error @ ReplyError::Refused(_)) => {
            tracing::info!(%error, "steps of the work are not shown on this server");
            memory.set_absent(TASKS, "");
            Err(error)
        }
        done => done,
    }
}

/// Ends a stream, adding the rest.
pub(crate) async fn finish(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    id: &str,
    text: &str,
    rates: bool,
) -> Result<Receipt, ReplyError> {
    let before = memory.streamed(id);
    let text = format!("{}{text}", before.held);
    if render::shows_address(&format!("{}{text}", before.shown), before.is_whole) {
        return end_before_address(api, memory, context, place, id).await;
    }
    let text = if text.trim().is_empty() { String::new() } else { render::markdown(&text) };
    stop(api, memory, context, place, id, Rest { text, rates }).await?;
    Ok(Receipt { id: id.to_owned(), mode: Mode::Edit })
}

async fn end_before_address(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    id: &str,
) -> Result<Receipt, ReplyError> {
    stop(api, memory, context, place, id, Rest::default()).await?;
    Err(ReplyError::StreamClosed("an address comes, and streams cannot be kept from previews".into()))
}

/// What comes with the end of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rest {
    /// The rest of the text.
    pub(crate) text: String,
    /// With buttons to say what the answer was worth.
    pub(crate) rates: bool,
}

/// Ends a stream. A repeat after a lost answer says that the stream is closed, and the message is edited.
pub(crate) async fn stop(
    api: &Api,
    memory: &Memory,
    context: &ReplyContext,
    place: &Place,
    id: &str,
    rest: Rest,
) -> Result<(), ReplyError> {
    let mut arguments = place.of_message(id);
    if !rest.text.is_empty() {
        arguments.insert("markdown_text".into(), Value::String(rest.text));
    }
    arguments.insert("metadata".into(), metadata(context));
    if rest.rates && !memory.is_absent(feedback::BLOCK, "") {
        let mut with_buttons = arguments.clone();
        with_buttons.insert("blocks".into(), feedback::blocks());
        match call(api, memory, STOP, with_buttons, Repeat::Harmless).await {
            // A server that does not know the buttons: the answer ends without them.
            Err(error @ ReplyError::Refused(_)) => {
                tracing::info!(%error, "answers end without buttons for feedback");
                memory.set_absent(feedback::BLOCK, "");
            }
            done => {
                memory.forget_stream(id);
                return done;
            }
        }
    }
    call(api, memory, STOP, arguments, Repeat::Harmless).await?;
    memory.forget_stream(id);
    Ok(())
}

/// A server that began a stream and does not know how to go on has none for us: the message is edited.
async fn call(
    api: &Api,
    memory: &Memory,
    method: &'static str,
    arguments: Map<String, Value>,
    repeat: Repeat,
) -> Result<(), ReplyError> {
    match api.call(method, arguments, repeat).await {
        Ok(_) => Ok(()),
        Err(error) if refusal::is_unknown_method(&error) => {
            memory.set_absent(START, "");
            Err(ReplyError::StreamClosed(error.to_string()))
        }
        Err(error) => Err(error),
    }
}
