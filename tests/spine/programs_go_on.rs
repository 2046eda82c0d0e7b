//! A program of a model uses tools, waits for people and for time, and goes on in the middle: after kill -9 too.

use std::time::Duration;

use reveille_simulator::{Posted, Slack};

use crate::support::{PATIENCE, Stage};

/// The agent of the story: it is spoken to on Slack, and may act on one repository of GitHub.
const ASSISTANT: &str = "---
name: assistant
description: Tidies issues up.
wake:
  - slack: { mention: true }
tools: [clock.now, thread.history, github.*]
codemode: true
approve: [github.close_issue]
approval: { minutes: 10080 }
reach: { github: [acme/app] }
---
You tidy issues up.
";

/// Another one, which takes new issues on GitHub.
const TRIAGE: &str = "---
name: triage
description: Labels new issues.
wake:
  - github: { event: issues.opened }
tools: [github.*]
allow: { github: { everyone: true } }
codemode: true
---
You label issues.
";

/// Ten issues are read at the same time, grouped, and three of them closed.
const TIDY: &str = r#"
const numbers = Array.from({ length: 10 }, (_, index) => index + 6);
const issues = await Promise.all(numbers.map((number) => github.get_issue({ number })));
const groups = Object.groupBy(issues, (issue) => issue.title.startsWith("Stale") ? "stale" : "fresh");
console.log(`${groups.stale.length} stale, ${groups.fresh.length} fresh`);
const closed = await Promise.all(groups.stale.map(({ number }) => github.close_issue({ number, reason: "not_planned" })));
return { closed: groups.stale.map((issue) => issue.number), fresh: groups.fresh.length, told: closed.length };
"#;

fn script(source: &str) -> String {
    let source = serde_json::to_string(source).unwrap();
    format!(
        r#"
rules:
  - when: {{ role: user }}
    stream: ["I'll have a look."]
    calls: [{{ tool: code, arguments: {{ source: {source} }} }}]
  - when: {{ role: tool, tool: code }}
    stream: ["Done: {{last}}"]
"#
    )
}

async fn stage(source: &str) -> Stage {
    let stage = Stage::new(&script(source)).await;
    stage.write("agents/assistant/AGENT.md", ASSISTANT);
    // Nobody else is to act on new issues.
    std::fs::remove_dir_all(stage.folder.path().join("agents/triage")).unwrap();
    stage
}

/// Opens ten issues beside those that are there, before anybody listens: three of them are stale.
fn open_ten(stage: &Stage) {
    for number in 6..=15 {
        let title = if STALE.contains(&number) { format!("Stale {number}") } else { format!("Fresh {number}") };
        let opened = stage.simulator.github().open_issue("mallory", "acme/app", &title, "A text.").unwrap();
        assert_eq!(opened, number);
    }
}

const STALE: [u64; 3] = [8, 11, 14];

fn question(slack: &Slack, asked: &Posted) -> Option<reveille_simulator::Message> {
    let has_buttons = |message: &reveille_simulator::Message| {
        message.blocks.as_ref().is_some_and(|blocks| blocks.to_string().contains("\"Approve\""))
    };
    slack.answers(asked).into_iter().find(has_buttons)
}

fn closed(stage: &Stage) -> Vec<u64> {
    stage
        .simulator
        .github()
        .issues()
        .into_iter()
        .filter(|issue| issue.is_closed && issue.number > 5)
        .map(|issue| issue.number)
        .collect()
}

/// How often issues were closed: exactly once each, though the process ended in between.
fn closings(stage: &Stage) -> usize {
    let calls = stage.simulator.github().calls();
    calls.iter().filter(|call| call.method.starts_with("PATCH ") && call.method.contains("/issues/")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_waits_for_a_yes_through_kill_9_and_closes_exactly_what_was_agreed_to() {
    let stage = stage(TIDY).await;
    open_ten(&stage);
    let slack = stage.simulator.slack().clone();
    let gateway = stage.serve("");
    let asked = slack.say("alice", "#general", "@assistant close what is stale", None).unwrap();
    let is_asked = slack.wait_until(PATIENCE, |slack| question(slack, &asked).is_some()).await;
    assert!(is_asked, "{:#?}\n{}", slack.answers(&asked), stage.log());
    let seen = question(&slack, &asked).unwrap();
    let text = seen.blocks.as_ref().unwrap().to_string();
    for part in ["github.close_issue", "8", "11", "14", "not_planned"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(closed(&stage).is_empty(), "nothing is done before somebody agrees");
    assert_eq!(
        stage.records("code_suspended").last().unwrap()["record"]["body"]["snapshot"].as_str().unwrap().len(),
        64
    );

    // As kill -9 does.
    drop(gateway);
    let gateway = stage.serve("");
    slack.press("alice", &asked.channel, &seen.ts, "Approve").unwrap();
    let done = |slack: &Slack| {
        slack
            .answers(&asked)
            .iter()
            .any(|one| one.text.contains("Done:") && one.text.contains("[8,11,14]") && !one.is_streaming)
    };
    assert!(slack.wait_until(PATIENCE, done).await, "{:#?}\n{}", slack.answers(&asked), stage.log());
    assert_eq!(closed(&stage), STALE);
    assert_eq!(closings(&stage), 3);
    let settled = |slack: &Slack| {
        slack.answers(&asked).iter().any(|one| {
            one.ts == seen.ts && one.blocks.as_ref().is_some_and(|blocks| blocks.to_string().contains("Approved by"))
        })
    };
    assert!(slack.wait_until(PATIENCE, settled).await, "{:#?}", slack.answers(&asked));
    // Read in the first life and not again in the second: it went on, and did not begin again.
    let calls = stage.simulator.github().calls();
    let reads =
        calls.iter().filter(|call| call.method.starts_with("GET ") && call.method.ends_with("/issues/6")).count();
    assert_eq!(reads, 1);

    // A second press finds nothing open and does nothing.
    let presses = stage.records("refused").len();
    assert!(slack.press("alice", &asked.channel, &seen.ts, "Approve").is_err(), "its buttons are gone");
    assert_eq!(stage.records("refused").len(), presses);
    assert_eq!(stage.records("turn_ended").len(), 1);
    drop(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_ends_the_call_and_the_program_hears_of_it() {
    let stage = stage("try { await github.close_issue({ number: 8 }) } catch (error) { return String(error) }").await;
    open_ten(&stage);
    let slack = stage.simulator.slack().clone();
    let _gateway = stage.serve("");
    let asked = slack.say("alice", "#general", "@assistant close 8", None).unwrap();
    assert!(slack.wait_until(PATIENCE, |slack| question(slack, &asked).is_some()).await, "{}", stage.log());
    let seen = question(&slack, &asked).unwrap();
    slack.press("alice", &asked.channel, &seen.ts, "Deny").unwrap();
    let done =
        |slack: &Slack| slack.answers(&asked).iter().any(|one| one.text.contains("said no") && !one.is_streaming);
    assert!(slack.wait_until(PATIENCE, done).await, "{:#?}\n{}", slack.answers(&asked), stage.log());
    assert!(closed(&stage).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sleeps_and_asks_in_its_own_words() {
    let stage = stage("await sleep(200); const yes = await approval(\"Go on?\"); return { yes };").await;
    let slack = stage.simulator.slack().clone();
    let gateway = stage.serve("");
    let asked = slack.say("alice", "#general", "@assistant wait", None).unwrap();
    assert!(slack.wait_until(PATIENCE, |slack| question(slack, &asked).is_some()).await, "{}", stage.log());
    drop(gateway);
    let _gateway = stage.serve("");
    let seen = question(&slack, &asked).unwrap();
    slack.press("alice", &asked.channel, &seen.ts, "Approve").unwrap();
    let done = |slack: &Slack| {
        slack.answers(&asked).iter().any(|one| one.text.contains("{\"yes\":true}") && !one.is_streaming)
    };
    assert!(slack.wait_until(PATIENCE, done).await, "{:#?}\n{}", slack.answers(&asked), stage.log());
}

/// Reads, an act that may be done twice, one that may not, and a read again.
const ACTS: &str = r#"
const before = await github.list_issues({});
await github.add_labels({ labels: ["bug"] });
await github.comment({ body: "Labelled." });
const { labels } = await github.get_issue({});
return `${before.length} others, now ${labels.join()}`;
"#;

/// The process ends at the n-th boundary of the journal, for every n, and starts again.
async fn survive_every_boundary(point: &str) {
    for boundary in 1..=60 {
        let place = format!("{point} {boundary}");
        let stage = stage(ACTS).await;
        stage.write("agents/triage/AGENT.md", TRIAGE);
        let mut gateway = stage.serve(&format!("{point}={}*off->1*return", boundary - 1));
        let github = stage.simulator.github().clone();
        let number = github.open_issue("mallory", "acme/app", "It breaks", "A lot.").unwrap();
        let answered = || github.answers(number).iter().any(|one| one.body.contains("others, now bug"));
        let mut ended = false;
        for _ in 0..600 {
            if stage.simulator.slack().wait_until(Duration::from_millis(50), |_| answered()).await {
                break;
            }
            if gateway.has_ended() {
                ended = true;
                break;
            }
        }
        let ran_through = !ended && answered();
        drop(gateway);
        let gateway = stage.serve("");
        if !ran_through {
            github.redeliver_all();
        }
        let is_answered = stage.simulator.slack().wait_until(PATIENCE, |_| answered()).await;
        let issue = github.issue(number).unwrap();
        assert!(is_answered, "{place}: {issue:#?}\n{}", stage.log());
        assert_eq!(issue.labels, ["bug"], "{place}");
        let said = issue.comments.iter().filter(|comment| comment.body.starts_with("Labelled.")).count();
        assert_eq!(said, 1, "{place}: {issue:#?}");
        assert_eq!(issue.comments.len(), 2, "{place}: {issue:#?}");
        assert_eq!(stage.records("turn_ended").len(), 1, "{place}");
        drop(gateway);
        if ran_through {
            assert!(boundary > 10, "there are more boundaries than {boundary}");
            return;
        }
    }
    panic!("{point}: it never ran through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_a_commit_repeats_no_act_of_a_program() {
    survive_every_boundary("journal::before_commit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_a_commit_repeats_no_act_of_a_program() {
    survive_every_boundary("journal::after_commit").await;
}
