//! What a message should not end inside of: links and spans of code.

use std::ops::Range;

/// What is longer than this, or than half a message, or is not closed for as long, is no obstacle: bytes.
const LONGEST: usize = 600;

const SIGNS: [char; 4] = ['`', '[', '<', '\\'];

/// The links and spans of code in a window of text, in order. One that is open at the window's end may be closed behind it, and
/// counts as ending there; so where a text is cut does not depend on what follows.
pub(super) fn solid(window: &str) -> Vec<Range<usize>> {
    let longest = LONGEST.min(window.len() / 2);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = window.get(at..).filter(|rest| !rest.is_empty()) {
        let near = rest.get(..rest.floor_char_boundary(longest)).unwrap_or(rest);
        let run = rest.len() - rest.trim_start_matches('`').len();
        let is_all = near.len() == rest.len();
        let end = match rest.chars().next() {
            Some('`') => code_end(near, run, is_all),
            Some('[') => link_end(near, is_all),
            Some('<') => autolink_end(near, is_all),
            _ => None,
        };
        at += match end {
            Some(end) => {
                found.push(at..at + end);
                end
            }
            None if rest.starts_with('\\') => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            None if rest.starts_with(SIGNS) => run.max(1),
            None => rest.find(SIGNS).unwrap_or(rest.len()),
        };
    }
    found
}

/// Where the span of code ends that begins here with a run of this length (CommonMark 0.31, section 6.1).
fn code_end(near: &str, run: usize, is_all: bool) -> Option<usize> {
    let mut at = run;
    loop {
        let rest = near.get(at..)?;
        let next = rest.find(['`', '\n']);
        match next {
            None => return is_all.then_some(near.len() + 1),
            Some(next) if rest.get(next..)?.starts_with('\n') => {
                if rest.get(next..)?.starts_with("\n\n") {
                    return None;
                }
                at += next + 1;
            }
            Some(next) => {
                let ticks = rest.get(next..)?;
                let length = ticks.len() - ticks.trim_start_matches('`').len();
                at += next + length;
                if length == run {
                    return Some(at);
                }
            }
        }
    }
}

/// Where the link, image or reference ends that begins here: its words, and its address or the reference's name.
fn link_end(near: &str, is_all: bool) -> Option<usize> {
    let line = near.split('\n').next()?;
    let is_open = || (is_all && line.len() == near.len()).then_some(near.len() + 1);
    let Some(words) = closed(line, '[', ']') else { return is_open() };
    let behind = line.get(words..)?;
    let (opening, closing) = match behind.chars().next() {
        Some('(') => ('(', ')'),
        Some('[') => ('[', ']'),
        _ => return Some(words),
    };
    match closed(behind, opening, closing) {
        Some(address) => Some(words + address),
        None => is_open(),
    }
}

/// Where the bracket is closed with which `text` begins.
fn closed(text: &str, opening: char, closing: char) -> Option<usize> {
    let mut depth = 0usize;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == opening {
            depth += 1;
        } else if c == closing {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(at + c.len_utf8());
            }
        }
    }
    None
}

/// Where the address in angle brackets ends that begins here.
fn autolink_end(near: &str, is_all: bool) -> Option<usize> {
    let stop = near.find(|c: char| c == '>' || c.is_whitespace());
    match stop {
        Some(at) if near.get(at..)?.starts_with('>') => Some(at + 1),
        Some(_) => None,
        None => is_all.then_some(near.len() + 1),
    }
}
