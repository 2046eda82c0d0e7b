//! `reveille doctor` beside the platforms: who we are there, what the credentials lack, and what to do.

use serde_json::Value;

use crate::support::Stage;

const SCRIPT: &str = "rules: [{ stream: ['You said: ', '{last}'] }]";

async fn doctor(stage: &Stage, variables: &[(&str, &str)]) -> Vec<Value> {
    let mut command = stage.reveille(&["doctor", "--json"]);
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks: Vec<Value> = serde_json::from_value(report["checks"].take()).unwrap();
    let is_red = checks.iter().any(|check| check["state"] == "fail");
    assert_eq!(output.status.code(), Some(i32::from(is_red)), "{checks:#?}");
    checks
}

/// What is said of one thing: the state, and what was found.
fn said<'a>(checks: &'a [Value], name: &str) -> Vec<(&'a str, &'a str)> {
    let of_it = checks.iter().filter(|check| check["name"] == name);
    of_it.map(|check| (check["state"].as_str().unwrap(), check["found"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_platform_says_who_we_are_there() {
    let stage = Stage::new(SCRIPT).await;
    let checks = doctor(&stage, &[]).await;
    assert_eq!(said(&checks, "channels.slack"), [("ok", "@assistant in Demo")], "{checks:#?}");
    assert_eq!(said(&checks, "channels.linear"), [("ok", "@assistant in Acme")]);
    assert_eq!(said(&checks, "channels.github"), [("ok", "@assistant[bot] in token of assistant[bot]")]);
    assert_eq!(said(&checks, "clock")[0].0, "ok");
    assert_eq!(said(&checks, "public URL"), [("warn", "not set")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_credentials_lack_is_a_warning_with_its_name() {
    let stage = Stage::with_linear(SCRIPT, false).await;
    stage.simulator.slack().grant(&["chat:write", "users:read", "reactions:write", "im:history"]);
    let checks = doctor(&stage, &[]).await;
    let slack = said(&checks, "channels.slack");
    assert_eq!(
        slack[1..],
        [("warn", "the bot token lacks the scope app_mentions:read, to be called by its name")],
        "{slack:?}"
    );
    let linear = said(&checks, "channels.linear");
    assert!(linear[1].0 == "warn" && linear[1].1.contains("\"Agent session events\""), "{linear:?}");

    let app = Stage::of_app(SCRIPT).await;
    let checks = doctor(&app, &[]).await;
    let github = said(&checks, "channels.github");
    assert_eq!(github[0], ("ok", "@reveille-test in app of acme"), "{github:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_red_on_each_platform_and_is_said_nowhere() {
    let stage = Stage::new(SCRIPT).await;
    let wrong =
        [("SLACK_BOT_TOKEN", "xoxb-wrong"), ("GITHUB_TOKEN", "ghp_wrong"), ("LINEAR_ACCESS_TOKEN", "lin_oauth_wrong")];
    let checks = doctor(&stage, &wrong).await;
    for name in ["channels.slack", "channels.github", "channels.linear"] {
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["state"], "fail", "{check:#}");
        assert!(check["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{check:#}");
    }
    let all = serde_json::to_string(&checks).unwrap();
    assert!(wrong.iter().all(|(_, value)| !all.contains(value)), "{all}");
}
