//! The app is installed by OAuth in a second workspace: it is answered there with that workspace's own token, and not after
//! it was removed. States are good once, for one browser.

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reveille_simulator::{Fault, Posted, Slack};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "count" }
    stream: ["one ", "two ", "three ", "four ", "five"]
    pause_ms: 400
  - when: { role: user }
    stream: ["Hello from here."]
"#;

const ELSEWHERE: &str = "#elsewhere";
const OTHER_TEAM: &str = "T0ELSE0001";

/// A stage whose Slack knows an app that is installed by OAuth alone.
async fn stage(token_life_s: Option<u64>) -> Stage {
    let stage = Stage::new(SCRIPT).await;
    stage.simulator.slack().register_app("123.456", "slack-client-secret", token_life_s);
    stage.configure(
        "bot_token = \"env:SLACK_BOT_TOKEN\"",
        "client_id = \"123.456\"\nclient_secret = \"env:SLACK_CLIENT_SECRET\"",
    );
    let address = stage.address();
    stage.configure("[server]\n", &format!("[server]\npublic_url = \"http://{address}\"\n\n"));
    stage.configure("[models.played]", "[storage]\nkey = \"env:REVEILLE_STORAGE_KEY\"\n\n[models.played]");
    stage
}

/// A browser that follows no redirect by itself and keeps one cookie.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn location(&self) -> String {
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }
}

impl Browser {
    async fn get(&mut self, url: &str) -> Seen {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let mut request = client.get(url);
        if let Some(cookie) = self.cookie.as_ref().filter(|_| url.contains("/channels/")) {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Seen { status, headers, body: answer.text().await.unwrap() }
    }

    /// Sets out and agrees: the address the platform sends it back to.
    async fn agree(&mut self, stage: &Stage, query: &str) -> String {
        self.agree_on(stage, "slack", query).await
    }

    async fn agree_on(&mut self, stage: &Stage, connection: &str, query: &str) -> String {
        let begun = self.get(&format!("http://{}/channels/{connection}/install{query}", stage.address())).await;
        assert_eq!(begun.status, 302, "{}", begun.body);
        let page = self.get(&begun.location()).await;
        assert_eq!(page.status, 302, "{}", page.body);
        page.location()
    }
}

async fn install(stage: &Stage, query: &str) -> Seen {
    let mut browser = Browser::default();
    let back = browser.agree(stage, query).await;
    browser.get(&back).await
}

async fn answered(slack: &Slack, posted: &Posted, text: &str) -> bool {
    let is_there = |slack: &Slack| slack.answers(posted).iter().any(|one| one.text.trim() == text && !one.is_streaming);
    slack.wait_until(PATIENCE, is_there).await
}

async fn acknowledged(slack: &Slack) -> bool {
    slack.wait_until(PATIENCE, |slack| slack.deliveries().iter().all(|one| one.status == Some(200))).await
}

/// What no platform tells of.
async fn until(holds: impl Fn() -> bool) -> bool {
    let looking = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.is_ok()
}

#[tokio::test]
async fn each_workspace_is_answered_with_its_own_token_also_after_a_crash() {
    let stage = stage(None).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    // Nobody installed it yet.
    slack.say("eve", ELSEWHERE, "@assistant hello?", None).unwrap();
    assert!(acknowledged(slack).await, "{}", stage.log());
    let seen = install(&stage, "").await;
    assert_eq!((seen.status, seen.body.contains("Installed in Demo")), (200, true), "{}", seen.body);
    slack.install_elsewhere(true);
    let seen = install(&stage, "").await;
    assert_eq!((seen.status, seen.body.contains("Installed in Else &amp; Co")), (200, true), "{}", seen.body);
    // What was shown as installed is.
    drop(gateway);
    let gateway = stage.serve("");
    let doctor = String::from_utf8(stage.reveille(&["doctor"]).output().unwrap().stdout).unwrap();
    assert!(doctor.contains("installed by OAuth in T0DEMO0001, T0ELSE0001"), "{doctor}");
    let here = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    let there = slack.say("eve", ELSEWHERE, "@assistant hello", None).unwrap();
    assert!(answered(slack, &there, "Hello from here.").await, "{}", stage.log());
    assert!(answered(slack, &here, "Hello from here.").await, "{}", stage.log());
    assert!(acknowledged(slack).await);
    assert_eq!(gateway.terminate(), Some(0));
    // Our own posts came back from both workspaces, and the first question was nobody's.
    assert_eq!(stage.records("turn_started").len(), 2);
    assert_eq!((slack.answers(&here).len(), slack.answers(&there).len()), (1, 1));
    let folder = stage.folder.path().join(".reveille");
    for name in ["log.db", "log.db-wal"] {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        assert!(!bytes.windows(5).any(|some| some == b"xoxb-"), "a token can be read in {name}");
    }
    assert!(!stage.log().contains("xoxb-T0"), "a token is in the log");
}

#[tokio::test]
async fn a_state_is_good_once_for_the_browser_that_set_out() {
    let stage = stage(None).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    let mut browser = Browser::default();
    let back = browser.agree(&stage, "").await;
    let mut stranger = Browser::default();
    let seen = stranger.get(&back).await;
    assert_eq!((seen.status, seen.body.contains("Nothing was installed")), (400, true), "{}", seen.body);
    // A victim's own cookie does not help somebody else's link.
    let mut victim = Browser::default();
    victim.agree(&stage, "").await;
    assert_eq!(victim.get(&back).await.status, 400);
    let cookie = browser.cookie.clone();
    assert_eq!(browser.get(&back).await.status, 200);
    browser.cookie = cookie;
    assert_eq!(browser.get(&back).await.status, 400, "a second time");
    for query in ["", "?state=x&code=y", "?error=%3Cscript%3E", "?state=%3Cscript%3Ealert(1)%3C/script%3E"] {
        let seen = browser.get(&format!("http://{}/channels/slack/oauth/callback{query}", stage.address())).await;
        assert_eq!((seen.status, seen.body.contains("<script")), (400, false), "{query}: {}", seen.body);
        assert!(seen.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    }
    assert_eq!(slack.tokens_given(), 1);
    // Somebody who does not agree is told so.
    slack.decline(true);
    let seen = install(&stage, "").await;
    assert_eq!((seen.status, seen.body.contains("You did not agree")), (403, true), "{}", seen.body);
    slack.decline(false);
    // A link for one workspace is not good for another one.
    slack.install_elsewhere(true);
    let seen = install(&stage, "?team=T0NOTTHIS1").await;
    assert_eq!(seen.status, 403, "{}", seen.body);
    assert_eq!(slack.tokens_given(), 1, "what was not wanted is given back");
    let seen = browser.get(&format!("http://{}/channels/slack/install?team=a%22b", stage.address())).await;
    assert_eq!(seen.status, 400, "{}", seen.body);
    for path in ["github/install", "nobody/install", "github/oauth/callback"] {
        assert_eq!(browser.get(&format!("http://{}/channels/{path}", stage.address())).await.status, 404, "{path}");
    }
    assert_eq!(gateway.terminate(), Some(0));
}

#[tokio::test]
async fn without_a_public_address_the_page_says_what_is_missing() {
    let stage = stage(None).await;
    let address = stage.address();
    stage.configure(&format!("public_url = \"http://{address}\""), "");
    let gateway = stage.serve("");
    let seen = Browser::default().get(&format!("http://{address}/channels/slack/install")).await;
    assert_eq!((seen.status, seen.body.contains("public_url")), (503, true), "{}", seen.body);
    assert_eq!(gateway.terminate(), Some(0));
}

#[tokio::test]
async fn a_workspace_that_removed_the_app_is_not_answered_and_what_waited_is_on_record() {
    let stage = stage(None).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    install(&stage, "?team=T0DEMO0001").await;
    install(&stage, &format!("?team={OTHER_TEAM}")).await;
    // Its answer cannot be posted for a while, and then the app is gone.
    slack.faults.set("chat.startStream", Fault::RateLimit(3), 1);
    slack.faults.set("chat.postMessage", Fault::RateLimit(3), 1);
    let there = slack.say("eve", ELSEWHERE, "@assistant hello", None).unwrap();
    assert!(until(|| stage.log().contains("the platform did not take a reply")).await, "{}", stage.log());
    slack.uninstall(OTHER_TEAM);
    assert!(acknowledged(slack).await, "{}", stage.log());
    assert!(until(|| !stage.records("reply_failed").is_empty()).await, "{}", stage.log());
    let failed = stage.records("reply_failed");
    assert_eq!(failed.len(), 1, "{}", stage.log());
    let reason = failed[0]["record"]["body"]["reason"].as_str().unwrap();
    assert!(reason.contains("not installed in T0ELSE0001"), "{reason}");
    slack.say("eve", ELSEWHERE, "@assistant still there?", None).unwrap();
    let here = slack.say("alice", "#general", "@assistant hello", None).unwrap();
    assert!(answered(slack, &here, "Hello from here.").await, "{}", stage.log());
    assert!(acknowledged(slack).await);
    assert_eq!(slack.answers(&there).len(), 0);
    // And it can come back.
    install(&stage, &format!("?team={OTHER_TEAM}")).await;
    let again = slack.say("eve", ELSEWHERE, "@assistant and now?", None).unwrap();
    assert!(answered(slack, &again, "Hello from here.").await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
}

#[tokio::test]
async fn tokens_that_run_out_are_replaced_while_replies_go_out() {
    let stage = stage(Some(43_200)).await;
    let gateway = stage.serve("");
    let slack = stage.simulator.slack();
    install(&stage, &format!("?team={OTHER_TEAM}")).await;
    let posted: Vec<Posted> = (0..4)
        .map(|number| slack.say("eve", ELSEWHERE, &format!("@assistant count {number}"), None).unwrap())
        .collect();
    let begun = |slack: &Slack| posted.iter().all(|one| !slack.answers(one).is_empty());
    assert!(slack.wait_until(PATIENCE, begun).await, "{}", stage.log());
    slack.end_tokens();
    for one in &posted {
        assert!(answered(slack, one, "one two three four five").await, "{:#?}\n{}", slack.answers(one), stage.log());
        assert_eq!(slack.answers(one).len(), 1);
    }
    // One refresh for all who needed it.
    assert_eq!(slack.tokens_given(), 2, "{}", stage.log());
    drop(gateway);
    // The new one was kept before it was used: the old refresh token would not do.
    slack.end_tokens();
    let gateway = stage.serve("");
    let again = slack.say("eve", ELSEWHERE, "@assistant hello", None).unwrap();
    assert!(answered(slack, &again, "Hello from here.").await, "{}", stage.log());
    assert_eq!(slack.tokens_given(), 3);
    assert_eq!(gateway.terminate(), Some(0));
}

#[tokio::test]
async fn linear_is_installed_as_an_app_and_its_tokens_are_replaced() {
    let stage = Stage::new(SCRIPT).await;
    stage.configure(
        "access_token = \"env:LINEAR_ACCESS_TOKEN\"",
        "client_id = \"client-1\"\nclient_secret = \"env:LINEAR_CLIENT_SECRET\"",
    );
    let address = stage.address();
    stage.configure("[server]\n", &format!("[server]\npublic_url = \"http://{address}\"\n\n"));
    stage.configure("[models.played]", "[storage]\nkey = \"env:REVEILLE_STORAGE_KEY\"\n\n[models.played]");
    stage.write(
        "agents/worker/AGENT.md",
        "---\ndescription: Works.\nwake:\n  - linear: { delegate: true }\n---\nYou work.\n",
    );
    let linear = stage.simulator.linear();
    linear.install_only();
    let gateway = stage.serve("");
    let mut browser = Browser::default();
    let back = browser.agree_on(&stage, "linear", "").await;
    let seen = browser.get(&back).await;
    assert_eq!((seen.status, seen.body.contains("Installed in")), (200, true), "{}\n{}", seen.body, stage.log());
    assert_eq!(browser.get(&back).await.status, 400, "a second time");
    drop(gateway);
    let gateway = stage.serve("");
    let session = linear.delegate("alice", "ENG-1").unwrap().session.unwrap();
    let said = |linear: &reveille_simulator::Linear, session: &str| {
        let session = linear.session(session);
        session.is_some_and(|session| session.answers().iter().any(|one| one.text() == "Hello from here."))
    };
    assert!(linear.wait_until(PATIENCE, |linear| said(linear, &session)).await, "{}", stage.log());
    assert_eq!(linear.exchanges(), (1, 0));
    // It runs out, and the next one is fetched.
    linear.revoke_token();
    let session = linear.delegate("alice", "ENG-2").unwrap().session.unwrap();
    assert!(linear.wait_until(PATIENCE, |linear| said(linear, &session)).await, "{}", stage.log());
    assert_eq!(linear.exchanges(), (1, 1));
    // Whoever removes it is not answered any more.
    linear.uninstall();
    let delivered = |linear: &reveille_simulator::Linear| linear.deliveries().iter().all(|one| one.status == Some(200));
    assert!(linear.wait_until(PATIENCE, delivered).await, "{}", stage.log());
    let session = linear.delegate("alice", "ENG-3").unwrap().session.unwrap();
    assert!(linear.wait_until(PATIENCE, delivered).await, "{}", stage.log());
    assert!(!said(linear, &session));
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(stage.records("turn_started").len(), 2);
    assert!(!stage.log().contains("lin_refresh_"), "a token is in the log");
}
