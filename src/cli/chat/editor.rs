//! The line that is being typed: cursor keys, history, pasting.
//!
//! The library that edits it waits for keys and cannot be told to stop, so it has a thread of its own, which ends when nobody
//! asks for a line any more. While an answer comes the terminal is an ordinary one, and Ctrl-C is a signal.

use std::collections::VecDeque;
use std::io;
use std::thread::JoinHandle;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::sync::mpsc;

/// What stands before the line.
const PROMPT: &str = "> ";

/// How many lines the cursor keys find.
const REMEMBERED: usize = 100;

/// What was typed.
#[derive(Debug)]
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C: the line is thrown away.
    Interrupted,
    /// Ctrl-D on an empty line, or the terminal is gone.
    End,
    /// The terminal does not work.
    Broken(String),
}

/// The line editor.
#[derive(Debug)]
pub(super) struct Editor {
    asks: mpsc::Sender<()>,
    typed: mpsc::Receiver<Typed>,
    thread: JoinHandle<()>,
}

impl Editor {
    /// Starts it; nothing is read before [`Editor::line`].
    pub(super) fn start() -> io::Result<Self> {
        let (asks, asked) = mpsc::channel(1);
        let (lines, typed) = mpsc::channel(1);
        let thread = std::thread::Builder::new().name("line editor".to_owned()).spawn(move || edit(asked, &lines))?;
        Ok(Self { asks, typed, thread })
    }

    /// Waits for a line.
    ///
    /// # Cancel safety
    /// None: a line that nobody waits for any more is still being edited. It is awaited to its end.
    pub(super) async fn line(&mut self) -> Typed {
        let gone = || Typed::Broken("the line editor has ended".to_owned());
        if self.asks.send(()).await.is_err() {
            return gone();
        }
        self.typed.recv().await.unwrap_or_else(gone)
    }

    /// Ends it. No line is being edited then, so this does not wait for keys.
    pub(super) fn end(self) {
        drop((self.asks, self.typed));
        if self.thread.join().is_err() {
            tracing::error!("the line editor panicked");
        }
    }
}

fn edit(mut asked: mpsc::Receiver<()>, lines: &mpsc::Sender<Typed>) {
    let mut history: VecDeque<String> = VecDeque::new();
    while asked.blocking_recv().is_some() {
        let typed = line(&history);
        if let Typed::Line(line) = &typed {
            history.push_back(line.clone());
            if history.len() > REMEMBERED {
                history.pop_front();
            }
        }
        if lines.blocking_send(typed).is_err() {
            return;
        }
    }
}

/// Edits one line. The library takes the signals of the terminal for itself as long as its editor lives: one for each line,
/// so that an answer can be stopped by them.
fn line(history: &VecDeque<String>) -> Typed {
    let mut editor = match DefaultEditor::new() {
        Ok(editor) => editor,
        Err(error) => return Typed::Broken(error.to_string()),
    };
    for line in history {
        // Without it the cursor keys find less, and nothing else happens.
        let _ = editor.add_history_entry(line.as_str());
    }
    match editor.readline(PROMPT) {
        Ok(line) => Typed::Line(line),
        Err(ReadlineError::Interrupted) => Typed::Interrupted,
        Err(ReadlineError::Eof) => Typed::End,
        Err(error) => Typed::Broken(error.to_string()),
    }
}
