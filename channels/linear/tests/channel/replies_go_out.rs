//! A reply is one activity of a session, or one comment that grows by edits; either is found again by its id.

use crate::stand_in::{StandIn, error};
use crate::support::{
    ANN, APP, ISSUE, ROOT, SESSION, context, in_session, in_thread, nowhere, on_issue, person, start, token, viewer,
};
use reveille_channel::{
    Actor, ActorKind, Ask, Channel, Choice, Mode, Op, ReplyContext, ReplyError, Role, Streaming, Style,
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

const ACTIVITY: &str = "AgentActivityCreate";
const COMMENT: &str = "CommentCreate";
const EDIT: &str = "CommentUpdate";

fn made(field: &str) -> Value {
    json!({ field: { "success": true } })
}

fn ask() -> Ask {
    let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), style: Style::Plain };
    Ask {
        reference: "a1".into(),
        title: "Merge *it*?".into(),
        detail: "branch `main`".into(),
        choices: vec![choice("yes", "Approve"), choice("no", "Reject")],
    }
}

#[tokio::test]
async fn in_a_session_thoughts_pass_and_the_answer_is_a_response() {
    let server = StandIn::start().await;
    server.on(ACTIVITY, made("agentActivityCreate"));
    let linear = token(&server.base);
    let context = context(in_session());
    linear.perform(&context, &Op::Status { text: Some("Thinking".into()) }).await.unwrap();
    linear.perform(&context, &Op::Status { text: Some("Using linear.get_issue".into()) }).await.unwrap();
    linear.perform(&context, &Op::Status { text: None }).await.unwrap();
    let receipt = linear.perform(&context, &start("Hello @octocat")).await.unwrap();
    let inputs: Vec<Value> = server.seen().iter().map(|seen| seen.variables["input"].clone()).collect();
    assert_eq!(
        inputs,
        [
            json!({ "agentSessionId": SESSION, "ephemeral": true, "content": { "type": "thought", "body": "Thinking" } }),
            json!({ "agentSessionId": SESSION, "ephemeral": true,
                "content": { "type": "action", "action": "Using", "parameter": "linear.get_issue" } }),
            json!({ "agentSessionId": SESSION, "id": receipt.id,
                "content": { "type": "response", "body": "Hello @\u{200b}octocat" } }),
        ]
    );
    assert_eq!(server.last(ACTIVITY).authorization, "Bearer lin_oauth_test");
    assert_eq!((receipt.id.len(), receipt.mode), (36, Mode::Edit));
    // It stands as it was posted: nothing edits it.
    linear.perform(&context, &Op::Edit { id: receipt.id, text: "Hello".into(), complete: true }).await.unwrap();
    assert_eq!(server.seen().len(), 3);
    let stream = Op::Append { id: "x".into(), text: "y".into() };
    assert!(matches!(linear.perform(&context, &stream).await, Err(ReplyError::Refused(_))));
}

#[tokio::test]
async fn a_turn_that_failed_ends_with_an_error() {
    let server = StandIn::start().await;
    server.on(ACTIVITY, made("agentActivityCreate"));
    let failed = ReplyContext { has_failed: true, ..context(in_session()) };
    token(&server.base).perform(&failed, &start("I could not finish this: no model.")).await.unwrap();
    assert_eq!(
        server.last(ACTIVITY).variables["input"]["content"],
        json!({ "type": "error", "body": "I could not finish this: no model." })
    );
}

#[tokio::test]
async fn a_question_is_an_elicitation_with_options_that_name_it() {
    let server = StandIn::start().await;
    server.on(ACTIVITY, made("agentActivityCreate"));
    let linear = token(&server.base);
    let context = context(in_session());
    let asked = linear.perform(&context, &Op::Ask(ask())).await.unwrap();
    assert_eq!(
        server.last(ACTIVITY).variables["input"],
        json!({
            "agentSessionId": SESSION, "id": asked.id, "signal": "select",
            "signalMetadata": { "options": [
                { "label": "Approve", "value": "Approve #yes@a1" }, { "label": "Reject", "value": "Reject #no@a1" },
            ] },
            "content": { "type": "elicitation", "body": "Merge \\*it\\*?\n\n```\nbranch `main`\n```" },
        })
    );
    // Settling it twice says it once.
    server.on_with(ACTIVITY, 200, &[], error("conflict on insert of AgentActivity", "INPUT_ERROR", "It exists."));
    for _ in 0..2 {
        let settle = Op::Settle { id: asked.id.clone(), ask: ask(), outcome: "Approved by Ann".into() };
        assert_eq!(linear.perform(&context, &settle).await.unwrap().id, asked.id);
    }
    let settled = server.seen()[1].variables["input"].clone();
    assert_eq!(settled["content"], json!({ "type": "thought", "body": "Approved by Ann" }));
    assert_eq!(settled["id"], server.seen()[2].variables["input"]["id"]);
    assert_ne!(settled["id"], json!(asked.id));
}

#[tokio::test]
async fn elsewhere_a_reply_is_one_comment_that_is_edited() {
    let server = StandIn::start().await;
    server.on(COMMENT, made("commentCreate")).on(EDIT, made("commentUpdate"));
    let linear = token(&server.base);
    let receipt = linear.perform(&context(in_thread()), &start("Hello")).await.unwrap();
    let input = json!({ "id": receipt.id, "issueId": ISSUE, "parentId": ROOT, "body": "Hello" });
    assert_eq!(server.last(COMMENT).variables, json!({ "input": input }));
    let edit = Op::Edit { id: receipt.id.clone(), text: "Hello ![x](https://e.v/x)".into(), complete: true };
    linear.perform(&context(in_thread()), &edit).await.unwrap();
    let body = "Hello x (`https://e.v/x`)";
    assert_eq!(server.last(EDIT).variables, json!({ "id": receipt.id, "input": { "body": body } }));
    // Below an issue without a thread it begins one; a status is not shown.
    linear.perform(&context(on_issue()), &start("Hello")).await.unwrap();
    assert_eq!(server.last(COMMENT).variables["input"].get("parentId"), None);
    let seen = server.seen().len();
    linear.perform(&context(in_thread()), &Op::Status { text: Some("Thinking".into()) }).await.unwrap();
    assert_eq!(server.seen().len(), seen);
    // A question is words there.
    let asked = linear.perform(&context(in_thread()), &Op::Ask(ask())).await.unwrap();
    let body = "Merge \\*it\\*?\n\n```\nbranch `main`\n```\n\n- Approve\n- Reject";
    assert_eq!(server.last(COMMENT).variables["input"]["body"], body);
    let settle = Op::Settle { id: asked.id, ask: ask(), outcome: "Rejected by Ann".into() };
    linear.perform(&context(in_thread()), &settle).await.unwrap();
    assert!(server.last(EDIT).variables["input"]["body"].as_str().unwrap().ends_with("\n\n**Rejected by Ann**"));
    let error = linear.perform(&context(nowhere()), &start("Hello")).await.unwrap_err();
    assert!(matches!(error, ReplyError::Refused(_)), "{error}");
}

#[test]
fn what_can_be_shown_depends_on_the_place() {
    let linear = crate::support::nobody();
    let session = linear.capabilities_in(&in_session());
    assert_eq!((session.streaming, session.status, session.controls), (Streaming::None, true, true));
    let comments = linear.capabilities_in(&in_thread());
    assert_eq!((comments.streaming, comments.status, comments.controls), (Streaming::Edit, false, false));
}

#[tokio::test]
async fn a_repeat_is_refused_as_a_duplicate_and_is_as_good_as_the_first() {
    let server = StandIn::start().await;
    let duplicate = error("conflict on insert of Comment", "INPUT_ERROR", "Entity Comment with id x already exists.");
    server.on_with(COMMENT, 200, &[], duplicate.clone()).on(EDIT, made("commentUpdate"));
    server.on_with(ACTIVITY, 200, &[], duplicate);
    let linear = token(&server.base);
    // What is there may show an earlier text.
    let receipt = linear.perform(&context(in_thread()), &start("Hello")).await.unwrap();
    assert_eq!(server.last(EDIT).variables["id"], json!(receipt.id));
    let again = linear.perform(&context(in_session()), &start("Hello")).await.unwrap();
    assert_eq!(again.id, receipt.id, "the id is the marker's");
}

#[tokio::test]
async fn what_was_posted_is_found_by_its_id_and_not_found_is_said_only_when_it_is_certain() {
    let server = StandIn::start().await;
    let linear = token(&server.base);
    // Linear answers that something is not there with an error.
    assert_eq!(linear.find(&context(in_session())).await, Ok(None));
    assert_eq!(linear.find(&context(in_thread())).await, Ok(None));
    server.on("AgentActivity", json!({ "agentActivity": { "id": "x" } }));
    server.on("Comment", json!({ "comment": { "id": "x" } }));
    for thread in [in_session(), in_thread()] {
        assert!(linear.find(&context(thread)).await.unwrap().is_some());
    }
    assert_eq!(server.last("Comment").variables["id"], server.last("AgentActivity").variables["id"]);
    let server = StandIn::start().await;
    server.on_with("Comment", 502, &[], json!({}));
    let partial = json!({ "data": { "agentActivity": null }, "errors": [{ "message": "lock timeout" }] });
    server.on_with("AgentActivity", 200, &[], partial);
    let linear = token(&server.base);
    for thread in [in_session(), in_thread()] {
        assert!(linear.find(&context(thread)).await.is_err());
    }
}

/// The error's kind and its wait.
fn in_short(error: &ReplyError) -> String {
    match error {
        ReplyError::Retry { after_ms, .. } => format!("retry {after_ms}"),
        ReplyError::Unknown(_) => "unknown".to_owned(),
        ReplyError::Credentials(_) => "credentials".to_owned(),
        ReplyError::StreamClosed(_) => "closed".to_owned(),
        ReplyError::Stopped(_) => "stopped".to_owned(),
        ReplyError::Gone(_) => "gone".to_owned(),
        ReplyError::Refused(_) => "refused".to_owned(),
    }
}

#[tokio::test]
async fn each_refusal_says_what_to_do_next_and_nothing_is_repeated() {
    let limited = json!({ "errors": [{ "message": "Rate limit exceeded",
        "extensions": { "code": "RATELIMITED", "type": "ratelimited", "statusCode": 429 } }] });
    type Headers<'h> = &'h [(&'static str, &'h str)];
    let cases: [(u16, Headers<'_>, Value, &str, &str); 8] = [
        (400, &[("retry-after", "7")], limited, "retry 7000", "retry 7000"),
        (401, &[], error("Authentication required", "AUTHENTICATION_ERROR", ""), "credentials", "credentials"),
        (200, &[], error("Entity not found: Issue", "INPUT_ERROR", "Could not find referenced Issue."), "gone", "gone"),
        (200, &[], error("Argument Validation Error", "INVALID_INPUT", "body is too long"), "refused", "refused"),
        (
            200,
            &[],
            json!({ "data": { "commentCreate": { "success": false }, "commentUpdate": { "success": false } } }),
            "refused",
            "refused",
        ),
        (500, &[], json!({}), "unknown", "retry 3000"),
        (200, &[], json!("<html>"), "unknown", "retry 3000"),
        (200, &[], json!({ "data": { "other": {} } }), "unknown", "refused"),
    ];
    for (status, headers, body, on_create, on_edit) in cases {
        let server = StandIn::start().await;
        server.on_with(COMMENT, status, headers, body.clone()).on_with(EDIT, status, headers, body.clone());
        let linear = token(&server.base);
        let create = linear.perform(&context(in_thread()), &start("x")).await.unwrap_err();
        let op = Op::Edit { id: ROOT.into(), text: "x".into(), complete: true };
        let edit = linear.perform(&context(in_thread()), &op).await.unwrap_err();
        for (expected, error) in [(on_create, create), (on_edit, edit)] {
            assert_eq!(expected, in_short(&error), "{status} {body}: {error}");
        }
        assert_eq!(server.seen().len(), 2, "{status} {body}");
    }
}

/// A server that takes requests and hangs up.
async fn hangs_up() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/graphql", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
        }
    });
    (base, task)
}

#[tokio::test]
async fn a_lost_answer_is_told_from_a_connection_that_never_was() {
    let edit = Op::Edit { id: ROOT.into(), text: "x".into(), complete: true };
    let (base, task) = hangs_up().await;
    let linear = token(&base);
    assert_eq!(in_short(&linear.perform(&context(in_thread()), &start("x")).await.unwrap_err()), "unknown");
    assert_eq!(in_short(&linear.perform(&context(in_thread()), &edit).await.unwrap_err()), "retry 1000");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    for base in [base.clone(), base.replace("http:", "https:")] {
        let refused = token(&base).perform(&context(in_thread()), &start("x")).await.unwrap_err();
        assert_eq!(in_short(&refused), "retry 2000", "{refused}");
    }
}

#[tokio::test]
async fn roles_are_asked_of_linear_and_kept_for_a_minute() {
    let server = StandIn::start().await;
    server.on("User", json!({ "user": { "id": ANN, "active": true, "admin": true, "guest": false, "app": false } }));
    let linear = token(&server.base);
    for _ in 0..3 {
        assert_eq!(linear.permission(&person(ANN), &on_issue()).await, Ok(Role::Admin));
    }
    assert_eq!(server.count("User"), 1);
    // The answer must be about the one who was asked for.
    assert_eq!(linear.permission(&person(APP), &on_issue()).await, Ok(Role::None));
    let bot = Actor { kind: ActorKind::Bot, ..person(ANN) };
    assert_eq!(linear.permission(&bot, &on_issue()).await, Ok(Role::None));
    let stranger = Actor { kind: ActorKind::External, ..person("ext") };
    assert_eq!(linear.permission(&stranger, &on_issue()).await, Ok(Role::External));
    let silent = StandIn::start().await;
    silent.on_with("User", 500, &[], json!({}));
    assert!(token(&silent.base).permission(&person(ANN), &on_issue()).await.is_err());
}

#[tokio::test]
async fn reactions_go_to_comments_and_issues_and_one_that_is_there_is_as_good() {
    let server = StandIn::start().await;
    server.on("ReactionCreate", made("reactionCreate"));
    server.on_with("ReactionCreate", 200, &[], error("conflict on insert of Reaction", "INPUT_ERROR", ""));
    let linear = token(&server.base);
    linear.react(&in_session(), ROOT, "eyes").await.unwrap();
    linear.react(&in_session(), ISSUE, "+1").await.unwrap();
    let inputs: Vec<Value> = server.seen().iter().map(|seen| seen.variables["input"].clone()).collect();
    assert_eq!(inputs, [json!({ "emoji": "eyes", "commentId": ROOT }), json!({ "emoji": "+1", "issueId": ISSUE })]);
    for (message, emoji) in [("a/b", "eyes"), (ROOT, ""), (ROOT, "a b")] {
        assert!(matches!(linear.react(&in_session(), message, emoji).await, Err(ReplyError::Refused(_))));
    }
}

#[tokio::test]
async fn a_thread_is_the_issue_and_what_was_said_last_oldest_first() {
    let server = StandIn::start().await;
    server.on("Viewer", viewer());
    let user = |id: &str, name: &str| json!({ "id": id, "name": name, "displayName": name });
    let issue = json!({ "id": ISSUE, "identifier": "ENG-42", "title": "Title", "description": null,
        "createdAt": "2024-11-25T01:00:00.000Z", "creator": user(ANN, "ann") });
    let said = |id: &str, minute: u32, who: Value, kind: &str, body: Value| {
        json!({ "id": id, "createdAt": format!("2024-11-25T02:{minute:02}:00.000Z"), "user": who,
            "content": { "__typename": kind, "body": body } })
    };
    let activities = json!([
        said("4", 4, user(APP, "assistant"), "AgentActivityResponseContent", json!("Two")),
        said("3", 3, user(ANN, "ann"), "AgentActivityPromptContent", json!("And?")),
        said("2", 2, user(APP, "assistant"), "AgentActivityThoughtContent", Value::Null),
        said("1", 1, user(APP, "assistant"), "AgentActivityResponseContent", json!("One")),
    ]);
    server.on(
        "AgentSessionHistory",
        json!({ "agentSession": { "issue": issue, "activities": { "nodes": activities } } }),
    );
    let comment = |id: &str, minute: u32, who: Value, body: &str| json!({ "id": id, "createdAt": format!("2024-11-25T02:{minute:02}:00.000Z"), "user": who, "body": body });
    let mut root = comment(ROOT, 1, user(ANN, "ann"), "Root");
    root["issue"] = issue.clone();
    root["children"] =
        json!({ "nodes": [comment("c2", 3, Value::Null, "Late"), comment("c1", 2, user(APP, "assistant"), "Early")] });
    server.on("CommentHistory", json!({ "comment": root }));
    let mut whole = issue.clone();
    whole["comments"] =
        json!({ "nodes": [comment("b", 2, user(ANN, "ann"), "B"), comment("a", 1, user(ANN, "ann"), "A")] });
    server.on("IssueHistory", json!({ "issue": whole }));
    let linear = token(&server.base);
    linear.identify().await.unwrap();
    let told = async |thread, limit| {
        let messages = linear.context(&thread, limit).await.unwrap();
        messages.into_iter().map(|one| format!("{} {} {}", one.author, one.is_own, one.text)).collect::<Vec<_>>()
    };
    let first = "ann false ENG-42: Title";
    assert_eq!(told(in_session(), 10).await, [first, "assistant true One", "ann false And?", "assistant true Two"]);
    assert_eq!(told(in_session(), 2).await, [first, "assistant true Two"]);
    assert_eq!(
        told(in_thread(), 10).await,
        [first, "ann false Root", "assistant true Early", "somebody outside false Late"]
    );
    assert_eq!(told(on_issue(), 10).await, [first, "ann false A", "ann false B"]);
    assert_eq!(told(on_issue(), 0).await, [""; 0]);
}
