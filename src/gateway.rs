//! The composition root: from a configuration to a running gateway, and its orderly end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use reveille_channel::links::Links;
use reveille_channel::{Channel, Installer, Listened, ReplyError, Secret};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::actor::{ActorLimits, Directory, Pace, Services};
use crate::admin::{Admin, ApiToken, Desk, Ledger, TokenError};
use crate::agent::{Catalogue, ModelRef, offers};
use crate::clock::{Clock, SystemClock};
use crate::codemode::CodeMode;
use crate::config::{ChannelSettings, Config, Storage, StorageKeys};
use crate::connection::{Connection, Connections};
use crate::ingress::{Bound, ConnectionIntake, Edge, Intake, Listening, listen};
use crate::journal::embedded::{Embedded, Options};
use crate::journal::{Engine, JournalError};
use crate::model::Models;
use crate::telemetry::Metrics;
use crate::tool::{Platforms, Registry, RegistryError};
use crate::vault::{Key, Keys, Vault};
use crate::workspace::{Quotas, Workspaces};

/// How often agents' files are looked at for changes.
const RELOAD_EVERY: Duration = Duration::from_secs(1);

/// How often a platform is asked again who we are, while it does not say.
const IDENTIFY_AGAIN: Duration = Duration::from_secs(30);

/// How often the figures' samples are folded in.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The waits before a socket is made again: the first, and the longest.
const LISTEN_AGAIN_LEAST: Duration = Duration::from_millis(250);
const LISTEN_AGAIN_MOST: Duration = Duration::from_secs(60);

/// How often the agents' commands are compared with those that the platform knows, and the wait after a failure.
const OFFER_EVERY: Duration = Duration::from_secs(2);
const OFFER_AGAIN: Duration = Duration::from_secs(60);
/// How long a credential that is being exchanged is waited for at the end.
const REST: Duration = Duration::from_secs(10);

/// How often failed deliveries are asked for again.
const CATCH_UP_EVERY: Duration = Duration::from_secs(3600);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A connection cannot be made from its settings.
    #[error("channels.{connection}.{reason}")]
    Channel {
        /// The connection's name.
        connection: String,
        /// The key, what is wrong and what to do.
        reason: String,
    },
    /// The journal does not open.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The process has figures already.
    #[error("figures cannot be collected: {0}")]
    Metrics(String),
    /// What was kept of a connection's installations cannot be used.
    #[error("channels.{connection}: {reason}")]
    Installations {
        /// The connection's name.
        connection: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Two tools of one name.
    #[error(transparent)]
    Tools(#[from] RegistryError),
    /// A tool's name that no program could write.
    #[error("a tool cannot be called from a program: {0}")]
    CodeMode(#[from] reveille_codemode::ApiError),
    /// There is no key to seal with.
    #[error("storage: {0}")]
    Key(String),
    /// There is no token for the operator's API.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A model's table cannot be used: which, why, and where to look.
    #[error("{0}")]
    Model(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's word.
        error: std::io::Error,
    },
}

/// What goes into a gateway.
#[derive(Debug)]
pub struct Parts {
    /// The platforms.
    pub connections: Connections,
    /// The journal.
    pub engine: Arc<dyn Engine>,
    /// The agents.
    pub catalogue: Arc<Catalogue>,
    /// The models.
    pub models: Models,
    /// The model of agents that name none.
    pub default_model: Option<ModelRef>,
    /// The tools.
    pub tools: Registry,
    /// What runs programs.
    pub codemode: CodeMode,
    /// Who may wake an agent that does not say.
    pub access: crate::dispatch::AccessDefault,
    /// The date.
    pub clock: Arc<dyn Clock>,
    /// Bounds on what is awake.
    pub limits: ActorLimits,
    /// How browsers reach the gateway, where that is known.
    pub public_url: Option<Url>,
    /// What the operator's API rests on; `None`: there is no such API.
    pub admin: Option<Admin>,
}

/// The adapters of a configuration, and those by name once more whose calls tools use. Links of answers lead to hosts of
/// `links`, or to the platform's own.
///
/// # Errors
/// [`StartError::Channel`].
pub fn channels(
    settings: &BTreeMap<String, ChannelSettings>,
    links: &Links,
) -> Result<(Vec<Connection>, Platforms), StartError> {
    let mut connections = Vec::new();
    let (mut github, mut linear) = (BTreeMap::new(), BTreeMap::new());
    let (mut slack, mut discord) = (BTreeMap::new(), BTreeMap::new());
    for (name, one) in settings {
        let failed = |reason: String| StartError::Channel { connection: name.clone(), reason };
        let channel: Arc<dyn Channel> = match one {
            ChannelSettings::Slack(settings) => {
                let adapter = reveille_slack::Slack::new(name, settings.clone());
                let channel = Arc::new(adapter.map_err(|error| failed(error.to_string()))?.with_links(links));
                slack.insert(name.clone(), Arc::clone(&channel));
                channel
            }
            ChannelSettings::Linear(settings) => {
                let adapter = reveille_linear::Linear::new(name, settings.clone());
                let channel = Arc::new(adapter.map_err(|error| failed(error.to_string()))?.with_links(links));
                linear.insert(name.clone(), Arc::clone(&channel));
                channel
            }
            ChannelSettings::Discord(settings) => {
                let adapter = reveille_discord::Discord::new(name, settings.clone());
                let channel = Arc::new(adapter.map_err(|error| failed(error.to_string()))?.with_links(links));
                discord.insert(name.clone(), Arc::clone(&channel));
                channel
            }
            ChannelSettings::Github(settings) => {
                let adapter = reveille_github::GitHub::new(name, settings.clone());
                let channel = Arc::new(adapter.map_err(|error| failed(error.to_string()))?.with_links(links));
                github.insert(name.clone(), Arc::clone(&channel));
                channel
            }
        };
        connections.push(Connection::new(name, channel));
    }
    let platforms = Platforms {
        github: Arc::new(github),
        linear: Arc::new(linear),
        slack: Arc::new(slack),
        discord: Arc::new(discord),
        workspaces: None,
    };
    Ok((connections, platforms))
}

/// The journal of a configuration.
///
/// # Errors
/// See [`Embedded::open`].
pub async fn journal(storage: &Storage) -> Result<Arc<dyn Engine>, JournalError> {
    let Storage::Folder(folder) = storage;
    Ok(Arc::new(Embedded::open(folder, Options::default()).await?))
}

/// What seals: the configured key, else the storage folder's own.
///
/// # Errors
/// [`StartError::Key`].
pub fn keys(storage: &Storage, configured: &StorageKeys) -> Result<Keys, StartError> {
    let parse = |key: &Secret| Key::parse(key).map_err(|error| StartError::Key(format!("key: {error}")));
    let Storage::Folder(folder) = storage;
    match &configured.key {
        Some(key) => Ok(Keys { key: parse(key)?, previous: configured.previous.as_ref().map(parse).transpose()? }),
        None => Keys::of_folder(folder).map_err(StartError::Key),
    }
}

/// The files of the instances of a configuration.
#[must_use]
pub fn workspaces(storage: &Storage) -> Arc<Workspaces> {
    let Storage::Folder(folder) = storage;
    Arc::new(Workspaces::new(folder, Quotas::default()))
}

/// What the operator's API rests on, for a journal that is open.
async fn admin(storage: &Storage) -> Result<Admin, StartError> {
    let Storage::Folder(folder) = storage;
    let token = ApiToken::of_folder(folder)?;
    Ok(Admin { token: Arc::new(token), ledger: Arc::new(Ledger::open(folder).await?) })
}

/// Gives the adapters that are installed by OAuth what was kept for them, and a place to keep in.
async fn restore(
    connections: &[Connection],
    engine: &Arc<dyn Engine>,
    clock: &Arc<dyn Clock>,
    keys: &StorageKeys,
) -> Result<(), StartError> {
    for connection in connections {
        let Some(installer) = connection.channel().installer() else {
            continue;
        };
        let failed = |reason: String| StartError::Installations { connection: connection.name.clone(), reason };
        let parse = |key: &Secret| Key::parse(key).map_err(|error| failed(error.to_string()));
        let key = keys.key.as_ref().ok_or_else(|| failed("there is no `storage.key` to seal tokens with".into()))?;
        let keys = Keys { key: parse(key)?, previous: keys.previous.as_ref().map(parse).transpose()? };
        let vault = Vault::new(Arc::clone(engine), Arc::clone(clock), keys);
        installer.restore(vault.of(&connection.name)).await.map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

impl Parts {
    /// Everything a configuration says, with these models.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn of(config: &Config, models: Models, default_model: Option<ModelRef>) -> Result<Self, StartError> {
        let (connections, mut platforms) = channels(&config.channels, &config.links())?;
        platforms.workspaces = Some(workspaces(&config.storage));
        let catalogue = Arc::new(Catalogue::load(&config.agents.dir));
        for error in catalogue.errors().iter() {
            tracing::error!(%error, "an agent cannot be used");
        }
        let engine = journal(&config.storage).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        restore(&connections, &engine, &clock, &config.storage_keys).await?;
        let tools = Registry::built_in(&platforms)?;
        let codemode = CodeMode::new(&tools, keys(&config.storage, &config.storage_keys)?)?;
        let admin = admin(&config.storage).await?;
        Ok(Self {
            connections: Connections::new(connections),
            engine,
            catalogue,
            models,
            default_model,
            tools,
            codemode,
            access: config.access.default,
            clock,
            limits: ActorLimits::default(),
            public_url: config.server.public_url.clone(),
            admin: Some(admin),
        })
    }
}

/// A gateway without its HTTP edge: it runs what is in its journal.
#[derive(Debug)]
pub struct Gateway {
    engine: Arc<dyn Engine>,
    intake: Intake,
    connections: Connections,
    clock: Arc<dyn Clock>,
    public_url: Option<Url>,
    admin: Option<Admin>,
    directory: Directory,
    supervisor: tokio::task::JoinHandle<()>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Gateway {
    /// Starts it: what a crash left undone goes on at once.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let services = Arc::new(Services {
            engine: Arc::clone(&parts.engine),
            catalogue: Arc::clone(&parts.catalogue),
            models: parts.models,
            default_model: parts.default_model,
            tools: parts.tools,
            codemode: parts.codemode,
            connections: parts.connections.clone(),
            access: parts.access,
            clock: Arc::clone(&parts.clock),
            pace: Pace::default(),
            limits: parts.limits,
        });
        let tasks = TaskTracker::new();
        for connection in parts.connections.iter() {
            tasks.spawn(identify(Arc::clone(connection), stop.child_token()));
        }
        tasks.spawn(reload(Arc::clone(&parts.catalogue), stop.child_token()));
        let (directory, supervisor) = Directory::start(services, stop.child_token());
        for connection in parts.connections.iter() {
            tasks.spawn(offer(Arc::clone(connection), Arc::clone(&parts.catalogue), stop.child_token()));
        }
        let intake = Intake::new(parts.catalogue, Arc::clone(&parts.engine), directory.clone());
        for connection in parts.connections.iter() {
            let one = ConnectionIntake { connection: Arc::clone(connection), intake: intake.clone() };
            tasks.spawn(listen_to(one, stop.child_token()));
            tasks.spawn(catch_up(Arc::clone(connection), stop.child_token()));
        }
        tasks.close();
        Self {
            engine: parts.engine,
            intake,
            connections: parts.connections,
            clock: parts.clock,
            public_url: parts.public_url,
            admin: parts.admin,
            directory,
            supervisor,
            tasks,
            stop,
        }
    }

    /// Who is awake.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The journal.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Takes deliveries.
    #[must_use]
    pub fn serve(&self, bound: Bound, metrics: Option<Metrics>) -> Listening {
        if let Some(metrics) = &metrics {
            self.tasks.spawn(upkeep(metrics.clone(), self.stop.child_token()));
        }
        let edge = Edge::new(
            self.connections.clone(),
            self.intake.clone(),
            Arc::clone(&self.engine),
            self.directory.clone(),
            Arc::clone(&self.clock),
            metrics,
            self.public_url.clone(),
        );
        let edge = match &self.admin {
            None => edge,
            Some(Admin { token, ledger }) => {
                let (engine, clock) = (Arc::clone(&self.engine), Arc::clone(&self.clock));
                let desk = Desk::new(Arc::clone(ledger), engine, self.directory.clone(), clock);
                edge.with_api(Arc::clone(token), Arc::new(desk))
            }
        };
        listen(bound, edge.router(), self.stop.child_token())
    }

    /// Stops: no further deliveries, what is under way at platforms ends or is left to the journal, the journal closes.
    pub async fn stop(self, listening: Option<Listening>) {
        self.stop.cancel();
        if let Some(listening) = listening {
            listening.stopped().await;
        }
        if self.supervisor.await.is_err() {
            tracing::error!("the supervisor of instances panicked");
        }
        self.tasks.wait().await;
        let exchanges = self.connections.iter().filter_map(|connection| connection.channel().installer());
        if timeout(REST, join_all(exchanges.map(Installer::rest))).await.is_err() {
            tracing::warn!("a token that is being replaced was not waited for");
        }
        self.engine.close().await;
    }
}

/// Asks a platform who we are there until it says.
async fn identify(connection: Arc<Connection>, stop: CancellationToken) {
    let mut wait = Duration::from_secs(1);
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = connection.channel().identify() => asked,
        };
        match asked {
            Ok(identity) => {
                tracing::info!(
                    connection = connection.name,
                    handle = identity.handle,
                    installation = identity.installation,
                    "connected"
                );
                for warning in &identity.warnings {
                    tracing::warn!(connection = connection.name, warning, "the credential lacks something");
                }
                connection.set_identity(Some(identity));
                return;
            }
            Err(error) => {
                connection.set_identity(None);
                if matches!(error, ReplyError::Credentials(_)) {
                    tracing::error!(connection = connection.name, %error, "events wait until the credential is right; `reveille doctor` says what to do");
                } else {
                    tracing::warn!(connection = connection.name, %error, "the platform does not say who we are there");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(IDENTIFY_AGAIN),
        }
    }
}

/// Keeps a connection of our own making up, where the platform has one.
async fn listen_to(one: ConnectionIntake, stop: CancellationToken) {
    let connection = Arc::clone(&one.connection);
    connection.wait_until_identified().await;
    let mut wait = LISTEN_AGAIN_LEAST;
    loop {
        let began = tokio::time::Instant::now();
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = connection.channel().listen(&one) => ended,
        };
        match ended {
            Ok(Listened::Nothing) => return,
            Ok(Listened::Ended) => tracing::info!(connection = connection.name, "the socket ended and is made again"),
            Err(error) => tracing::warn!(connection = connection.name, %error, "the socket broke"),
        }
        // One that held for a while was no failure of ours; one that breaks at once is not hammered.
        wait = if began.elapsed() > LISTEN_AGAIN_MOST { LISTEN_AGAIN_LEAST } else { (wait * 2).min(LISTEN_AGAIN_MOST) };
        metrics::counter!("sockets_ended_total", "connection" => connection.name.clone()).increment(1);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Makes the agents' commands known to the platform, and again when they have changed.
async fn offer(connection: Arc<Connection>, catalogue: Arc<Catalogue>, stop: CancellationToken) {
    connection.wait_until_identified().await;
    let mut known = None;
    loop {
        let offers = offers(&catalogue.agents(), &connection.name, connection.channel().platform());
        let mut wait = OFFER_EVERY;
        if known.as_ref() != Some(&offers) {
            let offered = tokio::select! {
                () = stop.cancelled() => return,
                offered = connection.channel().offer(&offers) => offered,
            };
            match offered {
                Ok(()) => known = Some(offers),
                Err(error) => {
                    tracing::warn!(connection = connection.name, %error, "the agents' commands could not be made known");
                    wait = OFFER_AGAIN;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Asks a platform at start and every hour to deliver again what did not reach us.
async fn catch_up(connection: Arc<Connection>, stop: CancellationToken) {
    connection.wait_until_identified().await;
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = connection.channel().catch_up() => asked,
        };
        match asked {
            Ok(0) => {}
            Ok(count) => tracing::info!(connection = connection.name, count, "failed deliveries are asked for again"),
            Err(error) => {
                tracing::warn!(connection = connection.name, %error, "failed deliveries could not be asked for again");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CATCH_UP_EVERY) => {}
        }
    }
}

/// Takes an address to listen on.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn bind(address: SocketAddr) -> Result<Bound, StartError> {
    crate::ingress::bind(address).await.map_err(|error| StartError::Listen { address, error })
}

/// Folds histograms' samples in now and then: they are kept until somebody does, and nobody may be asking for figures.
async fn upkeep(metrics: Metrics, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP_EVERY) => metrics.upkeep(),
        }
    }
}

/// Takes over agents whose files changed; those that are broken stay as they were.
async fn reload(catalogue: Arc<Catalogue>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(RELOAD_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let looked = Arc::clone(&catalogue);
        // Files are read on a thread that may block.
        let errors = tokio::task::spawn_blocking(move || looked.changed().then(|| looked.reload())).await;
        match errors {
            Ok(None) => {}
            Ok(Some(errors)) => {
                tracing::info!(agents = catalogue.agents().len(), broken = errors.len(), "agents reloaded");
                for error in errors.iter() {
                    tracing::error!(%error, "an agent cannot be used");
                }
            }
            Err(error) => tracing::error!(%error, "agents could not be reloaded"),
        }
    }
}
