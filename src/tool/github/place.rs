//! Where a call acts. A model names a repository; whether it may is decided here, by the thread and by what the operator wrote
//! into the agent's file (`reach:`), and by nothing that a model says.

use reveille_github::{GitHub, Repository};

use super::GitHubConnections;
use crate::agent::Reach;
use crate::tool::{ToolContext, ToolError};

/// The platform's name in an agent's file.
const PLATFORM: &str = "github";
/// How many repositories an error lists.
const MOST_NAMES: usize = 20;

/// The thread's own issue, pull request or discussion.
pub(super) struct Thread<'a> {
    pub(super) github: &'a GitHub,
    pub(super) repository: Repository,
    pub(super) number: u64,
}

/// A repository within reach.
pub(super) struct Place<'a> {
    pub(super) github: &'a GitHub,
    pub(super) repository: Repository,
    /// The thread's own issue, where it is one of this repository.
    pub(super) own: Option<u64>,
}

impl Place<'_> {
    /// How it is called.
    pub(super) fn name(&self) -> String {
        full_name(&self.repository)
    }

    /// The issue or pull request that is meant: by its number, or the thread's own.
    pub(super) fn number(&self, given: Option<u64>, argument: &str) -> Result<u64, ToolError> {
        given.or(self.own).ok_or_else(|| {
            let name = self.name();
            ToolError::Failed(format!("Say which one of {name} by `{argument}`: this thread is of none there."))
        })
    }
}

fn full_name(repository: &Repository) -> String {
    format!("{}/{}", repository.owner, repository.name)
}

/// The call's thread.
///
/// On another platform there is none: who may read that thread says nothing about who may read a repository.
pub(super) fn thread<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Thread<'a>, ToolError> {
    here(connections, context).ok_or_else(|| {
        ToolError::Failed("This tool works in threads on GitHub, and this thread is elsewhere.".to_owned())
    })
}

/// The same for what a pull request alone has.
pub(super) fn pull<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Result<Thread<'a>, ToolError> {
    let thread = thread(connections, context)?;
    if thread.repository.is_pull {
        return Ok(thread);
    }
    Err(ToolError::Failed("This thread is of no pull request. Nothing was done.".to_owned()))
}

fn here<'a>(connections: &'a GitHubConnections, context: &ToolContext) -> Option<Thread<'a>> {
    let github = connections.get(&context.connection)?;
    let (repository, number) = Repository::of(&context.thread).ok()?;
    Some(Thread { github, repository, number })
}

/// Whether an agent that may act on these places reaches any through these connections.
pub(super) fn reaches(connections: &GitHubConnections, reach: &[Reach]) -> bool {
    reach.iter().any(|one| is_ours(connections, one) && !one.places.is_empty())
}

fn is_ours(connections: &GitHubConnections, reach: &Reach) -> bool {
    reach.on == PLATFORM || connections.contains_key(&reach.on)
}

/// The repository that is meant by its name, or by none.
pub(super) fn place<'a>(
    connections: &'a GitHubConnections,
    context: &ToolContext,
    named: Option<&str>,
) -> Result<Place<'a>, ToolError> {
    let own = here(connections, context);
    let own_name = own.as_ref().map(|own| full_name(&own.repository));
    let reached: Vec<(&str, &str)> = context
        .reach
        .iter()
        .filter(|one| is_ours(connections, one))
        .flat_map(|one| one.places.iter().map(|place| (one.on.as_str(), place.as_str())))
        .collect();
    let named = named.map(str::trim).filter(|name| !name.is_empty());
    if let Some(Thread { github, repository, number }) = own
        && named.is_none_or(|name| own_name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    {
        return Ok(Place { github, repository, own: Some(number) });
    }
    let found: Vec<_> = match named {
        Some(name) => reached.iter().filter(|(_, place)| place.eq_ignore_ascii_case(name)).copied().collect(),
        None => reached.clone(),
    };
    // One repository through two connections is reached through the thread's own of them.
    let here = || found.iter().find(|(on, _)| *on == context.connection).filter(|_| named.is_some());
    match (found.as_slice(), here()) {
        ([(on, place)], _) | (_, Some((on, place))) => {
            let github = connection(connections, on)?;
            Ok(Place { github, repository: repository(place)?, own: None })
        }
        ([], None) => Err(out_of_reach(named, own_name.as_deref(), &reached)),
        (_, None) if named.is_some() => Err(ToolError::Failed(
            "Two connections reach this repository: the operator has to name it under one of them.".to_owned(),
        )),
        (_, None) => Err(ToolError::Failed(format!("Say which `repository`: {}.", listed(None, &reached)))),
    }
}

/// The same for what only reads: its token can do no more.
pub(super) fn reading<'a>(
    connections: &'a GitHubConnections,
    context: &ToolContext,
    named: Option<&str>,
) -> Result<Place<'a>, ToolError> {
    let Place { github, repository, own } = place(connections, context, named)?;
    Ok(Place { github, repository: Repository { is_read_only: true, ..repository }, own })
}

/// The connection that an agent's file means: the one of that name, or the only one there is.
fn connection<'a>(connections: &'a GitHubConnections, on: &str) -> Result<&'a GitHub, ToolError> {
    if let Some(github) = connections.get(on) {
        return Ok(github);
    }
    let mut all = connections.values();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(ToolError::Failed(
            "This gateway has no connection to GitHub: the operator has to add one. Say so.".to_owned(),
        )),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = connections.keys().map(String::as_str).collect();
            Err(ToolError::Failed(format!(
                "There are several connections to GitHub ({}): the agent's file has to name one of them under `reach`, in place \
                 of `{on}`. Say so.",
                names.join(", ")
            )))
        }
    }
}

fn repository(place: &str) -> Result<Repository, ToolError> {
    let (owner, name) = place
        .split_once('/')
        .ok_or_else(|| ToolError::Failed(format!("`{place}` in the agent's file is no repository. Say so.")))?;
    Ok(Repository::named(owner, name))
}

fn out_of_reach(named: Option<&str>, own: Option<&str>, reached: &[(&str, &str)]) -> ToolError {
    let Some(named) = named else {
        return ToolError::Failed("This tool works in threads on GitHub, and this thread is elsewhere.".to_owned());
    };
    let named: String = named.chars().filter(|character| !character.is_control()).take(100).collect();
    if own.is_none() && reached.is_empty() {
        return ToolError::Failed(format!("`{named}` is out of reach from this thread, as is every repository."));
    }
    ToolError::Failed(format!("`{named}` is out of reach. Within reach: {}.", listed(own, reached)))
}

fn listed(own: Option<&str>, reached: &[(&str, &str)]) -> String {
    let mut names: Vec<String> = own.iter().map(|own| format!("{own} (this thread's own)")).collect();
    names.extend(reached.iter().map(|(_, place)| (*place).to_owned()));
    names.dedup();
    let left_out = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    let more = if left_out > 0 { format!(" and {left_out} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}
