//! Searching the texts of files for a pattern, line by line.
//!
//! It is bounded in every direction: the size of the pattern's machine, the time, the lines that are found and the length of
//! each. The engine of the `regex` crate takes time in proportion to the text, whatever the pattern. SQLite hands the
//! texts over on its own thread while another searches, so an async thread does neither.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use regex::bytes::{Regex, RegexBuilder};
use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use tokio::sync::mpsc;

use super::error::WorkspaceError;
use super::paths::WorkspacePath;
use super::place::below;
use super::read::glob;
use super::{PATH_BYTES, Workspace};

/// The most bytes of a compiled pattern, and of the tables it makes while it searches.
const PATTERN_BYTES: usize = 1024 * 1024;
const TABLE_BYTES: usize = 8 * 1024 * 1024;

/// The most characters of a line that are shown.
const LINE_CHARACTERS: usize = 300;

/// Texts that wait to be searched: batches, and bytes of a batch.
const BATCHES: usize = 4;
const BATCH_BYTES: usize = 512 * 1024;

/// What is looked for, and where.
#[derive(Debug, Clone)]
pub struct Grep {
    /// A regular expression of the `regex` crate, or with `literal` a plain text. It is looked for in each line.
    pub pattern: String,
    /// Whether the pattern is a plain text.
    pub literal: bool,
    /// Whether capital and small letters are the same.
    pub ignore_case: bool,
    /// A file, or a folder with all that is below it; everything if left out.
    pub path: Option<WorkspacePath>,
    /// Only files whose paths fit this pattern.
    pub glob: Option<String>,
    /// The most lines that are found.
    pub most: usize,
    /// The longest it may take.
    pub patience: Duration,
}

/// A line in which the pattern is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub path: String,
    /// The line's number, from 1.
    pub number: usize,
    /// The line, or its beginning.
    pub text: String,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The lines, by path and number.
    pub lines: Vec<Line>,
    /// Files that were searched.
    pub searched: usize,
    /// Files that are no text and were not searched.
    pub binary: usize,
    /// Why there may be more, where that is so.
    pub stopped: Option<&'static str>,
}

struct Text {
    path: String,
    bytes: Vec<u8>,
}

impl Workspace {
    /// Searches.
    ///
    /// # Errors
    /// [`WorkspaceError::Pattern`], [`WorkspaceError::Missing`] where there is nothing at the path, and those of the database.
    ///
    /// # Cancel safety
    /// Dropped, the search ends with the batch it is at.
    pub async fn grep(&self, query: &Grep) -> Result<Found, WorkspaceError> {
        let regex = compile(query)?;
        let matcher = query.glob.as_deref().map(glob).transpose()?;
        if let Some(path) = &query.path {
            self.stat(path).await?;
        }
        let Some(pool) = self.reader().await? else {
            return Ok(Found::default());
        };
        let (batches, inbox) = mpsc::channel(BATCHES);
        let (most, deadline) = (query.most, Instant::now().checked_add(query.patience));
        let searching = tokio::task::spawn_blocking(move || search(inbox, &regex, most, deadline));
        let is_meant = |path: &str| matcher.as_ref().is_none_or(|matcher| matcher.is_match(path));
        let binary = texts(pool, query.path.as_ref(), &is_meant, batches).await?;
        let broke = |error| WorkspaceError::Storage(format!("the search broke down: {error}"));
        let mut found = searching.await.map_err(broke)?;
        found.binary = binary;
        Ok(found)
    }
}

fn compile(query: &Grep) -> Result<Regex, WorkspaceError> {
    if query.pattern.is_empty() || query.pattern.len() > PATH_BYTES {
        return Err(WorkspaceError::Pattern(format!("it has 1 to {PATH_BYTES} bytes")));
    }
    let escaped;
    let pattern = if query.literal {
        escaped = regex::escape(&query.pattern);
        &escaped
    } else {
        &query.pattern
    };
    let built = RegexBuilder::new(pattern)
        .case_insensitive(query.ignore_case)
        .multi_line(true)
        .crlf(true)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(TABLE_BYTES)
        .build();
    built.map_err(|error| WorkspaceError::Pattern(error.to_string()))
}

/// Hands the texts over in batches until all are handed over or nobody takes them any more. How many files were no texts.
async fn texts(
    pool: &SqlitePool,
    path: Option<&WorkspacePath>,
    is_meant: &(dyn Fn(&str) -> bool + Sync),
    batches: mpsc::Sender<Vec<Text>>,
) -> Result<usize, WorkspaceError> {
    // With no path the range is that of all paths: none begins with a character below `!` but a space.
    let (from, to) = path.map_or_else(|| (String::new(), "\u{10ffff}".to_owned()), |path| below(path.as_str()));
    let mut rows = sqlx::query(
        "SELECT path, CASE WHEN is_text THEN bytes END AS bytes FROM file JOIN content ON content.id = file.content
         WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path",
    )
    .bind(path.map_or("", WorkspacePath::as_str))
    .bind(from)
    .bind(to)
    .fetch(pool);
    let mut binary = 0;
    let mut batch = Vec::new();
    let mut size = 0;
    while let Some(row) = rows.try_next().await? {
        let name: &str = row.try_get("path")?;
        if !is_meant(name) {
            continue;
        }
        let Some(bytes) = row.try_get::<Option<&[u8]>, _>("bytes")? else {
            binary += 1;
            continue;
        };
        size += bytes.len();
        batch.push(Text { path: name.to_owned(), bytes: bytes.to_vec() });
        if size >= BATCH_BYTES {
            size = 0;
            if batches.send(std::mem::take(&mut batch)).await.is_err() {
                return Ok(binary);
            }
        }
    }
    // Whoever searches has enough, or takes the rest.
    let _ = batches.send(batch).await;
    Ok(binary)
}

fn search(mut inbox: mpsc::Receiver<Vec<Text>>, regex: &Regex, most: usize, deadline: Option<Instant>) -> Found {
    let mut found = Found::default();
    while let Some(batch) = inbox.blocking_recv() {
        for text in batch {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                found.stopped = Some("the time for it ran out");
                return found;
            }
            found.searched += 1;
            search_text(&text, regex, most, &mut found);
            if found.stopped.is_some() {
                return found;
            }
        }
    }
    found
}

fn search_text(text: &Text, regex: &Regex, most: usize, found: &mut Found) {
    let bytes = text.bytes.as_slice();
    let (mut at, mut counted, mut number) = (0, 0, 1);
    while let Some(one) = regex.find_at(bytes, at) {
        // At the very end, behind the last newline, there is no line.
        if one.start() >= bytes.len() && bytes.last().is_none_or(|byte| *byte == b'\n') {
            return;
        }
        let before = bytes.get(..one.start()).unwrap_or_default();
        let after = bytes.get(one.start()..).unwrap_or_default();
        let begins = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let ends = after.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| one.start() + length);
        let line = bytes.get(begins..ends).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A pattern may reach over the end of a line; that is no line with the pattern in it.
        if one.end() <= ends || regex.is_match(line) {
            if found.lines.len() >= most {
                found.stopped = Some("there are more lines than were asked for");
                return;
            }
            let passed = bytes.get(counted..begins).unwrap_or_default();
            number += passed.iter().filter(|byte| **byte == b'\n').count();
            counted = begins;
            found.lines.push(Line { path: text.path.clone(), number, text: shown(line) });
        }
        at = ends + 1;
        if at > bytes.len() {
            return;
        }
    }
}

fn shown(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let short: String = line.chars().take(LINE_CHARACTERS).collect();
    if short.len() < line.len() { short + " ..." } else { short }
}
