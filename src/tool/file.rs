//! `thread.read_file`: text that came as a file with the messages that are being answered.

use std::time::Duration;

use async_trait::async_trait;
use reveille_channel::Attachment;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::thread::failed;
use super::{Class, Tool, ToolContext, ToolError, ToolSpec, from_outside, parse_arguments, schema_of};
use crate::journal::Effect;

/// The largest file that is fetched.
const FETCH_MAX: usize = 1024 * 1024;

/// The most of its text that a model gets.
const TEXT_BYTES: usize = 48 * 1024;

/// Media types that are text and do not begin with `text/`.
const TEXTS: [&str; 8] = [
    "application/json",
    "application/xml",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/javascript",
    "application/x-sh",
    "application/sql",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileArguments {
    /// The file's name, as the message that it came with says.
    name: String,
}

/// `thread.read_file`.
#[derive(Debug)]
pub(super) struct ReadFile(ToolSpec);

impl ReadFile {
    pub(super) fn new() -> Self {
        Self(ToolSpec {
            name: "thread.read_file",
            description: "The text of a file that came with the messages you are answering, by its name. Images and other files \
                          that are no text cannot be read.",
            parameters: schema_of::<FileArguments>(),
            returns: None,
            effect: Effect::Read,
            class: Class::ReadUntrusted,
            platform: None,
            deadline: Duration::from_secs(40),
            output_bytes: TEXT_BYTES + 1_024,
        })
    }
}

fn is_text(file: &Attachment) -> bool {
    let media_type = file.media_type.split(';').next().unwrap_or_default().trim();
    media_type.starts_with("text/") || TEXTS.contains(&media_type)
}

#[async_trait]
impl Tool for ReadFile {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let FileArguments { name } = parse_arguments(arguments)?;
        let refused = |what: &str| Err(ToolError::Failed(what.to_owned()));
        // The latest of a name is meant.
        let Some(file) = context.attachments.iter().rfind(|file| file.name == name) else {
            return refused("No file of this name came with the messages you are answering.");
        };
        if !is_text(file) {
            return refused("This file is no text: it cannot be read here. Say so.");
        }
        if usize::try_from(file.size).is_ok_and(|size| size > FETCH_MAX) {
            return refused("This file is too long to be read here. Say so.");
        }
        let bytes = context
            .channel
            .fetch(&context.thread, file, FETCH_MAX)
            .await
            .map_err(|error| failed("The file", &error))?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return refused("This file says that it is text and is none (no UTF-8): it cannot be read here. Say so.");
        };
        Ok(from_outside(context, &[("file", &file.name), ("type", &file.media_type)], text, TEXT_BYTES))
    }
}
