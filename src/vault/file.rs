//! Secrets of a storage folder's own: made where they are missing, and for its owner's eyes alone.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use reveille_channel::Secret;

/// How many random bytes such a secret has.
const BYTES: usize = 32;

/// Nobody but the owner reads it.
const OWNERS_ALONE: u32 = 0o600;

/// The secret in this file of the folder: 256 random bits as hexadecimal digits, made when there is no such file yet.
///
/// # Errors
/// The file cannot be made or read.
pub(crate) fn of_folder(folder: &Path, name: &str) -> io::Result<Secret> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => {
            close_to_others(&path);
            Ok(Secret::new(text.trim()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => make(folder, name),
        Err(error) => Err(error),
    }
}

fn make(folder: &Path, name: &str) -> io::Result<Secret> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no randomness"))?;
    let secret = Secret::new(hex::encode(bytes));
    // Beside its place first, so that half of it is never found there.
    let partial = folder.join(format!("{name}.partial"));
    let _ = fs::remove_file(&partial);
    let mut file = OpenOptions::new().create_new(true).write(true).mode(OWNERS_ALONE).open(&partial)?;
    file.write_all(secret.expose().as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    Ok(secret)
}

/// A restored backup or a volume's own ways may have opened it to others.
fn close_to_others(path: &Path) {
    let is_open = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if !is_open {
        return;
    }
    match fs::set_permissions(path, Permissions::from_mode(OWNERS_ALONE)) {
        Ok(()) => tracing::warn!(path = %path.display(), "others could read it; now its owner alone can"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "others can read it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_stays_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.secret");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let made = of_folder(folder.path(), "some.secret").unwrap();
        assert_eq!((made.expose().len(), mode()), (64, 0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        assert_eq!(of_folder(folder.path(), "some.secret").unwrap().expose(), made.expose());
        assert_eq!(mode(), 0o600);
        assert_ne!(of_folder(folder.path(), "other.secret").unwrap().expose(), made.expose());
    }
}
