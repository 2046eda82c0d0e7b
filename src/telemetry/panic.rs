//! Panics, on one scrubbed line like every other event.

use std::io;
use std::panic::PanicHookInfo;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::Format;
use super::sink::Sink;

/// Replaces the panic hook. It writes to the sink itself and not through `tracing`: the panic may have happened in there.
pub(super) fn install<W>(sink: Sink<W>)
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    std::panic::set_hook(Box::new(move |info| {
        // There is nowhere left to report that the standard error is closed.
        let _ = write(&sink, info);
    }));
}

fn write<W>(sink: &Sink<W>, info: &PanicHookInfo<'_>) -> io::Result<()>
where
    W: for<'a> MakeWriter<'a>,
{
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let now = jiff::Timestamp::now();
    let line = match sink.format() {
        Format::Json => json!({
            "timestamp": now.to_string(),
            "level": "ERROR",
            "target": "panic",
            "fields": { "message": message, "location": location, "thread": thread },
        })
        .to_string(),
        Format::Text => format!("{now} ERROR panic: {message} location={location} thread={thread:?}"),
    };
    sink.write_event(&line)
}
