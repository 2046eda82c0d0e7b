//! What did not reach us is asked for again (IN-14).

use reveille_channel::{Channel, ReplyError};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::support::{app_auth, connection, token};

fn delivered(id: u64, guid: &str, status_code: u16, age_hours: i64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(age_hours);
    json!({
        "id": id, "guid": guid, "delivered_at": at.to_string(), "redelivery": false, "duration": 0.27,
        "status": if status_code == 200 { "OK" } else { "Invalid HTTP Response: 503" }, "status_code": status_code,
        "event": "issue_comment", "action": "created", "installation_id": 123, "repository_id": 456,
    })
}

fn again(hook: &str, id: u64) -> String {
    format!("POST {hook}/{id}/attempts")
}

#[tokio::test]
async fn of_an_app() {
    const LIST: &str = "GET /app/hook/deliveries";
    let server = StandIn::start().await;
    let next = format!("<{}/app/hook/deliveries?per_page=100&cursor=v1_12077215967>; rel=\"next\"", server.base);
    server.on_with(LIST, 200, &[("link", &next)], json!([delivered(9, "b", 200, 1), delivered(8, "a", 0, 2)]));
    let last = format!("<{}/app/hook/deliveries?per_page=100&cursor=v1_1>; rel=\"next\"", server.base);
    let old = json!([delivered(7, "b", 503, 3), delivered(6, "c", 502, 71), delivered(5, "d", 503, 73)]);
    server.on_with(LIST, 200, &[("link", &last)], old);
    for id in [8, 6] {
        server.on(&again("/app/hook/deliveries", id), 202, json!({}));
    }
    let github = connection(app_auth(), &server.base);
    assert_eq!(github.catch_up().await, Ok(2));
    let calls: Vec<String> = server.seen().into_iter().map(|seen| seen.call).collect();
    // The oldest first, nothing that arrived later or is older than three days, and no page beyond those.
    assert_eq!(calls, [LIST, LIST, &again("/app/hook/deliveries", 6), &again("/app/hook/deliveries", 8)]);
    assert_eq!(server.last(LIST).query, "per_page=100&cursor=v1_12077215967");
    // As the app itself: no installation's token can do this.
    assert!(server.seen().iter().all(|seen| seen.authorization.matches('.').count() == 2));

    // One that cannot be had is no reason to leave out the others; a limit is.
    let server = StandIn::start().await;
    server.on(LIST, 200, json!([delivered(2, "b", 503, 1), delivered(1, "a", 503, 2)]));
    server.on(&again("/app/hook/deliveries", 1), 404, json!({ "message": "Not Found" }));
    server.on(&again("/app/hook/deliveries", 2), 202, json!({}));
    assert_eq!(connection(app_auth(), &server.base).catch_up().await, Ok(1));
    let server = StandIn::start().await;
    server.on_with(LIST, 403, &[("retry-after", "9")], json!({}));
    assert!(matches!(connection(app_auth(), &server.base).catch_up().await, Err(ReplyError::Retry { .. })));
}

#[tokio::test]
async fn of_the_repositories_that_a_token_may_administer() {
    let server = StandIn::start().await;
    let repository = |name: &str, admin: bool| json!({ "id": 1, "name": name, "owner": { "login": "acme" }, "permissions": { "admin": admin, "pull": true } });
    server.on(
        "GET /user/repos",
        200,
        json!([repository("app", true), repository("other", true), repository("theirs", false)]),
    );
    let hook =
        |id: u64, url: &str| json!({ "id": id, "active": true, "config": { "url": url, "content_type": "json" } });
    server.on(
        "GET /repos/acme/app/hooks",
        200,
        json!([hook(3, "https://ci.example/hook"), hook(4, "https://bot.example.com/channels/github/webhook")]),
    );
    server.on(
        "GET /repos/acme/other/hooks",
        403,
        json!({ "message": "Resource not accessible by personal access token" }),
    );
    server.on("GET /repos/acme/app/hooks/4/deliveries", 200, json!([delivered(1, "a", 503, 1)]));
    server.on(&again("/repos/acme/app/hooks/4/deliveries", 1), 202, json!({}));
    assert_eq!(token(&server.base).catch_up().await, Ok(1));
    assert_eq!(server.count("GET /repos/acme/theirs/hooks"), 0);

    // A token that has no repositories of its own has nothing to ask.
    let server = StandIn::start().await;
    server.on("GET /user/repos", 403, json!({ "message": "Resource not accessible by integration" }));
    assert_eq!(token(&server.base).catch_up().await, Ok(0));
}
