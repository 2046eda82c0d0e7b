//! `reveille chat` and `reveille run` at a terminal.

use crate::project::Project;
use crate::typewriter::Typewriter;

fn chat(project: &Project, arguments: &[&str]) -> Typewriter {
    Typewriter::run(&mut project.reveille(&[&["chat"], arguments].concat()))
}

#[test]
fn an_answer_grows_under_the_line_and_the_conversation_goes_on_another_day() {
    let project = Project::new();
    let mut terminal = chat(&project, &[]);
    terminal.read_to("assistant: Answers questions.");
    terminal.read_to("/help tells more");
    terminal.say("hello");
    terminal.read_to("You said: hello");
    terminal.say("what time is it?");
    terminal.read_to("Looking at the clock.");
    terminal.read_to("used clock.now");
    terminal.read_to("It is what it is.");
    terminal.say("/help");
    terminal.read_to("stops the answer that is coming");
    terminal.say("/where");
    terminal.read_to("there is no command /where");
    // Ctrl-C throws the line away, Ctrl-D leaves.
    terminal.read_to("> ");
    terminal.type_in("never said\u{3}");
    terminal.read_to("Ctrl-D or /quit leaves");
    terminal.read_to("> ");
    terminal.type_in("\u{4}");
    let (code, printed) = terminal.end();
    assert_eq!(code, Some(0), "{printed}");

    let mut terminal = chat(&project, &["assistant"]);
    let before = terminal.read_to("The latest:");
    assert!(before.contains("It goes on after 5 messages."), "{before}");
    terminal.read_to("> what time is it?");
    terminal.read_to("It is what it is.");
    terminal.say("again");
    terminal.read_to("You said before: again");
    terminal.say("/quit");
    let (code, printed) = terminal.end();
    assert_eq!(code, Some(0), "{printed}");
    assert!(!printed.contains("never said"), "{printed}");

    let mut other = chat(&project, &["--name", "other"]);
    other.read_to("/help tells more");
    other.say("hello");
    other.read_to("You said: hello");
    other.say("/quit");
    assert_eq!(other.end().0, Some(0));
}

#[test]
fn ctrl_c_stops_the_answer_and_gives_the_line_back() {
    let project = Project::new();
    let mut terminal = chat(&project, &[]);
    terminal.read_to("/help tells more");
    terminal.say("slowly");
    terminal.read_to("Thinking");
    terminal.interrupt();
    terminal.read_to("Stopped");
    terminal.say("hello");
    terminal.read_to("You said before: hello");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));
    let turns = project.piped(&["turns", "--json"], b"");
    let turns: serde_json::Value = serde_json::from_slice(&turns.stdout).unwrap();
    let outcomes: Vec<_> = turns.as_array().unwrap().iter().map(|turn| turn["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "aborted").count(), 1, "{outcomes:?}");
    assert!(outcomes.contains(&"completed"), "{outcomes:?}");
}

#[test]
fn an_answer_that_was_cut_off_arrives_in_the_next_terminal_whole() {
    let project = Project::new();
    let mut terminal = chat(&project, &[]);
    terminal.read_to("/help tells more");
    terminal.say("in pieces");
    terminal.read_to("One ");
    terminal.kill();

    let mut terminal = chat(&project, &[]);
    terminal.read_to("/help tells more");
    terminal.read_to("One two three.");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));
    let turns = project.piped(&["turns", "--json"], b"");
    let turns: serde_json::Value = serde_json::from_slice(&turns.stdout).unwrap();
    assert_eq!((turns[0]["turn"].as_u64(), turns[0]["outcome"].as_str()), (Some(1), Some("completed")));
}

#[test]
fn what_a_model_writes_does_nothing_to_the_terminal() {
    let project = Project::new();
    let mut terminal = chat(&project, &["--ephemeral"]);
    terminal.read_to("/help tells more");
    terminal.say("tabs");
    terminal.read_to("a\tb \\u{1b}[31mred\\u{1b}[0m");
    terminal.say("/quit");
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!((project.names("tmp"), project.names(".reveille")), (Vec::new(), Vec::new()));
}

#[test]
fn quiet_lines_are_dimmed_unless_colours_are_unwanted() {
    const DIM: &str = "\u{1b}[2m";
    let project = Project::new();
    for (no_color, is_dimmed) in [(None, true), (Some("1"), false)] {
        let mut command = project.reveille(&["chat", "--ephemeral"]);
        command.envs(no_color.map(|value| ("NO_COLOR", value)));
        let mut terminal = Typewriter::run(&mut command);
        terminal.read_to("/help tells more");
        terminal.say("/quit");
        let (_, printed) = terminal.end();
        assert_eq!(printed.contains(DIM), is_dimmed, "{printed:?}");
    }
}

#[test]
fn a_run_at_a_terminal_shows_the_answer_grow_and_wants_an_input() {
    let project = Project::new();
    let mut terminal = Typewriter::run(&mut project.reveille(&["run", "assistant"]));
    terminal.read_to("there is nothing to say: no --input, and the standard input is a terminal");
    assert_eq!(terminal.end().0, Some(2));

    let mut terminal = Typewriter::run(&mut project.reveille(&["run", "assistant", "--input", "-"]));
    terminal.type_in("what time is it?\n\u{4}");
    terminal.read_to("Looking at the clock.");
    terminal.read_to("used clock.now");
    terminal.read_to("It is what it is.");
    assert_eq!(terminal.end().0, Some(0));
}
