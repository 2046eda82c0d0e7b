//! `reveille instances files sync`: a workspace and a real folder come to hold the same.
//!
//! The plan is made from hashes (`workspace::plan`). A file is carried only while the side that changes is as it was found,
//! and is noted as the same once it is durable on both sides, in batches. So a sync may end anywhere: the next one goes on.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{Code, Failure};
use super::super::journal::count;
use super::super::listing::{Cell, Listing, Tone};
use super::super::output::Output;
use super::folder::{Folder, Left};
use super::scan::{Named, Scanned, scan};
use crate::clock::{Clock, SystemClock};
use crate::workspace::{
    ChangeKind, ContentHash, Plan, Settle, Settling, Step, SyncState, Towards, Workspace, WorkspaceError,
    WorkspacePath, plan,
};

/// What is noted at once: as many files, or as many bytes that go into the workspace.
const BATCH_FILES: usize = 256;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Between how many files a person hears how far it is.
const TOLD_EVERY: usize = 50;

/// What is asked.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) dir: &'a Path,
    /// The gateway's own data.
    pub(super) data: &'a Path,
    pub(super) dry_run: bool,
    pub(super) delete_all: bool,
}

/// A file that was carried over.
#[derive(Debug, Serialize)]
struct Carried {
    path: String,
    /// `folder` or `workspace`: the side that changed.
    side: &'static str,
    change: ChangeKind,
}

/// What came of it, as `--json` has it. The names stay.
#[derive(Debug, Serialize)]
struct Report {
    folder: String,
    dry_run: bool,
    changes: Vec<Carried>,
    conflicts: Vec<Named>,
    failed: Vec<Named>,
    skipped: Vec<Named>,
    /// How many files were the same before.
    same: usize,
}

pub(super) async fn run(
    context: &mut Context,
    workspace: &Workspace,
    wanted: &Wanted<'_>,
    json: bool,
) -> Result<(), Failure> {
    let (path, is_there) = place(wanted)?;
    let Some(name) = path.to_str().map(str::to_owned) else {
        return Err(refused(wanted.dir, "its path is not UTF-8", "name a folder whose whole path is text"));
    };
    let state = workspace.sync_state(&name).await?;
    let mut progress = Progress { output: &mut context.output, is_shown: !json };
    let mut folder = open(wanted, &path, is_there, &state)?;
    let mut scanned = match &folder {
        None => Scanned::default(),
        Some(folder) => scan(folder, workspace.quotas(), !wanted.dry_run, &mut |read| {
            progress.tell(read, &format!("Reading the folder: {}", count(read, "file")));
        })
        .map_err(|error| {
            refused(wanted.dir, &error.to_string(), "choose a folder that you can read, with fewer files")
        })?,
    };
    let plan = plan(&state, &scanned.held);
    if !wanted.delete_all {
        stop_before_all_is_deleted(wanted.dir, &plan, &state, &scanned)?;
    }
    let mut report = Report {
        folder: name,
        dry_run: wanted.dry_run,
        changes: Vec::new(),
        conflicts: plan.conflicts.iter().map(|one| named(&one.path, &one.reason)).collect(),
        failed: std::mem::take(&mut scanned.failed),
        skipped: std::mem::take(&mut scanned.passed),
        same: plan.same,
    };
    let never = "Git's own folder is never carried";
    report.skipped.extend(plan.kept_out.iter().map(|path| named(path, never)));
    match &mut folder {
        Some(folder) if !wanted.dry_run => {
            let mut work = Work { workspace, folder, scanned: &scanned, report: &mut report, batch: Batch::default() };
            work.carry(&plan.steps, &mut progress).await?;
        }
        _ => report.changes.extend(plan.steps.iter().filter_map(carried)),
    }
    progress.end();
    show(&mut context.output, &report, json)?;
    let left = report.conflicts.len() + report.failed.len();
    if left > 0 {
        let what = format!("{} left alone: the folder and the workspace differ there", count(left, "file"));
        let help = "each is named above with its reason; `reveille explain RV0308` says how to go on";
        return Err(Failure::new(Code::Sync, what, help));
    }
    Ok(())
}

fn refused(dir: &Path, why: &str, help: &str) -> Failure {
    Failure::new(Code::Sync, format!("{} cannot be synced: {why}", dir.display()), help)
}

/// The folder's whole path, without links, and whether it is there.
fn place(wanted: &Wanted<'_>) -> Result<(PathBuf, bool), Failure> {
    let failed =
        |error: io::Error| refused(wanted.dir, &error.to_string(), "name a folder, or a name for one in a folder");
    let (path, is_there) = match fs::canonicalize(wanted.dir) {
        Ok(path) => (path, true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let whole = std::path::absolute(wanted.dir).map_err(failed)?;
            match (whole.parent(), whole.file_name()) {
                (Some(above), Some(name)) => (fs::canonicalize(above).map_err(failed)?.join(name), false),
                _ => return Err(failed(error)),
            }
        }
        Err(error) => return Err(failed(error)),
    };
    let data = fs::canonicalize(wanted.data).unwrap_or_else(|_| wanted.data.to_owned());
    if path.starts_with(&data) || data.starts_with(&path) {
        let why = format!("the gateway's own data, in {}, would be among it", data.display());
        return Err(refused(wanted.dir, &why, "choose a folder beside it, such as `../files`"));
    }
    Ok((path, is_there))
}

/// Opens the folder, or makes it where it was never met. `None`: there is none, and it is not to be made.
fn open(wanted: &Wanted<'_>, path: &Path, is_there: bool, state: &SyncState) -> Result<Option<Folder>, Failure> {
    let failed =
        |error: io::Error| refused(wanted.dir, &error.to_string(), "choose a folder that you can read and write");
    if !is_there {
        if !state.base.is_empty() {
            let why = format!("it is not there, and held {} at the last sync", count(state.base.len(), "file"));
            return Err(refused(
                wanted.dir,
                &why,
                "is its disk mounted? If all of its files are to be deleted, make the folder and say `--delete-all`",
            ));
        }
        if wanted.dry_run {
            return Ok(None);
        }
        fs::create_dir(path).map_err(failed)?;
    }
    Folder::open(path).map(Some).map_err(failed)
}

/// A disk that is not mounted looks like a folder whose files were all deleted.
fn stop_before_all_is_deleted(dir: &Path, plan: &Plan, state: &SyncState, scanned: &Scanned) -> Result<(), Failure> {
    let is_nothing_there = scanned.held.files.is_empty() && scanned.held.unknown.is_empty();
    for (is_empty, towards, side, other) in [
        (is_nothing_there, Towards::Workspace, "the folder", "the workspace"),
        (state.files.is_empty(), Towards::Folder, "the workspace", "the folder"),
    ] {
        let deleted = plan.steps.iter().filter(|step| step.towards == towards && step.agreed().is_none()).count();
        if is_empty && deleted > 0 {
            let why = format!("{side} has no files any more, and {other} would lose {}", count(deleted, "file"));
            return Err(refused(dir, &why, "if all of them are to be deleted, say `--delete-all`"));
        }
    }
    Ok(())
}

fn named(path: &WorkspacePath, reason: &str) -> Named {
    Named { path: path.to_string(), reason: reason.to_owned() }
}

/// The step, as it is reported; `None` where nobody sees it.
fn carried(step: &Step) -> Option<Carried> {
    let side = match step.towards {
        Towards::Folder => "folder",
        Towards::Workspace => "workspace",
        Towards::Neither => return None,
    };
    let change = match (step.replaced(), step.agreed()) {
        (None, _) => ChangeKind::Created,
        (_, None) => ChangeKind::Deleted,
        _ => ChangeKind::Changed,
    };
    Some(Carried { path: step.path.to_string(), side, change })
}

/// What is to be noted.
#[derive(Debug, Default)]
struct Batch {
    settling: Vec<Settling>,
    carried: Vec<Carried>,
    bytes: usize,
    /// Files of the folder that changed.
    written: Vec<WorkspacePath>,
}

struct Work<'a> {
    workspace: &'a Workspace,
    folder: &'a mut Folder,
    scanned: &'a Scanned,
    report: &'a mut Report,
    batch: Batch,
}

impl Work<'_> {
    /// Does what was planned, in its order.
    async fn carry(&mut self, steps: &[Step], progress: &mut Progress<'_>) -> Result<(), Failure> {
        for (number, step) in steps.iter().enumerate() {
            progress.tell(number, &format!("Carrying over: {number} of {}", count(steps.len(), "file")));
            match self.prepare(step).await? {
                Ok(to) => {
                    if let Settle::Write(bytes) = &to {
                        self.batch.bytes += bytes.len();
                    }
                    if step.towards == Towards::Folder {
                        self.batch.written.push(step.path.clone());
                    }
                    let found = step.workspace;
                    self.batch.settling.push(Settling { path: step.path.clone(), found, to });
                    self.batch.carried.extend(carried(step));
                }
                Err(left) => self.report.failed.push(named(&step.path, &left.to_string())),
            }
            if self.batch.settling.len() >= BATCH_FILES || self.batch.bytes >= BATCH_BYTES {
                self.settle().await?;
            }
        }
        self.settle().await
    }

    /// Changes the folder, or reads from it what the workspace comes to hold.
    async fn prepare(&mut self, step: &Step) -> Result<Result<Settle, Left>, Failure> {
        let stamp = self.scanned.stamps.get(&step.path).copied();
        let done = match (step.towards, step.agreed()) {
            (Towards::Neither, _) => Ok(Settle::Note),
            (Towards::Workspace, None) => Ok(Settle::Delete),
            (Towards::Workspace, Some(hash)) => {
                let read = self.folder.read(&step.path, self.workspace.quotas().file_bytes);
                read.and_then(|(bytes, _)| {
                    if ContentHash::of(&bytes) == hash { Ok(Settle::Write(bytes)) } else { Err(Left::Changed) }
                })
            }
            (Towards::Folder, None) => match stamp {
                Some(stamp) => self.folder.remove(&step.path, stamp).map(|()| Settle::Note),
                None => Err(Left::Changed),
            },
            (Towards::Folder, Some(hash)) => match self.workspace.read(&step.path).await {
                Ok(content) if ContentHash::of(&content.bytes) == hash => {
                    self.folder.write(&step.path, &content.bytes, stamp).map(|()| Settle::Note)
                }
                Ok(_) | Err(WorkspaceError::Missing(_) | WorkspaceError::IsFolder(_)) => Err(Left::Changed),
                Err(error) => return Err(error.into()),
            },
        };
        Ok(done)
    }

    /// Notes what is durable on both sides.
    async fn settle(&mut self) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.batch);
        self.folder.settle(batch.written.iter()).map_err(|error| {
            let help = "what was done is not noted; see that the disk is well, then sync again";
            refused(self.folder.path(), &format!("what was written is not durable: {error}"), help)
        })?;
        let name = self.report.folder.clone();
        let left = self.workspace.settle(&name, SystemClock.now_ms(), &batch.settling).await?;
        let kept: BTreeSet<&str> = left.iter().map(|(path, _)| path.as_str()).collect();
        self.report.changes.extend(batch.carried.into_iter().filter(|one| !kept.contains(one.path.as_str())));
        self.report.failed.extend(left.iter().map(|(path, error)| named(path, &error.to_string())));
        Ok(())
    }
}

/// How far it is, for a person at a terminal.
struct Progress<'a> {
    output: &'a mut Output,
    is_shown: bool,
}

impl Progress<'_> {
    fn tell(&mut self, number: usize, text: &str) {
        if self.is_shown && number > 0 && number.is_multiple_of(TOLD_EVERY) {
            // Whoever cannot see it misses nothing.
            let _ = self.output.clear_line().and_then(|()| self.output.aside(text));
        }
    }

    fn end(&mut self) {
        if self.is_shown {
            let _ = self.output.clear_line();
        }
    }
}

fn show(output: &mut Output, report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        output.json(report)?;
        return Ok(());
    }
    let mut listing = Listing::new(&["CHANGED SIDE", "HOW", "PATH"]);
    for one in &report.changes {
        let (how, tone) = match one.change {
            ChangeKind::Created => ("created", Tone::Good),
            ChangeKind::Deleted => ("deleted", Tone::Doubtful),
            ChangeKind::Changed | ChangeKind::Same => ("changed", Tone::Plain),
        };
        listing.row([one.side.into(), Cell::new(how, tone), one.path.clone().into()]);
    }
    if !report.changes.is_empty() {
        output.listing(&listing)?;
    }
    for (head, all) in [("conflict", &report.conflicts), ("not carried", &report.failed), ("skipped", &report.skipped)]
    {
        for one in all {
            output.line(format!("{head}: {}: {}", one.path, one.reason))?;
        }
    }
    let same = match report.same {
        0 => String::new(),
        1 => " 1 file was the same already.".to_owned(),
        same => format!(" {same} files were the same already."),
    };
    let changes = count(report.changes.len(), "file");
    let done = match (report.changes.len(), report.dry_run) {
        (0, _) if report.conflicts.len() + report.failed.len() > 0 => "Nothing else is to be done.".to_owned(),
        (0, _) if report.same == 0 => "There are no files on either side.".to_owned(),
        (0, _) => "Nothing to do.".to_owned(),
        (_, true) => format!("{changes} would be carried over; nothing was done."),
        (_, false) => format!("{changes} carried over."),
    };
    output.line(format!("{done}{same}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn how_far_it_is_is_told_to_a_person_and_leaves_no_trace() {
        let told = |output: fn(Paper) -> Output, is_shown: bool| {
            let paper = Paper::default();
            let mut output = output(paper.clone());
            let mut progress = Progress { output: &mut output, is_shown };
            for number in 0..120 {
                progress.tell(number, &number.to_string());
            }
            progress.end();
            output.flush().unwrap();
            let printed = paper.0.lock().unwrap().clone();
            String::from_utf8(printed).unwrap()
        };
        let clear = "\r\u{1b}[2K";
        assert_eq!(told(Output::terminal, true), format!("{clear}50{clear}100{clear}"));
        assert_eq!(told(Output::terminal, false), "");
        assert_eq!(told(Output::plain, true), "");
    }
}
