//! What `reveille approvals` shows and says, beside a gateway that has the journal open and without one.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use reveille::agent::DEFAULT_LIMITS;
use reveille::approval::{Item, Request};
use reveille::journal::embedded::{Embedded, Options};
use reveille::journal::{Admission, Body, Engine, Fence, Release, StopReason, Target, ToolCall, Usage, Verdict};
use reveille_channel::{Actor, ActorKind, Event, EventId, Kind, Mode, Receipt, ThreadRef};
use serde_json::json;

/// 2026-01-02 03:04:05 UTC.
const START_MS: i64 = 1_767_323_045_000;

/// 2100-01-01 00:00:00 UTC.
const FAR_MS: i64 = 4_102_444_800_000;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(arguments).current_dir(folder).env_clear().env("TZ", "UTC");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let [out, err] = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8(bytes).unwrap().replace(&folder.display().to_string(), "FOLDER"));
    format!("$ reveille {}\n{out}--- {}\n{err}", arguments.join(" "), output.status.code().unwrap())
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn event(key: &str) -> Event {
    Event {
        id: EventId::of("github", key),
        connection: "github".into(),
        platform: "github".into(),
        thread: ThreadRef {
            installation: "1".into(),
            key: key.into(),
            location: BTreeMap::new(),
            display: format!("acme/app#{key}"),
        },
        actor: Actor { id: "583231".into(), name: "ann".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "issue_comment.created".into(),
        text: "tidy up".into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: Some("1".into()),
        facts: BTreeMap::new(),
        occurred_at_ms: START_MS,
        received_at_ms: START_MS,
        dedupe_keys: vec![key.into()],
    }
}

/// What one instance asks, and what came of it.
struct Story<'a> {
    thread: &'a str,
    tools: &'a [&'a str],
    expires_at_ms: i64,
    four_eyes: bool,
    decided: Option<(Verdict, &'a str)>,
}

/// Puts a story into a journal; the instance sleeps then. The approval's id.
async fn asked(journal: &Embedded, story: Story<'_>) -> String {
    let address = format!("triage/github/1/{}", story.thread);
    let target = Target { address, only_if_known: false };
    let instance = target.id();
    let admission = Admission { event: event(story.thread), raw: Bytes::new(), targets: vec![target] };
    journal.admit(admission).await.unwrap();
    let mut fence: Fence = journal.claim(instance).await.unwrap().into_inner().fence;
    let calls: Vec<ToolCall> = story
        .tools
        .iter()
        .enumerate()
        .map(|(index, tool)| ToolCall {
            id: format!("c{index}"),
            name: (*tool).to_owned(),
            arguments: json!({ "number": index, "title": "mal\u{1b}[31mlory\u{202e}" }),
        })
        .collect();
    let items = calls.iter().map(|call| Item {
        call: call.id.clone(),
        tool: call.name.clone(),
        description: "Changes the issue.".into(),
        parameters: json!({ "type": "object" }),
        arguments: call.arguments.clone(),
        place: "#general".into(),
    });
    let Story { expires_at_ms, four_eyes, .. } = story;
    let request = Request {
        instance,
        agent: "triage".into(),
        definition: "d0".into(),
        turn: 1,
        step: 1,
        requester: "583231".into(),
        four_eyes,
        expires_at_ms,
        items: items.collect(),
    };
    let id = request.id();
    let mut bodies = vec![
        Body::TurnStarted {
            turn: 1,
            events: vec![EventId::of("github", story.thread)],
            definition: "d0".into(),
            limits: DEFAULT_LIMITS,
        },
        Body::ModelCalled { turn: 1, step: 1, attempt: 1, model: "a/b".into(), request: "00".into() },
        Body::ModelAnswered {
            turn: 1,
            step: 1,
            attempt: 1,
            text: String::new(),
            tool_calls: calls.clone(),
            stop: StopReason::ToolCalls,
            usage: Usage::default(),
        },
        Body::ApprovalAsked {
            turn: 1,
            approval: id.clone(),
            calls: calls.into_iter().map(|call| call.id).collect(),
            request: request.canonical(),
            ask: Box::new(request.ask(START_MS)),
            expires_at_ms,
            four_eyes,
        },
    ];
    let receipt = Receipt { id: "2".into(), mode: Mode::Edit };
    bodies.push(Body::QuestionOpened { turn: 1, approval: id.clone() });
    bodies.push(Body::QuestionShown { turn: 1, approval: id.clone(), receipt });
    if let Some((verdict, name)) = story.decided {
        let by = Some(Actor { id: "U1".into(), name: name.into(), kind: ActorKind::Human });
        bodies.push(Body::ApprovalDecided { turn: 1, approval: id.clone(), verdict, by, event: None });
    }
    let count = u64::try_from(bodies.len()).unwrap();
    let at_ms = START_MS + i64::try_from(story.thread.len()).unwrap() * 1_000;
    journal.append(fence, at_ms, bodies, Vec::new()).await.unwrap();
    fence.written += count;
    let release = Release { fence, next_offset: count + 1, wake_at_ms: Some(expires_at_ms), checkpoint: None };
    journal.release(release).await.unwrap();
    id
}

async fn journal(folder: &Path) -> Embedded {
    Embedded::open(&folder.join(".reveille"), Options::default()).await.unwrap()
}

/// One that waits, and one of each that does not any more; the ids in that order.
async fn filled(folder: &Path) -> (Embedded, [String; 4]) {
    let journal = journal(folder).await;
    let tools: &[&str] = &["github.close_issue", "github.comment", "github.close_issue"];
    let waits = Story { thread: "7", tools, expires_at_ms: FAR_MS, four_eyes: true, decided: None };
    let waits = asked(&journal, waits).await;
    let story = |thread, expires_at_ms, decided| Story {
        thread,
        tools: &["github.update_issue"],
        expires_at_ms,
        four_eyes: false,
        decided,
    };
    let approved = asked(&journal, story("70", FAR_MS, Some((Verdict::Approved, "mal\u{1b}lory")))).await;
    let denied = asked(&journal, story("700", FAR_MS, Some((Verdict::Denied, "bob")))).await;
    let expired = asked(&journal, story("7000", START_MS + 60_000, None)).await;
    (journal, [waits, approved, denied, expired])
}

#[test]
fn where_nothing_was_written_the_command_is_friendly() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("nothing", told(folder.path(), &["approvals"]));
    for verb in ["show", "approve", "deny"] {
        insta::assert_snapshot!(format!("nothing_{verb}"), told(folder.path(), &["approvals", verb, "x"]));
    }
    assert_eq!(json(folder.path(), &["approvals", "--json"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_are_listed_and_shown_while_the_gateway_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (journal, [waits, approved, ..]) = filled(folder).await;
    insta::assert_snapshot!("list", told(folder, &["approvals"]));
    insta::assert_snapshot!("all", told(folder, &["approvals", "--all"]));
    insta::assert_snapshot!("all_limit", told(folder, &["approvals", "list", "--all", "--limit", "1"]));
    insta::assert_snapshot!("show", told(folder, &["approvals", "show", waits.split_at(12).0]));
    insta::assert_snapshot!("show_approved", told(folder, &["approvals", "show", &format!("approval.{approved}")]));
    insta::assert_snapshot!("show_unknown", told(folder, &["approvals", "show", "nobody"]));
    let pending = json(folder, &["approvals", "--json"]);
    assert_eq!(pending.as_array().unwrap().len(), 1);
    assert_eq!(pending[0]["tools"], json!(["github.close_issue", "github.comment", "github.close_issue"]));
    assert_eq!((&pending[0]["address"], &pending[0]["expires_at_ms"]), (&json!("triage/github/1/7"), &json!(FAR_MS)));
    let all = json(folder, &["approvals", "--all", "--json"]);
    let verdicts: Vec<_> = all.as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect();
    assert_eq!(verdicts, [json!("expired"), json!("denied"), json!("approved"), json!(null)]);
    let shown = json(folder, &["approvals", "show", &waits, "--json"]);
    assert_eq!(shown["request"]["items"][1]["arguments"]["title"], "mal\u{1b}[31mlory\u{202e}");
    assert!(shown["sha256"].as_str().unwrap().starts_with(&waits), "{shown}");
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_an_id_that_may_mean_more_than_one_is_no_answer_to_any() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let journal = journal(folder).await;
    let mut firsts = Vec::new();
    // An id begins with one of sixteen digits.
    let shared = loop {
        let thread = firsts.len().to_string();
        let tools = &["github.comment"];
        let story = Story { thread: &thread, tools, expires_at_ms: FAR_MS, four_eyes: false, decided: None };
        let first = asked(&journal, story).await.chars().next().unwrap().to_string();
        if firsts.contains(&first) {
            break first;
        }
        firsts.push(first);
    };
    for verb in ["show", "approve"] {
        insta::assert_snapshot!(format!("ambiguous_{verb}"), told(folder, &["approvals", verb, &shared]));
    }
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_gateway_says_what_to_start_and_one_too_late_by_whom_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Nobody listens there: the port is taken, and every connection refused.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let (journal, [waits, approved, denied, expired]) = filled(folder).await;
    journal.close().await;
    drop(journal);
    insta::assert_snapshot!("answer_no_token", told(folder, &["approvals", "approve", &waits]));
    std::fs::write(folder.join(".reveille/api.token"), "ab".repeat(32)).unwrap();
    let refused = told(folder, &["approvals", "approve", &waits, "--listen", &address]);
    insta::assert_snapshot!("answer_no_gateway", refused.replace(&address, "ADDRESS"));
    insta::assert_snapshot!("answer_approved", told(folder, &["approvals", "deny", &approved]));
    insta::assert_snapshot!("answer_denied", told(folder, &["approvals", "approve", &denied]));
    insta::assert_snapshot!("answer_expired", told(folder, &["approvals", "approve", &expired]));
    std::fs::write(folder.join(".reveille/api.token"), "half a token").unwrap();
    insta::assert_snapshot!("answer_bad_token", told(folder, &["approvals", "approve", &waits]));
}

/// A gateway over the folder. Dropping it ends it.
struct Gateway(Child);

impl Gateway {
    fn start(folder: &Path, address: &str) -> Self {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut child =
            command(folder, &["serve", "--listen", address]).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("is listening"), "{}", std::fs::read_to_string(folder.join("log")).unwrap());
        Self(child)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_takes_no_answer_to_what_has_run_out_and_none_for_an_agent_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("reveille.toml"), "").unwrap();
    std::fs::create_dir(folder.join("agents")).unwrap();
    let (journal, [waits, _, denied, expired]) = filled(folder).await;
    journal.close().await;
    drop(journal);
    let address = format!("127.0.0.1:{}", {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    });
    let _gateway = Gateway::start(folder, &address);
    let token = std::fs::read_to_string(folder.join(".reveille/api.token")).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (id, status, error, message) in [
        (&expired, 410, "expired", "nobody answered in time: it ran out, 2026-01-02 03:05:05 UTC"),
        (&denied, 409, "decided", "it was denied by bob, 2026-01-02 03:04:08 UTC"),
        (&waits, 403, "refused", "the operator may not answer it (agent.removed)"),
    ] {
        let request = client.post(format!("http://{address}/api/v1/approvals/{id}")).bearer_auth(&token);
        let answer = request.json(&json!({ "decision": "approve" })).send().await.unwrap();
        let log = std::fs::read_to_string(folder.join("log")).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{error}\n{log}");
        let said: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((said["error"].as_str(), said["message"].as_str()), (Some(error), Some(message)));
    }
}
