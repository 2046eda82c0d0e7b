//! `github.get_file` and `github.list_directory`: at a branch, tag or commit of a repository within reach.

use reveille_github::{Content, Entry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::{Place, reaches, reading};
use super::{GitHubConnections, failed, nothing_done};
use crate::tool::answer::{Answer, answering_tool};
use crate::tool::output::{cut, fitting};
use crate::tool::{ToolContext, ToolError, from_outside};

/// The most bytes of a file that are shown at once.
const FILE_BYTES: usize = 48 * 1024;
/// The most bytes of a folder's list.
const LIST_BYTES: usize = 24 * 1024;
/// The longest path or name of a branch.
const MOST_CHARACTERS: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileArguments {
    /// Its path from the top of the repository, such as src/main.rs.
    path: String,
    /// A branch, tag or commit; the default branch if left out.
    #[serde(default)]
    r#ref: Option<String>,
    /// The first line to show, counted from 1.
    #[serde(default)]
    start_line: Option<usize>,
    /// The last line to show.
    #[serde(default)]
    end_line: Option<usize>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DirectoryArguments {
    /// Its path from the top of the repository; the top itself if left out.
    #[serde(default)]
    path: String,
    /// A branch, tag or commit; the default branch if left out.
    #[serde(default)]
    r#ref: Option<String>,
    /// Another repository within reach, as owner/name; this thread's own if left out.
    #[serde(default)]
    repository: Option<String>,
}

answering_tool!(
    /// `github.get_file`. Needs `contents: read`.
    GetFile of GitHubConnections, "github.get_file",
    "A text file of this repository with the numbers of its lines. What is too long for once is read in parts, by lines.",
    FileArguments, (Read, ReadUntrusted), FILE_BYTES + 2_048 => get_file -> File, reaches reaches
);

answering_tool!(
    /// `github.list_directory`. Needs `contents: read`.
    ListDirectory of GitHubConnections, "github.list_directory",
    "What a folder of this repository holds, a line each; folders end with a slash.",
    DirectoryArguments, (Read, ReadUntrusted), LIST_BYTES + 1_024 => list_directory -> Directory, reaches reaches
);

async fn content(
    connections: &GitHubConnections,
    context: &ToolContext,
    repository: Option<&str>,
    path: &str,
    at: Option<&str>,
) -> Result<Content, ToolError> {
    let is_name = |text: &str| text.chars().count() <= MOST_CHARACTERS && !text.contains(char::is_control);
    if !is_name(path) || !at.is_none_or(|at| is_name(at) && !at.trim().is_empty()) {
        return Err(nothing_done("That is no path, or no branch, tag or commit."));
    }
    let Place { github, repository, .. } = reading(connections, context, repository)?;
    let what = format!("`{path}`");
    github.api().get_content(&repository, path, at).await.map_err(failed(&what))
}

/// A text file, or some lines of it.
struct File {
    path: String,
    at: Option<String>,
    size: u64,
    text: String,
    /// The lines that are asked for, counted from 1.
    first: usize,
    last: usize,
}

/// What programs get of it.
#[derive(Serialize, JsonSchema)]
struct FileValue {
    path: String,
    /// Bytes of the whole file.
    size: u64,
    /// How many the whole file has.
    lines: usize,
    /// The lines that were asked for, as they are, without numbers.
    text: String,
}

impl File {
    fn wanted(&self) -> usize {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

impl Answer for File {
    type Value = FileValue;

    fn text(&self, context: &ToolContext) -> String {
        let Self { path, at, size, text, first, last } = self;
        let total = text.lines().count();
        let mut shown = String::new();
        let mut reached = first.saturating_sub(1);
        for (index, line) in text.lines().enumerate().skip(first.saturating_sub(1)).take(self.wanted()) {
            let line = cut(line.to_owned(), 4 * 1024).0;
            let numbered = format!("{:>5}  {line}\n", index + 1);
            if shown.len() + numbered.len() > FILE_BYTES {
                break;
            }
            shown.push_str(&numbered);
            reached = index + 1;
        }
        if shown.is_empty() {
            return format!("There is nothing at these lines: the file has {total} lines and {size} bytes.");
        }
        let at = at.as_deref().unwrap_or("the default branch");
        let fenced = from_outside(context, &[("file", path), ("at", at)], &shown, FILE_BYTES);
        let is_short = reached < total && reached < *last;
        let more = if is_short { format!(" The next part begins at line {}.", reached + 1) } else { String::new() };
        format!("{fenced}\n\nLines {first} to {reached} of {total}.{more}")
    }

    fn into_value(self) -> FileValue {
        let lines = self.text.lines().count();
        let wanted = self.text.split_inclusive('\n').skip(self.first.saturating_sub(1)).take(self.wanted()).collect();
        FileValue { path: self.path, size: self.size, lines, text: wanted }
    }
}

async fn get_file(
    connections: &GitHubConnections,
    context: &ToolContext,
    arguments: FileArguments,
) -> Result<File, ToolError> {
    let FileArguments { path, r#ref: at, start_line, end_line, repository } = arguments;
    let (bytes, size) = match content(connections, context, repository.as_deref(), &path, at.as_deref()).await? {
        Content::File { bytes: Some(bytes), size } => (bytes, size),
        Content::File { bytes: None, size } => {
            return Err(nothing_done(&format!("The file has {size} bytes: GitHub gives out at most a megabyte.")));
        }
        Content::Directory(_) => {
            return Err(nothing_done("That is a folder: `github.list_directory` shows what it holds."));
        }
        Content::Other => return Err(nothing_done("That is a submodule or a link, and no file.")),
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(nothing_done(&format!("The file is no text; it has {size} bytes.")));
    };
    let (first, last) = (start_line.unwrap_or(1).max(1), end_line.unwrap_or(usize::MAX));
    Ok(File { path, at, size, text, first, last })
}

/// What a folder holds.
struct Directory {
    path: String,
    entries: Vec<Entry>,
}

/// A file or folder.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
struct EntryValue {
    /// From the top of the repository.
    path: String,
    /// file, dir, symlink or submodule.
    kind: String,
    /// Bytes.
    size: u64,
}

impl Answer for Directory {
    type Value = Vec<EntryValue>;

    fn text(&self, context: &ToolContext) -> String {
        let line = |entry: &Entry| match entry.kind.as_str() {
            "dir" => format!("{}/", entry.path),
            "file" => format!("{} ({} bytes)", entry.path, entry.size),
            other => format!("{} ({other})", entry.path),
        };
        let lines: Vec<String> = self.entries.iter().map(line).collect();
        let count = lines.len();
        // A blank line between paths would say nothing.
        let (list, left_out) = fitting(lines, LIST_BYTES.saturating_sub(512));
        let list = list.replace("\n\n", "\n");
        let fenced = from_outside(context, &[("folder", &self.path)], &list, LIST_BYTES);
        let more = if left_out > 0 { format!("\n\n[{left_out} of {count} do not fit in]") } else { String::new() };
        format!("{fenced}{more}")
    }

    fn into_value(self) -> Vec<EntryValue> {
        let value = |Entry { path, kind, size }: Entry| EntryValue { path, kind, size };
        self.entries.into_iter().map(value).collect()
    }
}

async fn list_directory(
    connections: &GitHubConnections,
    context: &ToolContext,
    DirectoryArguments { path, r#ref: at, repository }: DirectoryArguments,
) -> Result<Directory, ToolError> {
    match content(connections, context, repository.as_deref(), &path, at.as_deref()).await? {
        Content::Directory(entries) => Ok(Directory { path, entries }),
        Content::File { .. } | Content::Other => Err(nothing_done("That is no folder: `github.get_file` shows files.")),
    }
}
