//! The typed configuration: where it comes from, what it must be, and what is wrong with it.
//!
//! Sources, each over the one before: defaults, `reveille.toml`, variables `REVEILLE__SECTION__KEY` (the process
//! environment, or a `.env` beside the file), flags. All problems are found before anything starts and are reported
//! together ([`ConfigErrors`]). Secrets are references (`env:NAME`, `file:PATH`) that are resolved here; a value never
//! appears in a message, an excerpt or `Debug`. This module reads files and the environment and opens nothing else.

mod access;
mod channels;
mod environment;
mod error;
mod file;
mod models;
mod output;
mod reader;
pub mod schema;
mod secrets;
mod server;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use reveille_channel::Secret;
use reveille_channel::links::{LinkHost, Links};
use url::Url;

pub use access::AccessDefault;
pub use channels::{ChannelSettings, PLATFORMS, is_channel_name, usual_api};
pub use environment::Environment;
pub use error::{Code, ConfigErrors, Place, Problem};
pub use models::{ModelSettings, Protocol};
pub use secrets::{Shape, suggest_variable, unusable};

use reader::Reader;

/// The file that is read when no other is named.
pub const DEFAULT_FILE: &str = "reveille.toml";

/// What the configuration is loaded for: it decides what is an error and what only a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Production: a missing file, a literal secret and a secret that cannot be resolved are errors.
    Serve,
    /// A laptop: no file is needed, a literal secret is a warning, and a channel or key whose secret is not set is
    /// left out with a warning. A secret that is set and unusable is an error.
    Dev,
    /// A command that looks at data: as [`Mode::Dev`], and what is wrong with a secret is never in the way.
    Tool,
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from; `None` when there is none and these are the defaults.
    pub path: Option<PathBuf>,
    /// The folder that relative paths were taken from.
    pub folder: PathBuf,
    /// `[server]`.
    pub server: Server,
    /// `[storage]`.
    pub storage: Storage,
    /// What seals credentials in the storage.
    pub storage_keys: StorageKeys,
    /// `[agents]`.
    pub agents: Agents,
    /// `[models.NAME]`: the defaults for `anthropic`, `openai`, `gemini` and `ollama` are always there.
    pub models: BTreeMap<String, ModelSettings>,
    /// `[channels.NAME]`: the table's name is the connection's name.
    pub channels: BTreeMap<String, ChannelSettings>,
    /// Connections that are left out because a secret of theirs is not there, each with its platform.
    pub unset_channels: BTreeMap<String, &'static str>,
    /// `[access]`.
    pub access: Access,
    /// `[output]`.
    pub output: Output,
    /// What is not as it should be and is no reason to stop in this [`Mode`].
    pub warnings: Vec<Problem>,
    secrets: Vec<Secret>,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the HTTP server listens.
    pub listen: SocketAddr,
    /// How platforms reach it, where that is known.
    pub public_url: Option<Url>,
}

/// `[storage]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// `sqlite:DIR`: the log, the lock and one database per instance in this folder.
    Folder(PathBuf),
}

/// The keys of `[storage]`, of 64 hexadecimal digits each.
#[derive(Debug, Clone, Default)]
pub struct StorageKeys {
    /// Seals and opens.
    pub key: Option<Secret>,
    /// Opens what was sealed before.
    pub previous: Option<Secret>,
    is_named: bool,
}

/// `[agents]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agents {
    /// The folder with one folder per agent.
    pub dir: PathBuf,
}

/// `[access]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Who may wake an agent whose AGENT.md does not say.
    pub default: AccessDefault,
}

/// `[output]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The hosts that links of an answer may lead to, besides the platform's own and ours.
    pub link_hosts: Vec<LinkHost>,
}

impl Config {
    /// The hosts that links of an answer may lead to on every platform: those that were chosen, and our own.
    #[must_use]
    pub fn links(&self) -> Links {
        let chosen = Links::to(self.output.link_hosts.iter().cloned());
        match &self.server.public_url {
            Some(url) => chosen.and_of(url),
            None => chosen,
        }
    }

    /// Every secret that was resolved, so that the log can be scrubbed of them.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.secrets.clone()
    }
}

/// A value given on the command line for a configuration key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag, such as `--listen`.
    pub flag: &'static str,
    /// The key, such as `server.listen`.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// Where a configuration comes from, with everything of the process that goes into it.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The file that was asked for; `None`: `reveille.toml` in `folder`, if it is there.
    pub path: Option<PathBuf>,
    /// The working folder.
    pub folder: PathBuf,
    /// The environment.
    pub environment: Environment,
    /// Flags that stand for keys.
    pub flags: Vec<Flag>,
}

/// Loads the configuration of this process.
///
/// # Errors
/// [`ConfigErrors`] with all problems at once.
pub fn load(path: Option<&Path>, mode: Mode) -> Result<Config, ConfigErrors> {
    let inputs = Inputs {
        path: path.map(Path::to_path_buf),
        folder: PathBuf::new(),
        environment: Environment::of_process(),
        flags: Vec::new(),
    };
    load_from(&inputs, mode)
}

/// Loads a configuration from the given inputs.
///
/// # Errors
/// [`ConfigErrors`] with all problems at once.
pub fn load_from(inputs: &Inputs, mode: Mode) -> Result<Config, ConfigErrors> {
    read(file::find(inputs, mode)?, inputs, mode)
}

/// Loads a configuration as if the file had this text.
///
/// # Errors
/// [`ConfigErrors`] with all problems at once.
pub fn load_text(inputs: &Inputs, text: &str, mode: Mode) -> Result<Config, ConfigErrors> {
    let path = inputs.path.clone().unwrap_or_else(|| inputs.folder.join(DEFAULT_FILE));
    read(Some(file::File::parse(path, text)?), inputs, mode)
}

fn read(file: Option<file::File>, inputs: &Inputs, mode: Mode) -> Result<Config, ConfigErrors> {
    let folder = file.as_ref().map_or_else(|| inputs.folder.clone(), file::File::folder);
    let environment = inputs.environment.clone().with_dotenv(&folder.join(".env"))?;
    let mut reader = Reader::new(file, environment, &inputs.flags, folder, mode)?;

    let server = server::read_server(&mut reader);
    let (storage, storage_keys) = server::read_storage(&mut reader);
    let agents = server::read_agents(&mut reader);
    let models = models::read(&mut reader);
    let (channels, unset_channels) = channels::read(&mut reader, &storage_keys);
    let access = access::read(&mut reader);
    let output = output::read(&mut reader);

    let found = reader.finish()?;
    Ok(Config {
        path: found.path,
        folder: found.folder,
        server,
        storage,
        storage_keys,
        agents,
        models,
        channels,
        unset_channels,
        access,
        output,
        warnings: found.warnings,
        secrets: found.secrets,
    })
}

#[cfg(test)]
mod tests;
