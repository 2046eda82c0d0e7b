//! What the engine promises, as sentences.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{Actor, ActorKind, Event, EventId, InstanceId, Kind, ThreadRef};
use tempfile::TempDir;

use super::*;
use crate::journal::{MessageRow, Target, Usage};

fn event(key: &str, text: &str) -> Event {
    Event {
        id: EventId::of("slack", key),
        connection: "slack".into(),
        platform: "slack".into(),
        thread: ThreadRef {
            installation: "T1".into(),
            key: "C1:1".into(),
            location: BTreeMap::new(),
            display: "#general".into(),
        },
        actor: Actor { id: "U1".into(), name: "alice".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "app_mention".into(),
        text: text.into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: None,
        facts: BTreeMap::new(),
        occurred_at_ms: 1,
        received_at_ms: 1_000,
        dedupe_keys: vec![key.into(), format!("{key}:again")],
    }
}

fn target(thread: &str, only_if_known: bool) -> Target {
    Target { address: format!("assistant/slack/T1/{thread}"), only_if_known }
}

fn admission(key: &str, thread: &str) -> Admission {
    Admission { event: event(key, "hello"), raw: Bytes::from_static(b"{}"), targets: vec![target(thread, false)] }
}

fn note(name: &str) -> Body {
    Body::AlarmSet { name: name.into(), due_at_ms: 5 }
}

async fn open(folder: &TempDir) -> Embedded {
    Embedded::open(folder.path(), Options::default()).await.unwrap()
}

async fn claimed(journal: &Embedded) -> Claim {
    let admitted = journal.admit(admission("first", "t1")).await.unwrap().into_inner();
    let Admitted::New(ids) = admitted else { panic!("{admitted:?}") };
    journal.claim(ids[0]).await.unwrap().into_inner()
}

fn names(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .map(|record| match &record.body {
            Body::AlarmSet { name, .. } => name.clone(),
            other => other.kind().to_owned(),
        })
        .collect()
}

fn release(fence: Fence, next_offset: Offset, checkpointed: bool) -> Release {
    let rows = vec![MessageRow {
        number: 1,
        turn: 1,
        role: "user".into(),
        author: "alice".into(),
        text: "hello".into(),
        at_ms: 1,
    }];
    let checkpoint = checkpointed.then(|| Box::new((Checkpoint { next_offset, state: "{\"x\":1}".into() }, rows)));
    Release { fence, next_offset, wake_at_ms: None, checkpoint }
}

#[tokio::test]
async fn the_same_delivery_a_hundred_times_at_once_is_one_event() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let all = futures::future::join_all((0..100).map(|_| journal.admit(admission("k", "t1")))).await;
    let new = all.into_iter().map(|one| one.unwrap().into_inner()).filter(|one| *one != Admitted::Duplicate).count();
    assert_eq!(new, 1);
    journal.close().await;
    drop(journal);
    let journal = open(&folder).await;
    assert_eq!(journal.admit(admission("k", "t1")).await.unwrap().into_inner(), Admitted::Duplicate);
    let claim = journal.claim(target("t1", false).id()).await.unwrap().into_inner();
    assert_eq!(names(&claim.tail), ["event"]);
}

#[tokio::test]
async fn a_second_dedupe_key_is_enough_and_connections_are_apart() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    journal.admit(admission("k", "t1")).await.unwrap();
    let mut other = admission("other", "t1");
    other.event.dedupe_keys.push("k:again".into());
    assert_eq!(journal.admit(other.clone()).await.unwrap().into_inner(), Admitted::Duplicate);
    other.event.connection = "slack-eu".into();
    assert!(matches!(journal.admit(other).await.unwrap().into_inner(), Admitted::New(_)));
}

#[tokio::test]
async fn a_message_for_an_unknown_instance_leaves_no_trace() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let mut further = admission("k", "t1");
    further.targets = vec![target("t1", true)];
    assert_eq!(journal.admit(further.clone()).await.unwrap().into_inner(), Admitted::New(Vec::new()));
    journal.admit(admission("first", "t1")).await.unwrap();
    assert_eq!(journal.admit(further).await.unwrap().into_inner(), Admitted::New(vec![target("t1", true).id()]));
}

#[tokio::test]
async fn appends_keep_their_order_and_events_come_in_between() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let Claim { mut fence, .. } = claimed(&journal).await;
    let mut commits = Vec::new();
    for index in 0..20u64 {
        commits.push(journal.append(
            fence,
            1,
            vec![note(&format!("a{index}")), note(&format!("b{index}"))],
            Vec::new(),
        ));
        fence.written += 2;
        if index % 5 == 0 {
            journal.admit(admission(&format!("e{index}"), "t1")).await.unwrap();
        }
    }
    for commit in commits {
        commit.await.unwrap();
    }
    let records = journal.read(fence.instance, 0, 1000).await.unwrap();
    assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), (0..45).collect::<Vec<_>>());
    let own: Vec<String> = names(&records).into_iter().filter(|name| name != "event").collect();
    let expected: Vec<String> = (0..20).flat_map(|index| [format!("a{index}"), format!("b{index}")]).collect();
    assert_eq!(own, expected);
}

#[tokio::test]
async fn a_writer_that_missed_something_is_refused_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let first = claimed(&journal).await.fence;
    journal.append(first, 1, vec![note("kept")], Vec::new()).await.unwrap();
    let stale_count = journal.append(first, 1, vec![note("lost")], Vec::new()).await;
    assert!(matches!(stale_count, Err(JournalError::Fenced { .. })), "{stale_count:?}");
    let second = journal.claim(first.instance).await.unwrap().into_inner();
    assert_eq!(second.attempts, 1, "claimed again in the same process, it took nothing down");
    let stale_epoch = journal.append(Fence { written: 1, ..first }, 1, vec![note("lost")], Vec::new()).await;
    assert!(matches!(stale_epoch, Err(JournalError::Fenced { .. })), "{stale_epoch:?}");
    journal.append(second.fence, 1, vec![note("too")], Vec::new()).await.unwrap();
    assert_eq!(names(&journal.read(first.instance, 0, 10).await.unwrap()), ["event", "kept", "too"]);
}

#[tokio::test]
async fn an_instance_sleeps_only_when_nothing_came_in_and_wakes_where_it_was() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let Claim { mut fence, .. } = claimed(&journal).await;
    journal.append(fence, 1, vec![note("a")], Vec::new()).await.unwrap();
    fence.written += 1;
    journal.admit(admission("late", "t1")).await.unwrap();
    assert_eq!(journal.release(release(fence, 2, true)).await.unwrap(), Released::Busy);
    assert_eq!(journal.release(release(fence, 3, true)).await.unwrap(), Released::Asleep);
    assert!(journal.read(fence.instance, 0, 10).await.unwrap().is_empty(), "the log forgets what the database holds");
    assert!(journal.ready(0, 10).await.unwrap().is_empty());
    journal.admit(admission("later", "t1")).await.unwrap();
    assert_eq!(journal.ready(0, 10).await.unwrap(), [fence.instance]);
    let claim = journal.claim(fence.instance).await.unwrap().into_inner();
    assert_eq!(claim.checkpoint.unwrap().next_offset, 3);
    assert_eq!(claim.tail.iter().map(|record| record.offset).collect::<Vec<_>>(), [3]);
    assert_eq!((claim.fence.written, claim.attempts), (1, 1));
    // Without a checkpoint the log keeps what it has.
    assert_eq!(journal.release(release(claim.fence, 4, false)).await.unwrap(), Released::Asleep);
    let claim = journal.claim(fence.instance).await.unwrap().into_inner();
    assert_eq!(claim.tail.len(), 1);
}

#[tokio::test]
async fn what_ran_when_the_process_ended_is_ready_again() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let Claim { fence, .. } = claimed(&journal).await;
    journal.append(fence, 1, vec![note("a")], Vec::new()).await.unwrap();
    journal.close().await;
    drop(journal);
    let journal = open(&folder).await;
    assert_eq!(journal.ready(0, 10).await.unwrap(), [fence.instance]);
    let claim = journal.claim(fence.instance).await.unwrap().into_inner();
    assert_eq!(names(&claim.tail), ["event", "a"]);
    assert!(claim.fence.epoch > fence.epoch);
}

#[tokio::test]
async fn an_alarm_wakes_a_sleeper_when_it_is_due() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let Claim { fence, .. } = claimed(&journal).await;
    let sleep = Release { wake_at_ms: Some(500), ..release(fence, 1, false) };
    assert_eq!(journal.release(sleep).await.unwrap(), Released::Asleep);
    assert_eq!(journal.next_wake().await.unwrap(), Some(500));
    assert!(journal.ready(499, 10).await.unwrap().is_empty());
    assert_eq!(journal.ready(500, 10).await.unwrap(), [fence.instance]);
}

#[tokio::test]
async fn a_folder_has_one_process_and_a_lost_database_is_said_to_be_lost() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    assert!(matches!(Embedded::open(folder.path(), Options::default()).await, Err(JournalError::Locked { .. })));
    let Claim { fence, .. } = claimed(&journal).await;
    journal.release(release(fence, 1, true)).await.unwrap();
    std::fs::remove_file(journal.database(fence.instance)).unwrap();
    assert!(matches!(journal.claim(fence.instance).await, Err(JournalError::Corrupt { .. })));
    journal.quarantine(fence.instance, "lost").await.unwrap();
    journal.admit(admission("more", "t1")).await.unwrap();
    assert!(journal.ready(i64::MAX, 10).await.unwrap().is_empty(), "what is set aside is not woken");
}

#[tokio::test]
async fn a_definition_is_kept_under_its_hash() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    assert_eq!(journal.definition("h").await.unwrap(), None);
    journal.put_definition("h", "source").await.unwrap();
    journal.put_definition("h", "source").await.unwrap();
    assert_eq!(journal.definition("h").await.unwrap().as_deref(), Some("source"));
    let fence = claimed(&journal).await.fence;
    let ended =
        Body::TurnEnded { turn: 1, outcome: crate::journal::Outcome::Completed, reason: None, usage: Usage::default() };
    journal.append(fence, 1, vec![ended], Vec::new()).await.unwrap();
    let unknown = Fence { instance: InstanceId::of("nobody"), epoch: 1, written: 0 };
    assert!(matches!(journal.append(unknown, 1, vec![], Vec::new()).await, Err(JournalError::Unknown(_))));
}

#[tokio::test]
async fn a_reader_beside_it_sees_log_and_database_as_one() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let Claim { fence, .. } = claimed(&journal).await;
    journal.release(release(fence, 1, true)).await.unwrap();
    journal.admit(admission("late", "t1")).await.unwrap();
    let reader = reader::Reader::open(folder.path()).await.unwrap();
    assert_eq!(names(&reader.records(fence.instance, 0).await.unwrap()), ["event", "event"]);
    assert_eq!(reader.messages(fence.instance).await.unwrap()[0].text, "hello");
    let id = fence.instance.to_string();
    let prefix = id.split_at(6).0;
    for name in [prefix, "assistant/slack/T1/t1"] {
        assert_eq!(reader.find(name).await.unwrap()[0].id, fence.instance, "{name}");
    }
    let copy = folder.path().join("copy.db");
    reader.export(fence.instance, &[], "{}".into(), &copy).await.unwrap();
    assert!(reader.export(fence.instance, &[], "{}".into(), &copy).await.is_err(), "nothing is overwritten");
    assert_eq!(reader.tail(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_that_comes_in_while_its_instance_is_claimed_waits_for_the_owner() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let mut fence = claimed(&journal).await.fence;
    let id = fence.instance;
    for round in 0..200 {
        let sleeps = Release { fence, next_offset: round + 1, wake_at_ms: None, checkpoint: None };
        assert!(matches!(journal.release(sleeps).await.unwrap(), Released::Asleep));
        let key = format!("e{round}");
        // Both orders, and often one commit for both.
        let (claim, admitted) = if round % 2 == 0 {
            futures::join!(journal.claim(id), journal.admit(admission(&key, "t1")))
        } else {
            let (admitted, claim) = futures::join!(journal.admit(admission(&key, "t1")), journal.claim(id));
            (claim, admitted)
        };
        assert!(matches!(admitted.unwrap().into_inner(), Admitted::New(_)));
        let claim = claim.unwrap().into_inner();
        let held = claim.tail.len();
        let rest = journal.read(id, u64::try_from(held).unwrap(), 10).await.unwrap();
        assert_eq!(u64::try_from(held + rest.len()).unwrap(), round + 2);
        fence = claim.fence;
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_costs_nothing_but_room_in_the_log() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let fence = claimed(&journal).await.fence;
    std::fs::write(folder.path().join("instances"), "in the way").unwrap();
    assert!(matches!(journal.release(release(fence, 1, true)).await.unwrap(), Released::Asleep));
    std::fs::remove_file(folder.path().join("instances")).unwrap();
    let claim = journal.claim(fence.instance).await.unwrap().into_inner();
    assert_eq!((claim.checkpoint, names(&claim.tail)), (None, vec!["event".to_owned()]));
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_now_is_not_taken_for_damaged() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder).await;
    let fence = claimed(&journal).await.fence;
    journal.release(release(fence, 1, true)).await.unwrap();
    let path = instance::path(folder.path(), fence.instance);
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(journal.claim(fence.instance).await, Err(JournalError::Storage(_))));
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    assert!(journal.claim(fence.instance).await.unwrap().into_inner().checkpoint.is_some());
}
