//! What `run` and `chat` have in common: from a configuration and an agent's name to a conversation at the terminal.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::agents::named;
use super::context::Context;
use super::failure::{Code, Failure};
use crate::agent::{Agent, Catalogue, ModelRef};
use crate::config::schema::nearest;
use crate::config::{Config, Storage};
use crate::journal::JournalError;
use crate::local::{Session, SessionError, Start};
use crate::model::Models;
use crate::models;

/// The agent that is meant where none is named, if it is there.
const FIRST_AGENT: &str = "assistant";

/// Everything a conversation needs but its place.
#[derive(Debug)]
pub(super) struct Prepared {
    config: Config,
    catalogue: Arc<Catalogue>,
    /// The agent that is spoken to.
    pub(super) agent: Agent,
    models: Models,
    default_model: Option<ModelRef>,
    /// The answers are played from the script that ships: no model is configured.
    pub(super) is_rehearsal: bool,
}

/// Where a conversation is kept.
#[derive(Debug)]
pub(super) enum Place {
    /// In a private folder that is removed at the end.
    Temporary(TempDir),
    /// In the project's storage.
    Kept(PathBuf),
}

impl Place {
    /// The project's storage, or a private folder.
    pub(super) fn new(prepared: &Prepared, is_kept: bool) -> Result<Self, Failure> {
        let Storage::Folder(folder) = &prepared.config.storage;
        if is_kept {
            return Ok(Self::Kept(folder.clone()));
        }
        let private = Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("reveille-").permissions(private).tempdir();
        made.map(Self::Temporary).map_err(|error| {
            let what = format!("no folder could be made in {}: {error}", std::env::temp_dir().display());
            Failure::new(Code::Write, what, "set TMPDIR to a folder that you can write to")
        })
    }

    /// Whether it outlives this process.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// Reads the configuration and finds the agent and a model for it. `log` is the log's filter where nothing else is said.
pub(super) fn prepare(
    context: &mut Context,
    agent: Option<&str>,
    may_rehearse: bool,
    log: &str,
) -> Result<Prepared, Failure> {
    let config = context.load_for_terminal(log)?;
    let catalogue = Arc::new(Catalogue::load(&config.agents.dir));
    let agent = pick(&catalogue, &config.agents.dir, agent)?;
    let (models, default_model, problems) = models::or_rehearsal(&config).map_err(|error| {
        Failure::new(Code::Model, error.to_string(), "this is a mistake of the build; please report it")
    })?;
    let plays_ours = |model: &ModelRef| model.table == models::REHEARSAL && !config.models.contains_key(&model.table);
    let is_rehearsal = agent.models.is_empty() && default_model.as_ref().is_some_and(plays_ours);
    if is_rehearsal && !may_rehearse {
        return Err(Failure::new(
            Code::Model,
            "no model is configured, and --no-rehearsal keeps the answer from being played from a file",
            "set ANTHROPIC_API_KEY, or add a table under [models]",
        ));
    }
    check_models(&config, &agent, &models, &problems)?;
    for problem in &problems {
        tracing::warn!(problem, "a model cannot be used");
    }
    Ok(Prepared { config, catalogue, agent, models, default_model, is_rehearsal })
}

fn pick(catalogue: &Catalogue, dir: &Path, name: Option<&str>) -> Result<Agent, Failure> {
    let (agents, errors) = (catalogue.agents(), catalogue.errors());
    if agents.is_empty() && errors.is_empty() {
        let what = format!("there are no agents in {}", dir.display());
        return Err(Failure::new(Code::UnknownAgent, what, "`reveille init` makes a first one").exiting_with(2));
    }
    let agent = match (name, agents.as_slice()) {
        (Some(name), _) => named(&agents, &errors, name),
        (None, [only]) => Ok(only),
        (None, several) if several.iter().any(|agent| agent.name == FIRST_AGENT) => {
            named(&agents, &errors, FIRST_AGENT)
        }
        (None, []) => Err(Failure::agents(errors.to_vec())),
        (None, several) => {
            let names: Vec<_> = several.iter().map(|agent| agent.name.as_str()).collect();
            let what = "there are several agents, and none of them is called `assistant`";
            Err(Failure::new(Code::UnknownAgent, what, format!("name one of {}", names.join(", "))))
        }
    };
    agent.cloned().map_err(|failure| if failure.exit_code() == 1 { failure.exiting_with(2) } else { failure })
}

/// An agent that asks for models needs one that can be asked: nobody has to read that in the turn's failure.
fn check_models(config: &Config, agent: &Agent, models: &Models, problems: &[String]) -> Result<(), Failure> {
    let Some(first) = agent.models.first() else { return Ok(()) };
    if agent.models.iter().any(|model| models.get(&model.table).is_some()) {
        return Ok(());
    }
    let table = &first.table;
    let asks = format!("`{}` asks for the model {table}/{}", agent.name, first.model);
    if let Some(problem) = problems.iter().find(|problem| problem.contains(&format!("models.{table}"))) {
        return Err(Failure::new(Code::Model, format!("{asks}: {problem}"), format!("look at [models.{table}]")));
    }
    let (why, help) = match config.models.get(table) {
        None => {
            let near = nearest(table, config.models.keys().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            (format!("there is no table [models.{table}]"), format!("{near}The guide's part on models shows each kind"))
        }
        Some(settings) => {
            let key = settings.provider.default_variable().map_or_else(
                || format!("give [models.{table}] an `api_key`"),
                |variable| format!("set {variable}, or the variable that [models.{table}] api_key names"),
            );
            (format!("[models.{table}] has no key"), format!("{key}; without a `model:` line the agent rehearses"))
        }
    };
    Err(Failure::new(Code::Model, format!("{asks}, and {why}"), help))
}

/// Begins or resumes the conversation of this name. `when_locked`: what to do if another process has the storage.
pub(super) async fn begin(
    prepared: &Prepared,
    place: &Place,
    name: &str,
    when_locked: &str,
) -> Result<Session, Failure> {
    let start = Start {
        catalogue: Arc::clone(&prepared.catalogue),
        agent: prepared.agent.name.clone(),
        name: name.to_owned(),
        folder: place.folder().to_owned(),
        models: prepared.models.clone(),
        default_model: prepared.default_model.clone(),
        access: prepared.config.access.default,
        keys: prepared.config.storage_keys.clone(),
    };
    Session::start(start).await.map_err(|error| match error {
        SessionError::Journal(JournalError::Locked { folder, .. }) => {
            let what =
                format!("{} is in use: a gateway (`reveille serve` or `dev`) or a chat is running", folder.display());
            Failure::new(Code::Locked, what, when_locked)
        }
        other => other.into(),
    })
}

/// Reads a conversation's name from the command line.
pub(super) fn conversation_name(text: &str) -> Result<String, String> {
    if reveille_local::is_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a name is 1 to {} letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
        reveille_local::LONGEST_NAME
    ))
}
