//! What goes through the door between a sandbox and its host. All of it is plain data that serde can carry, so that the
//! sandbox can be a thread or a process.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::usage::Usage;

/// What one run is given beside its program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The time that the program sees, in milliseconds since 1970. It stands still until the next command.
    pub now_ms: u64,
    /// What its randomness comes from. The host records it; a secret it is not.
    pub seed: u64,
}

/// A host call that the program waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Its number in this run, from 1.
    pub id: u32,
    /// The namespace and the function, `workspace.readFile`, or a function that stands in none, `sleep`.
    pub name: String,
    /// A JSON array of what stood in the brackets. JSON it is; whether it is what the function takes is for the host
    /// to say.
    pub args: Box<RawValue>,
}

/// What the host says to a request. Any order will do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The request's number.
    pub id: u32,
    /// What became of it.
    pub outcome: CallOutcome,
}

/// How a host call ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// Its promise is fulfilled with this JSON.
    Value(Box<RawValue>),
    /// Its promise is rejected with an `Error` of this name and message.
    Error {
        /// Such as `NotFound`. A program can decide by it.
        name: String,
        /// For the program's author. It names nothing of the host that the author must not know.
        message: String,
    },
}

/// What a program did since the last command, in the order in which it did it within each kind: first the console, then
/// the requests, then the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It wrote a line to the console.
    Console(Line),
    /// It waits for a host call.
    Call(Request),
    /// It is over.
    Finished(Finished),
}

/// A line of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// `debug`, `log`, `info`, `warn` or `error`.
    pub level: String,
    /// The arguments, with blanks between them.
    pub text: String,
}

/// The end of a program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    /// The JSON of its value; nothing for `undefined`. Or why there is none.
    pub result: Result<Option<Box<RawValue>>, Failure>,
    /// Host calls that it asked for and whose answers nobody waits for any more.
    pub unanswered: Vec<u32>,
    /// What it used.
    pub usage: Usage,
}

impl Event {
    /// The end, if it is one.
    pub fn finished(&self) -> Option<&Finished> {
        match self {
            Self::Finished(finished) => Some(finished),
            Self::Console(_) | Self::Call(_) => None,
        }
    }
}
