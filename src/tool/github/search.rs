//! `github.search_issues`: in one repository within reach, whatever the words say.

use reveille_github::Issue;
use schemars::JsonSchema;
use serde::Deserialize;

use super::place::{reaches, reading};
use super::read::{line, state};
use super::value::{IssueValue, listed};
use super::{GitHubConnections, failed, nothing_done};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::fitting;
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most bytes of the list.
const LIST_BYTES: usize = 24 * 1024;
/// GitHub takes 256 characters, those of the qualifiers among them.
const MOST_CHARACTERS: usize = 160;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArguments {
    /// Words that all have to stand in title, text or comments. Few and telling ones find most: an error's name, a function.
    q: String,
    /// Only these.
    #[serde(default)]
    r#type: Option<Type>,
    /// Only those in this state.
    #[serde(default)]
    state: Option<OpenOrClosed>,
    /// How many at most, the best first; 20 if left out, 50 at most.
    #[serde(default)]
    per_page: Option<u32>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Type {
    Issue,
    Pr,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OpenOrClosed {
    Open,
    Closed,
}

answering_tool!(
    /// `github.search_issues`. Needs `issues: read`.
    SearchIssues of GitHubConnections, "github.search_issues",
    "Issues and pull requests of this repository by words, closed ones too, a line each. To find duplicates and what was \
     decided before. Words only: no qualifiers.",
    SearchArguments, (Read, ReadUntrusted), LIST_BYTES + 1_024 => search -> Found, reaches reaches
);

/// What was found, the best first.
struct Found {
    place: String,
    issues: Vec<Issue>,
}

impl Answer for Found {
    type Value = Vec<IssueValue>;

    fn text(&self, context: &ToolContext) -> String {
        let shown = |issue: &Issue| {
            let kind = if issue.is_pull_request { "pull request" } else { "issue" };
            format!("{} {kind} {}", state(issue), line(issue))
        };
        if self.issues.is_empty() {
            return "Nothing else is found by these words. Fewer or other words may find more.".to_owned();
        }
        let (list, left_out) = fitting(self.issues.iter().map(shown).collect(), LIST_BYTES.saturating_sub(512));
        let fenced = from_outside(context, &[("found-in", &self.place)], &list, LIST_BYTES);
        if left_out > 0 { format!("{fenced}\n\n[{left_out} more do not fit in]") } else { fenced }
    }

    fn into_value(self) -> Vec<IssueValue> {
        listed(self.issues)
    }
}

async fn search(
    connections: &GitHubConnections,
    context: &ToolContext,
    arguments: SearchArguments,
) -> Result<Found, ToolError> {
    let SearchArguments { q, r#type, state: wanted, per_page, repository } = arguments;
    let words: String = q.chars().filter(|character| !character.is_control()).take(MOST_CHARACTERS).collect();
    if words.trim().is_empty() {
        return Err(nothing_done("Give words to look for."));
    }
    let place = reading(connections, context, repository.as_deref())?;
    let kind = match r#type {
        Some(Type::Issue) => "is:issue",
        Some(Type::Pr) => "is:pr",
        None => "",
    };
    let open = match wanted {
        Some(OpenOrClosed::Open) => "is:open",
        Some(OpenOrClosed::Closed) => "is:closed",
        None => "",
    };
    let qualifiers = format!("{kind} {open}");
    let most = per_page.unwrap_or(20).clamp(1, 50);
    let found = place.github.api().search_issues(&place.repository, &words, qualifiers.trim(), most).await;
    let mut issues = found.map_err(failed("The search"))?;
    issues.retain(|issue| Some(issue.number) != place.own);
    Ok(Found { place: place.name(), issues })
}
