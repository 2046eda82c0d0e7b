//! What can go wrong with a call, on request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::lock;

/// A fault of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers 500 and does nothing.
    Error500,
    /// Does what was asked and closes the connection without an answer.
    DropAnswer,
    /// Answers 429 with this `Retry-After`, seconds.
    RateLimit(u64),
    /// Answers late.
    Delay(Duration),
    /// Does not accept the token.
    RefuseToken,
    /// Does not know the method.
    UnknownMethod,
    /// Refuses with this code, where the platform has codes.
    Refuse(&'static str),
}

/// Faults that are to come, by method (Slack) or verb (GitHub).
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<String, (Fault, u32)>>>);

impl Faults {
    /// The next `times` calls of `method` meet this fault; with `0`, none does any more.
    pub fn set(&self, method: &str, fault: Fault, times: u32) {
        if times == 0 {
            lock(&self.0).remove(method);
        } else {
            lock(&self.0).insert(method.to_owned(), (fault, times));
        }
    }

    pub(crate) fn take(&self, method: &str) -> Option<Fault> {
        let mut faults = lock(&self.0);
        let (fault, left) = faults.get_mut(method)?;
        let fault = fault.clone();
        *left = left.saturating_sub(1);
        if *left == 0 {
            faults.remove(method);
        }
        Some(fault)
    }
}
