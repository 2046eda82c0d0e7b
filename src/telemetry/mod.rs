//! Logs and metrics, and the one place where secrets are taken out of them.
//!
//! Every event of `tracing`, from our code and from every library below it, and every panic goes through [`Sink`]: a whole
//! event at a time, scrubbed of the configured secrets and of everything shaped like a credential, on one line, with
//! long values cut. Call sites are not trusted to leave secrets out; they should all the same. Content of messages is
//! not logged by anybody: ids and sizes are.

mod metrics;
mod panic;
mod scrub;
mod sink;

use std::io;

use reveille_channel::Secret;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{FmtSpan, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use metrics::Metrics;
pub use scrub::Scrubber;
pub use sink::{Line, Sink};

/// The variable with the log's filter, in the directives of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "REVEILLE_LOG";

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("{FILTER_VARIABLE} is not a log filter: {0}; write for example `info` or `info,reveille=debug`")]
    Filter(String),
    /// There is a log already.
    #[error("the log was set up twice: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up the log of this process on its standard error, and its panic hook. Called once, as soon as the secrets are
/// known. `filter` holds where `REVEILLE_LOG` says nothing. The scrubber is for other texts that leave the process, such as
/// the bodies of error answers.
///
/// # Errors
/// [`TelemetryError`] when `REVEILLE_LOG` is not a filter or the process has a log already.
pub fn init(format: Format, filter: &str, secrets: &[Secret]) -> Result<Scrubber, TelemetryError> {
    let scrubber = Scrubber::new(secrets);
    let directives = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.trim().is_empty());
    // The line editor would write every key that is pressed into the log. What a model's server says, we say in our own words: the
    // client warns of the first piece of every stream.
    let directives = format!("{},rustyline=off,genai=off", directives.as_deref().unwrap_or(filter));
    let filter = EnvFilter::try_new(directives).map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let sink = Sink::new(format, scrubber.clone(), io::stderr);
    subscriber(format, filter, sink.clone()).try_init()?;
    panic::install(sink);
    Ok(scrubber)
}

/// The subscriber that writes events to a sink.
pub fn subscriber<W>(format: Format, filter: EnvFilter, sink: Sink<W>) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let scrubber = sink.scrubber().clone();
    // Without colours: the sink could not tell our escape sequences from those of a hostile name.
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_span_events(FmtSpan::NONE).with_writer(sink);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Json => Box::new(registry.with(layer.json().with_current_span(false).with_span_list(true))),
        Format::Text => {
            // Scrubbed before it is cut: what is left of a credential that was cut would not be recognised.
            let fields = debug_fn(move |writer, field, value| {
                let value = sink::cut(scrubber.scrub(&format!("{value:?}")).into_owned());
                if field.name() == "message" { write!(writer, "{value}") } else { write!(writer, "{field}={value}") }
            })
            .delimited(" ");
            Box::new(registry.with(layer.fmt_fields(fields)))
        }
    }
}

/// Whether a character is a control character, or one that hides or reorders what stands around it (Unicode TR 36):
/// neither a log nor a terminal gets such a one from outside.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
