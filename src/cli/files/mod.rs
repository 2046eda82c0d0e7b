//! `reveille instances files`: an instance's workspace from outside, beside a gateway that may be running.
//!
//! What is done here is the operator's doing: it takes the same rules for names and the same limits as the tools do, and no
//! record of the journal says so.

mod folder;
mod scan;
mod sync;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::context::Context;
use super::failure::{Code, Failure};
use super::journal::{self, wall_time};
use super::listing::{Cell, Listing, Tone};
use crate::clock::{Clock, SystemClock};
use crate::journal::embedded::reader::Reader;
use crate::workspace::{Change, ChangeKind, Entry, Quotas, Workspace, WorkspaceError, WorkspacePath, Workspaces};

/// What can be done with files. INSTANCE is an address, an id, or the beginning of an id.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// List a folder, or everything at the top
    Ls {
        /// Whose files: its address, its id, or the beginning of its id
        instance: String,
        /// The folder, or a file
        path: Option<String>,
        /// All files below it, too
        #[arg(short, long)]
        recursive: bool,
    },
    /// Print a file, or write it into a real one
    Get {
        /// Whose files: its address, its id, or the beginning of its id
        instance: String,
        /// The file
        path: String,
        /// Where it is written; it must not be there yet. Without one: the standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Put a real file into the workspace; one that is there is replaced
    Put {
        /// Whose files: its address, its id, or the beginning of its id
        instance: String,
        /// The real file; `-` is the standard input
        file: PathBuf,
        /// What it is called in the workspace
        path: String,
    },
    /// Delete a file, or a folder with all that is in it
    Rm {
        /// Whose files: its address, its id, or the beginning of its id
        instance: String,
        /// The file
        path: String,
        /// It may be a folder
        #[arg(short, long)]
        recursive: bool,
    },
    /// Keep the workspace and a real folder the same: changes and deletions are carried both ways, conflicts are left alone
    Sync {
        /// Whose files: its address, its id, or the beginning of its id
        instance: String,
        /// The folder; it is made if it is not there
        dir: PathBuf,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Also where a side has no files any more, and the other would lose all of its own
        #[arg(long)]
        delete_all: bool,
    },
}

impl Action {
    fn instance(&self) -> &str {
        match self {
            Self::Ls { instance, .. }
            | Self::Get { instance, .. }
            | Self::Put { instance, .. }
            | Self::Rm { instance, .. }
            | Self::Sync { instance, .. } => instance,
        }
    }
}

/// Options of all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// The most that are listed.
    pub(super) limit: Option<u32>,
    /// Whether JSON is printed.
    pub(super) json: bool,
}

/// A file or folder in `files ls --json`. The names stay.
#[derive(Debug, Serialize)]
struct Listed {
    path: String,
    kind: &'static str,
    bytes: u64,
    /// 1, or how many files are in the folder.
    files: u64,
    modified_ms: i64,
}

impl From<&Entry> for Listed {
    fn from(entry: &Entry) -> Self {
        let kind = if entry.is_folder { "folder" } else { "file" };
        let Entry { path, bytes, files, modified_ms, .. } = entry.clone();
        Self { path, kind, bytes, files, modified_ms }
    }
}

pub(super) async fn run(
    context: &mut Context,
    reader: &Reader,
    action: &Action,
    options: Options,
) -> Result<(), Failure> {
    let instance = journal::pick(reader, action.instance()).await?;
    let workspace = Workspaces::new(reader.folder(), Quotas::default()).of(instance.id);
    let outcome = match action {
        Action::Ls { path, recursive, .. } => list(context, &workspace, path.as_deref(), *recursive, options).await,
        Action::Get { path, output, .. } => get(context, &workspace, path, output.as_deref()).await,
        Action::Put { file, path, .. } => put(context, &workspace, file, path, options).await,
        Action::Rm { path, recursive, .. } => remove(context, &workspace, path, *recursive, options).await,
        Action::Sync { dir, dry_run, delete_all, .. } => {
            let wanted = sync::Wanted { dir, data: reader.folder(), dry_run: *dry_run, delete_all: *delete_all };
            sync::run(context, &workspace, &wanted, options.json).await
        }
    };
    // What was written ahead comes into the file itself: whoever copies it has everything.
    workspace.close().await;
    outcome
}

fn parse(path: &str) -> Result<WorkspacePath, Failure> {
    WorkspacePath::parse(path).map_err(|error| WorkspaceError::from(error).into())
}

async fn list(
    context: &mut Context,
    workspace: &Arc<Workspace>,
    path: Option<&str>,
    recursive: bool,
    options: Options,
) -> Result<(), Failure> {
    let path = path.map(parse).transpose()?;
    let most = options.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (entries, count) = match (workspace.list(path.as_ref(), recursive, most).await, &path) {
        (Err(WorkspaceError::IsFile(_)), Some(path)) => (vec![workspace.stat(path).await?], 1),
        (listed, _) => listed.map(|listed| (listed.entries, listed.count))?,
    };
    if options.json {
        context.output.json(&entries.iter().map(Listed::from).collect::<Vec<_>>())?;
        return Ok(());
    }
    if entries.is_empty() {
        context.output.line("No files yet. The agent makes them with its workspace tools; `reveille instances files put` and `sync` bring some in.")?;
        return Ok(());
    }
    let mut listing = Listing::new(&["BYTES", "CHANGED", "PATH"]);
    for entry in &entries {
        let path = if entry.is_folder {
            Cell::new(format!("{}/  ({})", entry.path, journal::count(count_of(entry.files), "file")), Tone::Quiet)
        } else {
            entry.path.clone().into()
        };
        listing.row([entry.bytes.to_string().into(), wall_time(entry.modified_ms).into(), path]);
    }
    context.output.listing(&listing)?;
    if entries.len() < count {
        context.output.line(format!("\nThese are the first {} of {count}: `--limit` shows more.", entries.len()))?;
    }
    Ok(())
}

fn count_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

async fn get(
    context: &mut Context,
    workspace: &Arc<Workspace>,
    path: &str,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let content = workspace.read(&parse(path)?).await?;
    if let Some(file) = file {
        write_new(file, &content.bytes)?;
        context.output.line(format!("Wrote {}: {} bytes.", file.display(), content.bytes.len()))?;
        return Ok(());
    }
    if !context.output.is_terminal() {
        context.output.raw().write_all(&content.bytes)?;
        return Ok(());
    }
    match std::str::from_utf8(&content.bytes) {
        Ok(text) if content.is_text => Ok(context.output.prose(text)?),
        _ => Err(Failure::new(
            Code::Files,
            format!("`{path}` is no text, and a terminal would obey it"),
            "write it into a file with `--output FILE`, or pipe it into a program",
        )),
    }
}

/// Writes a file that must not be there, whole or not at all.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let why = if is_there { "it is there already".to_owned() } else { error.to_string() };
        let help = "name another file, in a folder that you can write to, on a disk with room";
        Failure::new(Code::Write, format!("{} cannot be written: {why}", file.display()), help)
    };
    let mut made = OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    let written = made.write_all(bytes).and_then(|()| made.sync_all());
    if written.is_err() {
        // Half a file would be taken for a whole one.
        let _ = std::fs::remove_file(file);
    }
    written.map_err(failed)
}

async fn put(
    context: &mut Context,
    workspace: &Arc<Workspace>,
    file: &Path,
    path: &str,
    options: Options,
) -> Result<(), Failure> {
    let path = parse(path)?;
    let most = workspace.quotas().file_bytes;
    let bytes = if file == Path::new("-") {
        read_whole(io::stdin().lock(), "the standard input", most)?
    } else {
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|error| unreadable(&name, &error.to_string()))?;
        if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(unreadable(&name, "it is a folder; `reveille instances files sync` brings one in"));
        }
        read_whole(opened, &name, most)?
    };
    let done = workspace.apply(None, SystemClock.now_ms(), &Change::Write { path, bytes }).await?;
    if options.json {
        context.output.json(&done.files)?;
        return Ok(());
    }
    for touched in &done.files {
        let what = match touched.change {
            ChangeKind::Created => "created",
            ChangeKind::Same => "it was the same already",
            ChangeKind::Changed | ChangeKind::Deleted => "replaced",
        };
        context.output.line(format!("Wrote {}: {} bytes ({what}).", touched.path, touched.bytes))?;
    }
    Ok(())
}

fn read_whole(source: impl Read, name: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(name, &error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(unreadable(name, &format!("it has more than {} MiB, the most of one file", most / (1024 * 1024))))
    }
}

fn unreadable(name: &str, why: &str) -> Failure {
    Failure::new(Code::Read, format!("{name} cannot be read: {why}"), "name a file that you can read, or `-`")
}

async fn remove(
    context: &mut Context,
    workspace: &Arc<Workspace>,
    path: &str,
    recursive: bool,
    options: Options,
) -> Result<(), Failure> {
    let change = Change::Delete { path: parse(path)?, recursive };
    let done = workspace.apply(None, SystemClock.now_ms(), &change).await?;
    if options.json {
        context.output.json(&serde_json::json!({ "deleted": done.count }))?;
        return Ok(());
    }
    context.output.line(format!("Deleted {}.", journal::count(count_of(done.count), "file")))?;
    Ok(())
}
