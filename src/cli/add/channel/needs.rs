//! What a connection needs of the platform: what is made here, what is asked for, and what is missing in the end.

use std::collections::BTreeMap;

use reveille_channel::Secret;

use super::ask::Terminal;
use super::dotenv;
use super::report::{Missing, Report};
use super::wish::{Need, Wish};
use crate::cli::add::project::Project;
use crate::cli::failure::Failure;
use crate::config::{self, Code};

/// The variable that a key refers to, if its value is not there.
fn unset_variable<'a>(
    project: &Project,
    wish: &Wish,
    keys: &'a BTreeMap<String, String>,
    need: &Need,
) -> Option<&'a str> {
    let variable = keys.get(need.key)?.strip_prefix("env:")?;
    let key = format!("channels.{}.{}", wish.name, need.key);
    project.problems().iter().any(|problem| problem.key == key).then_some(variable)
}

/// Secrets that are ours to make: 256 bits.
pub(super) fn make_secrets(
    project: &Project,
    wish: &Wish,
    keys: &BTreeMap<String, String>,
    report: &mut Report,
) -> Result<(), Failure> {
    for need in wish.needs.iter().filter(|need| need.is_made) {
        // One that is there and not good enough may be the platform's too: it is reported, and nobody's to replace.
        let is_there = project.problems().iter().any(|problem| {
            problem.key == format!("channels.{}.{}", wish.name, need.key) && problem.code != Code::UnresolvedSecret
        });
        if let Some(variable) = unset_variable(project, wish, keys, need).filter(|_| !is_there) {
            let secret = Secret::new(hex::encode(rand::random::<[u8; 32]>()));
            dotenv::put(&project.folder.join(".env"), &[(variable.to_owned(), secret)])?;
            report.wrote(".env", &format!("{variable}, a secret made now"));
        }
    }
    Ok(())
}

/// Asks for what the platform gives. Enter leaves it out.
pub(super) fn take_secrets(
    project: &Project,
    wish: &Wish,
    keys: &BTreeMap<String, String>,
    terminal: &mut Terminal,
    report: &mut Report,
) -> Result<(), Failure> {
    for need in wish.needs {
        let Some(variable) = unset_variable(project, wish, keys, need) else { continue };
        loop {
            let question = format!("{variable}: {} (Enter: later) ", need.found);
            let value = if need.shape.is_some() { terminal.secret(&question)? } else { terminal.line(&question)? };
            if value.is_empty() {
                break;
            }
            if need.shape.is_some_and(|shape| config::unusable(&value, shape).is_some()) {
                continue;
            }
            dotenv::put(&project.folder.join(".env"), &[(variable.to_owned(), Secret::new(value))])?;
            report.wrote(".env", variable);
            break;
        }
    }
    Ok(())
}

/// What the connection still lacks before it can go live.
pub(super) fn missing(project: &Project, wish: &Wish, keys: &BTreeMap<String, String>) -> Vec<Missing> {
    let prefix = format!("channels.{}.", wish.name);
    let of_ours = project.problems().into_iter().filter_map(|problem| {
        let key = problem.key.strip_prefix(&prefix)?.to_owned();
        let found = wish.needs.iter().find(|need| need.key == key).map(|need| need.found);
        let place = keys.get(&key).map(|value| match value.split_once(':') {
            Some(("env", variable)) => variable.to_owned(),
            Some(("file", file)) => file.to_owned(),
            _ => format!("{prefix}{key}"),
        });
        Some(Missing {
            name: place.unwrap_or_else(|| format!("{prefix}{key}")),
            what: problem.what,
            found: found.unwrap_or(&problem.help).to_owned(),
        })
    });
    of_ours.collect()
}
