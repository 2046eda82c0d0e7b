//! `reveille serve`: the gateway in production.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::Context;
use super::failure::{Code, Failure};
use crate::agent::{self, Loaded};
use crate::config::{Config, ConfigErrors, Flag, Mode};
use crate::gateway::{Gateway, Parts, StartError, bind};
use crate::model::Models;
use crate::models;
use crate::telemetry::Metrics;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen, in place of server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let config = context.load(Mode::Serve, listen_flag(args.listen.as_deref()))?;
    let mut signals = Signals::listen()?;
    let (models, default_model, problems) = models::all(&config);
    if let Some(problem) = problems.into_iter().next() {
        return Err(StartError::Model(problem).into());
    }
    if default_model.is_none() {
        tracing::warn!("no default model: agents without a `model:` line cannot answer");
    }
    check_agents(&config, &models)?;
    let bound = bind(config.server.listen).await?;
    let parts = Parts::of(&config, models, default_model).await?;
    let metrics = Metrics::install().map_err(|error| StartError::Metrics(error.to_string()))?;
    let gateway = Gateway::start(parts);
    let listening = gateway.serve(bound, Some(metrics));
    context.output.line(format!("reveille is listening on http://{}", listening.address))?;
    for (name, platform) in endpoints(&config) {
        context.output.line(format!("  {platform}: deliver to {name}"))?;
    }
    context.output.flush()?;
    signals.next().await;
    tracing::info!("stopping: what is under way may end; a second signal ends it now");
    signals.or_now(gateway.stop(Some(listening))).await;
    Ok(())
}

/// An agent that cannot do its work stops the start: in production nobody reads the log for it. Later changes of the files are
/// another matter: then what was there before goes on.
fn check_agents(config: &Config, models: &Models) -> Result<(), Failure> {
    let Loaded { agents, errors } = agent::load_all(&config.agents.dir);
    if !errors.is_empty() {
        return Err(Failure::agents(errors));
    }
    if agents.is_empty() {
        tracing::warn!(dir = %config.agents.dir.display(), "there is no agent: nobody will be answered");
    }
    if config.channels.is_empty() {
        tracing::warn!("there is no connection: add a table under [channels]");
    }
    let connections: Vec<_> =
        config.channels.iter().map(|(name, settings)| (name.as_str(), settings.platform())).collect();
    for agent in &agents {
        if !agent.models.is_empty() && agent.models.iter().all(|model| models.get(&model.table).is_none()) {
            let tables: Vec<_> = agent.models.iter().map(|model| format!("[models.{}]", model.table)).collect();
            let what = format!("agent {}: none of its models can be used: {}", agent.name, tables.join(", "));
            let help = "add the table and its key to reveille.toml, or change the agent's `model:`";
            return Err(Failure::new(Code::Model, what, help));
        }
        if let Some((name, near)) = agent.unknown_connections(&connections).into_iter().next() {
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let what = format!("agent {}: there is no connection `{name}`, so its rule never applies", agent.name);
            let help = format!("{near}name a platform or a table under [channels]");
            return Err(Failure::new(Code::AgentFile, what, help).exiting_with(ConfigErrors::EXIT_CODE));
        }
        if let Some(name) = agent.without_reach(&connections).next() {
            let what = format!("agent {}: `reach: {name}` is no connection to GitHub", agent.name);
            let help = "only connections to GitHub have a reach: take the line out";
            return Err(Failure::new(Code::AgentFile, what, help).exiting_with(ConfigErrors::EXIT_CODE));
        }
    }
    Ok(())
}

/// `--listen` as a configuration flag.
pub(super) fn listen_flag(value: Option<&str>) -> Vec<Flag> {
    value.map(|value| Flag { flag: "--listen", key: "server.listen", value: value.to_owned() }).into_iter().collect()
}

/// Where each platform delivers to.
fn endpoints(config: &Config) -> Vec<(String, &'static str)> {
    let base = config.server.public_url.as_ref().map_or_else(
        || format!("http://{}", config.server.listen),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    );
    let path = |platform: &str| if platform == "slack" { "events" } else { "webhook" };
    config
        .channels
        .iter()
        .map(|(name, settings)| {
            let platform = settings.platform();
            (format!("{base}/channels/{name}/{}", path(platform)), platform)
        })
        .collect()
}

/// SIGTERM and interrupts, heard from when it is made.
///
/// That is before anything says that the process is ready: whoever reads that may end it at once.
pub(super) struct Signals {
    terminated: Signal,
    interrupted: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        let terminated = signal(SignalKind::terminate()).map_err(Failure::from)?;
        let interrupted = signal(SignalKind::interrupt()).map_err(Failure::from)?;
        Ok(Self { terminated, interrupted })
    }

    /// Waits for one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }

    /// Lets an orderly end take its time, unless a further signal comes: the journal has what is not done.
    pub(super) async fn or_now(&mut self, orderly: impl Future<Output = ()>) {
        tokio::select! {
            () = orderly => {}
            () = self.next() => tracing::warn!("a second signal: it ends now, and goes on from the journal at the next start"),
        }
    }
}
