//! The parts of Slack's JSON that are read. What the documentation does not promise is optional.

use serde::Deserialize;

/// The outer object of a delivery ("Events API: Callback field").
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) api_app_id: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) event_time: Option<i64>,
    #[serde(default)]
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) event: Option<InnerEvent>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Authorization {
    pub(crate) user_id: Option<String>,
    pub(crate) is_bot: Option<bool>,
}

/// The event itself: `app_mention` or `message`, else only its type matters.
#[derive(Debug, Deserialize)]
pub(crate) struct InnerEvent {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) subtype: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) bot_id: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) ts: Option<String>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) channel_type: Option<String>,
    pub(crate) client_msg_id: Option<String>,
    /// The author's workspace.
    pub(crate) team: Option<String>,
    pub(crate) user_team: Option<String>,
    pub(crate) source_team: Option<String>,
    #[serde(default)]
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct File {
    pub(crate) name: Option<String>,
    pub(crate) mimetype: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) url_private: Option<String>,
}
