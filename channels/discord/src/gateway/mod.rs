//! The gateway: a WebSocket over which Discord tells what happens ("Gateway").
//!
//! ```text
//! socket ─▶ exchange: hello, heartbeats, identify or resume ─▶ a bounded queue ─▶ handle: read, intake (durable), advance
//! ```
//!
//! Two halves run beside each other, so that a slow disk delays no heartbeat. A session goes on from the last event that is
//! durable; what comes again is told by its id. One connection holds a session at a time.

mod close;
mod connect;
mod exchange;
mod frame;
mod handle;
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reveille_channel::{Intake, Listened, ReplyError};
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::api::{Api, GatewayBot};
use crate::own::Own;
use crate::places::Places;
use crate::reply::Replies;
use crate::transport::Failure;
use connect::{connect, resume_address};
use exchange::{Ended, exchange};
use session::Sessions;

/// Events that may wait for the disk. While they do, nothing is read: the platform waits.
const QUEUE_MAX: usize = 256;

/// The longest that an IDENTIFY is waited for here.
const WAIT_HERE: Duration = Duration::from_secs(10);

/// How much later than we think the gateway may take an IDENTIFY for sent.
const IDENTIFY_SLACK: Duration = Duration::from_secs(1);

/// The wait after the word that a session is invalid.
const INVALID_WAIT_LEAST: Duration = Duration::from_secs(1);
const INVALID_WAIT_MORE: Duration = Duration::from_secs(4);

/// An event, its data unread.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) sequence: u64,
    pub(crate) name: String,
    /// The whole frame; empty for events that are not acted upon.
    pub(crate) frame: Bytes,
}

/// The connection to the gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) connection: String,
    pub(crate) url: Url,
    pub(crate) api: Arc<Api>,
    pub(crate) own: Arc<Own>,
    pub(crate) places: Arc<Places>,
    /// Whether the intent for message content may be asked for.
    message_content: AtomicBool,
    sessions: Sessions,
}

impl Gateway {
    pub(crate) fn new(connection: String, url: Url, api: Arc<Api>, own: Arc<Own>, places: Arc<Places>) -> Self {
        Self {
            connection,
            url,
            api,
            own,
            places,
            message_content: AtomicBool::new(true),
            sessions: Sessions::default(),
        }
    }

    pub(crate) fn permit_message_content(&self, is_permitted: bool) {
        self.message_content.store(is_permitted, Ordering::Relaxed);
    }

    /// Listens until the connection ends.
    ///
    /// # Cancel safety
    /// When it is dropped the connection breaks off, and the session stays what it was.
    pub(crate) async fn listen(&self, intake: &dyn Intake, replies: &Replies) -> Result<Listened, ReplyError> {
        let session = self.sessions.current();
        if session.is_none() {
            self.may_identify().await?;
        }
        let address = session.as_ref().and_then(|session| session.resume_url.as_ref()).unwrap_or(&self.url);
        let socket = match connect(address).await {
            Ok(socket) => socket,
            Err(error) => {
                self.sessions.failed();
                return Err(error);
            }
        };
        if session.is_none() {
            // Getting here took a while, and the next one may be quicker.
            self.sessions.identify_not_before(Instant::now() + session::IDENTIFY_EVERY + IDENTIFY_SLACK);
        }
        let with_content = self.message_content.load(Ordering::Relaxed);
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        let talking = async {
            let ended = exchange(socket, session.as_ref(), self.api.token(), with_content, &queue).await;
            drop(queue);
            ended
        };
        // What was received is made durable even when the connection is gone: it may be that nobody brings it again.
        let (ended, handled) = tokio::join!(talking, self.handle(work, intake, replies));
        handled?;
        self.after(ended)
    }

    /// What follows the end of a connection.
    fn after(&self, ended: Ended) -> Result<Listened, ReplyError> {
        use close::Close;
        let close = match ended {
            Ended::Reconnect => Close::Resume,
            Ended::Invalid => {
                // "Resuming": the next IDENTIFY comes after one to five seconds, at random, so that not all come at once.
                let wait = INVALID_WAIT_LEAST + INVALID_WAIT_MORE.mul_f64(rand::random());
                self.sessions.identify_not_before(Instant::now() + wait);
                Close::Anew
            }
            Ended::Broken(why) => {
                return Err(ReplyError::Retry { after_ms: 1_000, reason: format!("the gateway: {why}") });
            }
            Ended::Closed(code) => {
                tracing::info!(connection = self.connection, code, "the gateway closed the connection");
                close::meaning(code)
            }
        };
        match close {
            Close::Resume => Ok(Listened::Ended),
            Close::Anew => {
                self.sessions.end();
                Ok(Listened::Ended)
            }
            Close::Slower => {
                self.sessions.end();
                Err(ReplyError::Retry { after_ms: 60_000, reason: "the gateway: too much was sent".into() })
            }
            Close::WithLess if self.message_content.swap(false, Ordering::Relaxed) => {
                tracing::warn!(
                    connection = self.connection,
                    "the \"Message Content Intent\" is off (close code 4014): only mentions, replies and direct messages are read; \
                     switch it on at \"Bot\", \"Privileged Gateway Intents\""
                );
                self.sessions.end();
                Ok(Listened::Ended)
            }
            Close::WithLess => self.must_act("the gateway refuses an intent (close code 4014); please report this"),
            Close::Fatal(why) => self.must_act(why),
        }
    }

    fn must_act(&self, why: &'static str) -> Result<Listened, ReplyError> {
        self.sessions.rest(why, Instant::now());
        Err(ReplyError::Credentials(why.into()))
    }

    /// Waits until a new session may be asked for; not for long.
    async fn may_identify(&self) -> Result<(), ReplyError> {
        let now = Instant::now();
        let at = self.sessions.take_identify(now).map_err(|why| ReplyError::Credentials(why.into()))?;
        if at > now + WAIT_HERE {
            let after_ms = u64::try_from(at.duration_since(now).as_millis()).unwrap_or(u64::MAX);
            return Err(ReplyError::Retry {
                after_ms,
                reason: "the gateway takes one IDENTIFY in five seconds".into(),
            });
        }
        tokio::time::sleep_until(at).await;
        let told = match self.api.gateway_bot().await {
            Ok(told) => told,
            // It is advice: where there is none, the gateway itself says what it does not take.
            Err(Failure::Refused(refusal)) if refusal.status == 404 => GatewayBot::default(),
            Err(failure) => return Err(failure.into()),
        };
        if let Some(shards) = told.shards.filter(|shards| *shards > 1) {
            tracing::warn!(
                connection = self.connection,
                shards,
                "Discord advises more connections than the one there is; above 2,500 servers it will insist"
            );
        }
        let limit = told.session_start_limit.unwrap_or_default();
        if limit.remaining == Some(0) {
            let after_ms = limit.reset_after.unwrap_or(60_000);
            let reason = "the gateway: no further session may be started today".into();
            return Err(ReplyError::Retry { after_ms, reason });
        }
        Ok(())
    }

    fn begin(&self, ready: frame::Ready, sequence: u64) {
        let resume_url = ready.resume_gateway_url.as_deref().and_then(|told| resume_address(&self.url, told));
        tracing::info!(connection = self.connection, servers = ready.guilds.len(), "listening on the gateway");
        let session = session::Session { id: ready.session_id, resume_url, sequence };
        self.sessions.begin(session, ready.guilds.into_iter().map(|guild| guild.id));
    }
}
