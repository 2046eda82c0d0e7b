//! The workspace's tools: an instance's own files.
//!
//! Each acts in the workspace of the instance that calls, and no argument leads to another's. What is changed is changed
//! once for each call, whatever is tried again (`crate::workspace`). Files hold what anybody may have written, so their text
//! is fenced as text from outside is.

mod change;
mod find;
mod read;
mod snapshot;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde_json::Value;

use super::{Class, Tool, ToolContext, ToolError, ToolSpec, schema_of};
use crate::journal::Effect;
use crate::workspace::{Workspace, WorkspaceError, WorkspacePath, Workspaces};

/// How long one of these tools may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The most bytes of a file or a list that a model gets at once.
const TEXT_BYTES: usize = 48 * 1024;

/// Room for what stands around it.
const MORE_BYTES: usize = 2 * 1024;

/// Where the files of all instances are; `None` where the gateway has no storage.
type Files = Option<Arc<Workspaces>>;

/// The tools over these workspaces.
pub(super) fn tools(files: Option<&Arc<Workspaces>>) -> Vec<Arc<dyn Tool>> {
    let of = || files.cloned();
    vec![
        Arc::new(read::ReadFile::new(of())),
        Arc::new(read::Stat::new(of())),
        Arc::new(read::Diff::new(of())),
        Arc::new(find::ListFiles::new(of())),
        Arc::new(find::Glob::new(of())),
        Arc::new(find::Grep::new(of())),
        Arc::new(change::WriteFile::new(of())),
        Arc::new(change::AppendFile::new(of())),
        Arc::new(change::EditFile::new(of())),
        Arc::new(change::ApplyPatch::new(of())),
        Arc::new(change::Move::new(of())),
        Arc::new(change::Copy::new(of())),
        Arc::new(change::Delete::new(of())),
        Arc::new(snapshot::Snapshot::new(of())),
        Arc::new(snapshot::Rollback::new(of())),
    ]
}

fn spec(
    name: &'static str,
    description: &'static str,
    parameters: Value,
    returns: Value,
    (effect, class): (Effect, Class),
) -> ToolSpec {
    let output_bytes = TEXT_BYTES + MORE_BYTES;
    let returns = Some(returns);
    ToolSpec { name, description, parameters, returns, effect, class, platform: None, deadline: DEADLINE, output_bytes }
}

/// The schema of a value, which unlike arguments need not be an object.
fn returns<T: JsonSchema>() -> Value {
    let mut schema = schema_of::<T>();
    if let Value::Object(object) = &mut schema
        && object.get("type").and_then(Value::as_str) != Some("object")
    {
        object.remove("properties");
    }
    schema
}

/// A tool as its arguments, what it gives a program, and a function that gives either form. One that changes something finds
/// what a lost call did by its key.
macro_rules! workspace_tool {
    ($(#[$doc:meta])* $tool:ident, $name:literal, $description:literal,
     $arguments:ty => $returns:ty, ($effect:ident, $class:ident), $call:ident $(, $look_up:ident)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $tool {
            spec: $crate::tool::ToolSpec,
            files: $crate::tool::workspace::Files,
        }

        impl $tool {
            pub(super) fn new(files: $crate::tool::workspace::Files) -> Self {
                let (effect, class) = ($crate::journal::Effect::$effect, $crate::tool::Class::$class);
                let parameters = $crate::tool::schema_of::<$arguments>();
                let returns = $crate::tool::workspace::returns::<$returns>();
                let spec = $crate::tool::workspace::spec($name, $description, parameters, returns, (effect, class));
                Self { spec, files }
            }
        }

        #[async_trait::async_trait]
        impl $crate::tool::Tool for $tool {
            fn spec(&self) -> &$crate::tool::ToolSpec {
                &self.spec
            }

            async fn call(
                &self,
                context: &$crate::tool::ToolContext,
                arguments: &serde_json::Value,
            ) -> Result<String, $crate::tool::ToolError> {
                let files = $crate::tool::workspace::open(&self.files, context)?;
                let given = $crate::tool::parse_arguments(arguments)?;
                Ok(match $call(&files, context, given, $crate::tool::Form::Text).await? {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                })
            }

            async fn value(
                &self,
                context: &$crate::tool::ToolContext,
                arguments: &serde_json::Value,
            ) -> Result<serde_json::Value, $crate::tool::ToolError> {
                let files = $crate::tool::workspace::open(&self.files, context)?;
                let given = $crate::tool::parse_arguments(arguments)?;
                $call(&files, context, given, $crate::tool::Form::Value).await
            }

            $(
                async fn look_up(
                    &self,
                    context: &$crate::tool::ToolContext,
                    _arguments: &serde_json::Value,
                ) -> Result<Option<String>, $crate::tool::ToolError> {
                    $look_up(&self.files, context).await
                }
            )?
        }
    };
}
use workspace_tool;

/// The caller's own workspace.
fn open(files: &Files, context: &ToolContext) -> Result<Arc<Workspace>, ToolError> {
    match files {
        Some(files) => Ok(files.of(context.instance)),
        None => Err(ToolError::Failed("This gateway keeps no files.".to_owned())),
    }
}

/// A path of the model's.
fn path(text: &str) -> Result<WorkspacePath, ToolError> {
    WorkspacePath::parse(text).map_err(failed)
}

/// What a look came to, for the model.
fn failed(error: impl Into<WorkspaceError>) -> ToolError {
    ToolError::Failed(sentence(&error.into()))
}

/// What a change came to, for the model.
fn refused(error: impl Into<WorkspaceError>) -> ToolError {
    let error = error.into();
    let said = sentence(&error);
    if error.is_unclear() {
        ToolError::Unknown(said)
    } else {
        ToolError::Failed(format!("{said} Nothing was changed."))
    }
}

fn sentence(error: &WorkspaceError) -> String {
    if error.is_unclear() {
        // What it says is for whoever runs the gateway: it names places on their disk.
        tracing::error!(%error, "a workspace cannot be reached");
        return "The files cannot be reached now; whoever runs the gateway finds the reason in its log.".to_owned();
    }
    let said = error.to_string();
    let mut characters = said.chars();
    let said: String = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
    if said.ends_with('.') { said } else { format!("{said}.") }
}
