//! The terminal as a channel: one conversation between the person at it and one agent, in this process.
//!
//! ```text
//! line ─say─▶ Event ─listen─▶ intake        as a platform's socket brings it: durable before `say` returns
//! Op ─perform─▶ thread ─▶ Shown             what is new, in order, for whoever prints it
//! ```
//!
//! It prints nothing, knows nothing of agents and holds no policy: that the person at the terminal may call the agent that
//! they named is decided where everything of the kind is. What is visible lives in memory. A message that an earlier
//! terminal showed is unknown here and is shown again whole, so an answer that was cut off arrives in the next one.

mod thread;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::{
    Actor, ActorKind, Capabilities, Channel, ContextMessage, Delivery, Event, EventId, Identity, Inbound, Intake, Kind,
    Listened, Malformed, NotTaken, Op, Receipt, Reject, ReplyContext, ReplyError, Role, Route, Streaming, ThreadRef,
    Verified,
};
use tokio::sync::{mpsc, oneshot};

use thread::Thread;
pub use thread::question;

/// The platform's name in events, and the connection's: no table under `[channels]` may be called so.
pub const NAME: &str = "local";

/// The installation: this terminal.
pub const INSTALLATION: &str = "terminal";

/// The fact of an event that names the agent it is for.
pub const AGENT_FACT: &str = "agent";

/// The longest name of a conversation.
pub const LONGEST_NAME: usize = 64;

/// The most text of one message, bytes: a terminal has no limit of its own, but what is in memory has.
const MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// A stream is never closed by the terminal; a day is longer than any turn.
const STREAM_LIFETIME_MS: u64 = 24 * 3600 * 1000;

/// Lines that may wait to be taken.
const LINES_MAX: usize = 16;

/// Changes that may wait to be printed. A terminal that stands still holds the replies up and nothing else.
const SHOWN_MAX: usize = 64;

/// Whose conversation it is, and which.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The agent that is spoken to.
    pub agent: String,
    /// The conversation's name: see [`is_name`].
    pub name: String,
    /// What tells the lines of this process from those of any other: random.
    pub session: String,
    /// Earlier messages of the conversation, oldest first.
    pub earlier: Vec<ContextMessage>,
}

/// What became visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// What is going on, while there is no text; `None`: no longer.
    Status(Option<String>),
    /// A message begins with this text.
    Begun {
        /// Its id.
        id: String,
        /// Its text so far.
        text: String,
    },
    /// A message goes on with this text.
    Grew {
        /// Its id.
        id: String,
        /// What is new.
        text: String,
    },
    /// A message says something else now.
    Rewritten {
        /// Its id.
        id: String,
        /// Its whole text.
        text: String,
    },
    /// Something is asked.
    Asked {
        /// The message's id.
        id: String,
        /// The question, and how it is answered.
        text: String,
    },
    /// What was asked is asked no more.
    Settled {
        /// The message's id.
        id: String,
        /// What came of it.
        outcome: String,
    },
    /// The person's last message was reacted to.
    Reacted {
        /// The emoji's short name.
        emoji: String,
    },
}

/// Whether a conversation can be called so: 1 to 64 letters, digits, `-`, `_` and `.`, the first a letter or digit.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The person at the terminal, who runs the process.
#[must_use]
pub fn operator() -> Actor {
    Actor { id: "operator".to_owned(), name: "operator".to_owned(), kind: ActorKind::Human }
}

/// The terminal's thread of that key.
#[must_use]
pub fn terminal(key: &str) -> ThreadRef {
    ThreadRef {
        installation: INSTALLATION.to_owned(),
        key: key.to_owned(),
        location: BTreeMap::new(),
        display: "the terminal".to_owned(),
    }
}

/// The terminal's end of one conversation.
#[derive(Debug)]
pub struct Local {
    settings: Settings,
    thread: Mutex<Thread>,
    shown: mpsc::Sender<Shown>,
    lines: mpsc::Sender<Line>,
    /// Taken out by [`Channel::listen`], which there is one of.
    inbox: Mutex<Option<mpsc::Receiver<Line>>>,
    count: AtomicU64,
}

/// A line on its way in.
#[derive(Debug)]
struct Line {
    event: Event,
    raw: Bytes,
    taken: oneshot::Sender<Result<(), NotTaken>>,
}

impl Local {
    /// A conversation, and what becomes visible in it.
    #[must_use]
    pub fn new(settings: Settings) -> (Self, mpsc::Receiver<Shown>) {
        let (shown, screen) = mpsc::channel(SHOWN_MAX);
        let (lines, inbox) = mpsc::channel(LINES_MAX);
        let local = Self {
            thread: Mutex::new(Thread::new(settings.earlier.clone())),
            settings,
            shown,
            lines,
            inbox: Mutex::new(Some(inbox)),
            count: AtomicU64::new(0),
        };
        (local, screen)
    }

    /// Says something to the agent; the event's id once it is durable.
    ///
    /// # Errors
    /// [`NotTaken`] when it could not be made durable, or nobody listens any more.
    pub async fn say(&self, text: &str, at_ms: i64) -> Result<EventId, NotTaken> {
        let id = self.next_id();
        lock(&self.thread).hear(id.clone(), text.to_owned(), at_ms);
        self.send(id, Kind::Message { direct: true, in_thread: false }, "message", text, at_ms).await
    }

    /// Answers what is asked; the event's id once it is durable.
    ///
    /// # Errors
    /// As [`Local::say`].
    pub async fn answer(&self, reference: &str, choice: &str, at_ms: i64) -> Result<EventId, NotTaken> {
        let kind = Kind::Action { reference: reference.to_owned(), choice: choice.to_owned() };
        self.send(self.next_id(), kind, "answer", "", at_ms).await
    }

    /// Asks for the turn that runs to be stopped; the event's id once it is durable.
    ///
    /// # Errors
    /// As [`Local::say`].
    pub async fn stop(&self, at_ms: i64) -> Result<EventId, NotTaken> {
        self.send(self.next_id(), Kind::Stop, "stop", "", at_ms).await
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.settings.session, self.count.fetch_add(1, Ordering::Relaxed))
    }

    async fn send(&self, message: String, kind: Kind, name: &str, text: &str, at_ms: i64) -> Result<EventId, NotTaken> {
        let id = EventId::of(NAME, &message);
        let event = Event {
            id,
            connection: NAME.to_owned(),
            platform: NAME.to_owned(),
            thread: terminal(&self.settings.name),
            actor: operator(),
            kind,
            name: name.to_owned(),
            text: text.to_owned(),
            attachments: Vec::new(),
            mentions: Vec::new(),
            message: Some(message.clone()),
            facts: BTreeMap::from([(AGENT_FACT.to_owned(), self.settings.agent.clone())]),
            occurred_at_ms: at_ms,
            received_at_ms: at_ms,
            dedupe_keys: vec![message],
        };
        let (taken, told) = oneshot::channel();
        let line = Line { event, raw: Bytes::copy_from_slice(text.as_bytes()), taken };
        self.lines.send(line).await.map_err(|_| NotTaken)?;
        told.await.map_err(|_| NotTaken)??;
        Ok(id)
    }

    /// Tells whoever prints. If nobody does, it is visible all the same: in the thread.
    async fn tell(&self, shown: impl IntoIterator<Item = Shown>) {
        for one in shown {
            let _ = self.shown.send(one).await;
        }
    }
}

#[async_trait]
impl Channel for Local {
    fn platform(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> &'static [Route] {
        &[]
    }

    fn body_limit(&self) -> usize {
        0
    }

    /// Nothing is delivered to a terminal, so nothing can be believed.
    fn verify(&self, _delivery: Delivery) -> Result<Verified, Reject> {
        Err(Reject::WrongSignature)
    }

    fn normalise(&self, _verified: &Verified) -> Result<Inbound, Malformed> {
        Err(Malformed::new("nothing is delivered to a terminal"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // What was printed cannot be taken back, which is what a native stream means.
            streaming: Streaming::Native,
            message_bytes: MESSAGE_BYTES,
            edit_interval_ms: 0,
            stream_lifetime_ms: STREAM_LIFETIME_MS,
            status: true,
            controls: false,
        }
    }

    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        let (receipt, shown) = lock(&self.thread).perform(context, op)?;
        self.tell(shown).await;
        Ok(receipt)
    }

    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        Ok(lock(&self.thread).find(context.marker.as_str()))
    }

    async fn context(&self, _thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        Ok(lock(&self.thread).latest(limit))
    }

    /// Whoever sits at the terminal runs the process and owns its files.
    async fn permission(&self, _actor: &Actor, _thread: &ThreadRef) -> Result<Role, ReplyError> {
        Ok(Role::Admin)
    }

    async fn react(&self, _thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError> {
        let shown = lock(&self.thread).react(message, emoji);
        self.tell(shown).await;
        Ok(())
    }

    async fn listen(&self, intake: &dyn Intake) -> Result<Listened, ReplyError> {
        let Some(mut inbox) = lock(&self.inbox).take() else {
            return Ok(Listened::Nothing);
        };
        while let Some(Line { event, raw, taken }) = inbox.recv().await {
            let result = intake.take(Inbound::Events(vec![event]), raw).await;
            // Whoever said it may have left meanwhile.
            let _ = taken.send(result);
        }
        Ok(Listened::Ended)
    }

    async fn identify(&self) -> Result<Identity, ReplyError> {
        Ok(Identity {
            id: self.settings.agent.clone(),
            handle: self.settings.agent.clone(),
            installation: INSTALLATION.to_owned(),
            warnings: Vec::new(),
        })
    }
}

/// A lock held only for a moment; a panic of another holder leaves the state usable.
fn lock<T>(state: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
