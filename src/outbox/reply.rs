//! One turn's reply: the text it should have and the messages that show it.

use reveille_channel::markdown::Cuts;
use reveille_channel::{Actor, Marker, Receipt, ReplyContext, Sought, Task, ThreadRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::{Body, Corrupt, Turn};

/// The hash of a visible text that nobody knows: it equals no text's.
pub const UNKNOWN_HASH: &str = "unknown";

/// The first 8 bytes of SHA-256, hexadecimal.
#[must_use]
pub fn text_hash(text: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    hex::encode(hash.split_at(8).0)
}

/// The nearest byte at or before `at` at which a character begins. Offsets are of the text as it was when they were
/// recorded: a model call that is tried again may say something else, with other characters at that byte.
pub(super) fn boundary(document: &str, at: usize) -> usize {
    document.floor_char_boundary(at.min(document.len()))
}

/// The text between two recorded offsets; empty where there is none any more.
pub(super) fn between(document: &str, start: usize, end: usize) -> &str {
    document.get(boundary(document, start)..boundary(document, end)).unwrap_or_default()
}

/// What one turn says, and what of it is visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The turn (or the refusal's number).
    pub turn: Turn,
    /// The connection it goes through.
    pub connection: String,
    /// Where it goes: the thread the event came from, never a place a model named.
    pub thread: ThreadRef,
    /// Whose message is answered.
    pub recipient: Actor,
    /// The platform's id of that message.
    pub message: Option<String>,
    /// When the turn began, milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// The text that is certain: CommonMark.
    pub settled: String,
    /// The text of the model call that is running; it is replaced when the call is tried again.
    pub live: String,
    /// What is going on, while there is no text.
    pub status: Option<String>,
    /// Steps of the work, in the order they began.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// No text will be added.
    pub finished: bool,
    /// The turn failed, and the text says so at its end.
    #[serde(default)]
    pub has_failed: bool,
    /// The messages that show it, in order.
    pub segments: Vec<Segment>,
    /// How often something was shown.
    pub sequence: u32,
}

/// One message of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The byte of the text with which it begins.
    pub start: usize,
    /// What makes it recognisable.
    pub marker: Marker,
    /// When it was begun, milliseconds since the Unix epoch.
    pub opened_at_ms: i64,
    /// The platform's word for it; `None`: not known to be posted.
    pub receipt: Option<Receipt>,
    /// The byte of the text with which what is visible ends.
    pub end: usize,
    /// Hash of the text from `start` to `end` as it was shown.
    pub hash: String,
    /// Nothing more will be done to it, unless its text turns out wrong.
    pub complete: bool,
    /// It may be posted though there is no receipt: look before posting.
    pub in_doubt: bool,
}

impl Segment {
    /// It was never posted, and there is no text for it any more.
    #[must_use]
    pub fn is_void(&self, document: &str) -> bool {
        self.receipt.is_none() && !self.in_doubt && self.start >= document.len() && self.start > 0
    }
}

impl Reply {
    /// The whole text as it should be visible now.
    #[must_use]
    pub fn document(&self) -> String {
        match (self.settled.is_empty(), self.live.is_empty()) {
            (_, true) => self.settled.clone(),
            (true, false) => self.live.clone(),
            (false, false) => format!("{}\n\n{}", self.settled, self.live),
        }
    }

    /// Makes the running call's text certain.
    pub fn settle(&mut self, text: &str) {
        self.live.clear();
        self.add(text);
    }

    /// Adds a paragraph to the certain text.
    pub fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if !self.settled.is_empty() {
            self.settled.push_str("\n\n");
        }
        self.settled.push_str(text);
    }

    /// Whether everything is visible as it should be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let document = self.document();
        self.finished
            && match self.segments.last() {
                None => document.is_empty(),
                Some(last) => {
                    let is_settled = (last.complete && last.end >= document.len()) || last.is_void(&document);
                    is_settled && self.wrong_segment(&document).is_none()
                }
            }
    }

    /// The first complete message whose text is not the document's (a model call was tried again and said something else).
    #[must_use]
    pub fn wrong_segment(&self, document: &str) -> Option<usize> {
        self.segments.iter().position(|segment| {
            segment.complete && text_hash(between(document, segment.start, segment.end)) != segment.hash
        })
    }

    /// Where and for whom its operations are done.
    #[must_use]
    pub fn context(&self, marker: Marker) -> ReplyContext {
        ReplyContext {
            thread: self.thread.clone(),
            recipient: self.recipient.clone(),
            message: self.message.clone(),
            marker,
            since_ms: self.since_ms,
            has_failed: self.has_failed,
        }
    }

    /// What is known of a message that may or may not have been posted; the other messages of the conversation are left to be added.
    #[must_use]
    pub fn sought(&self, segment: u32) -> Option<Sought> {
        let index = usize::try_from(segment).ok()?;
        let sought = self.segments.get(index)?;
        let document = self.document();
        let end = self.segments.get(index + 1).map_or(document.len(), |next| boundary(&document, next.start));
        let text = Cuts::of(&document).piece(boundary(&document, sought.start), end);
        Some(Sought { opened_at_ms: sought.opened_at_ms, text: Some(text), others: Vec::new() })
    }

    /// The platform's ids of the messages that show it.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| segment.receipt.as_ref()).map(|receipt| receipt.id.as_str())
    }

    /// After a restart: what was under way then may or may not have been done.
    pub fn doubt(&mut self) {
        for segment in self.segments.iter_mut().filter(|segment| !segment.complete) {
            if segment.receipt.is_none() {
                segment.in_doubt = true;
            } else {
                UNKNOWN_HASH.clone_into(&mut segment.hash);
            }
        }
    }

    /// Folds a `reply_*` record of this turn in.
    ///
    /// # Errors
    /// [`Corrupt`] when the record cannot follow what was folded before.
    pub fn apply(&mut self, body: &Body, at_ms: i64) -> Result<(), Corrupt> {
        match body {
            Body::ReplyOpened { segment, start, marker, .. } => {
                if usize::try_from(*segment).ok() != Some(self.segments.len()) {
                    return Err(Corrupt(format!("reply segment {segment} is opened out of order")));
                }
                self.segments.push(Segment {
                    start: *start,
                    marker: marker.clone(),
                    opened_at_ms: at_ms,
                    receipt: None,
                    end: *start,
                    hash: text_hash(""),
                    complete: false,
                    in_doubt: false,
                });
                Ok(())
            }
            Body::ReplyShown { segment, sequence, receipt, end, hash, complete, .. } => {
                if *sequence != self.sequence {
                    return Err(Corrupt(format!("reply_shown {sequence} does not follow {}", self.sequence)));
                }
                let Some(shown) = usize::try_from(*segment).ok().and_then(|index| self.segments.get_mut(index)) else {
                    return Err(Corrupt(format!("reply segment {segment} is shown and was never opened")));
                };
                self.sequence = self.sequence.saturating_add(1);
                shown.receipt = Some(receipt.clone());
                shown.end = *end;
                shown.hash.clone_from(hash);
                shown.complete = *complete;
                shown.in_doubt = false;
                Ok(())
            }
            other => Err(Corrupt(format!("{} is no record of a reply", other.kind()))),
        }
    }
}
