//! The next operation: a pure function of what should be visible and what is.

use reveille_channel::markdown::Cuts;
use reveille_channel::{Capabilities, Mode, Op, Receipt, Streaming, Task};

use super::reply::{Reply, Segment, UNKNOWN_HASH, between, boundary, text_hash};

/// An answer that takes less than this needs no status line, milliseconds.
const STATUS_AFTER_MS: i64 = 700;

/// How long a status line speaks for a turn that shows nothing else, milliseconds. Linear calls a session stale after half an
/// hour of silence.
const STATUS_AGAIN_MS: i64 = 10 * 60_000;

/// What a message says whose text was taken back: messages are not deleted.
const WITHDRAWN: &str = "(withdrawn)";

/// What to do next for a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Record that a further message begins at this byte; then plan again.
    Open {
        /// Its number.
        segment: u32,
        /// The byte of the text with which it begins.
        start: usize,
    },
    /// Ask the platform whether the message is there already.
    Find {
        /// Its number.
        segment: u32,
    },
    /// Let the channel do this, and record what is visible then.
    Perform {
        /// The message's number.
        segment: u32,
        /// The operation.
        op: Op,
        /// The byte of the text with which what is visible will end.
        end: usize,
        /// Hash of the text that is visible then; unknown where a stream is ended that shows something else.
        hash: String,
        /// Nothing more will be done to the message.
        complete: bool,
    },
    /// Record that the message is complete as it stands.
    Complete {
        /// Its number.
        segment: u32,
    },
    /// Show steps of the work beside the text.
    Tasks {
        /// The message's number.
        segment: u32,
        /// The platform's id of it.
        message: String,
        /// The steps that are new or changed.
        tasks: Vec<Task>,
    },
    /// Show or take away the status line.
    Status {
        /// What it says.
        text: Option<String>,
    },
}

/// The next operation for `reply`, or `None` when nothing is to be done until more is known.
///
/// `status_shown` is the status line that is visible. Pace is not this function's concern: the caller asks only when the
/// platform may be called again.
#[must_use]
pub fn plan(reply: &Reply, capabilities: &Capabilities, now_ms: i64, status_shown: Option<&str>) -> Option<Action> {
    let document = reply.document();
    let Some((index, last)) = reply.segments.iter().enumerate().next_back() else {
        if document.trim().is_empty() || (capabilities.streaming == Streaming::None && !reply.finished) {
            // Where no text is seen before it is complete, the line is all there is: it comes at once, and stays.
            let is_posted_whole = capabilities.streaming == Streaming::None;
            let is_due = is_posted_whole || now_ms >= reply.since_ms.saturating_add(STATUS_AFTER_MS);
            let wanted = reply.status.as_deref().filter(|_| !reply.finished && is_due);
            let stays = is_posted_whole && !reply.finished && wanted.is_none();
            let changed = capabilities.status && wanted != status_shown && !stays;
            return changed.then(|| Action::Status { text: wanted.map(ToOwned::to_owned) });
        }
        return Some(Action::Open { segment: 0, start: 0 });
    };
    let limit = capabilities.message_bytes;
    if last.complete || (reply.finished && last.is_void(&document)) {
        if last.complete && last.end < document.len() {
            return Some(Action::Open { segment: number(index + 1), start: boundary(&document, last.end) });
        }
        return reply.finished.then(|| mend(reply, &document)).flatten();
    }
    let segment = number(index);
    let start = boundary(&document, last.start);
    let cuts = Cuts::of(&document);
    match &last.receipt {
        None if last.in_doubt => Some(Action::Find { segment }),
        // The text it was opened for was taken back by another try of the model.
        None if last.start >= document.len() => None,
        None => {
            let (end, complete) = goal(reply, &document, &cuts, last, limit);
            let text = if complete || capabilities.streaming != Streaming::Native {
                cuts.piece(start, end)
            } else {
                cuts.open_piece(start, end)
            };
            let hash = hash_of(&document, start, end);
            Some(Action::Perform { segment, op: Op::Start { text, complete }, end, hash, complete })
        }
        Some(receipt) if receipt.mode == Mode::Native => {
            native(reply, &document, &cuts, last, receipt, capabilities, now_ms).map(|(op, end, complete)| {
                let is_known = agrees(&document, last);
                let hash = if is_known { hash_of(&document, last.start, end) } else { UNKNOWN_HASH.to_owned() };
                Action::Perform { segment, op, end, hash, complete }
            })
        }
        Some(receipt) => {
            let (end, complete) = goal(reply, &document, &cuts, last, limit);
            if hash_of(&document, start, end) == last.hash && end == last.end {
                return complete.then_some(Action::Complete { segment });
            }
            if !complete && end < last.end {
                // A call that is tried again has not caught up with what is visible.
                return None;
            }
            let text = cuts.piece(start, end);
            if text.is_empty() && !complete {
                return None;
            }
            let text = if text.is_empty() { WITHDRAWN.to_owned() } else { text };
            let hash = hash_of(&document, start, end);
            Some(Action::Perform {
                segment,
                op: Op::Edit { id: receipt.id.clone(), text, complete },
                end,
                hash,
                complete,
            })
        }
    }
}

/// When a status line that was shown at `shown_at_ms` has to be shown again, milliseconds since the Unix epoch, so that nobody
/// takes a long turn for a dead one: where the line is all there is.
#[must_use]
pub fn status_again_at(capabilities: &Capabilities, shown_at_ms: i64) -> Option<i64> {
    let is_all = capabilities.status && capabilities.streaming == Streaming::None;
    is_all.then(|| shown_at_ms.saturating_add(STATUS_AGAIN_MS))
}

/// When [`plan`] may have something to do though nothing happened, milliseconds since the Unix epoch.
#[must_use]
pub fn plan_again_at(reply: &Reply, capabilities: &Capabilities) -> Option<i64> {
    match reply.segments.last() {
        None => (capabilities.status && !reply.finished).then(|| reply.since_ms.saturating_add(STATUS_AFTER_MS)),
        // A native stream is finished before the platform does it.
        Some(last) if !last.complete && capabilities.streaming == Streaming::Native => {
            let lifetime_ms = i64::try_from(capabilities.stream_lifetime_ms).unwrap_or(i64::MAX);
            Some(last.opened_at_ms.saturating_add(lifetime_ms).saturating_add(1))
        }
        Some(_) => None,
    }
}

/// Where the open message should end now, and whether that is for good.
fn goal(reply: &Reply, document: &str, cuts: &Cuts<'_>, segment: &Segment, limit: usize) -> (usize, bool) {
    match cuts.cut(boundary(document, segment.start), limit, 0) {
        Some(end) => (end, true),
        None => (document.len(), reply.finished),
    }
}

/// The next operation on a native stream: nothing that is visible can be taken back before it is finished.
fn native(
    reply: &Reply,
    document: &str,
    cuts: &Cuts<'_>,
    segment: &Segment,
    receipt: &Receipt,
    capabilities: &Capabilities,
    now_ms: i64,
) -> Option<(Op, usize, bool)> {
    let id = receipt.id.clone();
    if !agrees(document, segment) {
        let settled = reply.finished || document.len() > segment.end;
        // Finished as it is; from then on it is edited until it is right.
        return settled.then(|| (Op::Finish { id, text: String::new(), last: false }, segment.end, false));
    }
    // Here what is visible is the document's text, so the offsets are those of its characters.
    if let Some(end) = cuts.cut(segment.start, capabilities.message_bytes, segment.end) {
        let text = format!("{}{}", document.get(segment.end..end)?, cuts.closing(end));
        return Some((Op::Finish { id, text, last: false }, end, true));
    }
    let rest = document.get(segment.end..)?;
    if reply.finished {
        let text = format!("{rest}{}", cuts.closing(document.len()));
        return Some((Op::Finish { id, text, last: true }, document.len(), true));
    }
    let age_ms = u64::try_from(now_ms.saturating_sub(segment.opened_at_ms)).unwrap_or(0);
    if age_ms > capabilities.stream_lifetime_ms {
        let text = format!("{rest}{}", cuts.closing(document.len()));
        return Some((Op::Finish { id, text, last: false }, document.len(), true));
    }
    (!rest.is_empty()).then(|| (Op::Append { id, text: rest.to_owned() }, document.len(), false))
}

/// Sets a complete message right whose text is not the document's.
fn mend(reply: &Reply, document: &str) -> Option<Action> {
    let index = reply.wrong_segment(document)?;
    let segment = reply.segments.get(index)?;
    let id = segment.receipt.as_ref()?.id.clone();
    let start = boundary(document, segment.start);
    let end = reply.segments.get(index + 1).map_or(document.len(), |next| boundary(document, next.start));
    let text = Cuts::of(document).piece(start, end);
    let text = if text.is_empty() { WITHDRAWN.to_owned() } else { text };
    let hash = hash_of(document, start, end);
    let op = Op::Edit { id, text, complete: true };
    Some(Action::Perform { segment: number(index), op, end, hash, complete: true })
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Whether what is visible is the document's text.
pub(super) fn agrees(document: &str, segment: &Segment) -> bool {
    segment.end <= document.len() && hash_of(document, segment.start, segment.end) == segment.hash
}

fn hash_of(document: &str, start: usize, end: usize) -> String {
    text_hash(between(document, start, end))
}
