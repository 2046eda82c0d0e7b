//! One text for one JSON value, and the same text with room for eyes.

use std::fmt::Write;

use serde_json::{Number, Value};

use super::visible::visible;

/// How a value is laid out. The values in it are the same in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// No blanks; strings as they are. It is hashed.
    Compact,
    /// A line for each value, what is not seen in strings spelled out. It is shown.
    Page,
}

/// The canonical text.
pub(super) fn compact(value: &Value) -> String {
    let mut text = String::new();
    write(value, Layout::Compact, 0, &mut text);
    text
}

/// The canonical text on lines.
pub(super) fn page(value: &Value) -> String {
    let mut text = String::new();
    write(value, Layout::Page, 0, &mut text);
    text
}

fn write(value: &Value, layout: Layout, depth: usize, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(number, text),
        Value::String(string) => write_string(string, layout, text),
        Value::Array(items) => {
            let parts = items.iter().map(|item| (None, item));
            write_parts('[', ']', parts, layout, depth, text);
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            // RFC 8785, 3.2.3: by UTF-16 code units.
            entries.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            let parts = entries.into_iter().map(|(key, value)| (Some(key.as_str()), value));
            write_parts('{', '}', parts, layout, depth, text);
        }
    }
}

fn write_parts<'a>(
    open: char,
    close: char,
    parts: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Value)>,
    layout: Layout,
    depth: usize,
    text: &mut String,
) {
    let is_empty = parts.len() == 0;
    text.push(open);
    for (index, (key, value)) in parts.enumerate() {
        if index > 0 {
            text.push(',');
        }
        begin_line(layout, depth + 1, text);
        if let Some(key) = key {
            write_string(key, layout, text);
            text.push_str(if layout == Layout::Page { ": " } else { ":" });
        }
        write(value, layout, depth + 1, text);
    }
    if !is_empty {
        begin_line(layout, depth, text);
    }
    text.push(close);
}

fn begin_line(layout: Layout, depth: usize, text: &mut String) {
    if layout == Layout::Page {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    }
}

/// A whole number is its digits. Any other has a point or an exponent, whatever its value: no two numbers that a value tells
/// apart have one text.
fn write_number(number: &Number, text: &mut String) {
    // Writing to a string does not fail.
    let _ = match number.as_f64() {
        Some(float) if number.is_f64() => write!(text, "{float:?}"),
        _ => write!(text, "{number}"),
    };
}

/// RFC 8785, 3.2.2.2.
fn write_string(string: &str, layout: Layout, text: &mut String) {
    let mut written = String::with_capacity(string.len() + 2);
    for c in string.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\u{8}' => written.push_str("\\b"),
            '\t' => written.push_str("\\t"),
            '\n' => written.push_str("\\n"),
            '\u{c}' => written.push_str("\\f"),
            '\r' => written.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(written, "\\u{:04x}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    text.push('"');
    match layout {
        Layout::Compact => text.push_str(&written),
        // A backslash of the string itself is doubled by now: what is spelled out cannot be imitated.
        Layout::Page => text.push_str(&visible(&written)),
    }
    text.push('"');
}
