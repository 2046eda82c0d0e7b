//! `workspace.read_file`, `workspace.stat` and `workspace.diff`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TEXT_BYTES, failed, path, workspace_tool};
use crate::tool::{Form, ToolContext, ToolError, cut, from_outside};
use crate::workspace::{Entry, SnapshotEntry, Workspace, WorkspaceError};

/// The longest line that is shown whole.
const LINE_BYTES: usize = 4 * 1024;

/// The most bytes of a diff that a program gets.
const DIFF_BYTES: usize = 512 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArguments {
    /// The file's path, such as notes/plan.md.
    path: String,
    /// The first line to show, counted from 1.
    #[serde(default)]
    start_line: Option<usize>,
    /// The last line to show.
    #[serde(default)]
    end_line: Option<usize>,
    /// Give the file's bytes as base64: for files that are no text.
    #[serde(default)]
    base64: bool,
}

workspace_tool!(
    /// `workspace.read_file`.
    ReadFile, "workspace.read_file",
    "A text file of your workspace with the numbers of its lines. What is too long for once is read in parts, by lines.",
    ReadArguments => String, (Read, ReadUntrusted), read_file
);

async fn read_file(
    files: &Workspace,
    context: &ToolContext,
    given: ReadArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let ReadArguments { path: name, start_line, end_line, base64 } = given;
    let path = path(&name)?;
    let content = files.read(&path).await.map_err(failed)?;
    let size = content.bytes.len();
    if base64 {
        let encoded = STANDARD.encode(&content.bytes);
        if matches!(form, Form::Text) && encoded.len() > TEXT_BYTES {
            return Err(ToolError::Failed(format!("The file has {size} bytes: too many to be shown as base64.")));
        }
        return Ok(Value::String(encoded));
    }
    let Ok(text) = String::from_utf8(content.bytes) else {
        return Err(failed(WorkspaceError::NotText(name)));
    };
    let (first, last) = (start_line.unwrap_or(1).max(1), end_line.unwrap_or(usize::MAX));
    let wanted = last.saturating_sub(first).saturating_add(1);
    let lines = || text.split_inclusive('\n').enumerate().skip(first - 1).take(wanted);
    if matches!(form, Form::Value) {
        let whole = start_line.is_none() && end_line.is_none();
        return Ok(Value::String(if whole { text } else { lines().map(|(_, line)| line).collect() }));
    }
    let total = text.split_inclusive('\n').count();
    let mut shown = String::new();
    let mut reached = first - 1;
    for (index, line) in lines() {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let numbered = format!("{:>5}  {}\n", index + 1, cut(line.to_owned(), LINE_BYTES).0);
        if shown.len() + numbered.len() > TEXT_BYTES {
            break;
        }
        shown.push_str(&numbered);
        reached = index + 1;
    }
    if shown.is_empty() {
        return Ok(format!("There is nothing at these lines: the file has {total} lines and {size} bytes.").into());
    }
    let fenced = from_outside(context, &[("file", path.as_str())], shown.trim_end_matches('\n'), TEXT_BYTES);
    let more = match reached < total && reached < last {
        true => format!(" The next part begins at line {}.", reached + 1),
        false => String::new(),
    };
    Ok(format!("{fenced}\n\nLines {first} to {reached} of {total}.{more}").into())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StatArguments {
    /// The path of a file or folder; if left out, the whole workspace with its limits and snapshots.
    #[serde(default)]
    path: Option<String>,
}

/// A file, a folder or the whole workspace.
#[derive(Serialize, JsonSchema)]
struct StatValue {
    /// Its path; empty for the whole workspace.
    path: String,
    is_folder: bool,
    bytes: u64,
    /// How many files it holds; 1 for a file.
    files: u64,
    /// Milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_ms: Option<i64>,
    /// Names of the workspace's snapshots, the oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<Vec<String>>,
}

workspace_tool!(
    /// `workspace.stat`.
    Stat, "workspace.stat",
    "Size and time of a file or folder of your workspace; without a path what the whole holds, what it may, and its snapshots.",
    StatArguments => StatValue, (Read, ReadUntrusted), stat
);

async fn stat(files: &Workspace, _: &ToolContext, given: StatArguments, form: Form) -> Result<Value, ToolError> {
    if let Some(name) = given.path {
        let Entry { path, is_folder, bytes, files, modified_ms } = files.stat(&path(&name)?).await.map_err(failed)?;
        let kind = if is_folder { format!("folder of {files} files") } else { "file".to_owned() };
        return Ok(match form {
            Form::Text => format!("`{path}`: {kind}, {bytes} bytes, changed at {}.", time(modified_ms)).into(),
            Form::Value => {
                json!(StatValue { path, is_folder, bytes, files, modified_ms: Some(modified_ms), snapshots: None })
            }
        });
    }
    let usage = files.usage().await.map_err(failed)?;
    if matches!(form, Form::Value) {
        let snapshots = Some(usage.snapshots.into_iter().map(|snapshot| snapshot.name).collect());
        let (files, bytes) = (usage.files, usage.bytes);
        return Ok(json!(StatValue {
            path: String::new(),
            is_folder: true,
            bytes,
            files,
            modified_ms: None,
            snapshots
        }));
    }
    let most = usage.quotas;
    let line = |snapshot: &SnapshotEntry| {
        format!("\nSnapshot `{}`: {} files, made at {}.", snapshot.name, snapshot.files, time(snapshot.made_ms))
    };
    let snapshots: String = usage.snapshots.iter().map(line).collect();
    Ok(format!(
        "The workspace holds {} of {} files and {} of {} bytes; a file has {} bytes at most.{snapshots}",
        usage.files, most.files, usage.bytes, most.bytes, most.file_bytes
    )
    .into())
}

fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| format!("{at_ms} ms"), |at| at.to_string())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiffArguments {
    /// A file, or with `snapshot` also a folder; with `snapshot` alone everything.
    #[serde(default)]
    path: Option<String>,
    /// Another file to compare it with.
    #[serde(default)]
    other: Option<String>,
    /// The snapshot to compare with.
    #[serde(default)]
    snapshot: Option<String>,
}

workspace_tool!(
    /// `workspace.diff`.
    Diff, "workspace.diff",
    "A unified diff: from one file of your workspace to another (`path`, `other`), or what changed since a snapshot (`snapshot`).",
    DiffArguments => String, (Read, ReadUntrusted), diff
);

async fn diff(files: &Workspace, context: &ToolContext, given: DiffArguments, form: Form) -> Result<Value, ToolError> {
    let one = given.path.as_deref().map(path).transpose()?;
    let most = if matches!(form, Form::Text) { TEXT_BYTES } else { DIFF_BYTES };
    let (text, left_out) = match (one, given.other, given.snapshot) {
        (Some(one), Some(other), None) => (files.diff(&one, &path(&other)?).await.map_err(failed)?, 0),
        (one, None, Some(snapshot)) => files.diff_since(&snapshot, one.as_ref(), most).await.map_err(failed)?,
        _ => {
            return Err(ToolError::Failed("Give `path` and `other`, or `snapshot` with or without `path`.".to_owned()));
        }
    };
    let more = match left_out {
        0 => String::new(),
        files => format!("\n\n[{files} further files changed: compare them one by one]"),
    };
    Ok(match form {
        Form::Text if text.is_empty() => "There is no difference.".into(),
        Form::Text => {
            (from_outside(context, &[("diff", "workspace")], text.trim_end_matches('\n'), TEXT_BYTES) + &more).into()
        }
        Form::Value if left_out > 0 => {
            return Err(ToolError::Failed(format!("The diff is too long. {} Give a `path`.", more.trim())));
        }
        Form::Value => text.into(),
    })
}
