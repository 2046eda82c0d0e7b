//! The disk under the data folder: room, and how long it takes until something is really on it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Check;

const MEGABYTE: u64 = 1024 * 1024;

/// Below this the journal will soon be refused, bytes.
const FAR_TOO_LITTLE: u64 = 100 * MEGABYTE;

/// Below this somebody should know, bytes.
const LITTLE: u64 = 1024 * MEGABYTE;

/// Above this every acknowledgement is slow.
const SLOW: Duration = Duration::from_millis(50);

/// How often it is measured.
const ROUNDS: usize = 9;

pub(super) fn check(folder: &Path) -> Vec<Check> {
    let Some(existing) = existing(folder) else {
        return vec![Check::fail(
            "disk",
            format!("{} cannot be reached", folder.display()),
            "choose another folder in [storage] url",
        )];
    };
    vec![space(&existing), fsync(&existing)]
}

/// The folder, or the nearest one above it that is there.
fn existing(folder: &Path) -> Option<std::path::PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute.ancestors().find(|path| path.is_dir()).map(Path::to_path_buf)
}

fn space(folder: &Path) -> Check {
    match fs4::available_space(folder) {
        Ok(bytes) => {
            let found = format!("{} MB free", bytes / MEGABYTE);
            match bytes {
                0..FAR_TOO_LITTLE => {
                    Check::fail("disk space", found, "make room: what cannot be written is not acknowledged")
                }
                FAR_TOO_LITTLE..LITTLE => Check::warn("disk space", found, "make room soon"),
                _ => Check::ok("disk space", found),
            }
        }
        Err(error) => Check::warn("disk space", error.to_string(), "see that the data folder is on a local disk"),
    }
}

fn fsync(folder: &Path) -> Check {
    match measure(folder) {
        Ok(took) => {
            let found = format!("{:.1} ms until a write is on it", took.as_secs_f64() * 1000.0);
            if took > SLOW {
                Check::warn("disk", found, "use a local SSD: each acknowledgement waits for this")
            } else {
                Check::ok("disk", found)
            }
        }
        Err(error) => {
            let found = format!("{} cannot be written: {error}", folder.display());
            Check::fail("disk", found, "give the user that Reveille runs as the right to write there")
        }
    }
}

/// The median time of a small write with its fsync.
fn measure(folder: &Path) -> io::Result<Duration> {
    let path = folder.join(format!(".reveille-doctor-{}", std::process::id()));
    let outcome = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
    })();
    let removed = match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    outcome.and_then(|took| removed.map(|()| took))
}
