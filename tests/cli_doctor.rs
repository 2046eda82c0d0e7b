//! `reveille doctor` beside a platform that answers.

#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// A server with GitHub's `GET /user`, whose clock stands where it is told.
async fn platform(good: bool, date: &'static str) -> String {
    let user = move |headers: HeaderMap| async move {
        let is_ours =
            headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().ends_with(TOKEN.as_bytes()));
        if !good || !is_ours {
            return (StatusCode::UNAUTHORIZED, r#"{"message":"Bad credentials"}"#).into_response();
        }
        let body = r#"{"login":"octobot","id":7,"type":"User"}"#;
        ([("content-type", "application/json"), ("x-oauth-scopes", "repo")], body).into_response()
    };
    let root = move || async move {
        let mut response = Response::new(axum::body::Body::empty());
        if !date.is_empty() {
            response.headers_mut().insert(header::DATE, date.parse().unwrap());
        }
        response
    };
    let app = Router::new().route("/user", get(user)).route("/", get(root));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

async fn doctor(folder: &Path, base_url: &str) -> (Output, serde_json::Value) {
    let text = format!(
        "[channels.github]\nwebhook_secret = \"env:SECRET\"\ntoken = \"env:TOKEN\"\napi_base_url = \"{base_url}\"\n"
    );
    fs::write(folder.join("reveille.toml"), text).unwrap();
    fs::create_dir(folder.join("agents")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(["doctor", "--json"]).current_dir(folder).env_clear();
    command.env("SECRET", "0123456789abcdef-0123456789abcdef").env("TOKEN", TOKEN).env("REVEILLE_LOG", "trace");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output, report)
}

fn check<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[tokio::test]
async fn a_platform_that_knows_us_is_green() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = doctor(folder.path(), &platform(true, "").await).await;
    assert_eq!(check(&report, "channels.github")["state"], "ok", "{report:#}");
    assert!(check(&report, "channels.github")["found"].as_str().unwrap().contains("octobot"));
    assert_eq!(check(&report, "clock")["state"], "ok");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
}

#[tokio::test]
async fn a_refused_token_is_red_with_a_fix_and_is_said_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (output, report) = doctor(folder.path(), &platform(false, "Mon, 01 Jan 2024 00:00:00 GMT").await).await;
    let github = check(&report, "channels.github");
    assert_eq!(github["state"], "fail", "{report:#}");
    assert!(github["fix"].as_str().unwrap().contains("token"));
    assert_eq!(check(&report, "clock")["state"], "fail");
    assert_eq!((report["ok"].as_bool(), output.status.code()), (Some(false), Some(1)));
    for text in [output.stdout, output.stderr] {
        assert!(!String::from_utf8(text).unwrap().contains("ghp_0123"));
    }
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_red() {
    let folder = tempfile::tempdir().unwrap();
    let (_, report) = doctor(folder.path(), "http://127.0.0.1:9").await;
    let github = check(&report, "channels.github");
    assert_eq!(github["state"], "fail", "{report:#}");
    assert!(github["fix"].as_str().unwrap().contains("127.0.0.1"));
}
