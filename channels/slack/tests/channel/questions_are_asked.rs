//! Questions: a message with buttons, which goes when it is answered.

use reveille_channel::{Ask, Channel, Choice, Mode, Op, Receipt, Style};
use serde_json::json;

use crate::stand_in::{arguments, context, methods, ok, start};

fn question() -> Ask {
    let choice = |id: &str, style| Choice { id: id.into(), label: id.to_uppercase(), style };
    Ask {
        reference: "r1".into(),
        title: "Restart web?".into(),
        detail: "{\"service\": \"web\"}".into(),
        choices: vec![choice("approve", Style::Primary), choice("deny", Style::Danger)],
    }
}

#[tokio::test]
async fn a_question_is_a_message_of_the_thread_with_a_button_for_each_choice() {
    let (slack, server) = start(vec![ok(json!({"ts": "1.2"}))]).await;
    let receipt = slack.perform(&context(), &Op::Ask(question())).await.unwrap();
    assert_eq!(receipt, Receipt { id: "1.2".into(), mode: Mode::Edit });
    let asked = arguments(&server, 0);
    assert_eq!(asked["thread_ts"], "1700000000.000100");
    assert_eq!(asked["metadata"]["event_payload"]["marker"], context().marker.as_str());
    assert_eq!(asked["unfurl_links"], false);
    let blocks = asked["blocks"].as_array().unwrap();
    let actions = blocks.last().unwrap();
    assert_eq!(actions["block_id"], "ask:r1");
    let pairs: Vec<_> = actions["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["action_id"].as_str().unwrap(), one["style"].as_str().unwrap()))
        .collect();
    assert_eq!(pairs, [("choice:approve", "primary"), ("choice:deny", "danger")]);
}

#[tokio::test]
async fn a_settled_question_shows_what_came_of_it_and_has_no_buttons() {
    let (slack, server) = start(Vec::new()).await;
    let outcome = "Approved by bob <!here>".to_owned();
    slack.perform(&context(), &Op::Settle { id: "1.2".into(), ask: question(), outcome }).await.unwrap();
    assert_eq!(methods(&server), ["chat.update"]);
    let settled = arguments(&server, 0);
    assert_eq!(settled["ts"], "1.2");
    assert_eq!(settled["text"], "Restart web?\nApproved by bob &lt;!here&gt;");
    let blocks = settled["blocks"].to_string();
    assert!(blocks.contains("Approved by bob") && !blocks.contains("button"), "{blocks}");
}
