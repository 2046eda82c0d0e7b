//! Edits and deletions of people's messages are events of the same thread, by whoever made them.

use reveille_channel::{ActorKind, Inbound, Kind};
use serde_json::{Value, json};

use crate::support::{event, read};

fn envelope(inner: &Value) -> String {
    let ours = json!([{"team_id": "T0DEMO", "user_id": "UBOT", "is_bot": true}]);
    json!({"type": "event_callback", "team_id": "T0DEMO", "api_app_id": "A0DEMO", "event_id": "Ev7", "authorizations": ours, "event": inner})
        .to_string()
}

fn changed(message: &Value, previous: &Value) -> Value {
    json!({"type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel", "hidden": true,
        "ts": "1700000090.000100", "event_ts": "1700000090.000100", "message": message, "previous_message": previous})
}

fn words(text: &str) -> Value {
    json!({"type": "message", "user": "UALICE", "text": text, "ts": "1700000000.000100", "team": "T0DEMO"})
}

fn edited(text: &str, by: &str, at: &str) -> Value {
    let mut message = words(text);
    message["edited"] = json!({"user": by, "ts": at});
    message
}

#[test]
fn an_edit_is_in_the_thread_of_its_message_and_names_it() {
    let original = event(include_str!("../../fixtures/app_mention.json"));
    let inner = changed(&edited("<@UBOT> what else?", "UALICE", "1700000090.000000"), &words("<@UBOT> what?"));
    let edit = event(&envelope(&inner));
    assert_eq!(edit.kind, Kind::Edited);
    assert_eq!(edit.text, "what else?");
    assert_eq!((&edit.thread.key, &edit.message), (&original.thread.key, &original.message));
    assert_eq!(edit.name, "message_changed");
    assert_eq!(edit.occurred_at_ms, 1_700_000_090_000);
    assert_ne!(edit.id, original.id);
    assert_eq!(event(&envelope(&inner)).id, edit.id);
    let again = event(&envelope(&changed(&edited("<@UBOT> no", "UALICE", "1700000095.000000"), &words("x"))));
    assert_ne!(again.id, edit.id, "a second edit is another event");
    let mut reply = edited("x", "UALICE", "1700000090.000000");
    reply["ts"] = json!("1700000060.000200");
    reply["thread_ts"] = json!("1700000000.000100");
    let reply = event(&envelope(&changed(&reply, &Value::Null)));
    assert_eq!(reply.thread.key, original.thread.key);
    assert_eq!(reply.message.as_deref(), Some("1700000060.000200"));
}

#[test]
fn an_edit_is_its_editors_and_not_its_authors() {
    let by_another = event(&envelope(&changed(&edited("<@UBOT> pay", "UMALLORY", "1700000090.000000"), &words("x"))));
    assert_eq!(by_another.actor.id, "UMALLORY");
    let mut by_program = edited("<@UBOT> pay", "UALICE", "1700000090.000000");
    by_program["bot_id"] = json!("B1");
    assert_eq!(event(&envelope(&changed(&by_program, &words("x")))).actor.kind, ActorKind::Bot);
}

#[test]
fn changes_that_nobody_made_to_a_text_are_ignored() {
    let ignored = |inner: &Value| matches!(read(envelope(inner).as_bytes()), Inbound::Ignored { .. });
    assert!(ignored(&changed(&words("see https://a.b"), &words("see https://a.b"))), "a preview came in");
    assert!(ignored(&changed(&edited("same", "UALICE", "1.0"), &words("same"))), "pinned after an edit");
    let mut own = edited("I can", "UBOT", "1.0");
    own["user"] = json!("UBOT");
    own["bot_id"] = json!("BBOT");
    own["app_id"] = json!("A0DEMO");
    assert!(ignored(&changed(&own, &words("I"))), "our own edit");
    assert!(ignored(
        &json!({"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.2", "previous_message": own})
    ));
    assert!(ignored(&json!({"type": "message", "subtype": "message_deleted", "channel": "C1"})));
}

#[test]
fn a_deletion_names_the_message_that_is_gone() {
    let original = event(include_str!("../../fixtures/app_mention.json"));
    let inner = json!({"type": "message", "subtype": "message_deleted", "channel": "C1", "channel_type": "channel", "hidden": true,
        "ts": "1700000091.000100", "deleted_ts": "1700000000.000100", "previous_message": words("<@UBOT> secret"), "event_ts": "1700000091.000100"});
    let deletion = event(&envelope(&inner));
    assert_eq!(deletion.kind, Kind::Deleted);
    assert_eq!((&deletion.thread.key, &deletion.message), (&original.thread.key, &original.message));
    assert_eq!((deletion.actor.id.as_str(), deletion.text.as_str()), ("UALICE", ""));
    // A root with replies is emptied in place of being deleted.
    let mut tombstone = words("This message was deleted.");
    tombstone["subtype"] = json!("tombstone");
    tombstone["user"] = json!("USLACKBOT");
    let emptied = event(&envelope(&changed(&tombstone, &words("<@UBOT> secret"))));
    assert_eq!((emptied.id, emptied.kind, emptied.actor.id.as_str()), (deletion.id, Kind::Deleted, "UALICE"));
}
