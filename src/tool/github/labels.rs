//! `github.list_labels`, and labels by the names that the repository has: GitHub would make one it does not know.

use reveille_channel::ReplyError;
use reveille_github::{GitHub, Label, MOST_PER_PAGE, Repository};
use schemars::JsonSchema;
use serde::Deserialize;

use super::place::{reaches, reading};
use super::value::LabelValue;
use super::{GitHubConnections, failed, nothing_done};
use crate::agent::nearest;
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most labels changed at once.
const MOST_LABELS: usize = 10;
/// The most pages of labels that are read.
const MOST_PAGES: u32 = 10;
/// The most bytes of a list of labels.
const LIST_BYTES: usize = 12 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LabelsArguments {
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.list_labels`. Needs `issues: read`.
    ListLabels of GitHubConnections, "github.list_labels", "The labels that this repository has, with what each is for.",
    LabelsArguments, (Read, ReadUntrusted), LIST_BYTES + 1_024 => list_labels -> Labels, reaches reaches
);

/// The labels of a repository.
struct Labels {
    place: String,
    labels: Vec<Label>,
}

impl Answer for Labels {
    type Value = Vec<LabelValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.labels.is_empty() {
            return "This repository has no labels.".to_owned();
        }
        let line = |label: &Label| match label.description.as_deref().map(str::trim) {
            Some(what) if !what.is_empty() => format!("{}: {what}", label.name),
            _ => label.name.clone(),
        };
        let lines = self.labels.iter().map(line).collect::<Vec<_>>().join("\n");
        from_outside(context, &[("labels-of", &self.place)], &lines, LIST_BYTES)
    }

    fn into_value(self) -> Vec<LabelValue> {
        self.labels.into_iter().map(Into::into).collect()
    }
}

async fn list_labels(
    connections: &GitHubConnections,
    context: &ToolContext,
    LabelsArguments { repository }: LabelsArguments,
) -> Result<Labels, ToolError> {
    let place = reading(connections, context, repository.as_deref())?;
    let labels = known(place.github, &place.repository).await.map_err(failed("The list of labels"))?;
    Ok(Labels { place: place.name(), labels })
}

async fn known(github: &GitHub, repository: &Repository) -> Result<Vec<Label>, ReplyError> {
    let mut labels = Vec::new();
    for page in 1..=MOST_PAGES {
        let found = github.api().list_labels(repository, MOST_PER_PAGE, page).await?;
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
    github: &GitHub,
    repository: &Repository,
    wanted: &[String],
) -> Result<Vec<String>, ToolError> {
    if wanted.len() > MOST_LABELS {
        return Err(nothing_done(&format!("At most {MOST_LABELS} labels at once.")));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let known = known(github, repository).await.map_err(failed("The list of labels"))?;
    let known: Vec<String> = known.into_iter().map(|label| label.name).collect();
    let mut chosen: Vec<String> = Vec::new();
    for label in wanted {
        let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(label.trim())) else {
            return Err(ToolError::Failed(no_such_label(context, repository, label, &known)));
        };
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

fn no_such_label(context: &ToolContext, repository: &Repository, label: &str, known: &[String]) -> String {
    let label: String = label.chars().filter(|character| !character.is_control()).take(64).collect();
    if known.is_empty() {
        return format!("There is no label `{label}`: this repository has none. Nothing was done.");
    }
    let advice = match nearest(&label, known.iter().map(String::as_str)) {
        Some(near) => format!(" The nearest is `{near}`."),
        None => String::new(),
    };
    let place = format!("{}/{}", repository.owner, repository.name);
    let list = from_outside(context, &[("labels-of", &place)], &known.join(", "), 4 * 1024);
    format!("There is no label `{label}`.{advice} Nothing was done. There are:\n\n{list}")
}
