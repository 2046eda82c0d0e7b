//! The trait a platform adapter implements.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Actor, Attachment, Capabilities, Delivery, Event, Installer, Op, Receipt, Reject, ReplyContext, ReplyError, Role,
    Route, Sought, Task, ThreadRef, Verified,
};

/// A platform adapter for one connection (one table under `[channels]`).
///
/// # Writing one
///
/// 1. `verify.rs`: check the signature over the raw bytes with this crate's checks. No parsing, no logging of
///    what was computed. The result can only be made from a [`crate::Proof`].
/// 2. `normalise.rs`: turn a [`Verified`] delivery into [`Inbound`]. Unknown kinds are `Ignored` with the reason,
///    missing fields are survived. Own posts are recognised by immutable ids and ignored.
/// 3. `reply.rs`: perform one [`Op`], and read back by marker. An HTTP client never repeats a POST by itself:
///    a request that left and got no answer is [`ReplyError::Unknown`].
/// 4. `api.rs`: the platform's calls, with every base URL from configuration and a deadline on each.
/// 5. Policy stays out: who may do what is decided in one place of the gateway.
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug {
    /// The platform's name: `slack`, `github`, ...
    fn platform(&self) -> &'static str;

    /// The endpoints it listens on.
    fn routes(&self) -> &'static [Route];

    /// The largest body it takes, bytes; enforced before buffering.
    fn body_limit(&self) -> usize;

    /// Whether the signature of these raw bytes is right and fresh. Pure and in constant time.
    ///
    /// # Errors
    /// The reason, for the operator's log alone.
    fn verify(&self, delivery: Delivery) -> Result<Verified, Reject>;

    /// What the delivery says, in the words that all platforms share. Pure.
    ///
    /// # Errors
    /// [`Malformed`] when a signed body is not what the platform documents.
    fn normalise(&self, verified: &Verified) -> Result<Inbound, Malformed>;

    /// Names an event's thread as it was named when it was opened, where its place does not tell and the platform has to be
    /// asked (Slack: the thread below our answer to a slash command, after a restart). Called after [`Channel::normalise`] and
    /// before anything is decided about the event; within a second or two, since the platform waits for its acknowledgement.
    ///
    /// # Errors
    /// When the platform does not tell now: the event is not taken, and the platform brings it again.
    async fn locate(&self, event: Event) -> Result<Event, ReplyError> {
        Ok(event)
    }

    /// What it can show.
    fn capabilities(&self) -> Capabilities;

    /// What it can show in this thread, where that is not the same everywhere (Linear: a session, or comments).
    fn capabilities_in(&self, thread: &ThreadRef) -> Capabilities {
        let _ = thread;
        self.capabilities()
    }

    /// Does one step of a reply plan.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    async fn perform(&self, context: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError>;

    /// Looks for our own post by its marker. `None` means that it certainly is not there.
    ///
    /// # Errors
    /// When the platform cannot tell.
    async fn find(&self, context: &ReplyContext) -> Result<Option<Receipt>, ReplyError>;

    /// As [`Channel::find`], with what the journal knows of the message: for platforms on which no mark can be read back later.
    /// `None` also where posting it again with the same marker is the same as not posting it again.
    ///
    /// # Errors
    /// When the platform cannot tell.
    async fn look_for(&self, context: &ReplyContext, sought: &Sought) -> Result<Option<Receipt>, ReplyError> {
        let _ = sought;
        self.find(context).await
    }

    /// Earlier messages of the thread, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the platform does not tell.
    async fn context(&self, thread: &ThreadRef, limit: usize) -> Result<Vec<ContextMessage>, ReplyError>;

    /// A file that came with a message of the thread, at most `most` bytes of it: fetched from the platform's own hosts, with our credential.
    ///
    /// # Errors
    /// When the platform does not give it, and for one that is longer. [`ReplyError::Refused`] where files lie elsewhere.
    async fn fetch(&self, thread: &ThreadRef, file: &Attachment, most: usize) -> Result<Bytes, ReplyError> {
        let _ = (thread, file, most);
        Err(ReplyError::Refused("files of this platform are not fetched".into()))
    }

    /// What the actor may do in the thread's place, asked of the platform now.
    ///
    /// # Errors
    /// When the platform does not tell: the caller then refuses.
    async fn permission(&self, actor: &Actor, thread: &ThreadRef) -> Result<Role, ReplyError>;

    /// Puts an emoji reaction (by its common short name, such as `eyes`) on a message. Idempotent.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`]. An emoji the platform lacks is `Refused`.
    async fn react(&self, thread: &ThreadRef, message: &str, emoji: &str) -> Result<(), ReplyError>;

    /// Shows beside the message that is being answered how far the work on it is, where the platform has a sign for that (GitHub: a
    /// reaction). Best effort and idempotent: nothing waits for it, and its failure is nobody's failure.
    ///
    /// # Errors
    /// See [`ReplyError`].
    async fn sign(&self, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
        let _ = (context, progress);
        Ok(())
    }

    /// Whether an open native stream can show steps of the work beside its text ([`Channel::show_tasks`]).
    fn shows_tasks(&self) -> bool {
        false
    }

    /// Shows steps of the work, or how far they are now, in a message whose native stream is open. Best effort and idempotent: a step
    /// that is shown already is changed.
    ///
    /// # Errors
    /// See [`ReplyError`]. Nothing waits for it but what it says of the stream itself.
    async fn show_tasks(&self, context: &ReplyContext, message: &str, tasks: &[Task]) -> Result<(), ReplyError> {
        let _ = (context, message, tasks);
        Ok(())
    }

    /// Receives over a connection of our own making (Slack's Socket Mode, Discord's gateway) until it is dropped or that
    /// connection ends. What comes is authentic because we called the platform; it is acknowledged after `intake` took it.
    ///
    /// Returns at once where there is no such connection. The caller calls again after a while, longer after each failure.
    ///
    /// # Errors
    /// Why the connection ended: `Credentials` when a person must act.
    async fn listen(&self, intake: &dyn Intake) -> Result<Listened, ReplyError> {
        let _ = intake;
        Ok(Listened::Nothing)
    }

    /// Asks the platform to deliver again what did not reach us lately. Called at start and every hour; how many it asked for.
    ///
    /// # Errors
    /// When the platform does not tell.
    async fn catch_up(&self) -> Result<usize, ReplyError> {
        Ok(0)
    }

    /// Makes commands known to the platform, in place of those it knew, where people choose them from a list (Discord). Called at
    /// start and when the agents' commands have changed. Idempotent.
    ///
    /// # Errors
    /// When the platform does not take them.
    async fn offer(&self, commands: &[CommandOffer]) -> Result<(), ReplyError> {
        let _ = commands;
        Ok(())
    }

    /// Tells whoever called the bot that no agent takes the event, where the platform waits for a word and would call the bot
    /// unresponsive (Linear's agent sessions). Idempotent, best effort: its failure is nobody's failure.
    ///
    /// # Errors
    /// See [`ReplyError`].
    async fn tell_nobody(&self, event: &Event) -> Result<(), ReplyError> {
        let _ = event;
        Ok(())
    }

    /// What an [`Inbound::Answered`] is answered with that is for no agent, in place of the promise it carries: nothing will
    /// follow. `None`: with what it carries.
    fn answer_of_nobody(&self, promise: &Bytes) -> Option<(&'static str, Bytes)> {
        let _ = promise;
        None
    }

    /// Learns who we are there (own user id, bot id, app slug), so that own posts can be told. Called at start,
    /// and again after a while when it failed.
    ///
    /// # Errors
    /// When the platform cannot be reached or refuses our credentials.
    async fn identify(&self) -> Result<Identity, ReplyError>;

    /// How the app is installed in further places by OAuth, where it can be.
    fn installer(&self) -> Option<&dyn Installer> {
        None
    }
}

/// How far the work on a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A turn began.
    Began,
    /// It came to its end.
    Done,
    /// It failed, or was ended before.
    Failed,
}

/// A command that an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOffer {
    /// Its name without the slash: at most 32 of `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// What it does, in a sentence.
    pub description: String,
}

/// Takes what came over a connection of our own making.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Makes it durable. `raw` are the bytes it came as.
    ///
    /// # Errors
    /// [`NotTaken`]: not to be acknowledged, so that the platform brings it again.
    async fn take(&self, inbound: Inbound, raw: Bytes) -> Result<(), NotTaken>;

    /// As [`Intake::take`]; and whether any of it is for an agent.
    ///
    /// # Errors
    /// [`NotTaken`].
    async fn take_wanted(&self, inbound: Inbound, raw: Bytes) -> Result<bool, NotTaken> {
        self.take(inbound, raw).await.map(|()| true)
    }
}

/// It could not be made durable now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it could not be made durable now")]
pub struct NotTaken;

/// How [`Channel::listen`] came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listened {
    /// There is nothing to listen to.
    Nothing,
    /// The connection was up and has ended; it is to be made again at once.
    Ended,
}

/// Who we are on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Our immutable id there.
    pub id: String,
    /// The handle people mention, without `@`.
    pub handle: String,
    /// The tenant's name, or what the credential reaches; for display.
    pub installation: String,
    /// Warnings about the credential, such as a missing scope; for `reveille doctor`.
    pub warnings: Vec<String>,
}

/// What a verified delivery means.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// To be answered at once with `200` and this body, and nothing else to do.
    Handshake {
        /// The `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: Bytes,
    },
    /// What happened.
    Events(Vec<Event>),
    /// What happened, where the platform wants more than an empty `200`: once it is durable, it is answered with this body.
    Answered {
        /// What happened.
        events: Vec<Event>,
        /// The `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: Bytes,
    },
    /// Acknowledged and counted, and nothing else to do.
    Ignored {
        /// Why, in a few words without anything from the body.
        reason: &'static str,
    },
}

/// A signed body that is not what the platform documents: answered with `400` and kept aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Malformed {
    /// What is wrong, without content of the body.
    pub what: String,
}

impl Malformed {
    /// A malformed body, described.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }

    /// From a JSON error: where, and not what stood there.
    #[must_use]
    pub fn json(error: &serde_json::Error) -> Self {
        Self {
            what: format!(
                "the body is not the JSON expected (line {}, column {}, {:?})",
                error.line(),
                error.column(),
                error.classify()
            ),
        }
    }
}

/// A message of a thread, as context for the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextMessage {
    /// The platform's id of it.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Whether we wrote it.
    pub is_own: bool,
    /// Its text as CommonMark.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
}
