//! From a thread on Slack, an agent acts on the repositories that its file names, with the least token, and on no others.

use std::collections::BTreeSet;

use crate::support::{PATIENCE, Stage};

const AGENT: &str = r#"---
description: Looks after issues.
wake: [{ slack: { mention: true } }]
tools: [github.*]
reach: { github: [acme/app] }
---
You look after issues.
"#;

const SCRIPT: &str = r#"
rules:
  - when: { role: tool, tool: github.close_issue }
    stream: ["Closed."]
  - when: { role: tool, tool: github.get_file }
    calls: [{ tool: github.close_issue, arguments: { number: 2, reason: not_planned, repository: ACME/app } }]
  - when: { role: user }
    calls:
      - { tool: github.get_issue, arguments: { number: 2 } }
      - { tool: github.get_issue, arguments: { number: 2, repository: acme/secret } }
      - { tool: github.comment, arguments: { body: "Hello" } }
      - { tool: github.get_file, arguments: { path: README.md } }
"#;

#[tokio::test]
async fn issues_are_read_and_closed_from_slack_where_the_agents_file_says_so() {
    let stage = Stage::of_app(SCRIPT).await;
    stage.write("agents/assistant/AGENT.md", AGENT);
    let _gateway = stage.serve("");
    let (slack, github) = (stage.simulator.slack(), stage.simulator.github());
    let posted = slack.say("alice", "#general", "@assistant close the second, please", None).unwrap();
    let is_over = |slack: &reveille_simulator::Slack| slack.answers(&posted).iter().any(|one| one.text == "Closed.");
    assert!(slack.wait_until(PATIENCE, is_over).await, "{}", stage.log());
    let records = stage.records("tool_returned");
    let said: Vec<String> = records.iter().map(|one| one["record"]["body"]["outcome"].to_string()).collect();
    for expected in [
        "The issue #2 is open",
        "`acme/secret` is out of reach. Within reach: acme/app.",
        "`github.comment` works in threads on github alone.",
        "acme/app#2 is closed: https://github.com/acme/app/issues/2",
    ] {
        assert!(said.iter().any(|one| one.contains(expected)), "{expected}\n{said:#?}");
    }
    assert_eq!(said.len(), 5);
    let issue = github.issue(2).unwrap();
    assert!(issue.is_closed && issue.comments.iter().all(|comment| !comment.body.contains("Hello")), "{issue:#?}");
    let level = |one: &std::collections::BTreeMap<String, String>, name: &str| one.get(name).cloned();
    let minted: BTreeSet<_> =
        github.minted().iter().map(|one| (level(one, "contents"), level(one, "issues"), one.len())).collect();
    let (read, write) = (Some("read".to_owned()), Some("write".to_owned()));
    // Beside each: metadata.
    assert_eq!(minted, [(read.clone(), None, 2), (None, read, 2), (None, write, 2)].into());
}
