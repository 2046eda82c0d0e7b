//! Every payload that others recorded and published is an event or is ignored for a reason, and GitHub's own package
//! agrees with us on signatures, both ways.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reveille_channel::Inbound;
use serde_json::{Value, json};

use crate::support::{SECRET, app, delivery, normalised, signature};
use reveille_channel::Channel;

/// The payloads of one server's version, by event.
fn examples(folder: &str) -> Vec<(String, Value)> {
    let file = reveille_oracles::package("@octokit/webhooks-examples").unwrap().join(folder).join("index.json");
    let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let of_event = |event: &Value| {
        let name = event["name"].as_str().unwrap().to_owned();
        event["examples"].as_array().unwrap().iter().map(move |body| (name.clone(), body.clone())).collect::<Vec<_>>()
    };
    all.as_array().unwrap().iter().flat_map(of_event).collect()
}

#[test]
fn of_github_com() {
    let github = app();
    let examples = examples("api.github.com");
    assert!(examples.len() > 300, "{}", examples.len());
    let mut meanings: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (name, body) in examples {
        let meaning = match normalised(&github, delivery(&name, serde_json::to_vec(&body).unwrap(), &[])) {
            Ok(Inbound::Events(events)) => {
                let [event] = events.as_slice() else { panic!("{name}: {events:?}") };
                let kind = serde_json::to_value(&event.kind).unwrap()["type"].as_str().unwrap().to_owned();
                let message = event.message.as_deref().unwrap_or("-").split_once(':').map_or("id", |(what, _)| what);
                assert!(!event.thread.key.contains('/') && !event.actor.id.is_empty(), "{event:?}");
                format!("{kind} in {} on {message}", event.thread.location.get("kind").map_or("-", String::as_str))
            }
            Ok(Inbound::Ignored { reason }) => format!("ignored: {reason}"),
            other => panic!("{name}: {other:?}: {body}"),
        };
        let action = body["action"].as_str().unwrap_or("-");
        *meanings.entry(format!("{name}.{action}")).or_default().entry(meaning).or_default() += 1;
    }
    let mut page = String::new();
    for (name, meanings) in meanings {
        for (meaning, count) in meanings {
            writeln!(page, "{name:<50} {count:>2}  {meaning}").unwrap();
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn of_enterprise_servers() {
    let github = app();
    for version in ["ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"] {
        for (name, body) in examples(version) {
            let meaning = normalised(&github, delivery(&name, serde_json::to_vec(&body).unwrap(), &[]));
            assert!(
                matches!(meaning, Ok(Inbound::Events(_) | Inbound::Ignored { .. })),
                "{version} {name}: {meaning:?}"
            );
        }
    }
}

#[test]
fn signatures_agree_with_githubs_own_package() {
    let bodies = ["Hello, World!", "{}", "{\"a\":\"ä\u{1f600}\\u2028\"}", "payload=%7B%22a%22%3A1%7D", " \n\t "];
    let cases: Vec<Value> = bodies
        .iter()
        .map(|body| json!({ "secret": SECRET, "body": body, "signature": signature(body.as_bytes()) }))
        .chain([json!({ "secret": SECRET, "body": "Hello, World!", "signature": signature(b"Hello, World?") })])
        .collect();
    let told = reveille_oracles::run("github-signatures", &serde_json::to_string(&cases).unwrap()).unwrap();
    let told: Vec<Value> = serde_json::from_str(&told).unwrap();
    assert_eq!(told.len(), cases.len());
    for (body, told) in bodies.iter().zip(&told) {
        assert_eq!(told["verified"], true, "{body}");
        let theirs = told["signature"].as_str().unwrap();
        let given = delivery("ping", (*body).to_owned(), &[("x-hub-signature-256", theirs)]);
        assert!(app().verify(given).is_ok(), "{body}");
    }
    assert_eq!(told.last().unwrap()["verified"], false);
}
