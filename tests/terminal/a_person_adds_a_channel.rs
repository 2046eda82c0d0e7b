//! `reveille add channel` at a terminal: it asks, and what is secret is not shown while it is typed.

use crate::project::Project;
use crate::typewriter::Typewriter;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzzqgy";

#[test]
fn secrets_are_typed_unseen_into_a_file_of_their_own() {
    let project = Project::new();
    let mut terminal = Typewriter::run(&mut project.reveille(&[
        "add",
        "channel",
        "slack",
        "--no-check",
        "--api-base-url",
        "http://127.0.0.1:9/api",
    ]));
    // How the platform reaches the gateway: the first is no address, so it is asked again.
    terminal.say("bot.example.com");
    terminal.say("https://bot.example.com");
    terminal.read_to("https://bot.example.com/channels/slack/events");
    terminal.say(TOKEN);
    // The signing secret: too short to be one, so it is asked again.
    terminal.say("short");
    terminal.say(SECRET);
    let (code, printed) = terminal.end();
    assert_eq!(code, Some(0), "{printed}");
    assert!(!printed.contains(SECRET) && !printed.contains(TOKEN), "{printed}");
    assert!(printed.contains("SLACK_BOT_TOKEN:") && printed.contains("*****"), "{printed}");
    assert!(!printed.contains("Still missing"), "{printed}");
    let dotenv = std::fs::read_to_string(project.path().join(".env")).unwrap();
    assert_eq!(dotenv, format!("SLACK_BOT_TOKEN={TOKEN}\nSLACK_SIGNING_SECRET={SECRET}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(project.path().join(".env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let ignored = std::fs::read_to_string(project.path().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == ".env"), "{ignored}");
    let written = std::fs::read_to_string(project.path().join("reveille.toml")).unwrap();
    assert!(written.contains("public_url = \"https://bot.example.com\""), "{written}");

    // What is there is not asked again, and changing something is.
    let mut again = Typewriter::run(&mut project.reveille(&[
        "add",
        "channel",
        "slack",
        "--no-check",
        "--api-base-url",
        "http://127.0.0.1:9/other",
    ]));
    again.say("n");
    let (code, printed) = again.end();
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("This changes what is there: channels.slack.api_base_url"), "{printed}");
    assert_eq!(std::fs::read_to_string(project.path().join("reveille.toml")).unwrap(), written);
}
