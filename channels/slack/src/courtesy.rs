//! Small things that Slack expects of an app and that no agent is asked about: the app's Home, prompts to begin with and a
//! title in the assistant's pane, the end of work that was stopped there. Best effort: they are queued while a delivery is read, done beside it, and dropped where
//! there are too many or Slack refuses them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use reveille_channel::{Event, ReplyError};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::Slack;
use crate::api::{Api, Repeat};

/// Courtesies that wait at once.
const WAITING_MAX: usize = 256;

/// Threads of the pane that wait for their first message.
const UNNAMED_MAX: usize = 1_024;

/// The longest title of a thread, characters.
const TITLE_MAX: usize = 60;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Courtesy {
    /// Somebody opened the app's Home.
    Home {
        /// Who.
        user: String,
    },
    /// Somebody opened the assistant's pane.
    Prompts {
        /// The direct message.
        channel: String,
        /// The thread in it.
        thread_ts: String,
    },
    /// Somebody pressed Slack's stop button: the session is not being worked on any more.
    Idle {
        /// The channel.
        channel: String,
        /// The thread in it.
        thread_ts: String,
    },
    /// The first message in the pane says what the thread is about.
    Title {
        /// The direct message.
        channel: String,
        /// The thread in it.
        thread_ts: String,
        /// The title.
        title: String,
    },
}

/// Those that wait.
#[derive(Debug, Default)]
pub(crate) struct Courtesies {
    /// With the installation they are for.
    waiting: Mutex<VecDeque<(String, Courtesy)>>,
    unnamed: Mutex<VecDeque<(String, String, String)>>,
    more: Notify,
}

impl Courtesies {
    /// Queues one, unless there are too many.
    pub(crate) fn offer(&self, workspace: &str, courtesy: Courtesy) {
        if let Courtesy::Prompts { channel, thread_ts } = &courtesy {
            let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
            if unnamed.len() >= UNNAMED_MAX {
                unnamed.pop_front();
            }
            unnamed.push_back((workspace.to_owned(), channel.clone(), thread_ts.clone()));
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let one = (workspace.to_owned(), courtesy);
        if waiting.len() < WAITING_MAX && !waiting.contains(&one) {
            waiting.push_back(one);
            self.more.notify_one();
        }
    }

    /// The first message of a thread of the pane names it.
    pub(crate) fn name_thread(&self, workspace: &str, event: &Event) {
        let location = |name: &str| event.thread.location.get(name).cloned().unwrap_or_default();
        let at = (workspace.to_owned(), location("channel"), location("thread_ts"));
        let was_unnamed = {
            let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
            let before = unnamed.len();
            unnamed.retain(|one| *one != at);
            unnamed.len() < before
        };
        let title: String =
            event.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE_MAX).collect();
        if was_unnamed && !title.is_empty() {
            self.offer(workspace, Courtesy::Title { channel: at.1, thread_ts: at.2, title });
        }
    }

    /// The next one, when there is one. Cancel safe.
    async fn next(&self) -> (String, Courtesy) {
        loop {
            let more = self.more.notified();
            if let Some(one) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return one;
            }
            more.await;
        }
    }

    /// Does one after the other until it is dropped.
    pub(crate) async fn serve(&self, slack: &Slack) -> std::convert::Infallible {
        loop {
            let (workspace, courtesy) = self.next().await;
            let done = match slack.of_workspace(&workspace) {
                Ok(at) => perform(at.api(), &courtesy).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::debug!(%error, "a courtesy was not taken");
            }
        }
    }
}

async fn perform(api: &Api, courtesy: &Courtesy) -> Result<(), ReplyError> {
    let arguments = |pairs: &[(&str, Value)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>()
    };
    let (method, arguments) = match courtesy {
        Courtesy::Home { user } => ("views.publish", arguments(&[("user_id", json!(user)), ("view", home())])),
        Courtesy::Prompts { channel, thread_ts } => (
            "assistant.threads.setSuggestedPrompts",
            arguments(&[
                ("channel_id", json!(channel)),
                ("thread_ts", json!(thread_ts)),
                ("title", json!("To begin with:")),
                (
                    "prompts",
                    json!([
                        {"title": "What can you do?", "message": "What can you do?"},
                        {"title": "How do I work with you in a channel?", "message": "How do I work with you in a channel?"},
                    ]),
                ),
            ]),
        ),
        Courtesy::Idle { channel, thread_ts } => (
            "agents.sessions.setStatus",
            arguments(&[("channel_id", json!(channel)), ("thread_ts", json!(thread_ts)), ("status", json!("active"))]),
        ),
        Courtesy::Title { channel, thread_ts, title } => (
            "assistant.threads.setTitle",
            arguments(&[("channel_id", json!(channel)), ("thread_ts", json!(thread_ts)), ("title", json!(title))]),
        ),
    };
    api.call(method, arguments, Repeat::Harmless).await.map(drop)
}

/// The app's Home ("Home tab": a view of type `home`).
fn home() -> Value {
    let line = |text: &str| json!({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": false}});
    json!({
        "type": "home",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Hello!"}},
            line("Mention me in a channel I am in, and I answer in the thread of your message. Further messages there reach me without a mention."),
            line("Or write to me directly under \"Messages\"."),
            {"type": "context", "elements": [{"type": "plain_text", "text": "What I may do, and for whom, is decided by those who run me."}]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn too_many_are_dropped_and_repeats_are_one() {
        let courtesies = Courtesies::default();
        for number in 0..WAITING_MAX * 2 {
            courtesies.offer("T1", Courtesy::Home { user: format!("U{number}") });
            courtesies.offer("T1", Courtesy::Home { user: format!("U{number}") });
        }
        assert_eq!(courtesies.waiting.lock().unwrap().len(), WAITING_MAX);
        assert_eq!(courtesies.next().await, ("T1".into(), Courtesy::Home { user: "U0".into() }));
        assert_eq!(courtesies.next().await, ("T1".into(), Courtesy::Home { user: "U1".into() }));
    }
}
