//! What Linear sends, in the words all platforms share.

use crate::support::{
    ANN, APP, DELIVERY, SENT_AT_MS, SESSION, context, delivery, event, identified, in_session, nobody, normalised,
};
use proptest::prelude::*;
use reveille_channel::{ActorKind, Ask, Channel, Choice, Inbound, Kind, Op, Style};
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

#[tokio::test]
async fn recorded_payloads_become_events() {
    let linear = identified(false).await;
    for (name, body) in [
        ("agent_session.created.mention", fixture!("agent_session.created.mention")),
        ("agent_session.created.delegation", fixture!("agent_session.created.delegation")),
        ("agent_session.prompted", fixture!("agent_session.prompted")),
        ("agent_session.stop", fixture!("agent_session.stop")),
        ("comment.create", fixture!("comment.create")),
        ("comment.update", fixture!("comment.update")),
        ("comment.remove", fixture!("comment.remove")),
        ("issue.create", fixture!("issue.create")),
        ("issue.update.labels", fixture!("issue.update.labels")),
        ("issue.update.delegate", fixture!("issue.update.delegate")),
        ("issue.update.state", fixture!("issue.update.state")),
        ("issue.remove", fixture!("issue.remove")),
        ("reaction.create", fixture!("reaction.create")),
        ("issue_label.create", fixture!("issue_label.create")),
        ("project.update", fixture!("project.update")),
        ("app_user_notification", fixture!("app_user_notification")),
        ("permission_change", fixture!("permission_change")),
        ("oauth_app.revoked", fixture!("oauth_app.revoked")),
    ] {
        insta::assert_json_snapshot!(name, event(&linear, body));
    }
}

#[tokio::test]
async fn what_asks_for_nothing_is_acknowledged_with_the_reason() {
    let linear = identified(false).await;
    let with = |body: &[u8], path: &str, value: Value| {
        let mut body = fixture(body);
        *body.pointer_mut(path).unwrap() = value;
        bytes(&body)
    };
    let own_prompt = with(fixture!("agent_session.prompted"), "/agentActivity/userId", json!(APP));
    let other_workspace = with(fixture!("comment.create"), "/organizationId", json!("another"));
    let mut no_issue = fixture(fixture!("comment.create"));
    no_issue["data"]["issueId"] = Value::Null;
    no_issue["data"]["issue"] = Value::Null;
    for (body, reason) in [
        (fixture!("cycle.create").to_vec(), "an event that is not used"),
        (br#"{"type":"SomethingNew","webhookTimestamp":1732500000000}"#.to_vec(), "an event that is not used"),
        (fixture!("comment.own").to_vec(), "our own comment"),
        (own_prompt, "our own act"),
        (with(fixture!("issue.create"), "/actor/id", json!(APP)), "our own act"),
        (with(fixture!("reaction.create"), "/action", json!("remove")), "a reaction that was taken back"),
        (
            with(fixture!("agent_session.prompted"), "/action", json!("archived")),
            "an action on a session that is not used",
        ),
        (bytes(&no_issue), "a comment outside of an issue"),
        (other_workspace, "another workspace than the credential's"),
    ] {
        assert_eq!(normalised(&linear, delivery(body, &[])), Ok(Inbound::Ignored { reason }));
    }
    // Before it is known who we are, a comment might be our own.
    let reason = "a comment, before it is known who we are";
    let comment = delivery(fixture!("comment.create"), &[]);
    assert_eq!(normalised(&nobody(), comment), Ok(Inbound::Ignored { reason }));
}

#[tokio::test]
async fn where_there_are_sessions_what_calls_us_is_told_once() {
    let linear = identified(true).await;
    let reason = "a mention that comes as an agent session";
    let comment = delivery(fixture!("comment.create"), &[]);
    assert_eq!(normalised(&linear, comment), Ok(Inbound::Ignored { reason }));
    assert_eq!(event(&linear, fixture!("issue.update.delegate")).facts.get("delegated"), None);
    let created = event(&linear, fixture!("agent_session.created.delegation"));
    assert_eq!(created.facts["delegated"], "true");
    let mut plain = fixture(fixture!("comment.create"));
    plain["data"]["body"] = json!("it happens on Windows too");
    let in_thread = Kind::Message { direct: false, in_thread: true };
    assert_eq!(event(&linear, &bytes(&plain)).kind, in_thread);
}

#[test]
fn the_unsigned_kind_must_not_contradict_the_body() {
    let linear = nobody();
    let body = || fixture!("issue.create");
    for claimed in ["Comment", "issue", "Issue,Comment"] {
        let error = normalised(&linear, delivery(body(), &[("linear-event", claimed)])).unwrap_err();
        assert!(error.contains("Linear-Event does not agree"), "{claimed}: {error}");
    }
    let mut twice = delivery(body(), &[("linear-event", "Issue")]);
    twice.headers.append("linear-event", "Comment".parse().unwrap());
    assert!(normalised(&linear, twice).is_err());
    for agreed in ["Issue", ""] {
        let given = delivery(body(), &[("linear-event", agreed)]);
        assert!(matches!(normalised(&linear, given), Ok(Inbound::Events(_))), "{agreed}");
    }
}

#[test]
fn the_same_again_is_the_same_event_whatever_is_not_signed_and_whenever_it_was_sent() {
    let linear = nobody();
    let given = |body: &[u8], delivery_id: &str| match normalised(
        &linear,
        delivery(body.to_vec(), &[("linear-delivery", delivery_id)]),
    ) {
        Ok(Inbound::Events(events)) => events,
        other => panic!("{other:?}"),
    };
    let prompted = fixture!("agent_session.prompted");
    let [first] = &given(prompted, DELIVERY)[..] else { panic!() };
    let [replayed] = &given(prompted, "another")[..] else { panic!() };
    assert_eq!(first.id, replayed.id);
    let mut sent_again = fixture(prompted);
    sent_again["webhookTimestamp"] = json!(SENT_AT_MS + 60_000);
    let [again] = &given(&bytes(&sent_again), DELIVERY)[..] else { panic!() };
    assert_eq!(first.id, again.id);
    assert!(first.dedupe_keys.contains(&format!("delivery:{DELIVERY}")));
    assert!(first.dedupe_keys.iter().any(|key| key.starts_with("body:")));
    // What is no id is no key either.
    assert!(given(prompted, "a/b")[0].dedupe_keys.iter().all(|key| !key.starts_with("delivery:")));
    // Several events of one delivery are told apart, in every key.
    let mut both = fixture(fixture!("issue.update.labels"));
    both["updatedFrom"]["labelIds"] = json!([]);
    both["updatedFrom"]["delegateId"] = Value::Null;
    let events = given(&bytes(&both), DELIVERY);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.clone()).collect();
    let labelled = |label: &str| Kind::Labelled { label: label.to_owned() };
    assert_eq!(kinds, [Kind::Assigned, labelled("bug"), labelled("login")]);
    let mut keys: Vec<_> = events.iter().flat_map(|event| event.dedupe_keys.clone()).collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[tokio::test]
async fn prose_calls_us_by_name_or_by_the_address_of_our_profile() {
    let linear = identified(false).await;
    let read = |text: &str| {
        let mut comment = fixture(fixture!("comment.create"));
        comment["data"]["body"] = json!(text);
        let event = event(&linear, &bytes(&comment));
        (event.kind, event.text)
    };
    let message = Kind::Message { direct: false, in_thread: true };
    assert_eq!(read("@Assistant, look"), (Kind::Mention, "look".to_owned()));
    assert_eq!(read("see https://linear.app/acme/profiles/assistant").0, Kind::Mention);
    for text in ["Hello", "`@assistant`", "> @assistant", "```\n@assistant\n```", "@assistants", "me@assistant.example"]
    {
        assert_eq!(read(text).0, message, "{text}");
    }
    assert_eq!(read("/ask a b").0, Kind::Command { name: "ask".into(), args: "a b".into() });
    assert_eq!(read("@assistant /ask a b").0, Kind::Command { name: "ask".into(), args: "a b".into() });
}

#[tokio::test]
async fn programs_and_strangers_are_told_from_people() {
    let linear = identified(false).await;
    let actor = |change: &dyn Fn(&mut Value)| {
        let mut comment = fixture(fixture!("comment.create"));
        change(&mut comment);
        event(&linear, &bytes(&comment)).actor
    };
    assert_eq!(actor(&|_| ()).kind, ActorKind::Human);
    assert_eq!(actor(&|body| body["actor"]["type"] = json!("OauthClient")).kind, ActorKind::Bot);
    assert_eq!(actor(&|body| body["actor"]["type"] = json!("Integration")).kind, ActorKind::Bot);
    assert_eq!(actor(&|body| body["actor"]["type"] = json!("externalUser")).kind, ActorKind::External);
    assert_eq!(actor(&|body| body["data"]["botActor"] = json!("{}")).kind, ActorKind::Bot);
    let unsaid = actor(&|body| body["actor"] = Value::Null);
    assert_eq!((unsaid.id.as_str(), unsaid.kind), (ANN, ActorKind::Human));
    let outside = actor(&|body| {
        body["actor"] = Value::Null;
        body["data"]["user"] = Value::Null;
        body["data"]["userId"] = Value::Null;
        body["data"]["externalUser"] = json!({ "id": "ext-1", "name": "Eve", "email": "eve@example.com" });
    });
    assert_eq!((outside.id.as_str(), outside.kind), ("ext-1", ActorKind::External));
    // A session that nobody of the workspace is responsible for is an automation's.
    let mut session = fixture(fixture!("agent_session.created.delegation"));
    session["agentSession"]["creator"] = Value::Null;
    session["agentSession"]["creatorId"] = Value::Null;
    assert_eq!(event(&linear, &bytes(&session)).actor.kind, ActorKind::Bot);
}

#[tokio::test]
async fn the_answer_to_a_question_comes_back_as_an_action() {
    let linear = identified(true).await;
    let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), style: Style::Plain };
    let ask = Ask {
        reference: "a1.b2".into(),
        title: "Merge it?".into(),
        detail: "ENG-42".into(),
        choices: vec![choice("yes", "Approve"), choice("no", "Reject")],
    };
    let said = |text: &str| {
        let mut prompt = fixture(fixture!("agent_session.prompted"));
        prompt["agentActivity"]["content"]["body"] = json!(text);
        event(&linear, &bytes(&prompt)).kind
    };
    let yes = Kind::Action { reference: "a1.b2".into(), choice: "yes".into() };
    let message = Kind::Message { direct: false, in_thread: true };
    // The value says it all, after a restart too; the label alone does not.
    assert_eq!(said("Approve #yes@a1.b2"), yes);
    assert_eq!(said("Approve"), message);
    // Nothing answers at that address; what was asked counts only once it was asked.
    assert!(nobody().perform(&context(in_session()), &Op::Ask(ask.clone())).await.is_err());
    let server = crate::stand_in::StandIn::start().await;
    server.on("AgentActivityCreate", json!({ "agentActivityCreate": { "success": true } }));
    let asking = crate::support::token(&server.base);
    asking.perform(&context(in_session()), &Op::Ask(ask.clone())).await.unwrap();
    let mut prompt = fixture(fixture!("agent_session.prompted"));
    assert_eq!(prompt["agentSession"]["id"], SESSION);
    prompt["agentActivity"]["content"]["body"] = json!("approve");
    assert_eq!(event(&asking, &bytes(&prompt)).kind, yes);
    let settle = Op::Settle { id: "x".into(), ask, outcome: "Approved by Ann".into() };
    asking.perform(&context(in_session()), &settle).await.unwrap();
    assert_eq!(event(&asking, &bytes(&prompt)).kind, message);
}

#[test]
fn bodies_that_are_not_what_linear_documents_are_malformed() {
    let created = fixture(fixture!("agent_session.created.mention"));
    let with = |path: &str, value: Value| {
        let mut body = created.clone();
        *body.pointer_mut(path).unwrap() = value;
        bytes(&body)
    };
    let text = String::from_utf8(bytes(&created)).unwrap();
    let deep =
        format!(r#"{{"type":"Issue","webhookTimestamp":{SENT_AT_MS},"a":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    for body in [
        deep.into_bytes(),
        b"[".repeat(100_000),
        with("/type", json!("Agent Session")),
        with("/type", Value::Null),
        with("/action", json!("created now")),
        with("/organizationId", Value::Null),
        with("/organizationId", json!("a/b")),
        with("/agentSession", Value::Null),
        with("/agentSession/id", json!("a/b")),
        with("/agentSession/id", json!(7)),
        with("/agentSession/issue/id", json!("../x")),
        text.replacen(r#""action":"#, r#""action":"prompted","action":"#, 1).into_bytes(),
        text.replacen("umlauts", r"\ud800", 1).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert!(normalised(&nobody(), delivery(body, &[])).is_err(), "{shown}");
    }
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let given = delivery(bytes(&created), &[("content-type", content_type)]);
        assert!(normalised(&nobody(), given).is_err(), "{content_type}");
    }
}

#[test]
fn what_is_missing_or_null_is_survived() {
    let bare = json!({
        "type": "AgentSessionEvent", "action": "created", "organizationId": "o", "webhookTimestamp": SENT_AT_MS,
        "agentSession": { "id": "s", "creator": { "id": "u", "name": null } },
    });
    let one = event(&nobody(), &bytes(&bare));
    assert_eq!((one.kind, one.actor.id.as_str(), one.thread.key.as_str()), (Kind::Assigned, "u", "s"));
    assert_eq!(one.occurred_at_ms, SENT_AT_MS + 250);
    let bare = json!({
        "type": "Issue", "action": "update", "organizationId": "o", "webhookTimestamp": SENT_AT_MS,
        "data": { "id": "i", "labels": null, "team": { "id": null }, "title": null, "new": {} }, "updatedFrom": null,
    });
    assert_eq!(event(&nobody(), &bytes(&bare)).kind, Kind::Other);
}

/// Every place in a JSON value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, field)| places(field, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,40}".prop_map(Value::from),
        "@assistant|/x y|This thread is for an agent session|#yes@r|stop|create|update|remove".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{ "id": "a" }, null, 1])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_signed_bytes_make_normalising_panic(body: Vec<u8>) {
        if let Ok(verified) = once().verify(delivery(body, &[])) {
            let _ = once().normalise(&verified);
        }
    }

    #[test]
    fn no_changed_payload_makes_normalising_panic(
        which in prop::sample::select(vec![
            fixture!("agent_session.created.mention"), fixture!("agent_session.created.delegation"),
            fixture!("agent_session.prompted"), fixture!("comment.create"), fixture!("comment.update"),
            fixture!("issue.update.labels"), fixture!("issue.create"), fixture!("reaction.create"),
            fixture!("project.update"), fixture!("app_user_notification"), fixture!("permission_change"),
        ]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), anything()), 1..6),
    ) {
        let mut body = fixture(which);
        for (at, value) in changes {
            let mut found = Vec::new();
            places(&body, "", &mut found);
            *body.pointer_mut(&found[at.index(found.len())]).unwrap() = value;
        }
        if let Ok(verified) = once().verify(delivery(bytes(&body), &[]))
            && let Ok(Inbound::Events(events)) = once().normalise(&verified)
        {
            for event in events {
                prop_assert!(!event.thread.key.contains('/') && !event.dedupe_keys.is_empty(), "{event:?}");
            }
        }
    }
}

fn once() -> &'static reveille_linear::Linear {
    static LINEAR: std::sync::OnceLock<reveille_linear::Linear> = std::sync::OnceLock::new();
    LINEAR.get_or_init(nobody)
}

#[test]
fn the_connection_listens_on_its_webhook() {
    assert_eq!((nobody().platform(), nobody().body_limit()), ("linear", 1024 * 1024));
}
