//! `reveille add channel`, the real binary and the platforms: what was added answers in `reveille dev`, and is asked who it is there.

use std::process::{Output, Stdio};

use reveille_simulator::SeenMessage;
use tempfile::TempDir;

use crate::laptop::{self, succeeds};
use crate::support::Stage;

const SCRIPT: &str = "rules: [{ stream: ['You said: ', '{last}'] }]";

/// What the bot answers to a person, however `reveille say` would print it.
async fn answer(address: &str, platform: &str, place: &str) -> String {
    let client = laptop::client(address);
    let landed = client.say(platform, place, "@assistant what can you do?", Some("alice"), None).await.unwrap();
    let is_whole = |one: &SeenMessage| one.is_bot && one.text.contains("rehearsing");
    laptop::wait_for(&client, platform, &landed, is_whole).await.map(|one| one.text).unwrap_or_default()
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
    let address = laptop::free_address();
    let (_dev, told) = laptop::dev(&folder, &address, &[]);
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
