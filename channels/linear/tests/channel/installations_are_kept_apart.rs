//! Each workspace has its own token and its own user of ours; a token is replaced before it ends and kept before it is used.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reveille_channel::links::{LinkHost, Links};
use reveille_channel::{
    Authorization, Channel, Code, Inbound, InstallError, Installations, Kind, NotKept, ReplyError, Secret, ThreadRef,
};
use reveille_linear::{Auth, Install, Linear};
use serde_json::{Value, json};

use crate::stand_in::{StandIn, error};
use crate::support::{APP, ORGANIZATION, connection, context, delivery, event, in_session, normalised, start, viewer};

const TOKEN: &str = "/oauth/token";
const OTHER: &str = "2d6a4f1e-5d4f-4a3b-9c68-0a1f6f1d1c02";
const OTHER_APP: &str = "7a1c0f52-93a4-4b0e-8a45-3c1c5f0a9d11";

/// Keeps in memory.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<(String, String)>>);

#[async_trait]
impl Installations for Shelf {
    async fn all(&self) -> Result<Vec<(String, Secret)>, NotKept> {
        Ok(self.0.lock().unwrap().iter().map(|(id, data)| (id.clone(), Secret::new(data.clone()))).collect())
    }
    async fn keep(&self, installation: &str, data: &Secret) -> Result<(), NotKept> {
        self.0.lock().unwrap().retain(|(id, _)| id != installation);
        self.0.lock().unwrap().push((installation.to_owned(), data.expose().to_owned()));
        Ok(())
    }
    async fn forget(&self, installation: &str) -> Result<(), NotKept> {
        self.0.lock().unwrap().retain(|(id, _)| id != installation);
        Ok(())
    }
}

fn kept(id: &str, token: &str, user: &str) -> (String, String) {
    let about = json!({"name": id, "user": user, "organization": id, "handles": "assistant", "has_sessions": "true", "installed_at_ms": "1"});
    let data = json!({"access": token, "refresh": format!("refresh-of-{token}"), "given_at_ms": 1, "ends_at_ms": 4_102_444_800_000_i64, "about": about});
    (id.to_owned(), data.to_string())
}

/// An application that is installed in these workspaces, and whose own credentials are refused. What it is given afterwards.
async fn app(
    installed: Vec<(String, String)>,
    workspaces: &[&str],
    granted: Option<Value>,
) -> (Linear, StandIn, Arc<Shelf>) {
    let server = StandIn::start().await;
    server.on_with(TOKEN, 400, &[], json!({"error": "unauthorized_client"}));
    if let Some(granted) = granted {
        server.on_with(TOKEN, 200, &[], granted);
    }
    let install = Install { authorize_url: None, workspaces: workspaces.iter().map(|id| (*id).to_owned()).collect() };
    let auth = Auth::Client {
        client_id: "client-1".into(),
        client_secret: Secret::new("very-secret"),
        install: Some(install),
    };
    let linear = connection(auth, &server.base).with_links(&Links::to([LinkHost::parse("docs.example.com").unwrap()]));
    let shelf = Arc::new(Shelf(Mutex::new(installed)));
    linear.installer().unwrap().restore(shelf.clone()).await.unwrap();
    linear.identify().await.unwrap();
    (linear, server, shelf)
}

fn comment(organization: &str, author: &str, text: &str) -> Vec<u8> {
    json!({
        "type": "Comment", "action": "create", "organizationId": organization, "createdAt": "2024-11-25T02:00:00.000Z",
        "webhookTimestamp": 1_732_500_000_000_i64, "actor": {"id": author, "type": "user", "name": "Ann"},
        "data": {"id": "8b0f3c64-2d5a-4e7f-8a9b-0c1d2e3f4a5b", "body": text, "userId": author,
            "issueId": "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9",
            "issue": {"id": "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9", "identifier": "ENG-42", "title": "x"}},
    })
    .to_string()
    .into_bytes()
}

fn reason(linear: &Linear, body: &[u8]) -> &'static str {
    match normalised(linear, delivery(body.to_vec(), &[])) {
        Ok(Inbound::Ignored { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

fn thread(organization: &str) -> ThreadRef {
    ThreadRef { installation: organization.to_owned(), ..in_session() }
}

fn both() -> Vec<(String, String)> {
    vec![kept(ORGANIZATION, "lin_one", APP), kept(OTHER, "lin_two", OTHER_APP)]
}

#[tokio::test]
async fn a_thread_is_answered_with_the_token_of_its_workspace_and_no_other() {
    let (linear, server, _) = app(both(), &[], None).await;
    let done = || json!({ "agentActivityCreate": { "success": true } });
    server.on("AgentActivityCreate", done());
    for (organization, token) in [(ORGANIZATION, "lin_one"), (OTHER, "lin_two")] {
        linear.perform(&context(thread(organization)), &start("x")).await.unwrap();
        assert_eq!(server.last("AgentActivityCreate").authorization, format!("Bearer {token}"));
    }
    let strange = thread("2d6a4f1e-5d4f-4a3b-9c68-0a1f6f1d1c09");
    let refused = linear.perform(&context(strange), &start("x")).await;
    assert!(matches!(refused, Err(ReplyError::Gone(_))), "{refused:?}");
    assert_eq!(server.count("AgentActivityCreate"), 2);
    // Our user of one workspace is somebody in another.
    assert!(!reason(&linear, &comment(OTHER, OTHER_APP, "mine")).is_empty());
    assert_eq!(event(&linear, &comment(OTHER, APP, "not mine")).actor.id, APP);
    let unknown = comment("2d6a4f1e-5d4f-4a3b-9c68-0a1f6f1d1c09", APP, "hello");
    assert_eq!(reason(&linear, &unknown), "the app is not installed in that workspace");
}

#[tokio::test]
async fn links_lead_where_somebody_chose_in_each_of_them() {
    let (linear, server, _) = app(both(), &[], None).await;
    server.on("AgentActivityCreate", json!({ "agentActivityCreate": { "success": true } }));
    let said = "See https://docs.example.com/a and https://evil.example/b";
    let shown = "See https://docs.example.com/a and `https://evil.example/b`";
    for organization in [ORGANIZATION, OTHER] {
        let thread = thread(organization);
        linear.perform(&context(thread.clone()), &start(said)).await.unwrap();
        assert_eq!(server.last("AgentActivityCreate").variables["input"]["content"]["body"], shown);
        assert_eq!(linear.at(&thread).unwrap().render(said), shown, "what tools write");
    }
}

#[tokio::test]
async fn a_token_that_linear_no_longer_takes_is_replaced_and_kept_before_it_is_used() {
    let fresh = json!({"access_token": "lin_new", "expires_in": 86_399, "refresh_token": "refresh-of-lin_new"});
    let (linear, server, shelf) = app(both(), &[], Some(fresh)).await;
    let gone = error("Authentication required, not authenticated", "AUTHENTICATION_ERROR", "");
    server.on_with("AgentActivityCreate", 401, &[], gone);
    server.on("AgentActivityCreate", json!({ "agentActivityCreate": { "success": true } }));
    linear.perform(&context(thread(OTHER)), &start("x")).await.unwrap();
    assert_eq!(server.last("AgentActivityCreate").authorization, "Bearer lin_new");
    let form = server.last(TOKEN).form;
    assert!(form.contains("grant_type=refresh_token") && form.contains("refresh_token=refresh-of-lin_two"), "{form}");
    let kept = shelf.0.lock().unwrap().iter().find(|(id, _)| id == OTHER).unwrap().1.clone();
    assert!(kept.contains("refresh-of-lin_new"), "{kept}");
}

async fn exchange(linear: &Linear, meant: Option<&str>) -> Result<String, InstallError> {
    let (code, verifier) = (Secret::new("code-1"), Secret::new("verifier-1"));
    let redirect = "https://bot.example.com/channels/linear/oauth/callback".parse().unwrap();
    let code = Code { code: &code, redirect: &redirect, verifier: &verifier, installation: meant };
    linear.installer().unwrap().install(&code).await.map(|installed| installed.installation)
}

#[tokio::test]
async fn an_installation_is_made_with_the_code_its_verifier_and_the_workspaces_own_word() {
    let granted = || json!({"access_token": "lin_new", "expires_in": 86_399, "refresh_token": "r"});
    let (linear, server, shelf) = app(Vec::new(), &[], Some(granted())).await;
    server.on("Viewer", viewer());
    assert_eq!(exchange(&linear, None).await.unwrap(), ORGANIZATION);
    assert_eq!(server.last("Viewer").authorization, "Bearer lin_new");
    let form = server.last(TOKEN).form;
    for part in
        ["grant_type=authorization_code", "code=code-1", "code_verifier=verifier-1", "client_secret=very-secret"]
    {
        assert!(form.contains(part), "{form}");
    }
    assert_eq!(shelf.0.lock().unwrap().len(), 1);
    for (meant, listed) in [(Some(OTHER), vec![]), (None, vec![OTHER])] {
        let (linear, server, shelf) = app(Vec::new(), &listed, Some(granted())).await;
        server.on("Viewer", viewer());
        let refused = exchange(&linear, meant).await;
        assert!(matches!(refused, Err(InstallError::NotWanted(_))), "{refused:?}");
        assert!(shelf.0.lock().unwrap().is_empty());
    }
    let (linear, _server, _) = app(Vec::new(), &[], None).await;
    assert!(matches!(exchange(&linear, None).await, Err(InstallError::Refused(_))));
}

#[tokio::test]
async fn the_end_of_an_installation_removes_its_tokens() {
    let (linear, _, shelf) = app(both(), &[], None).await;
    let body: Value = json!({
        "type": "OAuthApp", "action": "revoked", "organizationId": OTHER, "createdAt": "2024-11-25T02:00:00.000Z",
        "webhookTimestamp": 1_732_500_000_000_i64,
    });
    let revoked = event(&linear, body.to_string().as_bytes());
    assert!(matches!(revoked.kind, Kind::Lifecycle { .. }));
    linear.installer().unwrap().changed(&revoked).await.unwrap();
    assert_eq!(shelf.0.lock().unwrap().len(), 1);
    assert!(matches!(linear.perform(&context(thread(OTHER)), &start("x")).await, Err(ReplyError::Gone(_))));
}

#[tokio::test]
async fn the_page_is_asked_for_an_app_with_its_scopes_and_a_challenge() {
    let (linear, ..) = app(Vec::new(), &[], None).await;
    let redirect = "https://bot.example.com/cb".parse().unwrap();
    let authorization = Authorization { redirect: &redirect, state: "s", challenge: "c", installation: None };
    let url = linear.installer().unwrap().authorize(&authorization);
    let pairs: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("client_id", "client-1"),
        ("response_type", "code"),
        ("actor", "app"),
        ("scope", "read,write,app:assignable,app:mentionable"),
        ("code_challenge", "c"),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ] {
        assert_eq!(pairs.get(name).map(String::as_str), Some(value), "{name}");
    }
}
