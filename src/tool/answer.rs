//! What a tool of a platform found or did: fetched once and rendered twice, as text for a model and as a value for a program.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{ToolContext, ToolError};

/// One answer in its two forms.
pub(super) trait Answer {
    /// What a program gets. Its schema is derived from it, so both are always the same.
    type Value: Serialize + JsonSchema;

    /// As a model reads it: fenced where others wrote it, and short enough for its tool's limit.
    fn text(&self, context: &ToolContext) -> String;

    /// As a program takes it: whole, and as it was written. Whoever shows it to a model fences it then.
    fn into_value(self) -> Self::Value;
}

/// The value as JSON.
pub(super) fn value_of(answer: impl Answer) -> Result<Value, ToolError> {
    serde_json::to_value(answer.into_value())
        .map_err(|error| ToolError::Failed(format!("What it gives cannot be written as JSON: {error}.")))
}

/// A time as programs read it, such as `2026-08-01T12:00:00Z`; nothing where the platform does not say.
pub(super) fn time(at_ms: i64) -> Option<String> {
    let at = Some(at_ms).filter(|at_ms| *at_ms != 0).and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())?;
    Some(at.to_string())
}

/// A tool as its arguments and a function that gives an [`Answer`]. Behind `reaches` stands a function that says whether it
/// works from threads elsewhere, by what the operator says that an agent may act on.
macro_rules! answering_tool {
    ($(#[$doc:meta])* $tool:ident of $connections:ty, $name:literal, $description:expr, $arguments:ty,
     ($effect:ident, $class:ident), $bytes:expr => $call:ident -> $answer:ty $(, reaches $reaches:path)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $tool {
            spec: $crate::tool::ToolSpec,
            connections: $connections,
        }

        impl $tool {
            pub(super) fn new(connections: $connections) -> Self {
                let (effect, class) = ($crate::journal::Effect::$effect, $crate::tool::Class::$class);
                let parameters = $crate::tool::schema_of::<$arguments>();
                let spec =
                    $crate::tool::platforms::spec($name, $description, parameters, (effect, class), $bytes);
                let returns = $crate::tool::schema_of_value::<<$answer as $crate::tool::answer::Answer>::Value>();
                Self { spec: $crate::tool::ToolSpec { returns: Some(returns), ..spec }, connections }
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
                let arguments = $crate::tool::parse_arguments(arguments)?;
                let answer: $answer = $call(&self.connections, context, arguments).await?;
                Ok($crate::tool::answer::Answer::text(&answer, context))
            }

            async fn value(
                &self,
                context: &$crate::tool::ToolContext,
                arguments: &serde_json::Value,
            ) -> Result<serde_json::Value, $crate::tool::ToolError> {
                let arguments = $crate::tool::parse_arguments(arguments)?;
                let answer: $answer = $call(&self.connections, context, arguments).await?;
                $crate::tool::answer::value_of(answer)
            }

            $(
                fn reaches(&self, reach: &[$crate::agent::Reach]) -> bool {
                    $reaches(&self.connections, reach)
                }
            )?
        }
    };
}
pub(super) use answering_tool;
