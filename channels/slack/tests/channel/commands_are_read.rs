//! Slash commands: forms that are believed by their bytes alone and answered at once.

use reveille_channel::{ActorKind, Channel, Delivery, Inbound, Kind, Reject, Route};

use crate::support::{form, only, read_on, signed, slack};

/// The fields of Slack's page "Implementing slash commands".
const FIELDS: [(&str, &str); 12] = [
    ("token", "gIkuvaNzQIHg97ATvDxqgjtO"),
    ("team_id", "T0001"),
    ("team_domain", "example"),
    ("channel_id", "C2147483705"),
    ("channel_name", "test"),
    ("user_id", "U2147483697"),
    ("user_name", "Steve"),
    ("command", "/ops"),
    ("text", "restart web <@U123|bob> & co"),
    ("response_url", "https://hooks.slack.com/commands/1234/5678"),
    ("trigger_id", "13345224609.738474920.8088930838d88f008e0"),
    ("api_app_id", "A123456"),
];

#[test]
fn a_command_is_an_event_that_opens_a_thread_and_is_answered_at_once() {
    let read = read_on(&slack(), Route::Commands, &form(&FIELDS)).unwrap();
    let Inbound::Answered { content_type, body, .. } = &read else { panic!("{read:?}") };
    assert_eq!(*content_type, "application/json");
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (answer["response_type"].as_str(), answer["text"].as_str()),
        (Some("ephemeral"), Some("/ops: received."))
    );
    let event = only(read);
    assert_eq!(event.kind, Kind::Command { name: "ops".into(), args: "restart web @bob & co".into() });
    assert_eq!((event.actor.id.as_str(), event.actor.kind), ("U2147483697", ActorKind::Human));
    assert_eq!(event.thread.location.get("thread_ts"), None);
    assert_eq!(event.thread.display, "#test");
    assert_eq!(event.facts["channel"], "C2147483705");
    assert!(!event.thread.key.contains('/'));
}

#[test]
fn the_same_trigger_is_the_same_event_and_another_is_another() {
    let id = |trigger: &str| {
        let fields = FIELDS.map(|(name, value)| (name, if name == "trigger_id" { trigger } else { value }));
        let event = only(read_on(&slack(), Route::Commands, &form(&fields)).unwrap());
        (event.id, event.thread.key)
    };
    assert_eq!(id("1.2"), id("1.2"));
    assert_ne!(id("1.2").0, id("1.3").0);
    assert_ne!(id("1.2").1, id("1.3").1, "each has a thread of its own");
}

#[test]
fn the_certificate_check_is_answered_once_it_is_believed() {
    let body = form(&[("ssl_check", "1"), ("token", "x")]);
    let read = read_on(&slack(), Route::Commands, &body).unwrap();
    assert!(matches!(&read, Inbound::Handshake { body, .. } if body.is_empty()), "{read:?}");
    let mut unsigned = Delivery { route: Route::Commands, ..signed(&body) };
    unsigned.headers.remove("x-slack-signature");
    assert_eq!(slack().verify(unsigned).unwrap_err(), Reject::MissingHeader("x-slack-signature"));
}

#[test]
fn what_lacks_a_part_or_has_one_twice_is_malformed() {
    for missing in ["command", "team_id", "channel_id", "user_id", "trigger_id"] {
        let fields: Vec<_> = FIELDS.into_iter().filter(|(name, _)| *name != missing).collect();
        assert!(read_on(&slack(), Route::Commands, &form(&fields)).is_err(), "{missing}");
        let value = FIELDS.iter().find(|(name, _)| *name == missing).unwrap().1;
        let twice: Vec<_> = FIELDS.into_iter().chain([(missing, value)]).collect();
        assert!(read_on(&slack(), Route::Commands, &form(&twice)).is_err(), "{missing} twice");
    }
    assert!(read_on(&slack(), Route::Commands, b"{\"command\":\"/ops\"}").is_err());
}
