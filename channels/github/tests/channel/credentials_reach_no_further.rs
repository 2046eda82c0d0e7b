//! Tokens are narrowed, kept, renewed and never shown; access is GitHub's own word.

use reveille_channel::{Channel, Inbound, ReplyError, Role, Secret};
use reveille_github::{Auth, GitHub, Repository, Settings};
use serde_json::json;

use crate::stand_in::StandIn;
use crate::support::{
    APP_ID, SECRET, app_auth, comment, connection, context, delivery, normalised, person, start, thread, token,
};

const MINT: &str = "POST /app/installations/957387/access_tokens";
const ISSUE: &str = "GET /repos/acme/app/issues/7";
const PERMISSION: &str = "GET /repos/acme/app/collaborators/octocat/permission";

fn issue() -> serde_json::Value {
    json!({ "number": 7, "title": "t", "body": null })
}

#[tokio::test]
async fn an_installation_token_reaches_one_repository_and_is_kept() {
    let server = StandIn::start().await;
    server.mints("957387").on(ISSUE, 200, issue());
    let github = connection(app_auth(), &server.base);
    let (repository, number) = Repository::of(&thread("957387")).unwrap();
    let api = github.api();
    let (first, second) = tokio::join!(api.get_issue(&repository, number), api.get_issue(&repository, number));
    assert!(first.is_ok() && second.is_ok());
    api.get_issue(&repository, number).await.unwrap();
    assert_eq!(server.count(MINT), 1, "many callers at once share one token");
    let mint = server.last(MINT);
    let permissions = json!({ "issues": "write", "metadata": "read" });
    assert_eq!(mint.body, json!({ "repository_ids": [42], "permissions": permissions }));
    // A JSON Web Token: RS256, of our app.
    let jwt = mint.authorization.strip_prefix("Bearer ").unwrap().to_owned();
    assert_eq!(jwt.split('.').count(), 3);
    assert_eq!(server.last(ISSUE).authorization, "Bearer ghs_1");

    // Another repository has another token, and one whose id is not known is named.
    server.on("GET /repos/acme/other/issues/7", 200, issue());
    let other = Repository { id: None, name: "other".into(), ..repository };
    api.get_issue(&other, 7).await.unwrap();
    assert_eq!(server.last(MINT).body, json!({ "repositories": ["other"], "permissions": permissions }));
    assert_eq!(server.seen().last().unwrap().authorization, "Bearer ghs_2");

    // The conversation of a pull request needs a permission of its own; an app without it can read still.
    let server = StandIn::start().await;
    server.on(MINT, 422, json!({ "message": "The permissions requested are not granted to this installation." }));
    server.mints("957387").on(ISSUE, 200, issue());
    let pull = Repository { is_pull: true, name: "app".into(), id: Some(42), ..other };
    connection(app_auth(), &server.base).api().get_issue(&pull, 7).await.unwrap();
    let asked: Vec<_> = server.seen().into_iter().map(|seen| seen.body["permissions"].clone()).collect();
    let more = json!({ "issues": "write", "metadata": "read", "pull_requests": "write" });
    assert_eq!(asked, [more, permissions, json!(null)]);
}

#[tokio::test]
async fn a_token_that_is_no_longer_taken_is_renewed_once() {
    let server = StandIn::start().await;
    server.mints("957387").on(ISSUE, 401, json!({ "message": "Bad credentials" })).on(ISSUE, 200, issue());
    let github = connection(app_auth(), &server.base);
    let (repository, number) = Repository::of(&thread("957387")).unwrap();
    github.api().get_issue(&repository, number).await.unwrap();
    assert_eq!(server.last(ISSUE).authorization, "Bearer ghs_2");

    let server = StandIn::start().await;
    server.mints("957387").on(ISSUE, 401, json!({ "message": "Bad credentials" }));
    let github = connection(app_auth(), &server.base);
    let refused = github.api().get_issue(&repository, number).await;
    assert!(matches!(refused, Err(ReplyError::Credentials(_))));
    assert_eq!((server.count(MINT), server.count(ISSUE)), (2, 2));
}

#[tokio::test]
async fn an_app_that_is_not_installed_is_a_matter_for_a_person() {
    for status in [401, 403, 404, 422] {
        let server = StandIn::start().await;
        server.on(MINT, status, json!({ "message": "no" }));
        let error = connection(app_auth(), &server.base).perform(&context("957387"), &start("x")).await.unwrap_err();
        assert!(matches!(error, ReplyError::Credentials(_)), "{status}: {error}");
    }
    // A token that could not be had has sent nothing.
    let server = StandIn::start().await;
    server.on(MINT, 502, json!({}));
    let error = connection(app_auth(), &server.base).perform(&context("957387"), &start("x")).await.unwrap_err();
    assert!(matches!(error, ReplyError::Retry { .. }), "{error}");
}

#[tokio::test]
async fn a_repositorys_own_webhook_names_no_installation_so_it_is_looked_up() {
    let server = StandIn::start().await;
    server.mints("957387").on("GET /repos/acme/app/installation", 200, json!({ "id": 957_387 })).on(
        ISSUE,
        200,
        issue(),
    );
    let github = connection(app_auth(), &server.base);
    let (repository, number) = Repository::of(&thread("token")).unwrap();
    github.api().get_issue(&repository, number).await.unwrap();
    assert_eq!(server.count(MINT), 1);
}

#[tokio::test]
async fn github_enterprise_has_its_api_below_a_path() {
    let server = StandIn::start().await;
    server.on("GET /api/v3/repos/acme/app/issues/7", 200, issue());
    // A repository's owner may be called like the path itself.
    server.on("GET /api/v3/repos/api/v3/issues/7", 200, issue());
    for base in [format!("{}/api/v3", server.base), format!("{}/api/v3/", server.base)] {
        let github = token(&base);
        let (repository, number) = Repository::of(&thread("token")).unwrap();
        github.api().get_issue(&repository, number).await.unwrap();
        let named = Repository { owner: "api".into(), name: "v3".into(), ..repository };
        github.api().get_issue(&named, number).await.unwrap();
    }
}

#[tokio::test]
async fn a_renamed_repository_is_followed_and_nothing_else() {
    let server = StandIn::start().await;
    let (repository, number) = Repository::of(&thread("token")).unwrap();
    let moved = format!("{}/repositories/42/issues/7", server.base);
    server.on_with(ISSUE, 301, &[("location", &moved)], json!({})).on("GET /repositories/42/issues/7", 200, issue());
    token(&server.base).api().get_issue(&repository, number).await.unwrap();

    for elsewhere in ["/repositories/43/issues/1", "/repositories/42/../43/issues/1", "/repos/a/b/issues/1"] {
        let server = StandIn::start().await;
        let moved = format!("{}{elsewhere}", server.base);
        server.on_with(ISSUE, 301, &[("location", &moved)], json!({}));
        let outcome = token(&server.base).api().get_issue(&repository, number).await;
        assert!(matches!(outcome, Err(ReplyError::Gone(_))), "{elsewhere}");
        assert_eq!(server.seen().len(), 1, "{elsewhere}");
    }
}

#[tokio::test]
async fn access_is_what_github_says_of_the_account_with_the_actors_id() {
    let thread = thread("token");
    let user = |id: u64| json!({ "id": id, "login": "octocat", "type": "User" });
    for (status, body, role) in [
        (200, json!({ "permission": "admin", "role_name": "maintain", "user": user(1) }), Some(Role::Admin)),
        (200, json!({ "permission": "write", "role_name": "write", "user": user(1) }), Some(Role::Member)),
        (200, json!({ "permission": "read", "role_name": "triage", "user": user(1) }), Some(Role::Guest)),
        (200, json!({ "permission": "none", "role_name": "", "user": user(1) }), Some(Role::None)),
        // The login belongs to somebody else now.
        (200, json!({ "permission": "admin", "role_name": "admin", "user": user(2) }), Some(Role::None)),
        (200, json!({ "permission": "admin", "role_name": "admin", "user": null }), Some(Role::None)),
        (404, json!({ "message": "Not Found" }), Some(Role::None)),
        (403, json!({ "message": "Resource not accessible" }), None),
        (500, json!({}), None),
        (200, json!("nonsense"), None),
    ] {
        let server = StandIn::start().await;
        server.on(PERMISSION, status, body.clone());
        let github = token(&server.base);
        for _ in 0..2 {
            assert_eq!(github.permission(&person(1, "octocat"), &thread).await.ok(), role, "{status} {body}");
        }
        // An answer counts for a minute, a failure does not.
        assert_eq!(server.count(PERMISSION), if role.is_some() { 1 } else { 2 }, "{status} {body}");
    }
    // A server that does not say of whom it speaks is asked who has the login.
    for (id, role) in [(1, Role::Member), (2, Role::None)] {
        let server = StandIn::start().await;
        server.on(PERMISSION, 200, json!({ "permission": "write" })).on("GET /users/octocat", 200, user(id));
        assert_eq!(token(&server.base).permission(&person(1, "octocat"), &thread).await, Ok(role));
    }
    let server = StandIn::start().await;
    let github = token(&server.base);
    for login in ["../../user", "", "a b", "a?b"] {
        assert_eq!(github.permission(&person(1, login), &thread).await, Ok(Role::None), "{login}");
    }
    assert!(server.seen().is_empty());
    assert_eq!(github.permission(&person(1, "triage[bot]"), &thread).await, Ok(Role::None));
    assert_eq!(server.seen()[0].call, "GET /repos/acme/app/collaborators/triage%5Bbot%5D/permission");
}

fn app_object(id: u64) -> serde_json::Value {
    json!({
        "id": id, "slug": "reveille-test", "owner": { "id": 5, "login": "acme" },
        "permissions": { "issues": "write", "pull_requests": "write", "metadata": "read" }, "events": ["issues", "issue_comment"],
    })
}

#[tokio::test]
async fn an_app_learns_its_account_and_ignores_its_own_acts() {
    let server = StandIn::start().await;
    let account = json!({ "id": 99, "login": "reveille-test[bot]", "type": "Bot" });
    server.on("GET /app", 200, app_object(APP_ID)).on("GET /users/reveille-test%5Bbot%5D", 200, account.clone());
    let github = connection(app_auth(), &server.base);
    let label = json!({
        "action": "labeled", "label": { "name": "bug" }, "issue": { "number": 7 }, "sender": account,
        "repository": { "id": 42, "name": "app", "owner": { "login": "acme" } },
    });
    let label = || delivery("issues", serde_json::to_vec(&label).unwrap(), &[]);
    assert!(matches!(normalised(&github, label()), Ok(Inbound::Events(_))));
    let identity = github.identify().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.handle.as_str()), ("99", "reveille-test"));
    assert_eq!(identity.warnings, Vec::<String>::new());
    assert_eq!(normalised(&github, label()), Ok(Inbound::Ignored { reason: "our own act" }));
    // What others give to that account is work for us.
    let person = json!({ "id": 1, "login": "octocat", "type": "User" });
    for (assignee, is_ours) in [(&account, true), (&person, false)] {
        let assigned = json!({
            "action": "assigned", "assignee": assignee, "issue": { "number": 7 }, "sender": person,
            "repository": { "id": 42, "name": "app", "owner": { "login": "acme" } },
        });
        let Ok(Inbound::Events(events)) =
            normalised(&github, delivery("issues", serde_json::to_vec(&assigned).unwrap(), &[]))
        else {
            panic!("{assignee}")
        };
        assert_eq!(events[0].facts.contains_key("delegated"), is_ours);
    }
    // Only the account's page is asked for without a credential: an app may not ask for it.
    assert_eq!(server.last("GET /users/reveille-test%5Bbot%5D").authorization, "");
}

#[tokio::test]
async fn what_is_wrong_with_a_credential_is_said() {
    let server = StandIn::start().await;
    let mut app = app_object(APP_ID);
    app["permissions"] = json!({ "issues": "read" });
    app["events"] = json!(["issues"]);
    server.on("GET /app", 200, app);
    let identity = connection(app_auth(), &server.base).identify().await.unwrap();
    assert_eq!(identity.id, "app:12345");
    let warnings = identity.warnings.join("\n");
    for what in ["issues: write", "pull_requests: write", "metadata: read", "issue_comment", "reveille-test[bot]"] {
        assert!(warnings.contains(what), "{what}: {warnings}");
    }

    let server = StandIn::start().await;
    server.on("GET /app", 200, app_object(1));
    let error = connection(app_auth(), &server.base).identify().await.unwrap_err();
    assert!(error.to_string().contains("app_id is 12345"), "{error}");

    let server = StandIn::start().await;
    let user = json!({ "id": 9, "login": "bot", "type": "User" });
    server.on_with("GET /user", 200, &[("x-oauth-scopes", "gist, read:org")], user.clone());
    server.on_with("GET /user", 200, &[("x-oauth-scopes", "repo")], user);
    let github = token(&server.base);
    assert_eq!(github.identify().await.unwrap().warnings.len(), 1);
    assert_eq!(github.identify().await.unwrap().warnings.len(), 0);

    let server = StandIn::start().await;
    server.on("GET /user", 403, json!({ "message": "Resource not accessible by integration" }));
    let error = token(&server.base).identify().await.unwrap_err();
    assert!(error.to_string().contains("use an app or a personal token"), "{error}");
}

#[tokio::test]
async fn a_token_whose_user_is_not_known_yet_does_not_answer_itself() {
    let server = StandIn::start().await;
    let marked = format!("Hello @assistant\n\n<!-- reveille:{} -->", context("token").marker);
    let body = |text: &str| {
        let payload = json!({
            "action": "created", "comment": comment(1, 9, "bot", text), "issue": { "number": 7 },
            "sender": { "id": 9, "login": "bot" },
            "repository": { "id": 42, "name": "app", "owner": { "login": "acme" } },
        });
        delivery("issue_comment", serde_json::to_vec(&payload).unwrap(), &[])
    };
    let github = token(&server.base);
    assert!(matches!(normalised(&github, body(&marked)), Ok(Inbound::Ignored { .. })));
    assert!(matches!(normalised(&github, body("Hello")), Ok(Inbound::Events(_))));
    server.on("GET /user", 200, json!({ "id": 9, "login": "bot" }));
    github.identify().await.unwrap();
    assert!(matches!(normalised(&github, body(&marked)), Ok(Inbound::Ignored { .. })));
    // A person may write with the account whose token it is; what we write is marked.
    assert!(matches!(normalised(&github, body("Hello")), Ok(Inbound::Events(_))));
}

#[test]
fn settings_that_leave_the_door_open_are_refused() {
    let key = |secret: &str, auth: Auth, base: &str| {
        let settings = Settings { webhook_secret: Secret::new(secret), auth, api_base_url: base.parse().unwrap() };
        let error = GitHub::new("github", settings).unwrap_err();
        assert!(!error.to_string().contains("ghp_") && !error.to_string().contains("BEGIN"), "{error}");
        error.key
    };
    let (token, base) = (|| Auth::Token(Secret::new("ghp_x")), "https://api.github.com");
    for secret in ["", "   ", "changeme", "changeme-changeme-changeme", "only-15-bytes-x"] {
        assert_eq!(key(secret, token(), base), "webhook_secret", "{secret}");
    }
    for value in ["", "ghp_ x", "ghp_\n"] {
        assert_eq!(key(SECRET, Auth::Token(Secret::new(value)), base), "token", "{value:?}");
    }
    for pem in ["", "ghp_x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"] {
        let auth = Auth::App { app_id: 1, private_key: Secret::new(pem) };
        assert_eq!(key(SECRET, auth, base), "private_key", "{pem}");
    }
    let Auth::App { private_key, .. } = app_auth() else { panic!() };
    assert_eq!(key(SECRET, Auth::App { app_id: 0, private_key }, base), "app_id");
    for base in ["ftp://api.github.com", "https://a:b@api.github.com", "https://api.github.com/?x", "data:x"] {
        assert_eq!(key(SECRET, token(), base), "api_base_url", "{base}");
    }
}

#[tokio::test]
async fn nothing_prints_a_credential() {
    let server = StandIn::start().await;
    server.mints("957387").on(ISSUE, 200, issue());
    let github = connection(app_auth(), &server.base);
    let (repository, number) = Repository::of(&thread("957387")).unwrap();
    github.api().get_issue(&repository, number).await.unwrap();
    let printed = format!("{github:?}{:?}{:?}", github.api(), token(&server.base));
    for secret in ["ghs_1", "ghp_test", "PRIVATE KEY", SECRET] {
        assert!(!printed.contains(secret), "{secret}");
    }
}
