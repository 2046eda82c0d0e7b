//! A real folder, in which nothing is read or written but what lies in it.
//!
//! Every name is looked up below the folder that was opened at the start: no link is followed, the last part of a path
//! included, so neither a link that is there nor one that comes meanwhile leads outside. Links, devices, pipes and sockets are
//! never opened. A file is read whole or named as changing; it is replaced by renaming a finished one over it, and only
//! while it is as it was read.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::workspace::{UNFINISHED, WorkspacePath};

/// How often a file is read that changes meanwhile, and how long it is given to come to rest.
const TRIES: u32 = 3;
const REST: Duration = Duration::from_millis(30);

/// A folder that was opened.
#[derive(Debug)]
pub(super) struct Folder {
    root: OwnedFd,
    path: PathBuf,
    /// For names of unfinished files.
    written: u64,
}

/// What tells that a file is still the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Why a file was not read, written or removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Left {
    /// It is no longer as it was, or no longer there.
    #[error("it was changed meanwhile")]
    Changed,
    /// It does not hold still.
    #[error("it changes while it is read")]
    Restless,
    /// No file, or a link stands in its way.
    #[error("a link or something that is no file stands there")]
    NoFile,
    /// A folder, or a file where a folder would have to be.
    #[error("a folder stands there, or a file where its folder would be")]
    Taken,
    /// More than a workspace takes.
    #[error("it has {0} bytes, and a file of a workspace has {1} at most")]
    TooLarge(u64, u64),
    /// The system refused.
    #[error("{0}")]
    Refused(io::Error),
}

impl From<Errno> for Left {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::Changed,
            Errno::LOOP | Errno::XDEV => Self::NoFile,
            Errno::ISDIR | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST => Self::Taken,
            other => Self::Refused(other.into()),
        }
    }
}

impl From<io::Error> for Left {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => Self::Refused(error),
        }
    }
}

impl Folder {
    /// Opens a folder and keeps every other sync out of it until it is dropped.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        // Some network disks have no locks; what is written is compared before, all the same.
        if let Err(Errno::WOULDBLOCK) = flock(&root, FlockOperation::NonBlockingLockExclusive) {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "another sync is at work in it"));
        }
        Ok(Self { root, path: path.to_owned(), written: 0 })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what is at a path below.
    pub(super) fn open_below(&self, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{ResolveFlags, openat2};
            let below = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(&self.root, path, flags, Mode::empty(), below) {
                // A kernel before 5.6, or a sandbox that does not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                answer => return answer,
            }
        }
        self.walk(path, flags | OFlags::NOFOLLOW, false)
    }

    /// The same, part by part, where each part must not be a link; with `make` it makes the folders that are missing.
    fn walk(&self, path: &str, flags: OFlags, make: bool) -> rustix::io::Result<OwnedFd> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut at = openat(&self.root, ".", folder, Mode::empty())?;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            at = step(&at, part, folder, make)?;
        }
        step(&at, name, flags, make)
    }

    /// The folder in which a path is, and its last part.
    fn place<'a>(&self, path: &'a WorkspacePath, make: bool) -> Result<(OwnedFd, &'a str), Left> {
        let (above, name) = path.as_str().rsplit_once('/').unwrap_or((".", path.as_str()));
        let folder = OFlags::RDONLY | OFlags::DIRECTORY;
        match self.open_below(above, folder) {
            Err(Errno::NOENT) if make => {
                self.walk(above, folder | OFlags::CLOEXEC | OFlags::NOFOLLOW, true)?;
                Ok((self.open_below(above, folder)?, name))
            }
            opened => Ok((opened?, name)),
        }
    }

    /// The whole of a file, as it was at one time.
    pub(super) fn read(&self, path: &WorkspacePath, most: u64) -> Result<(Vec<u8>, Stamp), Left> {
        self.read_while(path, most, &mut || {})
    }

    /// The same, and what happens after the bytes were read and before it is looked whether they were all of one time.
    fn read_while(&self, path: &WorkspacePath, most: u64, then: &mut dyn FnMut()) -> Result<(Vec<u8>, Stamp), Left> {
        for _ in 0..TRIES {
            // A pipe would not let go of whoever opens it.
            let mut file = File::from(self.open_below(path.as_str(), OFlags::RDONLY | OFlags::NONBLOCK)?);
            let before = stamp(&file.metadata()?)?;
            if before.bytes > most {
                return Err(Left::TooLarge(before.bytes, most));
            }
            let mut bytes = Vec::new();
            (&mut file).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
            then();
            let after = stamp(&file.metadata()?)?;
            if before == after && u64::try_from(bytes.len()).is_ok_and(|length| length == after.bytes) {
                return Ok((bytes, after));
            }
            thread::sleep(REST);
        }
        Err(Left::Restless)
    }

    /// Makes a file hold these bytes, if it is still as it was found. Its name is durable after [`Folder::settle`].
    pub(super) fn write(&mut self, path: &WorkspacePath, bytes: &[u8], found: Option<Stamp>) -> Result<(), Left> {
        let (folder, name) = self.place(path, true)?;
        self.written += 1;
        let unfinished = format!("{UNFINISHED}{}-{}.tmp", std::process::id(), self.written);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file = File::from(openat(&folder, unfinished.as_str(), flags, Mode::from_raw_mode(0o666))?);
        let mut finish = || -> Result<(), Left> {
            file.write_all(bytes)?;
            let (there, mode) = found_at(&folder, name)?;
            if let Some(mode) = mode {
                rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
            }
            file.sync_all()?;
            if there != found {
                return Err(Left::Changed);
            }
            Ok(renameat(&folder, unfinished.as_str(), &folder, name)?)
        };
        let finished = finish();
        if finished.is_err() {
            // What cannot be taken away now is left out of every sync by its name.
            let _ = unlinkat(&folder, unfinished.as_str(), AtFlags::empty());
        }
        finished
    }

    /// Takes a file away, if it is still as it was found, and the folders that are empty then.
    pub(super) fn remove(&self, path: &WorkspacePath, found: Stamp) -> Result<(), Left> {
        let (folder, name) = self.place(path, false)?;
        if found_at(&folder, name)?.0 != Some(found) {
            return Err(Left::Changed);
        }
        unlinkat(&folder, name, AtFlags::empty())?;
        for above in path.folders() {
            let emptied = WorkspacePath::parse(above).map_err(|_| Left::NoFile)?;
            let (folder, name) = self.place(&emptied, false)?;
            if unlinkat(&folder, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes durable which names are in the folders of these paths.
    pub(super) fn settle<'a>(&self, paths: impl Iterator<Item = &'a WorkspacePath>) -> io::Result<()> {
        let mut folders = BTreeSet::from(["."]);
        for path in paths {
            folders.extend(path.folders());
        }
        for folder in folders {
            match self.open_below(folder, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(folder) => rustix::fs::fsync(&folder)?,
                // It went with its last file, and the one above it is among these.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// One part of a path further down.
fn step(at: &OwnedFd, part: &str, flags: OFlags, make: bool) -> rustix::io::Result<OwnedFd> {
    match openat(at, part, flags, Mode::empty()) {
        Err(Errno::NOENT) if make => {
            match mkdirat(at, part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
            openat(at, part, flags, Mode::empty())
        }
        // With `DIRECTORY` a link is no folder; say that it is a link.
        Err(Errno::NOTDIR) if is_link(at, part) => Err(Errno::LOOP),
        answer => answer,
    }
}

fn is_link(at: &OwnedFd, part: &str) -> bool {
    let status = rustix::fs::statat(at, part, AtFlags::SYMLINK_NOFOLLOW);
    status.is_ok_and(|status| rustix::fs::FileType::from_raw_mode(status.st_mode).is_symlink())
}

/// What is under a name now, and its mode.
fn found_at(folder: &OwnedFd, name: &str) -> Result<(Option<Stamp>, Option<u32>), Left> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    match openat(folder, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok((None, None)),
        Err(error) => Err(error.into()),
        Ok(file) => {
            let metadata = File::from(file).metadata()?;
            Ok((Some(stamp(&metadata)?), Some(metadata.mode() & 0o777)))
        }
    }
}

fn stamp(metadata: &Metadata) -> Result<Stamp, Left> {
    if metadata.is_dir() {
        return Err(Left::Taken);
    }
    if !metadata.is_file() {
        return Err(Left::NoFile);
    }
    Ok(Stamp {
        file: (metadata.dev(), metadata.ino()),
        bytes: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
