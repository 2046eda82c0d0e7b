//! What GitHub sends, in the words all platforms share.

use crate::support::{GUID, RECEIVED_AT_MS, app, delivery, event, normalised};
use proptest::prelude::*;
use reveille_channel::{ActorKind, Channel, Inbound, Kind};
use serde_json::{Value, json};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../fixtures/", $name, ".json")).as_slice()
    };
}

fn fixture(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[test]
fn recorded_payloads_become_events() {
    let github = app();
    for (name, body) in [
        ("issues.opened", fixture!("issues.opened")),
        ("issues.edited", fixture!("issues.edited")),
        ("issues.labeled", fixture!("issues.labeled")),
        ("issues.assigned", fixture!("issues.assigned")),
        ("issues.closed", fixture!("issues.closed")),
        ("issue_comment.created", fixture!("issue_comment.created")),
        ("issue_comment.command", fixture!("issue_comment.command")),
        ("issue_comment.edited", fixture!("issue_comment.edited")),
        ("issue_comment.deleted", fixture!("issue_comment.deleted")),
        ("pull_request.opened", fixture!("pull_request.opened")),
        ("pull_request.synchronize", fixture!("pull_request.synchronize")),
        ("pull_request.review_requested", fixture!("pull_request.review_requested")),
        ("pull_request.closed", fixture!("pull_request.closed")),
        ("pull_request.labeled", fixture!("pull_request.labeled")),
        ("pull_request_review.submitted", fixture!("pull_request_review.submitted")),
        ("pull_request_review_comment.created", fixture!("pull_request_review_comment.created")),
        ("discussion.created", fixture!("discussion.created")),
        ("discussion_comment.created", fixture!("discussion_comment.created")),
        ("check_run.rerequested", fixture!("check_run.rerequested")),
        ("check_run.requested_action", fixture!("check_run.requested_action")),
        ("installation.deleted", fixture!("installation.deleted")),
        ("installation_repositories.added", fixture!("installation_repositories.added")),
    ] {
        let (kind, _) = name.split_once('.').unwrap();
        insta::assert_json_snapshot!(name, event(&github, kind, body));
    }
}

#[test]
fn what_asks_for_nothing_is_acknowledged_with_the_reason() {
    let github = app();
    for (kind, body, reason) in [
        ("ping", fixture!("ping"), "a ping: the webhook is set up"),
        ("star", fixture!("star.created"), "an event that is not used"),
        ("push", br#"{"ref":"refs/heads/main"}"#.as_slice(), "an event that is not used"),
        ("something_new", br#"{"action":"happened"}"#.as_slice(), "an event that is not used"),
        ("issue_comment", fixture!("issue_comment.own"), "our own post"),
        ("commit_comment", fixture!("commit_comment.created"), "a comment on a commit has no thread to answer in"),
        ("ping", br#"{"zen":"Design for failure.","hook_id":1}"#.as_slice(), "a ping: the webhook is set up"),
    ] {
        assert_eq!(normalised(&github, delivery(kind, body, &[])), Ok(Inbound::Ignored { reason }), "{kind}");
    }
    let mut pinned = fixture(fixture!("issues.opened"));
    pinned["action"] = json!("pinned");
    let reason = "an action on an issue that is not used";
    assert_eq!(normalised(&github, delivery("issues", bytes(&pinned), &[])), Ok(Inbound::Ignored { reason }));
}

#[test]
fn the_unsigned_kind_must_agree_with_the_bodys_shape() {
    let github = app();
    for (claimed, body) in [
        ("push", fixture!("issue_comment.created")),
        ("issues", fixture!("issue_comment.created")),
        ("issue_comment", fixture!("issues.opened")),
        ("ping", fixture!("issues.opened")),
        ("issues", fixture!("ping")),
        ("issues", fixture!("star.created")),
        ("star", fixture!("issues.opened")),
        ("issues", fixture!("pull_request.opened")),
        ("issue_comment", fixture!("pull_request_review_comment.created")),
        ("pull_request", fixture!("pull_request_review.submitted")),
        ("discussion", fixture!("discussion_comment.created")),
        ("installation", fixture!("installation_repositories.added")),
        ("installation", fixture!("star.created")),
        ("team", fixture!("installation.deleted")),
    ] {
        let error = normalised(&github, delivery(claimed, body, &[])).unwrap_err();
        assert!(error.contains("X-GitHub-Event does not agree"), "{claimed}: {error}");
    }
    let nameless = delivery("issues", fixture!("issues.opened"), &[("x-github-event", "")]);
    assert!(normalised(&github, nameless).is_err());
    let mut twice = delivery("issues", fixture!("issues.opened"), &[]);
    twice.headers.append("x-github-event", "issues".parse().unwrap());
    assert!(normalised(&github, twice).is_err());
}

#[test]
fn a_captured_body_under_a_fresh_delivery_id_is_the_same_event() {
    let github = app();
    let id = |guid: &str| {
        let replay = delivery("issues", fixture!("issues.opened"), &[("x-github-delivery", guid)]);
        match normalised(&github, replay) {
            Ok(Inbound::Events(events)) => (events[0].id, events[0].dedupe_keys.clone()),
            other => panic!("{other:?}"),
        }
    };
    let (first, keys) = id(GUID);
    let (second, _) = id("11111111-2222-3333-4444-555555555555");
    assert_eq!(first, second);
    assert!(keys[0].starts_with("body:") && keys[1] == format!("delivery:{GUID}"));
    // What is no delivery's id is no key either.
    for guid in ["", "x", "11111111-2222-3333-4444-55555555555g"] {
        assert_eq!(id(guid).1, keys[..1], "{guid}");
    }
}

#[test]
fn a_form_is_read_like_json() {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", std::str::from_utf8(fixture!("issues.opened")).unwrap())
        .finish();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let Ok(Inbound::Events(events)) = normalised(&app(), delivery("issues", body.clone(), &[form])) else { panic!() };
    assert_eq!(events[0].kind, Kind::Opened);
    for (content_type, body) in [
        (form.1, "other=1".to_owned()),
        (form.1, format!("{body}&{body}")),
        ("text/plain", body.clone()),
        ("", body.clone()),
        ("application/json", body),
    ] {
        assert!(normalised(&app(), delivery("issues", body, &[("content-type", content_type)])).is_err());
    }
    let compressed = delivery("issues", fixture!("issues.opened"), &[("content-encoding", "gzip")]);
    assert!(normalised(&app(), compressed).is_err());
}

/// An edit or a deletion has to find what it is about: the same thread, the same message.
#[test]
fn what_is_changed_later_keeps_its_thread_and_its_message() {
    let github = app();
    for (event_name, body, new, later) in [
        ("issues", fixture!("issues.opened"), "opened", ["edited", "deleted"]),
        ("issue_comment", fixture!("issue_comment.created"), "created", ["edited", "deleted"]),
        (
            "pull_request_review_comment",
            fixture!("pull_request_review_comment.created"),
            "created",
            ["edited", "deleted"],
        ),
        ("pull_request_review", fixture!("pull_request_review.submitted"), "submitted", ["edited", "dismissed"]),
        ("discussion", fixture!("discussion.created"), "created", ["edited", "deleted"]),
        ("discussion_comment", fixture!("discussion_comment.created"), "created", ["edited", "deleted"]),
    ] {
        let of = |action: &str| {
            let mut payload = fixture(body);
            payload["action"] = json!(action);
            event(&github, event_name, &bytes(&payload))
        };
        let original = of(new);
        for action in later {
            let changed = of(action);
            assert_eq!(changed.name, format!("{event_name}.{action}"));
            assert_eq!(
                (&changed.thread.installation, &changed.thread.key, &changed.message),
                (&original.thread.installation, &original.thread.key, &original.message),
                "{}",
                changed.name
            );
            match action {
                "edited" => assert_eq!(changed.kind, Kind::Edited),
                "deleted" => assert_eq!(changed.kind, Kind::Deleted),
                _ => assert_eq!(changed.kind, Kind::Other),
            }
        }
    }
}

#[test]
fn the_conversation_of_a_pull_request_is_one_thread_and_each_line_another() {
    let github = app();
    let key = |name: &str, body: &[u8]| event(&github, name, body).thread.key;
    let mut in_conversation = fixture(fixture!("issue_comment.command"));
    in_conversation["repository"] = fixture(fixture!("pull_request.opened"))["repository"].clone();
    let conversation = key("pull_request", fixture!("pull_request.opened"));
    assert_eq!(key("issue_comment", &bytes(&in_conversation)), conversation);
    assert_eq!(key("pull_request_review", fixture!("pull_request_review.submitted")), conversation);
    // An answer and what it answers are one thread.
    let answer = fixture(fixture!("pull_request_review_comment.created"));
    let mut first = answer.clone();
    first["comment"]["id"] = answer["comment"]["in_reply_to_id"].clone();
    first["comment"].as_object_mut().unwrap().remove("in_reply_to_id");
    let line = key("pull_request_review_comment", &bytes(&answer));
    assert_eq!(key("pull_request_review_comment", &bytes(&first)), line);
    assert_eq!(line, format!("{conversation}:r284312000"));
}

#[test]
fn an_answer_to_a_question_of_ours_is_an_action_of_whoever_wrote_it() {
    let mut comment = fixture(fixture!("issue_comment.created"));
    comment["comment"]["body"] = json!("Looks right.\n\n/approve q7-2");
    let approved = event(&app(), "issue_comment", &bytes(&comment));
    assert_eq!(approved.kind, Kind::Action { reference: "q7-2".into(), choice: "approve".into() });
    // What was edited into a text may be somebody else's word.
    comment["action"] = json!("edited");
    assert_eq!(event(&app(), "issue_comment", &bytes(&comment)).kind, Kind::Edited);
}

#[test]
fn only_buttons_of_our_own_check_runs_count() {
    let mut check = fixture(fixture!("check_run.requested_action"));
    for (path, value, reason) in [
        ("/check_run/app/id", json!(7), "a check run of another app"),
        ("/check_run/pull_requests", json!([]), "a check run of no pull request"),
    ] {
        let before = std::mem::replace(check.pointer_mut(path).unwrap(), value);
        assert_eq!(
            normalised(&app(), delivery("check_run", bytes(&check), &[])),
            Ok(Inbound::Ignored { reason }),
            "{path}"
        );
        *check.pointer_mut(path).unwrap() = before;
    }
    check["action"] = json!("completed");
    let reason = "a check run that began or ended";
    assert_eq!(normalised(&app(), delivery("check_run", bytes(&check), &[])), Ok(Inbound::Ignored { reason }));
}

#[test]
fn only_prose_calls() {
    let kind = |text: &str| {
        let mut comment = fixture(fixture!("issue_comment.created"));
        comment["comment"]["body"] = json!(text);
        let event = event(&app(), "issue_comment", &bytes(&comment));
        (event.kind, event.mentions)
    };
    let message = Kind::Message { direct: false, in_thread: true };
    assert_eq!(kind("Hello @Assistant!"), (Kind::Mention, vec!["assistant".to_owned()]));
    for text in
        ["Hello", "`@assistant`", "> @assistant", "```\n@assistant\n/triage\n```", "<!-- @assistant -->", "@acme/team"]
    {
        assert_eq!(kind(text), (message.clone(), vec![]), "{text}");
    }
    assert_eq!(kind("/ask a b").0, Kind::Command { name: "ask".into(), args: "a b".into() });
}

#[test]
fn programs_are_told_from_people() {
    let actor = |sender: Value, via: Value| {
        let mut comment = fixture(fixture!("issue_comment.created"));
        comment["sender"] = sender;
        comment["comment"]["performed_via_github_app"] = via;
        event(&app(), "issue_comment", &bytes(&comment)).actor.kind
    };
    let human = json!({"id": 1, "login": "a", "type": "User"});
    assert_eq!(actor(human.clone(), Value::Null), ActorKind::Human);
    assert_eq!(actor(human, json!({"id": 7})), ActorKind::Bot);
    assert_eq!(actor(json!({"id": 1, "login": "a", "type": "Bot"}), Value::Null), ActorKind::Bot);
    assert_eq!(actor(json!({"id": 1, "login": "a[bot]"}), Value::Null), ActorKind::Bot);
}

#[test]
fn bodies_that_are_not_what_github_documents_are_malformed() {
    let opened = fixture(fixture!("issues.opened"));
    let with = |path: &str, value: Value| {
        let mut body = opened.clone();
        *body.pointer_mut(path).unwrap() = value;
        bytes(&body)
    };
    let text = String::from_utf8(bytes(&opened)).unwrap();
    for body in [
        b"".to_vec(),
        b"null".to_vec(),
        b"[".repeat(100_000),
        format!(r#"{{"a":{}"#, "[".repeat(100)).into_bytes(),
        with("/sender", Value::Null),
        with("/sender/id", json!("1")),
        with("/sender/id", json!(-1)),
        with("/repository/name", json!("../../admin")),
        with("/repository/owner/login", json!("a/b")),
        with("/action", json!("opened now")),
        text.replacen(r#""sender":{"#, r#""sender":{"id":1,"#, 1).into_bytes(),
        text.replacen(r#""action":"#, r#""action":"edited","action":"#, 1).into_bytes(),
        text.replacen("Spelling", r"\ud800", 1).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert!(normalised(&app(), delivery("issues", body, &[])).is_err(), "{shown}");
    }
}

#[test]
fn what_is_missing_is_survived() {
    let bare = json!({
        "action": "opened",
        "issue": {"number": 1, "title": "t", "body": null, "user": null},
        "repository": {"id": 1, "name": "r", "owner": {"login": "o"}},
        "sender": {"id": 1, "login": "a"},
    });
    let event = event(&app(), "issues", &bytes(&bare));
    assert_eq!((event.text.as_str(), event.occurred_at_ms), ("t", RECEIVED_AT_MS));
    assert_eq!(event.facts["private"], "true");
}

proptest! {
    #[test]
    fn no_signed_bytes_make_normalising_panic(body: Vec<u8>, kind in "issues|issue_comment|ping|push") {
        let _ = normalised(app_once(), delivery(&kind, body, &[]));
    }

    #[test]
    fn no_text_makes_normalising_panic(text: String, action in "created|edited|deleted|[a-z_]{0,9}") {
        let mut comment = fixture(fixture!("issue_comment.created"));
        comment["comment"]["body"] = json!(text);
        comment["action"] = json!(action);
        let _ = normalised(app_once(), delivery("issue_comment", bytes(&comment), &[]));
    }
}

fn app_once() -> &'static reveille_github::GitHub {
    static GITHUB: std::sync::OnceLock<reveille_github::GitHub> = std::sync::OnceLock::new();
    GITHUB.get_or_init(app)
}

#[test]
fn the_connection_listens_on_its_webhook() {
    assert_eq!((app().platform(), app().body_limit()), ("github", 25 * 1024 * 1024));
}
