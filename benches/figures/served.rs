//! The real binary between simulated platforms, as a project in a folder of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reveille_simulator::{DiscordOptions, GithubOptions, LinearOptions, Options, Simulator, SlackOptions};
use tempfile::TempDir;

pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// The simulated platforms.
pub(crate) async fn simulator() -> Result<Simulator> {
    let options = Options {
        listen: "127.0.0.1:0".parse()?,
        deliver_to: "http://127.0.0.1:9".parse()?,
        slack: SlackOptions {
            connection: "slack".into(),
            signing_secret: SECRET.into(),
            bot_token: "xoxb-bench".into(),
            bot_name: "bench".into(),
            streaming: false,
            retries: vec![Duration::from_millis(100); 50],
        },
        github: GithubOptions {
            connection: "github".into(),
            webhook_secret: SECRET.into(),
            token: "bench".into(),
            bot_login: "bench[bot]".into(),
            app: None,
        },
        linear: LinearOptions {
            connection: "linear".into(),
            webhook_secret: SECRET.into(),
            access_token: "bench".into(),
            client: (String::new(), String::new()),
            app_name: "bench".into(),
            sessions: true,
            data_changes: true,
            retries: Vec::new(),
        },
        discord: DiscordOptions { bot_token: SECRET.into(), bot_name: "bench".into(), ..DiscordOptions::default() },
    };
    Ok(Simulator::start(options).await?)
}

/// Writes a file of the project.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> Result<()> {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().context("it lies in the folder")?)?;
    Ok(std::fs::write(path, text)?)
}

/// Writes the project's configuration: a scripted model, and these connections.
pub(crate) fn configure(folder: &TempDir, script: &str, agent: &str, channels: &str) -> Result<()> {
    write(folder, "agents/bench/AGENT.md", agent)?;
    write(folder, "script.yaml", script)?;
    let models = "[models.played]\nprovider = \"script\"\nscript = \"script.yaml\"\n";
    write(folder, "reveille.toml", &format!("[server]\nlisten = \"127.0.0.1:0\"\n{models}{channels}"))
}

/// Starts the gateway; its address.
pub(crate) fn serve(folder: &TempDir) -> Result<(Child, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_reveille"))
        .arg("serve")
        .current_dir(folder.path())
        .env("SECRET", SECRET)
        .env("TOKEN", "xoxb-bench")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its output is ours")?).read_line(&mut line)?;
    let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
    ensure!(line.contains("listening"), "it did not start: {line}");
    Ok((child, address))
}
