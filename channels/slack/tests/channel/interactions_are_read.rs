//! Buttons, menus, forms and shortcuts: whoever used them is the signed person, and each use is one event.

use reveille_channel::{ActorKind, Event, Inbound, Kind, Malformed, Route};
use serde_json::{Value, json};

use crate::support::{form, only, read_on, slack};

fn read(payload: &Value) -> Result<Inbound, Malformed> {
    read_on(&slack(), Route::Interactivity, &form(&[("payload", &payload.to_string())]))
}

fn event(payload: &Value) -> Event {
    only(read(payload).unwrap())
}

/// As in Slack's reference, "block_actions payload".
fn pressed(actions: &Value) -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A1", "trigger_id": "12321423423.333649436676.d8c1",
        "team": {"id": "T1", "domain": "demo"}, "user": {"id": "UBOB", "username": "bob", "team_id": "T1"},
        "channel": {"id": "C1", "name": "general"},
        "container": {"type": "message", "message_ts": "1700000005.000100", "channel_id": "C1", "is_ephemeral": false},
        "message": {"type": "message", "user": "UBOT", "bot_id": "BBOT", "ts": "1700000005.000100", "thread_ts": "1700000000.000100", "text": "?"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x", "actions": actions,
    })
}

fn button(block: &str, control: &str, value: &str) -> Value {
    json!({"type": "button", "block_id": block, "action_id": control, "value": value, "action_ts": "1700000010.1"})
}

#[test]
fn a_button_of_a_question_answers_it_in_its_thread() {
    let answer = event(&pressed(&json!([button("ask:r.1-a", "choice:approve", "approve")])));
    assert_eq!(answer.kind, Kind::Action { reference: "r.1-a".into(), choice: "approve".into() });
    assert_eq!((answer.actor.id.as_str(), answer.actor.name.as_str()), ("UBOB", "bob"));
    assert_eq!(answer.thread.key, "C1:1700000000.000100");
    assert_eq!(answer.message.as_deref(), Some("1700000005.000100"));
    assert_eq!(answer.thread.display, "#general");
}

#[test]
fn menus_tell_what_was_chosen() {
    let menu = |chosen: Value| {
        let mut action = json!({"block_id": "b", "action_id": "size", "action_ts": "1.1"});
        action.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
        match event(&pressed(&json!([action]))).kind {
            Kind::Action { reference, choice } => {
                assert_eq!(reference, "size");
                choice
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(menu(json!({"selected_option": {"text": {"type": "plain_text", "text": "L"}, "value": "l"}})), "l");
    assert_eq!(menu(json!({"selected_options": [{"value": "a"}, {"value": "b"}]})), "a,b");
    assert_eq!(menu(json!({"selected_user": "U1"})), "U1");
    assert_eq!(menu(json!({"selected_users": ["U1", "U2"]})), "U1,U2");
    assert_eq!(menu(json!({"selected_date": "2030-01-01"})), "2030-01-01");
    assert_eq!(menu(json!({"selected_date_time": 1_700_000_000})), "1700000000");
    assert_eq!(menu(json!({"selected_option": null})), "");
}

#[test]
fn each_press_is_one_event() {
    let one = pressed(&json!([button("ask:r", "choice:yes", "yes")]));
    assert_eq!(event(&one).id, event(&one).id);
    let mut later = one.clone();
    later["trigger_id"] = json!("999.1.x");
    assert_ne!(event(&one).id, event(&later).id);
    let Inbound::Events(both) =
        read(&pressed(&json!([button("ask:r", "choice:yes", "yes"), button("b", "c", "d")]))).unwrap()
    else {
        panic!("no events")
    };
    assert_eq!(both.len(), 2);
    assert_ne!(both[0].id, both[1].id);
}

#[test]
fn somebody_of_another_workspace_is_external() {
    let mut foreign = pressed(&json!([button("ask:r", "choice:yes", "yes")]));
    foreign["user"]["team_id"] = json!("TELSE");
    assert_eq!(event(&foreign).actor.kind, ActorKind::External);
    let mut by_organisation = foreign;
    by_organisation["team"] = Value::Null;
    by_organisation["user"]["team_id"] = json!("T2");
    assert_eq!(event(&by_organisation).thread.installation, "T2");
}

#[test]
fn a_form_holds_its_fields_and_is_answered_to_the_person() {
    let values = json!({
        "block1": {"title": {"type": "plain_text_input", "value": "It breaks"}},
        "block2": {"size": {"type": "static_select", "selected_option": {"value": "l"}}, "none": {"type": "plain_text_input", "value": null}},
    });
    let sent = json!({
        "type": "view_submission", "team": {"id": "T1"}, "user": {"id": "UBOB", "team_id": "T1"}, "trigger_id": "1.2.3",
        "view": {"id": "V1", "callback_id": "report", "hash": "156772938.1827394", "private_metadata": "", "state": {"values": values}},
    });
    let form = event(&sent);
    let Kind::Form { name, fields } = &form.kind else { panic!("{:?}", form.kind) };
    assert_eq!(name, "report");
    let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("none", ""), ("size", "l"), ("title", "It breaks")]);
    assert_eq!(form.thread.location["channel"], "UBOB");
}

#[test]
fn a_shortcut_is_a_command_and_what_it_was_used_on_is_its_text() {
    let mut on_message = pressed(&json!([]));
    on_message["type"] = json!("message_action");
    on_message["callback_id"] = json!("Summarise");
    on_message["message"] =
        json!({"type": "message", "user": "UEVE", "text": "&lt;b&gt; <@UBOT> delete all", "ts": "1700000020.000100"});
    let command = event(&on_message);
    assert_eq!(command.kind, Kind::Command { name: "summarise".into(), args: "<b> @UBOT delete all".into() });
    assert_eq!(command.actor.id, "UBOB", "whoever used it, and not who wrote the message");
    assert_eq!(command.thread.key, "C1:1700000020.000100");
    let global = json!({"type": "shortcut", "callback_id": "ops", "trigger_id": "1.2.3", "team": {"id": "T1"}, "user": {"id": "UBOB", "team_id": "T1"}});
    let command = event(&global);
    assert_eq!(command.kind, Kind::Command { name: "ops".into(), args: String::new() });
    assert_eq!(command.thread.location["channel"], "UBOB");
}

#[test]
fn the_rest_is_ignored_or_malformed_and_never_a_guess() {
    for payload in [json!({"type": "view_closed"}), json!({"type": "new_thing"}), pressed(&json!([]))] {
        assert!(matches!(read(&payload).unwrap(), Inbound::Ignored { .. }), "{payload}");
    }
    assert!(matches!(read(&json!({"type": "block_suggestion"})).unwrap(), Inbound::Handshake { .. }));
    let without = |part: &str| {
        let mut payload = pressed(&json!([button("ask:r", "choice:yes", "yes")]));
        payload.as_object_mut().unwrap().remove(part);
        payload
    };
    for payload in
        [json!([]), json!({}), without("user"), without("trigger_id"), pressed(&json!([{}])), json!({"type": 1})]
    {
        assert!(read(&payload).is_err(), "{payload}");
    }
    for body in [&b""[..], b"payload", b"payload={", b"payload={}&payload={}", b"{\"type\":\"block_actions\"}"] {
        assert!(read_on(&slack(), Route::Interactivity, body).is_err(), "{}", String::from_utf8_lossy(body));
    }
}
