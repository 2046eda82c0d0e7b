//! `github.list_labels`, and labels by the names that the repository has: GitHub would make one it does not know.

use reveille_channel::ReplyError;
use reveille_github::{Label, MOST_PER_PAGE};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{GitHubConnections, Place, failed, github_tool, nothing_done, reading};
use crate::agent::nearest;
use crate::tool::{ToolContext, ToolError, ToolSpec, from_outside};

/// The most labels changed at once.
const MOST_LABELS: usize = 10;
/// The most pages of labels that are read.
const MOST_PAGES: u32 = 10;
/// The most bytes of a list of labels.
const LIST_BYTES: usize = 12 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

github_tool!(
    /// `github.list_labels`. Needs `issues: read`.
    ListLabels, "github.list_labels", "The labels that this repository has, with what each is for.",
    NoArguments, (Read, ReadUntrusted), LIST_BYTES + 1_024 => list_labels
);

async fn list_labels(
    connections: &GitHubConnections,
    context: &ToolContext,
    NoArguments {}: NoArguments,
) -> Result<String, ToolError> {
    let place = reading(connections, context)?;
    let known = known(&place).await.map_err(failed("The list of labels"))?;
    if known.is_empty() {
        return Ok("This repository has no labels.".to_owned());
    }
    let line = |label: &Label| match label.description.as_deref().map(str::trim) {
        Some(what) if !what.is_empty() => format!("{}: {what}", label.name),
        _ => label.name.clone(),
    };
    let lines = known.iter().map(line).collect::<Vec<_>>().join("\n");
    Ok(from_outside(context, &[("labels-of", &context.thread.display)], &lines, LIST_BYTES))
}

async fn known(place: &Place<'_>) -> Result<Vec<Label>, ReplyError> {
    let mut labels = Vec::new();
    for page in 1..=MOST_PAGES {
        let found = place.github.api().list_labels(&place.repository, MOST_PER_PAGE, page).await?;
        labels.extend(found.items);
        if found.next.is_none() {
            break;
        }
    }
    Ok(labels)
}

/// The labels of the repository that are meant, each once.
pub(super) async fn chosen(
    context: &ToolContext,
    place: &Place<'_>,
    wanted: &[String],
) -> Result<Vec<String>, ToolError> {
    if wanted.len() > MOST_LABELS {
        return Err(nothing_done(&format!("At most {MOST_LABELS} labels at once.")));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<String> =
        known(place).await.map_err(failed("The list of labels"))?.into_iter().map(|label| label.name).collect();
    let mut chosen: Vec<String> = Vec::new();
    for label in wanted {
        let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(label.trim())) else {
            return Err(ToolError::Failed(no_such_label(context, label, &known)));
        };
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

fn no_such_label(context: &ToolContext, label: &str, known: &[String]) -> String {
    let label: String = label.chars().filter(|character| !character.is_control()).take(64).collect();
    if known.is_empty() {
        return format!("There is no label `{label}`: this repository has none. Nothing was done.");
    }
    let advice = match nearest(&label, known.iter().map(String::as_str)) {
        Some(near) => format!(" The nearest is `{near}`."),
        None => String::new(),
    };
    let list = from_outside(context, &[("labels-of", &context.thread.display)], &known.join(", "), 4 * 1024);
    format!("There is no label `{label}`.{advice} Nothing was done. There are:\n\n{list}")
}
