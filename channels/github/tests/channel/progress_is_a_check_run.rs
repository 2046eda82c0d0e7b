//! A turn in a pull request shows as a check run of its newest commit: one, whatever happens, and only where an app may.

use reveille_channel::{Channel, Progress, ReplyContext, ReplyError};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::support::{app_auth, connection, context, token};

const PULL: &str = "GET /repos/acme/app/pulls/7";
const MINT: &str = "POST /app/installations/957387/access_tokens";
const CREATE: &str = "POST /repos/acme/app/check-runs";
const CHANGE: &str = "PATCH /repos/acme/app/check-runs/30";

fn in_pull(installation: &str) -> ReplyContext {
    let mut context = context(installation);
    context.thread.location.insert("kind".into(), "pull".into());
    context.message = None;
    context
}

fn list() -> String {
    format!("GET /repos/acme/app/commits/{}/check-runs", "a".repeat(40))
}

fn check(external_id: &str) -> Value {
    json!({ "id": 30, "name": "reveille", "head_sha": "a".repeat(40), "external_id": external_id, "status": "in_progress" })
}

async fn server(there: Value) -> StandIn {
    let server = StandIn::start().await;
    server
        .mints("957387")
        .on(
            PULL,
            200,
            json!({ "number": 7, "title": "t", "head": { "ref": "b", "sha": "a".repeat(40), "repo": null } }),
        )
        .on(&list(), 200, json!({ "total_count": 1, "check_runs": there }))
        .on(CREATE, 201, check("x"))
        .on(CHANGE, 200, check("x"));
    server
}

#[tokio::test]
async fn it_begins_and_ends_with_the_turn() {
    for (end, conclusion) in [(Progress::Done, "neutral"), (Progress::Failed, "failure")] {
        let server = server(json!([])).await;
        let (github, context) = (connection(app_auth(), &server.base), in_pull("957387"));
        github.sign(&context, Progress::Began).await.unwrap();
        let made = server.last(CREATE).body;
        assert_eq!((&made["status"], &made["head_sha"]), (&json!("in_progress"), &json!("a".repeat(40))));
        assert_eq!(made["external_id"], json!(format!("reveille:7:{}", context.marker)));
        assert!(made["output"]["summary"].as_str().unwrap().starts_with("Asked for by `octocat`."), "{made}");
        github.sign(&context, end).await.unwrap();
        assert_eq!(server.last(CHANGE).body["conclusion"], json!(conclusion));
        assert_eq!(server.count(CREATE), 1);
    }
}

#[tokio::test]
async fn after_a_crash_it_is_found_again_and_an_end_that_comes_first_waits_for_nothing() {
    let context = in_pull("957387");
    let there = server(json!([check("reveille:7:other"), check(&format!("reveille:7:{}", context.marker))])).await;
    connection(app_auth(), &there.base).sign(&context, Progress::Done).await.unwrap();
    assert_eq!((there.count(CREATE), there.count(CHANGE)), (0, 1));

    let server = server(json!([])).await;
    let github = connection(app_auth(), &server.base);
    let (end, begin) = tokio::join!(github.sign(&context, Progress::Done), github.sign(&context, Progress::Began));
    assert_eq!((end, begin), (Ok(()), Ok(())));
    assert_eq!((server.count(CREATE), server.count(CHANGE)), (1, 1));
}

#[tokio::test]
async fn without_the_permission_there_is_none_and_it_is_not_asked_for_again() {
    let server = StandIn::start().await;
    server.on(MINT, 422, json!({ "message": "The permissions requested are not granted to this installation." })).on(
        PULL,
        200,
        json!({ "number": 7 }),
    );
    let github = connection(app_auth(), &server.base);
    let refused = github.sign(&in_pull("957387"), Progress::Began).await.unwrap_err();
    assert!(matches!(refused, ReplyError::Credentials(_)), "{refused}");
    let asked = server.seen().len();
    github.sign(&in_pull("957387"), Progress::Done).await.unwrap();
    assert_eq!(server.seen().len(), asked);

    // Nor with a token, nor on an issue.
    let server = StandIn::start().await;
    token(&server.base).sign(&in_pull("token"), Progress::Began).await.unwrap();
    let mut issue = context("957387");
    issue.message = None;
    connection(app_auth(), &server.base).sign(&issue, Progress::Began).await.unwrap();
    assert_eq!(server.seen().len(), 0);
}
