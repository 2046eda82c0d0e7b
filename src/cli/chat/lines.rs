//! Lines of the standard input, each of a bounded size.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

use crate::cli::failure::{Code, Failure};
use crate::cli::input::{MOST_BYTES, text};

/// What is read ahead. Reading stops there until it is taken.
const AHEAD: usize = 1;

/// The lines, as they come. The thread that reads waits for the standard input and for nothing else: it ends with it, with
/// the first line that is none, or with the process.
#[derive(Debug)]
pub(super) struct Lines(mpsc::Receiver<Result<String, Failure>>);

impl Lines {
    /// Begins to read.
    pub(super) fn start() -> io::Result<Self> {
        let (lines, read) = mpsc::channel(AHEAD);
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut input = io::stdin().lock();
            while let Some(line) = next(&mut input) {
                let is_last = line.is_err();
                if lines.blocking_send(line).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self(read))
    }

    /// The next line; `None` at the end.
    ///
    /// # Cancel safety
    /// Safe: a line that was not taken is the next one.
    pub(super) async fn next(&mut self) -> Option<Result<String, Failure>> {
        self.0.recv().await
    }
}

/// The next line without its end; empty lines are lines.
fn next(input: &mut impl BufRead) -> Option<Result<String, Failure>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    match input.take(most).read_until(b'\n', &mut bytes) {
        Err(error) => {
            let what = format!("the standard input cannot be read: {error}");
            Some(Err(Failure::new(Code::Input, what, "see where it comes from")))
        }
        Ok(0) => None,
        Ok(_) if bytes.iter().all(u8::is_ascii_whitespace) => Some(Ok(String::new())),
        Ok(_) => Some(text(bytes, "a line of the standard input")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_and_none_is_too_long() {
        let mut input = [b"one\r\n\n two\n".as_slice(), &vec![b'x'; MOST_BYTES + 9]].concat();
        input.extend_from_slice(b"\nlast");
        let mut input = input.as_slice();
        let mut said = || next(&mut input).unwrap().map_err(|failure| failure.to_string());
        assert_eq!(said().unwrap(), "one");
        assert_eq!(said().unwrap(), "");
        assert_eq!(said().unwrap(), " two");
        assert!(said().unwrap_err().contains("more than 1024 KiB"));
        let mut end: &[u8] = b"";
        assert!(next(&mut end).is_none());
    }
}
