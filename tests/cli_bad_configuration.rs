//! What a person is told about each kind of bad configuration.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use reveille::cli::{Failure, report};
use reveille::config::{Environment, Inputs, Mode, load_from};

const CASES: &[(&str, &str)] = &[
    ("not_toml", "[server\nlisten = \"127.0.0.1:7373\"\n"),
    ("string_without_quotes", "[storage]\nurl = sqlite:.reveille\n"),
    ("string_without_end", "[server]\nlisten = \"127.0.0.1:7373\n"),
    ("table_twice", "[server]\n[storage]\n[server]\n"),
    ("key_twice", "[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n"),
    ("secret_without_quotes", "[channels.slack]\nbot_token = xoxb-1-2-secret\n"),
    ("unknown_table", "[servr]\nlisten = \"127.0.0.1:7373\"\n"),
    ("key_outside_of_its_table", "listen = \"127.0.0.1:7373\"\n"),
    ("unknown_key", "[server]\nlisen = \"127.0.0.1:7373\"\n"),
    (
        "unknown_key_that_holds_a_secret",
        "[channels.slack]\nsigning_secret = \"env:SIGNING\"\nbot_tokn = \"xoxb-1-2-secret\"\n",
    ),
    ("number_in_place_of_a_string", "[server]\nlisten = 7373\n"),
    ("string_in_place_of_a_table", "server = \"127.0.0.1:7373\"\n"),
    ("connection_that_is_no_table", "[channels]\nslack = true\n"),
    ("list_of_tables", "[[server]]\nlisten = \"127.0.0.1:7373\"\n"),
    ("address_without_a_port", "[server]\nlisten = \"127.0.0.1\"\n"),
    ("url_of_another_kind", "[server]\npublic_url = \"ftp://bot.example.com\"\n"),
    ("url_with_a_password", "[server]\npublic_url = \"https://me:hunter2@bot.example.com\"\n"),
    ("postgres", "[storage]\nurl = \"postgres://reveille:hunter2@db/reveille\"\n"),
    ("storage_that_is_no_folder", "[storage]\nurl = \".reveille\"\n"),
    ("unknown_word", "[access]\ndefault = \"member\"\n"),
    ("linear", "[channels.linear]\nwebhook_secret = \"env:SIGNING\"\n"),
    (
        "linear_both",
        "[channels.linear]\nwebhook_secret = \"env:SIGNING\"\naccess_token = \"env:SIGNING\"\nclient_id = \"x\"\n",
    ),
    ("discord", "[channels.discord]\npublic_key = \"x\"\n"),
    (
        "installation_over_oauth",
        "[channels.slack]\nsigning_secret = \"env:SIGNING\"\nbot_token = \"env:TOKEN\"\nclient_id = \"1.2\"\n",
    ),
    (
        "discord_types",
        "[channels.discord]\napplication_id = 1\npublic_key = \"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c\"\nbot_token = \"env:TOKEN\"\ngateway = \"no\"\ngateway_url = \"https://gateway.discord.gg\"\ncommand_guilds = \"1\"\n",
    ),
    ("socket_mode_without_its_token", "[channels.slack]\nbot_token = \"env:TOKEN\"\napp_token = \"env:APP\"\n"),
    ("connection_without_a_kind", "[channels.slak]\nsigning_secret = \"env:SIGNING\"\n"),
    (
        "connection_with_a_bad_name",
        "[channels.\"Team A\"]\nkind = \"slack\"\nsigning_secret = \"env:SIGNING\"\nbot_token = \"env:TOKEN\"\n",
    ),
    ("slack_without_its_secrets", "[channels.slack]\n"),
    (
        "literal_secret",
        "[channels.slack]\nsigning_secret = \"8f742231b10e8888abcd99yyyzzz85a5\"\nbot_token = \"env:TOKEN\"\n",
    ),
    ("variable_that_is_not_set", "[channels.slack]\nsigning_secret = \"env:SIGNIN\"\nbot_token = \"env:TOKEN\"\n"),
    ("empty_secret", "[channels.slack]\nsigning_secret = \"env:EMPTY\"\nbot_token = \"env:TOKEN\"\n"),
    ("placeholder", "[channels.slack]\nsigning_secret = \"env:CHANGEME\"\nbot_token = \"env:TOKEN\"\n"),
    ("short_secret", "[channels.github]\nwebhook_secret = \"env:SHORT\"\ntoken = \"env:TOKEN\"\n"),
    (
        "file_that_is_not_there",
        "[channels.github]\nwebhook_secret = \"env:SIGNING\"\napp_id = 1\nprivate_key = \"file:app.pem\"\n",
    ),
    (
        "file_that_is_no_key",
        "[channels.github]\nwebhook_secret = \"env:SIGNING\"\napp_id = 1\nprivate_key = \"file:reveille.toml\"\n",
    ),
    (
        "app_and_token",
        "[channels.github]\nwebhook_secret = \"env:SIGNING\"\napp_id = 1\nprivate_key = \"env:PEM\"\ntoken = \"env:TOKEN\"\n",
    ),
    ("github_without_credentials", "[channels.github]\nwebhook_secret = \"env:SIGNING\"\n"),
    (
        "app_id_that_is_no_number",
        "[channels.github]\nwebhook_secret = \"env:SIGNING\"\napp_id = \"one\"\nprivate_key = \"env:PEM\"\n",
    ),
    ("model_without_a_provider", "[models.antropic]\napi_key = \"env:TOKEN\"\n"),
    ("script_without_a_file", "[models.rehearsal]\nprovider = \"script\"\nbase_url = \"http://127.0.0.1:1\"\n"),
    ("several_at_once", "[server]\nlisten = \"here\"\n[agents]\nfolder = \"agents\"\n[access]\ndefault = true\n"),
    ("a_name_that_attacks_the_terminal", "[\"\\u001b]0;owned\\u0007\"]\n"),
];

const VARIABLES: [(&str, &str); 6] = [
    ("SIGNING", "8f742231b10e8888abcd99yyyzzz85a5"),
    ("TOKEN", "xoxb-17653672481-19874698323"),
    ("PEM", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
    ("EMPTY", ""),
    ("CHANGEME", "changeme-please-now"),
    ("SHORT", "fifteen-bytes-x"),
];

/// What `serve` says to this configuration.
fn told(folder: &Path, variables: &[(&str, &str)]) -> String {
    let environment: Environment = VARIABLES.iter().chain(variables).copied().collect();
    let inputs = Inputs { path: None, folder: folder.into(), environment, flags: Vec::new() };
    let failure = Failure::from(load_from(&inputs, Mode::Serve).unwrap_err());
    assert_eq!(failure.exit_code(), 78);
    report::failure(&failure, false).replace(&format!("{}/", folder.display()), "")
}

#[test]
fn every_kind_of_bad_configuration_is_told_with_its_place_and_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in CASES {
        fs::write(folder.path().join("reveille.toml"), text).unwrap();
        let told = told(folder.path(), &[]);
        for secret in ["xoxb-1", "hunter2", "8f742231", "fifteen-bytes-x", "changeme-please", "\u{1b}"] {
            assert!(!told.contains(secret), "{name}: {told}");
        }
        insta::assert_snapshot!(*name, format!("{text}---\n{told}"));
    }
}

#[test]
fn a_missing_file_and_a_misspelt_variable_are_told() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("no_file", told(folder.path(), &[]));
    fs::write(folder.path().join("reveille.toml"), "").unwrap();
    insta::assert_snapshot!("variable", told(folder.path(), &[("REVEILLE__SERVER__LISTN", "127.0.0.1:1")]));
    fs::write(folder.path().join("reveille.toml"), [0xff, 0xfe]).unwrap();
    insta::assert_snapshot!("not_text", told(folder.path(), &[]));
    fs::write(folder.path().join("reveille.toml"), "").unwrap();
    fs::write(folder.path().join(".env"), "# mine\nnonsense secret\n").unwrap();
    insta::assert_snapshot!("bad_dotenv", told(folder.path(), &[]));
}

#[test]
fn the_program_exits_with_78() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "[servr]\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command.args(arguments).current_dir(folder.path()).env_clear().output().unwrap()
    };
    let output = run(&["agents", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("bad.toml:1:2: servr: there is no such table"));
    assert_eq!(run(&["agents", "--config", "missing.toml"]).status.code(), Some(78));
}
