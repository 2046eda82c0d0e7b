//! Approvals, read from a journal in which each came to something else.

use std::collections::BTreeMap;

use bytes::Bytes;
use reveille_channel::{Actor, ActorKind, Ask, Event, EventId, InstanceId, Kind, ThreadRef};
use reveille_local::operator;
use serde_json::json;
use tempfile::TempDir;

use super::asked::history;
use super::*;
use crate::approval::{Item, Request};
use crate::journal::embedded::reader::Reader;
use crate::journal::embedded::{Embedded, Options};
use crate::journal::{
    Admission, Body, Concurrency, Engine, Fence, InstanceRow, Limits, Outcome, Release, Released, StopReason, Target,
    ToolCall, Usage, Verdict,
};

/// 2026-01-02 03:04:05 UTC.
const START_MS: i64 = 1_767_323_045_000;
const EXPIRES_MS: i64 = START_MS + 60_000;

const LIMITS: Limits = Limits {
    wall_ms: 600_000,
    tokens: 1_000,
    tool_calls: 10,
    model_calls: 10,
    attempts: 3,
    window_tokens: 1_000,
    concurrency: Concurrency::Steer,
};

fn event(key: &str) -> Event {
    Event {
        id: EventId::of("github", key),
        connection: "github".into(),
        platform: "github".into(),
        thread: ThreadRef {
            installation: "1".into(),
            key: "99:7".into(),
            location: BTreeMap::new(),
            display: "acme/app#7".into(),
        },
        actor: Actor { id: "583231".into(), name: "ann".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "issue_comment.created".into(),
        text: "close it".into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: Some("1".into()),
        facts: BTreeMap::new(),
        occurred_at_ms: START_MS,
        received_at_ms: START_MS,
        dedupe_keys: vec![key.into()],
    }
}

/// An instance of a journal, up to its question.
struct Story {
    journal: Embedded,
    folder: TempDir,
}

impl Story {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Embedded::open(folder.path(), Options::default()).await.unwrap();
        Self { journal, folder }
    }

    async fn ledger(&self) -> Ledger {
        Ledger::open(self.folder.path()).await.unwrap()
    }

    /// An instance asks; its fence and the id of what it asks.
    async fn asks(&self, thread: &str) -> (Fence, String) {
        let target = Target { address: format!("triage/github/1/{thread}"), only_if_known: false };
        let id = target.id();
        self.journal.admit(Admission { event: event(thread), raw: Bytes::new(), targets: vec![target] }).await.unwrap();
        let fence = self.journal.claim(id).await.unwrap().into_inner().fence;
        let request = request(id);
        let call = |id: &str| ToolCall {
            id: id.into(),
            name: "github.update_issue".into(),
            arguments: json!({ "number": 7 }),
        };
        let asked = request.id();
        let bodies = vec![
            Body::TurnStarted {
                turn: 1,
                events: vec![EventId::of("github", thread)],
                definition: "d0".into(),
                limits: LIMITS,
            },
            Body::ModelCalled { turn: 1, step: 1, attempt: 1, model: "a/b".into(), request: "00".into() },
            Body::ModelAnswered {
                turn: 1,
                step: 1,
                attempt: 1,
                text: String::new(),
                tool_calls: vec![call("c1")],
                stop: StopReason::ToolCalls,
                usage: Usage::default(),
            },
            Body::ApprovalAsked {
                turn: 1,
                approval: asked.clone(),
                calls: vec!["c1".into()],
                request: request.canonical(),
                ask: Box::new(Ask {
                    reference: request.reference(),
                    title: "May it?".into(),
                    detail: String::new(),
                    choices: Vec::new(),
                }),
                expires_at_ms: EXPIRES_MS,
                four_eyes: false,
            },
        ];
        (self.goes_on(fence, bodies).await, asked)
    }

    async fn goes_on(&self, mut fence: Fence, bodies: Vec<Body>) -> Fence {
        let count = u64::try_from(bodies.len()).unwrap();
        self.journal.append(fence, START_MS, bodies, Vec::new()).await.unwrap();
        fence.written += count;
        fence
    }
}

fn request(instance: InstanceId) -> Request {
    Request {
        instance,
        agent: "triage".into(),
        definition: "d0".into(),
        turn: 1,
        step: 1,
        requester: "583231".into(),
        four_eyes: false,
        expires_at_ms: EXPIRES_MS,
        items: vec![Item {
            call: "c1".into(),
            tool: "github.update_issue".into(),
            description: "Changes the issue.".into(),
            parameters: json!({ "type": "object" }),
            arguments: json!({ "number": 7 }),
            place: "#general".into(),
        }],
    }
}

fn decided(approval: &str, verdict: Verdict) -> Body {
    Body::ApprovalDecided { turn: 1, approval: approval.into(), verdict, by: Some(operator()), event: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_comes_to_what_the_records_come_to() {
    let story = Story::new().await;
    let (_, open) = story.asks("1").await;
    let (fence, approved) = story.asks("2").await;
    story.goes_on(fence, vec![decided(&approved, Verdict::Approved)]).await;
    let (fence, denied) = story.asks("3").await;
    story.goes_on(fence, vec![decided(&denied, Verdict::Denied)]).await;
    let (fence, expired) = story.asks("4").await;
    story.goes_on(fence, vec![Body::AlarmFired { name: format!("approval {expired}") }]).await;
    let (fence, withdrawn) = story.asks("5").await;
    let ended = Body::TurnEnded { turn: 1, outcome: Outcome::Aborted, reason: None, usage: Usage::default() };
    story.goes_on(fence, vec![ended]).await;

    let ledger = story.ledger().await;
    let pending = ledger.pending(START_MS).await.unwrap();
    assert_eq!(pending.iter().map(|asked| asked.id.as_str()).collect::<Vec<_>>(), [open.as_str()]);
    assert_eq!(pending[0].tools, ["github.update_issue"]);
    assert_eq!((pending[0].requester.as_str(), pending[0].address.as_str()), ("583231", "triage/github/1/1"));
    let all = ledger.all(START_MS).await.unwrap();
    let of = |id: &str| all.iter().find(|asked| asked.id == id).unwrap();
    let cases = [
        (&open, None, None),
        (&approved, Some(Verdict::Approved), Some(operator())),
        (&denied, Some(Verdict::Denied), Some(operator())),
        (&expired, Some(Verdict::Expired), None),
        (&withdrawn, Some(Verdict::Withdrawn), None),
    ];
    assert_eq!(all.len(), cases.len());
    for (id, verdict, by) in cases {
        let asked = of(id);
        assert_eq!((asked.verdict, &asked.by), (verdict, &by), "{}", asked.outcome());
        assert_eq!(asked.decided_at_ms.is_some(), verdict.is_some());
    }
    assert_eq!(of(&approved).outcome(), "it was approved by operator, 2026-01-02 03:04:05 UTC");
    assert_eq!(of(&open).outcome(), "it is open until 2026-01-02 03:05:05 UTC");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_out_is_not_open_though_nobody_woke_to_say_so() {
    let story = Story::new().await;
    let (_, id) = story.asks("1").await;
    let ledger = story.ledger().await;
    assert_eq!(ledger.pending(EXPIRES_MS - 1).await.unwrap().len(), 1);
    assert!(ledger.pending(EXPIRES_MS).await.unwrap().is_empty());
    let found = ledger.find(&id, EXPIRES_MS).await.unwrap();
    assert_eq!((found[0].verdict, found[0].decided_at_ms), (Some(Verdict::Expired), None));
    assert_eq!(found[0].outcome(), "nobody answered in time: it ran out, 2026-01-02 03:05:05 UTC");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_found_by_its_id_the_beginning_of_it_and_its_reference() {
    let story = Story::new().await;
    let mut ids = Vec::new();
    for thread in 0..20 {
        let (fence, id) = story.asks(&thread.to_string()).await;
        if thread % 2 == 0 {
            story.goes_on(fence, vec![decided(&id, Verdict::Denied)]).await;
        }
        ids.push(id);
    }
    let ledger = story.ledger().await;
    let found = async |name: &str| {
        let found = ledger.find(name, START_MS).await.unwrap();
        found.into_iter().map(|asked| asked.id).collect::<Vec<_>>()
    };
    for id in &ids {
        let one = std::slice::from_ref(id);
        assert_eq!(found(id).await, one);
        assert_eq!(found(&format!("approval.{id}")).await, one);
    }
    // One that waits comes before one that does not, however many of these begin so.
    for digit in "0123456789abcdef".chars() {
        let begins = |waits: usize| ids.iter().skip(waits).step_by(2).filter(|id| id.starts_with(digit)).count();
        let expected = if begins(1) > 0 { begins(1) } else { begins(0) };
        assert_eq!(found(&digit.to_string()).await.len(), expected, "{digit}");
    }
    for nobodys in ["", "approval.", "x", "%", &"f".repeat(32), &"f".repeat(33)] {
        assert!(found(nobodys).await.is_empty(), "{nobodys}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_is_found_while_its_instance_sleeps() {
    let story = Story::new().await;
    let (fence, id) = story.asks("1").await;
    let release = Release { fence, next_offset: 5, wake_at_ms: Some(EXPIRES_MS), checkpoint: None };
    assert_eq!(story.journal.release(release).await.unwrap(), Released::Asleep);
    let ledger = story.ledger().await;
    assert_eq!(ledger.pending(START_MS).await.unwrap()[0].id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_contradict_each_other_hide_no_other_instance() {
    let story = Story::new().await;
    let (fence, broken) = story.asks("1").await;
    story.goes_on(fence, vec![decided(&broken, Verdict::Denied), decided(&broken, Verdict::Approved)]).await;
    let (_, sound) = story.asks("2").await;
    let ledger = story.ledger().await;
    let all = ledger.all(START_MS).await.unwrap();
    assert_eq!(all.iter().map(|asked| asked.id.as_str()).collect::<Vec<_>>(), [sound.as_str()]);

    let reader = Reader::open(story.folder.path()).await.unwrap();
    let instance: InstanceRow = reader.find("triage/github/1/1").await.unwrap().remove(0);
    let records = reader.records(instance.id, 0).await.unwrap();
    assert!(history(&instance, &records).is_err());
}

#[test]
fn an_answer_is_one_event_however_often_it_is_given() {
    use super::decide::event_of;
    use crate::journal::Record;

    let record = |offset, body| Record { offset, epoch: 1, at_ms: START_MS, body };
    let first = event_of("ab", Answer::Approve, &[], START_MS);
    assert_eq!(first.dedupe_keys, ["approval.ab/approve/0"]);
    let mut records = vec![record(0, Body::Event { event: Box::new(first.clone()) })];
    assert_eq!(event_of("ab", Answer::Approve, &records, START_MS + 1).id, first.id);
    assert_ne!(event_of("ab", Answer::Deny, &records, START_MS).id, first.id);
    // One that did not count does not stand in the way of the next.
    let rule = "agent.removed".to_owned();
    records.push(record(1, Body::Refused { event: first.id, turn: 2, rule, notice: None }));
    assert_eq!(event_of("ab", Answer::Approve, &records, START_MS).dedupe_keys, ["approval.ab/approve/1"]);
    assert_eq!(event_of("ab", Answer::Deny, &records, START_MS).dedupe_keys, ["approval.ab/deny/0"]);
    assert_eq!((first.connection.as_str(), first.platform.as_str()), ("local", "local"));
    assert_eq!((first.thread.installation.as_str(), first.actor.id.as_str()), ("terminal", "operator"));
}
