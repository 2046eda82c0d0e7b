//! The process is ended at every boundary of the journal, before and after each commit, and started again: the thread
//! shows one answer, each tool acted once, and the turn ended once.

use crate::support::{PATIENCE, Stage};
use reveille_simulator::{Fault, Github, Posted, Slack};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, event: issues.opened }
    stream: ["One moment."]
    calls: [{ tool: github.list_issues }]
  - when: { role: tool, tool: github.list_issues }
    calls: [{ tool: github.add_labels, arguments: { labels: [bug] } }]
  - when: { role: tool, tool: github.add_labels }
    stream: ["Thank you. ", "Which version is it?"]
  - when: { role: user }
    stream: ["Looking ", "at the ", "clock."]
    pause_ms: 200
    calls: [{ tool: thread.react, arguments: { emoji: eyes } }]
  - when: { role: tool, tool: thread.react }
    stream: ["It is ", "late."]
    pause_ms: 200
"#;

/// More boundaries than a reference turn has.
const BOUNDARIES_MAX: usize = 60;

const SLACK_ANSWER: &str = "Looking at the clock.\n\nIt is late.";
const GITHUB_ANSWER: &str = "One moment.\n\nThank you. Which version is it?\n\n<!-- reveille:";

#[derive(Clone, Copy)]
enum Story {
    Slack { streaming: bool },
    Triage,
}

/// What is said, and how to tell that it was answered.
struct Told {
    posted: Option<Posted>,
    number: u64,
}

impl Story {
    fn tell(self, stage: &Stage) -> Told {
        match self {
            Self::Slack { .. } => {
                let posted =
                    stage.simulator.slack().say("alice", "#general", "@assistant what time is it?", None).unwrap();
                Told { posted: Some(posted), number: 0 }
            }
            Self::Triage => {
                let number = stage.simulator.github().open_issue("mallory", "acme/app", "It breaks", "A lot.").unwrap();
                Told { posted: None, number }
            }
        }
    }

    fn is_answered(self, told: &Told, slack: &Slack, github: &Github) -> bool {
        match (self, &told.posted) {
            (Self::Slack { .. }, Some(posted)) => {
                let answers = slack.answers(posted);
                answers.last().is_some_and(|one| one.text == SLACK_ANSWER && !one.is_streaming)
            }
            _ => github.answers(told.number).last().is_some_and(|one| one.body.starts_with(GITHUB_ANSWER)),
        }
    }

    /// GitHub's issue shows that it was worked on, and that this is done.
    fn is_signed(self, told: &Told, github: &Github) -> bool {
        let Self::Triage = self else { return true };
        let mut signs = github.issue(told.number).unwrap().reactions;
        signs.sort();
        signs == ["eyes", "rocket"]
    }

    fn check(self, told: &Told, stage: &Stage, place: &str) {
        match (self, &told.posted) {
            (Self::Slack { .. }, Some(posted)) => {
                let slack = stage.simulator.slack();
                assert_eq!(slack.answers(posted).len(), 1, "{place}: {:#?}\n{}", slack.answers(posted), stage.log());
                let root = &slack.thread(&posted.channel, &posted.thread_ts)[0];
                assert_eq!(root.reactions, ["eyes"], "{place}");
            }
            _ => {
                let issue = stage.simulator.github().issue(told.number).unwrap();
                assert_eq!(issue.comments.len(), 1, "{place}: {issue:#?}\n{}", stage.log());
                assert_eq!(issue.labels, ["bug"], "{place}");
            }
        }
    }
}

/// Ends the process at the n-th boundary, for every n, and starts it again.
async fn survive_every_boundary(story: Story, point: &str) {
    for boundary in 1..=BOUNDARIES_MAX {
        let place = format!("{point} {boundary}");
        let stage = Stage::with(SCRIPT, matches!(story, Story::Slack { streaming: true } | Story::Triage)).await;
        let mut gateway = stage.serve(&format!("{point}={}*off->1*return", boundary - 1));
        let told = story.tell(&stage);
        let (slack, github) = (stage.simulator.slack().clone(), stage.simulator.github().clone());
        let mut ended = false;
        // The simulators note each change; the process's end is no change of theirs, so it is looked at as well.
        for _ in 0..400 {
            let answered = || story.is_answered(&told, &slack, &github);
            if slack.wait_until(std::time::Duration::from_millis(50), |_| answered()).await {
                break;
            }
            if gateway.has_ended() {
                ended = true;
                break;
            }
        }
        let ran_through = !ended && story.is_answered(&told, &slack, &github);
        drop(gateway);
        let gateway = stage.serve("");
        if !ran_through {
            // GitHub delivers once; what was not taken is delivered again by hand or by its API.
            github.redeliver_all();
        }
        let answered = slack.wait_until(PATIENCE, |slack| story.is_answered(&told, slack, &github)).await;
        assert!(
            answered,
            "{place} is not answered: {:#?} {:#?}\n{}",
            told.posted.map(|posted| slack.answers(&posted)),
            github.answers(told.number),
            stage.log()
        );
        // Signs are nobody's to wait for, and arrive all the same.
        let is_signed = |github: &Github| story.is_signed(&told, github);
        assert!(github.wait_until(PATIENCE, is_signed).await, "{place} has no sign\n{}", stage.log());
        // A clean stop, so that whatever is still under way shows.
        assert_eq!(gateway.terminate(), Some(0), "{place}");
        story.check(&told, &stage, &place);
        assert_eq!(stage.records("turn_started").len(), 1, "{place}\n{}", stage.log());
        assert_eq!(stage.records("turn_ended").len(), 1, "{place}\n{}", stage.log());
        if ran_through {
            assert!(boundary > 5, "only {boundary} boundaries: is the fault compiled in?");
            return;
        }
    }
    panic!("more than {BOUNDARIES_MAX} boundaries");
}

#[tokio::test]
async fn slack_before_each_commit() {
    survive_every_boundary(Story::Slack { streaming: true }, "journal::before_commit").await;
}

#[tokio::test]
async fn slack_after_each_commit() {
    survive_every_boundary(Story::Slack { streaming: true }, "journal::after_commit").await;
}

#[tokio::test]
async fn slack_without_streams_after_each_commit() {
    survive_every_boundary(Story::Slack { streaming: false }, "journal::after_commit").await;
}

#[tokio::test]
async fn triage_before_each_commit() {
    survive_every_boundary(Story::Triage, "journal::before_commit").await;
}

#[tokio::test]
async fn triage_after_each_commit() {
    survive_every_boundary(Story::Triage, "journal::after_commit").await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_post_was_made_is_not_posted_again() {
    for method in ["chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"] {
        let stage = Stage::with(SCRIPT, method.ends_with("Stream")).await;
        let _gateway = stage.serve("");
        let slack = stage.simulator.slack();
        slack.faults.set(method, Fault::DropAnswer, 1);
        let story = Story::Slack { streaming: true };
        let told = story.tell(&stage);
        let answered =
            slack.wait_until(PATIENCE, |slack| story.is_answered(&told, slack, stage.simulator.github())).await;
        assert!(answered, "{method}\n{}", stage.log());
        story.check(&told, &stage, method);
    }
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github();
    github.faults.set("POST comments", Fault::DropAnswer, 1);
    let told = Story::Triage.tell(&stage);
    let answered =
        github.wait_until(PATIENCE, |github| Story::Triage.is_answered(&told, stage.simulator.slack(), github)).await;
    assert!(answered, "{}", stage.log());
    Story::Triage.check(&told, &stage, "POST comments");
}

#[tokio::test]
async fn a_platform_that_is_slow_refuses_or_fails_is_waited_for() {
    for fault in [Fault::RateLimit(1), Fault::Error500] {
        let stage = Stage::with(SCRIPT, false).await;
        let _gateway = stage.serve("");
        let slack = stage.simulator.slack();
        slack.faults.set("chat.postMessage", fault.clone(), 2);
        let story = Story::Slack { streaming: false };
        let told = story.tell(&stage);
        let answered =
            slack.wait_until(PATIENCE, |slack| story.is_answered(&told, slack, stage.simulator.github())).await;
        assert!(answered, "{fault:?}\n{}", stage.log());
        story.check(&told, &stage, &format!("{fault:?}"));
    }
}
