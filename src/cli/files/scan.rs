//! What is in a folder: every file with its hash, and what is no file with the reason why it is passed over.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat, unlinkat};
use rustix::io::Errno;

use super::folder::{Folder, Left, Stamp};
use crate::workspace::{ContentHash, FolderFiles, Quotas, UNFINISHED, WorkspacePath, is_kept_out};

/// A path with what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Named {
    /// The path, as far as it can be shown.
    pub(super) path: String,
    /// What is to be said.
    pub(super) reason: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Files, and what cannot be looked at.
    pub(super) held: FolderFiles,
    /// What tells that a file is still the one that was read.
    pub(super) stamps: BTreeMap<WorkspacePath, Stamp>,
    /// What a workspace does not have, such as links.
    pub(super) passed: Vec<Named>,
    /// What it would have, were it not for the reason.
    pub(super) failed: Vec<Named>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    /// More files than a workspace takes.
    #[error("it has more than {0} files, which is the most that a workspace holds")]
    TooMany(u64),
    /// It cannot be listed.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] Errno),
}

/// Reads a folder whole. `told` hears how many files are read. Blocks.
///
/// With `tidies` it takes away what a sync that was cut off left behind: nobody else is at work in the folder.
pub(super) fn scan(
    folder: &Folder,
    quotas: Quotas,
    tidies: bool,
    told: &mut dyn FnMut(usize),
) -> Result<Scanned, ScanError> {
    let mut scanned = Scanned::default();
    let mut files = Vec::new();
    // Folders that are to be listed.
    let mut waiting = vec![String::new()];
    while let Some(path) = waiting.pop() {
        if let Err(error) = list(folder, &path, tidies, &mut scanned, &mut files, &mut waiting) {
            if path.is_empty() {
                return Err(error.into());
            }
            scanned.fail(&path, Left::from(error).to_string());
        }
        if u64::try_from(files.len()).is_ok_and(|count| count > quotas.files) {
            return Err(ScanError::TooMany(quotas.files));
        }
    }
    files.sort();
    for (number, path) in files.into_iter().enumerate() {
        told(number);
        match folder.read(&path, quotas.file_bytes) {
            Ok((bytes, stamp)) => {
                scanned.held.files.insert(path.clone(), ContentHash::of(&bytes));
                scanned.stamps.insert(path, stamp);
            }
            Err(error) => scanned.fail(path.as_str(), error.to_string()),
        }
    }
    scanned.passed.sort_by(|one, other| one.path.cmp(&other.path));
    scanned.failed.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(scanned)
}

fn list(
    folder: &Folder,
    path: &str,
    tidies: bool,
    scanned: &mut Scanned,
    files: &mut Vec<WorkspacePath>,
    waiting: &mut Vec<String>,
) -> Result<(), Errno> {
    let at = folder.open_below(if path.is_empty() { "." } else { path }, OFlags::RDONLY | OFlags::DIRECTORY)?;
    for entry in Dir::read_from(&at)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(text) = name.to_str() else {
            let shown = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).display().to_string();
            scanned.failed.push(Named { path: below(path, &shown), reason: "its name is not UTF-8".to_owned() });
            continue;
        };
        let whole = below(path, text);
        if is_kept_out(text) {
            if text.starts_with(UNFINISHED) {
                if tidies {
                    // Whatever is still there is passed over again the next time.
                    let _ = unlinkat(&at, name, AtFlags::empty());
                }
            } else {
                scanned.passed.push(Named { path: whole, reason: "Git's own folder is never carried".to_owned() });
            }
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => FileType::from_raw_mode(statat(&at, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode),
            known => known,
        };
        let what = match kind {
            FileType::RegularFile | FileType::Directory => match WorkspacePath::parse(&whole) {
                Ok(_) if kind == FileType::Directory => {
                    waiting.push(whole);
                    continue;
                }
                Ok(path) => {
                    files.push(path);
                    continue;
                }
                Err(error) => {
                    scanned.failed.push(Named { path: whole, reason: error.to_string() });
                    continue;
                }
            },
            FileType::Symlink => "is a symbolic link",
            FileType::Fifo => "is a pipe",
            FileType::Socket => "is a socket",
            _ => "is a device",
        };
        scanned.held.unknown.insert(whole.clone(), what.to_owned());
        scanned.passed.push(Named { path: whole, reason: format!("it {what}") });
    }
    Ok(())
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

impl Scanned {
    /// Nothing is known of it, so it is not taken for deleted.
    fn fail(&mut self, path: &str, reason: String) {
        self.held.unknown.insert(path.to_owned(), "could not be read".to_owned());
        self.failed.push(Named { path: path.to_owned(), reason });
    }
}
