//! What came of a program, in words for the model that wrote it.

use reveille_codemode::Finished;

use crate::journal::{ConsoleLine, ToolOutcome};
use crate::tool::cut;

/// The most bytes of a program's value that the model reads.
const VALUE_BYTES: usize = 48 * 1024;

/// The most bytes of its console.
const CONSOLE_BYTES: usize = 8 * 1024;

/// The console, a line each; nothing for a program that wrote none.
#[must_use]
pub fn console(lines: &[ConsoleLine]) -> String {
    let shown: Vec<String> = lines
        .iter()
        .map(|line| match line.level.as_str() {
            "log" | "info" => line.text.clone(),
            level => format!("{level}: {}", line.text),
        })
        .collect();
    cut(shown.join("\n"), CONSOLE_BYTES).0
}

/// The outcome of the call of `code`. `fenced` makes text that others may have written data.
#[must_use]
pub fn returned(finished: &Finished, lines: &[ConsoleLine], fenced: impl Fn(&str, &str) -> String) -> ToolOutcome {
    let mut text = match &finished.result {
        Ok(Some(value)) => fenced("value-of-the-program", &cut(value.get().to_owned(), VALUE_BYTES).0),
        Ok(None) => "The program ended without a value. `return` what you need.".to_owned(),
        Err(failure) => format!("The program failed. {}", fenced("error", &failure.to_string())),
    };
    if !lines.is_empty() {
        text.push_str("\n\n");
        text.push_str(&fenced("console", &console(lines)));
    }
    let unanswered = finished.unanswered.len();
    if unanswered > 0 {
        text.push_str(&format!(
            "\n\nIt ended without waiting for {unanswered} of its calls: those that had not begun were not made. Await every call."
        ));
    }
    match finished.result {
        Ok(_) => ToolOutcome::Ok { content: text, truncated: false },
        Err(_) => ToolOutcome::Error { message: text },
    }
}

#[cfg(test)]
mod tests {
    use reveille_codemode::{Failure, Usage};

    use super::*;

    #[test]
    fn a_value_an_error_and_what_was_not_awaited_are_told_apart() {
        let fenced = |what: &str, text: &str| format!("<{what}>{text}</>");
        let finished =
            |result, unanswered: &[u32]| Finished { result, unanswered: unanswered.to_vec(), usage: Usage::default() };
        let lines = [ConsoleLine { level: "warn".into(), text: "odd".into() }];
        let value = serde_json::value::to_raw_value(&[1, 2]).unwrap();
        let ToolOutcome::Ok { content, .. } = returned(&finished(Ok(Some(value)), &[3]), &lines, fenced) else {
            panic!("a value is a success")
        };
        insta::assert_snapshot!(content);
        let ToolOutcome::Error { message } = returned(&finished(Err(Failure::Stalled), &[]), &[], fenced) else {
            panic!("a failure is none")
        };
        insta::assert_snapshot!(message);
    }
}
