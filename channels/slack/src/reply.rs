//! Operations of a reply plan.
//!
//! A posted message carries its marker as metadata. A native stream cannot: `chat.startStream` takes none, so until it is
//! finished a stream is recognised as a message of ours in the thread, begun since the turn, without metadata.

use reveille_channel::links::Links;
use reveille_channel::{Ask, Mode, Op, Receipt, ReplyContext, ReplyError, ThreadRef};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::api::{Api, Repeat};
use crate::memory::Memory;
use crate::own::Own;
use crate::place::{Place, metadata, opens};
use crate::stream::Rest;
use crate::{ask, pace, readback, refusal, render, respond, stream};

const POST: &str = "chat.postMessage";
const UPDATE: &str = "chat.update";
const STATUS: &str = "assistant.threads.setStatus";

/// The most characters of an edit's `text`.
const EDITED_TEXT_MAX: usize = 4_000;

/// What operations need besides themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hand<'a> {
    pub(crate) api: &'a Api,
    pub(crate) own: &'a Own,
    pub(crate) memory: &'a Memory,
    pub(crate) links: &'a Links,
    pub(crate) context: &'a ReplyContext,
    /// Whether people are asked what an answer was worth.
    pub(crate) feedback: bool,
}

/// What a message is to say, in the argument that takes it.
enum Words {
    Text(String),
    Markdown(String),
}

impl Words {
    /// An edit's `text` takes 4,000 characters where a post's takes 40,000, its `markdown_text` 12,000 ("chat.update":
    /// arguments, and the error `msg_too_long`).
    fn of(text: &str, links: &Links) -> Self {
        let rendered = render::message(text, links);
        if rendered.chars().count() <= EDITED_TEXT_MAX {
            Self::Text(rendered)
        } else {
            Self::Markdown(render::whole_markdown(text, links))
        }
    }
}

impl Hand<'_> {
    pub(crate) async fn perform(&self, op: &Op) -> Result<Receipt, ReplyError> {
        let Self { api, memory, links, context, .. } = *self;
        if let Op::Status { text } = op {
            return self.status(text.as_deref()).await;
        }
        if let Op::Edit { id, text, complete } = op
            && respond::is_for(id)
        {
            return match respond::edit(api, memory, links, context, text, *complete).await {
                Err(error) if respond::is_used_up(&error) => {
                    let told = self.tell(text, error).await;
                    if matches!(told, Err(ReplyError::Retry { .. })) {
                        // It certainly did not go: it still waits.
                        memory.defer(context.marker.as_str());
                    }
                    told
                }
                done => done,
            };
        }
        let place = readback::place(api, self.own, memory, &context.thread, context.since_ms).await?;
        match op {
            Op::Start { text, complete } => {
                if !complete
                    && stream::is_for(memory, &place, text)
                    && let Some(started) = stream::start(api, memory, context, &place, text).await?
                {
                    return Ok(started);
                }
                let posted = self.post(&place, render::message(text, links), None).await;
                match posted {
                    Err(error) if respond::may_help(context, &place, &error) => {
                        match respond::start(api, memory, links, context, text, *complete, error).await {
                            Err(error) if respond::is_used_up(&error) => self.tell(text, error).await,
                            done => done,
                        }
                    }
                    posted => posted,
                }
            }
            Op::Append { id, text } => stream::append(api, memory, context, &place, id, text).await,
            Op::Finish { id, text, last } => {
                let rates = *last && self.feedback;
                stream::finish(api, memory, context, &place, id, text, rates).await
            }
            Op::Edit { id, text, complete } => self.edit(&place, id, text, *complete).await,
            Op::Ask(question) => {
                self.post(&place, ask::fallback(question, None), Some(ask::open(question, &context.thread)?)).await
            }
            Op::Settle { id, ask, outcome } => self.settle(&place, id, ask, outcome).await,
            Op::Status { .. } => Ok(nothing()),
        }
    }

    /// "chat.postMessage": nothing in it is unfurled or made a link of, nobody is notified by what the text holds.
    async fn post(&self, place: &Place, text: String, blocks: Option<Value>) -> Result<Receipt, ReplyError> {
        match self.memory.pace.queue(&place.channel, pace::POST_MESSAGE, Instant::now()) {
            Ok(wait) => tokio::time::sleep(wait).await,
            Err(wait) => return Err(refusal::own_pace(POST, wait)),
        }
        let mut arguments = place.arguments();
        arguments.insert("text".into(), Value::String(text));
        arguments.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
        arguments.insert("metadata".into(), metadata(self.context));
        arguments.insert("parse".into(), "none".into());
        arguments.insert("link_names".into(), Value::Bool(false));
        arguments.insert("unfurl_links".into(), Value::Bool(false));
        arguments.insert("unfurl_media".into(), Value::Bool(false));
        let answer = self.api.call(POST, arguments, Repeat::Doubles).await?;
        let id = ts_of(POST, &answer)?;
        if opens(&self.context.thread) && place.thread_ts.is_none() {
            // A post to a person lands in a direct message, whose id the answer has.
            let channel = answer.get("channel").and_then(Value::as_str).unwrap_or(&place.channel).to_owned();
            self.memory.set_root(&self.context.thread.key, Place { channel, thread_ts: Some(id.clone()) });
        }
        Ok(Receipt { id, mode: Mode::Edit })
    }

    /// Tells the person directly, in a thread of the direct message with them: a `response_url` that takes no more has shown nothing.
    async fn tell(&self, text: &str, error: ReplyError) -> Result<Receipt, ReplyError> {
        tracing::info!(%error, "the answer to a command goes to the person directly");
        let place = Place { channel: self.context.recipient.id.clone(), thread_ts: None };
        self.post(&place, render::message(text, self.links), None).await
    }

    async fn edit(&self, place: &Place, id: &str, text: &str, complete: bool) -> Result<Receipt, ReplyError> {
        let slot = self.memory.pace.take(&self.context.thread.installation, pace::UPDATE_ON_THE_WAY, Instant::now());
        if let (Err(wait), false) = (slot, complete) {
            return Err(refusal::own_pace(UPDATE, wait));
        }
        match self.update(place, id, Words::of(text, self.links), None).await {
            Err(ReplyError::StreamClosed(_)) => {}
            done => return done,
        }
        // "streaming_state_conflict": its stream could not be ended before. Slack itself ends it after some minutes.
        if let Err(error) = stream::stop(self.api, self.memory, self.context, place, id, Rest::default()).await {
            tracing::debug!(%error, "a stream that is to be edited could not be ended");
        }
        match self.update(place, id, Words::of(text, self.links), None).await {
            Err(ReplyError::StreamClosed(reason)) => Err(ReplyError::Retry { after_ms: 10_000, reason }),
            done => done,
        }
    }

    async fn settle(&self, place: &Place, id: &str, question: &Ask, outcome: &str) -> Result<Receipt, ReplyError> {
        let text = ask::fallback(question, Some(outcome));
        self.update(place, id, Words::Text(text), Some(ask::settled(question, outcome)?)).await
    }

    /// "chat.update": without `parse` and `link_names` an edit would be read in another way than the post was.
    async fn update(
        &self,
        place: &Place,
        id: &str,
        words: Words,
        blocks: Option<Value>,
    ) -> Result<Receipt, ReplyError> {
        let mut arguments = place.of_message(id);
        match words {
            Words::Text(text) => arguments.insert("text".into(), Value::String(text)),
            Words::Markdown(text) => arguments.insert("markdown_text".into(), Value::String(text)),
        };
        arguments.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
        arguments.insert("parse".into(), "none".into());
        arguments.insert("link_names".into(), Value::Bool(false));
        arguments.insert("metadata".into(), metadata(self.context));
        self.api.call(UPDATE, arguments, Repeat::Harmless).await?;
        Ok(Receipt { id: id.to_owned(), mode: Mode::Edit })
    }

    /// "assistant.threads.setStatus": Slack takes it away by itself when a message comes.
    async fn status(&self, text: Option<&str>) -> Result<Receipt, ReplyError> {
        let thread = &self.context.thread;
        let place = if opens(thread) { self.memory.root(&thread.key) } else { Some(Place::of(thread)) };
        let Some(Place { channel, thread_ts: Some(thread_ts) }) = place else {
            return Ok(nothing());
        };
        if self.memory.is_absent(STATUS, &channel) {
            return Ok(nothing());
        }
        let arguments = Map::from_iter([
            ("channel_id".to_owned(), channel.as_str().into()),
            ("thread_ts".to_owned(), thread_ts.into()),
            ("status".to_owned(), text.unwrap_or_default().into()),
        ]);
        match self.api.call(STATUS, arguments, Repeat::Harmless).await {
            Ok(_) => Ok(nothing()),
            Err(error @ ReplyError::Retry { .. }) => Err(error),
            Err(error) => {
                let reach = if refusal::is_unknown_method(&error) { "" } else { channel.as_str() };
                self.memory.set_absent(STATUS, reach);
                Err(error)
            }
        }
    }
}

/// The receipt of what leaves no message.
fn nothing() -> Receipt {
    Receipt { id: String::new(), mode: Mode::Edit }
}

/// "reactions.add".
pub(crate) async fn react(api: &Api, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
    let arguments = Map::from_iter([
        ("channel".to_owned(), Place::of(thread).channel.into()),
        ("timestamp".to_owned(), message.into()),
        ("name".to_owned(), emoji.trim_matches(':').into()),
    ]);
    match api.call("reactions.add", arguments, Repeat::Harmless).await {
        Err(ReplyError::Refused(said)) if said.ends_with("already_reacted") => Ok(()),
        done => done.map(drop),
    }
}

/// The posted message's `ts`. The post was accepted: without it, reading back has to tell.
pub(crate) fn ts_of(method: &str, answer: &Map<String, Value>) -> Result<String, ReplyError> {
    let ts = answer.get("ts").or_else(|| answer.get("message").and_then(|message| message.get("ts")));
    ts.and_then(Value::as_str)
        .map(ToOwned::to_owned)
        .ok_or_else(|| ReplyError::Unknown(format!("{method}: the answer names no message")))
}
