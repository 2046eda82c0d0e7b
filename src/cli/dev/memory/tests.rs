use std::os::unix::fs::PermissionsExt;

use reveille_simulator::{DiscordOptions, GithubOptions, LinearOptions, Options, Simulator, SlackOptions};

use super::*;

async fn platforms() -> Simulator {
    let secret = "simulated".to_owned();
    Simulator::start(Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        deliver_to: "http://127.0.0.1:9".parse().unwrap(),
        slack: SlackOptions {
            connection: "slack".into(),
            signing_secret: secret.clone(),
            bot_token: secret.clone(),
            bot_name: "assistant".into(),
            streaming: true,
            retries: Vec::new(),
        },
        github: GithubOptions {
            connection: "github".into(),
            webhook_secret: secret.clone(),
            token: secret.clone(),
            bot_login: "assistant[bot]".into(),
            app: None,
        },
        linear: LinearOptions {
            connection: "linear".into(),
            webhook_secret: secret.clone(),
            access_token: secret,
            client: (String::new(), String::new()),
            app_name: "assistant".into(),
            sessions: true,
            data_changes: true,
            retries: Vec::new(),
        },
        discord: DiscordOptions::default(),
    })
    .await
    .unwrap()
}

fn said(simulator: &Simulator) -> Vec<String> {
    simulator.slack().messages("C0GENERAL1").into_iter().map(|one| one.text).collect()
}

#[tokio::test]
async fn every_change_is_in_the_file_without_a_word_of_farewell() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_of(folder.path());
    let simulator = platforms().await;
    assert!(!recall(&simulator.memory(), &path).unwrap());
    let _keeper = Keeper::start(simulator.memory(), path.clone());
    for text in ["one", "two"] {
        simulator.slack().say("alice", "#general", text, None).unwrap();
        let is_in = || fs::read_to_string(&path).is_ok_and(|file| file.contains(&format!("\"{text}\"")));
        let waited = async {
            while !is_in() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap();
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let next = platforms().await;
    assert!(recall(&next.memory(), &path).unwrap());
    assert_eq!(said(&next), ["one", "two"]);
}

#[tokio::test]
async fn what_came_last_is_written_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_of(folder.path());
    let simulator = platforms().await;
    let keeper = Keeper::start(simulator.memory(), path.clone());
    for number in 0..20 {
        simulator.slack().say("alice", "#general", &number.to_string(), None).unwrap();
    }
    simulator.shutdown().await;
    keeper.stop().await;
    let next = platforms().await;
    assert!(recall(&next.memory(), &path).unwrap());
    assert_eq!(said(&next).len(), 20);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    forget(&path).unwrap();
    forget(&path).unwrap();
    assert!(!recall(&next.memory(), &path).unwrap());
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_and_nothing_is_half_recalled() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_of(folder.path());
    let simulator = platforms().await;
    simulator.slack().say("alice", "#general", "still here", None).unwrap();
    let mut lacks_github = simulator.memory().remembered().unwrap();
    lacks_github["slack"]["messages"] = serde_json::json!([]);
    lacks_github.as_object_mut().unwrap().remove("github");
    for (text, why) in [
        ("{\"version\": 1".to_owned(), "EOF"),
        ("{\"version\": 99}".to_owned(), "version 99"),
        (lacks_github.to_string(), "github"),
    ] {
        fs::write(&path, &text).unwrap();
        let told = recall(&simulator.memory(), &path).unwrap_err().to_string();
        assert!(told.contains(why) && told.contains("simulated.unreadable.json"), "{told}");
        assert_eq!(said(&simulator), ["still here"]);
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(folder.path().join("simulated.unreadable.json")).unwrap(), text);
    }
}
