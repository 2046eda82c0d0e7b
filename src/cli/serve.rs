//! `reveille serve`: the gateway in production.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::Context;
use super::failure::Failure;
use crate::config::{Config, Flag, Mode};
use crate::gateway::{Gateway, Parts, StartError, bind};
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
