//! A question stands in an issue, and whoever runs the gateway answers it: at its terminal, or over its API with the token of
//! its storage.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use futures::future::join_all;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, StatusCode};
use reveille_simulator::Github;
use serde_json::{Value, json};

use crate::support::{PATIENCE, Stage};

const LABELLER: &str = r#"---
description: Labels issues.
wake: [{ github: { mention: true } }]
tools: [github.get_issue, github.add_labels]
approve: [github.add_labels]
---
You label.
"#;

const SCRIPT: &str = r#"
rules:
  - when: { role: user }
    stream: ["I would label it."]
    calls: [{ tool: github.add_labels, arguments: { labels: [question] } }]
  - when: { role: tool, tool: github.add_labels }
    stream: ["It came to this: {last}"]
"#;

async fn stage() -> Stage {
    let stage = Stage::of_app(SCRIPT).await;
    stage.write("agents/labeller/AGENT.md", LABELLER);
    stage
}

/// Alice asks under an issue, and the question that comes of it stands there: its id.
async fn asked_under(stage: &Stage, number: u64) -> String {
    let github = stage.simulator.github();
    github.comment("alice", "acme/app", number, "@labeller please").unwrap();
    let is_asked = |github: &Github| question(github, number).is_some();
    assert!(github.wait_until(PATIENCE, is_asked).await, "{:#?}\n{}", github.answers(number), stage.log());
    question(github, number).unwrap()
}

/// The id in the question under an issue.
fn question(github: &Github, number: u64) -> Option<String> {
    let answers = github.answers(number);
    let asked = answers.iter().find(|one| one.body.contains("May labeller use"))?;
    let id = asked.body.split("/approve approval.").nth(1)?;
    Some(id.chars().take_while(char::is_ascii_hexdigit).collect())
}

fn labellings(github: &Github) -> usize {
    let is_one = |method: &str| method.starts_with("POST ") && method.ends_with("/labels");
    github.calls().iter().filter(|call| is_one(&call.method)).count()
}

async fn has_said(stage: &Stage, number: u64, what: &str) {
    let github = stage.simulator.github();
    let says = |github: &Github| github.answers(number).iter().any(|one| one.body.contains(what));
    assert!(github.wait_until(PATIENCE, says).await, "{:#?}\n{}", github.answers(number), stage.log());
}

fn reveille(stage: &Stage, arguments: &[&str]) -> Output {
    stage.reveille(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", told(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The API of a stage's gateway.
struct Api {
    base: String,
    token: String,
    client: Client,
}

impl Api {
    fn of(stage: &Stage) -> Self {
        let token = std::fs::read_to_string(stage.folder.path().join(".reveille/api.token")).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { base: format!("http://{}/api/v1", stage.address()), token, client }
    }

    /// With the right token.
    async fn send(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let authorization = format!("Bearer {}", self.token);
        let (status, text) = self.send_as(Some(&authorization), method, path, body).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn send_as(
        &self,
        authorization: Option<&str>,
        method: Method,
        path: &str,
        body: &str,
    ) -> (StatusCode, String) {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        let request = match authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

const APPROVE: &str = r#"{"decision":"approve"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_at_the_terminal_does_it_once_and_a_second_one_is_told_so() {
    let stage = stage().await;
    let gateway = stage.serve("");
    let github = stage.simulator.github().clone();
    let before = github.issue(1).unwrap().labels;
    assert!(!before.contains(&"question".to_owned()), "{before:?}");
    let id = asked_under(&stage, 1).await;

    let pending = json_of(&reveille(&stage, &["approvals", "--json"]));
    assert_eq!(pending.as_array().unwrap().len(), 1, "{pending:#}");
    let one = &pending[0];
    assert_eq!(
        (one["id"].as_str(), &one["verdict"], &one["tools"]),
        (Some(id.as_str()), &Value::Null, &json!(["github.add_labels"]))
    );
    let shown = told(&reveille(&stage, &["approvals", "show", &id]));
    assert!(shown.contains("\"question\"") && shown.contains("approvals approve"), "{shown}");

    // Whoever runs it is not there all the time.
    drop(gateway);
    let output = reveille(&stage, &["approvals", "approve", &id]);
    let complaint = told(&output);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("RV0406") && complaint.contains("no gateway listens on"), "{complaint}");
    assert!(complaint.contains("reveille serve"), "{complaint}");
    let _gateway = stage.serve("");
    assert_eq!(labellings(&github), 0);
    assert_eq!(github.issue(1).unwrap().labels, before, "nothing is done before the yes");

    let output = reveille(&stage, &["approvals", "approve", id.split_at(10).0]);
    assert!(output.status.success(), "{}\n{}", told(&output), stage.log());
    assert!(told(&output).contains("Approved, by the operator: github.add_labels"), "{}", told(&output));
    // It says so when it is on record.
    let decided = stage.records("approval_decided");
    assert_eq!(decided[0]["record"]["body"]["verdict"], "approved");
    assert_eq!(decided[0]["record"]["body"]["by"]["id"], "operator");
    has_said(&stage, 1, "It came to this:").await;
    has_said(&stage, 1, "Approved by operator").await;
    assert!(github.issue(1).unwrap().labels.contains(&"question".to_owned()));

    for verb in ["approve", "deny"] {
        let output = reveille(&stage, &["approvals", verb, &id]);
        let complaint = told(&output);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains("RV0207") && complaint.contains("it was approved by operator"), "{complaint}");
    }
    let api = Api::of(&stage);
    let (status, said) = api.send(Method::POST, &format!("/approvals/{id}"), APPROVE).await;
    assert_eq!(
        (status, &said["error"], &said["approval"]["by"]["name"]),
        (StatusCode::CONFLICT, &json!("decided"), &json!("operator"))
    );
    assert!(said["message"].as_str().unwrap().starts_with("it was approved by operator, 20"), "{said}");

    assert_eq!(labellings(&github), 1);
    assert_eq!(json_of(&reveille(&stage, &["approvals", "--json"])), json!([]));
    let all = json_of(&reveille(&stage, &["approvals", "--all", "--json"]));
    assert_eq!((&all[0]["verdict"], &all[0]["by"]["name"]), (&json!("approved"), &json!("operator")));
    // The answer is to alice's message still, and nobody was spoken to at a terminal that is not there.
    assert_eq!(stage.records("turn_started").len(), 1);
    assert_eq!(stage.records("reply_failed").len(), 0);
    let log = stage.log();
    assert!(!log.contains("no longer configured"), "{log}");
    assert!(!log.contains(&api.token), "the token is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_at_the_terminal_is_told_to_the_agent_and_nothing_is_done() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github().clone();
    let before = github.issue(2).unwrap().labels;
    let id = asked_under(&stage, 2).await;
    let said = json_of(&reveille(&stage, &["approvals", "deny", &format!("approval.{id}"), "--json"]));
    assert_eq!((&said["verdict"], &said["by"]["id"]), (&json!("denied"), &json!("operator")));
    has_said(&stage, 2, "were asked and said no").await;
    assert_eq!((labellings(&github), github.issue(2).unwrap().labels), (0, before));
    let output = reveille(&stage, &["approvals", "approve", &id]);
    assert!(told(&output).contains("it was denied by operator"), "{}", told(&output));
    assert_eq!(labellings(&github), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lacks_the_token_learns_nothing_and_moves_nothing() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let id = asked_under(&stage, 1).await;
    let api = Api::of(&stage);
    let file = std::fs::metadata(stage.folder.path().join(".reveille/api.token")).unwrap();
    assert_eq!((file.permissions().mode() & 0o777, api.token.len()), (0o600, 64));

    let one = format!("/approvals/{id}");
    let other = "0".repeat(64);
    let in_the_path = format!("/approvals?token={}", api.token);
    let wrong = [
        None,
        Some(format!("Bearer {other}")),
        Some(format!("Basic {}", api.token)),
        Some(api.token.clone()),
        Some(format!("Bearer {}x", api.token)),
    ];
    for authorization in &wrong {
        for path in [one.as_str(), "/approvals", "/nothing", "/approvals/", &in_the_path] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
                let answer = api.send_as(authorization.as_deref(), method.clone(), path, APPROVE).await;
                assert_eq!(answer, (StatusCode::UNAUTHORIZED, String::new()), "{method} {path} {authorization:?}");
            }
        }
    }
    let pending = json_of(&reveille(&stage, &["approvals", "--json"]));
    assert_eq!(pending[0]["verdict"], Value::Null);

    // A command line of another storage has another token.
    let token_file = stage.folder.path().join(".reveille/api.token");
    stage.write(".reveille/api.token", &other);
    let output = reveille(&stage, &["approvals", "approve", &id]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("does not take the token of"), "{}", told(&output));
    assert!(!told(&output).contains(&other));
    std::fs::remove_file(&token_file).unwrap();
    let output = reveille(&stage, &["approvals", "approve", &id]);
    assert!(told(&output).contains("no gateway has run in"), "{}", told(&output));
    assert_eq!(labellings(stage.simulator.github()), 0);
    assert_eq!(stage.records("approval_decided").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_says_what_waits_and_what_is_wrong_with_an_answer() {
    let stage = stage().await;
    let _gateway = stage.serve("");
    let github = stage.simulator.github().clone();
    let id = asked_under(&stage, 1).await;
    let api = Api::of(&stage);
    let one = format!("/approvals/{id}");

    let (status, said) = api.send(Method::GET, "/approvals", "").await;
    assert_eq!(
        (status, said["approvals"].as_array().unwrap().len(), &said["approvals"][0]["id"]),
        (StatusCode::OK, 1, &json!(id))
    );
    for body in ["", "yes", "{}", r#"{"decision":"perhaps"}"#, r#"{"decision":"approve","for":"ever"}"#, "[]"] {
        let (status, said) = api.send(Method::POST, &one, body).await;
        assert_eq!((status, &said["error"]), (StatusCode::BAD_REQUEST, &json!("malformed")), "{body}: {said}");
    }
    let long = format!("{APPROVE}{}", " ".repeat(1024));
    let nobodys = format!("/approvals/{}", "f".repeat(32));
    for (method, path, body, expected) in [
        (Method::POST, one.as_str(), long.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, &nobodys, APPROVE, StatusCode::NOT_FOUND),
        (Method::POST, "/approvals/%2e%2e", APPROVE, StatusCode::NOT_FOUND),
        (Method::POST, &format!("/approvals/{}", id.split_at(10).0), APPROVE, StatusCode::NOT_FOUND),
        (Method::GET, "/nothing", "", StatusCode::NOT_FOUND),
        (Method::PUT, &one, APPROVE, StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/approvals", "", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (status, said) = api.send(method.clone(), path, body).await;
        assert_eq!(status, expected, "{method} {path}: {said}");
    }
    assert_eq!(stage.records("approval_decided").len(), 0);

    // Many at once are one: all of them hear who decided.
    let answers = join_all((0..20).map(|_| api.send(Method::POST, &one, APPROVE))).await;
    for (status, said) in &answers {
        let by = said.get("by").or_else(|| said["approval"].get("by")).unwrap();
        assert!([StatusCode::OK, StatusCode::CONFLICT].contains(status), "{said}");
        assert_eq!(by["id"], "operator", "{said}");
    }
    assert!(answers.iter().any(|(status, _)| *status == StatusCode::OK));
    has_said(&stage, 1, "It came to this:").await;
    assert_eq!(labellings(&github), 1);
    assert_eq!(stage.records("approval_decided").len(), 1);
    let (status, said) = api.send(Method::GET, "/approvals", "").await;
    assert_eq!((status, said), (StatusCode::OK, json!({ "approvals": [] })));
}
