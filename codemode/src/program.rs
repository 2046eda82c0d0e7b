//! TypeScript to what the engine runs, by oxc: parsed, checked, its types taken off, printed with a source map.
//!
//! A program may be a list of statements with top-level `await` and `return`, and may also be one async function. It
//! becomes the body of an async function: its value is what it returns, or else the value of the expression it ends with.
//! All of that is done on the syntax tree.
//!
//! oxc works by recursion, and a program of 64 KiB can be nested 64 thousand deep. A thread that reads a program has a stack
//! that is large enough for the worst of them, measured by the tests; hence the fixed bound on the length.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use oxc_allocator::Allocator;
use oxc_ast::ast;
use oxc_ast::builder::AstBuilder;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_diagnostics::{Diagnostics, OxcDiagnostic};
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::SemanticBuilder;
use oxc_span::{GetSpan, SPAN, SourceType};
use oxc_transformer::{TransformOptions, Transformer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::Frame;
use crate::limits::{Limit, SOURCE_BYTES};
use crate::machine::PROGRAM_NAME;
use crate::position::Position;

/// What is put around the program, on a line of its own so that columns stay.
const BEFORE: &str = "(async () => { \"use strict\";\n";
const AFTER: &str = "\n})";
/// The program's first line is the engine's second, counted from 1.
const LINES_BEFORE: u32 = 2;

/// Stack for whatever is not nested, and for each byte of a source that is nothing but nesting.
const STACK_BYTES: usize = 4 << 20;
const STACK_BYTES_PER_BYTE: usize = 8 << 10;

/// How long reading may take. A page takes a millisecond; a few ways to nest take hours.
const READING_TIME: Duration = Duration::from_secs(5);

/// How many programs are read at the same time. One that takes too long counts until its thread is through with it, since
/// nothing can stop a thread.
const READERS: usize = 16;

/// One of [`READERS`].
struct Reading;

static READING: AtomicUsize = AtomicUsize::new(0);

impl Reading {
    fn begin() -> Option<Self> {
        let begin = |count: usize| (count < READERS).then(|| count + 1);
        READING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, begin).ok().map(|_| Self)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A program, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    source: String,
    code: String,
    /// Sorted by the place in `code`.
    places: Vec<Place>,
    hash: String,
}

/// A place in the printed code and where it came from, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    printed: (u32, u32),
    source: (u32, u32),
}

/// Why a text is no program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum ProgramError {
    /// It cannot be read as TypeScript.
    #[error("SyntaxError: {message}{}\n{excerpt}", .help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
    Syntax {
        /// What is wrong.
        message: String,
        /// What to do, where that is known.
        help: Option<String>,
        /// Where.
        position: Position,
        /// The line with a caret.
        excerpt: String,
    },
    /// It is longer than is looked at.
    #[error("{0}")]
    TooLong(Limit),
    /// Reading it takes too long: it is nested in a way that oxc tries again and again.
    #[error("the program is nested too deeply to be read; write it flatter")]
    TooComplex,
    /// Others are still being read that take too long.
    #[error("too many programs are being read at this moment; try again later")]
    Busy,
    /// Reading it failed in a way that is not its own fault.
    #[error("the program could not be read: {reason}")]
    Broken {
        /// What happened.
        reason: String,
    },
}

impl Program {
    /// Reads a program. Waits for a thread that does it; takes about a millisecond for a page of code.
    ///
    /// # Errors
    ///
    /// As in [`ProgramError`].
    pub fn read(source: impl Into<String>) -> Result<Self, ProgramError> {
        let source = source.into();
        if source.len() > SOURCE_BYTES {
            let bytes = u64::try_from(source.len()).unwrap_or(u64::MAX);
            let limit_bytes = u64::try_from(SOURCE_BYTES).unwrap_or(u64::MAX);
            return Err(ProgramError::TooLong(Limit::SourceBytes { bytes, limit_bytes }));
        }
        let broken = |reason: String| ProgramError::Broken { reason };
        let reading = Reading::begin().ok_or(ProgramError::Busy)?;
        let stack = STACK_BYTES + source.len() * STACK_BYTES_PER_BYTE;
        let (tell, told) = mpsc::sync_channel(1);
        let reader = move || {
            // Nobody waits any more: it took too long.
            let _ = tell.send(read(&source));
            drop(reading);
        };
        std::thread::Builder::new()
            .name("codemode-read".to_owned())
            .stack_size(stack)
            .spawn(reader)
            .map_err(|error| broken(error.to_string()))?;
        match told.recv_timeout(READING_TIME) {
            Ok(read) => read,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(ProgramError::TooComplex),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(broken("the reader of TypeScript has a flaw that it hit".to_owned()))
            }
        }
    }

    /// As the model wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The hash of the source, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// An expression whose value is an async function.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn excerpt(&self, position: Position) -> String {
        position.excerpt(&self.source)
    }

    /// The lines of a stack trace that are of this program, in places of its source.
    ///
    /// A line of the engine's is `    at name (program:3:14)`, or without name and brackets. A program can write such
    /// lines itself, and then reads what it wrote.
    pub(crate) fn frames(&self, stack: &str) -> Vec<Frame> {
        stack.lines().take(64).filter_map(|line| self.frame(line)).take(16).collect()
    }

    fn frame(&self, line: &str) -> Option<Frame> {
        let line = line.trim().strip_prefix("at ")?;
        let (function, place) = match line.rsplit_once(" (") {
            Some((function, place)) => (function, place.strip_suffix(')')?),
            None => ("", line),
        };
        let (rest, column) = place.rsplit_once(':')?;
        let (name, line) = rest.rsplit_once(':')?;
        if name != PROGRAM_NAME {
            return None;
        }
        let line = line.parse::<u32>().ok()?.checked_sub(LINES_BEFORE)?;
        let column = column.parse::<u32>().ok()?.saturating_sub(1);
        let position = self.position(line, column)?;
        let function = Some(function).filter(|name| !name.is_empty() && *name != "<anonymous>").map(str::to_owned);
        Some(Frame { function, position })
    }

    /// Where in the source the printed place came from: the nearest known one at it or before it in its line.
    fn position(&self, line: u32, column: u32) -> Option<Position> {
        let after = self.places.partition_point(|place| place.printed <= (line, column));
        let place = self.places.get(..after)?.last().filter(|place| place.printed.0 == line);
        // Indentation stands before the first of a line.
        let place = place.or_else(|| self.places.get(after).filter(|place| place.printed.0 == line))?;
        let (line, utf16) = place.source;
        let text = self.source.split('\n').nth(usize::try_from(line).ok()?).unwrap_or_default();
        let mut left = utf16;
        let mut column = 1_u32;
        for one in text.chars() {
            let units = u32::try_from(one.len_utf16()).unwrap_or(2);
            if left < units {
                break;
            }
            left -= units;
            column = column.saturating_add(1);
        }
        Some(Position { line: line.saturating_add(1), column })
    }
}

fn read(source: &str) -> Result<Program, ProgramError> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    // Read as a module for its top-level `await`; what makes one is refused below.
    let kind = SourceType::ts().with_module(true);
    let parsed = Parser::new(&allocator, source, kind).with_options(options).parse();
    refuse(source, &parsed.diagnostics)?;
    if parsed.panicked {
        return Err(syntax(source, "the program cannot be read", None, 0));
    }
    let mut program = parsed.program;
    if let Some(module) = program.body.iter().find(|statement| is_of_a_module(statement)) {
        let message = "modules are not available here";
        let help = "write statements, or one async function; the value is what it returns";
        let at = usize::try_from(module.span().start).unwrap_or(0);
        return Err(syntax(source, message, Some(help.to_owned()), at));
    }

    let checked = SemanticBuilder::new().with_check_syntax_error(true).with_enum_eval(true).build(&program);
    refuse(source, &checked.diagnostics)?;
    let scoping = checked.semantic.into_scoping();
    let transformer = Transformer::new(&allocator, Path::new("program.ts"), &TransformOptions::default());
    let transformed = transformer.build_with_scoping(scoping, &mut program);
    refuse(source, &transformed.diagnostics)?;

    return_the_end(&allocator, &mut program);
    let options = CodegenOptions {
        comments: CommentOptions::disabled(),
        source_map_path: Some(Path::new("program.ts").to_path_buf()),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).build(&program);
    let mut places: Vec<Place> = printed
        .map
        .iter()
        .flat_map(oxc_sourcemap::SourceMap::get_tokens)
        .map(|token| Place {
            printed: (token.get_dst_line(), token.get_dst_col()),
            source: (token.get_src_line(), token.get_src_col()),
        })
        .collect();
    places.sort_by_key(|place| place.printed);
    Ok(Program {
        source: source.to_owned(),
        code: format!("{BEFORE}{}{AFTER}", printed.code),
        places,
        hash: hex::encode(Sha256::digest(source)),
    })
}

fn is_of_a_module(statement: &ast::Statement<'_>) -> bool {
    statement.is_module_declaration() || matches!(statement, ast::Statement::TSImportEqualsDeclaration(_))
}

/// The expression a program ends with is its value, and a function it consists of is called.
fn return_the_end<'a>(allocator: &'a Allocator, program: &mut ast::Program<'a>) {
    let builder = AstBuilder::new(allocator);
    program.hashbang = None;
    let is_alone = program.body.len() == 1 && program.directives.is_empty();
    let Some(last) = program.body.pop() else {
        // A program that is nothing but a text in quotes was taken for a directive.
        if let Some(text) = program.directives.pop() {
            let text = ast::Expression::StringLiteral(oxc_allocator::ArenaBox::new_in(text.expression, &allocator));
            program.body.push(ast::Statement::new_return_statement(SPAN, Some(text), &builder));
        }
        return;
    };
    let ast::Statement::ExpressionStatement(mut last) = last else {
        program.body.push(last);
        return;
    };
    let span = last.span;
    let placeholder = ast::Expression::new_null_literal(SPAN, &builder);
    let mut value = std::mem::replace(&mut last.expression, placeholder);
    let is_function = matches!(
        value.without_parentheses(),
        ast::Expression::ArrowFunctionExpression(_) | ast::Expression::FunctionExpression(_)
    );
    if is_alone && is_function {
        let nothing = oxc_allocator::ArenaVec::new_in(&allocator);
        value = ast::Expression::new_call_expression(span, value, None, nothing, false, &builder);
    }
    program.body.push(ast::Statement::new_return_statement(span, Some(value), &builder));
}

/// The first of the errors, as ours.
fn refuse(source: &str, diagnostics: &Diagnostics) -> Result<(), ProgramError> {
    let is_error = |one: &&OxcDiagnostic| one.severity == oxc_diagnostics::Severity::Error;
    let Some(first) = diagnostics.iter().find(is_error) else { return Ok(()) };
    let at = first.labels.first().map_or(0, |label| usize::try_from(label.offset()).unwrap_or(0));
    Err(syntax(source, &first.message, first.help.as_deref().map(str::to_owned), at))
}

fn syntax(source: &str, message: &str, help: Option<String>, at: usize) -> ProgramError {
    let position = Position::of(source, at);
    ProgramError::Syntax { message: message.to_owned(), help, position, excerpt: position.excerpt(source) }
}
