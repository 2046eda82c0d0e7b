//! A project in a folder of its own, and the real binary in it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What the model plays.
const SCRIPT: &str = r#"
rules:
  - when: { matches: "what time" }
    stream: ["Looking ", "at the clock."]
    calls: [{ tool: clock.now }]
  - when: { role: tool, tool: clock.now }
    stream: ["It is what it is."]
    usage: { input: 20, output: 5 }
  - when: { matches: "break" }
    stream: ["One ", "two "]
    fail: { kind: fatal, after_chunks: 2, message: "no such model" }
  - when: { matches: "tabs" }
    stream: ["a\tb \u001b[31mred\u001b[0m\n"]
  - when: { matches: "slowly" }
    stream: ["One ", "two ", "three."]
    pause_ms: 60000
  - when: { matches: "in pieces" }
    stream: ["One ", "two ", "three."]
    pause_ms: 800
  - when: { messages_at_least: 3 }
    stream: ["You said before: ", "{last}"]
  - stream: ["You said: ", "{last}"]
    usage: { input: 10, output: 5 }
"#;

/// One story: a project with an agent that no rule wakes.
pub(crate) struct Project {
    pub(crate) folder: TempDir,
}

impl Project {
    /// A project whose model is [`SCRIPT`].
    pub(crate) fn new() -> Self {
        let project = Self::without_model();
        project.write("script.yaml", SCRIPT);
        project.write("reveille.toml", "[models.played]\nprovider = \"script\"\nscript = \"script.yaml\"\n");
        project
    }

    /// A project in which no model is configured.
    pub(crate) fn without_model() -> Self {
        let project = Self { folder: TempDir::new().unwrap() };
        project.write(
            "agents/assistant/AGENT.md",
            "---\ndescription: Answers questions.\ntools: [clock.now, thread.*]\n---\nYou answer questions.\n",
        );
        std::fs::create_dir(project.path().join("tmp")).unwrap();
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The names in a folder of the project; none where it is not there.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path().join(folder)) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The command line in this project. Temporary files are in its folder `tmp`.
    pub(crate) fn reveille(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("TMPDIR", self.path().join("tmp")).env("REVEILLE_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it with this on its standard input.
    pub(crate) fn piped(&self, arguments: &[&str], input: &[u8]) -> Output {
        self.fed(&mut self.reveille(arguments), input)
    }

    /// Runs this with this on its standard input.
    pub(crate) fn fed(&self, command: &mut Command, input: &[u8]) -> Output {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // It may have had enough before all of it is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Both outputs and the exit code, without what differs from run to run.
    pub(crate) fn told(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.piped(arguments, input);
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&self.path().display().to_string(), "FOLDER");
        let code = output.status.code().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(text);
        format!("$ reveille {}\n{out}--- {code}\n{err}", arguments.join(" "))
    }
}
