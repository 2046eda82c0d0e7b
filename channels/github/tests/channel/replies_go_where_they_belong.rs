//! Threads on lines of a pull request and discussions are answered where the question stands.

use std::collections::BTreeMap;

use reveille_channel::{Channel, Event, Op, Receipt, ReplyContext, ReplyError, ThreadRef};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::support::{app, comment, context, event, start, token};

fn at(location: &[(&str, &str)], key: &str) -> ThreadRef {
    let location: BTreeMap<String, String> =
        [("owner", "acme"), ("repo", "app"), ("number", "7"), ("installation", "token")]
            .iter()
            .chain(location)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
    ThreadRef { installation: "token".into(), key: key.into(), location, display: "acme/app#7".into() }
}

fn in_thread(thread: ThreadRef) -> ReplyContext {
    ReplyContext { thread, ..context("token") }
}

fn marked(text: &str) -> String {
    format!("{text}\n\n<!-- reveille:{} -->", context("token").marker)
}

fn user(server: &StandIn) {
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot", "type": "User" }));
}

#[tokio::test]
async fn on_a_line_of_a_pull_request() {
    const REPLY: &str = "POST /repos/acme/app/pulls/7/comments/30/replies";
    const LIST: &str = "GET /repos/acme/app/pulls/7/comments";
    let server = StandIn::start().await;
    user(&server);
    server.on(REPLY, 201, comment(31, 9, "bot", "")).on(
        "PATCH /repos/acme/app/pulls/comments/31",
        200,
        comment(31, 9, "bot", ""),
    );
    let github = token(&server.base);
    let context = in_thread(at(&[("kind", "review"), ("comment", "30")], "42:7:r30"));
    assert_eq!(github.perform(&context, &start("Because.")).await.unwrap().id, "31");
    assert_eq!(server.last(REPLY).body, json!({ "body": marked("Because.") }));
    let edit = Op::Edit { id: "31".into(), text: "Because of it.".into(), complete: true };
    github.perform(&context, &edit).await.unwrap();

    let mut first = comment(30, 1, "octocat", "Why?");
    first["path"] = json!("src/main.rs");
    first["line"] = json!(12);
    first["diff_hunk"] = json!("@@ -1 +1 @@\n-old ```\n+new");
    let mut ours = comment(31, 9, "bot", &marked("Because."));
    ours["in_reply_to_id"] = json!(30);
    let mut elsewhere = comment(32, 1, "octocat", "x");
    elsewhere["in_reply_to_id"] = json!(29);
    server.on(LIST, 200, json!([first, elsewhere, ours]));
    assert_eq!(github.find(&context).await.unwrap().unwrap().id, "31");
    let told = github.context(&context.thread, 9).await.unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.id.as_str(), it.is_own, it.text.as_str())).collect();
    let about = "On src/main.rs:12:\n\n````diff\n@@ -1 +1 @@\n-old ```\n+new\n````\n\nWhy?";
    assert_eq!(told, [("line:30", false, about), ("line:31", true, "Because.")]);

    let server = StandIn::start().await;
    server.on("POST /repos/acme/app/pulls/comments/30/reactions", 201, json!({ "id": 1, "content": "eyes" }));
    token(&server.base).react(&context.thread, "line:30", "eyes").await.unwrap();
}

const GRAPHQL: &str = "POST /graphql";

fn discussion_comment(id: &str, body: &str, is_ours: bool, second: u32) -> Value {
    json!({
        "id": id, "body": body, "createdAt": format!("2019-05-15T15:20:{second:02}Z"), "viewerDidAuthor": is_ours,
        "author": { "login": if is_ours { "bot" } else { "octocat" } },
    })
}

fn added(id: &str) -> Value {
    json!({ "data": { "addDiscussionComment": { "comment": { "id": id } } } })
}

#[tokio::test]
async fn in_a_discussion() {
    let of = |location: &[(&str, &str)]| {
        let mut all = vec![("kind", "discussion"), ("node", "D_1")];
        all.extend(location);
        in_thread(at(&all, "42:d7"))
    };
    // The discussion itself, a comment of it, and an answer to a comment.
    for (location, asked, below) in [
        (vec![], 1, Value::Null),
        (vec![("answers", "DC_5")], 1, json!("DC_5")),
        (vec![("beside", "DC_6")], 2, json!("DC_5")),
    ] {
        let server = StandIn::start().await;
        if asked == 2 {
            server.on(GRAPHQL, 200, json!({ "data": { "node": { "replyTo": { "id": "DC_5" } } } }));
        }
        server.on(GRAPHQL, 200, added("DC_9"));
        let receipt = token(&server.base).perform(&of(&location), &start("Hello")).await.unwrap();
        assert_eq!((receipt.id.as_str(), server.seen().len()), ("DC_9", asked));
        let last = server.last(GRAPHQL);
        assert!(last.body["query"].as_str().unwrap().contains("addDiscussionComment"));
        let variables = json!({ "discussion": "D_1", "body": marked("Hello"), "answers": below });
        assert_eq!(last.body["variables"], variables);
    }

    let server = StandIn::start().await;
    server.on(GRAPHQL, 200, json!({ "data": { "updateDiscussionComment": { "comment": { "id": "DC_9" } } } }));
    let edit = |id: &str| Op::Edit { id: id.into(), text: "More".into(), complete: true };
    token(&server.base).perform(&of(&[]), &edit("DC_9")).await.unwrap();
    assert_eq!(server.last(GRAPHQL).body["variables"], json!({ "id": "DC_9", "body": marked("More") }));
    assert!(matches!(token(&server.base).perform(&of(&[]), &edit("a b")).await, Err(ReplyError::Refused(_))));

    // Found again among the answers, and by nobody else's hand.
    let server = StandIn::start().await;
    user(&server);
    let page = |nodes: Value, before: Value| json!({ "data": { "node": { "comments": { "nodes": nodes, "pageInfo": before } } } });
    let last = json!({ "hasPreviousPage": false, "startCursor": "Y" });
    let more = json!({ "hasPreviousPage": true, "startCursor": "X" });
    server.on(GRAPHQL, 200, page(json!([discussion_comment("DC_7", &marked("Hello"), false, 50)]), more));
    server.on(GRAPHQL, 200, page(json!([discussion_comment("DC_8", &marked("Hello"), true, 40)]), last));
    let found = token(&server.base).find(&of(&[("answers", "DC_5")])).await.unwrap();
    assert_eq!(found.map(|it: Receipt| it.id).as_deref(), Some("DC_8"));
    assert_eq!(server.last(GRAPHQL).body["variables"], json!({ "id": "DC_5", "before": "X" }));

    let server = StandIn::start().await;
    let mut first = discussion_comment("DC_5", "Why?", false, 1);
    first["replies"] = json!({ "nodes": [discussion_comment("DC_6", &marked("Because."), true, 3)] });
    let mut page = page(json!([first, discussion_comment("DC_7", "And?", false, 2)]), Value::Null);
    let node = page["data"]["node"].as_object_mut().unwrap();
    node.extend(discussion_comment("", "Body", false, 0).as_object().unwrap().clone());
    node.insert("title".into(), json!("Title"));
    server.on(GRAPHQL, 200, page);
    let told = token(&server.base).context(&of(&[]).thread, 9).await.unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.id.as_str(), it.is_own, it.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("issue", false, "Title\n\nBody"),
            ("node:DC_5", false, "Why?"),
            ("node:DC_7", false, "And?"),
            ("node:DC_6", true, "Because."),
        ]
    );

    let server = StandIn::start().await;
    server.on(GRAPHQL, 200, json!({ "data": { "addReaction": { "reaction": { "content": "EYES" } } } }));
    token(&server.base).react(&of(&[]).thread, "node:DC_5", "eyes").await.unwrap();
    assert_eq!(server.last(GRAPHQL).body["variables"], json!({ "id": "DC_5", "content": "EYES" }));
}

#[tokio::test]
async fn what_the_graphql_api_refuses_is_told_apart() {
    let refused = async |errors: Value| {
        let server = StandIn::start().await;
        server.on(GRAPHQL, 200, json!({ "data": null, "errors": errors }));
        let context = in_thread(at(&[("kind", "discussion"), ("node", "D_1")], "42:d7"));
        token(&server.base).perform(&context, &start("Hello")).await.unwrap_err()
    };
    let typed = |kind: &str| json!([{ "type": kind, "message": "said" }]);
    assert!(matches!(refused(typed("NOT_FOUND")).await, ReplyError::Gone(_)));
    assert!(matches!(refused(typed("FORBIDDEN")).await, ReplyError::Credentials(_)));
    assert!(matches!(refused(typed("RATE_LIMITED")).await, ReplyError::Retry { .. }));
    assert!(matches!(refused(typed("UNPROCESSABLE")).await, ReplyError::Refused(_)));
    assert!(matches!(refused(json!([{ "message": "was submitted too quickly" }])).await, ReplyError::Retry { .. }));
    let undefined = json!([{ "message": "Field 'x' doesn't exist", "extensions": { "code": "undefinedField" } }]);
    assert!(matches!(refused(undefined).await, ReplyError::Refused(_)));
    // It may have been written all the same.
    assert!(matches!(refused(json!([{ "message": "Something went wrong" }])).await, ReplyError::Unknown(_)));
}

#[tokio::test]
async fn an_enterprise_servers_graphql_api_is_beside_its_rest_api() {
    let server = StandIn::start().await;
    server.on("POST /api/graphql", 200, added("DC_9"));
    let github = token(&format!("{}/api/v3", server.base));
    let context = in_thread(at(&[("kind", "discussion"), ("node", "D_1")], "42:d7"));
    assert_eq!(github.perform(&context, &start("Hello")).await.unwrap().id, "DC_9");
}

/// What was normalised is what is answered: the way from a delivery to the call, for each kind of place.
#[test]
fn each_place_of_an_event_has_its_call() {
    let place = |name: &str, body: &[u8]| {
        let Event { thread, .. } = event(&app(), name, body);
        thread.location["kind"].clone()
    };
    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../fixtures/", $name, ".json")).as_slice()
        };
    }
    assert_eq!(place("pull_request_review_comment", fixture!("pull_request_review_comment.created")), "review");
    assert_eq!(place("pull_request_review", fixture!("pull_request_review.submitted")), "pull");
    assert_eq!(place("discussion_comment", fixture!("discussion_comment.created")), "discussion");
    assert_eq!(place("issues", fixture!("issues.opened")), "issue");
}
