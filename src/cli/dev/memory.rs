//! What the simulated platforms hold, in a file of the storage folder: `reveille dev` goes on where it was ended, however that was.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reveille_simulator::Memory;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The file.
const FILE: &str = "simulated.json";

/// The rest after each writing: what changes meanwhile is written together.
const REST: Duration = Duration::from_millis(50);

/// The file of a storage folder.
pub(super) fn file_of(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Why a file was not recalled, and what became of it.
#[derive(Debug, thiserror::Error)]
#[error("what the simulated platforms held cannot be read from {}: {reason}. They begin afresh. {fate}", path.display())]
pub(super) struct Unreadable {
    path: PathBuf,
    reason: String,
    fate: String,
}

/// Puts what the file remembers into platforms that have just started. Whether there was anything.
pub(super) fn recall(memory: &Memory, path: &Path) -> Result<bool, Unreadable> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(put_aside(path, error.to_string())),
    };
    let remembered: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| put_aside(path, error.to_string()))?;
    memory.recall(&remembered).map_err(|error| put_aside(path, error.to_string()))?;
    Ok(true)
}

/// The next change would write over it: whoever wants it still finds it beside its place.
fn put_aside(path: &Path, reason: String) -> Unreadable {
    let aside = path.with_extension("unreadable.json");
    let fate = match fs::rename(path, &aside) {
        Ok(()) => format!("The file is now {}: delete it, or put it back for the build that wrote it", aside.display()),
        Err(error) => format!("The file stays until they change ({error}): move it away if it is still wanted"),
    };
    Unreadable { path: path.to_path_buf(), reason, fate }
}

/// Removes the file.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The task that writes the file at every change.
#[derive(Debug)]
pub(super) struct Keeper {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Keeper {
    /// Begins to write. Call it once this process has the storage folder for itself.
    pub(super) fn start(memory: Memory, path: PathBuf) -> Self {
        let stop = CancellationToken::new();
        // From here on nothing is missed.
        let changed = memory.changes();
        Self { task: tokio::spawn(keep(memory, changed, path, stop.clone())), stop }
    }

    /// Writes what is last, and ends.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "what the simulated platforms hold was not written at last");
        }
    }
}

async fn keep(memory: Memory, mut changed: watch::Receiver<u64>, path: PathBuf, stop: CancellationToken) {
    // Said once, and not at every change.
    let mut is_failing = false;
    loop {
        let is_last = tokio::select! {
            more = changed.changed() => more.is_err(),
            () = stop.cancelled() => true,
        };
        let (held, to) = (memory.clone(), path.clone());
        let written = match tokio::task::spawn_blocking(move || write(&held, &to)).await {
            Ok(written) => written,
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = &written
            && !is_failing
        {
            let path = path.display();
            tracing::warn!(%error, %path, "what the simulated platforms hold cannot be written, and will be forgotten");
        }
        is_failing = written.is_err();
        if is_last {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Beside its place first: whenever the process ends, the file is whole. It need not survive the end of the machine.
fn write(memory: &Memory, path: &Path) -> io::Result<()> {
    let text = serde_json::to_vec(&memory.remembered()?)?;
    let partial = path.with_extension("partial.json");
    forget(&partial)?;
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&partial)?;
    file.write_all(&text)?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests;
