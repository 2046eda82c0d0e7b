//! A reply is one comment that grows by edits and is found again.

use futures::FutureExt;
use reveille_channel::{Channel, Mode, Op, ReplyError};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::stand_in::StandIn;
use crate::support::{COMMENTS, comment, context, start, thread, token};

const POST: &str = "POST /repos/acme/app/issues/7/comments";
const LIST: &str = "GET /repos/acme/app/issues/7/comments";
const PATCH: &str = "PATCH /repos/acme/app/issues/comments/500";

#[tokio::test]
async fn a_reply_is_one_comment_that_is_edited() {
    let server = StandIn::start().await;
    server.on(POST, 201, comment(500, 9, "bot", "")).on(PATCH, 200, comment(500, 9, "bot", ""));
    let github = token(&server.base);
    let context = context("token");
    let receipt = github.perform(&context, &start("Hello @octocat")).await.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.mode), ("500", Mode::Edit));
    let posted = server.last(POST);
    let marker = context.marker.as_str();
    assert_eq!(posted.body, json!({ "body": format!("Hello @\u{200b}octocat\n\n<!-- reveille:{marker} -->") }));
    assert_eq!(posted.authorization, "Bearer ghp_test");
    assert_eq!(posted.headers["x-github-api-version"], "2022-11-28");

    let edit = Op::Edit { id: receipt.id, text: "```\nopen".to_owned(), complete: false };
    github.perform(&context, &edit).await.unwrap();
    // The marker never lands inside the code.
    assert_eq!(server.last(PATCH).body, json!({ "body": format!("```\nopen\n```\n\n<!-- reveille:{marker} -->") }));
    for op in [
        Op::Append { id: "500".into(), text: String::new() },
        Op::Finish { id: "500".into(), text: String::new(), last: false },
        Op::Edit { id: "../1".into(), text: String::new(), complete: true },
    ] {
        assert!(matches!(github.perform(&context, &op).await, Err(ReplyError::Refused(_))), "{op:?}");
    }
    assert!(github.perform(&context, &Op::Status { text: Some("thinking".into()) }).await.is_ok());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn our_comment_is_found_by_its_marker_and_nobody_elses() {
    let server = StandIn::start().await;
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot", "type": "User" }));
    let context = context("token");
    let ours = format!("Hello\n\n<!-- reveille:{} -->", context.marker);
    let other = format!("{ours} and more");
    let forged = comment(501, 1, "mallory", &ours);
    server.on(LIST, 200, json!([forged, comment(502, 9, "bot", &other), comment(503, 9, "bot", "Hello")]));
    let github = token(&server.base);
    assert_eq!(github.find(&context).await, Ok(None));
    let asked = server.last(LIST);
    assert_eq!(asked.query, "per_page=100&page=1&since=2019-05-15T15:19:21Z");

    // A full page is followed by another.
    let server = StandIn::start().await;
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot", "type": "User" }));
    let many: Vec<_> = (0..100).map(|id| comment(id, 1, "octocat", "x")).collect();
    server.on(LIST, 200, json!(many)).on(LIST, 200, json!([comment(504, 9, "bot", &ours)]));
    let found = token(&server.base).find(&context).await.unwrap().unwrap();
    assert_eq!(found.id, "504");
    assert_eq!(server.count(LIST), 2);
}

#[tokio::test]
async fn lists_are_followed_where_the_server_says_they_go_on() {
    let context = context("token");
    let ours = comment(504, 9, "bot", &format!("Hello\n\n<!-- reveille:{} -->", context.marker));
    // Below our address; by another name of the same server, as behind a proxy; with a cursor that is no number.
    for behind in ["", "https://api.github.example"] {
        let server = StandIn::start().await;
        server.on("GET /user", 200, json!({ "id": 9, "login": "bot", "type": "User" }));
        let next = format!(
            "<{}{COMMENTS}?page=x>; rel=\"prev\", <{}{COMMENTS}?after=Y3Vyc29y&per_page=2>; rel=\"next\"",
            server.base,
            if behind.is_empty() { &server.base } else { behind }
        );
        server.on_with(LIST, 200, &[("link", &next)], json!([comment(1, 1, "octocat", "x")]));
        server.on(LIST, 200, json!([ours]));
        let found = token(&server.base).find(&context).await.unwrap().unwrap();
        assert_eq!(found.id, "504");
        assert_eq!(server.last(LIST).query, "after=Y3Vyc29y&per_page=2");
    }
    // Another place is not gone to with our credential.
    let server = StandIn::start().await;
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot", "type": "User" }));
    let elsewhere = "<https://evil.example/steal?page=2>; rel=\"next\"";
    server.on_with(LIST, 200, &[("link", elsewhere)], json!([comment(1, 1, "octocat", "x")]));
    assert_eq!(token(&server.base).find(&context).await, Ok(None));
    assert_eq!(server.count(LIST), 1);
}

#[tokio::test]
async fn not_found_is_said_only_when_it_is_certain() {
    let context = context("token");
    // Who we are is not known, so nobody's comment can be called ours.
    let server = StandIn::start().await;
    server.on("GET /user", 500, json!({})).on(LIST, 200, json!([]));
    assert!(matches!(token(&server.base).find(&context).await, Err(ReplyError::Retry { .. })));
    assert_eq!(server.count(LIST), 0);

    let server = StandIn::start().await;
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot" })).on(LIST, 502, json!({}));
    assert!(matches!(token(&server.base).find(&context).await, Err(ReplyError::Retry { .. })));
}

#[tokio::test]
async fn each_refusal_says_what_to_do_next() {
    let soon = (jiff::Timestamp::now().as_second() + 90).to_string();
    let limited = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", soon.as_str())];
    type Headers<'h> = &'h [(&'static str, &'h str)];
    let cases: [(u16, Headers<'_>, &str, &str, &str); 18] = [
        (401, &[], "Bad credentials", "credentials", "credentials"),
        (403, &[], "Resource not accessible by integration", "credentials", "credentials"),
        (403, &[("retry-after", "7")], "wait", "retry 7000", "retry 7000"),
        (403, &limited, "API rate limit exceeded", "retry 90000", "retry 90000"),
        (403, &[], "You have exceeded a secondary rate limit", "retry 60000", "retry 60000"),
        (403, &[], "Unable to create comment because issue is locked.", "gone", "gone"),
        (429, &[("retry-after", "0")], "", "retry 1000", "retry 1000"),
        (429, &[], "", "retry 60000", "retry 60000"),
        (404, &[], "Not Found", "gone", "gone"),
        (410, &[], "Issues are disabled for this repo", "gone", "gone"),
        (423, &[], "Repository is locked for migration", "gone", "gone"),
        (422, &[], "Validation Failed", "refused", "refused"),
        (422, &[], "Validation Failed: was submitted too quickly", "retry 60000", "retry 60000"),
        (403, &[("x-ratelimit-remaining", "0")], "API rate limit exceeded", "retry 60000", "retry 60000"),
        (301, &[("location", "https://elsewhere.example/repositories/42/x")], "Moved Permanently", "gone", "gone"),
        (500, &[], "", "unknown", "retry 3000"),
        (502, &[], "", "unknown", "retry 3000"),
        (503, &[("retry-after", "5")], "", "unknown", "retry 5000"),
    ];
    for (status, headers, message, on_post, on_patch) in cases {
        let server = StandIn::start().await;
        let body = json!({ "message": message });
        server.on_with(POST, status, headers, body.clone()).on_with(PATCH, status, headers, body);
        let github = token(&server.base);
        let post = github.perform(&context("token"), &start("x")).await.unwrap_err();
        let edit = Op::Edit { id: "500".into(), text: "x".into(), complete: true };
        let patch = github.perform(&context("token"), &edit).await.unwrap_err();
        for (expected, error) in [(on_post, post), (on_patch, patch)] {
            assert_eq!(expected, in_short(&error), "{status} {headers:?} {message}: {error}");
        }
        assert_eq!(server.seen().len(), 2, "nothing is repeated: {status}");
    }
}

/// The error's kind and, to within a second or two for the running clock, its wait.
fn in_short(error: &ReplyError) -> String {
    match error {
        ReplyError::Retry { after_ms, .. } if (88_000..=91_000).contains(after_ms) => "retry 90000".to_owned(),
        ReplyError::Retry { after_ms, .. } => format!("retry {after_ms}"),
        ReplyError::Unknown(_) => "unknown".to_owned(),
        ReplyError::Credentials(_) => "credentials".to_owned(),
        ReplyError::StreamClosed(_) => "closed".to_owned(),
        ReplyError::Stopped(_) => "stopped".to_owned(),
        ReplyError::Gone(_) => "gone".to_owned(),
        ReplyError::Refused(_) => "refused".to_owned(),
    }
}

/// A server that takes requests and hangs up.
async fn hangs_up() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
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
    let edit = Op::Edit { id: "500".into(), text: "x".into(), complete: true };
    let (base, task) = hangs_up().await;
    let github = token(&base);
    assert_eq!(in_short(&github.perform(&context("token"), &start("x")).await.unwrap_err()), "unknown");
    assert_eq!(in_short(&github.perform(&context("token"), &edit).await.unwrap_err()), "retry 1000");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());

    let github = token(&base);
    let refused = github.perform(&context("token"), &start("x")).await.unwrap_err();
    assert_eq!(in_short(&refused), "retry 2000", "{refused}");
    // The HTTPS client needs nothing that the process set up before.
    let github = token(&base.replace("http:", "https:"));
    let refused = github.perform(&context("token"), &start("x")).await.unwrap_err();
    assert_eq!(in_short(&refused), "retry 2000", "{refused}");
}

#[tokio::test]
async fn comments_queue_by_installation_and_a_long_queue_is_told_to_come_back() {
    let server = StandIn::start().await;
    server.on(POST, 201, comment(500, 9, "bot", ""));
    let github = token(&server.base);
    github.perform(&context("token"), &start("x")).await.unwrap();
    // Each that is polled once has its place, and waits for it.
    let (place, op) = (context("token"), start("y"));
    let refused = (0..20).find_map(|_| github.perform(&place, &op).now_or_never()).unwrap().unwrap_err();
    assert!(matches!(refused, ReplyError::Retry { after_ms: 8_001..=9_001, .. }), "{refused}");
    github.perform(&context("77"), &start("z")).await.unwrap();
    assert_eq!(server.count(POST), 2, "of those that waited none was sent");
}

#[tokio::test]
async fn reactions_have_githubs_names() {
    let server = StandIn::start().await;
    server.on("POST /repos/acme/app/issues/comments/100/reactions", 200, json!({ "id": 1, "content": "eyes" }));
    server.on("POST /repos/acme/app/issues/7/reactions", 201, json!({ "id": 2, "content": "rocket" }));
    let github = token(&server.base);
    github.react(&thread("token"), "100", "eyes").await.unwrap();
    assert_eq!(server.seen()[0].body, json!({ "content": "eyes" }));
    let other = token(&server.base);
    other.react(&thread("token"), "issue", "tada").await.unwrap();
    assert_eq!(server.seen()[1].body, json!({ "content": "hooray" }));
    assert!(matches!(other.react(&thread("token"), "100", "taco").await, Err(ReplyError::Refused(_))));
    assert!(matches!(other.react(&thread("token"), "100/../..", "eyes").await, Err(ReplyError::Refused(_))));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn the_thread_is_the_issue_and_its_last_comments() {
    let server = StandIn::start().await;
    let issue = json!({
        "number": 7, "title": "Title", "body": "Body", "comments": 102, "user": { "id": 1, "login": "octocat" },
        "created_at": "2019-05-15T15:20:18Z",
    });
    server.on("GET /repos/acme/app/issues/7", 200, issue);
    let marked = format!("Second\n\n<!-- reveille:{} -->", context("token").marker);
    server.on(&format!("GET {COMMENTS}"), 200, json!([comment(101, 2, "a", "First"), comment(102, 9, "bot", &marked)]));
    let many: Vec<_> = (1..=100).map(|id| comment(id, 2, "a", &id.to_string())).collect();
    server.on(&format!("GET {COMMENTS}"), 200, json!(many));
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot" }));
    let github = token(&server.base);
    github.identify().await.unwrap();
    let messages = github.context(&thread("token"), 5).await.unwrap();
    let told: Vec<_> =
        messages.iter().map(|it| (it.id.as_str(), it.author.as_str(), it.is_own, it.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("issue", "octocat", false, "Title\n\nBody"),
            ("99", "a", false, "99"),
            ("100", "a", false, "100"),
            ("101", "a", false, "First"),
            ("102", "bot", true, "Second"),
        ]
    );
    assert_eq!(github.context(&thread("token"), 0).await, Ok(vec![]));
}
