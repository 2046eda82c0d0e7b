//! Credentials go to the API and to nobody else, and into no text.

use crate::stand_in::{StandIn, error};
use crate::support::{APP, ORGANIZATION, SECRET, connection, context, in_session, start, token, viewer};
use reveille_channel::{Channel, ReplyError, Secret};
use reveille_linear::{Auth, Linear, Settings};
use serde_json::{Value, json};

const TOKEN: &str = "/oauth/token";

fn client() -> Auth {
    Auth::Client { client_id: "client-1".into(), client_secret: Secret::new("very-secret"), install: None }
}

fn granted(token: &str, expires_in: i64) -> Value {
    json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in, "scope": "read write" })
}

#[tokio::test]
async fn the_app_gets_one_token_for_itself_and_keeps_it() {
    let server = StandIn::start().await;
    server.on_with(TOKEN, 200, &[], granted("lin_1", 2_591_999)).on("Viewer", viewer());
    let linear = connection(client(), &server.base);
    let (one, other) = tokio::join!(linear.identify(), linear.identify());
    one.unwrap();
    other.unwrap();
    linear.identify().await.unwrap();
    assert_eq!(server.count(TOKEN), 1);
    assert_eq!(server.last("Viewer").authorization, "Bearer lin_1");
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(server.last(TOKEN).form.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(field("grant_type"), Some("client_credentials"));
    assert_eq!(field("actor"), Some("app"));
    assert_eq!(field("client_id"), Some("client-1"));
    assert_eq!(field("client_secret"), Some("very-secret"));
    assert_eq!(field("scope"), Some("read,write,app:assignable,app:mentionable"));
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_when_linear_no_longer_takes_it() {
    let server = StandIn::start().await;
    // It has ended when it comes.
    server.on_with(TOKEN, 200, &[], granted("lin_1", 0)).on_with(TOKEN, 200, &[], granted("lin_2", 86_399));
    server.on_with(TOKEN, 200, &[], granted("lin_3", 86_399)).on("Viewer", viewer()).on("Viewer", viewer());
    let linear = connection(client(), &server.base);
    linear.identify().await.unwrap();
    linear.identify().await.unwrap();
    assert_eq!(server.last("Viewer").authorization, "Bearer lin_2");
    let server_says = error("Authentication required, not authenticated", "AUTHENTICATION_ERROR", "");
    server.on_with("AgentActivityCreate", 401, &[], server_says);
    server.on("AgentActivityCreate", json!({ "agentActivityCreate": { "success": true } }));
    linear.perform(&context(in_session()), &start("x")).await.unwrap();
    assert_eq!(server.last("AgentActivityCreate").authorization, "Bearer lin_3");
    assert_eq!(server.count("AgentActivityCreate"), 2);
}

#[tokio::test]
async fn a_credential_that_is_refused_waits_for_a_person() {
    let server = StandIn::start().await;
    let denied = json!({ "error": "invalid_client", "error_description": "Client authentication failed" });
    server.on_with(TOKEN, 401, &[], denied).on_with(TOKEN, 503, &[], json!({}));
    let linear = connection(client(), &server.base);
    let error_of = async || linear.identify().await.unwrap_err();
    let refused = error_of().await;
    assert!(matches!(&refused, ReplyError::Credentials(said) if said.contains("invalid_client")), "{refused}");
    assert!(matches!(error_of().await, ReplyError::Retry { .. }));
    // A token that was given is not asked for anew, and the call is not repeated.
    let server = StandIn::start().await;
    server.on_with("Viewer", 401, &[], error("Authentication required", "AUTHENTICATION_ERROR", ""));
    assert!(matches!(token(&server.base).identify().await, Err(ReplyError::Credentials(_))));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn who_we_are_is_told_with_what_is_missing() {
    let server = StandIn::start().await;
    let mut bare = viewer();
    bare["viewer"]["isAssignable"] = json!(false);
    server.on("Viewer", bare).on("Viewer", json!({ "viewer": { "id": "u1", "name": "Ann", "app": false } }));
    server.on("Viewer", json!({ "viewer": { "id": "" } }));
    let linear = token(&server.base);
    let identity = linear.identify().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.handle.as_str()), (APP, "assistant"));
    assert_eq!(identity.installation, "Acme");
    let warned = identity.warnings.join("\n");
    assert!(warned.contains("app:assignable") && warned.contains("Agent session events"), "{warned}");
    let person = linear.identify().await.unwrap();
    assert_eq!((person.handle.as_str(), person.installation.as_str()), ("Ann", "a workspace"));
    assert!(person.warnings[0].contains("actor=app"));
    assert!(linear.identify().await.is_err());
    assert_ne!(ORGANIZATION, APP);
}

#[tokio::test]
async fn no_credential_is_in_any_text() {
    let server = StandIn::start().await;
    server.on_with(TOKEN, 200, &[], granted("lin_oauth_granted", 86_399));
    server.on_with("Viewer", 500, &[], json!({ "message": "x" }));
    for auth in [client(), Auth::Token(Secret::new("lin_api_given"))] {
        let settings =
            Settings { webhook_secret: Secret::new(SECRET), auth, api_base_url: server.base.parse().unwrap() };
        let shown = format!("{settings:?}");
        let linear = Linear::new("linear", settings).unwrap();
        let failed = linear.identify().await.unwrap_err();
        let all = format!("{shown} {linear:?} {failed} {failed:?}");
        for secret in [SECRET, "very-secret", "lin_oauth_granted", "lin_api_given"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
    }
}

#[test]
fn settings_that_leave_the_door_open_are_refused() {
    let with = |secret: &str, auth: Auth, base: &str| {
        let settings = Settings { webhook_secret: Secret::new(secret), auth, api_base_url: base.parse().unwrap() };
        Linear::new("linear", settings).err().map(|error| error.key)
    };
    let good = "https://api.linear.app/graphql";
    let given = |token: &str| Auth::Token(Secret::new(token));
    assert_eq!(with(SECRET, given("lin_api_x"), good), None);
    for secret in ["", " ", "short", "changeme-changeme-changeme"] {
        assert_eq!(with(secret, given("lin_api_x"), good), Some("webhook_secret"), "{secret}");
    }
    for token in ["", "a b", "a\nb"] {
        assert_eq!(with(SECRET, given(token), good), Some("access_token"), "{token}");
    }
    let without = Auth::Client { client_id: String::new(), client_secret: Secret::new("x"), install: None };
    assert_eq!(with(SECRET, without, good), Some("client_id"));
    let without = Auth::Client { client_id: "x".into(), client_secret: Secret::new(""), install: None };
    assert_eq!(with(SECRET, without, good), Some("client_secret"));
    for base in ["ftp://a.b/c", "https://u:p@a.b/c", "https://a.b/c?d=e", "https://a.b/c#d"] {
        assert_eq!(with(SECRET, given("x"), base), Some("api_base_url"), "{base}");
    }
}
