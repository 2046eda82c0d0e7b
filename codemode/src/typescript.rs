//! TypeScript to what the engine runs, by oxc: parsed, checked, its types taken off, printed with a source map.
//!
//! A program may be a list of statements with top-level `await` and `return`, and may also be one async function. It
//! becomes the body of an async function: its value is what it returns, or else the value of the expression it ends with.
//! All of that is done on the syntax tree.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::builder::AstBuilder;
use oxc_ast::{AstKind, ast};
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_diagnostics::{Diagnostics, OxcDiagnostic};
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_semantic::{Semantic, SemanticBuilder};
use oxc_span::{GetSpan, SPAN, SourceType};
use oxc_transformer::{TransformOptions, Transformer};

use crate::places::Places;
use crate::position::Position;
use crate::program::ProgramError;

/// The body of an async function, in what the engine runs.
pub(crate) struct Printed {
    pub(crate) code: String,
    pub(crate) places: Places,
}

/// Reads a program. Recursive: the caller has a stack for it.
///
/// # Errors
///
/// [`ProgramError::Syntax`].
pub(crate) fn read(source: &str) -> Result<Printed, ProgramError> {
    let allocator = Allocator::default();
    let parsed = parse(&allocator, source, SourceType::ts());
    if let Err(error) = refuse(source, &parsed.diagnostics) {
        return Err(jsx(&allocator, source).unwrap_or(error));
    }
    if parsed.panicked {
        return Err(syntax(source, "the program cannot be read", None, 0));
    }
    let mut program = parsed.program;
    if let Some(module) = program.body.iter().find(|statement| is_of_a_module(statement)) {
        return Err(Missing::Modules.error(source, module.span().start));
    }

    let checking = SemanticBuilder::new().with_build_nodes(true).with_check_syntax_error(true).with_enum_eval(true);
    let checked = checking.build(&program);
    if let Some((missing, at)) = missing(&checked.semantic) {
        return Err(missing.error(source, at));
    }
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
    Ok(Printed { places: Places::of(printed.map.as_ref()), code: printed.code })
}

fn parse<'a>(allocator: &'a Allocator, source: &'a str, kind: SourceType) -> ParserReturn<'a> {
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    // Read as a module for its top-level `await`; what makes one is refused.
    Parser::new(allocator, source, kind.with_module(true)).with_options(options).parse()
}

/// What models write elsewhere and is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Modules,
    Decorators,
    Jsx,
}

impl Missing {
    fn error(self, source: &str, at: u32) -> ProgramError {
        let (message, help) = match self {
            Self::Modules => (
                "modules are not available here",
                "write statements, or one async function; the value is what it returns",
            ),
            Self::Decorators => ("decorators are not available here", "call the function yourself"),
            Self::Jsx => ("JSX is not available here", "write markup as text, in backticks"),
        };
        syntax(source, message, Some(help.to_owned()), usize::try_from(at).unwrap_or(0))
    }
}

/// The error for a text that is a program but for its JSX, which as TypeScript is read as type assertions and comparisons.
fn jsx(allocator: &Allocator, source: &str) -> Option<ProgramError> {
    if !source.contains("</") && !source.contains("/>") {
        return None;
    }
    let parsed = parse(allocator, source, SourceType::tsx());
    if parsed.panicked || refuse(source, &parsed.diagnostics).is_err() {
        return None;
    }
    let checked = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program);
    let is_jsx = |kind: AstKind<'_>| matches!(kind, AstKind::JSXElement(_) | AstKind::JSXFragment(_));
    let first = checked.semantic.nodes().iter().map(oxc_semantic::AstNode::kind).find(|kind| is_jsx(*kind))?;
    Some(Missing::Jsx.error(source, first.span().start))
}

fn is_of_a_module(statement: &ast::Statement<'_>) -> bool {
    statement.is_module_declaration() || matches!(statement, ast::Statement::TSImportEqualsDeclaration(_))
}

/// The first place of what is not here and stands inside of statements.
fn missing(semantic: &Semantic<'_>) -> Option<(Missing, u32)> {
    let scoping = semantic.scoping();
    semantic.nodes().iter().find_map(|node| {
        let missing = match node.kind() {
            AstKind::Decorator(_) => Missing::Decorators,
            AstKind::ImportExpression(_) | AstKind::ImportMeta(_) => Missing::Modules,
            AstKind::CallExpression(call) => {
                let name = call.callee.get_identifier_reference().filter(|name| name.name == "require")?;
                // One that the program has itself is its own.
                let symbol = name.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id());
                if symbol.is_some() {
                    return None;
                }
                Missing::Modules
            }
            _ => return None,
        };
        Some((missing, node.kind().span().start))
    })
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
