//! What a workspace promises: exactly once, within its quotas, and nothing half done.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use futures::future::join_all;
use tempfile::TempDir;

use super::*;

const INSTANCE: &str = "assistant/slack/T1/C1:1.2";

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

fn write(name: &str, bytes: impl AsRef<[u8]>) -> Change {
    Change::Write { path: path(name), bytes: bytes.as_ref().to_vec() }
}

fn edit(name: &str, old: &str, new: &str) -> Change {
    Change::Edit { path: path(name), old: old.into(), new: new.into(), all: false }
}

fn relocate(from: &str, to: &str, is_move: bool) -> Change {
    let (from, to, overwrite) = (path(from), path(to), false);
    if is_move { Change::Move { from, to, overwrite } } else { Change::Copy { from, to, overwrite } }
}

fn delete(name: &str) -> Change {
    Change::Delete { path: path(name), recursive: true }
}

fn small() -> Quotas {
    Quotas { bytes: 1_000, file_bytes: 400, files: 5, snapshots: 2 }
}

struct Site {
    folder: TempDir,
    workspace: Arc<Workspace>,
}

fn site(quotas: Quotas) -> Site {
    let folder = TempDir::new().unwrap();
    let workspace = Workspaces::new(folder.path(), quotas).of(InstanceId::of(INSTANCE));
    Site { folder, workspace }
}

impl Site {
    async fn apply(&self, change: Change) -> Result<Done, WorkspaceError> {
        self.workspace.apply(None, 1, &change).await
    }

    async fn all(&self) -> Vec<(String, String)> {
        all(&self.workspace).await
    }

    async fn said(&self, change: Change) -> String {
        let before = (self.all().await, self.workspace.usage().await.unwrap());
        let said = self.apply(change).await.unwrap_err().to_string();
        assert_eq!((self.all().await, self.workspace.usage().await.unwrap()), before, "{said}");
        said
    }
}

/// Every file with its text.
async fn all(workspace: &Workspace) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in workspace.list(None, true, usize::MAX).await.unwrap().entries {
        let bytes = workspace.read(&path(&entry.path)).await.unwrap().bytes;
        files.push((entry.path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    files
}

fn files<const N: usize>(files: [(&str, &str); N]) -> Vec<(String, String)> {
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec()
}

/// What counting everything anew comes to, against what the triggers counted.
pub(super) async fn assert_counted(workspace: &Workspace) {
    let pool = workspace.reader().await.unwrap().unwrap();
    let anew: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM file),
         coalesce((SELECT sum(octet_length(bytes)) FROM content), 0) + coalesce((SELECT sum(octet_length(path)) FROM file), 0)
         + coalesce((SELECT sum(octet_length(path)) FROM snapshot_file), 0)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let counted: (i64, i64) = sqlx::query_as("SELECT files, bytes FROM usage").fetch_one(pool).await.unwrap();
    assert_eq!(counted, anew);
    let unused: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM content WHERE uses <> (SELECT count(*) FROM file WHERE content = id)
         + (SELECT count(*) FROM snapshot_file WHERE content = id) OR uses = 0",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(unused, 0);
}

#[tokio::test]
async fn nothing_is_made_before_the_first_file() {
    let site = site(Quotas::default());
    assert_eq!(site.all().await, files([]));
    assert!(matches!(site.workspace.read(&path("a")).await, Err(WorkspaceError::Missing(_))));
    for change in [edit("a", "x", "y"), delete("a"), relocate("a", "b", true), Change::Rollback { name: "s".into() }] {
        site.apply(change).await.unwrap_err();
    }
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 0);
    site.apply(write("a/b.md", "hi")).await.unwrap();
    let id = InstanceId::of(INSTANCE).to_string();
    let (first, rest) = id.split_at(2);
    let file = site.folder.path().join(format!("instances/{first}/{}/{id}.files.db", rest.split_at(2).0));
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn files_are_written_read_changed_moved_and_deleted() {
    let site = site(Quotas::default());
    let done = site.apply(write("notes/plan.md", "one\ntwo\n")).await.unwrap();
    assert_eq!(done.files, [Touched { path: "notes/plan.md".into(), change: ChangeKind::Created, bytes: 8 }]);
    site.apply(Change::Append { path: path("notes/plan.md"), bytes: b"three\n".to_vec() }).await.unwrap();
    site.apply(edit("notes/plan.md", "two", "2")).await.unwrap();
    let patch = "--- a/notes/plan.md\n+++ b/notes/plan.md\n@@ -1,2 +1,2 @@\n-one\n+1\n 2\n--- /dev/null\n+++ b/new.md\n@@ -0,0 +1 @@\n+hi\n";
    site.apply(Change::Patch { patch: patch.into() }).await.unwrap();
    site.apply(write("data.bin", [0, 159, 146, 150])).await.unwrap();
    site.apply(relocate("notes", "archive/2026", true)).await.unwrap();
    site.apply(relocate("archive/2026/plan.md", "copy.md", false)).await.unwrap();
    site.apply(delete("new.md")).await.unwrap();
    let text = "1\n2\nthree\n";
    assert_eq!(
        site.all().await,
        files([("archive/2026/plan.md", text), ("copy.md", text), ("data.bin", "\0\u{fffd}\u{fffd}\u{fffd}")])
    );
    assert!(!site.workspace.read(&path("data.bin")).await.unwrap().is_text);
    assert_counted(&site.workspace).await;

    let top = site.workspace.list(None, false, 10).await.unwrap().entries;
    let seen: Vec<_> = top.iter().map(|entry| (entry.path.as_str(), entry.is_folder, entry.bytes)).collect();
    assert_eq!(seen, [("archive", true, 10), ("copy.md", false, 10), ("data.bin", false, 4)]);
    let listed = site.workspace.list(Some(&path("archive")), false, 10).await.unwrap().entries;
    assert_eq!(listed[0].path, "archive/2026");
    let globbed = site.workspace.glob("**/*.md", 1).await.unwrap();
    assert_eq!((globbed.count, globbed.entries[0].path.as_str()), (2, "archive/2026/plan.md"));
    assert!(matches!(site.workspace.glob("a[", 1).await, Err(WorkspaceError::Pattern(_))));
    assert_eq!(site.workspace.stat(&path("archive")).await.unwrap().files, 1);
}

#[tokio::test]
async fn what_cannot_be_done_says_why_and_changes_nothing() {
    let site = site(Quotas::default());
    for (name, text) in [("README.md", "x x\n"), ("src/main.rs", "fn main() {}\n"), ("bin", "\0")] {
        site.apply(write(name, text)).await.unwrap();
    }
    let page = [
        site.said(write("readme.md", "")).await,
        site.said(write("SRC/lib.rs", "")).await,
        site.said(write("src", "")).await,
        site.said(write("Src", "")).await,
        site.said(write("README.md/x", "")).await,
        site.said(write("readme.MD/x", "")).await,
        site.said(edit("README.md", "x", "y")).await,
        site.said(edit("README.md", "z", "y")).await,
        site.said(edit("bin", "z", "y")).await,
        site.said(edit("src", "z", "y")).await,
        site.said(Change::Append { path: path("src"), bytes: vec![1] }).await,
        site.said(Change::Delete { path: path("src"), recursive: false }).await,
        site.said(delete("gone")).await,
        site.said(relocate("src", "src/inner", true)).await,
        site.said(relocate("bin", "README.md", false)).await,
        site.said(relocate("bin", "src", true)).await,
        site.said(Change::Snapshot { name: "a b".into() }).await,
        site.said(Change::Rollback { name: "never".into() }).await,
        site.said(Change::Patch {
            patch: "--- /dev/null\n+++ b/ok.md\n@@ -0,0 +1 @@\n+ok\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-y\n+z\n".into(),
        })
        .await,
        site.said(Change::Patch { patch: "--- /dev/null\n+++ b/README.md\n@@ -0,0 +1 @@\n+ok\n".into() }).await,
    ];
    insta::assert_snapshot!(page.join("\n"));
    // Only the case changes: that is a move like another.
    site.apply(relocate("README.md", "readme.md", true)).await.unwrap();
    site.apply(relocate("src", "SRC", true)).await.unwrap();
    assert_eq!(site.workspace.list(None, false, 9).await.unwrap().entries[0].path, "SRC");
    assert_counted(&site.workspace).await;
}

#[tokio::test]
async fn a_quota_is_counted_with_the_change_and_refuses_it_whole() {
    let site = site(small());
    let big = "x".repeat(400);
    site.apply(write("a", &big)).await.unwrap();
    let said = site.said(write("b", "x".repeat(401))).await;
    assert_eq!(said, "`b` would have 401 bytes, and a file has 400 at most");
    let said = site.said(Change::Append { path: path("a"), bytes: vec![b'x'] }).await;
    assert_eq!(said, "`a` would have 401 bytes, and a file has 400 at most");
    site.apply(write("b", "y".repeat(400))).await.unwrap();
    let said = site.said(write("c", "z".repeat(400))).await;
    assert_eq!(said, "the workspace would hold 1203 bytes, and 1000 is the most: delete files or snapshots first");
    // A copy shares its content; its name counts.
    site.apply(relocate("a", "c", false)).await.unwrap();
    assert_eq!(site.workspace.usage().await.unwrap().bytes, 803);
    for name in ["d", "e"] {
        site.apply(write(name, "")).await.unwrap();
    }
    assert_eq!(
        site.said(write("f", "")).await,
        "the workspace would hold 6 files, and 5 is the most: delete some first"
    );
    let many: String = (0..9).map(|n| format!("--- /dev/null\n+++ b/n{n}\n@@ -0,0 +1 @@\n+{n}\n")).collect();
    assert!(site.said(Change::Patch { patch: many }).await.contains("would hold 14 files"));
    assert!(site.said(write("n".repeat(250).as_str(), "")).await.contains("files"));
    for name in ["one", "two"] {
        site.apply(Change::Snapshot { name: name.into() }).await.unwrap();
    }
    assert_eq!(
        site.said(Change::Snapshot { name: "three".into() }).await,
        "there are 2 snapshots, which is the most: delete one first"
    );
    // What a snapshot holds is not given back by deleting the file.
    let before = site.workspace.usage().await.unwrap().bytes;
    site.apply(delete("b")).await.unwrap();
    assert_eq!(site.workspace.usage().await.unwrap().bytes, before - 1);
    for name in ["one", "two"] {
        site.apply(Change::DeleteSnapshot { name: name.into() }).await.unwrap();
    }
    assert_eq!(site.workspace.usage().await.unwrap().bytes, 404);
    assert_counted(&site.workspace).await;
}

#[tokio::test]
async fn a_snapshot_brings_everything_back_and_a_diff_since_it_is_a_patch() {
    let site = site(Quotas::default());
    for (name, text) in [("a.md", "one\n"), ("b/c.md", "two\n"), ("gone.md", "bye\n"), ("Case", "x\n")] {
        site.apply(write(name, text)).await.unwrap();
    }
    let then = site.all().await;
    site.apply(Change::Snapshot { name: "then".into() }).await.unwrap();
    site.apply(edit("a.md", "one", "1")).await.unwrap();
    site.apply(delete("gone.md")).await.unwrap();
    // A folder where a file was, a file where a folder was, and a name that changed its case.
    site.apply(delete("b")).await.unwrap();
    site.apply(write("b", "now a file\n")).await.unwrap();
    site.apply(relocate("Case", "case", true)).await.unwrap();
    site.apply(write("empty", "")).await.unwrap();
    let now = site.all().await;
    let (diff, left_out) = site.workspace.diff_since("then", None, usize::MAX).await.unwrap();
    assert_eq!(left_out, 0);
    let (only, _) = site.workspace.diff_since("then", Some(&path("a.md")), usize::MAX).await.unwrap();
    assert_eq!(only, "diff --git a/a.md b/a.md\n--- a/a.md\n+++ b/a.md\n@@ -1 +1 @@\n-one\n+1\n");
    assert!(matches!(
        site.workspace.diff_since("then", Some(&path("never")), 9).await,
        Err(WorkspaceError::Missing(_))
    ));
    assert_eq!(site.workspace.diff_since("then", None, 1).await.unwrap().1, 6);

    let done = site.apply(Change::Rollback { name: "then".into() }).await.unwrap();
    assert_eq!(site.all().await, then);
    assert_eq!(done.count, 7, "{done:?}");
    assert_counted(&site.workspace).await;
    let plain = diff.split("diff --git ").filter(|part| part.contains("a.md") || part.contains("gone.md"));
    let patch: String = plain.map(|part| format!("diff --git {part}")).collect();
    site.apply(Change::Patch { patch }).await.unwrap();
    assert_eq!((site.all().await[1].clone(), now[0].1.as_str()), (now[0].clone(), "1\n"));
}

#[tokio::test]
async fn lines_are_found_and_what_was_not_searched_is_said() {
    let site = site(Quotas::default());
    for (name, text) in [
        ("a.md", "Alpha\r\nbeta alpha\n\nalpha"),
        ("src/a.rs", "let alpha = 1;\n// al\n// pha\n"),
        ("bin", "alpha\0"),
        ("empty", ""),
    ] {
        site.apply(write(name, text)).await.unwrap();
    }
    let base = Grep {
        pattern: "alpha".into(),
        literal: false,
        ignore_case: false,
        path: None,
        glob: None,
        most: 100,
        patience: Duration::from_secs(60),
    };
    let found = site.workspace.grep(&base).await.unwrap();
    let seen: Vec<_> = found.lines.iter().map(|line| (line.path.as_str(), line.number, line.text.as_str())).collect();
    assert_eq!(seen, [("a.md", 2, "beta alpha"), ("a.md", 4, "alpha"), ("src/a.rs", 1, "let alpha = 1;")]);
    assert_eq!((found.searched, found.binary, found.stopped), (3, 1, None));
    let count = async |grep: Grep| site.workspace.grep(&grep).await.unwrap().lines.len();
    assert_eq!(count(Grep { ignore_case: true, ..base.clone() }).await, 4);
    assert_eq!(count(Grep { pattern: "^alpha$".into(), ignore_case: true, ..base.clone() }).await, 2);
    assert_eq!(count(Grep { pattern: "al\\s+//\\s+pha".into(), ..base.clone() }).await, 0, "no line has both");
    assert_eq!(count(Grep { pattern: "a.*=".into(), literal: true, ..base.clone() }).await, 0);
    assert_eq!(count(Grep { path: Some(path("src")), ..base.clone() }).await, 1);
    assert_eq!(count(Grep { glob: Some("*.md".into()), ..base.clone() }).await, 2);
    assert_eq!(count(Grep { pattern: "$".into(), ..base.clone() }).await, 7);
    let cut = site.workspace.grep(&Grep { most: 2, ..base.clone() }).await.unwrap();
    assert_eq!((cut.lines.len(), cut.stopped), (2, Some("there are more lines than were asked for")));
    let late = site.workspace.grep(&Grep { patience: Duration::ZERO, ..base.clone() }).await.unwrap();
    assert_eq!((late.searched, late.stopped), (0, Some("the time for it ran out")));
    for pattern in ["(", "", "(?:x{1000}){1000}", "(?<=x)y"] {
        let refused = site.workspace.grep(&Grep { pattern: pattern.into(), ..base.clone() }).await;
        assert!(matches!(refused, Err(WorkspaceError::Pattern(_))), "{pattern}");
    }
    let nowhere = site.workspace.grep(&Grep { path: Some(path("none")), ..base }).await;
    assert!(matches!(nowhere, Err(WorkspaceError::Missing(_))));
}

/// One of each kind, in an order in which each has something to do.
fn one_of_each() -> Vec<Change> {
    let patch = "--- a/a.md\n+++ b/a.md\n@@ -1 +1,2 @@\n-2\n+2\n+3\n";
    vec![
        write("a.md", "1\n"),
        Change::Append { path: path("log"), bytes: b"line\n".to_vec() },
        edit("a.md", "1", "2"),
        Change::Patch { patch: patch.into() },
        relocate("a.md", "b.md", false),
        Change::Snapshot { name: "s".into() },
        relocate("b.md", "c/d.md", true),
        delete("log"),
        Change::Append { path: path("log"), bytes: b"again\n".to_vec() },
        Change::Rollback { name: "s".into() },
        Change::DeleteSnapshot { name: "s".into() },
    ]
}

#[tokio::test]
async fn a_change_is_made_once_for_its_key() {
    let site = site(Quotas::default());
    for (number, change) in one_of_each().iter().enumerate() {
        let key = format!("key-{number}");
        assert_eq!(site.workspace.done(&key).await.unwrap(), None);
        let first = site.workspace.apply(Some(&key), 1, change).await.unwrap();
        let (then, usage) = (site.all().await, site.workspace.usage().await.unwrap());
        for _ in 0..2 {
            assert_eq!(site.workspace.apply(Some(&key), 2, change).await.unwrap(), first);
        }
        assert_eq!((site.all().await, site.workspace.usage().await.unwrap()), (then, usage), "{change:?}");
        assert_eq!(site.workspace.done(&key).await.unwrap(), Some(first));
    }
    // Long after: other changes have come between, and the first is still not made again.
    let end = site.all().await;
    for (number, change) in one_of_each().iter().enumerate() {
        site.workspace.apply(Some(&format!("key-{number}")), 3, change).await.unwrap();
    }
    assert_eq!(site.all().await, end);
    let other = site.workspace.apply(Some("key-0"), 4, &write("a.md", "other")).await;
    assert!(matches!(other, Err(WorkspaceError::KeyReused)));
    // A change that failed left no trace under its key.
    site.workspace.apply(Some("fails"), 5, &delete("never")).await.unwrap_err();
    site.workspace.apply(Some("fails"), 5, &write("a.md", "now")).await.unwrap();
}

/// Makes the change that the environment names, and dies where it says. Without it, nothing.
#[tokio::test]
async fn dies_in_a_change() {
    let Ok(told) = std::env::var("WORKSPACE_DIES") else {
        return;
    };
    let mut told = told.split('|');
    let (folder, number, point) = (told.next().unwrap(), told.next().unwrap(), told.next().unwrap());
    let workspace = Workspaces::new(Path::new(folder), Quotas::default()).of(InstanceId::of(INSTANCE));
    fail::cfg(point, "return").unwrap();
    let change = &one_of_each()[number.parse::<usize>().unwrap()];
    let _ = workspace.apply(Some(&format!("key-{number}")), 1, change).await;
    unreachable!("it did not die at {point}");
}

#[tokio::test]
async fn a_change_that_was_cut_off_by_a_kill_is_made_once_when_it_is_tried_again() {
    let (killed, whole) = (site(Quotas::default()), site(Quotas::default()));
    for (number, change) in one_of_each().iter().enumerate() {
        let key = format!("key-{number}");
        for (point, is_done) in [("workspace::before_commit", false), ("workspace::after_commit", true)] {
            let told = format!("{}|{number}|{point}", killed.folder.path().display());
            let dead = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "workspace::tests::dies_in_a_change", "--nocapture"])
                .env("WORKSPACE_DIES", told)
                .output()
                .unwrap();
            assert_eq!(dead.status.signal(), Some(6), "{}", String::from_utf8_lossy(&dead.stdout));
            let found = Workspaces::new(killed.folder.path(), Quotas::default()).of(InstanceId::of(INSTANCE));
            assert_eq!(found.done(&key).await.unwrap().is_some(), is_done, "{change:?} {point}");
            found.close().await;
        }
        let again = Workspaces::new(killed.folder.path(), Quotas::default()).of(InstanceId::of(INSTANCE));
        let expected = whole.workspace.apply(Some(&key), 1, change).await.unwrap();
        assert_eq!(again.apply(Some(&key), 1, change).await.unwrap(), expected);
        assert_eq!(all(&again).await, whole.all().await, "{change:?}");
        assert_eq!(again.usage().await.unwrap(), whole.workspace.usage().await.unwrap());
        again.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_changes_while_writers_write() {
    let site = site(Quotas::default());
    site.apply(write("n/0", "0")).await.unwrap();
    // A second process, as the command line is one.
    let other = Workspaces::new(site.folder.path(), Quotas::default()).of(InstanceId::of(INSTANCE));
    let writing = async |workspace: &Workspace, name: &str| {
        for number in 0..20 {
            let patch = format!(
                "--- /dev/null\n+++ b/{name}/a{number}\n@@ -0,0 +1 @@\n+x\n--- /dev/null\n+++ b/{name}/b{number}\n@@ -0,0 +1 @@\n+x\n"
            );
            workspace.apply(Some(&format!("{name}{number}")), 1, &Change::Patch { patch }).await.unwrap();
        }
    };
    let reading = async || {
        for _ in 0..40 {
            let count = site.workspace.list(None, true, usize::MAX).await.unwrap().count;
            assert_eq!(count % 2, 1, "half a change was seen");
        }
    };
    let writers = join_all([writing(&site.workspace, "one"), writing(&other, "two")]);
    futures::join!(writers, reading(), reading());
    assert_eq!(site.workspace.usage().await.unwrap().files, 81);
    assert_counted(&site.workspace).await;
}

#[tokio::test]
async fn only_so_many_workspaces_are_kept_at_hand() {
    let folder = TempDir::new().unwrap();
    let workspaces = Workspaces::new(folder.path(), Quotas::default());
    for number in 0..KEPT * 2 {
        let workspace = workspaces.of(InstanceId::of(&format!("instance {number}")));
        workspace.apply(None, 1, &write("a", number.to_string())).await.unwrap();
    }
    assert_eq!(workspaces.kept.lock().unwrap().len(), KEPT);
    let first = workspaces.of(InstanceId::of("instance 0"));
    assert_eq!(first.read(&path("a")).await.unwrap().bytes, b"0");
}

#[tokio::test]
async fn files_of_a_later_version_are_left_alone() {
    let site = site(Quotas::default());
    site.apply(write("a", "x")).await.unwrap();
    sqlx::query("PRAGMA user_version = 7").execute(site.workspace.writer().await.unwrap()).await.unwrap();
    site.workspace.close().await;
    let again = Workspaces::new(site.folder.path(), Quotas::default()).of(InstanceId::of(INSTANCE));
    assert!(matches!(again.read(&path("a")).await, Err(WorkspaceError::Later(7))));
}
