//! Diagnostics as text, safe for a terminal.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use super::failure::Failure;
use super::output::escape;
use crate::telemetry::is_unseen;

/// The columns that a report is wrapped at.
const WIDTH: usize = 120;

/// A failure as a person sees it: every diagnostic, and where to read on.
#[must_use]
pub fn failure(failure: &Failure, has_colours: bool) -> String {
    let diagnostics = failure.diagnostics();
    if diagnostics.is_empty() {
        return format!("error: {}\n", escape(&failure.to_string()));
    }
    let mut text = String::new();
    let mut codes: Vec<String> = Vec::new();
    for one in diagnostics {
        text.push_str(&diagnostic(one, has_colours));
        codes.extend(one.code().map(|code| code.to_string()).filter(|code| !codes.contains(code)));
    }
    match codes.as_slice() {
        [] => {}
        [code] => text.push_str(&format!("`reveille explain {code}` tells more.\n")),
        [code, others @ ..] => {
            text.push_str(&format!("`reveille explain {code}` tells more; so for {}.\n", others.join(", ")));
        }
    }
    text
}

/// One diagnostic, with an empty line behind it.
#[must_use]
pub fn diagnostic(diagnostic: &dyn Diagnostic, has_colours: bool) -> String {
    let plain = render(diagnostic, GraphicalTheme::unicode_nocolor());
    // A control character in our own rendering can only be from outside: then there are no colours.
    let is_hostile = plain.chars().any(|c| c != '\n' && is_unseen(c));
    let text = if has_colours && !is_hostile {
        render(diagnostic, GraphicalTheme::unicode())
    } else {
        escape(&plain).into_owned()
    };
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n\n", lines.join("\n").trim_end())
}

fn render(diagnostic: &dyn Diagnostic, theme: GraphicalTheme) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(WIDTH)
        .with_context_lines(1)
        .without_syntax_highlighting();
    match handler.render_report(&mut text, diagnostic) {
        Ok(()) => text,
        Err(_) => diagnostic.to_string(),
    }
}
