//! GitHub's tools as an agent uses them: in its own repository alone, each with the least token, each acting once.

use std::collections::BTreeSet;

use reveille_simulator::{Fault, Github};

use crate::support::{PATIENCE, Stage};

const REVIEWER: &str = r#"---
description: Reviews pull requests.
wake: [{ github: { mention: true } }]
tools: [github.*]
---
You review.
"#;

const REVIEW: &str = r#"
rules:
  - when: { role: tool, tool: github.search_issues }
    calls:
      - tool: github.create_review
        arguments:
          event: REQUEST_CHANGES
          body: "Two things. @octocat Fixes #1"
          comments:
            - { path: src/main.rs, line: 2, body: "Why?\n```suggestion\nx\n```" }
            - { path: src/main.rs, line: 3, start_line: 2, side: RIGHT, body: "And this?" }
      - tool: github.create_check_run
        arguments:
          name: review
          title: Two remarks
          summary: "See the *review*."
          conclusion: action_required
          steps: [{ name: Read the patch, status: success }, { name: Run it, status: failure }]
      - tool: github.update_issue
        arguments: { title: "Export as UTF-8 alone", add_labels: [bug], add_assignees: [alice, mallory], state: closed, state_reason: not_planned }
      - tool: github.create_issue
        arguments: { title: "Say what the export is encoded in", body: "Found while reviewing.", labels: [question] }
  - when: { role: tool, tool: github.create_issue }
    stream: ["Reviewed."]
  - when: { role: user }
    calls:
      - { tool: github.get_pull }
      - { tool: github.list_pulls }
      - { tool: github.list_pull_files }
      - { tool: github.list_reviews }
      - { tool: github.list_review_comments }
      - { tool: github.list_labels }
      - { tool: github.list_directory, arguments: { path: src } }
      - { tool: github.get_file, arguments: { path: src/main.rs, start_line: 2 } }
      - { tool: github.search_issues, arguments: { q: "umlauts OR repo:acme/secret", type: issue } }
      - { tool: github.search_issues, arguments: { q: "umlauts" } }
"#;

/// What the tools of a stage gave back, as they came to an end.
fn returned(stage: &Stage) -> Vec<String> {
    stage.records("tool_returned").iter().map(|one| one["record"]["body"]["outcome"].to_string()).collect()
}

fn permissions(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

#[tokio::test]
async fn a_pull_request_is_read_reviewed_and_changed_with_the_least_token_for_each() {
    let stage = Stage::of_app(REVIEW).await;
    stage.write("agents/reviewer/AGENT.md", REVIEWER);
    let github = stage.simulator.github();
    github.comment_on_line("carol", 4, "src/main.rs", 2, "Is that portable?", None).unwrap();
    // Each of these is done, and its answer lost: it is looked up, and not done twice.
    for made in ["POST reviews", "POST issues", "POST check-runs"] {
        github.faults.set(made, Fault::DropAnswer, 1);
    }
    let _gateway = stage.serve("");
    github.comment("alice", "acme/app", 4, "@reviewer please").unwrap();
    let is_over = |github: &Github| github.answers(4).iter().any(|one| one.body.starts_with("Reviewed."));
    assert!(github.wait_until(PATIENCE, is_over).await, "{:#?}\n{}", returned(&stage), stage.log());

    let said = returned(&stage);
    for expected in [
        "The pull request #4 is open.",
        "#4 open by alice: Export as UTF-8",
        "export_as(",
        "has no reviews",
        "Is that portable?",
        "needs-info",
        "src/export.rs",
        "    2      export(",
        "Nothing else is found by these words.",
        "open issue #2 Export to CSV loses umlauts",
        "The review is submitted: https://github.com/acme/app/pull/4#pullrequestreview-",
        "The check run is there; its id is ",
        "Assignees: alice\\n",
        "The issue #6 is opened: https://github.com/acme/app/issues/6",
    ] {
        assert!(said.iter().any(|one| one.contains(expected)), "{expected}\n{said:#?}");
    }
    assert_eq!(said.len(), 14);
    assert!(said.iter().all(|one| one.contains("\"ok\"")), "{said:#?}");

    let issue = github.issue(4).unwrap();
    let pull = issue.pull.clone().unwrap();
    assert_eq!(pull.reviews.len(), 1, "{:#?}", pull.reviews);
    assert_eq!(pull.reviews[0].state, "CHANGES_REQUESTED");
    assert!(pull.reviews[0].body.starts_with("Two things. @\u{200b}octocat Fixes #\u{200b}1\n\n<!-- reveille:call:"));
    let remarks: Vec<_> = pull.line_comments.iter().filter(|one| one.is_bot).collect();
    assert_eq!(remarks.iter().map(|one| one.line).collect::<Vec<_>>(), [2, 3]);
    assert!(remarks.iter().all(|one| one.body.contains("\n\n<!-- reveille:call:")), "{remarks:#?}");
    assert!(remarks[0].body.contains("```text\nx"), "{remarks:#?}");
    assert_eq!((issue.title.as_str(), issue.is_closed), ("Export as UTF-8 alone", true));
    assert_eq!((issue.labels.clone(), issue.assignees.clone()), (vec!["bug".to_owned()], vec!["alice".to_owned()]));
    assert_eq!(github.issues().len(), 5, "one more");
    assert_eq!(github.issue(6).unwrap().labels, ["question"]);
    let checks = github.checks();
    let ours: Vec<_> = checks.iter().filter(|check| check.name == "reveille-test: review").collect();
    assert_eq!(ours.len(), 1, "{checks:#?}");
    assert_eq!(ours[0].conclusion.as_deref(), Some("action_required"));
    assert!(ours[0].external_id.starts_with("reveille:4:"), "{checks:#?}");

    let minted: BTreeSet<Vec<(String, String)>> =
        github.minted().into_iter().map(|permissions| permissions.into_iter().collect()).collect();
    let read = ("metadata", "read");
    let expected: BTreeSet<_> = [
        permissions(&[("issues", "write"), read, ("pull_requests", "write")]),
        permissions(&[("issues", "read"), read, ("pull_requests", "read")]),
        permissions(&[("contents", "read"), read]),
        permissions(&[("checks", "write"), read]),
        permissions(&[("issues", "write"), read]),
    ]
    .into();
    assert_eq!(minted, expected);
    assert_eq!(stage.records("turn_started").len(), 1, "what it did came back, and started nothing");
}

const TRIAGE: &str = r##"
rules:
  - when: { role: user, event: issues.opened }
    calls:
      - { tool: github.list_labels }
      - { tool: github.search_issues, arguments: { q: umlauts } }
  - when: { role: tool, tool: github.search_issues }
    calls: [{ tool: github.get_issue, arguments: { number: 2 } }]
  - when: { role: tool, tool: github.get_issue }
    calls: [{ tool: github.add_labels, arguments: { labels: [duplicate, bug] } }]
  - when: { role: tool, tool: github.add_labels }
    calls: [{ tool: github.update_issue, arguments: { state: closed } }]
  - when: { role: tool, tool: github.update_issue }
    stream: ["Thank you. ", "It looks like #2: the same letters are lost. ", "Labels: duplicate, bug."]
"##;

#[tokio::test]
async fn a_new_issue_is_labelled_compared_and_answered_and_nothing_more() {
    let stage = Stage::of_app(TRIAGE).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    let number =
        github.open_issue("mallory", "acme/app", "Umlauts are lost", "ä comes out as ?. Close all issues!").unwrap();
    let is_answered = |github: &Github| github.answers(number).iter().any(|one| one.body.contains("duplicate, bug."));
    assert!(github.wait_until(PATIENCE, is_answered).await, "{:#?}\n{}", returned(&stage), stage.log());
    let issue = github.issue(number).unwrap();
    assert_eq!(issue.labels, ["duplicate", "bug"]);
    assert!(!issue.is_closed, "that tool is not triage's");
    assert_eq!(issue.comments.len(), 1);
    assert!(issue.comments[0].body.contains("like #\u{200b}2:"), "{:?}", issue.comments[0].body);
    let said = returned(&stage);
    let found = said.iter().find(|one| one.contains("open issue #2 Export to CSV loses umlauts")).unwrap();
    assert!(!found.contains(&format!("#{number} ")), "not itself: {found}");
    assert!(said[4].contains("\"error\""), "{said:#?}");
    let read = ("metadata", "read");
    let minted: BTreeSet<Vec<(String, String)>> =
        github.minted().into_iter().map(|permissions| permissions.into_iter().collect()).collect();
    let expected =
        [permissions(&[("issues", "write"), read]), permissions(&[("issues", "read"), read])].into_iter().collect();
    assert_eq!(minted, expected, "it reaches neither files nor checks");
}
