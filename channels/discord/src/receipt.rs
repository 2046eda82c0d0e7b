//! What a receipt's id holds: the channel or thread a message is in, the message, and whether it is an interaction's answer.

use reveille_channel::{Mode, Receipt, ReplyError};

/// What marks an interaction's answer: such a message can be edited under the interaction's token too.
const ANSWER: &str = "answer";

/// A message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) message: String,
    pub(crate) is_answer: bool,
}

impl Posted {
    pub(crate) fn read(id: &str) -> Result<Self, ReplyError> {
        let mut parts = id.split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(channel), Some(message), kind) if !channel.is_empty() && !message.is_empty() => {
                Ok(Self { channel: channel.into(), message: message.into(), is_answer: kind == Some(ANSWER) })
            }
            _ => Err(ReplyError::Refused("the message is not known by a channel and an id".into())),
        }
    }

    pub(crate) fn id(&self) -> String {
        let Self { channel, message, is_answer } = self;
        if *is_answer { format!("{channel}/{message}/{ANSWER}") } else { format!("{channel}/{message}") }
    }

    pub(crate) fn receipt(&self) -> Receipt {
        Receipt { id: self.id(), mode: Mode::Edit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for is_answer in [true, false] {
            let posted = Posted { channel: "1".into(), message: "2".into(), is_answer };
            assert_eq!(Posted::read(&posted.id()), Ok(posted));
        }
        for odd in ["", "1", "/2", "1/"] {
            assert!(Posted::read(odd).is_err(), "{odd}");
        }
    }
}
