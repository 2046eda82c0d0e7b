//! `workspace.list_files`, `workspace.glob` and `workspace.grep`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TEXT_BYTES, failed, path, workspace_tool};
use crate::tool::output::fitting;
use crate::tool::{Form, ToolContext, ToolError, from_outside};
use crate::workspace::{self, Entry, Line, Listed, Workspace};

/// How many files a model is told of, and a program, where neither says how many it wants.
const FILES_SHOWN: usize = 500;
const FILES_GIVEN: usize = 20_000;

/// How many lines of a search a model is told of, and a program, where neither says how many it wants.
const LINES_SHOWN: usize = 100;
const LINES_GIVEN: usize = 5_000;

/// The longest search: well inside the tool's deadline.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file or a folder.
#[derive(Serialize, JsonSchema)]
struct FileValue {
    path: String,
    is_folder: bool,
    bytes: u64,
    /// Milliseconds since the Unix epoch.
    modified_ms: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArguments {
    /// The folder; the top if left out.
    #[serde(default)]
    path: Option<String>,
    /// All files below it, in place of its own files and folders.
    #[serde(default)]
    recursive: bool,
    /// The most that are listed.
    #[serde(default)]
    limit: Option<usize>,
}

workspace_tool!(
    /// `workspace.list_files`.
    ListFiles, "workspace.list_files", "What a folder of your workspace holds, a line each; folders end with a slash.",
    ListArguments => Vec<FileValue>, (Read, ReadUntrusted), list_files
);

async fn list_files(
    files: &Workspace,
    context: &ToolContext,
    given: ListArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let folder = given.path.as_deref().filter(|path| !path.is_empty()).map(path).transpose()?;
    let most = given.limit.unwrap_or(most(form, FILES_SHOWN, FILES_GIVEN));
    let listed = files.list(folder.as_ref(), given.recursive, most).await.map_err(failed)?;
    if listed.count == 0 && matches!(form, Form::Text) {
        return Ok("Your workspace is empty.".into());
    }
    let about = folder.as_ref().map_or("the top", |folder| folder.as_str());
    Ok(told(context, ("folder", about), listed, form))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GlobArguments {
    /// The pattern, such as src/**/*.rs: `*` stays inside a folder, `**` does not, `{a,b}` is either.
    pattern: String,
    /// The most that are listed.
    #[serde(default)]
    limit: Option<usize>,
}

workspace_tool!(
    /// `workspace.glob`.
    Glob, "workspace.glob", "The files of your workspace whose paths fit a pattern.",
    GlobArguments => Vec<FileValue>, (Read, ReadUntrusted), glob
);

async fn glob(files: &Workspace, context: &ToolContext, given: GlobArguments, form: Form) -> Result<Value, ToolError> {
    let most = given.limit.unwrap_or(most(form, FILES_SHOWN, FILES_GIVEN));
    let listed = files.glob(&given.pattern, most).await.map_err(failed)?;
    if listed.count == 0 && matches!(form, Form::Text) {
        return Ok("No file fits the pattern.".into());
    }
    Ok(told(context, ("pattern", &given.pattern), listed, form))
}

fn most(form: Form, shown: usize, given: usize) -> usize {
    match form {
        Form::Text => shown,
        Form::Value => given,
    }
}

fn told(context: &ToolContext, about: (&str, &str), listed: Listed, form: Form) -> Value {
    let Listed { entries, count } = listed;
    if matches!(form, Form::Value) {
        let value = |entry: Entry| {
            let Entry { path, is_folder, bytes, modified_ms, .. } = entry;
            FileValue { path, is_folder, bytes, modified_ms }
        };
        return json!(entries.into_iter().map(value).collect::<Vec<_>>());
    }
    let line = |entry: &Entry| match entry.is_folder {
        true => format!("{}/ ({} files)", entry.path, entry.files),
        false => format!("{} ({} bytes)", entry.path, entry.bytes),
    };
    let (list, _) = fitting(entries.iter().map(line).collect(), TEXT_BYTES - 512);
    // A blank line between paths would say nothing.
    let list = list.replace("\n\n", "\n");
    let left_out = count - list.lines().count();
    let fenced = from_outside(context, &[about], &list, TEXT_BYTES);
    let more = if left_out > 0 { format!("\n\n[{left_out} of {count} are not shown]") } else { String::new() };
    (fenced + &more).into()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrepArguments {
    /// A regular expression (syntax of Rust's regex crate: no look-around, no back-references), looked for in each line.
    pattern: String,
    /// The pattern is a plain text.
    #[serde(default)]
    literal: bool,
    /// Capital and small letters are the same.
    #[serde(default)]
    ignore_case: bool,
    /// A file, or a folder with all below it; everything if left out.
    #[serde(default)]
    path: Option<String>,
    /// Only files whose paths fit this, such as **/*.rs.
    #[serde(default)]
    glob: Option<String>,
    /// The most lines that are found.
    #[serde(default)]
    limit: Option<usize>,
}

/// A line that was found.
#[derive(Serialize, JsonSchema)]
struct LineValue {
    path: String,
    /// The line's number, from 1.
    line: usize,
    text: String,
}

workspace_tool!(
    /// `workspace.grep`.
    Grep, "workspace.grep", "The lines of text files in your workspace in which a pattern is found, with path and number.",
    GrepArguments => Vec<LineValue>, (Read, ReadUntrusted), grep
);

async fn grep(files: &Workspace, context: &ToolContext, given: GrepArguments, form: Form) -> Result<Value, ToolError> {
    let GrepArguments { pattern, literal, ignore_case, path: place, glob, limit } = given;
    let path = place.as_deref().filter(|path| !path.is_empty()).map(path).transpose()?;
    let most = limit.unwrap_or(most(form, LINES_SHOWN, LINES_GIVEN)).min(LINES_GIVEN);
    let query =
        workspace::Grep { pattern: pattern.clone(), literal, ignore_case, path, glob, most, patience: PATIENCE };
    let found = files.grep(&query).await.map_err(failed)?;
    if matches!(form, Form::Value) {
        // An array cannot say that something is missing, unless that is what was asked for.
        if let Some(why) = found.stopped.filter(|_| limit.is_none_or(|limit| found.lines.len() < limit)) {
            return Err(ToolError::Failed(format!("The search is not complete: {why}. Narrow it, or give a `limit`.")));
        }
        let value = |Line { path, number, text }| LineValue { path, line: number, text };
        return Ok(json!(found.lines.into_iter().map(value).collect::<Vec<_>>()));
    }
    let binary = match found.binary {
        0 => String::new(),
        count => format!(" {count} more are no text and were not."),
    };
    let searched = format!("{} files were searched.{binary}", found.searched);
    let more = found.stopped.map_or_else(String::new, |why| format!(" There may be more: {why}."));
    if found.lines.is_empty() {
        return Ok(format!("No line fits. {searched}{more}").into());
    }
    let line = |line: &Line| format!("{}:{}: {}", line.path, line.number, line.text);
    let (list, left_out) = fitting(found.lines.iter().map(line).collect(), TEXT_BYTES - 512);
    let fenced = from_outside(context, &[("pattern", &pattern)], &list.replace("\n\n", "\n"), TEXT_BYTES);
    let cut = if left_out > 0 { format!(" {left_out} lines do not fit in.") } else { String::new() };
    Ok(format!("{fenced}\n\n{} lines. {searched}{cut}{more}", found.lines.len()).into())
}
