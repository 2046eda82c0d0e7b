//! A program, read on a thread of its own (see [`crate::typescript`]), and the errors that say why a text is none.
//!
//! oxc works by recursion, and a program of 64 KiB can be nested 64 thousand deep. A thread that reads a program has a stack
//! that is large enough for the worst of them, measured by the tests; hence the fixed bound on the length.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::Frame;
use crate::limits::{Limit, SOURCE_BYTES};
use crate::machine::PROGRAM_NAME;
use crate::places::Places;
use crate::position::Position;
use crate::typescript;

/// What is put around the program, on a line of its own so that columns stay.
const BEFORE: &str = "(async () => { \"use strict\";\n";
const AFTER: &str = "\n})";
/// The program's first line is the engine's second, counted from 1.
const LINES_BEFORE: u32 = 2;

/// Stack for whatever is not nested, and for each byte of a source that is nothing but nesting.
const STACK_BYTES: usize = 4 << 20;
const STACK_BYTES_PER_BYTE: usize = 8 << 10;

/// How long reading may take. A page takes a millisecond; a few ways to nest take hours.
const READING_TIME: Duration = Duration::from_secs(5);

/// How many programs are read at the same time. One that takes too long counts until its thread is through with it, since
/// nothing can stop a thread.
const READERS: usize = 16;

/// One of [`READERS`].
struct Reading;

static READING: AtomicUsize = AtomicUsize::new(0);

impl Reading {
    fn begin() -> Option<Self> {
        let begin = |count: usize| (count < READERS).then(|| count + 1);
        READING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, begin).ok().map(|_| Self)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A program, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    source: String,
    code: String,
    places: Places,
    hash: String,
}

/// Why a text is no program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum ProgramError {
    /// It cannot be read as TypeScript.
    #[error("SyntaxError: {message}{}\n{excerpt}", .help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
    Syntax {
        /// What is wrong.
        message: String,
        /// What to do, where that is known.
        help: Option<String>,
        /// Where.
        position: Position,
        /// The line with a caret.
        excerpt: String,
    },
    /// It is longer than is looked at.
    #[error("{0}")]
    TooLong(Limit),
    /// Reading it takes too long: it is nested in a way that oxc tries again and again.
    #[error("the program is nested too deeply to be read; write it flatter")]
    TooComplex,
    /// Others are still being read that take too long.
    #[error("too many programs are being read at this moment; try again later")]
    Busy,
    /// Reading it failed in a way that is not its own fault.
    #[error("the program could not be read: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
}

impl Program {
    /// Reads a program. Waits for a thread that does it; takes about a millisecond for a page of code.
    ///
    /// # Errors
    ///
    /// As in [`ProgramError`].
    pub fn read(source: impl Into<String>) -> Result<Self, ProgramError> {
        let source = source.into();
        if source.len() > SOURCE_BYTES {
            let bytes = u64::try_from(source.len()).unwrap_or(u64::MAX);
            let limit_bytes = u64::try_from(SOURCE_BYTES).unwrap_or(u64::MAX);
            return Err(ProgramError::TooLong(Limit::SourceBytes { bytes, limit_bytes }));
        }
        let broken = |reason: String| ProgramError::Broken { reason };
        let reading = Reading::begin().ok_or(ProgramError::Busy)?;
        let stack = STACK_BYTES + source.len() * STACK_BYTES_PER_BYTE;
        let (tell, told) = mpsc::sync_channel(1);
        let reader = move || {
            // Nobody waits any more: it took too long.
            let _ = tell.send(read(&source));
            drop(reading);
        };
        std::thread::Builder::new()
            .name("codemode-read".to_owned())
            .stack_size(stack)
            .spawn(reader)
            .map_err(|error| broken(error.to_string()))?;
        match told.recv_timeout(READING_TIME) {
            Ok(read) => read,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(ProgramError::TooComplex),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(broken("the reader of TypeScript has a flaw that it hit".to_owned()))
            }
        }
    }

    /// As the model wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The hash of the source, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// An expression whose value is an async function.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn excerpt(&self, position: Position) -> String {
        position.excerpt(&self.source)
    }

    /// The lines of a stack trace that are of this program, in places of its source.
    ///
    /// A line of the engine's is `    at name (program:3:14)`, or without name and brackets. A program can write such
    /// lines itself, and then reads what it wrote.
    pub(crate) fn frames(&self, stack: &str) -> Vec<Frame> {
        stack.lines().take(64).filter_map(|line| self.frame(line)).take(16).collect()
    }

    fn frame(&self, line: &str) -> Option<Frame> {
        let line = line.trim().strip_prefix("at ")?;
        let (function, place) = match line.rsplit_once(" (") {
            Some((function, place)) => (function, place.strip_suffix(')')?),
            None => ("", line),
        };
        let (rest, column) = place.rsplit_once(':')?;
        let (name, line) = rest.rsplit_once(':')?;
        if name != PROGRAM_NAME {
            return None;
        }
        let line = line.parse::<u32>().ok()?.checked_sub(LINES_BEFORE)?;
        let column = column.parse::<u32>().ok()?.saturating_sub(1);
        let position = self.places.position(&self.source, line, column)?;
        let function = Some(function).filter(|name| !name.is_empty() && *name != "<anonymous>").map(str::to_owned);
        Some(Frame { function, position })
    }
}

fn read(source: &str) -> Result<Program, ProgramError> {
    let printed = typescript::read(source)?;
    Ok(Program {
        source: source.to_owned(),
        code: format!("{BEFORE}{}{AFTER}", printed.code),
        places: printed.places,
        hash: hex::encode(Sha256::digest(source)),
    })
}
