//! `reveille instances files`, beside a gateway that has the journal and the workspace open.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use reveille::journal::embedded::{Embedded, Options};
use reveille::journal::{Admission, Engine, Target};
use reveille::workspace::{Change, Quotas, Workspace, WorkspacePath, Workspaces};
use reveille_channel::{Actor, ActorKind, Event, EventId, Kind, ThreadRef};
use tempfile::TempDir;

const ADDRESS: &str = "assistant/slack/T1/C1:1.2";

/// 2026-01-02 03:04:05 UTC.
const START_MS: i64 = 1_767_323_045_000;

/// A project with an instance, whose gateway is running.
struct Site {
    all: TempDir,
    journal: Embedded,
    workspace: Arc<Workspace>,
}

async fn site() -> Site {
    let all = TempDir::new().unwrap();
    fs::create_dir(all.path().join("bot")).unwrap();
    let data = all.path().join("bot/.reveille");
    let journal = Embedded::open(&data, Options::default()).await.unwrap();
    let target = Target { address: ADDRESS.into(), only_if_known: false };
    let workspace = Workspaces::new(&data, Quotas::default()).of(target.id());
    let event = Event {
        id: EventId::of("slack", "e1"),
        connection: "slack".into(),
        platform: "slack".into(),
        thread: ThreadRef {
            installation: "T1".into(),
            key: "C1:1.2".into(),
            location: BTreeMap::new(),
            display: "#general".into(),
        },
        actor: Actor { id: "U1".into(), name: "mallory".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "app_mention".into(),
        text: "hello".into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: Some("1.2".into()),
        facts: BTreeMap::new(),
        occurred_at_ms: START_MS,
        received_at_ms: START_MS,
        dedupe_keys: vec!["e1".into()],
    };
    let admission = Admission { event, raw: Bytes::from_static(b"{}"), targets: vec![target] };
    journal.admit(admission).await.unwrap();
    Site { all, journal, workspace }
}

impl Site {
    fn bot(&self) -> PathBuf {
        self.all.path().join("bot")
    }

    /// The folder that is synced.
    fn real(&self, name: &str) -> PathBuf {
        self.all.path().join("files").join(name)
    }

    fn write_real(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.real(name).parent().unwrap()).unwrap();
        fs::write(self.real(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command.args(["instances", "files"]).args(arguments).current_dir(self.bot()).env_clear().env("TZ", "UTC");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let all = fs::canonicalize(self.all.path()).unwrap().display().to_string();
        let [out, err] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap().replace(&all, "ALL"));
        let code = output.status.code().unwrap();
        format!("$ reveille instances files {}\n{out}--- {code}\n{err}", arguments.join(" "))
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_slice(&self.run(arguments).stdout).unwrap()
    }

    /// What the agent does meanwhile.
    async fn agent(&self, change: Change) {
        self.workspace.apply(None, START_MS, &change).await.unwrap();
    }

    async fn agent_writes(&self, name: &str, text: &str) {
        self.agent(Change::Write { path: path(name), bytes: text.as_bytes().to_vec() }).await;
    }

    async fn held(&self, name: &str) -> Option<Vec<u8>> {
        self.workspace.read(&path(name)).await.ok().map(|content| content.bytes)
    }
}

fn path(name: &str) -> WorkspacePath {
    WorkspacePath::parse(name).unwrap()
}

/// Every file below a folder with its text, and links as such.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_symlink() {
                found.insert(name, format!("-> {}", fs::read_link(entry.path()).unwrap().display()));
            } else {
                found.insert(name, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_taken_out_put_in_and_deleted_while_the_gateway_runs() {
    let site = site().await;
    // No file was ever written.
    insta::assert_snapshot!("none_ls", site.told(&["ls", ADDRESS]));
    insta::assert_snapshot!("none_get", site.told(&["get", ADDRESS, "notes/plan.md"]));
    insta::assert_snapshot!("none_rm", site.told(&["rm", ADDRESS, "notes"]));
    insta::assert_snapshot!("unknown_instance", site.told(&["ls", "nobody"]));
    assert_eq!(site.json(&["ls", ADDRESS, "--json"]), serde_json::json!([]));

    site.agent_writes("notes/plan.md", "1. wait\n").await;
    site.agent_writes("notes/old/x.md", "x").await;
    site.agent_writes("a.md", "\u{1b}[31mred\n").await;
    insta::assert_snapshot!("ls", site.told(&["ls", ADDRESS]));
    insta::assert_snapshot!("ls_folder", site.told(&["ls", ADDRESS, "notes", "--recursive"]));
    insta::assert_snapshot!("ls_limit", site.told(&["ls", ADDRESS, "-r", "--limit", "2"]));
    insta::assert_snapshot!("ls_odd", site.told(&["ls", ADDRESS, "../x"]));
    let listed = site.json(&["ls", ADDRESS, "notes/plan.md", "--json"]);
    let expected = serde_json::json!([
        { "path": "notes/plan.md", "kind": "file", "bytes": 8, "files": 1, "modified_ms": START_MS }
    ]);
    assert_eq!(listed, expected);

    // Any bytes, as they are.
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let mut putting =
        site.command(&["put", ADDRESS, "-", "data.bin"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    putting.stdin.take().unwrap().write_all(&bytes).unwrap();
    let put = putting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(put.stdout).unwrap(), "Wrote data.bin: 70000 bytes (created).\n");
    assert_eq!(site.held("data.bin").await.unwrap(), bytes);
    assert_eq!(site.run(&["get", ADDRESS, "data.bin"]).stdout, bytes);
    let out = site.bot().join("out.bin");
    insta::assert_snapshot!("get_into", site.told(&["get", ADDRESS, "data.bin", "-o", "out.bin"]));
    assert_eq!(fs::read(&out).unwrap(), bytes);
    insta::assert_snapshot!("get_into_again", site.told(&["get", ADDRESS, "a.md", "-o", "out.bin"]));
    assert_eq!(fs::read(&out).unwrap(), bytes);

    fs::write(&out, "small").unwrap();
    insta::assert_snapshot!("put_again", site.told(&["put", ADDRESS, "out.bin", "data.bin"]));
    insta::assert_snapshot!("put_where_a_folder_is", site.told(&["put", ADDRESS, "out.bin", "notes"]));
    insta::assert_snapshot!("put_a_folder", site.told(&["put", ADDRESS, ".", "x"]));
    insta::assert_snapshot!("put_nothing", site.told(&["put", ADDRESS, "gone.md", "x"]));
    insta::assert_snapshot!("rm_folder", site.told(&["rm", ADDRESS, "notes"]));
    insta::assert_snapshot!("rm", site.told(&["rm", ADDRESS, "notes", "-r"]));
    assert_eq!(site.held("notes/plan.md").await, None);
    site.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_carries_both_ways_and_the_second_has_nothing_to_do() {
    let site = site().await;
    // Neither a workspace nor a folder is there yet.
    insta::assert_snapshot!("sync_nothing", site.told(&["sync", ADDRESS, "../files"]));
    insta::assert_snapshot!("sync_nowhere", site.told(&["sync", ADDRESS, "../a/b/c"]));
    site.write_real("docs/a.md", "a");
    site.write_real("data.bin", [0, 159, 146, 150]);
    insta::assert_snapshot!("sync_first_dry", site.told(&["sync", ADDRESS, "../files", "--dry-run"]));
    assert_eq!(site.held("data.bin").await, None);
    insta::assert_snapshot!("sync_first", site.told(&["sync", ADDRESS, "../files"]));
    assert_eq!(site.held("data.bin").await.unwrap(), [0, 159, 146, 150]);

    site.agent_writes("docs/a.md", "a, by the agent").await;
    site.agent_writes("docs/new/b.md", "b").await;
    site.agent(Change::Delete { path: path("data.bin"), recursive: false }).await;
    site.write_real("docs/c.md", "c");
    insta::assert_snapshot!("sync_both_ways", site.told(&["sync", ADDRESS, "../files"]));
    let expected = [("docs/a.md", "a, by the agent"), ("docs/c.md", "c"), ("docs/new/b.md", "b")];
    let both: BTreeMap<_, _> = expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(tree(&site.real("")), both);
    for (name, text) in expected {
        assert_eq!(site.held(name).await.unwrap(), text.as_bytes());
    }
    let before = fs::metadata(site.real("docs/a.md")).unwrap().modified().unwrap();
    for _ in 0..2 {
        let again = site.json(&["sync", ADDRESS, "../files", "--json"]);
        assert_eq!((&again["changes"], &again["same"]), (&serde_json::json!([]), &serde_json::json!(3)));
    }
    insta::assert_snapshot!("sync_again", site.told(&["sync", ADDRESS, "../files"]));
    assert_eq!(fs::metadata(site.real("docs/a.md")).unwrap().modified().unwrap(), before);

    // A deletion is carried over too, and a folder goes with its last file.
    fs::remove_file(site.real("docs/c.md")).unwrap();
    site.agent(Change::Delete { path: path("docs/new"), recursive: true }).await;
    let carried = site.json(&["sync", ADDRESS, "../files", "--json"]);
    let expected = serde_json::json!([
        { "path": "docs/c.md", "side": "workspace", "change": "deleted" },
        { "path": "docs/new/b.md", "side": "folder", "change": "deleted" },
    ]);
    assert_eq!(carried["changes"], expected);
    assert!(!site.real("docs/new").exists());
    assert_eq!(site.held("docs/c.md").await, None);
    site.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_named_and_left_alone_until_it_is_settled() {
    let site = site().await;
    site.write_real("plan.md", "1");
    site.write_real("gone.md", "1");
    assert!(site.run(&["sync", ADDRESS, "../files"]).status.success());
    site.write_real("plan.md", "mine");
    site.agent_writes("plan.md", "the agent's").await;
    fs::remove_file(site.real("gone.md")).unwrap();
    site.agent_writes("gone.md", "still of use").await;
    site.agent_writes("fine.md", "fine").await;
    for name in ["sync_conflict", "sync_conflict_again"] {
        insta::assert_snapshot!(name, site.told(&["sync", ADDRESS, "../files"]));
        assert_eq!(fs::read_to_string(site.real("plan.md")).unwrap(), "mine");
        assert_eq!(site.held("plan.md").await.unwrap(), b"the agent's");
        assert_eq!(site.held("gone.md").await.unwrap(), b"still of use");
    }
    assert!(!site.real("gone.md").exists());
    assert_eq!(site.json(&["sync", ADDRESS, "../files", "--json"])["conflicts"][0]["path"], "gone.md");

    // As the page of the error says.
    assert!(site.run(&["put", ADDRESS, "../files/plan.md", "plan.md"]).status.success());
    fs::write(site.real("gone.md"), site.run(&["get", ADDRESS, "gone.md"]).stdout).unwrap();
    assert!(site.run(&["sync", ADDRESS, "../files"]).status.success());
    assert_eq!(site.held("plan.md").await.unwrap(), b"mine");
    site.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_or_written_outside_of_the_folder() {
    let site = site().await;
    let outside = site.all.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    site.write_real("kept.md", "kept");
    symlink("../outside", site.real("link")).unwrap();
    symlink("../outside/secret", site.real("secret.md")).unwrap();
    insta::assert_snapshot!("sync_links", site.told(&["sync", ADDRESS, "../files"]));
    assert_eq!(site.held("link/secret").await, None);
    assert_eq!(site.held("secret.md").await, None);

    // The agent would like to write through them, into Git's folder, and over what was a file when it was last seen.
    for name in ["link/secret", "link/new", "secret.md", ".git/hooks/pre-commit", "sub/.git/config"] {
        site.agent_writes(name, "mine").await;
    }
    site.agent_writes("kept.md", "by the agent").await;
    fs::remove_file(site.real("kept.md")).unwrap();
    symlink("../outside/secret", site.real("kept.md")).unwrap();
    insta::assert_snapshot!("sync_through_links", site.told(&["sync", ADDRESS, "../files"]));
    assert_eq!(tree(&outside), BTreeMap::from([("secret".to_owned(), "secret".to_owned())]));
    assert_eq!(tree(&site.real("")).len(), 3, "{:?}", tree(&site.real("")));

    // The gateway's own data is no folder for an agent.
    for folder in [".", ".reveille", ".reveille/instances", ".."] {
        let refused = site.run(&["sync", ADDRESS, folder]);
        assert_eq!(refused.status.code(), Some(1), "{folder}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("the gateway's own data"), "{folder}");
    }
    site.journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_or_missing_folder_is_not_taken_for_deleted_files() {
    let site = site().await;
    site.write_real("a.md", "a");
    site.write_real("b/c.md", "c");
    assert!(site.run(&["sync", ADDRESS, "../files"]).status.success());
    fs::remove_dir_all(site.real("")).unwrap();
    insta::assert_snapshot!("sync_missing", site.told(&["sync", ADDRESS, "../files"]));
    fs::create_dir(site.real("")).unwrap();
    insta::assert_snapshot!("sync_emptied", site.told(&["sync", ADDRESS, "../files"]));
    assert_eq!(site.held("a.md").await.unwrap(), b"a");
    insta::assert_snapshot!("sync_delete_all", site.told(&["sync", ADDRESS, "../files", "--delete-all"]));
    assert_eq!(site.held("a.md").await, None);
    site.journal.close().await;
}
