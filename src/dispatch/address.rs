//! Addresses of instances.

use std::fmt::Write;

use reveille_channel::Event;

use super::access::is_operators;
use crate::agent::{Agent, Scope};

/// The address `agent/connection/installation/thread` of the instance that an event is for.
///
/// The last part is the thread's key, `user:ID` or `installation`, as the agent says; at the terminal it is the name that
/// the person gave the conversation. Each part is escaped, so that no
/// platform's word can pass for two parts.
#[must_use]
pub fn address(agent: &Agent, event: &Event) -> String {
    let thread = match agent.scope {
        _ if is_operators(event) => escape(&event.thread.key),
        Scope::Thread => escape(&event.thread.key),
        Scope::User => format!("user:{}", escape(&event.actor.id)),
        Scope::Installation => "installation".to_owned(),
    };
    format!("{}/{}/{}/{thread}", escape(&agent.name), escape(&event.connection), escape(&event.thread.installation))
}

/// Percent-encodes everything but letters, digits and `-._:`.
fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_cannot_run_together(one in "[a-z/%\u{e9}:.]{0,8}", other in "[a-z/%\u{e9}:.]{0,8}") {
            prop_assert!(!escape(&one).contains('/'));
            prop_assert_eq!(one == other, escape(&one) == escape(&other));
        }
    }
}
