//! What strangers, proxies and broken senders get, and that none of it leaves a trace.

use std::io::{Read, Write};
use std::net::TcpStream;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::{PATIENCE, SIGNING_SECRET, Stage, WEBHOOK_SECRET};

const SCRIPT: &str = "rules:\n  - stream: [\"Yes.\"]\n";

fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    hex::encode(mac.finalize().into_bytes())
}

fn slack_headers(body: &str, shift_s: i64) -> Vec<(&'static str, String)> {
    let now =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let timestamp = (now + shift_s).to_string();
    let code = hmac(SIGNING_SECRET, &[b"v0:", timestamp.as_bytes(), b":", body.as_bytes()]);
    vec![
        ("content-type", "application/json".into()),
        ("x-slack-request-timestamp", timestamp),
        ("x-slack-signature", format!("v0={code}")),
    ]
}

/// Sends a request as bytes, so that nothing mends it on the way; the whole answer.
fn raw(stage: &Stage, path: &str, headers: &[(&str, String)], body: &[u8]) -> String {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| ["content-length", "transfer-encoding"].contains(name)) {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(stage.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    // The answer may come, and the connection end, before the body was read.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

const EVENTS: &str = "/channels/slack/events";
const WEBHOOK: &str = "/channels/github/webhook";

#[tokio::test]
async fn what_is_not_signed_is_unauthorised_with_an_empty_body_and_no_record() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let body = r#"{"type":"url_verification","challenge":"c"}"#;
    let good = slack_headers(body, 0);
    let mut doubled = good.clone();
    doubled.push(good[2].clone());
    let mut wrong = good.clone();
    wrong[2].1 = wrong[2].1.replace(|c: char| c.is_ascii_digit(), "0");
    let mut upper = good.clone();
    upper[2].1 = upper[2].1.to_uppercase();
    for (name, headers, body) in [
        ("missing", vec![good[0].clone()], body),
        ("no time", vec![good[0].clone(), good[2].clone()], body),
        ("doubled", doubled, body),
        ("wrong", wrong, body),
        ("upper case", upper, body),
        ("stale", slack_headers(body, -301), body),
        ("of the future", slack_headers(body, 320), body),
        ("another body", good.clone(), "{}"),
    ] {
        let answer = raw(&stage, EVENTS, &headers, body.as_bytes());
        assert_eq!((status(&answer), body_of(&answer)), ("401", ""), "{name}: {answer}");
    }
    let json = ("content-type", "application/json".to_owned());
    for signature in
        ["", "sha256=", "sha1=00", &format!("sha256={}", "0".repeat(63)), &format!("sha256={}", "0".repeat(64))]
    {
        let answer = raw(&stage, WEBHOOK, &[json.clone(), ("x-hub-signature-256", signature.to_owned())], b"{}");
        assert_eq!((status(&answer), body_of(&answer)), ("401", ""), "{signature}");
    }
    let answer = raw(&stage, EVENTS, &good, body.as_bytes());
    assert_eq!((status(&answer), body_of(&answer)), ("200", "c"), "{answer}");
    assert_eq!(gateway.terminate(), Some(0));
    assert!(stage.records("event").is_empty());
    let log = stage.log();
    for secret in [SIGNING_SECRET, WEBHOOK_SECRET, "xoxb-simulated", "ghp_simulated"] {
        assert!(!log.contains(secret), "a credential is in the log");
    }
}

#[tokio::test]
async fn malformed_oversized_and_odd_requests_are_answered_and_never_with_an_error_of_ours() {
    let stage = Stage::new(SCRIPT).await;
    let gateway = stage.serve("");
    let json = ("content-type", "application/json".to_owned());
    let signed = |body: &str| {
        vec![json.clone(), ("x-hub-signature-256", format!("sha256={}", hmac(WEBHOOK_SECRET, &[body.as_bytes()])))]
    };
    let with = |name: &'static str, value: &str| vec![json.clone(), (name, value.to_owned())];
    let many: Vec<(&str, String)> = (0..90).map(|_| ("x-a", "b".to_owned())).chain([json.clone()]).collect();
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    for (name, expected, path, headers, body) in [
        ("no such connection", "404", "/channels/nobody/events", vec![json.clone()], ""),
        ("no such endpoint", "404", "/channels/slack/webhook", vec![json.clone()], ""),
        ("not JSON", "415", EVENTS, vec![("content-type", "text/plain".to_owned())], "{}"),
        ("no type", "415", EVENTS, vec![], "{}"),
        ("compressed", "415", EVENTS, with("content-encoding", "gzip"), "{}"),
        ("far too long", "413", EVENTS, with("content-length", "10000000000"), ""),
        ("too long", "413", EVENTS, with("content-length", "1048577"), ""),
        (
            "length and chunks: the length is forgotten (RFC 9112, section 6.3)",
            "401",
            EVENTS,
            vec![json.clone(), ("content-length", "5".to_owned()), ("transfer-encoding", "chunked".to_owned())],
            "0\r\n\r\n",
        ),
        (
            "two lengths",
            "400",
            EVENTS,
            vec![json.clone(), ("content-length", "2".to_owned()), ("content-length", "3".to_owned())],
            "{}",
        ),
        ("many headers", "431", EVENTS, many, "{}"),
        ("long header", "431", EVENTS, with("x-a", &"b".repeat(20_000)), "{}"),
        ("signed nonsense", "400", WEBHOOK, signed("nonsense"), "nonsense"),
        ("signed depth", "400", WEBHOOK, signed(&deep), &deep),
        ("signed, of no known shape", "400", WEBHOOK, signed("{}"), "{}"),
    ] {
        let answer = raw(&stage, path, &headers, body.as_bytes());
        assert_eq!(status(&answer), expected, "{name}: {answer:.200}");
    }
    let health = reqwest::get(format!("http://{}/healthz", stage.address())).await.unwrap();
    assert_eq!(health.status(), 200);
    let ready = reqwest::get(format!("http://{}/readyz", stage.address())).await.unwrap();
    assert_eq!(ready.status(), 200);
    let figures = reqwest::get(format!("http://{}/metrics", stage.address())).await.unwrap().text().await.unwrap();
    assert!(figures.contains("deliveries_total{"), "{figures}");
    assert_eq!(gateway.terminate(), Some(0));
    assert!(stage.records("event").is_empty());
}

#[tokio::test]
async fn what_cannot_be_made_durable_is_not_acknowledged_and_comes_back() {
    let stage = Stage::new(SCRIPT).await;
    let _gateway = stage.serve("journal::commit_error=1*off->2*return");
    let slack = stage.simulator.slack();
    // The first commit (readiness) passes, those of the delivery fail: Slack tries again.
    let ready = reqwest::get(format!("http://{}/readyz", stage.address())).await.unwrap();
    assert_eq!(ready.status(), 200);
    let posted = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    let answered =
        slack.wait_until(PATIENCE, |slack| slack.answers(&posted).first().is_some_and(|one| one.text == "Yes.")).await;
    assert!(answered, "{}", stage.log());
    assert!(slack.deliveries().iter().any(|one| one.tries > 1), "it came back");
    assert_eq!(slack.answers(&posted).len(), 1);
}
