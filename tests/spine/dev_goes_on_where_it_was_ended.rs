//! `reveille dev` is ended with kill -9 and started again: its simulated platforms hold what they held, and what waited goes on.

use std::time::{Duration, Instant};

use reveille_simulator::SeenMessage;
use serde_json::Value;
use tempfile::TempDir;

use crate::laptop::{self, reveille};
use crate::support::PATIENCE;

const CONFIGURATION: &str = "[models.played]
provider = \"script\"
script = \"script.yaml\"
";

const ASSISTANT: &str = "---
name: assistant
description: Tidies issues up.
wake:
  - slack: { mention: true }
tools: [github.*]
codemode: true
approve: [github.close_issue]
approval: { minutes: 10080 }
reach: { github: [acme/app] }
---
You tidy issues up.
";

const TIDY: &str = r#"
const issues = await Promise.all([6, 7, 8].map((number) => github.get_issue({ number })));
const stale = issues.filter((issue) => issue.title.startsWith("Stale"));
await Promise.all(stale.map(({ number }) => github.close_issue({ number, reason: "not_planned" })));
return { closed: stale.map((issue) => issue.number) };
"#;

fn project() -> TempDir {
    let folder = TempDir::new().unwrap();
    let source = serde_json::to_string(TIDY).unwrap();
    let script = format!(
        r#"
rules:
  - when: {{ role: user }}
    stream: ["I'll have a look."]
    calls: [{{ tool: code, arguments: {{ source: {source} }} }}]
  - when: {{ role: tool, tool: code }}
    stream: ["Done: {{last}}"]
"#
    );
    let agent = folder.path().join("agents/assistant");
    std::fs::create_dir_all(&agent).unwrap();
    std::fs::write(agent.join("AGENT.md"), ASSISTANT).unwrap();
    std::fs::write(folder.path().join("reveille.toml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("script.yaml"), script).unwrap();
    folder
}

/// What the next life of `reveille dev` will know of its platforms.
fn held(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join(".reveille/simulated.json")).unwrap()
}

/// It is written a moment after the change: sooner than a person could do anything.
async fn wait_until_held(folder: &TempDir, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{}\n{}", held(folder), laptop::log(folder));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The issues of the simulated GitHub that are closed.
fn closed(folder: &TempDir) -> Vec<u64> {
    let held: Value = serde_json::from_str(&held(folder)).unwrap();
    let issues = held["github"]["issues"].as_array().unwrap();
    issues.iter().filter(|issue| issue["is_closed"] == true).map(|issue| issue["number"].as_u64().unwrap()).collect()
}

fn is_answer(message: &SeenMessage) -> bool {
    message.is_bot && message.is_final && message.text.contains("Done:") && message.text.contains("[6,8]")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_given_after_dev_was_killed_and_started_again() {
    let folder = project();
    let address = laptop::free_address();
    let (dev, told) = laptop::dev(&folder, &address, &[]);
    assert!(!told.is_empty() && !told.iter().any(|line| line.contains("remembered")), "{told:#?}");
    let client = laptop::client(&address);
    for (number, title) in [(6, "Stale six"), (7, "Fresh seven"), (8, "Stale eight")] {
        let opened = client.say("github", "acme/app", title, Some("mallory"), None).await.unwrap();
        assert_eq!(opened.place, format!("acme/app#{number}"));
    }
    let asked = client.say("slack", "#general", "@assistant close what is stale", None, None).await.unwrap();
    let is_question = |one: &SeenMessage| one.is_bot && one.text.contains("May assistant make these 2 calls?");
    let question = laptop::wait_for(&client, "slack", &asked, is_question).await;
    let question = question.unwrap_or_else(|| panic!("nothing is asked\n{}", laptop::log(&folder)));

    wait_until_held(&folder, || held(&folder).contains(&format!("\"ts\":\"{}\"", question.id))).await;

    drop(dev);
    client.say("slack", "#general", "is anybody there?", None, None).await.unwrap_err();
    assert_eq!(closed(&folder), [0; 0], "nothing is done before somebody agrees");

    let (dev, told) = laptop::dev(&folder, &address, &[]);
    assert!(told.iter().any(|line| line.contains("remembered") && line.contains("simulated.json")), "{told:#?}");
    let press = ["say", "press", "slack", "#general", &question.id, "Approve", "--no-wait", "--simulator", &address];
    laptop::succeeds(&folder, &press);
    let answer = laptop::wait_for(&client, "slack", &asked, is_answer).await;
    let answer = answer.unwrap_or_else(|| panic!("nothing is answered\n{}", laptop::log(&folder)));
    let is_settled = |one: &SeenMessage| one.id == question.id && one.edits > question.edits;
    assert!(laptop::wait_for(&client, "slack", &asked, is_settled).await.is_some(), "{}", laptop::log(&folder));
    wait_until_held(&folder, || closed(&folder) == [6, 8] && held(&folder).contains("Done:")).await;

    // Once more: the thread is there with its answer, and its buttons are not.
    drop(dev);
    let (dev, _) = laptop::dev(&folder, &address, &[]);
    let is_the_same = |one: &SeenMessage| one.id == answer.id && one.text == answer.text;
    assert!(laptop::wait_for(&client, "slack", &asked, is_the_same).await.is_some(), "{}", held(&folder));
    assert!(!reveille(&folder, &press).status().unwrap().success(), "it was answered");

    // Until it is to forget.
    drop(dev);
    let (_dev, told) = laptop::dev(&folder, &address, &["--fresh"]);
    assert!(!told.iter().any(|line| line.contains("remembered")), "{told:#?}");
    let opened = client.say("github", "acme/app", "Another one", Some("mallory"), None).await.unwrap();
    assert_eq!(opened.place, "acme/app#6", "it is as new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_stops_nobody() {
    let folder = project();
    let address = laptop::free_address();
    std::fs::create_dir(folder.path().join(".reveille")).unwrap();
    std::fs::write(folder.path().join(".reveille/simulated.json"), "{\"version\": 1, \"slack\"").unwrap();
    let (_dev, told) = laptop::dev(&folder, &address, &[]);
    assert!(!told.iter().any(|line| line.contains("remembered")), "{told:#?}");
    let log = laptop::log(&folder);
    assert!(log.contains("They begin afresh") && log.contains("simulated.unreadable.json: delete it"), "{log}");
    laptop::client(&address).say("slack", "#general", "hello", None, None).await.unwrap();
}
