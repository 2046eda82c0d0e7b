//! From recorded payloads to events.

use reveille_channel::{ActorKind, Event, Inbound, Kind};
use serde::de::DeserializeOwned;

use super::key::Key;
use super::{Answer, Reader, deleted, interaction, key_to_ask_for, message, reaction, said_by_a_person};
use crate::own::{Own, OwnUser};
use crate::payload::{Channel, Message};
use crate::places::Places;

const BOT: &str = "771825006014889984";

struct World {
    own: Own,
    places: Places,
}

impl World {
    fn new() -> Self {
        let own = Own::new(BOT.into());
        own.learn(OwnUser { id: BOT.into(), name: "assistant".into() });
        let world = Self { own, places: Places::default() };
        world.learn(r#"{"id":"645027906669510667","type":0,"name":"support"}"#);
        world
    }

    fn learn(&self, channel: &str) {
        self.places.learn(&serde_json::from_str::<Channel>(channel).unwrap());
    }

    fn reader(&self) -> Reader<'_> {
        Reader { connection: "discord", own: &self.own, places: &self.places, received_at_ms: 1_785_585_601_000 }
    }

    fn message(&self, text: &str) -> (Event, Key) {
        let read: Message = read(text);
        said_by_a_person(self.reader(), &read).unwrap();
        message(self.reader(), &read, false)
    }

    fn interaction(&self, text: &str) -> Inbound {
        interaction(self.reader(), read(text)).unwrap()
    }

    fn answered(&self, text: &str) -> (Event, String) {
        match self.interaction(text) {
            Inbound::Answered { mut events, body, .. } => (events.remove(0), String::from_utf8(body.to_vec()).unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_mention_is_read_with_its_people_place_and_files() {
    let (event, key) = World::new().message(include_str!("../../fixtures/message_mention.json"));
    assert_eq!(key, Key::Known("1400000000000000001".into()), "the thread that is started from it has its id");
    insta::assert_json_snapshot!(event);
}

#[test]
fn threads_direct_messages_and_programs_are_told_apart() {
    let world = World::new();
    let thread = r#"{"id":"1400000000000000001","type":11,"name":"what did","parent_id":"645027906669510667","owner_id":"771825006014889984"}"#;
    world.learn(thread);
    let (further, key) = world.message(include_str!("../../fixtures/message_in_thread.json"));
    assert_eq!(further.kind, Kind::Message { direct: false, in_thread: true });
    let asked = Key::OfMessage { channel: Some("645027906669510667".into()), message: "1400000000000000001".into() };
    assert_eq!(key, asked, "a thread of ours that this process did not start");
    assert_eq!(further.facts["channel"], "645027906669510667", "a thread is in its channel");
    assert_eq!(further.facts["channel_name"], "support");
    assert!(!further.thread.location.contains_key("root"));
    world.places.set_conversation("1400000000000000001", "786008729715212338");
    let (further, _) = world.message(include_str!("../../fixtures/message_in_thread.json"));
    assert_eq!(further.thread.key, "786008729715212338");
    world.learn(&thread.replace(BOT, "53908232506183680"));
    let other = World::new();
    other.learn(&thread.replace(BOT, "53908232506183680"));
    let (_, key) = other.message(include_str!("../../fixtures/message_in_thread.json"));
    assert_eq!(key, Key::Known("1400000000000000001".into()), "a thread of somebody's is a conversation of its own");

    let (direct, _) = world.message(include_str!("../../fixtures/message_dm.json"));
    assert_eq!(direct.kind, Kind::Message { direct: true, in_thread: false });
    assert_eq!((direct.thread.installation.as_str(), direct.thread.key.as_str()), ("dm", "645027906669510001"));
    let (program, _) = world.message(include_str!("../../fixtures/message_webhook.json"));
    assert_eq!((program.actor.kind, program.actor.id.as_str()), (ActorKind::Bot, "223704706495545344"));
    let own: Message = read(include_str!("../../fixtures/message_own.json"));
    assert_eq!(said_by_a_person(world.reader(), &own), Err("our own post"));
}

#[test]
fn a_reply_goes_on_with_the_conversation_of_what_it_replies_to() {
    let world = World::new();
    let text = include_str!("../../fixtures/message_reply.json");
    let (event, key) = world.message(text);
    assert_eq!((event.kind, key), (Kind::Mention, Key::Known("786008729715212338".into())));
    // A reply of ours in a channel without threads: it names the message it answers.
    let ours = r#""message_reference": {"message_id": "1400000000000000002"}, "was""#;
    let text = text.replace("\"interaction_metadata\"", ours).replace(
        "\"mentions\": [{\"id\": \"771825006014889984\", \"username\": \"assistant\", \"bot\": true}]",
        "\"mentions\": []",
    );
    let (event, key) = world.message(&text);
    assert_eq!(event.kind, Kind::Message { direct: false, in_thread: true });
    let asked = Key::OfMessage { channel: Some("645027906669510667".into()), message: "1400000000000000002".into() };
    assert_eq!(key, asked);
    world.places.set_conversation("1400000000000000002", "1400000000000000002");
    assert_eq!(world.message(&text).1, Key::Known("1400000000000000002".into()));
    // A reply to somebody else begins a conversation.
    let (_, key) = world.message(&text.replace(BOT, "53908232506183680"));
    assert_eq!(key, Key::Known("1400000000000000005".into()));
}

#[test]
fn the_bots_own_role_calls_it() {
    let world = World::new();
    let guild = format!(r#"{{"id":"290926798626357999","roles":[{{"id":"900","tags":{{"bot_id":"{BOT}"}}}}]}}"#);
    world.places.learn_guild(&read(&guild), Some(BOT));
    let text = r#"{"type":0,"id":"1400000000000000013","content":"<@&900> help","mention_roles":["900"],
        "channel_id":"645027906669510667","guild_id":"290926798626357999","author":{"id":"53908232506183680","username":"mason"}}"#;
    let (event, _) = world.message(text);
    assert_eq!((event.kind, event.text.as_str()), (Kind::Mention, "help"));
    let (event, _) = world.message(&text.replace("900", "901"));
    assert_eq!(event.kind, Kind::Message { direct: false, in_thread: false });
}

#[test]
fn a_command_is_answered_with_thinking_and_its_reply_goes_into_the_answer() {
    let (event, answer) = World::new().answered(include_str!("../../fixtures/command.json"));
    assert_eq!(answer, r#"{"type":5}"#);
    insta::assert_json_snapshot!(event);
}

#[test]
fn options_targets_and_forms_become_text() {
    let world = World::new();
    let (event, _) = world.answered(include_str!("../../fixtures/command_with_options.json"));
    assert_eq!(event.text, "create title: It breaks\npriority: 2\nurgent: true\nowner: 80351110224678912");
    assert_eq!(event.actor.name, "Captain");
    let (event, _) = world.answered(include_str!("../../fixtures/message_command.json"));
    assert_eq!(event.kind, Kind::Command { name: "summarise".into(), args: String::new() });
    assert_eq!(event.actor.id, "53908232506183680", "the caller, and not who wrote the message");
    insta::assert_snapshot!(event.text);
    let (event, answer) = world.answered(include_str!("../../fixtures/modal.json"));
    assert_eq!(answer, r#"{"type":5}"#);
    insta::assert_json_snapshot!(event.kind);
    let (event, _) = world.answered(include_str!("../../fixtures/command_in_dm.json"));
    assert_eq!((event.thread.installation.as_str(), event.thread.key.as_str()), ("dm", "645027906669510001"));
}

#[test]
fn a_button_of_ours_is_an_action_and_a_strangers_is_nobodys() {
    let world = World::new();
    let text = include_str!("../../fixtures/button.json");
    let ask = key_to_ask_for(world.reader(), &read(text));
    let asked = Key::OfMessage { channel: Some("645027906669510667".into()), message: "345626669114982402".into() };
    assert_eq!(ask, Some(asked));
    world.places.set_conversation("345626669114982402", "1400000000000000001");
    let (event, answer) = world.answered(text);
    assert_eq!(answer, r#"{"type":6}"#);
    assert_eq!(event.kind, Kind::Action { reference: "appr_01hx.7f".into(), choice: "approve".into() });
    assert_eq!(event.thread.key, "1400000000000000001");
    assert_eq!(event.message.as_deref(), Some("844397162624450620"));
    assert!(!event.thread.location.contains_key("token"), "its own answer is the question");
    match world.interaction(&text.replace("rv:appr", "other:appr")) {
        Inbound::Handshake { body, .. } => assert_eq!(body, Answer::Nobody.body()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_needs_no_event_is_answered_at_once() {
    let world = World::new();
    for (text, answer) in [
        (include_str!("../../fixtures/ping.json"), serde_json::json!({"type": 1})),
        (include_str!("../../fixtures/autocomplete.json"), serde_json::json!({"type": 8, "data": {"choices": []}})),
    ] {
        match world.interaction(text) {
            Inbound::Handshake { body, .. } => {
                assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), answer);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(world.interaction(r#"{"type":77}"#), Inbound::Ignored { .. }));
}

#[test]
fn what_is_not_what_the_documentation_says_is_malformed() {
    let world = World::new();
    let command = include_str!("../../fixtures/command.json");
    for text in [
        "{}".to_owned(),
        r#"{"type":2}"#.to_owned(),
        r#"{"type":3,"id":"1","data":{}}"#.to_owned(),
        r#"{"type":5,"id":"1"}"#.to_owned(),
        command.replace(BOT, "771825006014889985"),
        command.replace(r#""name": "triage","#, ""),
        command.replace(r#""id": "53908232506183680""#, r#""id": null"#),
    ] {
        assert!(interaction(world.reader(), read(&text)).is_err(), "{text:.60}");
    }
}

#[test]
fn edits_deletions_and_reactions_name_the_message_and_its_conversation() {
    let world = World::new();
    let text = include_str!("../../fixtures/message_mention.json");
    let edited = text.replace(r#""edited_timestamp": null"#, r#""edited_timestamp": "2026-08-01T12:01:00+00:00""#);
    let (event, _) = message(world.reader(), &read(&edited), true);
    assert_eq!((event.kind, event.name.as_str()), (Kind::Edited, "MESSAGE_UPDATE"));
    assert_eq!(event.dedupe_keys, ["edit:1400000000000000001:2026-08-01T12:01:00+00:00"]);
    assert_eq!(event.thread.key, "1400000000000000001");
    let gone = r#"{"ids":["1400000000000000001","1400000000000000005"],"channel_id":"645027906669510667","guild_id":"290926798626357999"}"#;
    let (event, _) = world.message(text);
    world.places.set_author("1400000000000000001", event.actor.clone());
    let gone = deleted(world.reader(), read(gone));
    assert_eq!((&gone[0].actor, gone[1].actor.id.as_str()), (&event.actor, "unknown"));
    let keys: Vec<_> = gone.iter().map(|event| (event.thread.key.as_str(), event.kind == Kind::Deleted)).collect();
    assert_eq!(keys, [("1400000000000000001", true), ("1400000000000000005", true)]);
    let put = reaction(world.reader(), read(include_str!("../../fixtures/reaction.json")), "session:7").unwrap();
    assert_eq!(put.kind, Kind::Reaction { emoji: "eyes".into() });
    assert_eq!((put.actor.name.as_str(), put.dedupe_keys[0].as_str()), ("Mason", "reaction:session:7"));
}
