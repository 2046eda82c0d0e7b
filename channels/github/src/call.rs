//! What a person's comment calls: handles and a command. Code, quotations, HTML and addresses call nobody.

use comrak::nodes::NodeValue;

use crate::markdown::{Lines, is_quoted, parsed};
use crate::scan;

/// What a text calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Handles, lower case, without `@`, each once, in the order of the text.
    pub(crate) mentions: Vec<String>,
    /// The first `/name arguments` at the start of a line.
    pub(crate) command: Option<(String, String)>,
}

/// Reads what `text` calls.
pub(crate) fn calls(text: &str) -> Calls {
    // Most comments call nobody; they need no parse.
    if !text.contains(['@', '/', '&']) {
        return Calls::default();
    }
    parsed(text, |root| {
        let lines = Lines::new(text);
        let mut calls = Calls::default();
        for node in root.descendants() {
            let data = node.data();
            let NodeValue::Text(content) = &data.value else { continue };
            if is_quoted(node) {
                continue;
            }
            for handle in scan::handles(content) {
                let handle = handle.to_ascii_lowercase();
                if !calls.mentions.contains(&handle) {
                    calls.mentions.push(handle);
                }
            }
            if calls.command.is_none()
                && let Some(range) = lines.range(data.sourcepos)
                && lines.is_line_start(range.start)
                && let Some(rest) = text.get(range.start..)
                && let Some(name) = scan::command(rest)
            {
                let line = rest.split(['\n', '\r']).next().unwrap_or_default();
                let args = line.get(name.len() + 1..).unwrap_or_default().trim();
                calls.command = Some((name.to_owned(), args.to_owned()));
            }
        }
        calls
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_read_from_prose_alone() {
        let text = "@Assistant and @triage-bot, see `@code`, mail me@example.com, ask @acme/team\n\n> @quoted\n\n\
                    ```\n@fenced\n```\n\n    @indented\n\n<!-- @hidden -->\n\nhttps://example.com/@linked @assistant.";
        assert_eq!(calls(text).mentions, ["assistant", "triage-bot"]);
        assert_eq!(calls(text).command, None);
    }

    #[test]
    fn a_command_stands_at_the_start_of_a_line() {
        assert_eq!(calls("please\n/triage  now, fast \nthanks").command, Some(("triage".into(), "now, fast".into())));
        assert_eq!(calls("/help").command, Some(("help".into(), String::new())));
        for text in ["see /help", "/etc/hosts is a file", "```\n/help\n```", "> /help", "/ help", "\\/help"] {
            assert_eq!(calls(text).command, None, "{text}");
        }
    }
}
