//! `reveille run`.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use serde_json::{Value, json};

use crate::project::Project;

#[test]
fn the_answer_is_on_the_standard_output_and_nothing_else_is_anywhere() {
    let project = Project::new();
    project.write("question.txt", "hello from a file\n");
    for (arguments, expected) in [
        (&["run", "assistant"][..], "You said: hello from a pipe\n"),
        (&["run", "assistant", "--input", "-"], "You said: hello from a pipe\n"),
        (&["run", "assistant", "--input", "question.txt"], "You said: hello from a file\n"),
    ] {
        let output = project.piped(arguments, b"hello from a pipe\r\n");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(output.status.code(), Some(0));
    }
    assert_eq!(project.names("tmp"), Vec::<String>::new());
    assert_eq!(project.names(".reveille"), Vec::<String>::new());
}

#[test]
fn the_answer_is_to_the_letter_where_no_terminal_has_to_be_guarded() {
    let output = Project::new().piped(&["run", "assistant"], b"tabs please");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a\tb \u{1b}[31mred\u{1b}[0m\n");
}

#[test]
fn json_is_one_object_with_what_a_script_asks_for() {
    let project = Project::new();
    let output = project.piped(&["run", "assistant", "--json"], b"what time is it?");
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let instance = report["instance"].as_str().unwrap();
    assert!(instance.starts_with("assistant/local/terminal/run-"), "{instance}");
    let id = report["tool_calls"][0]["id"].as_str().unwrap();
    assert_eq!(
        report,
        json!({
            "outcome": "completed",
            "reason": null,
            "text": "Looking at the clock.\n\nIt is what it is.",
            "agent": "assistant",
            "model": "played/script",
            "rehearsal": false,
            "instance": instance,
            "turn": 1,
            "usage": { "input_tokens": report["usage"]["input_tokens"], "output_tokens": report["usage"]["output_tokens"], "cached_tokens": 0 },
            "tool_calls": [{ "id": id, "name": "clock.now", "arguments": {}, "outcome": "ok" }],
            "reactions": [],
        })
    );
    assert!(report["usage"]["input_tokens"].as_u64().unwrap() > 20);
}

#[test]
fn a_turn_that_fails_exits_with_1_and_says_why_on_either_output() {
    let project = Project::new();
    insta::assert_snapshot!("run_failed", project.told(&["run", "assistant"], b"break it"));
    let output = project.piped(&["run", "assistant", "--json"], b"break it");
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    assert!(report["reason"].as_str().unwrap().contains("no such model"), "{report:#}");
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_to_do() {
    let project = Project::new();
    project.write("agents/reviewer/AGENT.md", "---\ndescription: Reviews.\n---\nReview.\n");
    let run = |arguments: &[&str], input: &[u8]| project.told(arguments, input);
    insta::assert_snapshot!("run_no_agent_named", run(&["run"], b"hello"));
    insta::assert_snapshot!("run_unknown_agent", run(&["run", "asistant"], b"hello"));
    insta::assert_snapshot!("run_nothing", run(&["run", "assistant"], b" \n"));
    insta::assert_snapshot!("run_no_file", run(&["run", "assistant", "--input", "nothing.txt"], b""));
    insta::assert_snapshot!("run_folder", run(&["run", "assistant", "--input", "agents"], b""));
    insta::assert_snapshot!("run_not_utf8", run(&["run", "assistant"], b"caf\xe9"));
    insta::assert_snapshot!("run_too_long", run(&["run", "assistant"], &vec![b'x'; 10 * 1024 * 1024]));
    insta::assert_snapshot!("run_name_without_keep", run(&["run", "assistant", "--name", "x"], b"hello"));
    insta::assert_snapshot!("run_bad_name", run(&["run", "assistant", "--keep", "--name", "a/b"], b"hello"));
    let empty = Project::new();
    std::fs::remove_dir_all(empty.path().join("agents/assistant")).unwrap();
    insta::assert_snapshot!("run_no_agents", empty.told(&["run", "assistant"], b"hello"));
}

#[test]
fn bad_configuration_exits_with_78_before_anything_is_read() {
    let project = Project::new();
    project.write("agents/broken/AGENT.md", "---\nmodl: x\ndescription: Broken.\n---\nHi.\n");
    project.write("agents/keyless/AGENT.md", "---\ndescription: X.\nmodel: anthropic/claude-sonnet-4-6\n---\nHi.\n");
    project.write("agents/lost/AGENT.md", "---\ndescription: X.\nmodel: plaid/script\n---\nHi.\n");
    insta::assert_snapshot!("run_broken_agent", project.told(&["run", "broken"], b"hello"));
    insta::assert_snapshot!("run_no_key", project.told(&["run", "keyless"], b"hello"));
    insta::assert_snapshot!("run_no_table", project.told(&["run", "lost"], b"hello"));
    let project = Project::without_model();
    insta::assert_snapshot!("run_no_rehearsal", project.told(&["run", "assistant", "--no-rehearsal"], b"hello"));
    project.write("reveille.toml", "[modls.x]\n");
    insta::assert_snapshot!("run_bad_configuration", project.told(&["run", "assistant"], b"hello"));
}

#[test]
fn without_a_model_it_rehearses_and_says_so_beside_the_answer() {
    let project = Project::without_model();
    insta::assert_snapshot!("run_rehearsal", project.told(&["run", "assistant"], b"hello"));
    // A connection whose secrets are not here is no business of a run.
    project.write("reveille.toml", "[channels.slack]\nsigning_secret = \"env:NO\"\nbot_token = \"env:NO\"\n");
    let mut command = project.reveille(&["--log-format", "json", "run", "assistant", "--json"]);
    let output = project.fed(command.env_remove("REVEILLE_LOG"), b"hello");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rehearsal"], true);
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(said["fields"]["message"].as_str().unwrap().contains("rehearsal"), "{said}");
}

#[test]
fn what_is_kept_can_be_looked_at_and_gone_on_with() {
    let project = Project::new();
    let run = |name: &str, input: &[u8]| {
        let output = project.piped(&["run", "assistant", "--keep", "--name", name], input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run("release", b"hello"), "You said: hello\n");
    assert_eq!(run("release", b"again"), "You said before: again\n");
    assert_eq!(run("other", b"hello"), "You said: hello\n");
    let turns = project.piped(&["turns", "--json"], b"");
    let turns: Value = serde_json::from_slice(&turns.stdout).unwrap();
    let turns: Vec<_> = turns.as_array().unwrap().iter().map(|turn| turn["address"].as_str().unwrap()).collect();
    assert_eq!(turns.iter().filter(|address| **address == "assistant/local/terminal/release").count(), 2);
    let instances = project.piped(&["instances", "--json"], b"");
    let instances: Value = serde_json::from_slice(&instances.stdout).unwrap();
    assert!(instances.as_array().unwrap().iter().all(|row| row["state"] == "asleep"), "{instances:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_a_gateway_has_is_not_taken_from_it() {
    use reveille::journal::Engine;
    use reveille::journal::embedded::{Embedded, Options};

    let project = Project::new();
    let journal = Embedded::open(&project.path().join(".reveille"), Options::default()).await.unwrap();
    insta::assert_snapshot!("run_locked", project.told(&["run", "assistant", "--keep"], b"hello"));
    let beside = project.piped(&["run", "assistant"], b"hello");
    assert_eq!(String::from_utf8(beside.stdout).unwrap(), "You said: hello\n");
    journal.close().await;
}

#[test]
fn a_reader_that_has_enough_is_nobodys_failure() {
    let project = Project::new();
    let mut child = project.reveille(&["run", "assistant"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hello").unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_signal_ends_the_turn_and_leaves_nothing_behind() {
    let project = Project::new();
    let mut child = project
        .reveille(&["run", "assistant"])
        .env("REVEILLE_LOG", "info")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"slowly").unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("turn started")));
    assert_eq!(project.names("tmp").len(), 1);
    let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    let rest: Vec<String> = log.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(rest.iter().any(|line| line.contains("the turn of `assistant` was stopped")), "{rest:#?}");
    assert_eq!(project.names("tmp"), Vec::<String>::new());
}
