//! Steps of the work, beside the text of an answer: tool calls, as an open native stream shows them.
//!
//! They are no part of the document: a message that is edited or begun anew does without them. What is shown of them is not
//! recorded; after a restart a stream is ended and edited.

use reveille_channel::{Mode, Op, Task, TaskState};

use super::plan::{Action, agrees};
use super::reply::Reply;
use crate::journal::ToolCall;

/// The most steps that one answer shows: a message holds no more than 50 blocks on Slack.
const TASKS_MAX: usize = 20;

/// The longest name that is shown.
const NAME_MAX: usize = 64;

/// What an open stream should show besides its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TasksDue {
    /// The message's number.
    pub segment: u32,
    /// The platform's id of it.
    pub message: String,
    /// The steps that are new or changed.
    pub tasks: Vec<Task>,
}

impl Reply {
    /// Tool calls begin.
    pub fn begin_tasks(&mut self, calls: &[ToolCall]) {
        let room = TASKS_MAX.saturating_sub(self.tasks.len());
        let begun = calls.iter().take(room).map(|call| Task {
            id: call.id.clone(),
            title: title(&call.name),
            state: TaskState::Running,
        });
        self.tasks.extend(begun);
    }

    /// A tool call has a result.
    pub fn end_task(&mut self, id: &str, is_ok: bool) {
        let state = if is_ok { TaskState::Done } else { TaskState::Failed };
        // Calls of one turn have ids of their own; the latest is meant where a model gave one twice.
        if let Some(task) = self.tasks.iter_mut().rfind(|task| task.id == id) {
            task.state = state;
        }
    }

    /// The turn is over: what still runs was ended.
    pub fn end_tasks(&mut self) {
        for task in self.tasks.iter_mut().filter(|task| task.state == TaskState::Running) {
            task.state = TaskState::Failed;
        }
    }
}

/// A tool's name is the model's word: only what can be one is shown.
fn title(name: &str) -> String {
    let is_name = !name.is_empty()
        && name.len() <= NAME_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if is_name { name.to_owned() } else { "a tool".to_owned() }
}

/// The steps that the open stream of `reply` should show and does not, `shown` being what it was told. Pure.
///
/// A step that begins stands below the text that led to it, so it waits while `planned` is to append that text; what became of it
/// does not wait.
#[must_use]
pub fn tasks_due(reply: &Reply, planned: Option<&Action>, shown: &[Task]) -> Option<TasksDue> {
    let (index, last) = reply.segments.iter().enumerate().next_back()?;
    let receipt = last.receipt.as_ref().filter(|receipt| receipt.mode == Mode::Native)?;
    if last.complete || !agrees(&reply.document(), last) {
        return None;
    }
    let text_waits = matches!(planned, Some(Action::Perform { op: Op::Append { .. }, .. }));
    let is_due = |task: &&Task| match shown.iter().find(|one| one.id == task.id) {
        Some(one) => one != *task,
        None => !text_waits,
    };
    let tasks: Vec<Task> = reply.tasks.iter().filter(is_due).cloned().collect();
    let segment = u32::try_from(index).unwrap_or(u32::MAX);
    (!tasks.is_empty()).then(|| TasksDue { segment, message: receipt.id.clone(), tasks })
}
