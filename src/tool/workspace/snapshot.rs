//! `workspace.snapshot` and `workspace.rollback`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::change::{apply, find};
use super::workspace_tool;
use crate::tool::{Form, ToolContext, ToolError};
use crate::workspace::{Change, Done, Workspace};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SnapshotArguments {
    /// The snapshot's name: 1 to 64 of a-z, A-Z, 0-9, `-`, `_` and `.`.
    name: String,
    /// Delete the snapshot of this name.
    #[serde(default)]
    delete: bool,
}

workspace_tool!(
    /// `workspace.snapshot`.
    Snapshot, "workspace.snapshot",
    "Keeps all files of your workspace as they are now under a name, or with `delete` lets a snapshot go. `workspace.stat` lists them.",
    SnapshotArguments => Done, (Idempotent, WriteInternal), snapshot, find
);

async fn snapshot(
    files: &Workspace,
    context: &ToolContext,
    given: SnapshotArguments,
    form: Form,
) -> Result<Value, ToolError> {
    let SnapshotArguments { name, delete } = given;
    let change = if delete { Change::DeleteSnapshot { name } } else { Change::Snapshot { name } };
    apply(files, context, &change, form).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RollbackArguments {
    /// The snapshot's name.
    name: String,
}

workspace_tool!(
    /// `workspace.rollback`.
    Rollback, "workspace.rollback",
    "Brings all files of your workspace back to what a snapshot holds. What was changed since is lost unless it is in another one.",
    RollbackArguments => Done, (Idempotent, WriteInternal), rollback, find
);

async fn rollback(
    files: &Workspace,
    context: &ToolContext,
    given: RollbackArguments,
    form: Form,
) -> Result<Value, ToolError> {
    apply(files, context, &Change::Rollback { name: given.name }, form).await
}
