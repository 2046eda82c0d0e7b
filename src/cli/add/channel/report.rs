//! What was done and what is to be done, for people and for programs.

use std::io;

use reveille_channel::Guide;
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::cli::doctor::{self, Check};
use crate::cli::failure::{Code, Failure};
use crate::cli::output::Output;

/// An address that is longer than this, bytes, is shown in the page alone.
const LONGEST_LINE: usize = 800;

/// A file, and what became of it.
#[derive(Debug, Serialize)]
struct Work {
    file: String,
    what: String,
    is_kept: bool,
}

/// Something that the connection lacks before it can go live.
#[derive(Debug, Serialize)]
pub(super) struct Missing {
    /// The variable or file.
    pub(super) name: String,
    /// Why it is missing.
    pub(super) what: String,
    /// Where it is found.
    pub(super) found: String,
}

/// All of it. In `--json` the names stay.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    connection: String,
    platform: &'static str,
    files: Vec<Work>,
    pub(super) blueprint: String,
    #[serde(rename = "papers", serialize_with = "papers")]
    pub(super) guide: Guide,
    pub(super) missing: Vec<Missing>,
    pub(super) checks: Vec<Check>,
}

/// By what programs call them. A manifest is an object there and no text.
fn papers<S: serde::Serializer>(guide: &Guide, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(guide.papers.len()))?;
    for paper in &guide.papers {
        match serde_json::from_str::<serde_json::Value>(&paper.text) {
            Ok(value) if paper.language == "json" => map.serialize_entry(paper.id, &value)?,
            _ => map.serialize_entry(paper.id, &paper.text)?,
        }
    }
    map.end()
}

impl Report {
    pub(super) fn new(connection: &str, platform: &'static str) -> Self {
        Self {
            connection: connection.to_owned(),
            platform,
            files: Vec::new(),
            blueprint: String::new(),
            guide: Guide::default(),
            missing: Vec::new(),
            checks: Vec::new(),
        }
    }

    pub(super) fn wrote(&mut self, file: &str, what: &str) {
        self.files.push(Work { file: file.to_owned(), what: what.to_owned(), is_kept: false });
    }

    pub(super) fn kept(&mut self, file: &str, what: &str) {
        self.files.push(Work { file: file.to_owned(), what: what.to_owned(), is_kept: true });
    }

    /// What was written, and what the platform wants to be given.
    pub(super) fn print_work(&self, output: &mut Output) -> io::Result<()> {
        for work in &self.files {
            let verb = if work.is_kept { "kept " } else { "wrote" };
            output.line(format!("{verb}  {}: {}", work.file, work.what))?;
        }
        for paper in &self.guide.papers {
            if paper.language == "text" && paper.text.len() > LONGEST_LINE {
                output.line(format!("\n{}: it is long, and stands in {}", paper.title, self.blueprint))?;
            } else {
                output.line(format!("\n{}:\n\n{}", paper.title, paper.text))?;
            }
        }
        output.line(format!("\nWhat to do there, step by step: {}", self.blueprint))?;
        for (number, step) in (1..).zip(&self.guide.steps) {
            output.line(format!("  {number}. {}", step.title))?;
        }
        output.line("")?;
        output.flush()
    }

    /// What is missing, what the platform said, and what comes next.
    pub(super) fn print_rest(&self, output: &mut Output) -> io::Result<()> {
        if !self.missing.is_empty() {
            output.line("Still missing:")?;
            for one in &self.missing {
                output.line(format!("  {}: {}", one.name, one.found))?;
                // What is there and wrong needs a word more than what is not there yet.
                if !one.what.ends_with("is not set") {
                    output.line(format!("    {}", one.what))?;
                }
            }
            output.line(
                "\nPut variables into .env beside reveille.toml, or into the environment of the gateway; files beside it. Then:",
            )?;
        }
        if !self.checks.is_empty() {
            output.listing(&doctor::table(&self.checks))?;
            output.line("")?;
        }
        let say = match self.platform {
            "discord" => "discord \"#general\" \"@assistant what can you do?\"",
            "slack" => "slack \"#general\" \"@assistant what can you do?\"",
            "github" => "github acme/app#1 \"@assistant summarise this\"",
            _ => "linear ENG-1 \"@assistant what is this about?\"",
        };
        output.line("  reveille doctor     asks the platform who the gateway is there")?;
        output.line("  reveille serve      goes live")?;
        output.line(format!("  reveille dev        simulates it meanwhile; in a second terminal: reveille say {say}"))
    }

    /// Whether it went well.
    pub(super) fn outcome(&self, must_check: bool) -> Result<(), Failure> {
        if self.checks.iter().any(Check::is_bad) {
            let what = format!("the connection `{}` is written, and the platform does not take it", self.connection);
            return Err(Failure::new(Code::Unwell, what, "the table says how to mend it; then `reveille doctor`"));
        }
        if must_check && self.checks.is_empty() {
            let what = format!("the connection `{}` is written, and could not be checked", self.connection);
            return Err(Failure::new(Code::Unwell, what, "give it what is missing, then `reveille doctor`"));
        }
        Ok(())
    }
}
