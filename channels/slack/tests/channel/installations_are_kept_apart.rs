//! Each installation has its own token, its own ids of us and its own memory, however much their other ids are alike.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reveille_channel::links::{LinkHost, Links};
use reveille_channel::{
    Authorization, Channel, Code, Event, Inbound, InstallError, Installations, Kind, NotKept, Op, ReplyContext,
    ReplyError, Route, Secret,
};
use reveille_slack::{Client, Settings, Slack};
use serde_json::{Value, json};

use crate::stand_in::{Shared, arguments, context, methods, ok, refused, start};
use crate::support::{SECRET, read_on};

/// Keeps in memory.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<(String, String)>>);

#[async_trait]
impl Installations for Shelf {
    async fn all(&self) -> Result<Vec<(String, Secret)>, NotKept> {
        Ok(self.0.lock().unwrap().iter().map(|(id, data)| (id.clone(), Secret::new(data.clone()))).collect())
    }
    async fn keep(&self, installation: &str, data: &Secret) -> Result<(), NotKept> {
        let mut all = self.0.lock().unwrap();
        all.retain(|(id, _)| id != installation);
        all.push((installation.to_owned(), data.expose().to_owned()));
        Ok(())
    }
    async fn forget(&self, installation: &str) -> Result<(), NotKept> {
        self.0.lock().unwrap().retain(|(id, _)| id != installation);
        Ok(())
    }
}

fn kept(id: &str, token: &str, bot_user: &str) -> (String, String) {
    let about =
        json!({"name": id, "user": bot_user, "bot": format!("B{bot_user}"), "installed_at_ms": "1699999999000"});
    (
        id.to_owned(),
        json!({"access": token, "refresh": null, "given_at_ms": 1, "ends_at_ms": null, "about": about}).to_string(),
    )
}

/// An app that is installed in these places.
async fn app(
    installed: Vec<(String, String)>,
    workspaces: &[&str],
    bot_token: Option<&str>,
    answers: Vec<(u16, Option<&'static str>, Value)>,
) -> (Slack, Shared, Arc<Shelf>) {
    let (_, server) = start(answers).await;
    let api_base_url = server.lock().unwrap().base.parse().unwrap();
    let settings = Settings {
        signing_secret: Some(Secret::new(SECRET)),
        app_token: None,
        bot_token: bot_token.map(Secret::new),
        client: Some(Client {
            client_id: "1.2".into(),
            client_secret: Secret::new("client-secret"),
            authorize_url: None,
            workspaces: workspaces.iter().map(|id| (*id).to_owned()).collect(),
        }),
        api_base_url,
        feedback: false,
    };
    let slack = Slack::new("slack", settings).unwrap();
    let shelf = Arc::new(Shelf(Mutex::new(installed)));
    slack.installer().unwrap().restore(shelf.clone()).await.unwrap();
    (slack, server, shelf)
}

fn both() -> Vec<(String, String)> {
    vec![kept("T1", "xoxb-one", "UBOT1"), kept("T2", "xoxb-two", "UBOT2"), kept("E1", "xoxb-org", "UBOTE")]
}

/// A message of one and the same person in one and the same channel, as each place delivers it.
fn message(text: &str, user: &str, team: &str, enterprise: Option<&str>, is_enterprise_install: bool) -> Vec<u8> {
    json!({
        "type": "event_callback", "team_id": team, "enterprise_id": enterprise, "event_id": "Ev1", "api_app_id": "A1",
        "authorizations": [{
            "enterprise_id": enterprise, "team_id": if is_enterprise_install { None } else { Some(team) },
            "is_bot": true, "is_enterprise_install": is_enterprise_install,
        }],
        "event": {"type": "message", "user": user, "text": text, "channel": "C1", "ts": "1700000000.000100", "channel_type": "channel"},
    })
    .to_string()
    .into_bytes()
}

fn event(slack: &Slack, body: &[u8]) -> Event {
    match read_on(slack, Route::Events, body).unwrap() {
        Inbound::Events(mut events) => events.remove(0),
        other => panic!("{other:?}"),
    }
}

fn ignored(slack: &Slack, body: &[u8]) -> &'static str {
    match read_on(slack, Route::Events, body).unwrap() {
        Inbound::Ignored { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn answer_to(event: &Event) -> ReplyContext {
    ReplyContext { thread: event.thread.clone(), ..context() }
}

async fn post(slack: &Slack, event: &Event) -> Result<(), ReplyError> {
    let op = Op::Start { text: "Yes.".into(), complete: true };
    slack.perform(&answer_to(event), &op).await.map(drop)
}

#[tokio::test]
async fn a_mention_is_answered_with_the_token_of_the_place_it_came_for() {
    let posted = || ok(json!({"ts": "1700000000.000200"}));
    let (slack, server, _) = app(both(), &[], None, vec![posted(), posted(), posted()]).await;
    let one = event(&slack, &message("<@UBOT1> hi", "U1", "T1", None, false));
    let two = event(&slack, &message("<@UBOT2> hi", "U1", "T2", None, false));
    // The organisation has an installation of its own, and this workspace one as well.
    let organisation = event(&slack, &message("<@UBOTE> hi", "U1", "T2", Some("E1"), true));
    for event in [&one, &two, &organisation] {
        assert_eq!((event.kind.clone(), event.text.as_str()), (Kind::Mention, "hi"), "{event:?}");
        post(&slack, event).await.unwrap();
    }
    assert_eq!(server.lock().unwrap().tokens, ["xoxb-one", "xoxb-two", "xoxb-org"]);
    assert_eq!((one.thread.installation.as_str(), two.thread.installation.as_str()), ("T1", "T2"));
    assert_ne!(one.dedupe_keys, two.dedupe_keys, "the same number in two places is not the same event");
    // Somebody else's bot is nobody here, and ours is known in its own place alone.
    assert_eq!(
        event(&slack, &message("<@UBOT2> hi", "U1", "T1", None, false)).kind,
        Kind::Message { direct: false, in_thread: false }
    );
    assert_eq!(ignored(&slack, &message("x", "UBOT2", "T2", None, false)), "our own post");
    assert_eq!(event(&slack, &message("x", "UBOT2", "T1", None, false)).actor.id, "UBOT2");
}

#[tokio::test]
async fn links_lead_where_somebody_chose_in_each_of_them() {
    let posted = || ok(json!({"ts": "1700000000.000200"}));
    let (slack, server, _) = app(both(), &[], None, (0..6).map(|_| posted()).collect()).await;
    let slack = slack.with_links(&Links::to([LinkHost::parse("docs.example.com").unwrap()]));
    let said = "See https://docs.example.com/a and https://evil.example/b";
    let places = [("T1", None, false), ("T2", None, false), ("T2", Some("E1"), true)];
    for (team, enterprise, is_enterprise_install) in places {
        let event = event(&slack, &message("hi", "U1", team, enterprise, is_enterprise_install));
        slack.perform(&answer_to(&event), &Op::Start { text: said.into(), complete: true }).await.unwrap();
        slack.here(&event.thread).unwrap().workspace().post("C2", None, said, "call").await.unwrap();
    }
    assert_eq!(methods(&server), vec!["chat.postMessage"; 6]);
    for call in 0..6 {
        let told = arguments(&server, call);
        assert_eq!(told["text"], "See <https://docs.example.com/a> and `https://evil.example/b`", "{told}");
        assert_eq!((&told["parse"], &told["link_names"]), (&json!("none"), &json!(false)));
    }
}

#[tokio::test]
async fn a_place_it_is_not_installed_in_is_acknowledged_and_nobody_elses_token_goes_there() {
    let (slack, server, _) = app(both(), &[], None, Vec::new()).await;
    let reason = "the app is not installed in that workspace";
    assert_eq!(ignored(&slack, &message("<@UBOT1> hi", "U1", "T9", None, false)), reason);
    assert_eq!(ignored(&slack, &message("<@UBOT1> hi", "U1", "T1", Some("E9"), true)), reason, "E9's, and not T1's");
    let mut stranger = event(&slack, &message("<@UBOT1> hi", "U1", "T1", None, false));
    stranger.thread.installation = "T9".into();
    assert!(matches!(post(&slack, &stranger).await, Err(ReplyError::Gone(said)) if said.contains("T9")));
    assert!(methods(&server).is_empty());
    let challenge = read_on(&slack, Route::Events, br#"{"type":"url_verification","challenge":"c"}"#).unwrap();
    assert!(matches!(challenge, Inbound::Handshake { .. }));
}

#[tokio::test]
async fn the_end_of_an_installation_removes_its_tokens_and_an_old_end_does_not() {
    let (slack, _, shelf) = app(both(), &[], None, Vec::new()).await;
    let end = |name: &str, at_s: i64, tokens: Value| {
        json!({
            "type": "event_callback", "team_id": "T1", "event_id": format!("Ev{name}{at_s}"), "event_time": at_s,
            "authorizations": [], "event": {"type": name, "tokens": tokens},
        })
        .to_string()
        .into_bytes()
    };
    let people = json!({"oauth": ["U1"], "bot": []});
    assert_eq!(
        ignored(&slack, &end("tokens_revoked", 1_700_000_000, people)),
        "tokens of people were revoked, and none of ours"
    );
    let thread = event(&slack, &message("<@UBOT1> hi", "U1", "T1", None, false));
    let old = event(&slack, &end("app_uninstalled", 1_699_999_990, Value::Null));
    slack.installer().unwrap().changed(&old).await.unwrap();
    assert_eq!(shelf.0.lock().unwrap().len(), 3, "it is of the installation before");
    let now = event(&slack, &end("tokens_revoked", 1_700_000_000, json!({"bot": ["UBOT1"]})));
    slack.installer().unwrap().changed(&now).await.unwrap();
    let left: Vec<String> = shelf.0.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(left, ["T2", "E1"]);
    assert!(matches!(post(&slack, &thread).await, Err(ReplyError::Gone(_))));
}

#[tokio::test]
async fn beside_a_bot_token_others_can_install_it() {
    let who = ok(json!({"user_id": "UBOT0", "bot_id": "B0", "team_id": "T0", "user": "assistant", "team": "Home"}));
    let posted = || ok(json!({"ts": "1700000000.000200"}));
    let (slack, server, _) = app(both(), &[], Some("xoxb-home"), vec![who, posted(), posted()]).await;
    let early = event(&slack, &message("hi", "U1", "T0", None, false));
    assert!(matches!(post(&slack, &early).await, Err(ReplyError::Retry { .. })), "whose it is has to be known first");
    slack.identify().await.unwrap();
    let home = event(&slack, &message("<@UBOT0> hi", "U1", "T0", None, false));
    let one = event(&slack, &message("<@UBOT1> hi", "U1", "T1", None, false));
    for event in [&home, &one] {
        assert_eq!(event.kind, Kind::Mention);
        post(&slack, event).await.unwrap();
    }
    assert_eq!(server.lock().unwrap().tokens, ["xoxb-home", "xoxb-home", "xoxb-one"]);
    assert!(ignored(&slack, &message("<@UBOT0> hi", "U1", "T9", None, false)).contains("not installed"));
}

fn granted(team: &str) -> (u16, Option<&'static str>, Value) {
    ok(json!({
        "access_token": "xoxb-new", "token_type": "bot", "bot_user_id": "UBOT3", "team": {"id": team, "name": "Third"},
        "enterprise": null, "is_enterprise_install": false, "authed_user": {"id": "U7"}, "expires_in": 43200,
        "refresh_token": "xoxe-new",
    }))
}

fn person(fields: &Value) -> (u16, Option<&'static str>, Value) {
    let mut user = json!({"id": "U7", "team_id": "T3"});
    user.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ok(json!({"user": user}))
}

async fn exchange(slack: &Slack, meant: Option<&str>) -> Result<String, InstallError> {
    let (code, verifier) = (Secret::new("code-1"), Secret::new("v"));
    let redirect = "https://bot.example.com/channels/slack/oauth/callback".parse().unwrap();
    let code = Code { code: &code, redirect: &redirect, verifier: &verifier, installation: meant };
    slack.installer().unwrap().install(&code).await.map(|installed| installed.installation)
}

#[tokio::test]
async fn an_exchange_is_kept_before_it_is_used() {
    let who = || ok(json!({"user_id": "UBOT3", "bot_id": "B3", "team_id": "T3", "user": "assistant"}));
    let (slack, server, shelf) = app(Vec::new(), &[], None, vec![granted("T3"), who(), person(&json!({}))]).await;
    assert_eq!(exchange(&slack, Some("T3")).await.unwrap(), "T3");
    let data = shelf.0.lock().unwrap()[0].1.clone();
    assert!(data.contains("xoxb-new") && data.contains("xoxe-new") && data.contains("UBOT3"), "{data}");
    let form = server.lock().unwrap().calls[0].1.clone();
    for part in
        ["client_id=1.2", "client_secret=client-secret", "code=code-1", "redirect_uri=https%3A%2F%2Fbot.example.com"]
    {
        assert!(form.contains(part), "{form}");
    }
    assert_eq!(server.lock().unwrap().tokens[0], "", "no token goes along");
    assert_eq!(event(&slack, &message("<@UBOT3> hi", "U1", "T3", None, false)).kind, Kind::Mention);
}

#[tokio::test]
async fn what_is_not_wanted_is_given_back_and_nothing_is_kept() {
    let who = || ok(json!({"user_id": "UBOT3", "bot_id": "B3", "team_id": "T3", "user": "assistant"}));
    let guest = person(&json!({"is_restricted": true}));
    for (meant, listed, answers) in [
        (Some("T8"), vec![], vec![granted("T3")]),
        (None, vec!["T8"], vec![granted("T3")]),
        (None, vec![], vec![granted("T3"), who(), guest]),
    ] {
        let (slack, server, shelf) = app(Vec::new(), &listed, None, answers).await;
        let refused = exchange(&slack, meant).await;
        assert!(matches!(refused, Err(InstallError::NotWanted(_))), "{refused:?}");
        assert_eq!(methods(&server).last().unwrap(), "auth.revoke");
        assert!(shelf.0.lock().unwrap().is_empty());
    }
    // A token of a place where it is installed already is that installation's too.
    let (slack, server, shelf) = app(both(), &[], None, vec![granted("T1")]).await;
    assert!(exchange(&slack, Some("T8")).await.is_err());
    assert_eq!((methods(&server).len(), shelf.0.lock().unwrap().len()), (1, 3));
    for (answers, expected) in [
        (vec![refused("invalid_code")], "refuses"),
        (vec![granted("T3"), ok(json!({"team_id": "T4", "user_id": "U"}))], "another place"),
        (vec![(500, None, json!({}))], "does not answer"),
    ] {
        let (slack, _, shelf) = app(Vec::new(), &[], None, answers).await;
        let error = exchange(&slack, None).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(shelf.0.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_page_is_asked_for_the_scopes_and_the_place_that_is_meant() {
    let (slack, ..) = app(Vec::new(), &[], None, Vec::new()).await;
    let redirect = "https://bot.example.com/cb".parse().unwrap();
    let authorization = Authorization { redirect: &redirect, state: "s&t", challenge: "c", installation: Some("T8") };
    let url = slack.installer().unwrap().authorize(&authorization);
    assert!(url.path().ends_with("/oauth/v2/authorize"));
    let pairs: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((pairs["client_id"].as_str(), pairs["state"].as_str(), pairs["team"].as_str()), ("1.2", "s&t", "T8"));
    assert!(pairs["scope"].split(',').any(|scope| scope == "chat:write"));
    assert_eq!(pairs["redirect_uri"], "https://bot.example.com/cb");
}
