//! Why the gateway closed a connection, and what follows ("Gateway Close Event Codes").

/// What follows a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    /// The session goes on in a new connection.
    Resume,
    /// A new session.
    Anew,
    /// A new session after a while.
    Slower,
    /// One without the intent that is not allowed.
    WithLess,
    /// A person must act.
    Fatal(&'static str),
}

/// What a code means. `None`: there was none.
pub(super) fn meaning(code: Option<u16>) -> Close {
    match code {
        Some(4004) => Close::Fatal(
            "the gateway refuses the bot token (close code 4004); take a new one at \"Bot\", \"Reset Token\", and set bot_token",
        ),
        Some(4010) => Close::Fatal("the gateway refuses the shard (close code 4010); please report this"),
        Some(4011) => Close::Fatal(
            "the bot is in more servers than one connection may serve (close code 4011); this version has one connection",
        ),
        Some(4012) => Close::Fatal(
            "the gateway does not speak version 10 any more (close code 4012); install a newer version of Reveille",
        ),
        Some(4013) => Close::Fatal("the gateway does not know an intent (close code 4013); please report this"),
        Some(4014) => Close::WithLess,
        Some(4003 | 4005 | 4007 | 4009) => Close::Anew,
        Some(4008) => Close::Slower,
        _ => Close::Resume,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_must_mend_is_told_from_what_passes() {
        for fatal in [4004, 4010, 4011, 4012, 4013] {
            assert!(matches!(meaning(Some(fatal)), Close::Fatal(why) if why.contains(&fatal.to_string())), "{fatal}");
        }
        for resumable in [None, Some(1000), Some(1001), Some(1006), Some(4000), Some(4001), Some(4002), Some(4999)] {
            assert_eq!(meaning(resumable), Close::Resume, "{resumable:?}");
        }
        assert_eq!(meaning(Some(4009)), Close::Anew);
    }
}
