//! Earlier messages of a conversation, for the model.

use std::collections::HashMap;

use reveille_channel::{ContextMessage, ReplyError, ThreadRef};

use crate::api::{PAGE, Part};
use crate::location::{self, part};
use crate::payload::{Message, time_ms};
use crate::places::is_thread;
use crate::refusal::{UNKNOWN_CHANNEL, UNKNOWN_MESSAGE};
use crate::reply::Replies;
use crate::text::{self, Names};
use crate::transport::Failure;

/// Pages that are turned at most.
const PAGES_MAX: usize = 5;

impl Replies {
    /// The thread's messages with the one it was started from. Before there is a thread: what was said in the channel until then,
    /// which everybody there can read.
    pub(crate) async fn history(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        let Some(channel) = part(thread, location::CHANNEL) else {
            return Err(ReplyError::Refused("the conversation has no channel to read".into()));
        };
        let mut newest_first = match part(thread, location::ROOT) {
            Some(root) => match self.latest(root, Part::Latest, limit).await {
                Ok(said) => {
                    let mut said = said;
                    if said.len() < limit {
                        said.extend(self.starter(Some(channel), root).await?);
                    }
                    said
                }
                Err(Failure::Refused(refusal)) if refusal.code == UNKNOWN_CHANNEL => {
                    self.latest(channel, Part::Before(&next(root)), limit).await?
                }
                Err(failure) => return Err(failure.into()),
            },
            None => {
                let mut said = self.latest(channel, Part::Latest, limit).await?;
                let in_thread = part(thread, location::KIND).and_then(|kind| kind.parse().ok()).is_some_and(is_thread);
                if in_thread && said.len() < limit {
                    let parent = self.places.get(channel).and_then(|place| place.parent);
                    said.extend(self.starter(parent.as_deref(), channel).await?);
                }
                said
            }
        };
        newest_first.truncate(limit);
        Ok(newest_first.into_iter().rev().map(|message| self.shown(message)).collect())
    }

    /// The message that a thread was started from; a forum's and a private thread's is in the thread itself.
    async fn starter(&self, channel: Option<&str>, thread: &str) -> Result<Option<Message>, ReplyError> {
        let Some(channel) = channel else {
            return Ok(None);
        };
        match self.api.message(channel, thread).await {
            Ok(message) => Ok(Some(message)),
            Err(Failure::Refused(refusal)) if matches!(refusal.code, UNKNOWN_MESSAGE | UNKNOWN_CHANNEL) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn latest(&self, channel: &str, part: Part<'_>, limit: usize) -> Result<Vec<Message>, Failure> {
        let mut said: Vec<Message> = Vec::new();
        let mut before = None::<String>;
        for _ in 0..PAGES_MAX {
            let part = before.as_deref().map_or(part, Part::Before);
            let page = self.api.messages(channel, part, (limit - said.len()).min(PAGE)).await?;
            let is_last = page.len() < PAGE;
            before = page.last().map(|message| message.id.clone());
            said.extend(page.into_iter().filter(|message| !message.content.is_empty()));
            if is_last || said.len() >= limit {
                break;
            }
        }
        Ok(said)
    }

    pub(crate) fn shown(&self, message: Message) -> ContextMessage {
        let names = Names {
            own: self.own.user().map(|user| (user.id, user.name)),
            own_roles: Vec::new(),
            users: message.mentions.iter().map(|user| (user.id.clone(), user.shown().to_owned())).collect(),
            channels: HashMap::new(),
        };
        ContextMessage {
            is_own: self.own.is_own_message(&message),
            author: message.author.as_ref().map_or("somebody", |author| author.shown()).to_owned(),
            text: text::read(&message.content, &names),
            at_ms: time_ms(&message.id).unwrap_or(0),
            id: message.id,
        }
    }
}

/// The id after this one.
fn next(id: &str) -> String {
    id.parse::<u64>().map_or_else(|_| id.to_owned(), |number| number.saturating_add(1).to_string())
}
