//! The events' side: each is read, made durable, and counted as done, in the order they came.

use std::time::Duration;

use bytes::Bytes;
use reveille_channel::{Inbound, Intake, ReplyError};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::frame::{Frame, Ready};
use super::{Dispatch, Gateway};
use crate::clock::now_ms;
use crate::conversation;
use crate::normalise::key::Key;
use crate::normalise::{self, Answer, Reader};
use crate::payload::{Channel, Deleted, Guild, Interaction, Message, Reaction};
use crate::receipt::Posted;
use crate::reply::Replies;

/// Answers to interactions that may be under way at once.
const ANSWERS_MAX: usize = 64;

/// How long it may take to learn which conversation something belongs to. An interaction has three seconds in all.
const ASK_DEADLINE: Duration = Duration::from_millis(1_500);
const ASK_DEADLINE_OF_INTERACTIONS: Duration = Duration::from_millis(1_000);

/// Tries to learn it.
const ASK_TRIES: u32 = 3;

/// "Thread List Sync".
#[derive(serde::Deserialize)]
struct ThreadList {
    #[serde(default)]
    threads: Vec<Channel>,
}

impl Gateway {
    /// Takes events until there are no more, or until one cannot be made durable.
    pub(super) async fn handle(
        &self,
        mut work: mpsc::Receiver<Dispatch>,
        intake: &dyn Intake,
        replies: &Replies,
    ) -> Result<(), ReplyError> {
        let mut answers = JoinSet::new();
        while let Some(dispatch) = work.recv().await {
            let sequence = dispatch.sequence;
            self.take(dispatch, intake, replies, &mut answers).await?;
            self.sessions.advance(sequence);
            while answers.len() >= ANSWERS_MAX || answers.try_join_next().is_some() {
                if answers.len() >= ANSWERS_MAX {
                    answers.join_next().await;
                }
            }
        }
        while answers.join_next().await.is_some() {}
        Ok(())
    }

    async fn take(
        &self,
        dispatch: Dispatch,
        intake: &dyn Intake,
        replies: &Replies,
        answers: &mut JoinSet<()>,
    ) -> Result<(), ReplyError> {
        if dispatch.frame.is_empty() {
            return Ok(());
        }
        let raw = dispatch.frame;
        let Ok(frame) = serde_json::from_slice::<Frame<'_>>(&raw) else {
            return Ok(());
        };
        let reader =
            Reader { connection: &self.connection, own: &self.own, places: &self.places, received_at_ms: now_ms() };
        let read = match dispatch.name.as_str() {
            "INTERACTION_CREATE" => {
                return self.interaction(reader, &frame, raw.clone(), intake, answers).await;
            }
            "READY" => {
                let ready: Ready = frame.data().map_err(|_| ReplyError::Refused("READY names no session".into()))?;
                self.begin(ready, dispatch.sequence);
                return Ok(());
            }
            "RESUMED" => {
                self.sessions.went_on();
                tracing::info!(connection = self.connection, "the gateway's session goes on");
                return Ok(());
            }
            name => self.read(reader, name, &frame, dispatch.sequence, replies).await,
        };
        let inbound = match read {
            Ok(Read::Nothing) => return Ok(()),
            Ok(Read::Inbound(inbound)) => inbound,
            Err(error) => {
                tracing::warn!(
                    connection = self.connection,
                    event = dispatch.name,
                    line = error.line(),
                    column = error.column(),
                    category = ?error.classify(),
                    "an event is not what the documentation says; it is passed over"
                );
                return Ok(());
            }
        };
        intake.take(inbound, raw.clone()).await.map_err(not_taken)
    }

    async fn read(
        &self,
        reader: Reader<'_>,
        name: &str,
        frame: &Frame<'_>,
        sequence: u64,
        replies: &Replies,
    ) -> Result<Read, serde_json::Error> {
        let once = || {
            let session = self.sessions.current().map_or_else(String::new, |session| session.id);
            format!("{session}:{sequence}")
        };
        Ok(match name {
            "GUILD_CREATE" => {
                let guild: Guild = frame.data()?;
                if guild.unavailable == Some(true) || guild.id.is_empty() {
                    return Ok(Read::Nothing);
                }
                self.places.learn_guild(&guild, self.own.user().map(|user| user.id).as_deref());
                if !self.sessions.is_new_guild(&guild.id) {
                    return Ok(Read::Nothing);
                }
                Read::one(normalise::guild_joined(reader, &guild.id, guild.name.as_deref(), &once()))
            }
            "GUILD_DELETE" => {
                let guild: Guild = frame.data()?;
                // Without the word that it is unavailable we were put out; with it, Discord has trouble.
                if guild.unavailable == Some(true) || guild.id.is_empty() {
                    return Ok(Read::Nothing);
                }
                self.sessions.forget_guild(&guild.id);
                Read::one(normalise::guild_left(reader, &guild.id, &once()))
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_UPDATE" => {
                self.places.learn(&frame.data()?);
                Read::Nothing
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => {
                self.places.forget(&frame.data::<Channel>()?.id);
                Read::Nothing
            }
            "THREAD_LIST_SYNC" => {
                frame.data::<ThreadList>()?.threads.iter().for_each(|thread| self.places.learn(thread));
                Read::Nothing
            }
            "THREAD_CREATE" => {
                let thread: Channel = frame.data()?;
                self.places.learn(&thread);
                Read::of(normalise::thread_created(reader, &thread))
            }
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" => {
                let message: Message = frame.data()?;
                self.message(reader, &message, name == "MESSAGE_UPDATE", replies).await
            }
            "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
                let deleted: Deleted = frame.data()?;
                Read::Inbound(Inbound::Events(normalise::deleted(reader, deleted)))
            }
            "MESSAGE_REACTION_ADD" => {
                let reaction: Reaction = frame.data()?;
                Read::of(normalise::reaction(reader, reaction, &once()))
            }
            _ => Read::Nothing,
        })
    }

    async fn message(&self, reader: Reader<'_>, message: &Message, is_edit: bool, replies: &Replies) -> Read {
        if self.own.is_own_message(message) {
            // The one place where Discord tells a nonce: what was posted is known, whatever became of the answer to the call.
            if let Some(marker) = message.nonce.as_ref().and_then(Value::as_str).filter(|_| !is_edit) {
                let posted =
                    Posted { channel: message.channel_id.clone(), message: message.id.clone(), is_answer: false };
                replies.memory.set_posted(marker, &posted.id());
            }
        }
        if is_edit && message.edited_timestamp.is_none() {
            return Read::Inbound(Inbound::Ignored { reason: "a message whose words did not change" });
        }
        if let Err(reason) = normalise::said_by_a_person(reader, message) {
            return Read::Inbound(Inbound::Ignored { reason });
        }
        let (mut event, key) = normalise::message(reader, message, is_edit);
        // Only what was routed can be taken back; the rest is remembered for nothing, and soon forgotten.
        self.places.set_author(&message.id, event.actor.clone());
        let began = matches!(&key, Key::Known(known) if *known == message.id);
        event.thread.key = self.settled(reader, key, ASK_DEADLINE).await;
        if began || event.thread.location.contains_key(crate::location::ROOT) {
            self.places.set_conversation(&message.id, &event.thread.key);
        }
        Read::one(event)
    }

    /// The conversation's key, asked for where it has to be. Where it cannot be had in time, the conversation is one of its own.
    async fn settled(&self, reader: Reader<'_>, key: Key, deadline: Duration) -> String {
        let itself = key.clone().or_itself();
        let asking = async {
            for _ in 1..ASK_TRIES {
                match conversation::settle(&self.api, reader, key.clone()).await {
                    Err(ReplyError::Retry { after_ms, .. }) => {
                        tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    }
                    settled => return settled,
                }
            }
            conversation::settle(&self.api, reader, key.clone()).await
        };
        match tokio::time::timeout(deadline, asking).await {
            Ok(Ok(key)) => key,
            Ok(Err(error)) => {
                tracing::warn!(connection = self.connection, %error, "which conversation it belongs to is not known; it is one of its own");
                itself
            }
            Err(_) => {
                tracing::warn!(
                    connection = self.connection,
                    "which conversation it belongs to was not told in time; it is one of its own"
                );
                itself
            }
        }
    }

    /// An interaction: its answer is sent once it is durable, by a call of its own ("Interaction Callback").
    async fn interaction(
        &self,
        reader: Reader<'_>,
        frame: &Frame<'_>,
        raw: Bytes,
        intake: &dyn Intake,
        answers: &mut JoinSet<()>,
    ) -> Result<(), ReplyError> {
        let Ok(read) = frame.data::<Interaction>() else {
            tracing::warn!(
                connection = self.connection,
                "an interaction is not what the documentation says; it is passed over"
            );
            return Ok(());
        };
        let (Some(id), Some(token)) = (read.id.clone(), read.token.clone()) else {
            return Ok(());
        };
        if let Some(place) = normalise::key_to_ask_for(reader, &read) {
            self.settled(reader, place, ASK_DEADLINE_OF_INTERACTIONS).await;
        }
        let inbound = match normalise::interaction(reader, read) {
            Ok(inbound) => inbound,
            Err(malformed) => {
                tracing::warn!(connection = self.connection, %malformed, "an interaction is malformed; it is passed over");
                return Ok(());
            }
        };
        let body = match &inbound {
            Inbound::Handshake { body, .. } => body.clone(),
            Inbound::Answered { body, .. } => {
                let body = body.clone();
                let is_wanted = intake.take_wanted(inbound, raw).await.map_err(not_taken)?;
                if is_wanted { body } else { Answer::Nobody.body() }
            }
            Inbound::Events(_) | Inbound::Ignored { .. } => return intake.take(inbound, raw).await.map_err(not_taken),
        };
        let Ok(body) = serde_json::from_slice::<Value>(&body) else {
            return Ok(());
        };
        let api = std::sync::Arc::clone(&self.api);
        let connection = self.connection.clone();
        answers.spawn(async move {
            if let Err(failure) = api.answer(&id, &token, body).await {
                tracing::warn!(connection, error = %ReplyError::from(failure), "an interaction could not be answered in time");
            }
        });
        Ok(())
    }
}

/// What an event comes to.
enum Read {
    /// Nothing for the gateway to know.
    Nothing,
    Inbound(Inbound),
}

impl Read {
    fn one(event: reveille_channel::Event) -> Self {
        Self::Inbound(Inbound::Events(vec![event]))
    }

    fn of(read: Result<reveille_channel::Event, &'static str>) -> Self {
        match read {
            Ok(event) => Self::one(event),
            Err(reason) => Self::Inbound(Inbound::Ignored { reason }),
        }
    }
}

fn not_taken(_: reveille_channel::NotTaken) -> ReplyError {
    ReplyError::Retry { after_ms: 1_000, reason: "an event could not be made durable; it will come again".into() }
}
