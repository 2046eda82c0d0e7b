//! The files of a bot project that `add` reads and writes. A file is written whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::config::{self, Config, DEFAULT_FILE, Inputs, Mode};

/// A bot project.
#[derive(Debug)]
pub(super) struct Project {
    /// Its configuration file.
    pub(super) path: PathBuf,
    /// The text of that.
    pub(super) text: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its configuration as it is.
    pub(super) config: Config,
    inputs: Inputs,
}

impl Project {
    /// The project of this folder, or of `--config`.
    pub(super) fn open(context: &Context) -> Result<Self, Failure> {
        let inputs = context.inputs(Vec::new());
        let path = inputs.path.clone().unwrap_or_else(|| inputs.folder.join(DEFAULT_FILE));
        // That there is a file at all is an error of its own in this mode alone.
        if fs::metadata(&path).is_err() {
            config::load_from(&inputs, Mode::Serve)?;
        }
        let config = config::load_from(&inputs, Mode::Tool)?;
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::new(Code::Write, format!("{} cannot be read: {error}", path.display()), "look at its permissions")
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { path, text, folder, config, inputs })
    }

    /// What the configuration would be with this text, as a command that looks at data sees it.
    pub(super) fn load_text(&self, text: &str) -> Result<Config, Failure> {
        Ok(config::load_text(&self.inputs, text, Mode::Tool)?)
    }

    /// What `serve` would say against the configuration as it is now.
    pub(super) fn problems(&self) -> Vec<config::Problem> {
        match config::load_from(&self.inputs, Mode::Serve) {
            Ok(config) => config.warnings,
            Err(errors) => errors.problems,
        }
    }

    /// A file of the project as people write it.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }
}

/// Reads a file that may not be there.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// Writes a file whole: beside its place first, then over it. `private`: nobody but its owner may read it.
pub(super) fn write(path: &Path, text: &str, private: bool) -> Result<(), Failure> {
    // A link is kept, and what it leads to is written.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{:08x}", rand::random::<u32>()));
    let put = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Otherwise what the process's mask leaves.
            options.mode(if private { 0o600 } else { 0o666 });
        }
        let mut file = options.open(&beside)?;
        if !private && let Ok(before) = fs::metadata(&path) {
            file.set_permissions(before.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    put().map_err(|error| {
        // It is only in the way, if it is there at all.
        let _ = fs::remove_file(&beside);
        unwritable(&path, &error)
    })
}

/// Adds lines to `.gitignore` that it lacks. Those that were added.
pub(super) fn ignore(folder: &Path, patterns: &[&'static str]) -> Result<Vec<&'static str>, Failure> {
    let path = folder.join(".gitignore");
    let mut text = read_if_there(&path)?.unwrap_or_default();
    let has = |pattern: &str| {
        let mut lines = text.lines().map(|line| line.trim().trim_start_matches('/'));
        lines.any(|line| line == pattern || (pattern == ".env" && line == ".env*"))
    };
    let lacking: Vec<&'static str> = patterns.iter().copied().filter(|pattern| !has(pattern)).collect();
    if lacking.is_empty() {
        return Ok(lacking);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for pattern in &lacking {
        text.push_str(pattern);
        text.push('\n');
    }
    write(&path, &text, false)?;
    Ok(lacking)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("{} could not be written: {error}", path.display());
    Failure::new(Code::Write, what, "see that the folder is there, can be written by you, and has room")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_already_is_not_ignored_twice() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".gitignore"), "target\n/.env").unwrap();
        assert_eq!(ignore(folder.path(), &[".env", "*.pem"]).unwrap(), ["*.pem"]);
        assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "target\n/.env\n*.pem\n");
        assert!(ignore(folder.path(), &[".env", "*.pem"]).unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners_alone_even_where_it_was_not_before() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "A=1\n").unwrap();
        write(&path, "A=2\n", true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let other = folder.path().join("reveille.toml");
        fs::write(&other, "").unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o640)).unwrap();
        write(&other, "[server]\n", false).unwrap();
        assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
