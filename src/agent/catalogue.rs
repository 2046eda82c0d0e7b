//! The agents of a folder, read now and again.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use super::parse::FILE_BYTES;
use super::skill::{self, Skills};
use super::{Agent, AgentError, Skill, parse};

/// What was found in a folder.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The agents without mistakes, by name.
    pub agents: Vec<Agent>,
    /// What is wrong with the others.
    pub errors: Vec<AgentError>,
}

/// Reads every agent below `dir`, and the shared skills in `skills/` beside it. Blocks on the disk.
/// A mistake in one agent does not take the others down.
#[must_use]
pub fn load_all(dir: &Path) -> Loaded {
    let mut loaded = Loaded::default();
    let (shared, broken_shared) = load_skills(&shared_skills(dir), &mut loaded.errors);
    let folders = match folders(dir) {
        Ok(folders) => folders,
        Err(error) => {
            let advice = Some("set `[agents] dir`, or make one with `reveille init`".to_owned());
            loaded.errors.push(AgentError::unreadable("", dir, format!("the folder cannot be read: {error}"), advice));
            return loaded;
        }
    };
    for (name, folder) in folders {
        let path = folder.join("AGENT.md");
        let source = match read(&path) {
            Ok(source) => source,
            // A folder without the file is not an agent: `agents/` may hold notes, or one that is being written.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                loaded.errors.push(unreadable(&name, &path, &error));
                continue;
            }
        };
        let mut own_errors = Vec::new();
        let (own, mut broken) = load_skills(&folder.join("skills"), &mut own_errors);
        broken.extend(broken_shared.iter().cloned());
        // A broken skill of its own breaks the agent: it would be another one without it.
        let is_whole = own_errors.is_empty();
        loaded.errors.extend(own_errors.into_iter().map(|error| AgentError { name: name.clone(), ..error }));
        match parse(&name, &path, &source, &Skills { own, shared: shared.clone(), broken }) {
            Ok(agent) if is_whole => loaded.agents.push(agent),
            Ok(_) => {}
            Err(errors) => loaded.errors.extend(errors),
        }
    }
    loaded
}

fn shared_skills(dir: &Path) -> PathBuf {
    dir.parent().map_or_else(|| PathBuf::from("skills"), |parent| parent.join("skills"))
}

/// Folders below `dir` by name; those that begin with a dot are not looked at.
fn folders(dir: &Path) -> Result<BTreeMap<String, PathBuf>, std::io::Error> {
    let mut folders = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') {
            folders.insert(name, path);
        }
    }
    Ok(folders)
}

/// A file's text, if it is not larger than a definition can be.
fn read(path: &Path) -> Result<String, std::io::Error> {
    let size = fs::metadata(path)?.len();
    if usize::try_from(size).map_or(true, |size| size > FILE_BYTES) {
        return Err(std::io::Error::other(format!("it has {size} bytes, at most {FILE_BYTES} are read")));
    }
    fs::read_to_string(path)
}

fn unreadable(name: &str, path: &Path, error: &std::io::Error) -> AgentError {
    let advice = (error.kind() == ErrorKind::InvalidData).then(|| "save it as UTF-8".to_owned());
    AgentError::unreadable(name, path, format!("the file cannot be read: {error}"), advice)
}

/// The skills below `dir`, which need not exist, and the names of those that cannot be read.
fn load_skills(dir: &Path, errors: &mut Vec<AgentError>) -> (Vec<Skill>, Vec<String>) {
    let (mut skills, mut broken) = (Vec::new(), Vec::new());
    let folders = match folders(dir) {
        Ok(folders) => folders,
        Err(error) if error.kind() == ErrorKind::NotFound => return (skills, broken),
        Err(error) => {
            errors.push(unreadable("", dir, &error));
            return (skills, broken);
        }
    };
    for (name, folder) in folders {
        let path = folder.join("SKILL.md");
        let found = match read(&path) {
            Ok(source) => skill::parse(&name, &path, &source),
            Err(error) => Err(vec![unreadable(&name, &path, &error)]),
        };
        match found {
            Ok(skill) => skills.push(skill),
            Err(found) => {
                errors.extend(found);
                broken.push(name);
            }
        }
    }
    (skills, broken)
}

/// The agents of a folder as they are now: everybody who routes or starts a turn asks here.
///
/// Nobody is told of changes: whoever owns the clock asks [`Catalogue::changed`] and calls [`Catalogue::reload`].
#[derive(Debug)]
pub struct Catalogue {
    dir: PathBuf,
    current: RwLock<Current>,
}

#[derive(Debug, Default)]
struct Current {
    agents: Arc<Vec<Agent>>,
    errors: Arc<Vec<AgentError>>,
    fingerprint: [u8; 32],
}

impl Catalogue {
    /// Reads the folder. What is wrong is in [`Catalogue::errors`]. Blocks on the disk.
    #[must_use]
    pub fn load(dir: &Path) -> Self {
        let catalogue = Self { dir: dir.to_owned(), current: RwLock::default() };
        catalogue.reload();
        catalogue
    }

    /// The agents, by name.
    #[must_use]
    pub fn agents(&self) -> Arc<Vec<Agent>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).agents)
    }

    /// The agent of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Agent> {
        self.agents().iter().find(|agent| agent.name == name).cloned()
    }

    /// What was wrong at the last reading.
    #[must_use]
    pub fn errors(&self) -> Arc<Vec<AgentError>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).errors)
    }

    /// Whether a file came, went or was written since the last reading. Looks at names, sizes and times alone;
    /// blocks on the disk.
    #[must_use]
    pub fn changed(&self) -> bool {
        fingerprint(&self.dir) != self.current.read().unwrap_or_else(PoisonError::into_inner).fingerprint
    }

    /// Reads the folder again and gives what is wrong. An agent whose files now have a mistake stays as it was;
    /// one whose folder is gone goes. Blocks on the disk.
    pub fn reload(&self) -> Arc<Vec<AgentError>> {
        // Taken first: a file written while this reads is seen as changed the next time.
        let fingerprint = fingerprint(&self.dir);
        let mut loaded = load_all(&self.dir);
        for old in self.agents().iter() {
            let is_broken = loaded.errors.iter().any(|error| error.name == old.name || error.path == self.dir);
            if is_broken && !loaded.agents.iter().any(|agent| agent.name == old.name) {
                loaded.agents.push(old.clone());
            }
        }
        loaded.agents.sort_by(|one, other| one.name.cmp(&other.name));
        let errors = Arc::new(loaded.errors);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current { agents: Arc::new(loaded.agents), errors: Arc::clone(&errors), fingerprint };
        errors
    }
}

/// A hash of the names, sizes and times of everything a reading would look at.
fn fingerprint(dir: &Path) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut see = |path: &Path| {
        if let Ok(metadata) = fs::metadata(path) {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update(metadata.len().to_be_bytes());
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            hash.update(modified.unwrap_or_default().as_nanos().to_be_bytes());
        }
    };
    let see_skills = |dir: &Path, see: &mut dyn FnMut(&Path)| {
        for folder in folders(dir).unwrap_or_default().values() {
            see(&folder.join("SKILL.md"));
        }
    };
    see_skills(&shared_skills(dir), &mut see);
    for folder in folders(dir).unwrap_or_default().values() {
        see(&folder.join("AGENT.md"));
        see_skills(&folder.join("skills"), &mut see);
    }
    hash.finalize().into()
}
