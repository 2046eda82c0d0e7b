//! Pieces of a stream ("chat.appendStream": the `chunks` parameter): text, and task cards that are made and changed.

use serde_json::Value;

use super::{Message, Task};

/// "task_update": the longest `details` and `output`.
const DETAILS_MAX: usize = 256;

/// A message holds so many blocks.
const TASKS_MAX: usize = 50;

/// What the chunks of a call do.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// What they add to the text.
    pub(super) text: String,
    tasks: Vec<Task>,
}

impl Chunks {
    /// Reads the chunks of a call; `None` where it has none.
    pub(super) fn read(chunks: Option<&Value>) -> Result<Option<Self>, &'static str> {
        let Some(chunks) = chunks else {
            return Ok(None);
        };
        let mut read = Self::default();
        for chunk in chunks.as_array().filter(|chunks| !chunks.is_empty()).ok_or("invalid_arguments")? {
            let string = |name: &str| chunk.get(name).and_then(Value::as_str);
            let filled = |name: &str| string(name).filter(|text| !text.is_empty()).ok_or("invalid_arguments");
            match filled("type")? {
                "markdown_text" => read.text.push_str(filled("text")?),
                // A plan has a title; this workspace shows tasks as a timeline.
                "plan_update" => drop(filled("title")?),
                "task_update" => {
                    let status = filled("status")?;
                    let is_known = ["pending", "in_progress", "complete", "error"].contains(&status);
                    let fits = |name: &str| string(name).is_none_or(|text| text.chars().count() <= DETAILS_MAX);
                    if !is_known || !fits("details") || !fits("output") {
                        return Err("invalid_arguments");
                    }
                    let (id, title) = (filled("id")?.to_owned(), filled("title")?.to_owned());
                    read.tasks.push(Task { id, title, status: status.to_owned() });
                }
                _ => return Err("invalid_arguments"),
            }
        }
        Ok(Some(read))
    }

    /// Makes and changes task cards of a message.
    pub(super) fn apply(self, message: &mut Message) -> Result<(), &'static str> {
        for task in self.tasks {
            if let Some(known) = message.tasks.iter_mut().find(|one| one.id == task.id) {
                *known = task;
            } else if message.tasks.len() < TASKS_MAX {
                message.tasks.push(task);
            } else {
                return Err("msg_blocks_too_many");
            }
        }
        Ok(())
    }
}

/// Whether blocks are what "Context actions block" and "Feedback buttons element" say: the only ones that are put below a stream
/// here.
pub(super) fn are_feedback(blocks: &Value) -> bool {
    let filled = |at: &Value, pointer: &str, most: usize| {
        let text = at.pointer(pointer).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty() && text.chars().count() <= most)
    };
    let is_button = |button: Option<&Value>| {
        button.is_some_and(|button| {
            filled(button, "/text/text", 75)
                && filled(button, "/value", 2_000)
                && button.pointer("/text/type").and_then(Value::as_str) == Some("plain_text")
        })
    };
    let is_element = |element: &Value| {
        element.get("type").and_then(Value::as_str) == Some("feedback_buttons")
            && is_button(element.get("positive_button"))
            && is_button(element.get("negative_button"))
    };
    let is_block = |block: &Value| {
        let elements = block.get("elements").and_then(Value::as_array);
        block.get("type").and_then(Value::as_str) == Some("context_actions")
            && elements.is_some_and(|elements| (1..=5).contains(&elements.len()) && elements.iter().all(is_element))
    };
    blocks.as_array().is_some_and(|blocks| !blocks.is_empty() && blocks.iter().all(is_block))
}
