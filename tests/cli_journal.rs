//! What the commands that look at the journal show, beside a gateway that has it open.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bytes::Bytes;
use reveille::agent::DEFAULT_LIMITS;
use reveille::journal::embedded::{Embedded, Options};
use reveille::journal::{Admission, Body, Engine, Fence, Outcome, StopReason, Target, ToolCall, ToolOutcome, Usage};
use reveille_channel::{Actor, ActorKind, Event, EventId, Kind, ThreadRef};

/// 2026-01-02 03:04:05 UTC.
const START_MS: i64 = 1_767_323_045_000;

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
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    format!("$ reveille {}\n{out}--- {}\n{err}", arguments.join(" "), output.status.code().unwrap())
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn event(key: &str, text: &str) -> Event {
    let location = BTreeMap::from([("channel".to_owned(), "C1".to_owned())]);
    Event {
        id: EventId::of("slack", key),
        connection: "slack".into(),
        platform: "slack".into(),
        thread: ThreadRef { installation: "T1".into(), key: "C1:1.2".into(), location, display: "#general".into() },
        actor: Actor { id: "U1".into(), name: "mal\u{1b}[31mlory\u{202e}".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "app_mention".into(),
        text: text.into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: Some("1.2".into()),
        facts: BTreeMap::new(),
        occurred_at_ms: START_MS,
        received_at_ms: START_MS,
        dedupe_keys: vec![key.into()],
    }
}

fn target(thread: &str) -> Target {
    Target { address: format!("assistant/slack/T1/{thread}"), only_if_known: false }
}

async fn admit(journal: &Embedded, key: &str, text: &str, thread: &str) {
    let admission =
        Admission { event: event(key, text), raw: Bytes::from_static(b"{}"), targets: vec![target(thread)] };
    journal.admit(admission).await.unwrap();
}

/// One turn with a tool call in the first thread, and an event that nobody has taken in the second.
async fn filled(folder: &Path) -> (Embedded, Fence) {
    let journal = Embedded::open(&folder.join(".reveille"), Options::default()).await.unwrap();
    admit(&journal, "e1", "what time is it?", "C1:1.2").await;
    admit(&journal, "e2", "anybody?", "C1:9.9").await;
    let mut fence = journal.claim(target("C1:1.2").id()).await.unwrap().into_inner().fence;
    let usage = Usage { input_tokens: 100, output_tokens: 20, cached_tokens: 0 };
    let call = ToolCall { id: "c1".into(), name: "clock.now".into(), arguments: serde_json::json!({}) };
    let model =
        |step| Body::ModelCalled { turn: 1, step, attempt: 1, model: "anthropic/x".into(), request: "00".into() };
    let answer = |step, text: &str, tool_calls| Body::ModelAnswered {
        turn: 1,
        step,
        attempt: 1,
        text: text.into(),
        tool_calls,
        stop: StopReason::End,
        usage,
    };
    let bodies = vec![
        Body::TurnStarted {
            turn: 1,
            events: vec![EventId::of("slack", "e1")],
            definition: "ab".into(),
            limits: DEFAULT_LIMITS,
        },
        model(1),
        answer(1, "", vec![call.clone()]),
        Body::ToolCalled {
            turn: 1,
            step: 1,
            call,
            effect: reveille::journal::Effect::Read,
            key: "00".into(),
            attempt: 1,
        },
        Body::ToolReturned {
            turn: 1,
            step: 1,
            call: "c1".into(),
            outcome: ToolOutcome::Ok { content: "noon".into(), truncated: false },
        },
        model(2),
        answer(2, "It is **noon**.", Vec::new()),
        Body::TurnEnded { turn: 1, outcome: Outcome::Completed, reason: None, usage: usage.plus(usage) },
    ];
    let count = u64::try_from(bodies.len()).unwrap();
    journal.append(fence, START_MS + 1_500, bodies, Vec::new()).await.unwrap();
    fence.written += count;
    (journal, fence)
}

#[test]
fn where_nothing_was_written_the_commands_are_friendly() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["instances", "turns", "tail"] {
        insta::assert_snapshot!(format!("nothing_{name}"), told(folder.path(), &[name]));
    }
    insta::assert_snapshot!("nothing_show", told(folder.path(), &["instances", "show", "x"]));
    for name in ["instances", "turns"] {
        assert_eq!(json(folder.path(), &[name, "--json"]), serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_and_turns_are_listed_and_shown_while_the_gateway_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = filled(folder.path()).await;
    let id = target("C1:1.2").id().to_string();
    let short = id.split_at(8).0;
    insta::assert_snapshot!("instances", told(folder.path(), &["instances"]));
    insta::assert_snapshot!("instances_filter", told(folder.path(), &["instances", "--filter", "nobody"]));
    insta::assert_snapshot!("instances_show", told(folder.path(), &["instances", "show", short]));
    insta::assert_snapshot!("instances_show_unknown", told(folder.path(), &["instances", "show", "nobody"]));
    insta::assert_snapshot!("turns", told(folder.path(), &["turns"]));
    insta::assert_snapshot!("turns_show", told(folder.path(), &["turns", "show", "assistant/slack/T1/C1:1.2", "1"]));
    insta::assert_snapshot!("turns_show_unknown", told(folder.path(), &["turns", "show", short, "7"]));

    let all = json(folder.path(), &["instances", "--json"]);
    assert_eq!(all[0]["address"], "assistant/slack/T1/C1:1.2");
    assert_eq!(all[1]["state"], "ready");
    let shown = json(folder.path(), &["instances", "show", &id, "--json"]);
    assert_eq!(shown["messages"][0]["text"], "what time is it?");
    let turns = json(folder.path(), &["turns", "--json"]);
    assert_eq!(turns[0]["outcome"], "completed");
    assert_eq!(turns[0]["address"], "assistant/slack/T1/C1:1.2");
    let turn = json(folder.path(), &["turns", "show", &id, "1", "--json"]);
    assert_eq!(turn["records"].as_array().unwrap().len(), 9);
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_plain_database_with_the_conversation() {
    use sqlx::{Connection, Row, SqliteConnection};

    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = filled(folder.path()).await;
    let address = "assistant/slack/T1/C1:1.2";
    let output = run(folder.path(), &["instances", "export", address, "out.db"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = folder.path().join("out.db");
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let rows = sqlx::query("SELECT role, text FROM message ORDER BY number").fetch_all(&mut database).await.unwrap();
    let said: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(said.first().unwrap(), &("user".to_owned(), "what time is it?".to_owned()));
    assert_eq!(said.last().unwrap(), &("assistant".to_owned(), "It is **noon**.".to_owned()));
    insta::assert_snapshot!("export_again", told(folder.path(), &["instances", "export", address, "out.db"]));
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_shows_what_is_there_and_follows_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, fence) = filled(folder.path()).await;
    insta::assert_snapshot!("tail", told(folder.path(), &["tail", "--no-follow", "-n", "100"]));

    let mut child = command(folder.path(), &["tail", "--json", "-n", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!(first["record"]["body"]["kind"], "turn_ended");
    let alarm = Body::AlarmSet { name: "later".into(), due_at_ms: START_MS };
    journal.append(fence, START_MS + 2_000, vec![alarm], Vec::new()).await.unwrap();
    let second = next();
    assert_eq!(second["record"]["body"]["name"], "later");
    assert_eq!(second["address"], "assistant/slack/T1/C1:1.2");
    child.kill().unwrap();
    child.wait().unwrap();
    journal.close().await;
}
