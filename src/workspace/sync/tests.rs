//! Both sides come to hold the same, nothing is lost, and a second time there is nothing to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use reveille_channel::InstanceId;
use tempfile::TempDir;

use super::super::{Change, Quotas, Workspaces};
use super::*;

type Texts = BTreeMap<WorkspacePath, ContentHash>;

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

fn texts(files: &[(&str, &str)]) -> Texts {
    files.iter().map(|(name, text)| (path(name), ContentHash::of(text.as_bytes()))).collect()
}

fn planned(base: &[(&str, &str)], workspace: &[(&str, &str)], folder: &[(&str, &str)]) -> Plan {
    let state = SyncState { files: texts(workspace), base: texts(base) };
    plan(&state, &FolderFiles { files: texts(folder), unknown: BTreeMap::new() })
}

/// The plan in words.
fn told(plan: &Plan) -> Vec<String> {
    let kind = |step: &Step| match (step.replaced(), step.agreed()) {
        (None, _) => "+",
        (_, None) => "-",
        _ => "~",
    };
    let step = |step: &Step| match step.towards {
        Towards::Neither => format!("= {}", step.path),
        Towards::Folder => format!("folder {}{}", kind(step), step.path),
        Towards::Workspace => format!("workspace {}{}", kind(step), step.path),
    };
    let conflict = |conflict: &Conflict| format!("! {}: {}", conflict.path, conflict.reason);
    plan.steps.iter().map(step).chain(plan.conflicts.iter().map(conflict)).collect()
}

#[test]
fn what_changed_on_one_side_is_carried_to_the_other_and_what_goes_goes_first() {
    let base = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("same", "1"), ("gone", "1")];
    let workspace = [("a", "2"), ("b", "1"), ("d", "1"), ("same", "1"), ("new", "w"), ("both", "x")];
    let folder = [("a", "1"), ("b", "2"), ("c", "1"), ("same", "1"), ("dir/new", "f"), ("both", "x")];
    let plan = planned(&base, &workspace, &folder);
    assert_eq!(
        told(&plan),
        [
            "folder -c",
            "workspace -d",
            "= gone",
            "folder ~a",
            "workspace ~b",
            "= both",
            "workspace +dir/new",
            "folder +new"
        ]
    );
    assert_eq!(plan.same, 2);
}

#[test]
fn what_changed_on_both_sides_is_named_and_left_alone() {
    let base = [("a", "1"), ("b", "1"), ("c", "1")];
    let plan = planned(&base, &[("a", "2"), ("b", "2"), ("n", "2")], &[("a", "3"), ("c", "3"), ("n", "3")]);
    assert_eq!(
        told(&plan),
        [
            "! a: it was changed on both sides, and differs",
            "! b: it was changed in the workspace and deleted in the folder",
            "! c: it was deleted in the workspace and changed in the folder",
            "! n: it is new on both sides, and differs",
        ]
    );
}

#[test]
fn a_file_has_no_place_where_a_folder_is_and_beside_a_twin() {
    let plan = planned(
        &[],
        &[("a", "1"), ("b/c", "1"), ("R.md", "1"), ("S/x", "1")],
        &[("a/b", "2"), ("b", "2"), ("r.md", "2"), ("s/y", "2")],
    );
    assert_eq!(
        told(&plan),
        [
            "! R.md: in the folder `r.md` differs from it in case alone",
            "! S/x: in the folder `s` differs from `S` in case alone",
            "! a: in the folder `a` is a folder",
            "! a/b: in the workspace `a` is a file",
            "! b: in the workspace `b` is a folder",
            "! b/c: in the folder `b` is a file",
            "! r.md: in the workspace `R.md` differs from it in case alone",
            "! s/y: in the workspace `S` differs from `s` in case alone",
        ]
    );
    // What goes makes room, in one step.
    assert_eq!(told(&planned(&[("R", "1")], &[("R", "1")], &[("r", "1")])), ["workspace -R", "workspace +r"]);
    assert_eq!(told(&planned(&[("a", "1")], &[("a/b", "1")], &[("a", "1")])), ["folder -a", "folder +a/b"]);
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_deleted() {
    let unknown = BTreeMap::from([("l".to_owned(), "is a link".to_owned()), ("k".to_owned(), "is a link".to_owned())]);
    let state = SyncState {
        files: texts(&[("l", "1"), ("k/a", "2"), ("k/b", "1"), ("k.md", "1")]),
        base: texts(&[("l", "1"), ("k/a", "1"), ("k/b", "1"), ("k/gone", "1")]),
    };
    let plan = plan(&state, &FolderFiles { files: BTreeMap::new(), unknown });
    assert_eq!(
        told(&plan),
        [
            "folder +k.md",
            "! k/a: it was changed in the workspace, and in the folder `k` is a link",
            "! k/gone: it was changed in the workspace, and in the folder `k` is a link",
        ]
    );
}

#[test]
fn nothing_comes_into_gits_own_folder() {
    let plan = planned(
        &[],
        &[(".git/config", "1"), ("a/.GIT/hooks/x", "1"), (".gitignore", "1"), (".g\u{200d}it/x", "1")],
        &[],
    );
    assert_eq!(told(&plan), ["folder +.gitignore"]);
    assert_eq!(plan.kept_out.len(), 3);
    // Nor out of it.
    assert_eq!(told(&planned(&[], &[], &[(".git/config", "1"), (".reveille-sync-1-1.tmp", "1")])), [""; 0]);
}

/// Does what the plan says, to maps.
fn carried(plan: &Plan, state: &mut SyncState, folder: &mut FolderFiles) {
    fn set(side: &mut Texts, step: &Step) {
        match step.agreed() {
            Some(hash) => side.insert(step.path.clone(), hash),
            None => side.remove(&step.path),
        };
    }
    for step in &plan.steps {
        match step.towards {
            Towards::Folder => set(&mut folder.files, step),
            Towards::Workspace => set(&mut state.files, step),
            Towards::Neither => {}
        }
        set(&mut state.base, step);
    }
}

fn some_files() -> impl Strategy<Value = Texts> {
    let name = prop_oneof!["a", "b", "A", "a/b", "a/c", "b/a", "B/x", "c"].prop_map(|name| path(&name));
    let text = prop_oneof!["1", "2", "3"].prop_map(|text| ContentHash::of(text.as_bytes()));
    proptest::collection::btree_map(name, text, 0..7)
}

proptest! {
    #[test]
    fn both_sides_agree_afterwards_but_for_conflicts_and_the_second_time_does_nothing(
        base in some_files(), files in some_files(), held in some_files()
    ) {
        let (mut state, mut folder) = (SyncState { files, base }, FolderFiles { files: held, ..FolderFiles::default() });
        let (state_before, folder_before) = (state.clone(), folder.clone());
        let first = plan(&state, &folder);
        carried(&first, &mut state, &mut folder);
        let left: std::collections::BTreeSet<_> = first.conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        for path in state.files.keys().chain(folder.files.keys()) {
            if left.contains(path) {
                prop_assert_eq!(state.files.get(path), state_before.files.get(path));
                prop_assert_eq!(folder.files.get(path), folder_before.files.get(path));
            } else {
                prop_assert_eq!(state.files.get(path), folder.files.get(path));
            }
        }
        // Nothing that was on one side alone is lost without having been there when both were the same.
        for (path, hash) in state_before.files.iter().chain(&folder_before.files) {
            let is_kept = state.files.get(path) == Some(hash) || folder.files.get(path) == Some(hash);
            prop_assert!(is_kept || state_before.base.get(path) == Some(hash));
        }
        let second = plan(&state, &folder);
        prop_assert!(second.steps.is_empty(), "{:?}", second);
        prop_assert_eq!(second.conflicts.len(), first.conflicts.len());
    }
}

struct Site {
    _folder: TempDir,
    workspace: Arc<Workspace>,
}

async fn site(quotas: Quotas, files: &[(&str, &str)]) -> Site {
    let folder = TempDir::new().unwrap();
    let workspace = Workspaces::new(folder.path(), quotas).of(InstanceId::of("one"));
    for (name, text) in files {
        let write = Change::Write { path: path(name), bytes: text.as_bytes().to_vec() };
        workspace.apply(None, 1, &write).await.unwrap();
    }
    Site { _folder: folder, workspace }
}

fn settling(name: &str, found: Option<&str>, to: Settle) -> Settling {
    Settling { path: path(name), found: found.map(|text| ContentHash::of(text.as_bytes())), to }
}

fn bytes(text: &str) -> Settle {
    Settle::Write(text.as_bytes().to_vec())
}

#[tokio::test]
async fn what_is_agreed_is_made_and_noted_together_and_what_changed_meanwhile_is_left() {
    let site = site(Quotas::default(), &[("a", "1"), ("b", "1"), ("c", "1"), ("dir/x", "1")]).await;
    let all = [
        settling("a", Some("1"), bytes("2")),
        settling("b", Some("0"), bytes("2")),
        settling("c", Some("1"), Settle::Delete),
        settling("new", None, bytes("n")),
        settling("dir", None, bytes("n")),
        settling("A", None, bytes("n")),
        settling("dir/x", Some("1"), Settle::Note),
        settling("never", None, Settle::Note),
        // Changed after it was carried: the note is of what was carried.
        settling("b", Some("0"), Settle::Note),
    ];
    let left = site.workspace.settle("/f", 2, &all).await.unwrap();
    let left: Vec<_> = left.iter().map(|(path, error)| format!("{path}: {error}")).collect();
    assert_eq!(
        left,
        [
            "b: `b` was changed meanwhile",
            "dir: `dir` is a folder",
            "A: `A` and `a` differ in case alone, and many systems cannot have both: use the one that is there"
        ]
    );
    let state = site.workspace.sync_state("/f").await.unwrap();
    assert_eq!(state.files, texts(&[("a", "2"), ("b", "1"), ("dir/x", "1"), ("new", "n")]));
    assert_eq!(state.base, texts(&[("a", "2"), ("b", "0"), ("dir/x", "1"), ("new", "n")]));
    assert_eq!(site.workspace.sync_state("/other").await.unwrap().base, BTreeMap::new());
    // Gone on both sides: so is the note.
    site.workspace.settle("/f", 3, &[settling("new", Some("n"), Settle::Delete)]).await.unwrap();
    assert_eq!(site.workspace.sync_state("/f").await.unwrap().base.len(), 3);
    super::super::tests::assert_counted(&site.workspace).await;
}

#[tokio::test]
async fn files_for_which_there_is_no_room_are_left_and_leave_no_bytes_behind() {
    let quotas = Quotas { bytes: 20, file_bytes: 10, files: 3, snapshots: 1 };
    let site = site(quotas, &[("a", "1234567890")]).await;
    let all = [
        settling("b", None, bytes("12345678901")),
        settling("c", None, bytes("234567890")),
        settling("d", None, bytes("1")),
        settling("e", None, bytes("2")),
        settling("f", None, bytes("3")),
    ];
    let left = site.workspace.settle("/f", 2, &all).await.unwrap();
    let left: Vec<_> = left.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(left, ["b", "c", "f"]);
    super::super::tests::assert_counted(&site.workspace).await;
}

#[tokio::test]
async fn nothing_is_made_where_there_is_nothing_to_note_and_old_folders_are_forgotten() {
    let empty = site(Quotas::default(), &[]).await;
    assert_eq!(empty.workspace.settle("/f", 1, &[]).await.unwrap().len(), 0);
    assert_eq!(empty.workspace.sync_state("/f").await.unwrap(), SyncState::default());
    assert!(empty.workspace.reader().await.unwrap().is_none());

    let site = site(Quotas::default(), &[("a", "1")]).await;
    let note = [settling("a", Some("1"), Settle::Note)];
    for number in 0..=FOLDERS_KEPT {
        site.workspace.settle(&format!("/{number}"), number, &note).await.unwrap();
    }
    assert_eq!(site.workspace.sync_state("/0").await.unwrap().base.len(), 0);
    assert_eq!(site.workspace.sync_state("/1").await.unwrap().base.len(), 1);
}
