//! A question is a comment that shows exactly what is asked about, and lines that answer it.

use proptest::prelude::*;
use reveille_channel::{ActorKind, Ask, Channel, Choice, Inbound, Kind, Op, Progress, ReplyError, Role, Style};
use serde_json::json;

use crate::stand_in::StandIn;
use crate::support::{app, comment, context, delivery, event, normalised, token};

const POST: &str = "POST /repos/acme/app/issues/7/comments";
const PATCH: &str = "PATCH /repos/acme/app/issues/comments/500";

fn ask(title: &str, detail: &str) -> Ask {
    let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), style: Style::default() };
    Ask {
        reference: "q7-2.x".into(),
        title: title.into(),
        detail: detail.into(),
        choices: vec![choice("approve", "Do it"), choice("deny", "No"), choice("later", "Ask @ann later")],
    }
}

async fn asked(ask: Ask) -> Result<String, ReplyError> {
    let server = StandIn::start().await;
    server.on(POST, 201, comment(500, 9, "bot", ""));
    token(&server.base).perform(&context("token"), &Op::Ask(ask)).await?;
    Ok(server.last(POST).body["body"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn it_shows_the_exact_bytes_and_how_to_answer() {
    let detail = "github.close_issue\n```\n**Approved** by @octocat\n````\nFixes #1 \u{202e}\u{200b}<!-- x -->";
    let body = asked(ask("Close *this*, @octocat?", detail)).await.unwrap();
    insta::assert_snapshot!(body);

    let server = StandIn::start().await;
    server.on(PATCH, 200, comment(500, 9, "bot", ""));
    let outcome = "Approved by octocat at 12:00".to_owned();
    let settle = Op::Settle { id: "500".into(), ask: ask("Close it?", "x"), outcome };
    token(&server.base).perform(&context("token"), &settle).await.unwrap();
    insta::assert_snapshot!(server.last(PATCH).body["body"].as_str().unwrap());
}

#[tokio::test]
async fn what_cannot_be_shown_whole_is_not_asked() {
    let error = asked(ask("Really?", &"x".repeat(70_000))).await.unwrap_err();
    assert!(matches!(error, ReplyError::Refused(_)), "{error}");
}

#[tokio::test]
async fn its_own_lines_answer_it() {
    let body = asked(ask("Really?", "")).await.unwrap();
    let lines: Vec<&str> = body.split('`').skip(1).step_by(2).collect();
    let kinds: Vec<Kind> = lines.iter().map(|line| kind_of(line)).collect();
    let action = |choice: &str| Kind::Action { reference: "q7-2.x".into(), choice: choice.into() };
    assert_eq!(kinds, [action("approve"), action("deny"), action("later")]);
    // The question itself, quoted or not, answers nothing.
    assert!(!matches!(kind_of(&body), Kind::Action { .. }));
}

fn kind_of(text: &str) -> Kind {
    let mut payload = created();
    payload["comment"]["body"] = json!(text);
    match normalised(&app(), delivery("issue_comment", serde_json::to_vec(&payload).unwrap(), &[])) {
        Ok(Inbound::Events(mut events)) => events.remove(0).kind,
        other => panic!("{other:?}"),
    }
}

/// What an answer counts is decided elsewhere: here it brings who gave it, by id, and GitHub's word on what they may do.
#[tokio::test]
async fn an_answer_brings_who_gave_it_and_what_they_may_do() {
    let server = StandIn::start().await;
    let github = token(&server.base);
    for (id, login, permission, role) in [
        (501, "writer", "write", Role::Member),
        (502, "keeper", "admin", Role::Admin),
        (503, "reader", "read", Role::Guest),
        (504, "stranger", "none", Role::None),
    ] {
        let account = json!({ "id": id, "login": login, "type": "User" });
        let mut payload = created();
        let repository = payload["repository"]["full_name"].as_str().unwrap().to_owned();
        let told = json!({ "permission": permission, "role_name": permission, "user": account });
        server.on(&format!("GET /repos/{repository}/collaborators/{login}/permission"), 200, told);
        payload["comment"]["body"] = json!("/approve q7-2.x");
        payload["comment"]["user"] = account.clone();
        payload["sender"] = account;
        let event = event(&github, "issue_comment", &serde_json::to_vec(&payload).unwrap());
        assert_eq!(event.kind, Kind::Action { reference: "q7-2.x".into(), choice: "approve".into() });
        assert_eq!((event.actor.id.as_str(), event.actor.kind), (id.to_string().as_str(), ActorKind::Human));
        assert_eq!(github.permission(&event.actor, &event.thread).await, Ok(role), "{login}");
    }
    // Somebody's program answers as a program, and a changed comment answers nothing.
    let mut payload = created();
    payload["comment"]["body"] = json!("/approve q7-2.x");
    payload["comment"]["performed_via_github_app"] = json!({ "id": 77, "slug": "other" });
    assert_eq!(event(&github, "issue_comment", &serde_json::to_vec(&payload).unwrap()).actor.kind, ActorKind::Bot);
    payload["action"] = json!("edited");
    assert_eq!(event(&github, "issue_comment", &serde_json::to_vec(&payload).unwrap()).kind, Kind::Edited);
}

fn created() -> serde_json::Value {
    serde_json::from_slice(include_bytes!("../../fixtures/issue_comment.created.json")).unwrap()
}

#[tokio::test]
async fn signs_are_reactions_and_are_left_out_where_there_are_none() {
    let server = StandIn::start().await;
    server.on("POST /repos/acme/app/issues/comments/100/reactions", 201, json!({ "id": 1, "content": "eyes" }));
    let github = token(&server.base);
    // One after the other, without waiting a second: answers do not wait for them either.
    for (progress, content) in [(Progress::Began, "eyes"), (Progress::Done, "rocket"), (Progress::Failed, "confused")] {
        github.sign(&context("token"), progress).await.unwrap();
        assert_eq!(server.seen().last().unwrap().body, json!({ "content": content }));
    }
    let mut elsewhere = context("token");
    for message in [None, Some("review:5".to_owned())] {
        elsewhere.message = message;
        github.sign(&elsewhere, Progress::Began).await.unwrap();
    }
    assert_eq!(server.seen().len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in it, the detail is one block of code that ends where it ends.
    #[test]
    fn no_detail_breaks_out_of_its_fence(detail in "(`{1,5}|~{3}|\n|[a-z@#<>!\\[\\]*]{1,3}| ){0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let body = runtime.block_on(asked(ask("Really?", &detail))).unwrap();
        let arena = comrak::Arena::new();
        let root = comrak::parse_document(&arena, &body, &comrak::Options::default());
        let blocks: Vec<String> = root
            .descendants()
            .filter_map(|node| match &node.data().value {
                comrak::nodes::NodeValue::CodeBlock(block) => Some(block.literal.clone()),
                _ => None,
            })
            .collect();
        if detail.is_empty() {
            prop_assert!(blocks.is_empty());
        } else {
            prop_assert_eq!(blocks, [format!("{detail}\n")]);
        }
    }
}
