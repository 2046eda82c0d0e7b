//! `reveille serve`: the gateway in production.

use tokio::signal::unix::{SignalKind, signal};

use super::context::Context;
use super::failure::Failure;
use crate::config::{Config, Flag, Mode};
use crate::gateway::{Gateway, Parts, StartError};
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
    let stopped = stop_signal()?;
    let (models, default_model, problems) = models::all(&config);
    if let Some(problem) = problems.into_iter().next() {
        return Err(StartError::Model(problem).into());
    }
    if default_model.is_none() {
        tracing::warn!("no default model: agents without a `model:` line cannot answer");
    }
    let parts = Parts::of(&config, models, default_model).await?;
    let metrics = Metrics::install().map_err(|error| StartError::Metrics(error.to_string()))?;
    let gateway = Gateway::start(parts);
    let listening = gateway.serve(config.server.listen, Some(metrics)).await?;
    context.output.line(format!("reveille is listening on http://{}", listening.address))?;
    for (name, platform) in endpoints(&config) {
        context.output.line(format!("  {platform}: deliver to {name}"))?;
    }
    context.output.flush()?;
    stopped.await;
    tracing::info!("stopping: what is under way may end");
    gateway.stop(Some(listening)).await;
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

/// Listens for SIGTERM and interrupts from now on; the future is the waiting for one.
///
/// Called before anything says that the process is ready: whoever reads that may end it at once.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminated = signal(SignalKind::terminate()).map_err(Failure::from)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(Failure::from)?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
