//! With a token, the account may be a person's too, who is heard. What we write with it never starts anything: all of it ends
//! with a marker, whatever stands in it, and what carries no text of ours is not taken for a person's.

use proptest::prelude::*;
use reveille_channel::{Ask, Channel, Choice, Inbound, Kind, Op, Style};
use reveille_github::GitHub;
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::support::{comment, context, delivery, normalised, token};

const POST: &str = "POST /repos/acme/app/issues/7/comments";
const PATCH: &str = "PATCH /repos/acme/app/issues/comments/500";

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_slice::<Value>(include_bytes!(concat!("../../fixtures/", $name, ".json"))).unwrap()
    };
}

fn us() -> Value {
    json!({ "id": 9, "login": "bot", "type": "User" })
}

/// A connection by token that knows whose it is.
async fn known() -> (StandIn, GitHub) {
    let server = StandIn::start().await;
    server.on("GET /user", 200, us()).on(POST, 201, comment(500, 9, "bot", "")).on(
        PATCH,
        200,
        comment(500, 9, "bot", ""),
    );
    let github = token(&server.base);
    github.identify().await.unwrap();
    (server, github)
}

/// Every way in which a text leaves us.
fn operations(text: &str) -> Vec<Op> {
    let choice = Choice { id: "approve".into(), label: text.into(), style: Style::default() };
    let ask = Ask { reference: "q1".into(), title: text.into(), detail: text.into(), choices: vec![choice] };
    let id = || "500".to_owned();
    vec![
        Op::Start { text: text.into(), complete: false },
        Op::Edit { id: id(), text: text.into(), complete: false },
        Op::Edit { id: id(), text: text.into(), complete: true },
        Op::Ask(ask.clone()),
        Op::Settle { id: id(), ask, outcome: text.into() },
    ]
}

/// What of a comment of our account is heard: written, changed and taken away, in every kind of thread.
fn heard(github: &GitHub, text: &str) -> Vec<Kind> {
    let mut heard = Vec::new();
    for (name, payload) in [
        ("issue_comment", fixture!("issue_comment.created")),
        ("pull_request_review_comment", fixture!("pull_request_review_comment.created")),
        ("discussion_comment", fixture!("discussion_comment.created")),
    ] {
        for action in ["created", "edited"] {
            let mut payload = payload.clone();
            payload["action"] = json!(action);
            payload["changes"] = json!({ "body": { "from": "before" } });
            payload["sender"] = us();
            payload["comment"]["user"] = us();
            payload["comment"]["body"] = json!(text);
            match normalised(github, delivery(name, serde_json::to_vec(&payload).unwrap(), &[])).unwrap() {
                Inbound::Events(events) => heard.extend(events.into_iter().map(|event| event.kind)),
                Inbound::Ignored { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    heard
}

async fn check(text: &str) {
    for op in operations(text) {
        let (server, github) = known().await;
        if github.perform(&context("token"), &op).await.is_err() {
            // A question that is too long is not asked.
            assert!(matches!(op, Op::Ask(_) | Op::Settle { .. }), "{op:?}");
            continue;
        }
        let sent = server.seen().pop().unwrap();
        assert_eq!(heard(&github, sent.body["body"].as_str().unwrap()), [], "{op:?}");
    }
}

#[tokio::test]
async fn whatever_length_it_has() {
    for text in [
        "",
        "@assistant go on",
        "/assistant go on",
        &"@a ".repeat(20_000),
        &"```\n".repeat(15_000),
        &"x".repeat(60_000),
    ] {
        check(text).await;
    }
    // And a person with the same account is heard.
    let (_server, github) = known().await;
    assert_eq!(heard(&github, "@assistant go on").len(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_stands_in_it(text in "(`{3}\n|~{3}|<!--|-->|<!-- reveille:[a-z2-7]{4,16} -->|<pre>|@bot|/go|\n| |[a-z#&\\\\|]{1,3}){0,16}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&text));
    }
}

#[tokio::test]
async fn what_says_nothing_of_who_wrote_it_is_ours() {
    let (_server, github) = known().await;
    let told = |name: &str, mut payload: Value| {
        payload["sender"] = us();
        normalised(&github, delivery(name, serde_json::to_vec(&payload).unwrap(), &[])).unwrap()
    };
    let edited = |changes: Value| {
        let mut payload = fixture!("issues.edited");
        payload["changes"] = changes;
        told("issues", payload)
    };
    let ours = Inbound::Ignored { reason: "our own act" };
    assert_eq!(edited(json!({ "title": { "from": "Before" } })), ours);
    assert_eq!(edited(Value::Null), ours);
    assert!(matches!(edited(json!({ "body": { "from": "Before" } })), Inbound::Events(_)));
    assert_eq!(told("issues", fixture!("issues.labeled")), ours);

    // An answer on a line comes as a review without a text of its own.
    let review = |body: &str| {
        let mut payload = fixture!("pull_request_review.submitted");
        payload["review"]["user"] = us();
        payload["review"]["body"] = json!(body);
        told("pull_request_review", payload)
    };
    assert_eq!(review(""), ours);
    assert!(matches!(review("Looks good"), Inbound::Events(_)));
}
