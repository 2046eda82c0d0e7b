//! What goes in and what comes out, and what a person is told.

use std::fs;

use super::*;

const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const BOT: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzzqgy";

/// Loads a file's text from a folder of its own, where `app.pem` is a private key.
fn load_text(text: &str, mode: Mode, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(DEFAULT_FILE), text).unwrap();
    fs::write(folder.path().join("app.pem"), "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n")
        .unwrap();
    load_folder(folder.path(), mode, variables, Vec::new())
}

fn load_folder(
    folder: &Path,
    mode: Mode,
    variables: &[(&str, &str)],
    flags: Vec<Flag>,
) -> Result<Config, ConfigErrors> {
    let environment = variables.iter().copied().collect();
    load_from(&Inputs { path: None, folder: folder.into(), environment, flags }, mode)
}

fn codes(result: Result<Config, ConfigErrors>) -> Vec<Code> {
    result.unwrap_err().problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn without_a_file_dev_has_the_defaults_and_serve_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = load_folder(folder.path(), Mode::Dev, &[], Vec::new()).unwrap();
    assert_eq!(config.path, None);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7373");
    assert_eq!(config.storage, Storage::Folder(folder.path().join(".reveille")));
    assert_eq!(config.agents.dir, folder.path().join("agents"));
    assert_eq!(config.access.default, AccessDefault::Members);
    assert_eq!(config.models.keys().collect::<Vec<_>>(), ["anthropic", "gemini", "ollama", "openai"]);
    assert!(config.channels.is_empty() && config.warnings.is_empty());

    let errors = load_folder(folder.path(), Mode::Serve, &[], Vec::new()).unwrap_err();
    assert_eq!(errors.problems[0].code, Code::NoFile);
    assert!(errors.to_string().contains("reveille init"), "{errors}");
}

#[test]
fn every_source_is_over_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(DEFAULT_FILE), "[server]\nlisten = \"127.0.0.1:1\"\n[access]\ndefault = \"nobody\"\n")
        .unwrap();
    fs::write(folder.path().join(".env"), "# comment\nexport REVEILLE__SERVER__LISTEN='127.0.0.1:2'\nKEY=\"sk-from-dotenv\"\nREVEILLE__MODELS__OPENAI__API_KEY=env:KEY\n").unwrap();
    let listen = |variables: &[(&str, &str)], flags| {
        load_folder(folder.path(), Mode::Serve, variables, flags).unwrap().server.listen.port()
    };
    let variable = [("REVEILLE__SERVER__LISTEN", "127.0.0.1:3")];
    assert_eq!(listen(&[], Vec::new()), 2);
    assert_eq!(listen(&variable, Vec::new()), 3);
    let flag = Flag { flag: "--listen", key: "server.listen", value: "127.0.0.1:4".into() };
    assert_eq!(listen(&variable, vec![flag]), 4);
    let config = load_folder(folder.path(), Mode::Serve, &[], Vec::new()).unwrap();
    assert_eq!(config.models["openai"].api_key.as_ref().unwrap().expose(), "sk-from-dotenv");
    assert_eq!(config.access.default, AccessDefault::Nobody);
}

#[test]
fn connections_are_read_with_their_secrets_and_every_secret_is_handed_to_the_log() {
    let text = r#"
        [channels.slack]
        signing_secret = "env:SIGNING"
        bot_token = "file:token"
        [channels.octo]
        kind = "github"
        app_id = 12
        private_key = "file:app.pem"
        webhook_secret = "env:SIGNING"
        api_base_url = "http://127.0.0.1:9"
        [models.anthropic]
        api_key = "env:KEY"
    "#;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(DEFAULT_FILE), text).unwrap();
    fs::write(folder.path().join("token"), format!("{BOT}\n")).unwrap();
    fs::write(folder.path().join("app.pem"), "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n").unwrap();
    let config =
        load_folder(folder.path(), Mode::Serve, &[("SIGNING", SIGNING), ("KEY", "sk-ant-1")], Vec::new()).unwrap();
    let ChannelSettings::Slack(slack) = &config.channels["slack"] else { panic!() };
    assert_eq!(slack.bot_token.as_ref().unwrap().expose(), BOT);
    assert_eq!(slack.api_base_url.as_str(), "https://slack.com/api");
    let ChannelSettings::Github(github) = &config.channels["octo"] else { panic!() };
    assert!(matches!(&github.auth, reveille_github::Auth::App { app_id: 12, .. }));
    assert_eq!(github.api_base_url.as_str(), "http://127.0.0.1:9/");
    assert_eq!(config.secrets().len(), 5);
    let shown = format!("{config:?}");
    assert!(!shown.contains(BOT) && !shown.contains("sk-ant-1") && !shown.contains(SIGNING), "{shown}");
}

#[test]
fn an_app_that_is_installed_by_oauth_needs_its_credentials_and_a_key_to_seal_with() {
    let key = "0f".repeat(32);
    let variables = [("S", SIGNING), ("C", "0123456789abcdef0123456789abcdef"), ("K", key.as_str())];
    let storage = "[storage]\nkey = \"env:K\"\n";
    let slack = "[channels.slack]\nsigning_secret = \"env:S\"\nclient_id = \"1.2\"\nclient_secret = \"env:C\"\nworkspaces = [\"T1\"]\n";
    let config = load_text(&format!("{storage}{slack}"), Mode::Serve, &variables).unwrap();
    let ChannelSettings::Slack(settings) = &config.channels["slack"] else { panic!() };
    let client = settings.client.as_ref().unwrap();
    assert_eq!((client.client_id.as_str(), client.workspaces.as_slice()), ("1.2", ["T1".to_owned()].as_slice()));
    assert!(settings.bot_token.is_none());
    assert!(!format!("{config:?}").contains(&key));
    let without = load_text(slack, Mode::Serve, &variables);
    assert!(without.as_ref().unwrap_err().to_string().contains("storage.key"), "{without:?}");
    assert_eq!(codes(without), [Code::MissingKey]);
    let short = load_text(&format!("{storage}{slack}"), Mode::Serve, &[("S", SIGNING), ("C", BOT), ("K", "0f0f")]);
    assert_eq!(codes(short), [Code::UnusableSecret]);
    // On a laptop without it the channel is left out.
    let config = load_text(&format!("{storage}{slack}"), Mode::Dev, &[("S", SIGNING), ("C", BOT)]).unwrap();
    assert!(config.channels.is_empty() && config.warnings.len() == 1);
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = r#"
        [servr]
        listen = "x"
        [storage]
        url = "postgres://reveille:hunter2@db/reveille"
        [channels.slack]
        signing_secret = "env:NOT_SET"
        bot_tokn = "env:BOT"
        [access]
        default = "member"
    "#;
    use Code::{BadValue, MissingKey, NotInThisVersion, UnknownKey, UnresolvedSecret};
    let found = load_text(text, Mode::Serve, &[]);
    assert!(!found.as_ref().unwrap_err().to_string().contains("hunter2"));
    assert_eq!(codes(found), [UnknownKey, NotInThisVersion, MissingKey, UnresolvedSecret, UnknownKey, BadValue]);
}

#[test]
fn a_secret_that_protects_nothing_stops_serve_and_names_its_channel() {
    let text = "[channels.slack]\nsigning_secret = \"env:S\"\nbot_token = \"env:B\"\n";
    for bad in ["", "  ", "changeme", "fifteen-bytes-x", "xxxxxxxxxxxxxxxxxxxxxxxx", " blanks around the secret "] {
        for mode in [Mode::Serve, Mode::Dev] {
            let errors = load_text(text, mode, &[("S", bad), ("B", BOT)]).unwrap_err();
            assert_eq!(errors.problems[0].code, Code::UnusableSecret);
            assert_eq!(errors.problems[0].key, "channels.slack.signing_secret");
        }
        let config = load_text(text, Mode::Tool, &[("S", bad), ("B", BOT)]).unwrap();
        assert!(config.channels.is_empty() && config.warnings.len() == 1);
    }
    // The one of GitHub's page "Validating webhook deliveries": blanks inside are its owner's choice.
    load_text(text, Mode::Serve, &[("S", "It's a Secret to Everybody"), ("B", BOT)]).unwrap();
    assert_eq!(codes(load_text(text, Mode::Serve, &[("B", BOT)])), [Code::UnresolvedSecret]);
    let config = load_text(text, Mode::Dev, &[("B", BOT)]).unwrap();
    assert!(config.channels.is_empty());
    assert_eq!(config.warnings[0].code, Code::UnresolvedSecret);
}

#[test]
fn a_literal_secret_is_refused_by_serve_and_shown_by_nobody() {
    let text = format!("[channels.slack]\nsigning_secret = \"{SIGNING}\"\nbot_token = \"env:B\"\n");
    let errors = load_text(&text, Mode::Serve, &[("B", BOT)]).unwrap_err();
    assert_eq!(errors.problems[0].code, Code::LiteralSecret);
    let config = load_text(&text, Mode::Dev, &[("B", BOT)]).unwrap();
    assert_eq!(config.warnings[0].code, Code::LiteralSecret);
    assert_eq!(config.channels.len(), 1);
}

#[test]
fn no_secret_is_shown_wherever_it_was_put_by_mistake() {
    let secret = "xoxb-very-real-1234567890-token";
    for text in [
        format!("bot_token = \"{secret}\""),
        format!("[channels.slack]\nbot_tokn = \"{secret}\""),
        format!("[channels.slack]\nbot_token = {secret}"),
        format!("[channels.slack]\nbot_token = \"{secret}"),
        format!("[channels.slack]\nbot_token = \"env:{secret}\""),
        "[channels.slack]\nbot_token = \"env:ghp_veryxrealyABCDEFGHIJKLMNOPQRSTUV\"".replace('x', "-"),
        "[channels.slack]\nbot_token = \"env:ghp_veryzrealzABCDEFGHIJKLMNOPQRSTUV\"".into(),
        format!("[channels.slack]\nbot_token = [\"{secret}\"]"),
        format!("[channels]\nslack = {{ bot_token = \"{secret}\", x = 1 }}"),
        format!("[channels]\nslack = \"{secret}\""),
        format!("[server]\nlistn = 1 # {secret}\n# {secret}\nlisten = 5\n"),
        format!("[server]\npublic_url = \"https://me:{secret}@host\""),
        format!("[models.anthropic]\napi_key = \"\"\"\n{secret}\"\"\"\nx = 1"),
        format!("[storage]\nurl = \"postgres://x:{secret}@db/x\""),
    ] {
        let errors = load_text(&text, Mode::Serve, &[]).unwrap_err();
        let mut shown = format!("{errors} {errors:?}");
        for problem in &errors.problems {
            let report = miette::GraphicalReportHandler::new();
            report.render_report(&mut shown, problem).unwrap();
        }
        assert!(!shown.contains("very-real") && !shown.contains("veryzreal"), "{text}\n{shown}");
    }
}

#[test]
fn a_variable_with_a_typo_is_named() {
    let errors = load_text("", Mode::Dev, &[("REVEILLE__SERVER__LISTN", "1")]).unwrap_err();
    assert_eq!(errors.problems[0].place, Place::Variable { name: "REVEILLE__SERVER__LISTN".into() });
    assert!(errors.problems[0].help.contains("`listen`"));
}

#[test]
fn links_lead_to_hosts_that_were_chosen_and_to_our_own() {
    let text = "[server]\npublic_url = \"https://bot.example.com:8443/x\"\n[output]\nlink_hosts = [\"Bücher.example\", \"*.corp.example\"]";
    let links = load_text(text, Mode::Serve, &[]).unwrap().links();
    for address in ["https://xn--bcher-kva.example/", "https://a.corp.example/x", "https://bot.example.com:8443/y"] {
        assert!(links.allows(address), "{address}");
    }
    assert!(!links.allows("https://corp.example/") && !links.allows("https://bot.example.com/"));
    let variable = [("REVEILLE__OUTPUT__LINK_HOSTS", "a.example, b.example")];
    let links = load_text(text, Mode::Serve, &variable).unwrap().links();
    assert!(links.allows("https://b.example/") && !links.allows("https://a.corp.example/x"));
    let text = "[output]\nlink_hosts = [\"ok.example\", \"https://a.example\", \"gist.github.com\", \"*.com\"]\n";
    let errors = load_text(text, Mode::Serve, &[]).unwrap_err();
    let said: Vec<&str> = errors.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert!(said[0].starts_with("number 2 of the list is more than a host's name"), "{said:?}");
    assert!(said[1].starts_with("number 3 of the list is, or holds, a host of other people's content"), "{said:?}");
    assert!(said[2].starts_with("number 4 of the list is too wide"), "{said:?}");
    assert_eq!(errors.problems[0].key, "output.link_hosts");
}

const REFERENCE: &str = include_str!("../../config/reveille.toml");

#[test]
fn the_reference_file_has_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let defaults = load_folder(folder.path(), Mode::Dev, &[], Vec::new()).unwrap();
    fs::write(folder.path().join(DEFAULT_FILE), REFERENCE).unwrap();
    let written = load_folder(folder.path(), Mode::Serve, &[], Vec::new()).unwrap();
    assert_eq!(format!("{:?}", Config { path: None, ..written }), format!("{:?}", Config { path: None, ..defaults }));
}

#[test]
fn the_reference_file_has_every_key_and_its_examples_are_right() {
    let is_key = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let uncommented: Vec<&str> = REFERENCE
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || is_key(rest)).unwrap_or(line))
        .collect();
    for section in schema::SECTIONS {
        for key in section.keys {
            let is_there = uncommented.iter().any(|line| line.starts_with(&format!("{} = ", key.name)));
            assert!(is_there, "{}.{}", section.name, key.name);
        }
    }
    let variables = [
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_CLIENT_SECRET",
        "GITHUB_WEBHOOK_SECRET",
        "GITHUB_TOKEN",
        "LINEAR_WEBHOOK_SECRET",
        "LINEAR_ACCESS_TOKEN",
        "LINEAR_CLIENT_SECRET",
        "DISCORD_BOT_TOKEN",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "GEMINI_API_KEY",
    ];
    let key = "0f".repeat(32);
    let keys = ["REVEILLE_STORAGE_KEY", "REVEILLE_OLD_STORAGE_KEY"].map(|name| (name, key.as_str()));
    let variables: Vec<_> = variables.map(|name| (name, SIGNING)).into_iter().chain(keys).collect();
    let config = load_text(&uncommented.join("\n"), Mode::Serve, &variables).unwrap();
    let names: Vec<_> = config.channels.keys().map(String::as_str).collect();
    assert_eq!(names, ["actions", "discord", "github", "linear", "linear-app", "slack", "slack-app"]);
    assert!(config.models["rehearsal"].script.is_some());
}
