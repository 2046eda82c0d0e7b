//! kill -9 with turns in flight, then a start: when the first of them goes on, and whether all end in one answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use reveille::journal::Body;
use reveille::journal::embedded::reader::Reader;
use reveille_simulator::Slack;
use tempfile::TempDir;

use crate::Figure;
use crate::served::{configure, serve, simulator};

const TURNS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(120);

/// Each turn is in the middle of its model's answer for two seconds.
const SCRIPT: &str = "rules: [{ stream: [\"Half, \", \"and the rest.\"], pause_ms: 2000 }]";
const ANSWER: &str = "Half, and the rest.";
const AGENT: &str = "---\nname: bench\ndescription: Answers.\nwake:\n  - slack: { mention: true }\nallow: { slack: { everyone: true } }\n---\nAnswer.\n";

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let simulator = simulator().await?;
    let connection = format!(
        "[channels.slack]\nsigning_secret = \"env:SECRET\"\nbot_token = \"env:TOKEN\"\napi_base_url = \"{}\"\n",
        simulator.slack_api_base_url()
    );
    configure(&folder, SCRIPT, AGENT, &connection)?;
    let slack = simulator.slack();

    let (mut gateway, address) = serve(&folder)?;
    simulator.set_deliver_to(format!("http://{address}").parse()?);
    let posted =
        (0..TURNS).map(|_| Ok(slack.say("alice", "#general", "@bench hello", None)?)).collect::<Result<Vec<_>>>()?;
    wait(slack, |slack| {
        posted.iter().all(|one| slack.answers(one).iter().any(|answer| answer.text.starts_with("Half,")))
    })
    .await?;
    gateway.kill()?;
    gateway.wait()?;

    let started_at_ms = now_ms()?;
    let (mut gateway, address) = serve(&folder)?;
    simulator.set_deliver_to(format!("http://{address}").parse()?);
    wait(slack, |slack| posted.iter().all(|one| slack.answers(one).iter().any(|answer| answer.text == ANSWER))).await?;
    ensure!(posted.iter().all(|one| slack.answers(one).len() == 1), "a turn was answered more than once");
    let reader = Reader::open(&folder.path().join(".reveille")).await?;
    let records = reader.tail(0, 1_000_000).await?;
    let resumed_at_ms = records
        .iter()
        .filter(|one| matches!(one.record.body, Body::ModelCalled { .. }) && one.record.at_ms >= started_at_ms)
        .map(|one| one.record.at_ms)
        .min()
        .context("no turn went on")?;
    gateway.kill()?;
    gateway.wait()?;
    simulator.shutdown().await;
    let seconds = Duration::from_millis(u64::try_from(resumed_at_ms - started_at_ms)?).as_secs_f64();
    Ok(vec![Figure {
        what: format!("first step after kill -9, {TURNS} turns in flight, {TURNS} of {TURNS} answered once"),
        yardstick: "1 s after the start".into(),
        ours: format!("{:.0} ms", seconds * 1000.0),
        ratio: seconds,
        goal: "≤ 1",
    }])
}

async fn wait(slack: &Slack, is_so: impl Fn(&Slack) -> bool) -> Result<()> {
    ensure!(slack.wait_until(PATIENCE, is_so).await, "it did not come to that in {PATIENCE:?}");
    Ok(())
}

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
