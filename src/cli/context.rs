//! What every command has: the output, the configuration, the log.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use miette::Diagnostic;

use super::failure::Failure;
use super::output::{Output, escape, wants_colours};
use super::report;
use crate::config::{self, Config, Environment, Flag, Inputs, Mode};
use crate::telemetry::{self, Format, Scrubber};

/// What a command works with.
#[derive(Debug)]
pub struct Context {
    /// Where results go.
    pub output: Output,
    /// How the log is written.
    pub log_format: Format,
    config: Option<PathBuf>,
    environment: Environment,
    scrubber: Option<Scrubber>,
}

impl Context {
    /// The context of this process.
    #[must_use]
    pub fn of_process(config: Option<PathBuf>, log_format: Format) -> Self {
        let environment = Environment::of_process();
        Self { output: Output::standard(), log_format, config, environment, scrubber: None }
    }

    /// Loads the configuration, sets up the log, and says on the standard error what is doubtful in it (unless the
    /// command only looks at data). Call it once.
    ///
    /// # Errors
    /// The configuration's, exit code 78; a bad `REVEILLE_LOG`, exit code 2.
    pub fn load(&mut self, mode: Mode, flags: Vec<Flag>) -> Result<Config, Failure> {
        let config = config::load_from(&self.inputs(flags), mode)?;
        self.scrubber = Some(telemetry::init(self.log_format, "info", &config.secrets())?);
        if mode != Mode::Tool {
            for warning in &config.warnings {
                self.report_one(warning);
            }
        }
        Ok(config)
    }

    /// As [`Context::load`] in [`Mode::Dev`], for a command that speaks to no platform: nothing is said of connections, and
    /// the log keeps to `filter` where `REVEILLE_LOG` says nothing.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub(super) fn load_for_terminal(&mut self, filter: &str) -> Result<Config, Failure> {
        let config = config::load_from(&self.inputs(Vec::new()), Mode::Dev)?;
        self.scrubber = Some(telemetry::init(self.log_format, filter, &config.secrets())?);
        for warning in config.warnings.iter().filter(|warning| !warning.key.starts_with("channels.")) {
            self.report_one(warning);
        }
        Ok(config)
    }

    /// Says something on the standard error that is no failure.
    pub(super) fn note(&mut self, text: &str) {
        match self.log_format {
            Format::Text => self.complain(&format!("note: {}\n", escape(text))),
            Format::Json => tracing::warn!("{text}"),
        }
    }

    /// What takes credentials out of other texts; there once the configuration is loaded.
    #[must_use]
    pub fn scrubber(&self) -> Option<&Scrubber> {
        self.scrubber.as_ref()
    }

    pub(super) fn inputs(&self, flags: Vec<Flag>) -> Inputs {
        Inputs { path: self.config.clone(), folder: PathBuf::new(), environment: self.environment.clone(), flags }
    }

    /// Shows a failure on the standard error.
    pub fn report(&mut self, failure: &Failure) {
        self.complain(&report::failure(failure, has_colours()));
    }

    /// Shows one diagnostic on the standard error.
    pub fn report_one(&mut self, diagnostic: &dyn Diagnostic) {
        self.complain(&report::diagnostic(diagnostic, has_colours()));
    }

    fn complain(&mut self, text: &str) {
        // What was written so far comes first, so that the two outputs read in order on one terminal. If neither can
        // be written there is nowhere left to say so.
        let _ = self.output.flush();
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn has_colours() -> bool {
    io::stderr().is_terminal() && wants_colours()
}
