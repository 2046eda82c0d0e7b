//! What is to be said to an agent, from a file or the standard input: text of a bounded size, or a reason why not.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use super::failure::{Code, Failure};

/// The most bytes of one message: far more than any model reads at once.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// Reads the whole input: of this file, of the standard input for `-`, and of the standard input where none is named and it
/// is no terminal. Blocks.
pub(super) fn whole(named: Option<&Path>) -> Result<String, Failure> {
    match named {
        None if io::stdin().is_terminal() => Err(Failure::new(
            Code::Input,
            "there is nothing to say: no --input, and the standard input is a terminal",
            "pipe it in (`git diff | reveille run reviewer`) or name a file (`--input FILE`); \
             with `--input -` you can type it, up to Ctrl-D",
        )),
        None => read(io::stdin().lock(), "the standard input"),
        Some(path) if path == Path::new("-") => read(io::stdin().lock(), "the standard input"),
        Some(path) => {
            let file = File::open(path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
            read(file, &path.display().to_string())
        }
    }
}

fn read(source: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    source.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    text(bytes, name)
}

/// A message from these bytes.
pub(super) fn text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    if bytes.len() > MOST_BYTES {
        return Err(Failure::new(
            Code::Input,
            format!("{name} has more than {} KiB, the most that is said at once", MOST_BYTES / 1024),
            "cut it to what matters: a model would not read it whole either",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(
            Code::Input,
            format!("{name} is not UTF-8 text: byte {at} begins no character"),
            "convert it (`iconv -f LATIN1 -t UTF-8`), or take out what is not text",
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(Failure::new(
            Code::Input,
            format!("there is nothing to say: {name} is empty"),
            "see that the command before the pipe, or the file, has any text",
        ));
    }
    Ok(text.to_owned())
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(Code::Input, format!("{name} cannot be read: {error}"), "name a text file that you can read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_text_of_a_bounded_size() {
        let said = |bytes: &[u8]| text(bytes.to_vec(), "it").map_err(|failure| failure.to_string());
        assert_eq!(said(b"\xef\xbb\xbf hello\r\n\n").unwrap(), " hello");
        assert_eq!(said("\u{e9}\n".as_bytes()).unwrap(), "\u{e9}");
        assert_eq!(said(b"ok \xff").unwrap_err(), "it is not UTF-8 text: byte 3 begins no character");
        assert!(said(b" \n\t").unwrap_err().contains("it is empty"));
        assert!(said(&vec![b'x'; MOST_BYTES]).is_ok());
        assert!(said(&vec![b'x'; MOST_BYTES + 1]).unwrap_err().contains("more than 1024 KiB"));
    }
}
