//! The tools that change files: each call once, whatever is tried again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Files, open, path, refused, workspace_tool};
use crate::tool::{Form, ToolContext, ToolError};
use crate::workspace::{Change, ChangeKind, Done, Touched, Workspace};

/// Makes the change under the call's key, and says what came of it.
pub(super) async fn apply(
    files: &Workspace,
    context: &ToolContext,
    change: &Change,
    form: Form,
) -> Result<Value, ToolError> {
    let done = files.apply(Some(&context.key), context.now_ms, change).await.map_err(refused)?;
    Ok(match form {
        Form::Text => said(&done).into(),
        Form::Value => json!(done),
    })
}

/// What came of a call whose answer was lost.
pub(super) async fn find(files: &Files, context: &ToolContext) -> Result<Option<String>, ToolError> {
    let found = open(files, context)?.done(&context.key).await;
    Ok(found.map_err(|error| ToolError::Unknown(error.to_string()))?.as_ref().map(said))
}

fn said(done: &Done) -> String {
    let line = |file: &Touched| {
        let Touched { path, change, bytes } = file;
        match change {
            ChangeKind::Created => format!("`{path}` is new: {bytes} bytes."),
            ChangeKind::Changed => format!("`{path}` is changed: {bytes} bytes now."),
            ChangeKind::Deleted => format!("`{path}` is deleted."),
            ChangeKind::Same => format!("`{path}` is as it was: {bytes} bytes."),
        }
    };
    let mut lines: Vec<String> = done.files.iter().map(line).collect();
    let named = u64::try_from(done.files.len()).unwrap_or(u64::MAX);
    match done.count.saturating_sub(named) {
        0 if lines.is_empty() => lines.push("Done.".to_owned()),
        0 => {}
        more if lines.is_empty() => lines.push(format!("Done: {more} files.")),
        more => lines.push(format!("And {more} further files.")),
    }
    if done.replaced > 1 {
        lines.push(format!("{} places were replaced.", done.replaced));
    }
    lines.join("\n")
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteArguments {
    /// The file's path, such as notes/plan.md. Folders come by themselves.
    path: String,
    /// All that the file is to hold, or all that is to come at its end.
    content: String,
    /// The content is base64: for files that are no text.
    #[serde(default)]
    base64: bool,
}

workspace_tool!(
    /// `workspace.write_file`.
    WriteFile, "workspace.write_file",
    "Writes a whole file into your workspace, in place of what it held. It is there in later turns too.",
    WriteArguments => Done, (Idempotent, WriteInternal), write_file, find
);

workspace_tool!(
    /// `workspace.append_file`.
    AppendFile, "workspace.append_file", "Puts text at the end of a file of your workspace, which is made if it is not there.",
    WriteArguments => Done, (Idempotent, WriteInternal), append_file, find
);

fn bytes(content: String, base64: bool) -> Result<Vec<u8>, ToolError> {
    if !base64 {
        return Ok(content.into_bytes());
    }
    let wrong = |error: base64::DecodeError| {
        ToolError::Failed(format!(
            "`content` is not base64 ({}). Nothing was changed.",
            error.to_string().trim_end_matches('.')
        ))
    };
    STANDARD.decode(content.trim()).map_err(wrong)
}

async fn write_file(
    files: &Workspace,
    context: &ToolContext,
    given: WriteArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let change = Change::Write { path: path(&given.path)?, bytes: bytes(given.content, given.base64)? };
    apply(files, context, &change, form).await
}

async fn append_file(
    files: &Workspace,
    context: &ToolContext,
    given: WriteArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let change = Change::Append { path: path(&given.path)?, bytes: bytes(given.content, given.base64)? };
    apply(files, context, &change, form).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditArguments {
    /// The file's path.
    path: String,
    /// What stands there, exactly and without line numbers. It must stand there once, unless `all` is set.
    old: String,
    /// What is to stand there.
    new: String,
    /// Replace it everywhere in the file.
    #[serde(default)]
    all: bool,
}

workspace_tool!(
    /// `workspace.edit_file`.
    EditFile, "workspace.edit_file", "Replaces an exact text in a file of your workspace. Read the file first.",
    EditArguments => Done, (Idempotent, WriteInternal), edit_file, find
);

async fn edit_file(
    files: &Workspace,
    context: &ToolContext,
    given: EditArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let EditArguments { path: name, old, new, all } = given;
    apply(files, context, &Change::Edit { path: path(&name)?, old, new, all }, form).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PatchArguments {
    /// A unified diff of one or several files, with `--- a/PATH`, `+++ b/PATH` (or /dev/null) and `@@` lines. It fits exactly
    /// or is refused whole.
    patch: String,
}

workspace_tool!(
    /// `workspace.apply_patch`.
    ApplyPatch, "workspace.apply_patch", "Applies a unified diff to files of your workspace: all of it or nothing.",
    PatchArguments => Done, (Idempotent, WriteInternal), apply_patch, find
);

async fn apply_patch(
    files: &Workspace,
    context: &ToolContext,
    given: PatchArguments,
    form: Form,
) -> Result<Value, ToolError> {
    apply(files, context, &Change::Patch { patch: given.patch }, form).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveArguments {
    /// A file or a folder.
    from: String,
    /// Its new path, name included.
    to: String,
    /// A file that is there may be replaced.
    #[serde(default)]
    overwrite: bool,
}

workspace_tool!(
    /// `workspace.move`.
    Move, "workspace.move", "Gives a file or folder of your workspace another path.",
    MoveArguments => Done, (Idempotent, WriteInternal), move_files, find
);

workspace_tool!(
    /// `workspace.copy`.
    Copy, "workspace.copy", "Copies a file or folder of your workspace.",
    MoveArguments => Done, (Idempotent, WriteInternal), copy_files, find
);

async fn move_files(
    files: &Workspace,
    context: &ToolContext,
    given: MoveArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let change = Change::Move { from: path(&given.from)?, to: path(&given.to)?, overwrite: given.overwrite };
    apply(files, context, &change, form).await
}

async fn copy_files(
    files: &Workspace,
    context: &ToolContext,
    given: MoveArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let change = Change::Copy { from: path(&given.from)?, to: path(&given.to)?, overwrite: given.overwrite };
    apply(files, context, &change, form).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArguments {
    /// A file, or with `recursive` a folder.
    path: String,
    /// Delete a folder with all that is in it.
    #[serde(default)]
    recursive: bool,
}

workspace_tool!(
    /// `workspace.delete`.
    Delete, "workspace.delete", "Deletes a file, or a folder with all that is in it, from your workspace.",
    DeleteArguments => Done, (Idempotent, WriteInternal), delete, find
);

async fn delete(
    files: &Workspace,
    context: &ToolContext,
    given: DeleteArguments,
    form: Form,
) -> Result<Value, ToolError> {
    apply(files, context, &Change::Delete { path: path(&given.path)?, recursive: given.recursive }, form).await
}
