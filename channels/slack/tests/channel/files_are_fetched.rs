//! Files come from Slack's own hosts, with our token, as long as is asked for and no longer.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use reveille_channel::{Attachment, Channel, ReplyError, Secret};
use reveille_slack::{Settings, Slack};

async fn served(path: &str) -> (Slack, Attachment) {
    let with_token = |headers: HeaderMap| async move {
        if headers.get(header::AUTHORIZATION).is_none_or(|given| given != "Bearer xoxb-test") {
            return StatusCode::FORBIDDEN.into_response();
        }
        ([(header::CONTENT_TYPE, "text/plain")], "0123456789").into_response()
    };
    let page = || async { ([(header::CONTENT_TYPE, "text/html")], "<html>") };
    let elsewhere = || async { (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.2:9/x")]) };
    let router = Router::new()
        .route("/files/a", get(with_token))
        .route("/files/page", get(page))
        .route("/files/elsewhere", get(elsewhere));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Settings {
        signing_secret: Some(Secret::new("8f742231b10e8888abcd99yyyzzz85a5")),
        app_token: None,
        bot_token: Some(Secret::new("xoxb-test")),
        client: None,
        api_base_url: format!("{base}/api").parse().unwrap(),
        feedback: false,
    };
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{base}{path}") };
    let file = Attachment { name: "a.txt".into(), media_type: "text/plain".into(), size: 10, url };
    (Slack::new("slack", settings).unwrap(), file)
}

#[tokio::test]
async fn a_file_comes_whole_with_our_token_or_not_at_all() {
    let (slack, file) = served("/files/a").await;
    assert_eq!(slack.fetch(&crate::stand_in::context().thread, &file, 10).await.unwrap(), "0123456789");
    assert!(matches!(slack.fetch(&crate::stand_in::context().thread, &file, 9).await, Err(ReplyError::Refused(_))));
}

#[tokio::test]
async fn a_page_to_sign_in_on_is_no_file_and_no_redirect_is_followed() {
    let (slack, file) = served("/files/page").await;
    let error = slack.fetch(&crate::stand_in::context().thread, &file, 100).await.unwrap_err();
    assert!(matches!(&error, ReplyError::Credentials(said) if said.contains("files:read")), "{error}");
    let (slack, file) = served("/files/elsewhere").await;
    assert!(matches!(slack.fetch(&crate::stand_in::context().thread, &file, 100).await, Err(ReplyError::Refused(_))));
    let (slack, file) = served("/files/none").await;
    assert!(matches!(slack.fetch(&crate::stand_in::context().thread, &file, 100).await, Err(ReplyError::Gone(_))));
}

#[tokio::test]
async fn our_token_goes_to_no_other_host() {
    for url in [
        "http://127.0.0.2:9/files/a",
        "https://files.slack.com.evil.example/a",
        "http://files.slack.com/a",
        "file:///etc/passwd",
        "",
    ] {
        let (slack, mut file) = served("/files/a").await;
        file.url = url.into();
        let error = slack.fetch(&crate::stand_in::context().thread, &file, 100).await.unwrap_err();
        assert_eq!(error, ReplyError::Refused("the file does not lie with Slack".into()), "{url}");
    }
}
