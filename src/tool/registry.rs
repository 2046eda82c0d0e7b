//! The tools there are, and how one is run: within its deadline and its output limit, and without taking anything down.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{Instrument, info_span};

use super::{
    Form, Leave, Platforms, Tool, ToolContext, ToolError, ToolSpec, clock, cut, discord, file, github, linear, skill,
    slack, thread, workspace,
};
use crate::agent::{Reach, matches_pattern, nearest};
use crate::journal::{Effect, ToolOutcome};
use crate::model::ToolSchema;

/// How long finding out what happened to a lost call may take.
const LOOK_UP_DEADLINE: Duration = Duration::from_secs(20);

/// The most bytes of a value's JSON that a program gets. A text is cut, JSON cannot be.
const VALUE_BYTES: usize = 1024 * 1024;

/// Two tools want the same name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are two tools of the name {0}: rename one")]
pub struct RegistryError(String);

/// The tools there are, by name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    tools: BTreeMap<&'static str, Arc<dyn Tool>>,
}

impl Registry {
    /// A registry of these tools.
    ///
    /// # Errors
    /// [`RegistryError`] when two have one name.
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        for tool in tools {
            let name = tool.spec().name;
            if registry.tools.insert(name, tool).is_some() {
                return Err(RegistryError(name.to_owned()));
            }
        }
        Ok(registry)
    }

    /// The tools that come with the gateway; those of a platform reach these connections.
    ///
    /// # Errors
    /// [`RegistryError`] when two have one name.
    pub fn built_in(platforms: &Platforms) -> Result<Self, RegistryError> {
        let tools: [Arc<dyn Tool>; 5] = [
            Arc::new(clock::Now::new()),
            Arc::new(skill::Load::new()),
            Arc::new(thread::History::new()),
            Arc::new(thread::React::new()),
            Arc::new(file::ReadFile::new()),
        ];
        let of_platforms = github::tools(&platforms.github)
            .into_iter()
            .chain(linear::tools(&platforms.linear))
            .chain(slack::tools(&platforms.slack))
            .chain(discord::tools(&platforms.discord))
            .chain(workspace::tools(platforms.workspaces.as_ref()));
        Self::new(tools.into_iter().chain(of_platforms))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tools.keys().copied()
    }

    /// The tool of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.get(name)
    }

    /// The tools that these names and `prefix.*` patterns mean, in order of their names.
    pub fn matching<'a>(&'a self, patterns: &'a [String]) -> impl Iterator<Item = &'a Arc<dyn Tool>> + 'a {
        let is_meant = |name: &str| patterns.iter().any(|pattern| matches_pattern(pattern, name));
        self.tools.iter().filter(move |(name, _)| is_meant(name)).map(|(_, tool)| tool)
    }

    /// Those of them that work in threads of the platform, or by what the agent may reach; always in the same order, so that
    /// a provider's cache holds.
    pub fn offered<'a>(
        &'a self,
        patterns: &'a [String],
        platform: &'a str,
        reach: &'a [Reach],
    ) -> impl Iterator<Item = &'a ToolSpec> + 'a {
        self.matching(patterns).filter(move |tool| works(tool, platform, reach)).map(|tool| tool.spec())
    }

    /// The same, as a model is told of them.
    #[must_use]
    pub fn schemas(&self, patterns: &[String], platform: &str, reach: &[Reach]) -> Vec<ToolSchema> {
        let schema = |spec: &ToolSpec| ToolSchema {
            name: spec.name.to_owned(),
            description: spec.description.to_owned(),
            parameters: spec.parameters.clone(),
        };
        self.offered(patterns, platform, reach).map(schema).collect()
    }

    /// Runs a tool to its end or to its deadline, at most for `left`, whichever comes first.
    ///
    /// Whether the agent may use it has been decided (`dispatch::decide_tool`). A tool of an effect other than `read` runs
    /// with [`Leave::Act`] alone. Nothing a tool does comes out as a panic. As [`Form::Value`], the outcome's content is JSON.
    ///
    /// # Cancel safety
    /// Dropping it drops the tool's call; what had left then is to be found out with [`Registry::resume`].
    pub async fn run(
        &self,
        name: &str,
        context: &ToolContext,
        arguments: &Value,
        left: Duration,
        leave: &Leave,
        form: Form,
    ) -> ToolOutcome {
        let Some(tool) = self.get(name) else { return self.unknown(name) };
        let spec = tool.spec();
        if spec.effect != Effect::Read && matches!(leave, Leave::Look) {
            tracing::error!(
                tool = spec.name,
                "a tool that acts was called without its intent being durable; it did not run"
            );
            return ToolOutcome::Error {
                message: format!("`{}` did not run: its call was not recorded first.", spec.name),
            };
        }
        if let Some(only) = spec.platform
            && !works(tool, context.channel.platform(), &context.reach)
        {
            return ToolOutcome::Error { message: format!("`{}` works in threads on {only} alone.", spec.name) };
        }
        let deadline = spec.deadline.min(left);
        let span = info_span!("tool", name = spec.name, key = %context.key, instance = %context.instance);
        let running = async {
            match timeout(deadline, AssertUnwindSafe(called(tool, context, arguments, form)).catch_unwind()).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => {
                    tracing::error!("the tool panicked");
                    Err(lost(spec.effect, "The tool broke down."))
                }
                Err(_) => {
                    tracing::warn!(deadline_ms = deadline.as_millis(), "the tool took too long");
                    Err(lost(spec.effect, &format!("The tool did not end within {} seconds.", deadline.as_secs())))
                }
            }
        };
        match running.instrument(span).await {
            Ok(content) => done(spec, content, form),
            Err(ToolError::Failed(message)) => failed(message, spec.output_bytes),
            Err(ToolError::Unknown(message)) if spec.effect == Effect::Read => failed(message, spec.output_bytes),
            Err(ToolError::Unknown(message)) => match self.looked_up(tool, context, arguments).await {
                Ok(Some(content)) => done(spec, found(content, form), form),
                // It is not there now. A request may still be on its way, so nobody says that it will never be.
                Ok(None) | Err(_) => ToolOutcome::Unknown { message: cut(message, spec.output_bytes).0 },
            },
        }
    }

    /// Goes on with a call that was begun before a crash and has no result: what may be done twice is done again, what
    /// must not is looked up, and done only if it certainly was not.
    ///
    /// # Cancel safety
    /// As [`Registry::run`].
    pub async fn resume(
        &self,
        name: &str,
        context: &ToolContext,
        arguments: &Value,
        left: Duration,
        leave: &Leave,
        form: Form,
    ) -> ToolOutcome {
        let Some(tool) = self.get(name) else { return self.unknown(name) };
        let spec = tool.spec();
        if spec.effect != Effect::Once {
            return self.run(name, context, arguments, left, leave, form).await;
        }
        match self.looked_up(tool, context, arguments).await {
            Ok(Some(content)) => done(spec, found(content, form), form),
            Ok(None) => self.run(name, context, arguments, left, leave, form).await,
            Err(error) => ToolOutcome::Unknown {
                message: cut(format!("It may or may not have been done: {error}"), spec.output_bytes).0,
            },
        }
    }

    async fn looked_up(
        &self,
        tool: &Arc<dyn Tool>,
        context: &ToolContext,
        arguments: &Value,
    ) -> Result<Option<String>, ToolError> {
        let unknown = |what: &str| Err(ToolError::Unknown(what.to_owned()));
        match timeout(LOOK_UP_DEADLINE, AssertUnwindSafe(tool.look_up(context, arguments)).catch_unwind()).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => unknown("looking it up broke down"),
            Err(_) => unknown("looking it up took too long"),
        }
    }

    fn unknown(&self, name: &str) -> ToolOutcome {
        let advice = match nearest(name, self.names()) {
            Some(near) => format!(" Did you mean `{near}`?"),
            None => String::new(),
        };
        // What a model writes as a name can be anything, of any length.
        let name: String = name.chars().filter(|character| !character.is_control()).take(64).collect();
        ToolOutcome::Error { message: format!("There is no tool `{name}`.{advice}") }
    }
}

/// A call that ended without a word of its own: harmless if it only read.
fn lost(effect: Effect, what: &str) -> ToolError {
    match effect {
        Effect::Read => ToolError::Failed(format!("{what} Nothing was changed.")),
        Effect::Idempotent | Effect::Once => ToolError::Unknown(format!("{what} It may or may not have been done.")),
    }
}

/// Whether the tool works in threads of the platform, or elsewhere by what the agent may reach.
fn works(tool: &Arc<dyn Tool>, platform: &str, reach: &[Reach]) -> bool {
    tool.spec().platform.is_none_or(|only| only == platform) || tool.reaches(reach)
}

/// What the call gives, in the form that is wanted.
async fn called(
    tool: &Arc<dyn Tool>,
    context: &ToolContext,
    arguments: &Value,
    form: Form,
) -> Result<String, ToolError> {
    match form {
        Form::Text => tool.call(context, arguments).await,
        Form::Value => tool.value(context, arguments).await.map(|value| value.to_string()),
    }
}

/// What was found of a lost call, which is a text, in the form that is wanted.
fn found(content: String, form: Form) -> String {
    match form {
        Form::Text => content,
        Form::Value => Value::String(content).to_string(),
    }
}

fn done(spec: &ToolSpec, content: String, form: Form) -> ToolOutcome {
    match form {
        Form::Text => {
            let (content, truncated) = cut(content, spec.output_bytes);
            ToolOutcome::Ok { content, truncated }
        }
        Form::Value if content.len() <= VALUE_BYTES => ToolOutcome::Ok { content, truncated: false },
        Form::Value => {
            let length = content.len();
            let advice = match spec.effect {
                Effect::Read => "Ask for less of it.",
                Effect::Idempotent | Effect::Once => "It was done: do not do it again to see what it gives.",
            };
            let message = format!(
                "What `{}` gives has {length} bytes, and a program gets {VALUE_BYTES} at most. {advice}",
                spec.name
            );
            ToolOutcome::Error { message }
        }
    }
}

fn failed(message: String, most: usize) -> ToolOutcome {
    ToolOutcome::Error { message: cut(message, most).0 }
}
