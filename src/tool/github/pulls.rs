//! What pull requests are: `github.get_pull`, `github.list_pulls`, `github.list_pull_files`. All need `pull_requests: read`.

use reveille_github::{MOST_PER_PAGE, PullFile, PullRequest, Repository};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::{Place, reaches, reading};
use super::read::{author, day};
use super::value::{PullFileValue, PullState, PullValue, listed_pulls};
use super::{GitHubConnections, failed};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::{cut, fitting};
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most bytes of a pull request's text.
const TEXT_BYTES: usize = 16 * 1024;
/// The most bytes of one file's patch among others, and alone.
const PATCH_BYTES: usize = 8 * 1024;
const WHOLE_PATCH_BYTES: usize = 44 * 1024;
/// The most bytes of a list.
const LIST_BYTES: usize = 48 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PullArguments {
    /// Number of the pull request; this thread's own if left out.
    #[serde(default)]
    pub(super) pull_number: Option<u64>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    pub(super) repository: Option<String>,
}

answering_tool!(
    /// `github.get_pull`.
    GetPull of GitHubConnections, "github.get_pull", "A pull request of this repository: title, text, state, branches, newest commit.",
    PullArguments, (Read, ReadUntrusted), TEXT_BYTES + 2_048 => get_pull -> OnePull, reaches reaches
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PullsArguments {
    /// Only those in this state; open ones if left out.
    #[serde(default)]
    state: Option<Wanted>,
    /// How many at most, the newest first; 30 if left out, 100 at most.
    #[serde(default)]
    per_page: Option<u32>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Open,
    Closed,
    All,
}

answering_tool!(
    /// `github.list_pulls`.
    ListPulls of GitHubConnections, "github.list_pulls", "The pull requests of this repository, the newest first, a line each.",
    PullsArguments, (Read, ReadUntrusted), LIST_BYTES => list_pulls -> Pulls, reaches reaches
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilesArguments {
    /// Number of the pull request; this thread's own if left out.
    #[serde(default)]
    pull_number: Option<u64>,
    /// Only this file, with more of its patch.
    #[serde(default)]
    filename: Option<String>,
    /// The page, counted from 1: a hundred files each.
    #[serde(default)]
    page: Option<u32>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.list_pull_files`.
    ListPullFiles of GitHubConnections, "github.list_pull_files",
    "The files that a pull request changes, each with its patch. A patch that is cut is read alone, by its filename.",
    FilesArguments, (Read, ReadUntrusted), LIST_BYTES + 2_048 => list_pull_files -> PullFiles, reaches reaches
);

/// A pull request and where it is.
struct OnePull {
    place: String,
    pull: PullRequest,
}

impl Answer for OnePull {
    type Value = PullValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self { place, pull } = self;
        let branch = |branch: &Option<reveille_github::Branch>| {
            branch.as_ref().map_or_else(String::new, |branch| format!("{} at {}", branch.name, branch.sha))
        };
        let place = format!("{place}#{}", pull.number);
        let about = [("from", author(pull.user.as_ref())), ("in", &place), ("opened", &day(pull.created_at_ms))];
        let text = format!(
            "Title: {}\nFrom the branch: {}\nInto the branch: {}\n\n{}",
            pull.title,
            branch(&pull.head),
            branch(&pull.base),
            pull.body
        );
        let origin = if pull.is_from_fork() { " It comes from a fork: its author may be anybody." } else { "" };
        let fenced = from_outside(context, &about, &text, TEXT_BYTES);
        format!("{} is {}.{origin}\n\n{fenced}", what(pull.number), state(pull))
    }

    fn into_value(self) -> PullValue {
        self.pull.into()
    }
}

pub(super) fn what(number: u64) -> String {
    format!("The pull request #{number}")
}

fn state(pull: &PullRequest) -> &'static str {
    match PullState::from(pull) {
        PullState::Merged => "merged",
        PullState::Closed => "closed",
        PullState::Draft => "an open draft",
        PullState::Open => "open",
    }
}

/// A repository to read pull requests in.
pub(super) fn pulls_of<'a>(
    connections: &'a GitHubConnections,
    context: &ToolContext,
    named: Option<&str>,
) -> Result<Place<'a>, ToolError> {
    let Place { github, repository, own } = reading(connections, context, named)?;
    Ok(Place { github, repository: Repository { is_pull: true, ..repository }, own })
}

async fn get_pull(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullArguments { pull_number, repository }: PullArguments,
) -> Result<OnePull, ToolError> {
    let place = pulls_of(connections, context, repository.as_deref())?;
    let number = place.number(pull_number, "pull_number")?;
    let pull = place.github.api().get_pull(&place.repository, number).await.map_err(failed(&what(number)))?;
    Ok(OnePull { place: place.name(), pull })
}

/// Pull requests, the newest first.
struct Pulls {
    place: String,
    pulls: Vec<PullRequest>,
}

impl Answer for Pulls {
    type Value = Vec<PullValue>;

    fn text(&self, context: &ToolContext) -> String {
        if self.pulls.is_empty() {
            return "There are none.".to_owned();
        }
        let line = |pull: &PullRequest| {
            let title = pull.title.split_whitespace().collect::<Vec<_>>().join(" ");
            cut(format!("#{} {} by {}: {title}", pull.number, state(pull), author(pull.user.as_ref())), 300).0
        };
        let (list, left_out) = fitting(self.pulls.iter().map(line).collect(), LIST_BYTES.saturating_sub(1_024));
        let fenced = from_outside(context, &[("pull-requests-of", &self.place)], &list, LIST_BYTES - 512);
        if left_out > 0 { format!("{fenced}\n\n[{left_out} older ones do not fit in]") } else { fenced }
    }

    fn into_value(self) -> Vec<PullValue> {
        listed_pulls(self.pulls)
    }
}

async fn list_pulls(
    connections: &GitHubConnections,
    context: &ToolContext,
    PullsArguments { state: wanted, per_page, repository }: PullsArguments,
) -> Result<Pulls, ToolError> {
    let place = pulls_of(connections, context, repository.as_deref())?;
    let wanted = match wanted.unwrap_or(Wanted::Open) {
        Wanted::Open => "open",
        Wanted::Closed => "closed",
        Wanted::All => "all",
    };
    let most = per_page.unwrap_or(30).clamp(1, MOST_PER_PAGE);
    let found = place.github.api().list_pulls(&place.repository, wanted, most, 1).await.map_err(failed("The list"))?;
    Ok(Pulls { place: place.name(), pulls: found.items })
}

/// The changed files of a page, those that are asked for.
struct PullFiles {
    number: u64,
    page: u32,
    files: Vec<PullFile>,
    /// One file is asked for, and more of its patch is shown.
    is_alone: bool,
    has_more: bool,
}

/// What programs get of it.
#[derive(Serialize, JsonSchema)]
struct PullFilesValue {
    files: Vec<PullFileValue>,
    /// The page that follows, where there is one.
    next_page: Option<u32>,
}

impl Answer for PullFiles {
    type Value = PullFilesValue;

    fn text(&self, context: &ToolContext) -> String {
        let most = if self.is_alone { WHOLE_PATCH_BYTES } else { PATCH_BYTES };
        let pieces: Vec<String> = self.files.iter().map(|file| patch(context, file, most)).collect();
        if pieces.is_empty() {
            return format!("There are no such files on page {} of {}.", self.page, what(self.number));
        }
        let (list, left_out) = fitting(pieces, LIST_BYTES);
        let mut notes = String::new();
        if left_out > 0 {
            notes.push_str(&format!("\n\n[{left_out} further files do not fit in: ask for them by filename]"));
        }
        if self.has_more {
            notes.push_str(&format!("\n\n[more files on page {}]", self.page + 1));
        }
        format!("{list}{notes}")
    }

    fn into_value(self) -> PullFilesValue {
        let next_page = self.has_more.then_some(self.page + 1);
        PullFilesValue { files: self.files.into_iter().map(Into::into).collect(), next_page }
    }
}

async fn list_pull_files(
    connections: &GitHubConnections,
    context: &ToolContext,
    FilesArguments { pull_number, filename, page, repository }: FilesArguments,
) -> Result<PullFiles, ToolError> {
    let place = pulls_of(connections, context, repository.as_deref())?;
    let number = place.number(pull_number, "pull_number")?;
    let page = page.unwrap_or(1).clamp(1, 30);
    let found = place.github.api().list_pull_files(&place.repository, number, MOST_PER_PAGE, page).await;
    let mut found = found.map_err(failed(&what(number)))?;
    found.items.retain(|file| filename.as_ref().is_none_or(|name| *name == file.filename));
    Ok(PullFiles { number, page, files: found.items, is_alone: filename.is_some(), has_more: found.next.is_some() })
}

fn patch(context: &ToolContext, file: &PullFile, most: usize) -> String {
    let counts = format!("+{} -{}", file.additions, file.deletions);
    let before = file.previous_filename.as_deref().unwrap_or_default();
    let mut about = vec![("file", file.filename.as_str()), ("status", &file.status), ("lines", &counts)];
    if !before.is_empty() {
        about.push(("before", before));
    }
    from_outside(context, &about, file.patch.as_deref().unwrap_or("(no text, or too long for a patch)"), most)
}
