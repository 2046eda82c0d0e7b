//! A project on a laptop: `reveille dev` with the platforms that it simulates itself, and people who come over `reveille say`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use futures::StreamExt;
use reveille_simulator::{Client, Landed, SeenMessage};
use tempfile::TempDir;

use crate::support::PATIENCE;

/// `reveille dev` as it runs. Dropping it ends it as kill -9 does.
pub(crate) struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn reveille(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn succeeds(folder: &TempDir, arguments: &[&str]) {
    let output = reveille(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Where platforms can listen, one life after another.
pub(crate) fn free_address() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("127.0.0.1:{port}")
}

/// `reveille dev` in a project, with its platforms at this address, and what it said when it began.
pub(crate) fn dev(folder: &TempDir, address: &str, more: &[&str]) -> (Dev, Vec<String>) {
    let log = File::options().create(true).append(true).open(folder.path().join("dev.log")).unwrap();
    let mut child = reveille(folder, &["dev", "--listen", "127.0.0.1:0", "--simulator", address])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.take_while(|line| !line.contains("second terminal")).collect();
    (Dev(child), told)
}

/// What every life of `reveille dev` in this project said on its standard error.
pub(crate) fn log(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("dev.log")).unwrap_or_default()
}

/// What `reveille say` speaks with.
pub(crate) fn client(address: &str) -> Client {
    Client::new(format!("http://{address}/").parse().unwrap()).unwrap()
}

/// The first message of a thread of which this holds, once there is one.
pub(crate) async fn wait_for(
    client: &Client,
    platform: &str,
    landed: &Landed,
    holds: impl Fn(&SeenMessage) -> bool,
) -> Option<SeenMessage> {
    let mut changes = Box::pin(client.watch(platform, landed).await.unwrap());
    let found = async {
        while let Some(thread) = changes.next().await {
            if let Some(one) = thread.unwrap().messages.into_iter().find(&holds) {
                return Some(one);
            }
        }
        None
    };
    tokio::time::timeout(PATIENCE, found).await.ok().flatten()
}
