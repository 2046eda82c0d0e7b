//! The app's Home and the assistant's pane: done beside the answers, while the connection listens.

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::{Channel, Inbound, Intake, NotTaken, Route};
use reveille_slack::Slack;
use serde_json::{Value, json};

use crate::stand_in::{Shared, arguments, methods, start};
use crate::support::{SECRET, read_on};

struct Nobody;

#[async_trait]
impl Intake for Nobody {
    async fn take(&self, _inbound: Inbound, _raw: Bytes) -> Result<(), NotTaken> {
        Err(NotTaken)
    }
}

async fn after(slack: &Slack, server: &Shared, inner: Value) -> Inbound {
    assert_eq!(SECRET.len(), 32);
    let body = json!({"type": "event_callback", "team_id": "T1", "event": inner}).to_string();
    let read = read_on(slack, Route::Events, body.as_bytes()).unwrap();
    let before = methods(server).len();
    let done = async {
        while methods(server).len() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = slack.listen(&Nobody) => panic!("it ended"),
        () = done => {}
    }
    read
}

#[tokio::test]
async fn somebody_who_opens_the_home_sees_one() {
    let (slack, server) = start(Vec::new()).await;
    after(&slack, &server, json!({"type": "app_home_opened", "user": "UALICE", "tab": "home", "channel": "D1"})).await;
    assert_eq!(methods(&server), ["views.publish"]);
    let published = arguments(&server, 0);
    assert_eq!((published["user_id"].as_str(), published["view"]["type"].as_str()), (Some("UALICE"), Some("home")));
}

#[tokio::test]
async fn the_pane_has_prompts_to_begin_with_and_its_first_message_names_it() {
    let (slack, server) = start(Vec::new()).await;
    let opened = json!({"type": "assistant_thread_started", "event_ts": "1.0", "assistant_thread": {"user_id": "UALICE", "context": {"channel_id": "C9"}, "channel_id": "D1", "thread_ts": "1700000000.000100"}});
    let Inbound::Events(events) = after(&slack, &server, opened).await else { panic!("no event") };
    assert_eq!(events[0].facts["context_channel"], "C9");
    assert_eq!(events[0].thread.key, "D1:1700000000.000100");
    assert_eq!(methods(&server), ["assistant.threads.setSuggestedPrompts"]);
    assert!(arguments(&server, 0)["prompts"][0]["message"].is_string());
    let said = json!({"type": "message", "channel_type": "im", "channel": "D1", "user": "UALICE", "text": "plan  my\nweek", "ts": "1700000001.000100", "thread_ts": "1700000000.000100"});
    after(&slack, &server, said).await;
    assert_eq!(arguments(&server, 1)["title"], "plan my week");
}
