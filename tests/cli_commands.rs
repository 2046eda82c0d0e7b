//! What a person meets on the command line: help, empty places, errors, `--json`.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// Both outputs and the exit code, without what differs from run to run.
fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&folder.display().to_string(), "FOLDER");
    let code = output.status.code().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(text);
    format!("$ reveille {}\n{out}--- {code}\n{err}", arguments.join(" "))
}

/// An agent that stays as it is, whatever the shipped ones come to be.
const AGENT: &str = "\
---
name: assistant
description: Answers questions.
model: anthropic/claude-sonnet-4-6
wake:
  - slack: { mention: true, direct: true, follow_up: true }
  - github: { event: issues.opened, repositories: [\"acme/*\"] }
tools: [thread.history, clock.now]
---
You answer questions.
";

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_a_help_text() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("help", told(folder.path(), &["--help"]));
    for command in reveille::cli::command().get_subcommands() {
        let name = command.get_name();
        insta::assert_snapshot!(format!("help_{name}"), told(folder.path(), &[name, "--help"]));
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("no_command", told(folder.path(), &[]));
    insta::assert_snapshot!("unknown_command", told(folder.path(), &["agent"]));
    insta::assert_snapshot!("unknown_flag", told(folder.path(), &["agents", "--jsn"]));
    insta::assert_snapshot!("unknown_error", told(folder.path(), &["explain", "rv0099"]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    let output =
        command.arg("agents").current_dir(folder.path()).env_clear().env("REVEILLE_LOG", "a=b=c").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!("bad_log_filter", String::from_utf8(output.stderr).unwrap());
}

#[test]
fn init_makes_a_project_once_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("init", told(folder.path(), &["init", "bot"]));
    let bot = folder.path().join("bot");
    fs::write(bot.join("reveille.toml"), "# mine\n").unwrap();
    insta::assert_snapshot!("init_again", told(&bot, &["init"]));
    assert_eq!(fs::read_to_string(bot.join("reveille.toml")).unwrap(), "# mine\n");
    fs::write(bot.join("agents/assistant/AGENT.md"), AGENT).unwrap();
    insta::assert_snapshot!("agents", told(&bot, &["agents"]));
    let agents: serde_json::Value = serde_json::from_str(&succeeds(&bot, &["agents", "--json"])).unwrap();
    let hash = agents["agents"][0]["hash"].as_str().unwrap();
    insta::assert_snapshot!("agents_show", told(&bot, &["agents", "show", "assistant"]).replace(hash, "HASH"));
    insta::assert_snapshot!("agents_show_unknown", told(&bot, &["agents", "show", "asistant"]));
    assert_eq!(agents["agents"][0]["name"], "assistant");
    assert_eq!(agents["errors"], serde_json::json!([]));

    fs::write(folder.path().join("file"), "").unwrap();
    let refused = told(folder.path(), &["init", "file/bot"]);
    assert!(refused.contains("RV0301") && refused.contains("--- 1\n"), "{refused}");
}

#[test]
fn agents_with_mistakes_are_told_and_the_others_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &["init"]);
    fs::write(folder.path().join("agents/assistant/AGENT.md"), AGENT).unwrap();
    let broken = folder.path().join("agents/broken");
    fs::create_dir(&broken).unwrap();
    fs::write(
        broken.join("AGENT.md"),
        "---\nname: broken\ndescription: x\nmodl: anthropic/x\nwake:\n  - slack: { mention: true }\n---\nHi.\n",
    )
    .unwrap();
    insta::assert_snapshot!("agents_with_mistakes", told(folder.path(), &["agents"]));
    let empty = tempfile::tempdir().unwrap();
    fs::create_dir(empty.path().join("agents")).unwrap();
    insta::assert_snapshot!("agents_none", told(empty.path(), &["agents"]));
}

#[test]
fn doctor_says_how_to_mend_each_red_line() {
    let folder = tempfile::tempdir().unwrap();
    let missing = run(folder.path(), &["doctor"]);
    assert_eq!(missing.status.code(), Some(78));
    assert!(String::from_utf8(missing.stdout).unwrap().contains("reveille init"));

    succeeds(folder.path(), &["init"]);
    let report: serde_json::Value = serde_json::from_str(&succeeds(folder.path(), &["doctor", "--json"])).unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    let names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["configuration", "agents", "disk", "disk space", "database", "data folder", "clock", "public URL"] {
        assert!(names.contains(&name), "{names:?}");
    }

    let bad = "[channels.slack]\nsigning_secret = \"env:SIGNING\"\nbot_tokn = \"env:TOKEN\"\n[access]\ndefault = \"member\"\n";
    fs::write(folder.path().join("reveille.toml"), bad).unwrap();
    insta::assert_snapshot!("doctor_bad", told(folder.path(), &["doctor"]));
}

#[test]
fn explain_prints_a_page_and_lists_them() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("explain_all", told(folder.path(), &["explain"]));
    let page = succeeds(folder.path(), &["explain", "rv0012"]);
    assert_eq!(page, include_str!("../docs/errors/RV0012.md"));
}

#[test]
fn completions_are_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(succeeds(folder.path(), &["completions", shell]).contains("doctor"), "{shell}");
    }
}

#[test]
fn serve_does_not_start_with_agents_that_cannot_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let configuration =
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[models.played]\nprovider = \"script\"\nscript = \"script.yaml\"\n";
    fs::write(folder.join("reveille.toml"), configuration).unwrap();
    fs::write(folder.join("script.yaml"), "rules:\n  - stream: [\"Yes.\"]\n").unwrap();
    let agent = |front: &str| format!("---\ndescription: Answers.\n{front}\n---\nYou answer.\n");
    for (front, told) in [
        ("wake:\n  - slak: { mention: true }", "there is no connection `slak`"),
        ("model: foo/bar\nwake:\n  - slack: { mention: true }", "[models.foo]"),
        ("wake:\n  - slack: { mentoin: true }", "mentoin"),
    ] {
        fs::create_dir_all(folder.join("agents/one")).unwrap();
        fs::write(folder.join("agents/one/AGENT.md"), agent(front)).unwrap();
        let output = run(folder, &["serve"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{front}: {error}");
        assert!(error.contains(told), "{front}: {error}");
    }
    fs::remove_dir_all(folder.join("agents")).unwrap();
    let output = run(folder, &["serve"]);
    assert_eq!(output.status.code(), Some(78), "{}", String::from_utf8_lossy(&output.stderr));
}
