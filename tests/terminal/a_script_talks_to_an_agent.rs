//! `reveille chat` without a terminal: lines in, answers out.

use serde_json::Value;

use crate::project::Project;

#[test]
fn each_line_is_answered_in_its_turn() {
    let project = Project::new();
    let output = project.piped(&["chat"], b"hello\n\n \nwhat time is it?\r\n/etc/hosts\n/quit\nnever\n");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "You said: hello\nLooking at the clock.\n\nIt is what it is.\nYou said before: /etc/hosts\n"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
    // The conversation is kept, and the last line needs no end.
    let output = project.piped(&["chat"], b"again");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "You said before: again\n");
    let output = project.piped(&["chat", "--ephemeral"], b"hello");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "You said: hello\n");
}

#[test]
fn json_is_one_object_a_line() {
    let project = Project::new();
    let output = project.piped(&["chat", "--json", "--name", "ci"], b"hello\nwhat time is it?\n");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["text"], "You said: hello");
    assert_eq!(answers[1]["tool_calls"][0]["name"], "clock.now");
    assert_eq!(answers[1]["turn"], 2);
    assert_eq!(answers[1]["instance"], "assistant/local/terminal/ci");
}

#[test]
fn a_turn_that_fails_is_told_and_the_next_line_has_its_answer() {
    let project = Project::new();
    insta::assert_snapshot!("chat_failed", project.told(&["chat"], b"break it\nhello\n"));
}

#[test]
fn what_cannot_be_said_ends_it_with_2() {
    let project = Project::new();
    insta::assert_snapshot!("chat_unknown_command", project.told(&["chat"], b"hello\n/where\nnever\n"));
    insta::assert_snapshot!("chat_not_utf8", project.told(&["chat"], b"caf\xe9\n"));
    insta::assert_snapshot!("chat_bad_name", project.told(&["chat", "--name", "../x"], b""));
    project.write("agents/one/AGENT.md", "---\ndescription: One.\n---\nOne.\n");
    project.write("agents/two/AGENT.md", "---\ndescription: Two.\n---\nTwo.\n");
    std::fs::remove_dir_all(project.path().join("agents/assistant")).unwrap();
    insta::assert_snapshot!("chat_which_agent", project.told(&["chat"], b"hello"));
    insta::assert_snapshot!("chat_unknown_agent", project.told(&["chat", "assistant"], b"hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_a_gateway_has_is_not_taken_from_it() {
    use reveille::journal::Engine;
    use reveille::journal::embedded::{Embedded, Options};

    let project = Project::new();
    let journal = Embedded::open(&project.path().join(".reveille"), Options::default()).await.unwrap();
    insta::assert_snapshot!("chat_locked", project.told(&["chat"], b"hello"));
    journal.close().await;
}
