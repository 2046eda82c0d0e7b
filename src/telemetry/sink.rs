//! Where events leave the process: whole, scrubbed, on one line each.

use std::io::{self, Write};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::Format;
use super::scrub::Scrubber;

/// The longest value of a field, bytes.
const LONGEST_VALUE: usize = 4 * 1024;

/// The longest event, bytes.
const LONGEST_EVENT: usize = 64 * 1024;

/// Makes writers that take one event each.
#[derive(Debug, Clone)]
pub struct Sink<W> {
    format: Format,
    scrubber: Scrubber,
    output: W,
}

impl<W> Sink<W> {
    /// A sink in front of an output.
    pub fn new(format: Format, scrubber: Scrubber, output: W) -> Self {
        Self { format, scrubber, output }
    }

    /// How events are written.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// What takes credentials out.
    pub(super) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// An event as it may leave the process: without its line's end.
    fn clean(&self, event: &str) -> String {
        let event = event.trim_end_matches(['\r', '\n']);
        match (self.format, serde_json::from_str::<Value>(event)) {
            (Format::Json, Ok(mut json)) => {
                self.clean_json(&mut json);
                self.scrubber.scrub(&escape_unseen(&json.to_string(), Format::Json)).into_owned()
            }
            _ => {
                let scrubbed = self.scrubber.scrub(event);
                let text = escape_unseen(&cut_at(&scrubbed, LONGEST_EVENT), Format::Text);
                // Once more: escaping may have joined what a control character kept apart.
                self.scrubber.scrub(&text).into_owned()
            }
        }
    }

    fn clean_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => *text = cut(self.scrubber.scrub(text).into_owned()),
            Value::Array(values) => values.iter_mut().for_each(|value| self.clean_json(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.clean_json(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl<W: for<'a> MakeWriter<'a>> Sink<W> {
    /// Writes one event.
    ///
    /// # Errors
    /// Those of the output.
    pub(super) fn write_event(&self, event: &str) -> io::Result<()> {
        let mut line = self.clean(event);
        line.push('\n');
        let mut output = self.output.make_writer();
        output.write_all(line.as_bytes())?;
        output.flush()
    }
}

impl<'a, W: for<'b> MakeWriter<'b> + 'a> MakeWriter<'a> for Sink<W> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { sink: self, bytes: Vec::new() }
    }
}

/// One event in the making. It leaves when this is dropped: nothing is scrubbed in pieces, however it was written.
#[derive(Debug)]
pub struct Line<'a, W: for<'b> MakeWriter<'b>> {
    sink: &'a Sink<W>,
    bytes: Vec<u8>,
}

impl<W: for<'b> MakeWriter<'b>> Write for Line<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: for<'b> MakeWriter<'b>> Drop for Line<'_, W> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            // There is nowhere left to report that the log is closed.
            let _ = self.sink.write_event(&String::from_utf8_lossy(&self.bytes));
        }
    }
}

/// A field's value, cut to what a field may have.
pub(super) fn cut(value: String) -> String {
    if value.len() <= LONGEST_VALUE { value } else { cut_at(&value, LONGEST_VALUE).into_owned() }
}

fn cut_at(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let kept = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or(0);
    let (kept, rest) = text.split_at(kept);
    format!("{kept}[{} more bytes]", rest.len()).into()
}

/// Control characters, and characters that change how others are shown, as escapes.
fn escape_unseen(text: &str, format: Format) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if super::is_unseen(c) && format == Format::Json => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c if super::is_unseen(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}
