//! Programs that the commands start: where they run, what they print, how long they took.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What a program did.
#[derive(Debug)]
pub(crate) struct Done {
    /// It ended with exit code 0.
    pub(crate) is_success: bool,
    /// What it printed, both streams as they came, without colours.
    pub(crate) output: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

/// Prints a line. A closed standard output does not stop the checks.
pub(crate) fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", line.as_ref());
    let _ = out.flush();
}

/// The checkout's root.
pub(crate) fn root() -> PathBuf {
    // At run time first: with a target folder shared by several checkouts the compiled-in path can be another's.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program that runs in the checkout's root.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    // What cargo tells this package about itself is not meant for others: build scripts that watch these variables
    // would build again each time the command is not started the same way.
    for (key, _) in std::env::vars_os() {
        let is_ours = key.to_str().is_some_and(|key| {
            key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") || key.starts_with("CARGO_BIN_")
        });
        if is_ours {
            command.env_remove(key);
        }
    }
    command
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let name = PathBuf::from(command.get_program());
    let name = name.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name.into()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Runs the command, shows what it prints as it comes, and keeps it.
pub(crate) fn perform(mut command: Command) -> Result<Done> {
    let started = Instant::now();
    let name = shown(&command);
    let (reader, writer) = std::io::pipe().context("no pipe for the output of a check")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("`{name}` cannot be started: is it installed?"))?;
    // The command holds the pipe's writing end; the reader sees the end of the output when no writer is left.
    drop(command);

    let mut output = String::new();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        say(text.trim_end_matches('\n'));
        output.push_str(&plain(&text));
        line.clear();
    }
    let status = child.wait().with_context(|| format!("`{name}` was lost"))?;
    Ok(Done { is_success: status.success(), output, took: started.elapsed() })
}

/// The text without the sequences that colour a terminal.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        if one == '\u{1b}' {
            // ESC [ parameters, ended by a letter.
            for skipped in rest.by_ref() {
                if skipped.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            kept.push(one);
        }
    }
    kept
}

/// `1.2 s`, or `3 min 04 s`.
pub(crate) fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out_of_what_is_kept() {
        assert_eq!(plain("\u{1b}[32;1m    Summary\u{1b}[0m [ 0.1s]\n"), "    Summary [ 0.1s]\n");
    }

    #[test]
    fn both_streams_are_kept_and_the_exit_code_counts() {
        let mut shell = program("sh");
        shell.args(["-c", "echo out; echo err >&2; exit 3"]);
        let done = perform(shell).unwrap();
        assert!(!done.is_success);
        assert!(done.output.contains("out\n") && done.output.contains("err\n"), "{}", done.output);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = perform(program("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }
}
