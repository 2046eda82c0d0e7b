//! Stand-ins for the platforms' servers, for development and tests.
//!
//! One server plays Slack's Web API (under `/slack/api`), GitHub's REST API (under `/github`), Linear's GraphQL API (under
//! `/linear`) and Discord's REST API and gateway (under `/discord`), with people in it who speak and whose words are delivered,
//! signed, as the platforms do. Each rule names the public page it follows. It knows nothing of the adapters: what they get wrong
//! has to show here.

mod act;
mod client;
mod control;
mod deliver;
mod discord;
mod fault;
mod github;
mod linear;
mod memory;
mod slack;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use act::{Act, Acted};
pub use client::{Client, ClientError, Landed, SeenMessage, SeenThread};
pub use deliver::Delivered;
pub use discord::{Began, Discord, DiscordMessage, DiscordOptions, DiscordPosted, Interactions};
pub use fault::{Fault, Faults};
pub use github::{
    CheckRun, Comment, Discussion, DiscussionComment, Github, GithubApp, GithubOptions, Issue, LineComment, Pull,
    Review,
};
pub use linear::{Activity, Linear, LinearComment, LinearIssue, LinearOptions, Said, Session};
pub use memory::{Memory, RecallError};
pub use slack::{Message, Posted, Response, Slack, SlackOptions, Task};

/// What a simulator plays.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The gateway's base address: deliveries go to its `/channels/...`.
    pub deliver_to: Url,
    /// Slack.
    pub slack: SlackOptions,
    /// GitHub.
    pub github: GithubOptions,
    /// Linear.
    pub linear: LinearOptions,
    /// Discord.
    pub discord: DiscordOptions,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
#[error("the simulated platforms cannot listen on {address}: {error}")]
pub struct StartError {
    /// The address.
    pub address: SocketAddr,
    /// The system's word.
    pub error: std::io::Error,
}

/// A person or a place that is not simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what}; there are: {}", known.join(", "))]
pub struct Unknown {
    /// What was asked for.
    pub what: String,
    /// What there is.
    pub known: Vec<String>,
}

/// One call of an API, as it was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Slack's method, GitHub's verb and path, or Linear's mutation.
    pub method: String,
    /// Its arguments, without credentials.
    pub arguments: serde_json::Value,
}

/// The platforms and their server.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    slack: Slack,
    github: Github,
    linear: Linear,
    discord: Discord,
    shared: Shared,
    server: JoinHandle<std::io::Result<()>>,
}

/// What all parts share: where deliveries go, that something changed, and the tasks that deliver.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) deliver_to: Arc<Mutex<Url>>,
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) http: reqwest::Client,
}

impl Shared {
    pub(crate) fn touch(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Waits until `holds`, looking again at each change. Whether it came true in time.
    pub(crate) async fn wait_until(&self, deadline: Duration, holds: impl Fn() -> bool) -> bool {
        let mut changed = self.changed.subscribe();
        tokio::time::timeout(deadline, async {
            loop {
                changed.borrow_and_update();
                if holds() {
                    return;
                }
                if changed.changed().await.is_err() {
                    return;
                }
            }
        })
        .await
        .is_ok()
    }
}

/// A lock held only for a moment; a panic of another holder leaves the state usable.
pub(crate) fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Simulator {
    /// Starts the platforms.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let failed = |error| StartError { address: options.listen, error };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let shared = Shared {
            deliver_to: Arc::new(Mutex::new(options.deliver_to)),
            changed: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            http,
        };
        let slack = Slack::new(options.slack, shared.clone());
        *lock(&slack.address) = address.to_string();
        let github = Github::new(options.github, shared.clone());
        let linear = Linear::new(options.linear, shared.clone());
        let discord = Discord::new(options.discord, shared.clone());
        let router = Router::new()
            .nest("/slack", slack::api::router(slack.clone()))
            .nest("/github", github::api::router(github.clone()))
            .nest("/linear", linear::api::router(linear.clone()))
            .nest("/discord", discord::api::router(discord.clone()))
            .merge(control::router(slack.clone(), github.clone(), linear.clone(), discord.clone(), shared.clone()));
        let stop = shared.stop.clone();
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        let server = tokio::spawn(server.into_future());
        Ok(Self { address, slack, github, linear, discord, shared, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `channels.slack.api_base_url`.
    #[must_use]
    pub fn slack_api_base_url(&self) -> String {
        format!("http://{}/slack/api", self.address)
    }

    /// For `channels.github.api_base_url`.
    #[must_use]
    pub fn github_api_base_url(&self) -> String {
        format!("http://{}/github", self.address)
    }

    /// For `channels.linear.api_base_url`.
    #[must_use]
    pub fn linear_api_base_url(&self) -> String {
        format!("http://{}/linear/graphql", self.address)
    }

    /// For `channels.discord.api_base_url`.
    #[must_use]
    pub fn discord_api_base_url(&self) -> String {
        format!("http://{}/discord/api/v10", self.address)
    }

    /// For `channels.discord.gateway_url`.
    #[must_use]
    pub fn discord_gateway_url(&self) -> String {
        format!("ws://{}{}", self.address, Discord::GATEWAY_PATH)
    }

    /// Discord.
    #[must_use]
    pub fn discord(&self) -> &Discord {
        &self.discord
    }

    /// Slack.
    #[must_use]
    pub fn slack(&self) -> &Slack {
        &self.slack
    }

    /// GitHub.
    #[must_use]
    pub fn github(&self) -> &Github {
        &self.github
    }

    /// Linear.
    #[must_use]
    pub fn linear(&self) -> &Linear {
        &self.linear
    }

    /// What the platforms hold, to be remembered and recalled.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory {
            slack: self.slack.clone(),
            github: self.github.clone(),
            linear: self.linear.clone(),
            discord: self.discord.clone(),
            shared: self.shared.clone(),
        }
    }

    /// Deliveries go to another gateway from now on.
    pub fn set_deliver_to(&self, base: Url) {
        *lock(&self.shared.deliver_to) = base;
    }

    /// Stops; deliveries that wait for a retry are given up.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        // Streams to terminals and pages may still be open.
        self.server.abort();
        let _ = self.server.await;
    }
}
