//! One conversation at the terminal: a gateway with no platform but the terminal itself.
//!
//! What `reveille run` and `reveille chat` do goes the whole straight line: a line is routed, admitted, decided about, and
//! answered in a turn whose every step is a record; the outbox brings the reply to the terminal as it would to a thread.
//! This room puts those parts together for one instance and follows what becomes of it. It prints nothing.

mod alone;
mod asked;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reveille_channel::{Channel, ContextMessage, EventId, InstanceId};
use reveille_local::{Local, NAME, Settings, Shown};
use tokio::sync::{mpsc, watch};

use crate::actor::ActorLimits;
use crate::agent::{Catalogue, ModelRef};
use crate::clock::{Clock, SystemClock};
use crate::codemode::CodeMode;
use crate::config::{Storage, StorageKeys};
use crate::connection::{Connection, Connections};
use crate::dispatch::AccessDefault;
use crate::gateway::{self, Gateway, Parts, StartError, journal};
use crate::journal::embedded::reader::Reader;
use crate::journal::{Corrupt, Engine, JournalError, Offset, Record};
use crate::model::Models;
use crate::tool::{Platforms, Registry};
use crate::turn::InstanceState;

use alone::{Alone, News};
pub use asked::Open;

/// Records read at once.
const READ_MAX: usize = 256;

/// How long the instance stays awake between two lines. It sleeps while the person thinks, and its database is complete.
const IDLE: Duration = Duration::from_millis(300);

/// How long a stop waits for tool calls that are under way.
const GRACE: Duration = Duration::from_secs(5);

/// How long [`Session::close`] waits for the instance to fall asleep.
const SLEEP_WAIT: Duration = Duration::from_secs(3);

/// What a conversation needs.
#[derive(Debug)]
pub struct Start {
    /// The agents.
    pub catalogue: Arc<Catalogue>,
    /// The agent that is spoken to, which is one of them.
    pub agent: String,
    /// The conversation's name: see [`reveille_local::is_name`].
    pub name: String,
    /// The folder of the journal.
    pub folder: PathBuf,
    /// The models.
    pub models: Models,
    /// The model of agents that name none.
    pub default_model: Option<ModelRef>,
    /// `[access] default`.
    pub access: AccessDefault,
    /// What seals, where the configuration says.
    pub keys: StorageKeys,
}

/// Why a conversation does not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The gateway does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The journal cannot be written or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What was said could not be made durable.
    #[error("what you said could not be kept in the journal")]
    NotTaken,
    /// The agent's folder is gone since the conversation began.
    #[error("the agent `{0}` is no longer there")]
    Gone(String),
    /// The gateway came to an end by itself.
    #[error("the gateway has stopped")]
    Stopped,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Something is visible that was not.
    Shown(Shown),
    /// A record was committed.
    Recorded(Box<Record>),
}

/// A conversation that goes on.
#[derive(Debug)]
pub struct Session {
    gateway: Gateway,
    local: Arc<Local>,
    screen: mpsc::Receiver<Shown>,
    news: watch::Receiver<News>,
    reader: Reader,
    clock: Arc<dyn Clock>,
    agent: String,
    address: String,
    id: InstanceId,
    earlier: Vec<ContextMessage>,
    state: InstanceState,
    /// What became visible and was not handed out: the records that it rests on come first.
    held: Option<Shown>,
    /// Records that were read and not handed out.
    unread: VecDeque<Record>,
    /// The offset after the last record read.
    next: Offset,
    /// The journal has something that was not read.
    is_behind: bool,
}

impl Session {
    /// Begins or resumes a conversation. What an earlier process left undone of it goes on at once.
    ///
    /// # Errors
    /// See [`SessionError`]; [`JournalError::Locked`] when another process has the folder.
    pub async fn start(start: Start) -> Result<Self, SessionError> {
        let address = format!("{}/{NAME}/{}/{}", start.agent, reveille_local::INSTALLATION, start.name);
        let id = InstanceId::of(&address);
        let engine = journal(&Storage::Folder(start.folder.clone())).await?;
        let reader = Reader::open(&start.folder).await?;
        let known = reader.find(&address).await?.into_iter().find(|row| row.id == id);
        if known.as_ref().is_some_and(|row| row.state == "quarantined") {
            let reason = "it is set aside; look at it with `reveille instances show`".to_owned();
            return Err(JournalError::Corrupt { instance: id, reason }.into());
        }
        let records = if known.is_some() { reader.records(id, 0).await? } else { Vec::new() };
        let mut state = InstanceState::default();
        state.replay(&records).map_err(|Corrupt(reason)| JournalError::Corrupt { instance: id, reason })?;
        let next = records.last().map_or(0, |record| record.offset.saturating_add(1));
        let earlier = conversation(&mut state);

        let (local, screen) = Local::new(Settings {
            agent: start.agent.clone(),
            name: start.name,
            session: format!("{:032x}", rand::random::<u128>()),
            earlier: earlier.clone(),
        });
        let local = Arc::new(local);
        let channel: Arc<dyn Channel> = local.clone();
        let (engine, news) = Alone::new(engine, id);
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storage = Storage::Folder(start.folder.clone());
        let platforms = Platforms { workspaces: Some(gateway::workspaces(&storage)), ..Platforms::default() };
        let tools = Registry::built_in(&platforms).map_err(StartError::from)?;
        let codemode = CodeMode::new(&tools, gateway::keys(&storage, &start.keys)?).map_err(StartError::from)?;
        let parts = Parts {
            connections: Connections::new([Connection::new(NAME, channel)]),
            engine: Arc::clone(&engine),
            catalogue: start.catalogue,
            models: start.models,
            default_model: start.default_model,
            tools,
            codemode,
            access: start.access,
            clock: Arc::clone(&clock),
            limits: ActorLimits { idle: IDLE, grace: GRACE, ..ActorLimits::default() },
            public_url: None,
            admin: None,
        };
        let gateway = Gateway::start(parts);
        if known.is_some_and(|row| row.state == "ready") {
            gateway.directory().wake(id);
        }
        Ok(Self {
            gateway,
            local,
            screen,
            news,
            reader,
            clock,
            agent: start.agent,
            address,
            id,
            earlier,
            state,
            held: None,
            unread: VecDeque::new(),
            next,
            is_behind: false,
        })
    }

    /// The instance's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What was said before this process, oldest first.
    #[must_use]
    pub fn earlier(&self) -> &[ContextMessage] {
        &self.earlier
    }

    /// Says something to the agent: an event, once it is durable.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn say(&mut self, text: &str) -> Result<EventId, SessionError> {
        let event = self.local.say(text, self.clock.now_ms()).await.map_err(|_| SessionError::NotTaken)?;
        self.expect(event).await?;
        Ok(event)
    }

    /// Asks for the turn that runs to be stopped.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn stop_turn(&mut self) -> Result<(), SessionError> {
        self.local.stop(self.clock.now_ms()).await.map_err(|_| SessionError::NotTaken)?;
        self.read().await
    }

    /// Whether everything that was said is answered, as far as was handed out.
    fn is_resting(&self) -> bool {
        let InstanceState { pending, running, replies, questions, .. } = &self.state;
        let is_done = pending.is_empty() && running.is_none() && replies.is_empty() && questions.is_empty();
        self.is_told() && is_done
    }

    /// Whether everything that was read was handed out.
    fn is_told(&self) -> bool {
        self.unread.is_empty() && self.held.is_none() && !self.is_behind
    }

    /// Whether a turn runs, as far as records were handed out.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state.running.is_some()
    }

    /// How long the text of the turn's reply is so far, bytes, as far as records were handed out.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.state.replies.back().map_or(0, |reply| reply.document().len())
    }

    /// Waits for what happens next; `None` when everything that was said is answered and visible, or when nothing comes before
    /// somebody answers what the agent asks ([`Session::open`]). The records that something
    /// visible rests on come before it; those that follow from it may too.
    ///
    /// # Errors
    /// See [`SessionError`]: the conversation is over then.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read waits to be handed out.
    pub async fn next(&mut self) -> Result<Option<Happened>, SessionError> {
        loop {
            if let Some(record) = self.unread.pop_front() {
                self.state
                    .apply(&record.body, record.at_ms)
                    .map_err(|Corrupt(reason)| JournalError::Corrupt { instance: self.id, reason })?;
                return Ok(Some(Happened::Recorded(Box::new(record))));
            }
            if self.is_behind {
                self.read().await?;
                continue;
            }
            if let Some(shown) = self.held.take() {
                return Ok(Some(Happened::Shown(shown)));
            }
            if let Ok(shown) = self.screen.try_recv() {
                self.hold(shown);
                continue;
            }
            if self.is_resting() {
                return Ok(None);
            }
            let trouble = self.news.borrow().trouble.clone();
            if let Some(trouble) = trouble {
                return Err(trouble.into());
            }
            if self.is_waiting() && !self.news.has_changed().unwrap_or(true) {
                return Ok(None);
            }
            tokio::select! {
                biased;
                shown = self.screen.recv() => self.hold(shown.ok_or(SessionError::Stopped)?),
                changed = self.news.changed() => {
                    changed.map_err(|_| SessionError::Stopped)?;
                    self.is_behind = true;
                }
            }
        }
    }

    fn hold(&mut self, shown: Shown) {
        self.held = Some(shown);
        self.is_behind = true;
    }

    /// Reads what the journal has that was not read.
    async fn read(&mut self) -> Result<(), SessionError> {
        // Kept until it is done: whoever waits may leave in the middle.
        self.is_behind = true;
        self.news.mark_unchanged();
        let mut records = self.gateway.engine().read(self.id, self.next, READ_MAX).await?;
        if records.first().is_none_or(|first| first.offset != self.next) {
            // It went to sleep meanwhile, and its own database has them.
            records = self.reader.records(self.id, self.next).await?;
        }
        self.is_behind = records.len() >= READ_MAX;
        self.next = records.last().map_or(self.next, |last| last.offset.saturating_add(1));
        self.unread.extend(records);
        Ok(())
    }

    /// Ends it. `and_sleep`: an instance that rests gets the moment it needs to bring its own database up to date.
    pub async fn close(self, and_sleep: bool) {
        if and_sleep && self.is_resting() {
            let asleep = async {
                while self.gateway.directory().awake() > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            // Without it nothing is lost: the log has what the database lacks.
            let _ = tokio::time::timeout(SLEEP_WAIT, asleep).await;
        }
        self.gateway.stop(None).await;
    }
}

/// The lines of a conversation, taken out of the state that was folded from all records.
fn conversation(state: &mut InstanceState) -> Vec<ContextMessage> {
    std::mem::take(&mut state.unsaved)
        .into_iter()
        .filter(|line| line.role != "tool" && !line.text.trim().is_empty())
        .map(|line| ContextMessage {
            id: format!("earlier-{}", line.number),
            is_own: line.role == "assistant",
            author: line.author,
            text: line.text,
            at_ms: line.at_ms,
        })
        .collect()
}
