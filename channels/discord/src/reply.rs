//! Operations of a reply plan.
//!
//! Where a reply goes:
//!
//! | it was said | the reply is |
//! | --- | --- |
//! | in a thread or direct message | a message there |
//! | in a channel | a message in the thread that is started from it; where none can be, a message that replies to it |
//! | as a command or form | the interaction's own answer while its token is good, else a message in the channel; what follows goes into the thread that is started from the answer, or below it |

use std::sync::Arc;

use reveille_channel::links::Links;
use reveille_channel::{Op, Receipt, ReplyContext, ReplyError};
use tokio::time::Instant;

use crate::api::{Api, Outgoing};
use crate::ask;
use crate::location::{self, part};
use crate::memory::Memory;
use crate::original::{self, Claim, Original};
use crate::own::Own;
use crate::places::{Places, takes_threads};
use crate::receipt::Posted;
use crate::refusal::{ARCHIVED_THREAD, HAS_A_THREAD, UNKNOWN_MESSAGE};
use crate::render;
use crate::transport::Failure;
use crate::typing::Typing;

/// A thread's name where nobody's words make one.
const TITLE: &str = "Conversation";

/// What replying works with.
#[derive(Debug)]
pub(crate) struct Replies {
    pub(crate) api: Arc<Api>,
    pub(crate) own: Arc<Own>,
    pub(crate) places: Arc<Places>,
    pub(crate) memory: Memory,
    pub(crate) typing: Typing,
    /// Where links of a text may lead.
    pub(crate) links: Links,
}

/// Where a message is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) channel: String,
    pub(crate) reply_to: Option<String>,
}

impl Replies {
    pub(crate) async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        match op {
            Op::Start { text, .. } => self.start(context, &render::message(text, &self.links)).await,
            Op::Edit { id, text, .. } => {
                let content = render::message(text, &self.links);
                let posted = Posted::read(id)?;
                self.edit(context, &posted, &Outgoing { content: &content, ..Outgoing::default() }).await?;
                Ok(posted.receipt())
            }
            Op::Ask(question) => {
                let (content, components) = (ask::content(question), ask::buttons(question)?);
                let target = self.target(context).await?;
                self.post(context, &target, &content, Some(components)).await
            }
            Op::Settle { id, ask, outcome } => {
                let posted = Posted::read(id)?;
                let content = ask::settled(ask, outcome);
                let message =
                    Outgoing { content: &content, components: Some(ask::no_buttons()), ..Outgoing::default() };
                self.edit(context, &posted, &message).await?;
                Ok(posted.receipt())
            }
            Op::Status { text } => self.status(context, text.as_deref()),
            Op::Append { .. } | Op::Finish { .. } => {
                Err(ReplyError::Refused("Discord has no streams; messages are edited".into()))
            }
        }
    }

    async fn start(&self, context: &ReplyContext, content: &str) -> Result<Receipt, ReplyError> {
        if let Some(channel) = part(&context.thread, location::CHANNEL) {
            self.typing.stop(channel);
        }
        if let Some(original) = Original::of(&self.own, &self.memory, &context.thread)
            && original::claim(&self.api, &self.memory, &original, context.marker.as_str()).await? == Claim::Ours
        {
            let message = Outgoing { content, ..Outgoing::default() };
            let edited = self.api.edit_original(original.application, original.token, &message).await;
            match original::settled(&self.memory, &original, edited)? {
                Some(message) => {
                    let channel = if message.channel_id.is_empty() { place(context)? } else { &message.channel_id };
                    self.places.set_conversation(&message.id, &context.thread.key);
                    self.open_below(context, original.interaction, channel, &message.id).await;
                    let posted = Posted { channel: channel.to_owned(), message: message.id, is_answer: true };
                    return Ok(posted.receipt());
                }
                None => tracing::info!("an interaction's token is gone; its answer is a message in the channel"),
            }
        }
        let target = self.target(context).await?;
        self.typing.stop(&target.channel);
        self.post(context, &target, content, None).await
    }

    /// Starts a thread from a command's answer, where the channel takes threads. Best effort: the answer is there without it.
    async fn open_below(&self, context: &ReplyContext, interaction: &str, channel: &str, answer: &str) {
        let kind = part(&context.thread, location::KIND).and_then(|kind| kind.parse().ok());
        let takes_threads = part(&context.thread, location::GUILD).is_some() && kind.is_some_and(takes_threads);
        if !takes_threads || answer.is_empty() || self.memory.is_threadless(channel, Instant::now()) {
            return;
        }
        let name = part(&context.thread, location::TITLE).unwrap_or(TITLE);
        match self.api.start_thread(channel, answer, name).await {
            Ok(thread) => self.places.learn(&thread),
            Err(Failure::Refused(refusal)) if refusal.code == HAS_A_THREAD => {}
            Err(Failure::Refused(refusal)) => {
                tracing::info!(channel, reason = refusal.said, "no thread can be started from a command's answer");
                return self.memory.set_threadless(channel, Instant::now());
            }
            Err(Failure::Other(error)) => {
                return tracing::info!(channel, %error, "no thread was started from a command's answer");
            }
        }
        self.memory.set_answer_thread(interaction, answer);
    }

    /// The thread of a command's answer. After a restart the answer itself is asked for, while its token is good.
    async fn below(&self, context: &ReplyContext) -> Result<Option<String>, ReplyError> {
        let Some(interaction) = part(&context.thread, location::INTERACTION) else {
            return Ok(None);
        };
        if let Some(thread) = self.memory.answer_thread(interaction) {
            return Ok(Some(thread));
        }
        let channel = place(context)?;
        let Some(original) = Original::of(&self.own, &self.memory, &context.thread) else {
            return Ok(None);
        };
        if self.memory.is_threadless(channel, Instant::now()) {
            return Ok(None);
        }
        let shown = self.api.original(original.application, original.token).await;
        if let Some(answer) = original::settled(&self.memory, &original, shown)? {
            self.open_below(context, interaction, channel, &answer.id).await;
        }
        Ok(self.memory.answer_thread(interaction))
    }

    /// Posts a message with its marker as the nonce. If one with this nonce was there, it is that one, with this text.
    async fn post(
        &self,
        context: &ReplyContext,
        target: &Target,
        content: &str,
        components: Option<serde_json::Value>,
    ) -> Result<Receipt, ReplyError> {
        let marker = context.marker.as_str();
        let reply_to = target.reply_to.as_deref();
        let message = Outgoing { content, nonce: Some(marker), reply_to, components: components.clone() };
        let may_be_there = self.memory.was_doubted(marker);
        let posted = match self.api.create_message(&target.channel, &message).await {
            Ok(posted) => posted,
            Err(failure) => {
                if may_be_there {
                    self.memory.doubt(marker);
                }
                return self.post_under_the_token(context, failure, &message).await;
            }
        };
        if posted.id.is_empty() {
            return Err(ReplyError::Unknown("POST /channels/{}/messages: the answer names no message".into()));
        }
        // One that was there already may be elsewhere.
        let channel = if posted.channel_id.is_empty() { target.channel.clone() } else { posted.channel_id };
        let there = Posted { channel, message: posted.id, is_answer: false };
        self.places.set_conversation(&there.message, &context.thread.key);
        if may_be_there && posted.content.trim() != content.trim() {
            self.edit(context, &there, &Outgoing { content, components, ..Outgoing::default() }).await?;
        }
        Ok(there.receipt())
    }

    /// Where the bot itself may not speak, an interaction's token still lets it answer. Such a message has no nonce.
    async fn post_under_the_token(
        &self,
        context: &ReplyContext,
        failure: Failure,
        message: &Outgoing<'_>,
    ) -> Result<Receipt, ReplyError> {
        let original = Original::of(&self.own, &self.memory, &context.thread);
        let (Failure::Refused(refusal), Some(original)) = (&failure, original) else {
            return Err(failure.into());
        };
        if !refusal.is_of_the_place() {
            return Err(failure.into());
        }
        let message = Outgoing { nonce: None, reply_to: None, ..message.clone() };
        let posted = self.api.follow_up(original.application, original.token, &message).await;
        match original::settled(&self.memory, &original, posted)? {
            Some(posted) if posted.id.is_empty() => {
                Err(ReplyError::Unknown("POST /webhooks/{}/{}: the answer names no message".into()))
            }
            Some(posted) => {
                let channel = place(context)?.to_owned();
                Ok(Posted { channel, message: posted.id, is_answer: true }.receipt())
            }
            None => Err(failure.into()),
        }
    }

    /// Where messages of this reply go: starts the thread, if there is to be one.
    async fn target(&self, context: &ReplyContext) -> Result<Target, ReplyError> {
        let channel = place(context)?;
        let Some(root) = part(&context.thread, location::ROOT) else {
            let below = self.below(context).await?;
            return Ok(Target { channel: below.unwrap_or_else(|| channel.to_owned()), reply_to: None });
        };
        let in_thread = Target { channel: root.to_owned(), reply_to: None };
        let beside = Target { channel: channel.to_owned(), reply_to: Some(root.to_owned()) };
        let now = Instant::now();
        if self.memory.has_thread(root) {
            return Ok(in_thread);
        }
        if self.memory.is_threadless(channel, now) {
            return Ok(beside);
        }
        let name = part(&context.thread, location::TITLE).unwrap_or(TITLE);
        match self.api.start_thread(channel, root, name).await {
            Ok(thread) => {
                self.places.learn(&thread);
            }
            Err(Failure::Refused(refusal)) if refusal.code == HAS_A_THREAD => {}
            Err(Failure::Refused(refusal)) if refusal.code == UNKNOWN_MESSAGE => {
                return Err(ReplyError::Gone("the message that is answered was deleted".into()));
            }
            Err(Failure::Refused(refusal)) => {
                // No permission, a kind of channel without threads, too many threads: it is answered in the channel.
                tracing::info!(
                    channel,
                    reason = refusal.said,
                    "no thread can be started; it is answered in the channel"
                );
                self.memory.set_threadless(channel, now);
                return Ok(beside);
            }
            Err(Failure::Other(error)) => return Err(error),
        }
        self.memory.set_thread(root);
        self.places.set_conversation(root, &context.thread.key);
        Ok(in_thread)
    }

    pub(crate) async fn edit(
        &self,
        context: &ReplyContext,
        posted: &Posted,
        message: &Outgoing<'_>,
    ) -> Result<(), ReplyError> {
        if posted.is_answer
            && let Some(original) = Original::of(&self.own, &self.memory, &context.thread)
        {
            let edited = self.api.edit_follow_up(original.application, original.token, &posted.message, message).await;
            if original::settled(&self.memory, &original, edited)?.is_some() {
                return Ok(());
            }
        }
        match self.api.edit_message(&posted.channel, &posted.message, message).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) if refusal.code == ARCHIVED_THREAD => {
                self.api.unarchive(&posted.channel).await?;
                self.api.edit_message(&posted.channel, &posted.message, message).await?;
                Ok(())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Typing, in the place where people look. A command shows by itself that it is being thought about.
    fn status(&self, context: &ReplyContext, text: Option<&str>) -> Result<Receipt, ReplyError> {
        let channel = place(context)?;
        let is_awaited = Original::of(&self.own, &self.memory, &context.thread).is_some();
        if text.is_none() || is_awaited {
            self.typing.stop(channel);
        } else {
            self.typing.start(&self.api, channel);
        }
        Ok(Receipt { id: String::new(), mode: reveille_channel::Mode::Edit })
    }
}

/// The channel or thread that was spoken in.
pub(crate) fn place(context: &ReplyContext) -> Result<&str, ReplyError> {
    part(&context.thread, location::CHANNEL)
        .ok_or_else(|| ReplyError::Refused("the conversation has no channel to answer in".into()))
}
