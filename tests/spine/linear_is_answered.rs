//! Linear: what is delegated and who is called is answered in an agent session, or where there are none in a comment; once,
//! whatever is delivered again, refused, lost or cut off.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reveille_simulator::{Fault, Linear, Session};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{LINEAR_SECRET, PATIENCE, Stage};

const WORKER: &str = "---\ndescription: Works.\nwake:\n  - linear: { delegate: true, teams: [ENG] }\n  - linear: { event: Issue.update, label: needs-triage }\ntools: [clock.now, linear.get_issue]\n---\nYou work.\n";

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "wait for me" }
    stream: ["One. ", "Two. ", "Three. ", "Four. ", "Five. ", "Six. ", "Seven. ", "Eight. ", "Nine. ", "Ten."]
    pause_ms: 2000
  - when: { role: user, matches: "what time" }
    calls: [{ tool: clock.now }]
  - when: { role: tool, tool: clock.now }
    stream: ["It is late."]
  - when: { role: user, matches: "which issue" }
    calls: [{ tool: linear.get_issue }]
  - when: { role: tool, tool: linear.get_issue }
    stream: ["This one."]
  - when: { role: user, matches: "cannot" }
    fail: { kind: fatal, message: "no such model" }
  - when: { role: user, matches: "further" }
    stream: ["And further."]
  - when: { role: user, matches: "long" }
    stream: ["LONG"]
  - when: { role: user }
    stream: ["This ", "issue ", "is about ", "a login."]
    pause_ms: 300
"#;

const ANSWER: &str = "This issue is about a login.";

async fn stage(sessions: bool) -> Stage {
    let stage = Stage::with_linear(SCRIPT, sessions).await;
    stage.write("agents/worker/AGENT.md", WORKER);
    stage
}

/// What the app said for good in a session.
fn answers(linear: &Linear, session: &str) -> Vec<String> {
    linear.session(session).iter().flat_map(Session::answers).map(reveille_simulator::Activity::text).collect()
}

async fn wait_for(stage: &Stage, session: &str, expected: &[&str]) {
    let linear = stage.simulator.linear();
    let said = linear.wait_until(PATIENCE, |linear| answers(linear, session) == expected).await;
    assert!(said, "{:#?}\n{}", linear.session(session), stage.log());
}

#[tokio::test]
async fn a_delegated_issue_is_thought_about_at_once_and_answered_in_its_session() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    wait_for(&stage, &session, &[ANSWER]).await;
    let seen = linear.session(&session).unwrap();
    let first = &seen.activities[0];
    assert_eq!((first.kind.as_str(), first.ephemeral, first.text().as_str()), ("thought", true, "Thinking"));
    assert!(!seen.is_unresponsive() && first.is_replaced, "{seen:#?}");
    assert_eq!(seen.status, "complete");
    // Work that began is to be seen on the issue too.
    let moved = |linear: &Linear| linear.issue("ENG-1").is_some_and(|issue| issue.state == "In Progress");
    assert!(linear.wait_until(PATIENCE, moved).await, "{:#?}\n{}", linear.issue("ENG-1"), stage.log());
    // Nobody else was told twice: the issue's change and the session's comments are no second call.
    assert_eq!(stage.records("turn_started").len(), 1, "{}", stage.log());
    // What is said in the session goes on with it.
    linear.prompt("bob", &session, "and further?").unwrap();
    wait_for(&stage, &session, &[ANSWER, "And further."]).await;
    assert_eq!(stage.records("turn_ended").len(), 2);
}

#[tokio::test]
async fn a_mention_opens_a_session_that_the_called_agent_answers() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let said = linear.comment("alice", "ENG-2", "@assistant what time is it?", None).unwrap();
    let session = said.session.unwrap();
    wait_for(&stage, &session, &["It is late."]).await;
    assert_eq!(stage.records("turn_started").len(), 1, "{}", stage.log());
    assert_eq!(linear.issue("ENG-2").unwrap().state, "Todo", "a question moves nothing");
}

#[tokio::test]
async fn a_session_that_no_agent_takes_ends_with_a_word() {
    let stage = Stage::with_linear(SCRIPT, true).await;
    for agent in ["assistant", "ops", "triage"] {
        std::fs::remove_dir_all(stage.folder.path().join("agents").join(agent)).unwrap();
    }
    stage.write(
        "agents/elsewhere/AGENT.md",
        "---\ndescription: Elsewhere.\nwake:\n  - slack: { direct: true }\n---\nYou.\n",
    );
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    let told = |linear: &Linear| linear.session(&session).is_some_and(|one| one.status == "error");
    assert!(linear.wait_until(PATIENCE, told).await, "{:#?}\n{}", linear.session(&session), stage.log());
    // The same again says nothing more.
    linear.redeliver_all();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let errors = linear.session(&session).unwrap().activities.into_iter().filter(|one| one.kind == "error").count();
    assert_eq!(errors, 1);
}

#[tokio::test]
async fn a_tool_that_takes_its_time_is_an_action_to_be_seen() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-2").unwrap().session.unwrap();
    wait_for(&stage, &session, &[ANSWER]).await;
    linear.faults.set("issue", Fault::Delay(Duration::from_secs(5)), 1);
    linear.prompt("alice", &session, "which issue is it?").unwrap();
    wait_for(&stage, &session, &[ANSWER, "This one."]).await;
    let seen = linear.session(&session).unwrap();
    let shown: Vec<_> = seen.activities.iter().map(|one| format!("{} {}", one.kind, one.text())).collect();
    assert_eq!(shown[0], "thought Thinking");
    assert!(shown.contains(&"action Using linear.get_issue".to_owned()), "{shown:?}");
}

#[tokio::test]
async fn a_turn_that_fails_ends_its_session_with_an_error() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.comment("alice", "ENG-2", "@assistant you cannot", None).unwrap().session.unwrap();
    let has_error = |linear: &Linear| {
        linear.session(&session).is_some_and(|one| one.activities.iter().any(|activity| activity.kind == "error"))
    };
    assert!(linear.wait_until(PATIENCE, has_error).await, "{:#?}\n{}", linear.session(&session), stage.log());
    let seen = linear.session(&session).unwrap();
    assert_eq!(seen.status, "error");
    assert!(seen.activities.iter().all(|activity| activity.kind != "response"), "{seen:#?}");
}

#[tokio::test]
async fn without_sessions_a_mention_is_answered_by_one_comment_that_grows() {
    let stage = stage(false).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let said = linear.comment("alice", "ENG-1", "@assistant what is this about?", None).unwrap();
    let whole = |linear: &Linear| linear.answers("ENG-1").first().is_some_and(|one| one.body == ANSWER);
    assert!(linear.wait_until(PATIENCE, whole).await, "{:#?}\n{}", linear.issue("ENG-1"), stage.log());
    let answer = linear.answers("ENG-1").remove(0);
    assert_eq!(answer.parent.as_deref(), Some(said.comment.as_str()));
    // A further comment of the thread needs no mention; what the app wrote calls nobody.
    linear.comment("bob", "ENG-1", "and further?", Some(&said.comment)).unwrap();
    let both = |linear: &Linear| linear.answers("ENG-1").iter().any(|one| one.body == "And further.");
    assert!(linear.wait_until(PATIENCE, both).await, "{:#?}\n{}", linear.issue("ENG-1"), stage.log());
    assert_eq!(linear.answers("ENG-1").len(), 2);
    // A delegation wakes whoever takes it; a label whoever waits for it.
    linear.delegate("alice", "ENG-2").unwrap();
    linear.label("alice", "ENG-3", "needs-triage").unwrap();
    let answered = |linear: &Linear| {
        ["ENG-2", "ENG-3"].iter().all(|issue| linear.answers(issue).first().is_some_and(|one| one.body == ANSWER))
    };
    assert!(linear.wait_until(PATIENCE, answered).await, "{:#?}\n{}", linear.issue("ENG-3"), stage.log());
    assert_eq!(stage.records("turn_started").len(), 4, "{}", stage.log());
}

#[tokio::test]
async fn the_same_again_does_nothing() {
    let stage = stage(true).await;
    let gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    wait_for(&stage, &session, &[ANSWER]).await;
    let delivered = linear.deliveries().len();
    for _ in 0..10 {
        linear.redeliver_all();
    }
    let all = |linear: &Linear| {
        let again: Vec<_> = linear.deliveries().into_iter().filter(|one| one.is_again).collect();
        again.len() == delivered * 10 && again.iter().all(|one| one.status == Some(200))
    };
    assert!(linear.wait_until(PATIENCE, all).await, "{:#?}", linear.deliveries());
    assert_eq!(gateway.terminate(), Some(0));
    let gateway = stage.serve("");
    linear.redeliver_all();
    let all = |linear: &Linear| linear.deliveries().iter().all(|one| one.status == Some(200));
    assert!(linear.wait_until(PATIENCE, all).await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(answers(linear, &session), [ANSWER]);
    assert_eq!(stage.records("turn_started").len(), 1);
}

#[tokio::test]
async fn a_limit_is_waited_for_and_a_lost_answer_is_looked_up() {
    for fault in [Fault::RateLimit(2), Fault::DropAnswer, Fault::Error500] {
        // The passing thought meets it first, and then the answer.
        let stage = stage(true).await;
        let _gateway = stage.serve("");
        let linear = stage.simulator.linear();
        linear.faults.set("agentActivityCreate", fault.clone(), 2);
        let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
        wait_for(&stage, &session, &[ANSWER]).await;
        drop(_gateway);
        assert_eq!(answers(linear, &session), [ANSWER], "{fault:?}");
    }
    for fault in [Fault::RateLimit(2), Fault::DropAnswer, Fault::Error500] {
        let stage = stage(false).await;
        let _gateway = stage.serve("");
        let linear = stage.simulator.linear();
        linear.faults.set("commentCreate", fault.clone(), 1);
        linear.faults.set("commentUpdate", fault.clone(), 1);
        linear.comment("alice", "ENG-1", "@assistant what is this about?", None).unwrap();
        let whole = |linear: &Linear| linear.answers("ENG-1").last().is_some_and(|one| one.body == ANSWER);
        assert!(linear.wait_until(PATIENCE, whole).await, "{:#?}\n{}", linear.issue("ENG-1"), stage.log());
        drop(_gateway);
        assert_eq!(linear.answers("ENG-1").len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_crash_at_any_commit_leaves_one_answer() {
    for point in ["journal::before_commit", "journal::after_commit"] {
        let mut ran_through = false;
        for boundary in 1..40 {
            let place = format!("{point} {boundary}");
            let stage = stage(true).await;
            let mut gateway = stage.serve(&format!("{point}={}*off->1*return", boundary - 1));
            let linear = stage.simulator.linear();
            let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
            let is_answered = |linear: &Linear| answers(linear, &session) == [ANSWER];
            ran_through = loop {
                if linear.wait_until(Duration::from_millis(50), is_answered).await {
                    break true;
                }
                if gateway.has_ended() {
                    break false;
                }
            };
            drop(gateway);
            let gateway = stage.serve("");
            wait_for(&stage, &session, &[ANSWER]).await;
            assert_eq!(gateway.terminate(), Some(0), "{place}");
            assert_eq!(answers(linear, &session), [ANSWER], "{place}\n{}", stage.log());
            assert_eq!(stage.records("turn_ended").len(), 1, "{place}\n{}", stage.log());
            if ran_through {
                assert!(boundary > 5, "only {boundary} boundaries: is the fault compiled in?");
                break;
            }
        }
        assert!(ran_through, "{point}");
    }
}

#[tokio::test]
async fn stop_ends_the_turn_with_a_last_word() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.comment("alice", "ENG-1", "@assistant wait for me", None).unwrap().session.unwrap();
    let thinks = |linear: &Linear| linear.session(&session).is_some_and(|session| !session.activities.is_empty());
    assert!(linear.wait_until(PATIENCE, thinks).await, "{}", stage.log());
    linear.stop("alice", &session).unwrap();
    let stopped =
        |linear: &Linear| answers(linear, &session).last().is_some_and(|last| last.contains("Stopped: on request."));
    assert!(linear.wait_until(PATIENCE, stopped).await, "{:#?}\n{}", linear.session(&session), stage.log());
    assert_eq!(answers(linear, &session).len(), 1);
    let ended = stage.records("turn_ended");
    assert_eq!(ended[0]["record"]["body"]["outcome"], "aborted", "{ended:?}");
}

#[tokio::test]
async fn a_suspended_person_is_refused_once_and_no_model_is_asked() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("mallory", "ENG-1").unwrap().session.unwrap();
    let told = |linear: &Linear| answers(linear, &session).len() == 1;
    assert!(linear.wait_until(PATIENCE, told).await, "{}", stage.log());
    assert!(answers(linear, &session)[0].starts_with("Sorry"), "{:?}", answers(linear, &session));
    assert_eq!(stage.records("model_called").len(), 0);
    assert_eq!(stage.records("refused").len(), 1);
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(LINEAR_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn deliveries_meet_the_edge_as_documented() {
    let stage = stage(true).await;
    let gateway = stage.serve("");
    let url = format!("http://{}/channels/linear/webhook", stage.address());
    let now_ms = || i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let body =
        |at_ms: i64| json!({ "type": "SomethingNew", "action": "create", "webhookTimestamp": at_ms }).to_string();
    let send = async |body: &str, headers: &[(&str, &str)]| {
        let mut request = reqwest::Client::new().post(&url).header("content-type", "application/json; charset=utf-8");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let signed = async |body: &str, event: &str| {
        let signature = signature(body);
        let mut headers = vec![("linear-signature", signature.as_str())];
        if !event.is_empty() {
            headers.push(("linear-event", event));
        }
        send(body, &headers).await
    };
    let nothing = String::new;
    assert_eq!(signed(&body(now_ms()), "SomethingNew").await, (200, nothing()), "unknown kinds are acknowledged");
    assert_eq!(signed(&body(now_ms() - 299_000), "").await, (200, nothing()));
    for stale in [now_ms() - 301_000, now_ms() + 301_000, now_ms() / 1_000, -1, i64::MIN] {
        assert_eq!(signed(&body(stale), "").await, (401, nothing()), "{stale}");
    }
    let fresh = body(now_ms());
    assert_eq!(send(&fresh, &[]).await, (401, nothing()));
    assert_eq!(send(&fresh, &[("linear-signature", &signature("other"))]).await, (401, nothing()));
    let right = signature(&fresh);
    assert_eq!(send(&fresh, &[("linear-signature", &right), ("linear-signature", &right)]).await, (401, nothing()));
    let created = json!({ "type": "AgentSessionEvent", "action": "created", "organizationId": "o",
        "agentSession": { "id": "s" }, "webhookTimestamp": now_ms() });
    assert_eq!(signed(&created.to_string(), "Issue").await.0, 400, "the header contradicts the body");
    assert_eq!(signed("nonsense", "").await.0, 400);
    let nameless = json!({ "type": "AgentSessionEvent", "action": "created", "webhookTimestamp": now_ms() });
    assert_eq!(signed(&nameless.to_string(), "").await.0, 400);
    let deep =
        format!(r#"{{"type":"Issue","webhookTimestamp":{},"a":{}{}}}"#, now_ms(), "[".repeat(200), "]".repeat(200));
    assert_eq!(signed(&deep, "").await.0, 400);
    assert_eq!(signed(&created.to_string(), "AgentSessionEvent").await.0, 200, "another workspace's is ignored");
    assert_eq!(gateway.terminate(), Some(0));
    assert!(stage.records("event").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_gets_its_own_token_and_doctor_says_who_it_is() {
    let stage = stage(true).await;
    let toml = format!(
        "[channels.linear]\nwebhook_secret = \"env:LINEAR_WEBHOOK_SECRET\"\nclient_id = \"client-1\"\nclient_secret = \"env:LINEAR_CLIENT_SECRET\"\napi_base_url = \"{}\"\n\n[models.played]\nprovider = \"script\"\nscript = \"script.yaml\"\n\n[server]\nlisten = \"{}\"\n",
        stage.simulator.linear_api_base_url(),
        stage.address()
    );
    stage.write("reveille.toml", &toml);
    let output = stage.reveille(&["doctor", "--json"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("@assistant in Acme"), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let _gateway = stage.serve("");
    let linear = stage.simulator.linear();
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    wait_for(&stage, &session, &[ANSWER]).await;
    // It ends early: another one is asked for, and the call goes on.
    linear.revoke_token();
    linear.prompt("alice", &session, "and further?").unwrap();
    wait_for(&stage, &session, &[ANSWER, "And further."]).await;
    let values: Vec<Value> = linear.calls().into_iter().map(|call| call.arguments).collect();
    assert!(!json!(values).to_string().contains("very-secret"));
}

const TICKET: &str = r##"
rules:
  - when: { role: user, event: AgentSessionEvent.created }
    calls: [{ tool: linear.get_issue }, { tool: linear.list_comments }, { tool: linear.search_issues, arguments: { term: umlauts } }]
  - when: { role: tool, tool: linear.search_issues }
    calls: [{ tool: linear.update_issue, arguments: { stateId: started, addedLabelIds: [bug] } }]
  - when: { role: tool, tool: linear.update_issue }
    calls: [{ tool: linear.update_plan, arguments: { steps: [{ content: Reproduce it, status: inProgress }, { content: Mend it, status: pending }] } }]
  - when: { role: tool, tool: linear.update_plan }
    calls: [{ tool: linear.create_comment, arguments: { body: "The plan: reproduce it, mend it." } }]
  - when: { role: tool, tool: linear.create_comment }
    calls: [{ tool: linear.create_issue, arguments: { title: Mend the form, isSubIssue: true } }]
  - when: { role: tool, tool: linear.create_issue }
    calls: [{ tool: linear.link_url, arguments: { url: "https://github.com/acme/app/pull/7", title: "Pull request #7" } }]
  - when: { role: tool, tool: linear.link_url }
    stream: ["Planned ", "and linked."]
"##;

#[tokio::test]
async fn the_agent_ticket_plans_comments_moves_the_ticket_and_links_the_pull_request() {
    for lost in ["", "commentCreate", "issueCreate", "issueUpdate", "agentSessionUpdate", "attachmentLinkURL"] {
        let stage = Stage::with_linear(TICKET, true).await;
        stage.ship("ticket");
        stage.configure("[models.played]", "[output]\nlink_hosts = [\"github.com\"]\n\n[models.played]");
        let _gateway = stage.serve("");
        let linear = stage.simulator.linear();
        if !lost.is_empty() {
            linear.faults.set(lost, Fault::DropAnswer, 1);
        }
        let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
        wait_for(&stage, &session, &["Planned and linked."]).await;
        let issue = linear.issue("ENG-1").unwrap();
        assert_eq!((issue.state.as_str(), issue.labels), ("In Progress", vec!["bug".to_owned()]), "{lost}");
        let link = ("Pull request #7".to_owned(), "https://github.com/acme/app/pull/7".to_owned());
        assert_eq!(issue.links, std::slice::from_ref(&link), "{lost}");
        let comments: Vec<_> = linear.answers("ENG-1").into_iter().map(|comment| comment.body).collect();
        assert_eq!(comments, ["The plan: reproduce it, mend it."], "{lost}\n{}", stage.log());
        let part = linear.issue("ENG-4").unwrap();
        assert_eq!((part.title.as_str(), part.parent.as_deref()), ("Mend the form", Some("ENG-1")), "{lost}");
        assert!(linear.issue("ENG-5").is_none(), "{lost}");
        let seen = linear.session(&session).unwrap();
        assert_eq!(seen.urls, [link], "{lost}");
        assert_eq!(seen.plan.unwrap()[0]["status"], "inProgress", "{lost}");
        assert_eq!(stage.records("turn_ended").len(), 1, "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_a_laptop_speaks_into_the_simulated_linear() {
    let stage = stage(true).await;
    let _gateway = stage.serve("");
    let simulator = stage.simulator.address().to_string();
    let say = |arguments: &[&str]| {
        let mut all = vec!["say", "linear"];
        all.extend(arguments);
        all.extend(["--simulator", &simulator]);
        let output = stage.reveille(&all).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = say(&["ENG-1", "@assistant what is this about?"]);
    assert!(printed.contains(ANSWER) && printed.contains("alice in ENG-1"), "{printed}");
    let printed = say(&["ENG-2", "/delegate", "--as", "bob"]);
    assert!(printed.contains(ANSWER), "{printed}");
}
