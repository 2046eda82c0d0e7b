//! What people have to agree to, at the terminal and in scripts.

use serde_json::Value;

use crate::project::Project;
use crate::typewriter::Typewriter;

/// A project with an agent that asks before it looks at the clock. `says`: more lines of its file.
fn project(says: &str) -> Project {
    let project = Project::new();
    let file =
        format!("---\ndescription: Asks first.\ntools: [clock.now, thread.*]\napprove: [clock.now]\n{says}---\nAsk.\n");
    project.write("agents/careful/AGENT.md", &file);
    project
}

const FOUR_EYES: &str = "approval: { four_eyes: true }\n";

fn chat(project: &Project) -> Typewriter {
    let mut terminal = Typewriter::run(&mut project.reveille(&["chat", "careful"]));
    terminal.read_to("/help tells more");
    terminal
}

/// What came of the one call of a run, and what the standard error says.
fn run(project: &Project, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let arguments = [&["run", "careful", "--json"], arguments].concat();
    let output = project.piped(&arguments, b"what time is it?");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), report, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_person_says_yes_or_no_at_the_prompt() {
    let project = project("");
    let mut terminal = chat(&project);
    terminal.say("what time is it?");
    terminal.read_to("May careful use clock.now?");
    terminal.read_to("Answer with /approve or /deny; where several questions are open, add approval.");
    terminal.say("/deny 0x");
    terminal.read_to("no open question is called `0x`; open: approval.");
    terminal.say("/approve");
    // The call and the note in the question's place follow from the answer, in either order.
    let before = terminal.read_to("It is what it is.");
    assert!(before.contains("Approved by operator") && before.contains("used clock.now"), "{before}");
    terminal.say("/approve");
    terminal.read_to("no question is open");

    terminal.say("what time is it then?");
    terminal.read_to("May careful use clock.now?");
    terminal.say("/deny");
    let before = terminal.read_to("It is what it is.");
    assert!(before.contains("Denied by operator"), "{before}");
    assert!(before.contains("clock.now failed: People were asked and said no."), "{before}");

    terminal.say("what time is it now?");
    terminal.read_to("May careful use clock.now?");
    terminal.say("be quick");
    terminal.read_to("the agent waits for an answer to its question: /approve or /deny");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));

    // It is still open in the next terminal.
    let mut terminal = chat(&project);
    terminal.read_to("May careful use clock.now?");
    terminal.say("/deny");
    terminal.read_to("Denied by operator");
    terminal.read_to("You said before: be quick");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn whoever_asked_cannot_agree_where_it_takes_two() {
    let project = project(FOUR_EYES);
    let mut terminal = chat(&project);
    terminal.say("what time is it?");
    terminal.read_to("Somebody else than operator has to answer.");
    terminal.say("/approve");
    terminal.read_to("`four_eyes` needs somebody else than whoever asked, which is you");
    terminal.read_to("\u{1b}[?2004h");
    terminal.type_in("\u{3}");
    terminal.read_to("No longer asked: the work ended");
    terminal.say("/quit");
    let (code, printed) = terminal.end();
    assert_eq!(code, Some(0));
    assert!(!printed.contains("used clock.now"), "{printed}");
}

#[test]
fn lines_of_a_script_answer_and_their_end_is_a_no() {
    let project = project("");
    for (lines, outcome, said) in [
        ("what time is it?\n/approve\nhello\n", "ok", "Answer with /approve or /deny"),
        ("what time is it?\n/deny\nhello\n", "error", "Answer with /approve or /deny"),
        (
            "what time is it?\n",
            "error",
            "people would have to agree to clock.now, and the lines have come to their end",
        ),
        ("what time is it?\n/quit\n", "error", "so the answer is no"),
        ("what time is it?\n/deny zz\n", "error", "no open question is called `zz`"),
    ] {
        let output = project.piped(&["chat", "careful", "--ephemeral", "--json"], lines.as_bytes());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("note: May careful use clock.now?") && stderr.contains(said), "{stderr}");
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let text = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), lines.matches("what").count() + lines.matches("hello").count(), "{text}");
        assert_eq!(answers[0]["tool_calls"][0]["outcome"], outcome, "{text}");
        // What is asked is no part of the answer.
        assert_eq!(answers[0]["text"], "Looking at the clock.\n\nIt is what it is.");
    }
}

#[test]
fn the_end_of_a_scripts_lines_stops_what_it_takes_two_for() {
    let project = project(FOUR_EYES);
    let output = project.piped(&["chat", "careful", "--ephemeral"], b"what time is it?\n/approve\n");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("`four_eyes` needs somebody else"), "{stderr}");
    assert!(stderr.contains("the turn is stopped"), "{stderr}");
    assert_eq!(output.status.code(), Some(1), "{stderr}");
}

#[test]
fn a_run_says_no_at_once_and_goes_on() {
    let project = project("");
    insta::assert_snapshot!("run_asked", project.told(&["run", "careful"], b"what time is it?"));
    let (code, report, _) = run(&project, &[]);
    assert_eq!(code, Some(0));
    assert_eq!((&report["outcome"], &report["tool_calls"][0]["outcome"]), (&"completed".into(), &"error".into()));
    // Agreeing to another tool agrees to nothing else.
    let (code, report, _) = run(&project, &["--approve", "thread.react"]);
    assert_eq!((code, &report["tool_calls"][0]["outcome"]), (Some(0), &"error".into()));
}

#[test]
fn a_run_is_agreed_to_beforehand_tool_by_tool() {
    let project = project("");
    for pattern in ["clock.now", "clock.*"] {
        let (code, report, stderr) = run(&project, &["--approve", "thread.react", "--approve", pattern]);
        assert_eq!((code, &report["tool_calls"][0]["outcome"]), (Some(0), &"ok".into()), "{stderr}");
        assert_eq!(stderr, "note: agreed to clock.now, as --approve says\n");
    }
    for pattern in ["*", "clock.then", "github.*"] {
        let told = project.told(&["run", "careful", "--approve", pattern], b"what time is it?");
        insta::assert_snapshot!(format!("run_approve_{}", pattern.replace(['*', '.'], "_")), told);
    }
}

#[test]
fn a_run_of_what_it_takes_two_for_is_stopped_whatever_was_agreed_to() {
    let project = project(FOUR_EYES);
    for arguments in [&[][..], &["--approve", "clock.now"], &["--keep"]] {
        let (code, report, stderr) = run(&project, arguments);
        assert_eq!((code, &report["outcome"]), (Some(1), &"aborted".into()), "{stderr}");
        assert!(stderr.contains("somebody else than whoever asked would have to agree to clock.now"), "{stderr}");
        assert_ne!(report["tool_calls"][0]["outcome"], "ok");
    }
}

#[test]
fn a_run_does_not_answer_what_an_earlier_turn_asked() {
    let project = project("");
    let mut terminal = Typewriter::run(&mut project.reveille(&["chat", "careful", "--name", "one"]));
    terminal.read_to("/help tells more");
    terminal.say("what time is it?");
    terminal.read_to("Answer with /approve or /deny");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));
    let arguments = ["run", "careful", "--json", "--keep", "--name", "one", "--approve", "clock.now"];
    let output = project.piped(&arguments, b"what time is it?");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("waits for an answer to a question of an earlier turn"), "{error}");
}
