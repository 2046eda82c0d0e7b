//! People see on their own message that it is worked on and how that ended, and who may not answer a question is told so.

use reveille_simulator::Github;

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "fail" }
    fail: { kind: fatal }
  - when: { role: user, matches: "silently" }
    calls: [{ tool: github.get_issue }]
  - when: { role: user }
    stream: ["Answered ", "in ", "the thread."]
    pause_ms: 100
  - when: { role: tool, tool: github.get_issue }
    stream: [""]
"#;

/// The reactions on somebody's comment.
fn reactions(github: &Github, number: u64, id: u64) -> Vec<String> {
    let comment = github.issue(number).unwrap().comments.into_iter().find(|one| one.id == id).unwrap();
    comment.reactions
}

#[tokio::test]
async fn a_message_carries_one_sign_of_the_work_and_one_of_its_end() {
    for is_app in [true, false] {
        let stage = if is_app { Stage::of_app(SCRIPT).await } else { Stage::new(SCRIPT).await };
        let gateway = stage.serve("");
        let github = stage.simulator.github();
        for (number, text, end) in [
            (1, "@assistant what is this?", "rocket"),
            (2, "@assistant please fail", "confused"),
            (3, "@assistant look silently", "rocket"),
        ] {
            let id = github.comment("alice", "acme/app", number, text).unwrap();
            let is_signed = |github: &Github| reactions(github, number, id).len() == 2;
            assert!(github.wait_until(PATIENCE, is_signed).await, "{text}: {}", stage.log());
            let mut signs = reactions(github, number, id);
            signs.sort();
            let mut expected = ["eyes", end];
            expected.sort_unstable();
            assert_eq!(signs, expected, "{text}");
        }
        assert_eq!(gateway.terminate(), Some(0));
        // Nothing else carries any: neither answers nor what nobody is called by.
        let all = github.issues().into_iter().flat_map(|issue| issue.comments);
        assert_eq!(all.map(|one| one.reactions.len()).sum::<usize>(), 6);
    }
}

const AGAIN: &str = r#"---
description: Looks at pull requests again.
wake: [{ github: { event: check_run.rerequested } }]
allow: { github: { permission: write } }
---
You look again.
"#;

#[tokio::test]
async fn a_turn_in_a_pull_request_is_a_check_run_that_can_run_again() {
    let stage = Stage::of_app(SCRIPT).await;
    stage.write("agents/again/AGENT.md", AGAIN);
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", 4, "@assistant what is this?").unwrap();
    let ended = |count: usize| {
        move |github: &Github| {
            let checks = github.checks();
            checks.len() == count && checks.iter().all(|check| check.status == "completed")
        }
    };
    assert!(github.wait_until(PATIENCE, ended(1)).await, "{:#?}\n{}", github.checks(), stage.log());
    let check = github.checks().remove(0);
    assert_eq!((check.name.as_str(), check.conclusion.as_deref()), ("reveille-test", Some("neutral")));
    assert_eq!(check.head_sha, github.issue(4).unwrap().pull.unwrap().head_sha);
    assert_eq!(check.output.map(|output| output.0).as_deref(), Some("Done"));

    // Its button wakes whoever waits for that, and shows as a check run of its own.
    github.rerun_check("alice", check.id).unwrap();
    assert!(github.wait_until(PATIENCE, ended(2)).await, "{:#?}\n{}", github.checks(), stage.log());
    let answered = |github: &Github| github.answers(4).len() == 2;
    assert!(github.wait_until(PATIENCE, answered).await, "{}", stage.log());
    // What fails says so there too.
    github.comment("alice", "acme/app", 4, "@assistant please fail").unwrap();
    assert!(github.wait_until(PATIENCE, ended(3)).await, "{:#?}\n{}", github.checks(), stage.log());
    assert_eq!(github.checks()[2].conclusion.as_deref(), Some("failure"));
    // On an issue there is no commit to say anything of.
    github.comment("alice", "acme/app", 1, "@assistant what is this?").unwrap();
    assert!(github.wait_until(PATIENCE, |github| github.answers(1).len() == 1).await, "{}", stage.log());
    assert_eq!(github.checks().len(), 3);
}

#[tokio::test]
async fn who_may_not_answer_a_question_is_told_once_and_who_may_is_not() {
    let stage = Stage::of_app(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", 1, "@assistant what is this?").unwrap();
    let has = |count: usize| move |github: &Github| github.answers(1).len() == count;
    assert!(github.wait_until(PATIENCE, has(1)).await, "{}", stage.log());
    for _ in 0..2 {
        github.comment("carol", "acme/app", 1, "/approve k3y.1").unwrap();
    }
    assert!(github.wait_until(PATIENCE, has(2)).await, "{}", stage.log());
    github.comment("alice", "acme/app", 1, "/approve k3y.1").unwrap();
    let judged = |_: &Github| stage.records("refused").len() == 3;
    assert!(github.wait_until(PATIENCE, judged).await, "{}", stage.log());
    let rules: Vec<_> = stage.records("refused").iter().map(|one| one["record"]["body"]["rule"].clone()).collect();
    // Nobody asked, so an answer that counts is to nothing.
    assert_eq!(rules, ["access.default", "access.default", "action.stray"]);
    let answers = github.answers(1);
    assert_eq!(answers.len(), 2, "{answers:#?}");
    assert!(answers[1].body.starts_with("Sorry, this question is not yours to answer."), "{answers:#?}");
    assert_eq!(stage.records("turn_started").len(), 1);
}
