//! The database: the linked library, the lock, and whether the log can be read.

use std::fs::{File, TryLockError};
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::Check;

/// The least version that does not lose committed pages when a checkpoint meets a writer.
const LEAST: [u32; 3] = [3, 51, 3];

pub(super) async fn check(folder: &Path) -> Vec<Check> {
    let mut checks = vec![version().await, lock(folder)];
    let log = folder.join("log.db");
    if log.exists() {
        checks.push(readable(&log).await);
    }
    checks
}

async fn version() -> Check {
    let ask = async {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
        let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(found)
    };
    match ask.await {
        Ok(found) => {
            let parts: Vec<u32> = found.split('.').filter_map(|part| part.parse().ok()).collect();
            let text = format!("SQLite {found}");
            if parts.as_slice() >= LEAST.as_slice() {
                Check::ok("database", text)
            } else {
                Check::fail("database", text, "at least 3.51.3 is needed: build with the versions in Cargo.lock")
            }
        }
        Err(error) => Check::fail("database", error.to_string(), "build again with the bundled SQLite"),
    }
}

fn lock(folder: &Path) -> Check {
    if !folder.exists() {
        return Check::skip("data folder", format!("{} is made at the first start", folder.display()));
    }
    let shown = folder.display();
    match File::open(folder.join("lock")) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Check::ok("data folder", format!("{shown}, not in use now")),
            Err(TryLockError::WouldBlock) => Check::ok("data folder", format!("{shown}, in use by a running gateway")),
            Err(TryLockError::Error(error)) => {
                let found = format!("{shown} cannot be locked: {error}");
                Check::fail("data folder", found, "put it on a local disk: locks do not work on this file system")
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::ok("data folder", format!("{shown}, not in use now"))
        }
        Err(error) => {
            let found = format!("{shown} cannot be opened: {error}");
            Check::fail("data folder", found, "give the user that Reveille runs as the right to read and write there")
        }
    }
}

async fn readable(log: &Path) -> Check {
    let ask = async {
        let mut connection = SqliteConnectOptions::new().filename(log).read_only(true).connect().await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(tables)
    };
    match ask.await {
        Ok(_) => Check::ok("journal", log.display().to_string()),
        Err(error) => {
            let fix = "keep a copy of the data folder, then restore a backup";
            Check::fail("journal", format!("{} cannot be read: {error}", log.display()), fix)
        }
    }
}
