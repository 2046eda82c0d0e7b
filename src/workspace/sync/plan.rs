//! What is to be carried where, so that the files and a folder come to hold the same: decided from hashes alone, with
//! nothing touched.
//!
//! A file that changed on one side since both were last the same is carried to the other; so is a deletion. What changed on
//! both sides, and differs, is a conflict: it is named, and left alone on both.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ContentHash, SyncState};
use crate::workspace::paths::{WorkspacePath, folded};

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderFiles {
    /// Its files.
    pub files: BTreeMap<WorkspacePath, ContentHash>,
    /// What cannot be looked at, and why: a link, a file or a folder. Of it and of what is below it nothing is known, so it is
    /// not taken for deleted.
    pub unknown: BTreeMap<String, String>,
}

/// Which side changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// The folder comes to hold what is here.
    Folder,
    /// The workspace comes to hold what is there.
    Workspace,
    /// Neither: both hold the same already, and only the note of it is old.
    Neither,
}

/// One file on which both sides come to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub path: WorkspacePath,
    /// Which side changes.
    pub towards: Towards,
    /// What the workspace holds now.
    pub workspace: Option<ContentHash>,
    /// What the folder holds now.
    pub folder: Option<ContentHash>,
}

impl Step {
    /// What both sides come to hold.
    #[must_use]
    pub fn agreed(&self) -> Option<ContentHash> {
        if self.towards == Towards::Workspace { self.folder } else { self.workspace }
    }

    /// What the side that changes holds now.
    #[must_use]
    pub fn replaced(&self) -> Option<ContentHash> {
        if self.towards == Towards::Workspace { self.workspace } else { self.folder }
    }
}

/// A file that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The file.
    pub path: WorkspacePath,
    /// Why.
    pub reason: String,
}

/// What is to be done, in this order: what goes makes room for what comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is carried over.
    pub steps: Vec<Step>,
    /// What is left alone, though the sides differ.
    pub conflicts: Vec<Conflict>,
    /// Files of the workspace that are never written into a folder.
    pub kept_out: Vec<WorkspacePath>,
    /// How many files both sides hold alike, before anything is done.
    pub same: usize,
}

/// The beginning of names under which a file is written before it gets its own.
pub const UNFINISHED: &str = ".reveille-sync-";

/// Whether a name in a folder is nobody's to carry: Git's own folder, in which a line can make Git run programs, and what a
/// sync that was cut off left behind.
#[must_use]
pub fn is_kept_out(segment: &str) -> bool {
    // Some disks read past these two, and past capitals.
    let plain = segment.replace(['\u{200c}', '\u{200d}'], "");
    plain.eq_ignore_ascii_case(".git") || plain.starts_with(UNFINISHED)
}

/// Decides.
#[must_use]
pub fn plan(state: &SyncState, folder: &FolderFiles) -> Plan {
    let mut plan = Plan::default();
    let paths: BTreeSet<&WorkspacePath> =
        state.base.keys().chain(state.files.keys()).chain(folder.files.keys()).collect();
    for path in paths {
        let base = state.base.get(path).copied();
        let (ours, theirs) = (state.files.get(path).copied(), folder.files.get(path).copied());
        if path.as_str().split('/').any(is_kept_out) {
            if ours.is_some() {
                plan.kept_out.push(path.clone());
            }
            continue;
        }
        if let Some(reason) = unknown(path, folder) {
            if ours != base {
                plan.conflicts.push(Conflict { path: path.clone(), reason });
            }
            continue;
        }
        let towards = match (ours, theirs) {
            (ours, theirs) if ours == theirs => {
                plan.same += usize::from(ours.is_some());
                if ours == base {
                    continue;
                }
                Towards::Neither
            }
            (_, theirs) if theirs == base => Towards::Folder,
            (ours, _) if ours == base => Towards::Workspace,
            (ours, theirs) => {
                let reason = match (ours, theirs, base) {
                    (None, ..) => "it was deleted in the workspace and changed in the folder",
                    (_, None, _) => "it was changed in the workspace and deleted in the folder",
                    (.., None) => "it is new on both sides, and differs",
                    _ => "it was changed on both sides, and differs",
                };
                plan.conflicts.push(Conflict { path: path.clone(), reason: reason.to_owned() });
                continue;
            }
        };
        plan.steps.push(Step { path: path.clone(), towards, workspace: ours, folder: theirs });
    }
    refuse_what_has_no_place(&mut plan, state, folder);
    plan.steps.sort_by_key(|step| step.agreed().is_some());
    plan
}

/// Why nothing is known of a path.
fn unknown(path: &WorkspacePath, folder: &FolderFiles) -> Option<String> {
    if let Some(reason) = folder.unknown.get(path.as_str()) {
        return Some(format!("it was changed in the workspace, and in the folder it {reason}"));
    }
    let above = path.folders().find_map(|above| folder.unknown.get_key_value(above));
    above.map(|(above, reason)| format!("it was changed in the workspace, and in the folder `{above}` {reason}"))
}

/// Files that would come where a folder is, below a file, or beside a name that differs in case alone, are conflicts.
fn refuse_what_has_no_place(plan: &mut Plan, state: &SyncState, folder: &FolderFiles) {
    for (towards, held, side) in
        [(Towards::Workspace, &state.files, "workspace"), (Towards::Folder, &folder.files, "folder")]
    {
        let changed = plan.steps.iter().filter(|step| step.towards == towards);
        let going: BTreeSet<&WorkspacePath> =
            changed.filter(|step| step.agreed().is_none()).map(|step| &step.path).collect();
        let mut names = Names::default();
        for path in held.keys().filter(|path| !going.contains(path)) {
            names.take(path);
        }
        let (steps, conflicts) = (&mut plan.steps, &mut plan.conflicts);
        steps.retain(|step| {
            if step.towards != towards || step.agreed().is_none() || step.replaced().is_some() {
                return true;
            }
            match names.clash(&step.path) {
                None => {
                    names.take(&step.path);
                    true
                }
                Some(clash) => {
                    let reason = format!("in the {side} {clash}");
                    conflicts.push(Conflict { path: step.path.clone(), reason });
                    false
                }
            }
        });
    }
    plan.conflicts.sort_by(|one, other| one.path.cmp(&other.path));
}

/// The names of one side without regard to case, as they are written, and whether a file has them.
#[derive(Debug, Default)]
struct Names(HashMap<String, (String, bool)>);

impl Names {
    fn take(&mut self, path: &WorkspacePath) {
        for above in path.folders() {
            self.0.entry(folded(above)).or_insert_with(|| (above.to_owned(), false));
        }
        self.0.entry(path.folded()).or_insert_with(|| (path.to_string(), true));
    }

    /// What is in the way of a new file.
    fn clash(&self, path: &WorkspacePath) -> Option<String> {
        if let Some((name, is_file)) = self.0.get(&path.folded()) {
            return Some(match (name == path.as_str(), is_file) {
                (true, false) => format!("`{name}` is a folder"),
                _ => format!("`{name}` differs from it in case alone"),
            });
        }
        path.folders().find_map(|above| {
            let (name, is_file) = self.0.get(&folded(above))?;
            match (name == above, is_file) {
                (true, false) => None,
                (true, true) => Some(format!("`{name}` is a file")),
                (false, _) => Some(format!("`{name}` differs from `{above}` in case alone")),
            }
        })
    }
}
