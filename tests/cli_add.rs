//! `reveille add`: what it writes, what it says, and what it refuses.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn reveille(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.args(arguments).current_dir(folder).env_clear();
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    reveille(folder, arguments).output().unwrap()
}

/// Both outputs and the exit code, without what differs from run to run.
fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&folder.display().to_string(), "FOLDER");
    let code = output.status.code().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(text);
    format!("$ reveille {}\n{out}--- {code}\n{err}", arguments.join(" "))
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A project as `init` makes it, with an agent that stays as it is.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &["init"]);
    let agent = "---\ndescription: Runs \"the thread\" of an incident.\nwake:\n  - slack: { command: /ops, mention: true }\n---\nYou help.\n";
    fs::remove_dir_all(folder.path().join("agents/assistant")).unwrap();
    fs::create_dir(folder.path().join("agents/ops")).unwrap();
    fs::write(folder.path().join("agents/ops/AGENT.md"), agent).unwrap();
    folder
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

const URL: [&str; 2] = ["--public-url", "https://bot.example.com"];

#[test]
fn slack_is_added_once_and_what_a_person_wrote_stays() {
    let project = project();
    let folder = project.path();
    let add = [&["add", "channel", "slack"][..], &URL].concat();
    insta::assert_snapshot!("slack", told(folder, &add));
    insta::assert_snapshot!("slack_page", read(folder, "docs/channels/slack.md"));
    let written = read(folder, "reveille.toml");
    insta::assert_snapshot!("slack_configuration", written);
    insta::assert_snapshot!("slack_again", told(folder, &["add", "channel", "slack"]));
    assert_eq!(read(folder, "reveille.toml"), written);
    assert!(!folder.join(".env").exists());

    // Socket Mode beside what is there: a second way for deliveries, and nothing is taken away.
    let sockets = succeeds(folder, &["add", "channel", "slack", "--socket-mode"]);
    assert!(sockets.contains("wrote  reveille.toml: channels.slack.app_token\n"), "{sockets}");
    assert!(sockets.contains("\"socket_mode_enabled\": true"), "{sockets}");
    assert_eq!(read(folder, "reveille.toml"), format!("{written}app_token = \"env:SLACK_APP_TOKEN\"\n"));
}

#[test]
fn github_is_added_as_an_app_or_with_a_token() {
    let project = project();
    let folder = project.path();
    let app = told(folder, &[&["add", "channel", "github", "--app-id", "12345"][..], &URL].concat());
    insta::assert_snapshot!("github", app);
    insta::assert_snapshot!("github_page", read(folder, "docs/channels/github.md"));
    // The secret of the webhook is made, kept for its owner alone, and said nowhere.
    let dotenv = read(folder, ".env");
    let secret = dotenv.trim_end().strip_prefix("GITHUB_WEBHOOK_SECRET=").unwrap();
    assert!(secret.len() == 64 && !app.contains(secret) && !read(folder, "docs/channels/github.md").contains(secret));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.join(".env")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = succeeds(folder, &["add", "channel", "github"]);
    assert!(again.contains("kept   reveille.toml: [channels.github] is there already\n"), "{again}");
    assert_eq!(read(folder, ".env"), dotenv);

    insta::assert_snapshot!("github_other_app", told(folder, &["add", "channel", "github", "--app-id", "6"]));
    insta::assert_snapshot!("github_token_refused", told(folder, &["add", "channel", "github", "--token"]));
    succeeds(folder, &["add", "channel", "github", "--token", "--yes"]);
    let written = read(folder, "reveille.toml");
    assert!(written.contains("token = \"env:GITHUB_TOKEN\"") && !written.contains("\napp_id"), "{written}");
}

#[test]
fn linear_is_added_with_its_settings_and_a_name_of_its_own() {
    let project = project();
    let folder = project.path();
    insta::assert_snapshot!("linear", told(folder, &["add", "channel", "linear", "--name", "linear-eu"]));
    insta::assert_snapshot!("linear_page", read(folder, "docs/channels/linear-eu.md"));
    let written = read(folder, "reveille.toml");
    assert!(written.contains("[channels.linear-eu]\nkind = \"linear\"\n"), "{written}");
    let token = succeeds(folder, &["add", "channel", "linear", "--access-token"]);
    assert!(token.contains("https://linear.app/oauth/authorize?client_id=CLIENT_ID"), "{token}");
}

#[test]
fn discord_is_added_with_an_invitation_and_needs_no_public_address() {
    let project = project();
    let folder = project.path();
    let add = ["add", "channel", "discord", "--application-id", "123456789012345678"];
    let told = told(folder, &add);
    let invitation = "https://discord.com/oauth2/authorize?client_id=123456789012345678&scope=bot+applications.commands&permissions=309237713984";
    assert!(told.contains(invitation) && told.ends_with("--- 0\n"), "{told}");
    assert!(told.contains("  DISCORD_PUBLIC_KEY: ") && told.contains("  DISCORD_BOT_TOKEN: "), "{told}");
    let page = read(folder, "docs/channels/discord.md");
    assert!(page.contains(invitation) && page.contains("| `bot_token` | `DISCORD_BOT_TOKEN` in `.env` |"), "{page}");
    assert!(page.contains("*Message Content Intent*") && !page.contains("YOUR-HOST` leads"), "{page}");
    assert!(!told.contains("public_url"), "{told}");
    // Without the gateway Discord has to reach us.
    let by_http = succeeds(folder, &["add", "channel", "discord", "--no-gateway"]);
    assert!(by_http.contains("server.public_url") && by_http.contains("channels.discord.gateway\n"), "{by_http}");
    assert!(read(folder, "reveille.toml").ends_with("gateway = false\n"));
}

#[test]
fn programs_get_json() {
    let project = project();
    let out = succeeds(project.path(), &[&["add", "channel", "slack", "--json"][..], &URL].concat());
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["connection"], "slack");
    assert_eq!(report["blueprint"], "docs/channels/slack.md");
    assert_eq!(report["papers"]["manifest"]["features"]["slash_commands"][0]["command"], "/ops");
    let names: Vec<_> = report["missing"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]);
    assert_eq!(report["checks"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let empty = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("no_project", told(empty.path(), &["add", "channel", "slack"]));
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);

    let project = project();
    let folder = project.path();
    let before = read(folder, "reveille.toml");
    insta::assert_snapshot!("help_channel_github", told(folder, &["add", "channel", "github", "--help"]));
    insta::assert_snapshot!("unknown_platform", told(folder, &["add", "channel", "slak"]));
    insta::assert_snapshot!("odd_name", told(folder, &["add", "channel", "slack", "--name", "Slack EU"]));
    for url in ["bot.example.com", "ftp://bot.example.com", "https://a:b@bot.example.com", "https://x.example.com/?a=b"]
    {
        let refused = told(folder, &["add", "channel", "slack", "--public-url", url]);
        assert!(refused.contains("RV0306") && refused.contains("--- 2\n"), "{refused}");
    }
    insta::assert_snapshot!("odd_url", told(folder, &["add", "channel", "slack", "--public-url", "bot.example.com"]));
    // A secret is no flag.
    assert_eq!(run(folder, &["add", "channel", "slack", "--bot-token", "xoxb-1"]).status.code(), Some(2));
    assert_eq!(read(folder, "reveille.toml"), before);
    assert!(!folder.join("docs").exists() && !folder.join(".env").exists());

    fs::write(folder.join("docs"), "a file where a folder would be").unwrap();
    let unwritable = told(folder, &["add", "channel", "slack"]);
    assert!(unwritable.contains("RV0301") && unwritable.contains("--- 1\n"), "{unwritable}");
    assert_eq!(read(folder, "reveille.toml"), before);

    fs::write(
        folder.join("reveille.toml"),
        "[channels.bot]\nkind = \"github\"\ntoken = \"env:T\"\nwebhook_secret = \"env:W\"\n",
    )
    .unwrap();
    insta::assert_snapshot!("name_taken", told(folder, &["add", "channel", "slack", "--name", "bot"]));
    fs::write(folder.join("reveille.toml"), "[chat]\n").unwrap();
    let broken = told(folder, &["add", "channel", "slack"]);
    assert!(broken.contains("RV0004") && broken.contains("--- 78\n"), "{broken}");
    assert_eq!(read(folder, "reveille.toml"), "[chat]\n");
}

#[test]
fn an_agent_and_a_skill_are_added_and_can_be_read() {
    let project = project();
    let folder = project.path();
    insta::assert_snapshot!(
        "agent",
        told(folder, &["add", "agent", "helper", "--description", "Helps: with \"all\"."])
    );
    insta::assert_snapshot!("agent_file", read(folder, "agents/helper/AGENT.md"));
    insta::assert_snapshot!("skill", told(folder, &["add", "skill", "helper", "reproduce-bug"]));
    insta::assert_snapshot!("agent_again", told(folder, &["add", "agent", "helper"]));
    insta::assert_snapshot!("skill_of_nobody", told(folder, &["add", "skill", "helpr", "reproduce-bug"]));
    assert_eq!(run(folder, &["add", "agent", "../helper"]).status.code(), Some(2));
    assert_eq!(run(folder, &["add", "skill", "helper", "A B"]).status.code(), Some(2));
    let agents: Value = serde_json::from_str(&succeeds(folder, &["agents", "--json"])).unwrap();
    let names: Vec<_> = agents["agents"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!((names, &agents["errors"]), (vec!["helper", "ops"], &serde_json::json!([])));
}
