//! GitHub as an app and with a token: what its documentation promises is enough, each kind of thread is answered where it
//! stands, and nothing that failed to arrive is lost.

use reveille_simulator::{Fault, Github};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "fail" }
    fail: { kind: fatal }
  - when: { role: user }
    stream: ["Answered ", "in ", "the thread."]
    pause_ms: 100
"#;

const ANSWER: &str = "Answered in the thread.\n\n<!-- reveille:";

fn is_whole(github: &Github, number: u64) -> bool {
    github.answers(number).first().is_some_and(|one| one.body.starts_with(ANSWER))
}

#[tokio::test]
async fn an_app_answers_with_tokens_that_reach_no_further_than_they_must() {
    let stage = Stage::of_app(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", 1, "@reveille-test what is this?").unwrap();
    assert!(github.wait_until(PATIENCE, |github| is_whole(github, 1)).await, "{}", stage.log());
    assert_eq!(github.answers(1).len(), 1);
    let minted = github.minted();
    assert!(!minted.is_empty());
    for permissions in minted {
        assert_eq!(
            permissions.into_iter().collect::<Vec<_>>(),
            [("issues".to_owned(), "write".to_owned()), ("metadata".to_owned(), "read".to_owned()),]
        );
    }
    // The app's own comments and edits come back as deliveries, and start nothing.
    let came_back = |github: &Github| github.deliveries().iter().filter(|one| one.status == Some(200)).count() >= 2;
    assert!(github.wait_until(PATIENCE, came_back).await);
    assert_eq!(stage.records("turn_started").len(), 1, "{}", stage.log());
}

/// A server that knows nothing but what an answer needs: no reactions, no lists, no accounts.
#[tokio::test]
async fn nothing_but_the_permission_and_the_comment_is_needed() {
    for is_app in [true, false] {
        let stage = if is_app { Stage::of_app(SCRIPT).await } else { Stage::new(SCRIPT).await };
        let github = stage.simulator.github();
        for unknown in ["POST reactions", "GET comments", "GET deliveries", "GET repos", "GET hooks", "GET labels"] {
            github.faults.set(unknown, Fault::UnknownMethod, 1_000);
        }
        github.faults.set("GET reveille-test%5Bbot%5D", Fault::UnknownMethod, 1_000);
        let _gateway = stage.serve("");
        github.comment("alice", "acme/app", 1, "@assistant what is this?").unwrap();
        assert!(github.wait_until(PATIENCE, |github| is_whole(github, 1)).await, "{}", stage.log());
        let ended = |_: &Github| stage.records("turn_ended").len() == 1;
        assert!(github.wait_until(PATIENCE, ended).await);
        assert_eq!(github.answers(1).len(), 1);
        assert_eq!(stage.records("turn_started").len(), 1);
    }
}

#[tokio::test]
async fn what_failed_while_nobody_listened_is_processed_once() {
    // Comments go out a second apart, so with a token a few have to do.
    for (is_app, count) in [(true, 20), (false, 3)] {
        let stage = if is_app { Stage::of_app(SCRIPT).await } else { Stage::new(SCRIPT).await };
        let github = stage.simulator.github();
        let open = |number| github.open_issue("carol", "acme/app", &format!("Issue {number}"), "It breaks.").unwrap();
        let numbers: Vec<u64> = (0..count).map(open).collect();
        let all_failed = |github: &Github| github.deliveries().iter().all(|one| one.tries == 1);
        assert!(github.wait_until(PATIENCE, all_failed).await);
        assert!(github.deliveries().iter().all(|one| one.status.is_none()));
        let gateway = stage.serve("");
        let all_answered = |github: &Github| numbers.iter().all(|number| is_whole(github, *number));
        assert!(github.wait_until(PATIENCE, all_answered).await, "{is_app}: {}", stage.log());
        assert_eq!(gateway.terminate(), Some(0));
        // Started once more, it asks for nothing that has arrived meanwhile.
        let deliveries = github.deliveries().len();
        let gateway = stage.serve("");
        let asked = |_: &Github| stage.log().matches("connected").count() >= 3;
        assert!(github.wait_until(PATIENCE, asked).await);
        assert_eq!(gateway.terminate(), Some(0));
        assert_eq!(github.deliveries().len(), deliveries);
        for number in numbers {
            assert_eq!(github.answers(number).len(), 1, "{number}");
        }
        let turns = stage.reveille(&["turns", "--json", "--limit", "100"]).output().unwrap();
        let turns: serde_json::Value = serde_json::from_slice(&turns.stdout).unwrap();
        assert_eq!(turns.as_array().unwrap().len(), count);
    }
}

#[tokio::test]
async fn a_thread_on_a_line_and_a_discussion_are_answered_where_the_question_stands() {
    let stage = Stage::of_app(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    let first = github.comment_on_line("alice", 4, "src/main.rs", 2, "Why this?", None).unwrap();
    github.comment_on_line("alice", 4, "src/main.rs", 2, "@assistant what do you think?", Some(first)).unwrap();
    let on_line = |github: &Github| {
        let pull = github.issue(4).unwrap().pull.unwrap();
        let ours: Vec<_> = pull.line_comments.into_iter().filter(|one| one.is_bot).collect();
        ours.len() == 1 && ours[0].in_reply_to == Some(first) && ours[0].body.starts_with(ANSWER)
    };
    assert!(github.wait_until(PATIENCE, on_line).await, "{:?} {}", github.issue(4), stage.log());
    assert!(github.answers(4).is_empty(), "nothing stands in the conversation");

    let comment = github.comment_in_discussion("alice", 5, "@assistant which one?", None).unwrap();
    let answered = |count: usize| {
        move |github: &Github| {
            let ours: Vec<_> = github.discussion(5).unwrap().comments.into_iter().filter(|one| one.is_bot).collect();
            ours.len() == count && ours.iter().all(|one| one.answers == Some(comment) && one.body.starts_with(ANSWER))
        }
    };
    assert!(github.wait_until(PATIENCE, answered(1)).await, "{:?} {}", github.discussion(5), stage.log());
    // An answer to an answer stands beside it.
    github.comment_in_discussion("alice", 5, "@assistant are you sure?", Some(comment)).unwrap();
    assert!(github.wait_until(PATIENCE, answered(2)).await, "{:?} {}", github.discussion(5), stage.log());
}

/// Others posted dozens of comments at once and were blocked: one comment that is edited, and a queue for each installation.
#[tokio::test]
async fn a_burst_of_questions_is_answered_by_one_comment_each_at_the_pace_that_github_allows() {
    let stage = Stage::of_app(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    let open = |number| github.open_issue("carol", "acme/app", &format!("Issue {number}"), "It breaks.").unwrap();
    let numbers: Vec<u64> = (0..8).map(open).collect();
    let all_answered = |github: &Github| numbers.iter().all(|number| is_whole(github, *number));
    assert!(github.wait_until(PATIENCE, all_answered).await, "{}", stage.log());
    assert!(numbers.iter().all(|number| github.answers(*number).len() == 1));
    // A call may take longer than the next; without the queue it would be all of them.
    assert!(github.densest_second() < 4, "{} in one second", github.densest_second());
    assert!(!stage.log().contains("the platform did not take a reply"), "they waited in the queue: {}", stage.log());
}
