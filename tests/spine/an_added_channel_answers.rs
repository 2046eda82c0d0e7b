//! `reveille add channel`, the real binary and the platforms: what was added answers in `reveille dev`, and is asked who it is there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use reveille_simulator::Client;
use tempfile::TempDir;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = "rules: [{ stream: ['You said: ', '{last}'] }]";

struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reveille(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    command
}

fn succeeds(folder: &TempDir, arguments: &[&str]) {
    let output = reveille(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// `reveille dev` in a project, and where its simulated platforms are.
fn dev(folder: &TempDir) -> (Dev, String, Vec<String>) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut child = reveille(folder, &["dev", "--listen", "127.0.0.1:0", "--simulator", &address])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.take_while(|line| !line.contains("second terminal")).collect();
    (Dev(child), address, told)
}

/// What the bot answers to a person, however `reveille say` would print it.
async fn answer(address: &str, platform: &str, place: &str) -> String {
    use futures::StreamExt;
    let client = Client::new(format!("http://{address}/").parse().unwrap()).unwrap();
    let landed = client.say(platform, place, "@assistant what can you do?", Some("alice"), None).await.unwrap();
    let mut changes = Box::pin(client.watch(platform, &landed).await.unwrap());
    let whole = async {
        while let Some(thread) = changes.next().await {
            let bots: Vec<_> = thread.unwrap().messages.into_iter().filter(|one| one.is_bot).collect();
            if let Some(one) = bots.into_iter().find(|one| one.text.contains("rehearsing")) {
                return one.text;
            }
        }
        String::new()
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_dev_each_added_channel_answers_under_its_name() {
    let folder = TempDir::new().unwrap();
    succeeds(&folder, &["init"]);
    // As somebody has it who has copied .env.example and filled in nothing.
    std::fs::copy(folder.path().join(".env.example"), folder.path().join(".env")).unwrap();
    succeeds(&folder, &["add", "channel", "slack", "--name", "slack-eu"]);
    succeeds(&folder, &["add", "channel", "github"]);
    succeeds(&folder, &["add", "channel", "linear"]);
    succeeds(&folder, &["add", "channel", "discord", "--name", "community"]);
    let (_dev, address, told) = dev(&folder);
    assert!(told.iter().any(|line| line.contains("slack as slack-eu (") && line.contains("github (")), "{told:#?}");
    for (platform, place) in
        [("slack", "#general"), ("github", "acme/app#1"), ("linear", "ENG-1"), ("discord", "#general")]
    {
        let answer = answer(&address, platform, place).await;
        assert!(answer.contains("rehearsing"), "{platform}: {answer}");
    }
}

async fn add(stage: &Stage, arguments: &[&str], (variable, value): (&str, &str)) -> Output {
    let mut command = stage.reveille(&[&["add", "channel"], arguments].concat());
    command.env(variable, value).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_asked_at_once_who_we_are_there() {
    let stage = Stage::new(SCRIPT).await;
    std::fs::write(stage.folder.path().join("reveille.toml"), "# begun\n").unwrap();
    let simulator = &stage.simulator;
    let bases = [
        ("slack", simulator.slack_api_base_url(), "SLACK_BOT_TOKEN", "xoxb-wrong"),
        ("github", simulator.github_api_base_url(), "GITHUB_TOKEN", "ghp_wrong-one"),
        ("linear", simulator.linear_api_base_url(), "LINEAR_ACCESS_TOKEN", "lin_oauth_wrong"),
    ];
    for (platform, base, variable, wrong) in &bases {
        let mut arguments = vec![*platform, "--api-base-url", base, "--public-url", "https://bot.example.com"];
        match *platform {
            "github" => arguments.push("--token"),
            "linear" => arguments.push("--access-token"),
            _ => {}
        }
        let good = add(&stage, &arguments, ("UNUSED", "")).await;
        let out = String::from_utf8(good.stdout).unwrap();
        assert!(good.status.success() && out.contains("@assistant"), "{out}{}", String::from_utf8_lossy(&good.stderr));
        assert!(!out.contains("Still missing"), "{out}");

        let bad = add(&stage, &[&arguments[..], &["--check"]].concat(), (variable, wrong)).await;
        let [out, err] = [bad.stdout, bad.stderr].map(|text| String::from_utf8(text).unwrap());
        assert_eq!(bad.status.code(), Some(1), "{out}{err}");
        assert!(out.contains("FAIL") && err.contains("RV0304"), "{out}{err}");
        assert!(!out.contains(wrong) && !err.contains(wrong), "{out}{err}");

        let unasked = add(&stage, &[&arguments[..], &["--no-check"]].concat(), (variable, wrong)).await;
        assert_eq!(unasked.status.code(), Some(0));
    }
    // What is missing cannot be asked.
    let nothing = add(&stage, &["slack", "--name", "other", "--check"], ("UNUSED", "")).await;
    assert_eq!(nothing.status.code(), Some(1));
}
