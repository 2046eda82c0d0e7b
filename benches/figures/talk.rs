//! A busy Discord: a thousand messages a second over the gateway that call nobody, and what they leave in memory.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reveille_simulator::Discord;
use tempfile::TempDir;

use crate::served::{configure, serve, simulator};
use crate::{Figure, millis, resident_mb_of};

/// Messages in one go, and the pause between two goes.
const BATCH: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// How long it is warmed up, and then measured.
const WARM: Duration = Duration::from_secs(10);
const MEASURED: Duration = Duration::from_secs(30);

const PATIENCE: Duration = Duration::from_secs(60);
const SCRIPT: &str = "rules: [{ stream: [\"Here.\"] }]";
const AGENT: &str = "---\nname: bench\ndescription: Answers.\nwake:\n  - discord: { mention: true }\nallow: { discord: { everyone: true } }\n---\nAnswer.\n";

pub(crate) async fn figures() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let simulator = simulator().await?;
    let discord = simulator.discord();
    let connection = format!(
        "[channels.discord]\napplication_id = \"{}\"\npublic_key = \"{}\"\nbot_token = \"env:SECRET\"\napi_base_url = \"{}\"\ngateway_url = \"{}\"\n",
        discord.application_id(),
        discord.public_key(),
        simulator.discord_api_base_url(),
        simulator.discord_gateway_url()
    );
    configure(&folder, SCRIPT, AGENT, &connection)?;
    let (mut gateway, _) = serve(&folder)?;
    ensure!(discord.wait_until(PATIENCE, Discord::is_listened_to).await, "it did not connect");
    talk(discord, WARM).await?;
    let before = resident_mb_of(gateway.id())?;
    let said = talk(discord, MEASURED).await?;
    let after = resident_mb_of(gateway.id())?;
    // All of it was read: what is said now is answered, and how late says how far behind it was.
    let started = Instant::now();
    let posted = discord.say("alice", "general", "@bench are you there?")?;
    let is_answered = |discord: &Discord| discord.answers(&posted).iter().any(|one| one.content == "Here.");
    ensure!(discord.wait_until(PATIENCE, is_answered).await, "it did not answer");
    let late = millis(started.elapsed());
    ensure!(discord.gateway_began().len() == 1, "the connection did not hold: {:?}", discord.gateway_began());
    gateway.kill()?;
    gateway.wait()?;
    simulator.shutdown().await;
    Ok(vec![Figure {
        what: format!(
            "memory over {said} messages of Discord in 30 s that call nobody; one that does is answered in {late}"
        ),
        yardstick: format!("before them {before:.1} MB"),
        ours: format!("{after:.1} MB"),
        ratio: after / before,
        goal: "≤ 1.1",
    }])
}

/// Talks for so long; how much was said.
async fn talk(discord: &Discord, time: Duration) -> Result<u32> {
    let started = Instant::now();
    let mut said = 0;
    while started.elapsed() < time {
        for _ in 0..BATCH {
            discord.say(
                "alice",
                "random",
                "some words that are for nobody here, as most words of a busy server are",
            )?;
        }
        said += BATCH;
        // As many as there should be by now, whatever a pause really takes.
        let due = PAUSE * (said / BATCH);
        tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
    }
    Ok(said)
}
