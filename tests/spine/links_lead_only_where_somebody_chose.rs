//! A model that was misled shows addresses of all kinds. Those that somebody chose are links, and nothing else is.

use reveille_simulator::{Activity, Github, Linear, Session, Slack};

use crate::support::{PATIENCE, Stage};

/// What the model says, and what people see of it: one link.
const SAID: &str = "See [the guide](https://docs.example.com/guide#start), [this](https://evil.example/?q=secret), \
                    <https://evil.example/a>, www.evil.example, eve@evil.example, https://docs.example.com/?q=secret and \
                    ![it](https://evil.example/i.png). Done";
const SHOWN: &str = "See [the guide](https://docs.example.com/guide#start), this (`https://evil.example/?q=secret`), \
                     `https://evil.example/a`, `www.evil.example`, `eve@evil.example`, `https://docs.example.com/?q=secret` and \
                     it (`https://evil.example/i.png`). Done";

async fn stage() -> Stage {
    let script = serde_json::json!({ "rules": [{ "stream": [SAID], "pause_ms": 10 }] }).to_string();
    let stage = Stage::new(&script).await;
    let path = stage.folder.path().join("reveille.toml");
    let text = std::fs::read_to_string(path).unwrap();
    stage.write("reveille.toml", &format!("{text}\n[output]\nlink_hosts = [\"docs.example.com\"]\n"));
    stage
}

#[tokio::test]
async fn on_slack() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let posted = slack.say("alice", "#general", "@assistant where is it?", None).unwrap();
    let is_there = |slack: &Slack| slack.answers(&posted).iter().any(|one| one.text.ends_with("Done"));
    assert!(slack.wait_until(PATIENCE, is_there).await, "{:#?}\n{}", slack.answers(&posted), stage.log());
    let answers = slack.answers(&posted);
    assert_eq!(answers.len(), 1);
    let shown = SHOWN.replace(
        "[the guide](https://docs.example.com/guide#start)",
        "the guide (<https://docs.example.com/guide#start>)",
    );
    assert_eq!(answers[0].text, shown);
    assert!(answers[0].history.iter().all(|before| !before.contains("evil")), "{:?}", answers[0].history);
    assert_eq!(slack.effects(), Vec::<String>::new());
}

#[tokio::test]
async fn on_github() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", 1, "@assistant where is it?").unwrap();
    let is_there = |github: &Github| github.answers(1).iter().any(|one| one.body.contains("Done"));
    assert!(github.wait_until(PATIENCE, is_there).await, "{}", stage.log());
    let answers = github.answers(1);
    assert_eq!(answers[0].body.split("\n\n<!--").next(), Some(SHOWN));
}

#[tokio::test]
async fn on_linear() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let said = linear.comment("alice", "ENG-2", "@assistant where is it?", None).unwrap();
    let session = said.session.unwrap();
    let answers = |linear: &Linear| -> Vec<String> {
        linear.session(&session).iter().flat_map(Session::answers).map(Activity::text).collect()
    };
    assert!(linear.wait_until(PATIENCE, |linear| !answers(linear).is_empty()).await, "{}", stage.log());
    assert_eq!(answers(linear), [SHOWN]);
}
