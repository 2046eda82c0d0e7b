//! The parts of Slack's JSON that are read. What the documentation does not promise is optional, and `null` is absence.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `null` where a list or an object was to be.
fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// The outer object of a delivery ("Events API: Callback field").
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) team_id: Option<String>,
    /// The workspace in which it was seen, where `team_id` is not said (organisation-wide installations).
    pub(crate) context_team_id: Option<String>,
    pub(crate) api_app_id: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) event_time: Option<i64>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) authorizations: Vec<Authorization>,
    /// What it holds depends on its type: other types have objects where these have ids.
    pub(crate) event: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Authorization {
    pub(crate) team_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) is_bot: Option<bool>,
}

/// `app_mention` and `message` ("message event").
#[derive(Debug, Deserialize)]
pub(crate) struct MessageEvent {
    pub(crate) subtype: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) channel_type: Option<String>,
    pub(crate) event_ts: Option<String>,
    /// Of `message_deleted`.
    pub(crate) deleted_ts: Option<String>,
    /// Of `message_changed`.
    pub(crate) message: Option<Message>,
    /// Of `message_changed` and `message_deleted`.
    pub(crate) previous_message: Option<Message>,
    #[serde(flatten)]
    pub(crate) itself: Message,
}

/// A message, as an event or inside of one.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Message {
    #[serde(rename = "subtype")]
    pub(crate) inner_subtype: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) bot_id: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) ts: Option<String>,
    pub(crate) thread_ts: Option<String>,
    /// Who wrote the root of the thread, where Slack says.
    pub(crate) parent_user_id: Option<String>,
    pub(crate) client_msg_id: Option<String>,
    /// The author's workspace.
    pub(crate) team: Option<String>,
    pub(crate) user_team: Option<String>,
    pub(crate) source_team: Option<String>,
    pub(crate) edited: Option<Edit>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) files: Vec<File>,
}

/// Who changed a message, and when.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Edit {
    pub(crate) user: Option<String>,
    pub(crate) ts: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct File {
    pub(crate) name: Option<String>,
    pub(crate) mimetype: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) url_private: Option<String>,
}

/// `reaction_added` and `reaction_removed`.
#[derive(Debug, Deserialize)]
pub(crate) struct ReactionEvent {
    pub(crate) user: Option<String>,
    pub(crate) reaction: Option<String>,
    pub(crate) item: Option<Item>,
    /// Who wrote the message.
    pub(crate) item_user: Option<String>,
    pub(crate) event_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) ts: Option<String>,
}

/// `agent_session_stopped`.
#[derive(Debug, Deserialize)]
pub(crate) struct StoppedEvent {
    pub(crate) user: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) event_ts: Option<String>,
}

/// `app_home_opened`.
#[derive(Debug, Deserialize)]
pub(crate) struct HomeEvent {
    pub(crate) user: Option<String>,
    pub(crate) tab: Option<String>,
}

/// `assistant_thread_started` and `assistant_thread_context_changed`.
#[derive(Debug, Deserialize)]
pub(crate) struct AssistantEvent {
    pub(crate) assistant_thread: Option<AssistantThread>,
    pub(crate) event_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AssistantThread {
    pub(crate) user_id: Option<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) context: Option<AssistantContext>,
}

/// What the person looks at beside the assistant's pane.
#[derive(Debug, Deserialize)]
pub(crate) struct AssistantContext {
    pub(crate) channel_id: Option<String>,
}

/// What was pressed, sent or chosen ("Interaction payloads").
#[derive(Debug, Deserialize)]
pub(crate) struct Interaction {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) team: Option<Named>,
    pub(crate) user: Option<Person>,
    pub(crate) channel: Option<Named>,
    pub(crate) message: Option<Message>,
    pub(crate) container: Option<Container>,
    pub(crate) callback_id: Option<String>,
    pub(crate) trigger_id: Option<String>,
    pub(crate) response_url: Option<String>,
    pub(crate) view: Option<View>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    pub(crate) message_ts: Option<String>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) channel_id: Option<String>,
}

/// One control of a message or a view, and what was chosen with it.
#[derive(Debug, Deserialize)]
pub(crate) struct Action {
    pub(crate) action_id: Option<String>,
    pub(crate) block_id: Option<String>,
    pub(crate) action_ts: Option<String>,
    #[serde(flatten)]
    pub(crate) chosen: Chosen,
}

/// The value of a control, by its kind.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    value: Option<String>,
    selected_option: Option<Choice>,
    #[serde(default, deserialize_with = "or_empty")]
    selected_options: Vec<Choice>,
    selected_user: Option<String>,
    selected_channel: Option<String>,
    selected_conversation: Option<String>,
    selected_date: Option<String>,
    selected_time: Option<String>,
    selected_date_time: Option<i64>,
    #[serde(default, deserialize_with = "or_empty")]
    selected_users: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    selected_channels: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    selected_conversations: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    value: Option<String>,
}

impl Chosen {
    /// What was chosen, several with commas between them.
    pub(crate) fn text(&self) -> String {
        let one = [
            self.value.as_ref(),
            self.selected_option.as_ref().and_then(|one| one.value.as_ref()),
            self.selected_user.as_ref(),
            self.selected_channel.as_ref(),
            self.selected_conversation.as_ref(),
            self.selected_date.as_ref(),
            self.selected_time.as_ref(),
        ];
        if let Some(one) = one.into_iter().flatten().next() {
            return one.clone();
        }
        if let Some(at) = self.selected_date_time {
            return at.to_string();
        }
        let several = self.selected_options.iter().filter_map(|one| one.value.as_ref());
        let several = several.chain(&self.selected_users).chain(&self.selected_channels);
        several.chain(&self.selected_conversations).cloned().collect::<Vec<_>>().join(",")
    }
}

/// A modal or a Home ("view_submission").
#[derive(Debug, Deserialize)]
pub(crate) struct View {
    pub(crate) id: Option<String>,
    pub(crate) callback_id: Option<String>,
    pub(crate) hash: Option<String>,
    pub(crate) state: Option<ViewState>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ViewState {
    /// By block, then by control.
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) values: BTreeMap<String, BTreeMap<String, Chosen>>,
}
