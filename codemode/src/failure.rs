//! How a program ends without a value. The texts are for the model that wrote it, in the lines of what it wrote.

use serde::{Deserialize, Serialize};

use crate::guest::Fault;
use crate::limits::{Limit, Limits};
use crate::position::Position;

/// Why a program has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// It threw, and nothing in it caught that.
    #[error("{0}")]
    Threw(Thrown),
    /// It met a limit.
    #[error("{0}")]
    Limit(Limit),
    /// It waits for a promise that nobody will settle.
    #[error(
        "the program waits for a promise that nothing settles; await host calls, and resolve every promise you make"
    )]
    Stalled,
    /// Its value is not data.
    #[error("the program's value cannot be written as JSON ({reason}); return plain data")]
    NoJson {
        /// What the engine said.
        reason: String,
    },
    /// The sandbox broke. The program may have had a part in it and cannot be helped.
    #[error("the sandbox stopped working ({reason}) and was thrown away; nothing outside it is affected")]
    Broken {
        /// What the runtime said.
        reason: String,
    },
}

/// Something that was thrown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thrown {
    /// `TypeError`, or nothing if what was thrown is no error.
    pub name: Option<String>,
    /// The message; of what is no error, what the console would show.
    pub message: String,
    /// The host call it came from, if it came from one.
    pub call: Option<String>,
    /// The place in the program, innermost first, with the function's name.
    pub frames: Vec<Frame>,
    /// The place with its line and a caret, ready to be shown.
    pub excerpt: Option<String>,
}

/// A line of a stack trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Nothing for the program itself.
    pub function: Option<String>,
    /// In the model's own source.
    pub position: Position,
}

impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.message)?,
            None => write!(f, "the program threw {}, which is no Error", self.message)?,
        }
        if let Some(call) = &self.call {
            write!(f, " (from {call})")?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        Ok(())
    }
}

impl Failure {
    /// What a fault of the guest means under these limits.
    pub(crate) fn from_fault(fault: Fault, limits: &Limits) -> Self {
        match fault {
            Fault::StackOverflow => Self::Limit(Limit::Stack { limit_bytes: limits.stack_bytes }),
            Fault::OutOfMemory => Self::Limit(Limit::Memory { limit_bytes: limits.memory_bytes }),
            Fault::Interrupted => Self::Limit(Limit::CpuTime { limit_ms: crate::imports::millis(limits.cpu) }),
            Fault::Broken(reason) => Self::Broken { reason },
        }
    }

    /// What was thrown, or the limit that the engine reports by throwing: it has no other word for these two.
    pub(crate) fn from_thrown(thrown: Thrown, limits: &Limits) -> Self {
        match (thrown.name.as_deref(), thrown.message.as_str()) {
            // A `SyntaxError` where that happens while it reads a regular expression.
            (Some("InternalError" | "SyntaxError"), "out of memory") => {
                Self::Limit(Limit::Memory { limit_bytes: limits.memory_bytes })
            }
            (
                Some("InternalError" | "RangeError" | "SyntaxError"),
                "stack overflow" | "Maximum call stack size exceeded",
            ) => Self::Limit(Limit::Stack { limit_bytes: limits.stack_bytes }),
            _ => Self::Threw(thrown),
        }
    }
}
