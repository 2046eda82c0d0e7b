//! A terminal with somebody at it: a pseudo-terminal, what was typed, and what can be read on it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A command that runs at a terminal.
pub(crate) struct Typewriter {
    child: Child,
    keys: File,
    paper: Receiver<Vec<u8>>,
    /// What was read, and up to where a story has gone on.
    printed: String,
    seen: usize,
}

impl Typewriter {
    /// Runs a command at a terminal of its own.
    pub(crate) fn run(command: &mut Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let end = || Stdio::from(open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        let child = command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command holds the other end open too: what it holds goes with it.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let keys = File::from(ours);
        let mut reading = keys.try_clone().unwrap();
        let (pieces, paper) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // When nobody has the other end open any more this is an error (EIO on Linux).
            while let Ok(length @ 1..) = reading.read(&mut piece) {
                if pieces.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, paper, printed: String::new(), seen: 0 }
    }

    /// Presses these keys.
    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the prompt, with which pasting is made known, and types a line.
    pub(crate) fn say(&mut self, line: &str) {
        self.read_to("\u{1b}[?2004h");
        self.type_in(&format!("{line}\r"));
    }

    /// Reads on until this stands there, and what stands before it.
    pub(crate) fn read_to(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let unseen = self.printed.split_at(self.seen).1;
            if let Some((before, _)) = unseen.split_once(text) {
                self.seen += before.len() + text.len();
                return before.to_owned();
            }
            match self.paper.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.printed.push_str(&String::from_utf8_lossy(&piece)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} does not come after\n{}", self.printed)
                }
            }
        }
    }

    /// Ctrl-C where the terminal is an ordinary one: the signal that it sends then.
    pub(crate) fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Ends the command as kill -9 does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end: the exit code, and what was printed in all.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        while let Ok(piece) = self.paper.recv_timeout(PATIENCE) {
            self.printed.push_str(&String::from_utf8_lossy(&piece));
        }
        (code, self.printed)
    }
}
