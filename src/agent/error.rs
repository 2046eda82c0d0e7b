//! What a person is told about a mistake in an agent or skill file.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};

use super::names::nearest;

/// A mistake in a file below `agents/` or `skills/`: what, where, and what to write instead.
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
#[error("{}:{line}:{column}: {message}", path.display())]
pub struct AgentError {
    /// The agent (or, for a shared skill, the skill) that cannot be used because of it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The line in the whole file, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[help]
    pub advice: Option<String>,
    /// The file's text.
    #[source_code]
    pub(super) text: Option<NamedSource<Arc<str>>>,
    /// The part of it that is meant.
    #[label("here")]
    pub(super) span: Option<SourceSpan>,
}

impl AgentError {
    /// A mistake without a place in a text: the file cannot be read at all.
    pub(super) fn unreadable(name: &str, path: &Path, message: String, advice: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            line: 1,
            column: 1,
            message,
            advice,
            text: None,
            span: None,
        }
    }
}

/// Collects the mistakes of one file, so that a person sees all of them at once.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    name: &'a str,
    path: &'a Path,
    text: Arc<str>,
    found: Vec<AgentError>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(name: &'a str, path: &'a Path, text: &str) -> Self {
        Self { name, path, text: Arc::from(text), found: Vec::new() }
    }

    /// Notes a mistake in the bytes `at` of the file.
    pub(super) fn add(&mut self, at: Range<usize>, message: impl Into<String>, advice: impl Into<Option<String>>) {
        let start = at.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        self.found.push(AgentError {
            name: self.name.to_owned(),
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column,
            message: message.into(),
            advice: advice.into(),
            text: Some(NamedSource::new(self.path.display().to_string(), Arc::clone(&self.text))),
            span: Some(SourceSpan::from((start, at.end.saturating_sub(start)))),
        });
    }

    /// Notes that `word` is none of `candidates`, with the nearest of them and all of them.
    pub(super) fn add_unknown(&mut self, at: Range<usize>, what: &str, word: &str, candidates: &[&str]) {
        let all = super::names::list(candidates.iter().copied());
        let advice = match nearest(word, candidates.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? There are {all}"),
            None if candidates.is_empty() => "there are none".to_owned(),
            None => format!("there are {all}"),
        };
        self.add(at, format!("there is no {what} `{word}`"), advice);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found so far: whether a part of the file added to them decides what else is worth saying of it.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// What was found, in the order of the file.
    pub(super) fn into_errors(mut self) -> Vec<AgentError> {
        self.found.sort_by_key(|error| (error.line, error.column));
        self.found
    }
}
