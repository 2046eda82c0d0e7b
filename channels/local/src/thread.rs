//! What is visible in the conversation, in memory.

use std::collections::VecDeque;

use reveille_channel::{Ask, ContextMessage, Mode, Op, Receipt, ReplyContext, ReplyError};

use crate::Shown;

/// The most messages that are remembered, both sides together.
const MOST_MESSAGES: usize = 200;

/// The messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    messages: VecDeque<Message>,
}

#[derive(Debug)]
struct Message {
    /// Ours have their marker as id, so that they are told apart across processes.
    seen: ContextMessage,
    /// A stream that is not finished.
    is_open: bool,
    reactions: Vec<String>,
}

impl Thread {
    /// A thread with these earlier messages.
    pub(crate) fn new(earlier: Vec<ContextMessage>) -> Self {
        let mut thread = Self::default();
        for seen in earlier {
            thread.push(seen, false);
        }
        thread
    }

    /// The person says something.
    pub(crate) fn hear(&mut self, id: String, text: String, at_ms: i64) {
        self.push(ContextMessage { id, author: "operator".to_owned(), is_own: false, text, at_ms }, false);
    }

    /// Our message of this id.
    pub(crate) fn find(&mut self, id: &str) -> Option<Receipt> {
        let message = self.own(id)?;
        let mode = if message.is_open { Mode::Native } else { Mode::Edit };
        Some(Receipt { id: id.to_owned(), mode })
    }

    /// The latest messages, oldest first.
    pub(crate) fn latest(&self, limit: usize) -> Vec<ContextMessage> {
        let skipped = self.messages.len().saturating_sub(limit);
        self.messages.iter().skip(skipped).map(|message| message.seen.clone()).collect()
    }

    /// Puts a reaction on a message. What is new.
    pub(crate) fn react(&mut self, id: &str, emoji: &str) -> Option<Shown> {
        let message = self.messages.iter_mut().rev().find(|message| message.seen.id == id)?;
        if message.reactions.iter().any(|one| one == emoji) {
            return None;
        }
        message.reactions.push(emoji.to_owned());
        Some(Shown::Reacted { emoji: emoji.to_owned() })
    }

    /// Does one step of a reply plan. What is new.
    pub(crate) fn perform(&mut self, context: &ReplyContext, op: &Op) -> Result<(Receipt, Vec<Shown>), ReplyError> {
        let marker = context.marker.as_str();
        let at_ms = context.since_ms;
        match op {
            Op::Start { text, complete } => {
                let shown = self.write(marker, text, at_ms, !complete);
                let mode = if *complete { Mode::Edit } else { Mode::Native };
                Ok((Receipt { id: marker.to_owned(), mode }, shown))
            }
            Op::Append { id, text } => self.append(id, text, true),
            Op::Finish { id, text, .. } => self.append(id, text, false),
            Op::Edit { id, text, .. } => {
                let shown = self.write(id, text, at_ms, false);
                Ok((Receipt { id: id.clone(), mode: Mode::Edit }, shown))
            }
            Op::Ask(ask) => {
                let text = question(ask);
                let is_new = !self.write(marker, &text, at_ms, false).is_empty();
                let shown = is_new.then(|| Shown::Asked { id: marker.to_owned(), text });
                let shown = shown.into_iter().collect();
                Ok((Receipt { id: marker.to_owned(), mode: Mode::Edit }, shown))
            }
            Op::Settle { id, ask, outcome } => {
                let text = format!("{}\n\n{outcome}", question(ask));
                let is_new = !self.write(id, &text, at_ms, false).is_empty();
                let shown = is_new.then(|| Shown::Settled { id: id.clone(), outcome: outcome.clone() });
                let shown = shown.into_iter().collect();
                Ok((Receipt { id: id.clone(), mode: Mode::Edit }, shown))
            }
            Op::Status { text } => {
                let receipt = Receipt { id: marker.to_owned(), mode: Mode::Native };
                Ok((receipt, vec![Shown::Status(text.clone())]))
            }
        }
    }

    /// Makes the message say this, beginning it where it is not known.
    fn write(&mut self, id: &str, text: &str, at_ms: i64, is_open: bool) -> Vec<Shown> {
        let (id, text) = (id.to_owned(), text.to_owned());
        let Some(message) = self.own(&id) else {
            let seen = ContextMessage { id: id.clone(), author: "you".to_owned(), is_own: true, text, at_ms };
            let text = seen.text.clone();
            self.push(seen, is_open);
            return vec![Shown::Begun { id, text }];
        };
        message.is_open = is_open;
        let before = std::mem::replace(&mut message.seen.text, text.clone());
        match text.strip_prefix(before.as_str()) {
            Some("") => Vec::new(),
            Some(more) => vec![Shown::Grew { id, text: more.to_owned() }],
            None => vec![Shown::Rewritten { id, text }],
        }
    }

    fn append(&mut self, id: &str, text: &str, is_open: bool) -> Result<(Receipt, Vec<Shown>), ReplyError> {
        let Some(message) = self.own(id).filter(|message| message.is_open) else {
            // An earlier terminal's: the whole text is asked for then, and shown here.
            return Err(ReplyError::StreamClosed("the terminal that showed it is gone".to_owned()));
        };
        message.seen.text.push_str(text);
        message.is_open = is_open;
        let mode = if is_open { Mode::Native } else { Mode::Edit };
        let grew = (!text.is_empty()).then(|| Shown::Grew { id: id.to_owned(), text: text.to_owned() });
        Ok((Receipt { id: id.to_owned(), mode }, grew.into_iter().collect()))
    }

    fn own(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().rev().find(|message| message.seen.is_own && message.seen.id == id)
    }

    fn push(&mut self, seen: ContextMessage, is_open: bool) {
        self.messages.push_back(Message { seen, is_open, reactions: Vec::new() });
        if self.messages.len() > MOST_MESSAGES {
            self.messages.pop_front();
        }
    }
}

/// A question in words, and how it is answered: there is nothing to press here.
#[must_use]
pub fn question(ask: &Ask) -> String {
    let choices: Vec<_> = ask.choices.iter().map(|choice| format!("/{}", choice.id)).collect();
    let detail: String = ask.detail.lines().map(|line| format!("    {line}\n")).collect();
    let (title, reference) = (&ask.title, &ask.reference);
    let choices = choices.join(" or ");
    format!("{title}\n\n{detail}\nAnswer with {choices}; where several questions are open, add {reference}")
}
