//! A conversation at the terminal, from inside: what it resumes, what it leaves alone, how it ends.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use reveille_channel::{Actor, ActorKind, Event, Kind, ThreadRef};
use tempfile::TempDir;

use super::*;
use crate::journal::embedded::{Embedded, Options};
use crate::journal::{Admission, Body, Outcome, Target, ToolOutcome};
use crate::model::Script;

const SCRIPT: &str = "
rules:
  - when: { matches: 'what time' }
    stream: [Looking]
    calls: [{ tool: clock.now }]
  - when: { role: tool }
    stream: ['It is now.']
  - when: { matches: 'slow' }
    stream: ['one ', 'two ', 'three']
    pause_ms: 500
  - when: { messages_at_least: 3 }
    stream: ['We spoke ', 'before.']
  - stream: ['You said: ', '{last}']
";

/// A project with one agent that wakes on nothing here.
fn project() -> TempDir {
    project_that("")
}

/// The same, with more lines in the agent's file.
fn project_that(says: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let agent = folder.path().join("agents/assistant");
    std::fs::create_dir_all(&agent).unwrap();
    let file = format!("---\ndescription: Helps.\ntools: [clock.now]\n{says}---\nHelp.\n");
    std::fs::write(agent.join("AGENT.md"), file).unwrap();
    std::fs::write(folder.path().join("script.yaml"), SCRIPT).unwrap();
    folder
}

fn start(folder: &Path, name: &str) -> Start {
    let script = Script::load(&folder.join("script.yaml")).unwrap();
    Start {
        catalogue: Arc::new(Catalogue::load(&folder.join("agents"))),
        agent: "assistant".into(),
        name: name.into(),
        folder: folder.join("data"),
        models: Models::default().with("played", Arc::new(script)),
        default_model: Some(ModelRef { table: "played".into(), model: "script".into() }),
        access: AccessDefault::Nobody,
        keys: StorageKeys::default(),
    }
}

/// Says it, and what became visible and how the turn ended once it rests.
async fn asked(session: &mut Session, text: &str) -> (String, Option<Outcome>) {
    session.say(text).await.unwrap();
    followed(session).await
}

/// What became visible and how the turn ended once nothing more comes.
async fn followed(session: &mut Session) -> (String, Option<Outcome>) {
    let (mut visible, mut ended) = (String::new(), None);
    while let Some(happened) = session.next().await.unwrap() {
        match happened {
            Happened::Shown(Shown::Begun { text, .. } | Shown::Grew { text, .. }) => visible.push_str(&text),
            Happened::Shown(Shown::Asked { text, .. }) => visible.push_str(text.split('\n').next().unwrap()),
            Happened::Shown(Shown::Settled { outcome, .. }) => visible.push_str(outcome.split(',').next().unwrap()),
            Happened::Shown(_) => {}
            Happened::Recorded(record) => {
                if let Body::TurnEnded { outcome, .. } = record.body {
                    ended = Some(outcome);
                }
            }
        }
    }
    (visible, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_resumed_by_its_name_and_no_other() {
    let folder = project();
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    assert_eq!(session.address(), "assistant/local/terminal/one");
    assert_eq!(asked(&mut session, "hello").await, ("You said: hello".into(), Some(Outcome::Completed)));
    session.close(true).await;

    let mut other = Session::start(start(folder.path(), "other")).await.unwrap();
    assert!(other.earlier().is_empty());
    assert_eq!(asked(&mut other, "hello").await.0, "You said: hello");
    other.close(false).await;

    let mut again = Session::start(start(folder.path(), "one")).await.unwrap();
    let earlier: Vec<_> = again.earlier().iter().map(|line| (line.is_own, line.text.as_str())).collect();
    assert_eq!(earlier, [(false, "hello"), (true, "You said: hello")]);
    assert_eq!(asked(&mut again, "and now?").await.0, "We spoke before.");
    again.close(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_after_its_instance_slept() {
    let folder = project();
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    assert_eq!(asked(&mut session, "what time is it?").await.0, "Looking\n\nIt is now.");
    while session.gateway.directory().awake() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(asked(&mut session, "hello").await, ("We spoke before.".into(), Some(Outcome::Completed)));
    session.close(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_left_to_do_is_left_to_it() {
    let folder = project();
    let data = folder.path().join("data");
    let target = Target { address: "assistant/slack/T1/C1:1.2".into(), only_if_known: false };
    let theirs = target.id();
    let journal = Embedded::open(&data, Options::default()).await.unwrap();
    journal.admit(Admission { event: mention(), raw: Bytes::new(), targets: vec![target] }).await.unwrap();
    journal.close().await;
    drop(journal);

    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    assert_eq!(asked(&mut session, "hello").await.0, "You said: hello");
    assert_eq!(session.gateway.engine().read(theirs, 0, 10).await.unwrap().len(), 1);
    session.close(true).await;

    let journal = Embedded::open(&data, Options::default()).await.unwrap();
    assert_eq!(journal.ready(0, 10).await.unwrap(), [theirs]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_terminal_left_undone_is_done_in_the_next() {
    let folder = project();
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    // So slow that it cannot be done before the first one closes.
    session.say("be slow").await.unwrap();
    session.close(false).await;

    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    let mut visible = String::new();
    while let Some(happened) = session.next().await.unwrap() {
        if let Happened::Shown(Shown::Begun { text, .. } | Shown::Grew { text, .. }) = happened {
            visible.push_str(&text);
        }
    }
    assert_eq!(visible, "one two three");
    session.close(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_gone_is_missed_at_once() {
    let folder = project();
    let start = start(folder.path(), "one");
    let catalogue = Arc::clone(&start.catalogue);
    let mut session = Session::start(start).await.unwrap();
    std::fs::remove_dir_all(folder.path().join("agents/assistant")).unwrap();
    catalogue.reload();
    let error = session.say("hello").await.unwrap_err();
    assert!(matches!(error, SessionError::Gone(_)), "{error}");
    session.close(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_ends_the_conversation_with_its_reason() {
    let folder = project();
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    session.say("be slow").await.unwrap();
    // What is there is read; what comes is refused.
    session.gateway.engine().close().await;
    let error = loop {
        match session.next().await {
            Ok(happened) => assert!(happened.is_some(), "the answer came before the journal closed"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SessionError::Journal(JournalError::Storage(_))), "{error}");
    session.close(false).await;
}

/// What came of the calls of this conversation, oldest first.
async fn outcomes(session: &Session) -> Vec<ToolOutcome> {
    let records = session.gateway.engine().read(session.id, 0, READ_MAX).await.unwrap();
    let outcome = |record: Record| match record.body {
        Body::ToolReturned { outcome, .. } => Some(outcome),
        _ => None,
    };
    records.into_iter().filter_map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_waits_for_the_answer_to_a_question_and_goes_on_with_it() {
    for (choice, outcome, may) in [("approve", "Approved by operator", true), ("deny", "Denied by operator", false)] {
        let folder = project_that("approve: [clock.now]\n");
        let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
        let (visible, ended) = asked(&mut session, "what time is it?").await;
        assert_eq!((visible.as_str(), ended), ("LookingMay assistant use clock.now?", None));
        let open = session.open();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].tools.as_slice(), open[0].four_eyes), (["clock.now".to_owned()].as_slice(), false));
        // Nothing comes by itself, and nothing was done.
        assert_eq!(session.next().await.unwrap(), None);
        assert!(outcomes(&session).await.is_empty());

        session.answer(&open[0], choice).await.unwrap();
        let (visible, ended) = followed(&mut session).await;
        assert!(visible.contains(outcome) && visible.ends_with("It is now."), "{visible}");
        assert_eq!(ended, Some(Outcome::Completed));
        assert!(session.open().is_empty());
        match outcomes(&session).await.as_slice() {
            [ToolOutcome::Ok { .. }] => assert!(may),
            [ToolOutcome::Error { message }] => assert!(!may && message.contains("said no"), "{message}"),
            other => panic!("{other:?}"),
        }
        session.close(true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_an_earlier_terminal_is_open_in_the_next() {
    let folder = project_that("approve: [clock.now]\n");
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    asked(&mut session, "what time is it?").await;
    let asked = session.open();
    session.close(true).await;

    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    assert_eq!(session.open(), asked);
    assert_eq!(followed(&mut session).await.1, None);
    session.answer(&asked[0], "approve").await.unwrap();
    assert_eq!(followed(&mut session).await.1, Some(Outcome::Completed));
    assert!(matches!(outcomes(&session).await.as_slice(), [ToolOutcome::Ok { .. }]));
    // Its answer answers nothing any more.
    session.answer(&asked[0], "deny").await.unwrap();
    let mut rules = Vec::new();
    while let Some(happened) = session.next().await.unwrap() {
        if let Happened::Recorded(record) = happened
            && let Body::Refused { rule, .. } = record.body
        {
            rules.push(rule);
        }
    }
    assert_eq!(rules, ["approval.not_open"]);
    session.close(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_four_eyes_the_person_who_asked_cannot_agree() {
    let folder = project_that("approve: [clock.now]\napproval: { four_eyes: true }\n");
    let mut session = Session::start(start(folder.path(), "one")).await.unwrap();
    asked(&mut session, "what time is it?").await;
    let open = session.open();
    assert!(open[0].four_eyes);
    for choice in ["approve", "deny"] {
        let answer = session.answer(&open[0], choice).await.unwrap();
        let mut refused = None;
        while let Some(happened) = session.next().await.unwrap() {
            if let Happened::Recorded(record) = happened
                && let Body::Refused { event, rule, .. } = record.body
            {
                refused = Some((event, rule));
            }
        }
        assert_eq!(refused, Some((answer, "approval.four_eyes".to_owned())));
        assert_eq!(session.open(), open);
    }
    session.stop_turn().await.unwrap();
    assert_eq!(followed(&mut session).await.1, Some(Outcome::Aborted));
    assert!(session.open().is_empty());
    assert!(!outcomes(&session).await.iter().any(|outcome| matches!(outcome, ToolOutcome::Ok { .. })));
    session.close(true).await;
}

fn mention() -> Event {
    Event {
        id: EventId::of("slack", "1"),
        connection: "slack".into(),
        platform: "slack".into(),
        thread: ThreadRef {
            installation: "T1".into(),
            key: "C1:1.2".into(),
            location: BTreeMap::new(),
            display: "#general".into(),
        },
        actor: Actor { id: "U1".into(), name: "ann".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "app_mention".into(),
        text: "hello".into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: BTreeMap::new(),
        occurred_at_ms: 1,
        received_at_ms: 1,
        dedupe_keys: vec!["1".into()],
    }
}
